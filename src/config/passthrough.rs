use std::time::Duration;

use crate::config::properties::Properties;
use crate::config::settings::Settings;
use crate::config::{Auth, Config};

/// The keys of the section `[auth]` about credentials that go on to Kafka.
#[derive(Clone, Debug, PartialEq)]
pub struct Passthrough {
    /// Whether callers' own credentials are used with Kafka.
    pub enabled: bool,
    /// How passwords are shown to Kafka.
    pub mechanism: SaslMechanism,
    /// Where callers' credentials are good; empty is `kafka.bootstrap_servers`.
    pub bootstrap_servers: String,
    /// For the clients of callers, over those of every other section.
    pub properties: Properties,
    /// Callers whose Kafka clients are kept.
    pub max_principals: usize,
    /// How long they are kept for a caller who does nothing.
    pub idle_timeout: Duration,
    /// How often Kafka is asked whether the credentials are still good.
    pub recheck: Duration,
}

/// How a password is shown to Kafka.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaslMechanism {
    /// As it is.
    Plain,
    /// Proved, with SHA-256.
    ScramSha256,
    /// Proved, with SHA-512.
    ScramSha512,
}

/// What takes the place of the proxy's own credentials.
#[derive(Clone, Copy, PartialEq)]
pub enum LoginProperties<'a> {
    /// This user and password.
    Password(&'a str, &'a str),
    /// A token, which is in no property.
    Token,
}

impl SaslMechanism {
    const ALL: &'static [SaslMechanism] =
        &[SaslMechanism::Plain, SaslMechanism::ScramSha256, SaslMechanism::ScramSha512];

