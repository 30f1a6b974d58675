use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;

/// How long names may take to be looked up.
const LOOKUP_LIMIT: Duration = Duration::from_secs(5);
/// Workers of one cluster; a name that stands for more is not one of workers.
pub(super) const MOST_WORKERS: usize = 256;

/// Where a worker is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Without a slash at its end.
    pub url: String,
    /// The `HOST[:PORT]` to name to it, where the URL has an address instead.
    pub host: Option<String>,
}

/// Takes the URLs as they are.
pub fn places(urls: &[String]) -> Vec<Place> {
    urls.iter().map(|url| Place { url: url.clone(), host: None }).collect()
}

/// The addresses that hosts stand for, each host's as it was found last.
pub struct Names {
    hosts: Vec<(Address, Vec<Place>)>,
}

/// A URL in its parts.
struct Address {
    scheme: String,
    authority: String,
    host: String,
    port: u16,
    path: String,
}

impl Names {
    pub(super) fn new(urls: &[String]) -> Names {
        Names { hosts: urls.iter().filter_map(|url| Some((Address::read(url)?, Vec::new()))).collect() }
    }

    /// Looks all hosts up and returns what they stand for, with what went wrong: those hosts stand for what they did.
    pub(super) async fn look_up(&mut self) -> (Vec<Place>, Option<String>) {
        let mut problem = None;
        for (address, places) in &mut self.hosts {
            let found = timeout(LOOKUP_LIMIT, lookup_host((address.host.as_str(), address.port))).await;
            match found {
                Ok(Ok(addresses)) => {
                    *places = addresses.take(MOST_WORKERS).map(|ip| address.at(&ip.to_string())).collect()
                }
                Ok(Err(error)) => problem = Some(format!("{} cannot be looked up: {error}", address.host)),
                Err(_) => problem = Some(format!("{} cannot be looked up within {LOOKUP_LIMIT:?}", address.host)),
            }
        }
        (self.hosts.iter().flat_map(|(_, places)| places.clone()).collect(), problem)
    }
}

impl Address {
    fn read(url: &str) -> Option<Address> {
        let (scheme, rest) = url.split_once("://")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let has_port = authority.rfind(':').filter(|at| !authority[*at..].contains(']'));
        let (host, port) = match has_port {
            Some(at) => (&authority[..at], authority[at + 1..].parse().ok()?),
            None => (authority, if scheme == "https" { 443 } else { 80 }),
        };
        Some(Address {
            scheme: scheme.to_owned(),
            authority: authority.to_owned(),
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port,
            path: path.to_owned(),
        })
    }

    fn at(&self, socket: &str) -> Place {
        Place { url: format!("{}://{socket}{}", self.scheme, self.path), host: Some(self.authority.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_scheme_and_path_and_names_the_host() {
        let place = |url: &str| Address::read(url).map(|address| (address.host.clone(), address.at("10.0.0.1:9")));
        let to = |host: &str, url: &str, authority: &str| {
            Some((host.to_owned(), Place { url: url.to_owned(), host: Some(authority.to_owned()) }))
        };
        assert_eq!(place("http://a:8083"), to("a", "http://10.0.0.1:9", "a:8083"));
        assert_eq!(place("https://a.b/c/d"), to("a.b", "https://10.0.0.1:9/c/d", "a.b"));
        assert_eq!(place("http://[::1]:8083"), to("::1", "http://10.0.0.1:9", "[::1]:8083"));
        assert_eq!(Address::read("https://[::1]").map(|address| address.port), Some(443));
        assert_eq!(place("http://a:no"), None);
    }

    #[tokio::test]
    async fn a_host_that_cannot_be_looked_up_stands_for_what_it_did() {
        let mut names = Names::new(&["http://127.0.0.1:1".to_owned(), "http://no-such-host.invalid:2".to_owned()]);
        names.hosts[1].1 = vec![Place { url: "http://10.0.0.1:2".to_owned(), host: None }];
        let (places, problem) = names.look_up().await;
        let urls: Vec<_> = places.iter().map(|place| place.url.as_str()).collect();
        assert_eq!(urls, ["http://127.0.0.1:1", "http://10.0.0.1:2"]);
        assert!(problem.is_some_and(|problem| problem.contains("no-such-host.invalid")));
    }
}
