use std::fmt::{self, Debug};
use std::path::PathBuf;

use crate::config::settings::Settings;

/// A text that is not printed.
#[derive(Clone, Default, PartialEq)]
pub struct Secret(pub String);

impl Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "\"\"" } else { "\"***\"" })
    }
}

/// HTTP servers that this proxy is a client of: where they are, and how it shows who it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Remote {
    /// `http[s]://HOST[:PORT][/PATH]` each, without a slash at the end; all of them serve the same.
    pub urls: Vec<String>,
    /// For HTTP Basic; empty sends no credentials.
    pub username: String,
    /// Goes with the name.
    pub password: Secret,
    /// For Bearer, in the place of name and password.
    pub bearer_token: Secret,
    /// PEM of the authorities to trust; `None` is what the system trusts.
    pub ca_file: Option<PathBuf>,
    /// PEM of the client certificate.
    pub certificate_file: Option<PathBuf>,
    /// PEM of its key.
    pub key_file: Option<PathBuf>,
    /// For a key that is encrypted.
    pub key_password: Secret,
    /// Whether the certificate of a server has to be trusted and to name it.
    pub verify: bool,
}

impl Remote {
    /// Reads the settings below `section`.
    pub(super) fn read(settings: &mut Settings, section: &str) -> Self {
        let key = |name: &str| format!("{section}.{name}");
        let remote = Self {
            urls: settings.list(
                &key("urls"),
                "",
                "http:// or https:// with a host, without a slash at the end",
                is_url,
            ),
            username: settings.text(&key("username"), "", "a name without a colon", |text| !text.contains(':')),
            password: settings.secret(&key("password")),
            bearer_token: settings.secret(&key("bearer_token")),
            ca_file: path(settings, &key("ca_file")),
            certificate_file: path(settings, &key("certificate_file")),
            key_file: path(settings, &key("key_file")),
            key_password: settings.secret(&key("key_password")),
            verify: settings.flag(&key("verify"), true),
        };
        let both = !remote.username.is_empty() && !remote.bearer_token.0.is_empty();
        settings.require(!both, &key("bearer_token"), "does not go with a username");
        let certificate = (remote.certificate_file.is_some(), remote.key_file.is_some());
        settings.require(certificate != (true, false), &key("certificate_file"), "needs its key_file");
        settings.require(certificate != (false, true), &key("key_file"), "needs its certificate_file");
        remote
    }
}

pub(super) fn path(settings: &mut Settings, key: &str) -> Option<PathBuf> {
    Some(settings.text(key, "", "a file", |_| true)).filter(|text| !text.is_empty()).map(PathBuf::from)
}

/// Tells whether `text` is the URL of a server; a name and a password in it are refused, as URLs are printed.
pub(super) fn is_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let host = rest.split('/').next().unwrap_or_default();
    !host.is_empty()
        && !rest.ends_with('/')
        && host.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_' | b':' | b'[' | b']'))
        && rest.bytes().all(|c| c.is_ascii_graphic() && !matches!(c, b'?' | b'#' | b'"' | b'<' | b'>' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_scheme_and_a_host_and_no_credentials() {
        for good in ["http://a", "https://a.b:8083", "http://[::1]:8083", "http://a/connect/x"] {
            assert!(is_url(good), "{good}");
        }
        for bad in
            ["", "a:8083", "ftp://a", "http://", "http:///x", "http://a/", "http://u:p@a", "http://a?b", "http://a b"]
        {
            assert!(!is_url(bad), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret("hunter2".to_owned())), "\"***\"");
    }
}
