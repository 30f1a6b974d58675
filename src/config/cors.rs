use std::time::Duration;

use crate::config::settings::Settings;

/// The section `[cors]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Cors {
    /// The pages that may use this proxy, as browsers name them: `https://HOST[:PORT]`; `*` alone is all of them, and
    /// none is no CORS.
    pub origins: Vec<String>,
    /// What they may do.
    pub methods: Vec<String>,
    /// What they may send beside what they always may.
    pub headers: Vec<String>,
    /// What they may read beside what they always may.
    pub exposed_headers: Vec<String>,
    /// How long a browser may remember it.
    pub max_age: Duration,
    /// Whether requests may carry cookies, client certificates and HTTP authentication of the browser.
    pub credentials: bool,
}

/// What browsers send to this API.
const HEADERS: &str = "Content-Type,Authorization,Accept,X-Request-Id,traceparent,tracestate";

/// What this API says beside the body.
const EXPOSED: &str = "X-Request-Id,Retry-After,RateLimit-Limit,RateLimit-Remaining,RateLimit-Reset,Location,X-Connect-Gateway-Outcome,X-Connect-Worker,X-Connect-Settled";

impl Cors {
    pub(super) fn read(settings: &mut Settings) -> Self {
        let origin = "* or an origin like https://app.example:8443";
        let cors = Self {
            origins: settings.list("cors.origins", "", origin, is_origin),
            methods: settings.list("cors.methods", "GET,HEAD,POST,PUT,PATCH,DELETE", "a method", is_method),
            headers: settings.list("cors.headers", HEADERS, "the name of a header", is_token),
            exposed_headers: settings.list("cors.exposed_headers", EXPOSED, "the name of a header", is_token),
            max_age: settings.duration("cors.max_age", "10m", "0s"..="24h"),
            credentials: settings.flag("cors.credentials", false),
        };
        let is_any = cors.origins.iter().any(|origin| origin == "*");
        settings.require(
            !is_any || cors.origins.len() == 1,
            "cors.origins",
            "has * beside other origins: name one or the other",
        );
        settings.require(
            !(is_any && cors.credentials),
            "cors.credentials",
            "does not go with cors.origins = \"*\": name the origins",
        );
        cors
    }

    /// Tells whether there is anybody to allow.
    pub fn is_on(&self) -> bool {
        !self.origins.is_empty()
    }
}

/// Browsers write scheme and host in lower case, leave the usual port out, and never write a path.
fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return text == "*" };
    let is_host = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'.' | b'-' | b':' | b'[' | b']');
    let is_scheme = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'+' | b'-' | b'.');
    !scheme.is_empty() && scheme.bytes().all(is_scheme) && !host.is_empty() && host.bytes().all(is_host)
}

fn is_method(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_uppercase())
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_writes() {
        for good in ["*", "https://a.example", "http://localhost:3000", "http://[::1]:3000", "chrome-extension://abc"] {
            assert!(is_origin(good), "{good}");
        }
        for bad in
            ["", "null", "a.example", "https://", "https://A.example", "https://a/", "https://a/b", "https://*.a"]
        {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
