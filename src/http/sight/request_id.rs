use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::trace::random;

/// What a request is called by its client, this proxy, and whoever looks for it in logs.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest that a client may give.
const MOST_CHARS: usize = 128;

/// Returns the id that the client gave, if it may be written everywhere, and else a new one.
pub fn settle(headers: &HeaderMap) -> HeaderValue {
    match headers.get(REQUEST_ID) {
        Some(given) if is_sane(given.as_bytes()) => given.clone(),
        Some(_) | None => new(),
    }
}

fn is_sane(id: &[u8]) -> bool {
    (1..=MOST_CHARS).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

fn new() -> HeaderValue {
    let mut id = [0; 32];
    let bits = u128::from(random()) << 64 | u128::from(random());
    for (place, digit) in id.iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(bits >> (4 * place)) as usize & 15];
    }
    // Digits are a value.
    HeaderValue::from_bytes(&id).unwrap_or(HeaderValue::from_static("0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(given: &[u8]) -> Vec<u8> {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_bytes(given).unwrap());
        settle(&headers).as_bytes().to_vec()
    }

    #[test]
    fn an_id_is_kept_if_it_is_visible_and_short() {
        for good in [&b"a"[..], b"7f3e-12:/x+y=", &[b'~'; 128]] {
            assert_eq!(settled(good), good);
        }
        for bad in [&b""[..], b"a b", b"a\tb", "é".as_bytes(), &[b'a'; 129]] {
            let made = settled(bad);
            assert!(made != bad && made.len() == 32 && made.iter().all(u8::is_ascii_hexdigit), "{bad:?}");
        }
        assert_ne!(settle(&HeaderMap::new()), settle(&HeaderMap::new()));
    }
}
