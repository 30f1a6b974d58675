use std::path::PathBuf;
use std::time::Duration;

use crate::config::remote::{Remote, Secret};
use crate::config::settings::Settings;

/// What stands for every issuer or audience.
pub const ANY: &str = "*";

/// The section `[auth]`: how callers show who they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Auth {
    /// What is accepted; none leaves everybody anonymous.
    pub methods: Methods,
    /// Whether those who show nothing are refused.
    pub required: bool,
    /// Whose credentials are Kafka's to judge.
    pub passthrough: Methods,
    /// What browsers show when they ask for a password.
    pub realm: String,
    /// Lines `NAME:HASH`.
    pub users_file: Option<PathBuf>,
    /// How often files of users and keys are looked at.
    pub files_interval: Duration,
    /// Passwords that are hashed at a time.
    pub concurrent_checks: usize,
    /// How long a request may wait for its password to be checked.
    pub check_wait: Duration,
    /// How long a password that was right need not be hashed again.
    pub cache_ttl: Duration,
    /// Credentials that are remembered.
    pub cached_credentials: usize,
    /// Wrong credentials of one address, or for one name, in `failed_window`; 0 is no limit.
    pub failed_attempts: u32,
    /// See `failed_attempts`.
    pub failed_window: Duration,
    /// How subjects of certificates become names, as Kafka's `ssl.principal.mapping.rules`.
    pub certificate_rules: String,
    /// What tokens have to be like.
    pub jwt: Jwt,
}

/// Ways to show who one is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Methods {
    /// HTTP Basic.
    pub basic: bool,
    /// A JWT.
    pub bearer: bool,
    /// A client certificate.
    pub certificate: bool,
}

/// The section `[auth.jwt]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Jwt {
    /// A JSON Web Key Set.
    pub jwks_file: Option<PathBuf>,
    /// Where one is served.
    pub jwks_url: Option<KeysUrl>,
    /// `iss`; [`ANY`] is not checked.
    pub issuer: String,
    /// One of these has to be in `aud`; [`ANY`] is not checked.
    pub audience: Vec<String>,
    /// How far clocks may be apart.
    pub leeway: Duration,
    /// By their names in RFC 7518.
    pub algorithms: Vec<String>,
    /// The claim that is the caller's name.
    pub principal_claim: String,
    /// The largest token.
    pub max_token_bytes: u64,
    /// How often keys are fetched.
    pub refresh_interval: Duration,
    /// How long after they were fetched they are not fetched again for a key that is not known.
    pub refresh_cooldown: Duration,
    /// For fetching them.
    pub request_timeout: Duration,
}

/// The server that has a key set, and the path and query there.
#[derive(Clone, Debug, PartialEq)]
pub struct KeysUrl {
    /// The server.
    pub remote: Remote,
    /// Begins with a slash.
    pub path: String,
}

const ASYMMETRIC: &str = "RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,EdDSA";
const SYMMETRIC: [&str; 3] = ["HS256", "HS384", "HS512"];

impl Methods {
    /// Tells whether there is one.
    pub fn any(self) -> bool {
        self != Methods::default()
    }

    fn read(settings: &mut Settings, key: &str, what: &str, allowed: fn(&str) -> bool) -> Methods {
        let names = settings.list(key, "", what, allowed);
        let has = |name: &str| names.iter().any(|given| given == name);
        Methods { basic: has("basic"), bearer: has("bearer"), certificate: has("certificate") }
    }
}

