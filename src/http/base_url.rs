use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{FORWARDED, HOST, HeaderMap};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use crate::error::{Error, Kind};
use crate::http::listen::Door;
use crate::model::encode_segment;
use crate::state::State;

/// How the client of a request reaches this proxy: `http://host[:port][/prefix]`.
pub struct BaseUrl(String);

impl BaseUrl {
    /// Returns the URL without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the address of a consumer instance, percent-encoded.
    pub fn instance(&self, group: &str, name: &str) -> String {
        format!("{}/consumers/{}/instances/{}", self.0, encode_segment(group), encode_segment(name))
    }
}

impl FromRequest for BaseUrl {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match request.app_data::<Data<State>>() {
            None => Err(Kind::Internal.into()),
            Some(state) => {
                let server = &state.config.server;
                let reached = Reached::of(request);
                Ok(BaseUrl(base_url(request.headers(), &server.advertised_url, server.trust_forwarded, reached)))
            }
        })
    }
}

/// How the request came in, as far as this proxy sees.
struct Reached {
    scheme: &'static str,
    /// What the request line says, as HTTP/2 has no Host.
    authority: Option<String>,
    local: String,
}

impl Reached {
    fn of(request: &HttpRequest) -> Reached {
        let door = request.app_data::<Door>();
        Reached {
            scheme: if matches!(door, Some(Door::Tls(_))) { "https" } else { "http" },
            authority: request.uri().authority().map(ToString::to_string),
            local: door.and_then(Door::address).map_or_else(|| "localhost".to_owned(), |address| address.to_string()),
        }
    }
}

fn base_url(headers: &HeaderMap, advertised: &str, trust_forwarded: bool, reached: Reached) -> String {
    if !advertised.is_empty() {
        return advertised.to_string();
    }
    let mut scheme = reached.scheme.to_string();
    let named = reached.authority.or_else(|| text(headers, HOST.as_str()));
    let mut host = named.filter(|host| is_authority(host)).unwrap_or(reached.local);
    let mut prefix = String::new();
    if trust_forwarded {
        let forwarded = Forwarded::of(headers);
        scheme = forwarded.proto.filter(|proto| proto == "https" || proto == "http").unwrap_or(scheme);
        host = forwarded.host.filter(|host| is_authority(host)).unwrap_or(host);
        prefix = forwarded.prefix.filter(|prefix| is_path(prefix)).unwrap_or_default();
    }
    format!("{scheme}://{host}{}", prefix.trim_end_matches('/'))
}

/// What the proxies before this one say; the first, which the client spoke to, counts.
#[derive(Default)]
struct Forwarded {
    proto: Option<String>,
    host: Option<String>,
    prefix: Option<String>,
}

impl Forwarded {
    fn of(headers: &HeaderMap) -> Forwarded {
        let first = |name: &str| {
            text(headers, name).and_then(|list| list.split(',').next().map(|item| item.trim().to_string()))
        };
        let mut all = Forwarded {
            proto: first("x-forwarded-proto").map(|proto| proto.to_ascii_lowercase()),
            host: first("x-forwarded-host"),
            prefix: first("x-forwarded-prefix"),
        };
        for pair in first(FORWARDED.as_str()).unwrap_or_default().split(';') {
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let value = value.trim().trim_matches('"').to_string();
            match name.trim().to_ascii_lowercase().as_str() {
                "proto" => all.proto = Some(value.to_ascii_lowercase()),
                "host" => all.host = Some(value),
                // `for` and `by` say nothing about the address.
                _ => {}
            }
        }
        all
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_string).filter(|value| !value.is_empty())
}

fn is_authority(host: &str) -> bool {
    host.bytes()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_' | b':' | b'[' | b']' | b'~' | b'%'))
}

fn is_path(prefix: &str) -> bool {
    prefix.starts_with('/')
        && prefix.bytes().all(|c| c.is_ascii_graphic() && !matches!(c, b'"' | b'?' | b'#' | b'<' | b'>'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn from(headers: &[(&str, &str)], advertised: &str, trust: bool) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        base_url(&map, advertised, trust, reached("http", None))
    }

    fn reached(scheme: &'static str, authority: Option<&str>) -> Reached {
        Reached { scheme, authority: authority.map(str::to_owned), local: "local:1".to_owned() }
    }

    #[test]
    fn it_has_the_scheme_of_the_listener_and_the_authority_of_http_2() {
        let none = HeaderMap::new();
        assert_eq!(base_url(&none, "", false, reached("https", Some("a:8443"))), "https://a:8443");
        assert_eq!(base_url(&none, "", true, reached("https", None)), "https://local:1");
        assert_eq!(base_url(&none, "", false, reached("https", Some("u:p@a\""))), "https://local:1");
    }

    #[test]
    fn the_address_is_the_one_the_client_used() {
        let proxied = [
            ("host", "inner:8082"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "outer, mid"),
            ("x-forwarded-prefix", "/kafka/"),
        ];
        assert_eq!(from(&[], "", false), "http://local:1");
        assert_eq!(from(&[("host", "a:1")], "", false), "http://a:1");
        assert_eq!(from(&proxied, "", false), "http://inner:8082");
        assert_eq!(from(&proxied, "", true), "https://outer/kafka");
        assert_eq!(from(&[("forwarded", "for=1.2.3.4;proto=https;host=\"o:8\", for=x")], "", true), "https://o:8");
        assert_eq!(from(&proxied, "https://set/x", true), "https://set/x");
        assert_eq!(
            from(&[("host", "a"), ("x-forwarded-host", "evil/\"<"), ("x-forwarded-proto", "javascript")], "", true),
            "http://a"
        );
    }

    #[test]
    fn segments_are_percent_encoded() {
        assert_eq!(BaseUrl("http://h".into()).instance("g", "a b/ü"), "http://h/consumers/g/instances/a%20b%2F%C3%BC");
    }
}
