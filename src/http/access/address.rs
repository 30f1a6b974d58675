use std::net::{IpAddr, SocketAddr};

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{FORWARDED, HeaderMap};

/// Returns where a request comes from: behind a proxy that is trusted, what that saw; what comes before it in the header
/// could have been made up by the client.
pub fn address(request: &ServiceRequest, trust_forwarded: bool) -> Option<IpAddr> {
    let peer = request.peer_addr().map(|peer| peer.ip());
    let forwarded = || forwarded(request.headers());
    if trust_forwarded { forwarded().or(peer) } else { peer }
}

fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = |name: &str| headers.get_all(name).next_back()?.to_str().ok()?.rsplit(',').next();
    if let Some(hop) = last("x-forwarded-for") {
        return host(hop);
    }
    let parameters = last(FORWARDED.as_str())?.split(';').filter_map(|pair| pair.split_once('='));
    let mut named = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    host(named.next()?.1)
}

/// Reads `1.2.3.4`, `1.2.3.4:5`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:5`, also in quotes.
fn host(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    inner.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn seen(headers: &[(&'static str, &str)], trust: bool) -> Option<IpAddr> {
        let request = TestRequest::default().peer_addr("10.0.0.1:1".parse().unwrap());
        let request = headers.iter().fold(request, |request, header| request.append_header(*header));
        address(&request.to_srv_request(), trust)
    }

    #[test]
    fn only_the_hop_that_the_trusted_proxy_saw_counts() {
        let table: [(&[(&str, &str)], &str); 8] = [
            (&[], "10.0.0.1"),
            (&[("x-forwarded-for", "1.1.1.1")], "1.1.1.1"),
            (&[("x-forwarded-for", "1.1.1.1, 2.2.2.2:80")], "2.2.2.2"),
            (&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "3.3.3.3")], "3.3.3.3"),
            (&[("x-forwarded-for", "[2001:db8::1]:80")], "2001:db8::1"),
            (&[("forwarded", "for=1.1.1.1, for=\"[2001:db8::2]\";proto=https")], "2001:db8::2"),
            (&[("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "4.4.4.4")], "4.4.4.4"),
            (&[("x-forwarded-for", "unknown")], "10.0.0.1"),
        ];
        for (headers, expected) in table {
            assert_eq!(seen(headers, true), Some(expected.parse().unwrap()), "{headers:?}");
            assert_eq!(seen(headers, false), Some("10.0.0.1".parse().unwrap()), "{headers:?}");
        }
    }
}