impl Auth {
    pub(super) fn read(settings: &mut Settings) -> Self {
        let auth = Self {
            methods: Methods::read(settings, "auth.methods", "basic, bearer or certificate", |name| {
                matches!(name, "basic" | "bearer" | "certificate")
            }),
            required: settings.flag("auth.required", true),
            passthrough: Methods::read(settings, "auth.passthrough", "basic or bearer", |name| {
                matches!(name, "basic" | "bearer")
            }),
            realm: settings.text("auth.realm", "kafka-rest-proxy", "printable ASCII without quotes", is_quotable),
            users_file: path(settings, "auth.users_file"),
            files_interval: settings.duration("auth.files_interval", "5s", "10ms"..="1h"),
            concurrent_checks: settings.count("auth.concurrent_checks", 4, 1..=1024),
            check_wait: settings.duration("auth.check_wait", "2s", "0s"..="1m"),
            cache_ttl: settings.duration("auth.cache_ttl", "1m", "0s"..="1h"),
            cached_credentials: settings.count("auth.cached_credentials", 10_000, 2..=1_000_000),
            failed_attempts: settings.count("auth.failed_attempts", 20, 0..=1_000_000),
            failed_window: settings.duration("auth.failed_window", "1m", "1s"..="24h"),
            certificate_rules: settings.text("auth.certificate_rules", "DEFAULT", "rules", |_| true),
            jwt: Jwt::read(settings),
        };
        auth.check(settings);
        auth.jwt.check(settings);
        auth
    }

    fn check(&self, settings: &mut Settings) {
        let (methods, passed) = (self.methods, self.passthrough);
        let contained = (methods.basic || !passed.basic) && (methods.bearer || !passed.bearer);
        settings.require(contained, "auth.passthrough", "names what is not among auth.methods");
        let has_users = self.users_file.is_some();
        let needs_users = methods.basic && !passed.basic;
        settings.require(has_users || !needs_users, "auth.users_file", "is required for basic in auth.methods");
        settings.require(!has_users || !passed.basic, "auth.users_file", "does not go with basic in auth.passthrough");
        let needs_keys = methods.bearer && !passed.bearer;
        let text = "is required for bearer in auth.methods, or auth.jwt.jwks_file is";
        settings.require(self.jwt.has_keys() || !needs_keys, "auth.jwt.jwks_url", text);
    }
}

impl Jwt {
    /// Tells whether there are keys, and tokens are checked.
    pub fn has_keys(&self) -> bool {
        self.jwks_file.is_some() || self.jwks_url.is_some()
    }

    fn read(settings: &mut Settings) -> Self {
        let ca_file = path(settings, "auth.jwt.ca_file");
        let what = "http:// or https:// with a host, without a name and a password";
        let url = settings.text("auth.jwt.jwks_url", "", what, |text| text.is_empty() || url_parts(text).is_some());
        let keys_url = |(base, path): (&str, &str)| KeysUrl { remote: server(base, ca_file), path: path.to_owned() };
        Self {
            jwks_file: path(settings, "auth.jwt.jwks_file"),
            jwks_url: url_parts(&url).map(keys_url),
            issuer: settings.text("auth.jwt.issuer", "", "a text", |_| true),
            audience: settings.list("auth.jwt.audience", "", "a text", |text| !text.is_empty()),
            leeway: settings.duration("auth.jwt.leeway", "30s", "0s"..="10m"),
            algorithms: settings.list(
                "auth.jwt.algorithms",
                ASYMMETRIC,
                "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA, HS256, HS384 or HS512",
                |name| ASYMMETRIC.split(',').chain(SYMMETRIC).any(|known| known == name),
            ),
            principal_claim: settings.text("auth.jwt.principal_claim", "sub", "a claim", |text| !text.is_empty()),
            max_token_bytes: settings.size("auth.jwt.max_token_bytes", "8KiB", "256"..="64KiB"),
            refresh_interval: settings.duration("auth.jwt.refresh_interval", "5m", "100ms"..="24h"),
            refresh_cooldown: settings.duration("auth.jwt.refresh_cooldown", "10s", "10ms"..="1h"),
            request_timeout: settings.duration("auth.jwt.request_timeout", "5s", "100ms"..="1m"),
        }
    }

