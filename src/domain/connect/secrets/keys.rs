use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use crate::error::{Kind, Result};

/// What a key of a secret has in it, whatever the case.
const SECRET: &str = concat!(
    r"passw(or)?d|passphrase|passcode|pwd|secret|credential|keyfile$|license$",
    r"|(^|[._-])pass$|[._-](pass|pw)$",
    r"|token$|token[._-]",
    r"|(private|api|access|account|shared|encryption|signing|signature|master|storage|sas)[._-]?key",
    r"|(keystore|(^|[._-])(ssl|tls|client))[._-]key$",
    r"|jaas[._-]?config|connection[._-]?string|user[._-]?info$",
    r"|(^|[._-])sas$|(^|[._-])sig(nature)?$|authorization$|auth[._-]?header|cookie$|bearer$",
);

/// How a key ends that only tells about a secret: where it is, of what kind, who provides it.
const ABOUT_ONE: &str = concat!(
    r"[._-](location|path|files?|dir|directory|type|class|url|uri|endpoint|host|port|source|provider|name|names|alias",
    r"|algorithms?|enabled?|required|format|encoding|scopes?|issuer|audience|header|fields?|column|columns|prefix",
    r"|delimiter|separator|regex|pattern|mode|version|region|length|size|count|ttl|ms|seconds|minutes|retries)$",
);

/// What a pattern may cost, compiled.
const PATTERN_BYTES: usize = 1 << 20;

static BUILT_IN: LazyLock<(Regex, Regex)> = LazyLock::new(|| (constant(SECRET), constant(ABOUT_ONE)));

/// Which keys are those of secrets, by their names.
#[derive(Clone, Debug)]
pub struct KeyPattern {
    secret: Regex,
    /// The keys that `secret` finds wrongly.
    except: Option<Regex>,
}

impl KeyPattern {
    /// Returns the pattern that is used where none is set; it does not take `key.converter` or `ssl.keystore.type`.
    pub fn built_in() -> KeyPattern {
        KeyPattern { secret: BUILT_IN.0.clone(), except: Some(BUILT_IN.1.clone()) }
    }

    /// Returns a pattern of the operator's own, found anywhere in a key in any case. It takes the place of the other.
    pub fn parse(pattern: &str) -> Result<KeyPattern> {
        Ok(KeyPattern { secret: compiled(pattern)?, except: None })
    }

    /// Tells whether the key is that of a secret.
    pub fn matches(&self, key: &str) -> bool {
        self.secret.is_match(key) && !self.except.as_ref().is_some_and(|except| except.is_match(key))
    }
}

/// Compiles a pattern of this program.
#[expect(clippy::expect_used, reason = "every constant is compiled by a test")]
pub(super) fn constant(pattern: &str) -> Regex {
    RegexBuilder::new(pattern).case_insensitive(true).build().expect("the pattern is right")
}

fn compiled(pattern: &str) -> Result<Regex> {
    let compiled = RegexBuilder::new(pattern).case_insensitive(true).size_limit(PATTERN_BYTES).build();
    compiled.map_err(|error| {
        Kind::BadRequest.because(format!("The pattern for keys of secrets is no regular expression: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET_KEYS: &[&str] = &[
        "password",
        "connection.password",
        "database.password",
        "databasePassword",
        "PASSWORD",
        "db_passwd",
        "db.pass",
        "mqtt-pw",
        "ftp.pwd",
        "ssl.key.password",
        "ssl.keystore.password",
        "producer.override.ssl.truststore.password",
        "ssl.keystore.key",
        "sasl.jaas.config",
        "consumer.override.sasl.jaas.config",
        "snowflake.private.key",
        "snowflake.private.key.passphrase",
        "aws.secret.access.key",
        "aws.access.key.id",
        "aws_secret_access_key",
        "awsAccessKey",
        "azblob.account.key",
        "azure.storage.key",
        "api.key",
        "apiKey",
        "confluent.api_key",
        "oauth2.client.secret",
        "client_secret",
        "vault.secret.id",
        "http.auth.token",
        "accessToken",
        "splunk.hec.token",
        "token",
        "gcs.credentials.json",
        "credentials",
        "bigquery.keyfile",
        "basic.auth.user.info",
        "value.converter.basic.auth.user.info",
        "http.headers.authorization",
        "azure.servicebus.connection.string",
        "connectionString",
        "confluent.license",
        "transforms.encrypt.encryption.key",
    ];

    const HARMLESS_KEYS: &[&str] = &[
        "name",
        "connector.class",
        "key.converter",
        "value.converter",
        "tasks.max",
        "topics",
        "topics.regex",
        "primary.key.fields",
        "pk.fields",
        "message.key.columns",
        "keystore.location",
        "ssl.keystore.location",
        "ssl.keystore.type",
        "ssl.truststore.certificates",
        "sasl.mechanism",
        "sasl.oauthbearer.token.endpoint.url",
        "token.endpoint.url",
        "basic.auth.credentials.source",
        "aws.credentials.provider.class",
        "gcs.credentials.path",
        "aws.secret.name",
        "max.tokens",
        "tokenizer",
        "transforms.split.token.delimiter",
        "connection.url",
        "connection.user",
        "user.name",
        "database.hostname",
        "transforms.x.type",
        "pass.through.enabled",
        "ssl.bypass",
        "partition.key",
        "record.key",
        "header.converter",
        "signature.algorithm",
        "password.encoder.keyfactory.algorithm",
        "offset.flush.interval.ms",
        "",
    ];

    #[test]
    fn keys_of_secrets_are_known_by_their_names() {
        let pattern = KeyPattern::built_in();
        for key in SECRET_KEYS {
            assert!(pattern.matches(key), "{key}");
        }
        for key in HARMLESS_KEYS {
            assert!(!pattern.matches(key), "{key}");
        }
    }

    #[test]
    fn an_own_pattern_takes_the_place_of_the_built_in_one() {
        let pattern = KeyPattern::parse("^geheim|kennwort$").unwrap();
        for (key, secret) in [("geheim.nr", true), ("db.KENNWORT", true), ("password", false)] {
            assert_eq!(pattern.matches(key), secret, "{key}");
        }
        assert!(KeyPattern::parse("(").is_err());
        assert!(KeyPattern::parse("a{9999}{9999}").is_err());
    }
}
