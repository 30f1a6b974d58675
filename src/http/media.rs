//! Media types: what a request is in, and what its answer may be in.
//!
//! Ranking follows the reference (contract/v2.md 2.2), with `q=0` and upper case understood as HTTP means them.

use std::str::FromStr;

use mime::Mime;

/// A media type that an endpoint answers in, and the server's weight for it in thousandths.
pub type Offer = (&'static str, u16);

/// Plain JSON.
pub const JSON: &str = "application/json";

/// One item of an Accept header.
struct Item {
    range: Mime,
    /// Thousandths.
    quality: u16,
}

impl Item {
    /// Returns `None` for what is no media range or has a `q` that is no weight.
    fn parse(text: &str) -> Option<Item> {
        let text = text.trim();
        let range = if text == "*" { mime::STAR_STAR } else { Mime::from_str(text).ok()? };
        let quality = match range.get_param("q") {
            None => 1000,
            Some(q) => match f32::from_str(q.as_str()) {
                Ok(q) if (0.0..=1.0).contains(&q) => (q * 1000.0) as u16,
                _ => return None,
            },
        };
        Some(Item { range, quality })
    }

    /// Returns how many wildcards it took to match `media`, or `None` where it does not match.
    fn wildcards(&self, media: &str) -> Option<u8> {
        let essence = self.range.essence_str();
        match essence {
            "*/*" => Some(2),
            _ if essence == media => Some(0),
            _ => {
                let family = essence.strip_suffix("/*")?;
                (media.split('/').next() == Some(family)).then_some(1)
            }
        }
    }
}

/// The offer that satisfies an Accept header best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The type.
    pub media: &'static str,
    /// Whether the header names it, rather than a range that it is in.
    pub exact: bool,
}

/// Returns the offer that satisfies an Accept header best; `None` where none does.
///
/// An absent or empty header takes the offer of the highest weight. Items that cannot be read count for nothing.
pub fn best_offer(accept: Option<&str>, offers: &[Offer]) -> Option<Chosen> {
    let accept = accept.unwrap_or("").trim();
    if accept.is_empty() || accept == "*/*" {
        let first = offers.iter().max_by_key(|(_, weight)| *weight);
        return first.map(|(media, _)| Chosen { media, exact: false });
    }
    let items: Vec<Item> = accept.split(',').filter_map(Item::parse).collect();
    let refused = |media: &str| items.iter().any(|item| item.quality == 0 && item.wildcards(media) == Some(0));
    let mut best: Option<((u8, u16, u16), &'static str)> = None;
    for item in items.iter().filter(|item| item.quality > 0) {
        for (media, weight) in offers {
            let Some(wildcards) = item.wildcards(media) else {
                continue;
            };
            let rank = (2 - wildcards, item.quality, *weight);
            if best.is_none_or(|(before, _)| rank > before) && !refused(media) {
                best = Some((rank, media));
            }
        }
    }
    best.map(|((exactness, ..), media)| Chosen { media, exact: exactness == 2 })
}

/// Returns type and subtype of a Content-Type in lower case, without parameters.
pub fn essence(content_type: &str) -> Option<String> {
    Mime::from_str(content_type.trim()).ok().map(|mime| mime.essence_str().to_string())
}

/// Returns the `charset` of a Content-Type in lower case.
pub fn charset(content_type: &str) -> Option<String> {
    let media = Mime::from_str(content_type.trim()).ok()?;
    media.get_param(mime::CHARSET).map(|charset| charset.as_str().to_ascii_lowercase())
}

/// Tells whether a request on a path that v1 and v2 share is for v1.
///
/// The Content-Type decides if it names a version, else the Accept header; what names none, or both, is v2.
pub fn names_v1(content_type: Option<&str>, accept: Option<&str>) -> bool {
    if content_type.is_some_and(|media| media.ends_with(".v2+json")) {
        // What nearly every request has, without a copy of it.
        return false;
    }
    let content_type = content_type.map(str::to_ascii_lowercase).unwrap_or_default();
    if content_type.contains(".v2+json") {
        return false;
    }
    // The generic types that only v1 had; `octet-stream` only for requests.
    if content_type.contains(".v1+json")
        || content_type.starts_with("application/vnd.kafka+json")
        || content_type.starts_with("application/octet-stream")
    {
        return true;
    }
    let accept = accept.map(str::to_ascii_lowercase).unwrap_or_default();
    !accept.contains(".v2+json") && (accept.contains(".v1+json") || accept.contains("application/vnd.kafka+json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const V2: &str = "application/vnd.kafka.v2+json";
    const OFFERS: &[Offer] = &[(V2, 1000), (JSON, 500)];

    #[test]
    fn the_best_offer_is_chosen_as_the_reference_chooses() {
        let cases = [
            ("", Some(V2)),
            ("*/*", Some(V2)),
            ("application/*", Some(V2)),
            ("text/html, image/gif, *; q=.2, */*; q=.2", Some(V2)),
            (V2, Some(V2)),
            ("APPLICATION/VND.KAFKA.V2+JSON", Some(V2)),
            ("application/vnd.kafka.v2+json;charset=utf-8", Some(V2)),
            (JSON, Some(JSON)),
            ("application/vnd.kafka.v2+json;q=0.1, application/json", Some(JSON)),
            ("application/json;q=0.5, */*", Some(JSON)),
            ("application/vnd.kafka.v2+json;q=0, */*", Some(JSON)),
            ("application/vnd.kafka.json.v2+json", None),
            ("text/html", None),
            ("garbage", None),
            ("application/json;q=x", None),
            ("application/json;q=0", None),
        ];
        for (accept, expected) in cases {
            assert_eq!(best_offer(Some(accept), OFFERS).map(|chosen| chosen.media), expected, "{accept}");
        }
    }

    #[test]
    fn v1_has_to_be_named() {
        let v1 = "application/vnd.kafka.v1+json";
        let cases = [
            (None, None, false),
            (None, Some("*/*"), false),
            (None, Some(v1), true),
            (
                None,
                Some("application/vnd.kafka.v1+json, application/vnd.kafka+json; q=0.9, application/json; q=0.8"),
                true,
            ),
            (None, Some("application/vnd.kafka.v2+json, application/vnd.kafka+json, application/json"), false),
            (Some("application/vnd.kafka.binary.v1+json"), None, true),
            (Some("application/octet-stream"), None, true),
            (None, Some("application/octet-stream"), false),
            (Some("application/vnd.kafka.json.v2+json"), Some(v1), false),
            (Some("application/json"), None, false),
        ];
        for (content_type, accept, expected) in cases {
            assert_eq!(names_v1(content_type, accept), expected, "{content_type:?} {accept:?}");
        }
    }

    proptest! {
        #[test]
        fn any_accept_header_is_survived(accept: String) {
            let _ = best_offer(Some(&accept), OFFERS);
            let _ = names_v1(Some(&accept), Some(&accept));
        }

        #[test]
        fn the_highest_weight_wins_among_exact_types(v2 in 1u16..=1000, json in 1u16..=1000, swap: bool) {
            let item = |media: &str, q: u16| format!("{media};q={}", f32::from(q) / 1000.0);
            let mut items = [item(V2, v2), item(JSON, json)];
            if swap { items.reverse() }
            let expected = if json > v2 { JSON } else { V2 };
            // Weights are compared in thousandths; a float may fall on either side of one.
            prop_assume!(v2.abs_diff(json) > 1 || v2 == json);
            prop_assert_eq!(best_offer(Some(&items.join(", ")), OFFERS), Some(Chosen { media: expected, exact: true }));
        }
    }
}