    /// Returns the registered name.
    pub fn name(self) -> &'static str {
        match self {
            SaslMechanism::Plain => "PLAIN",
            SaslMechanism::ScramSha256 => "SCRAM-SHA-256",
            SaslMechanism::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl Passthrough {
    pub(super) fn read(settings: &mut Settings, auth: &Auth, dev: bool) -> Self {
        let passthrough = Self {
            enabled: auth.passthrough.any(),
            mechanism: settings.choice("auth.passthrough_mechanism", "PLAIN", SaslMechanism::ALL, SaslMechanism::name),
            bootstrap_servers: settings.addresses("auth.passthrough_bootstrap_servers", "", 1..=65535).join(","),
            properties: settings.properties("auth.passthrough_properties"),
            max_principals: settings.count("auth.max_principals", 100, 1..=100_000),
            idle_timeout: settings.duration("auth.idle_timeout", "10m", "1s"..="24h"),
            recheck: settings.duration("auth.recheck", "5m", "1s"..="24h"),
        };
        let alone = !(passthrough.enabled && dev);
        settings.require(alone, "auth.passthrough", "does not go with --dev, whose Kafka knows no credentials");
        passthrough
    }
}

impl Config {
    /// Returns the settings of Kafka clients that log in as a caller: addresses and TLS stay, and nothing of the
    /// proxy's own login does.
    pub fn of_caller(&self, login: LoginProperties<'_>) -> Config {
        let mut config = self.clone();
        // What callers' clients tell of themselves would be taken for what the proxy's own tell.
        config.metrics.enabled = false;
        if !self.passthrough.bootstrap_servers.is_empty() {
            config.kafka.bootstrap_servers.clone_from(&self.passthrough.bootstrap_servers);
        }
        let over = &self.passthrough.properties;
        let sections = [
            &mut config.producer.properties,
            &mut config.consumer.properties,
            &mut config.admin.properties,
            &mut config.kafka.properties,
        ];
        for properties in sections {
            properties.0.retain(|name, _| over.get(name).is_none());
            properties.without_login();
        }
        let kafka = &mut config.kafka.properties.0;
        kafka.extend(over.iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        kafka.entry("security.protocol".to_owned()).or_insert_with(|| "sasl_plaintext".to_owned());
        let mut set = |name: &str, value: &str| kafka.insert(name.to_owned(), value.to_owned());
        match login {
            LoginProperties::Password(user, password) => {
                set("sasl.mechanisms", self.passthrough.mechanism.name());
                set("sasl.username", user);
                set("sasl.password", password);
            }
            LoginProperties::Token => drop(set("sasl.mechanisms", "OAUTHBEARER")),
        }
        config
    }
}

impl Properties {
    /// Takes out what the proxy logs in with; connections stay in the clear or in TLS, and will have a login.
    fn without_login(&mut self) {
        self.0.retain(|name, _| !name.starts_with("sasl.") && !name.starts_with("enable.sasl."));
        if let Some(protocol) = self.0.get_mut("security.protocol") {
            let tls = protocol.to_ascii_lowercase().ends_with("ssl");
            *protocol = if tls { "sasl_ssl" } else { "sasl_plaintext" }.to_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Args, load};

    fn config(settings: &[&str]) -> Config {
        let args = Args {
            bootstrap_servers: Some("a:9092".to_owned()),
            set: settings.iter().map(|setting| (*setting).to_owned()).collect(),
            ..Args::default()
        };
        load(&args, std::iter::empty()).unwrap()
    }

    #[test]
    fn a_callers_login_takes_the_place_of_the_proxys_in_every_section() {
        let config = config(&[
            "auth.passthrough_mechanism=SCRAM-SHA-512",
            "auth.passthrough_bootstrap_servers=b:1,c:2",
            "kafka.properties.security.protocol=SASL_SSL",
            "kafka.properties.ssl.ca.location=/ca.pem",
            "kafka.properties.sasl.mechanism=PLAIN",
            "kafka.properties.sasl.username=proxy",
            "kafka.properties.sasl.password=hunter2",
            "admin.properties.sasl.password=hunter3",
            "producer.properties.enable.sasl.oauthbearer.unsecure.jwt=true",
        ]);
        let callers = config.of_caller(LoginProperties::Password("alice", "alice-pw"));
        let kafka: Vec<_> = callers.kafka.properties.iter().collect();
        let expected = [
            ("sasl.mechanisms", "SCRAM-SHA-512"),
            ("sasl.password", "alice-pw"),
            ("sasl.username", "alice"),
            ("security.protocol", "sasl_ssl"),
            ("ssl.ca.location", "/ca.pem"),
        ];
        assert_eq!(kafka, expected);
        assert_eq!(callers.kafka.bootstrap_servers, "b:1,c:2");
        assert_eq!((callers.admin.properties.iter().count(), callers.producer.properties.iter().count()), (0, 0));
        assert!(!format!("{callers:?}").contains("alice-pw"));
    }

    #[test]
    fn callers_may_need_other_connections_than_the_proxy() {
        let config = config(&[
            "kafka.properties.security.protocol=plaintext",
            "admin.properties.security.protocol=ssl",
            "auth.passthrough_properties.security.protocol=sasl_ssl",
            "auth.passthrough_properties.ssl.ca.location=/callers.pem",
        ]);
        let callers = config.of_caller(LoginProperties::Token);
        assert_eq!(callers.kafka.properties.get("security.protocol"), Some("sasl_ssl"));
        assert_eq!(callers.kafka.properties.get("ssl.ca.location"), Some("/callers.pem"));
        assert_eq!(callers.admin.properties.iter().count(), 0);
    }

    #[test]
    fn connections_in_the_clear_get_a_login_too() {
        for (own, expected) in
            [("ssl", "sasl_ssl"), ("PLAINTEXT", "sasl_plaintext"), ("sasl_plaintext", "sasl_plaintext")]
        {
            let own = format!("kafka.properties.security.protocol={own}");
            let callers = config(&[&own]).of_caller(LoginProperties::Token);
            assert_eq!(callers.kafka.properties.get("security.protocol"), Some(expected));
            assert_eq!(callers.kafka.properties.get("sasl.mechanisms"), Some("OAUTHBEARER"));
        }
        let callers = config(&[]).of_caller(LoginProperties::Token);
        assert_eq!(callers.kafka.properties.get("security.protocol"), Some("sasl_plaintext"));
    }

    #[test]
    fn the_embedded_kafka_knows_no_credentials() {
        let args = Args {
            dev: true,
            set: ["auth.methods=basic", "auth.passthrough=basic"].map(str::to_owned).into(),
            ..Args::default()
        };
        let message = load(&args, std::iter::empty()).unwrap_err().to_string();
        assert!(message.starts_with("auth.passthrough (--set): does not go with --dev"), "{message}");
    }
}