    fn check(&self, settings: &mut Settings) {
        let both = self.jwks_file.is_some() && self.jwks_url.is_some();
        settings.require(!both, "auth.jwt.jwks_url", "does not go with auth.jwt.jwks_file");
        let is_told = |told: bool| told || !self.has_keys();
        let text = "is required with keys: what tokens have in iss, or * for any issuer whom the keys belong to";
        settings.require(is_told(!self.issuer.is_empty()), "auth.jwt.issuer", text);
        let text = "is required with keys: what tokens for this proxy have in aud, or * for tokens meant for anybody";
        settings.require(is_told(!self.audience.is_empty()), "auth.jwt.audience", text);
        let is_shared = self.algorithms.iter().any(|name| SYMMETRIC.contains(&name.as_str()));
        let text = "has algorithms with a shared secret, which only a file may hold: set auth.jwt.jwks_file";
        settings.require(!is_shared || self.jwks_url.is_none(), "auth.jwt.algorithms", text);
    }
}

fn path(settings: &mut Settings, key: &str) -> Option<PathBuf> {
    Some(settings.text(key, "", "a file", |_| true)).filter(|text| !text.is_empty()).map(PathBuf::from)
}

fn is_quotable(text: &str) -> bool {
    text.bytes().all(|c| (c == b' ' || c.is_ascii_graphic()) && !matches!(c, b'"' | b'\\'))
}

/// Splits a URL into server and path with query.
fn url_parts(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let host_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (base, path) = text.split_at(text.len() - rest.len() + host_end);
    let is_plain = path.bytes().all(|c| c.is_ascii_graphic() && !matches!(c, b'#' | b'"' | b'<' | b'>' | b'\\'));
    let path = if path.is_empty() { "/" } else { path };
    (crate::config::remote::is_url(base) && is_plain && path.starts_with('/')).then_some((base, path))
}

fn server(base: &str, ca_file: Option<PathBuf>) -> Remote {
    Remote {
        urls: vec![base.to_owned()],
        username: String::new(),
        password: Secret::default(),
        bearer_token: Secret::default(),
        ca_file,
        certificate_file: None,
        key_file: None,
        key_password: Secret::default(),
        verify: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_keys_has_a_server_and_a_path() {
        let table = [
            ("https://a/keys", Some(("https://a", "/keys"))),
            ("https://a.b:1/x/keys?p=1&q=2", Some(("https://a.b:1", "/x/keys?p=1&q=2"))),
            ("http://a", Some(("http://a", "/"))),
            ("https://a?x=1", None),
            ("https://u:p@a/keys", None),
            ("https:///keys", None),
            ("https://a/ke ys", None),
            ("ftp://a/keys", None),
            ("", None),
        ];
        for (text, parts) in table {
            assert_eq!(url_parts(text), parts, "{text}");
        }
    }

    #[test]
    fn what_is_missing_or_contradicts_is_said() {
        let table = [
            (&["auth.methods=basic"][..], "auth.users_file"),
            (&["auth.methods=bearer"], "auth.jwt.jwks_url"),
            (&["auth.passthrough=basic"], "auth.passthrough"),
            (&["auth.methods=basic", "auth.passthrough=basic", "auth.users_file=u"], "auth.users_file"),
            (&["auth.jwt.jwks_file=k", "auth.jwt.audience=a"], "auth.jwt.issuer"),
            (&["auth.jwt.jwks_file=k", "auth.jwt.issuer=i"], "auth.jwt.audience"),
            (&["auth.jwt.algorithms=none"], "auth.jwt.algorithms"),
            (&["auth.methods=digest"], "auth.methods"),
        ];
        for (given, key) in table {
            let mut settings = Settings::default();
            for (key, value) in given.iter().filter_map(|text| text.split_once('=')) {
                settings.give(key.to_owned(), value.to_owned(), crate::config::problem::Source::Flag("--set"));
            }
            Auth::read(&mut settings);
            let problems = settings.finish().expect_err(key).to_string();
            assert!(problems.starts_with(&format!("{key} (")), "{given:?}: {problems}");
        }
    }

    #[test]
    fn the_defaults_ask_nobody() {
        let mut settings = Settings::default();
        let auth = Auth::read(&mut settings);
        assert!(settings.finish().is_ok());
        assert!(!auth.methods.any() && !auth.passthrough.any() && auth.required);
        assert!(!auth.jwt.algorithms.iter().any(|name| name.starts_with("HS")));
    }
}
