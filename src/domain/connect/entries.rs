//! The members of a JSON object as they came: in order, repeated names included, values in their own text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object.
///
/// A worker lets the last of several members of one name win. Who looks for something forbidden looks at all of them.
pub struct Entries<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// The body is no JSON object that can be read.
#[derive(Debug, PartialEq, Eq)]
pub struct NoObject;

impl<'a> Entries<'a> {
    /// Reads an object: UTF-8 JSON with nothing after it.
    pub fn parse(body: &'a [u8]) -> Result<Entries<'a>, NoObject> {
        serde_json::from_slice(body).map_err(|_| NoObject)
    }

    /// Reads an object that is a value in another.
    pub fn of(value: &'a RawValue) -> Result<Entries<'a>, NoObject> {
        serde_json::from_str(value.get()).map_err(|_| NoObject)
    }

    /// Returns every member.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), *value))
    }

    /// Returns every value of that name, in order.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a RawValue> + 's {
        self.iter().filter(move |(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Returns the value that a worker takes: the last one of that name.
    pub fn last(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(other, _)| other == name).map(|(_, value)| *value)
    }

    /// Returns the config that a worker has after a patch of this one: `null` removes a key.
    ///
    /// All members of the patch are in it, also those that a later one of the same name overrules.
    pub fn patched(self, patch: Entries<'a>) -> Entries<'a> {
        let is_removed = |name: &str| patch.last(name).is_some_and(is_null);
        let is_patched = |name: &str| patch.last(name).is_some();
        let kept = self.0.into_iter().filter(|(name, _)| !is_patched(name));
        let mut merged: Vec<_> = kept.collect();
        merged.extend(patch.0.iter().filter(|(name, _)| !is_removed(name)).cloned());
        Entries(merged)
    }
}

/// Returns the configs in the body of a create, in what a worker tells of a connector, or in one of an expanded list:
/// one, unless a member is repeated; the last is the one that counts.
pub fn configs_of(body: &[u8]) -> Result<Vec<&[u8]>, NoObject> {
    let body = Entries::parse(body)?;
    let mut configs: Vec<_> = body.all("config").map(|config| config.get().as_bytes()).collect();
    for info in body.all("info").filter_map(|info| Entries::of(info).ok()) {
        configs.extend(info.all("config").map(|config| config.get().as_bytes()));
    }
    Ok(configs)
}

/// Returns the one of [`configs_of`] that counts.
pub fn last_config_of(body: &[u8]) -> Option<&[u8]> {
    configs_of(body).ok()?.pop()
}

/// Tells whether the value is `null`.
pub fn is_null(value: &RawValue) -> bool {
    value.get() == "null"
}

/// Returns the text that a worker makes of a value: numbers and booleans literally; `None` for `null`, for objects and
/// lists, which it refuses, and for what is no Unicode text.
pub fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    let json = value.get();
    match json.as_bytes().first()? {
        b'"' if json.contains('\\') => serde_json::from_str(json).ok().map(Cow::Owned),
        b'"' => json.get(1..json.len() - 1).map(Cow::Borrowed),
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(json)),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key::<&RawValue>()? {
                    let name = text(name).ok_or_else(|| A::Error::custom("a name is no Unicode text"))?;
                    members.push((name, map.next_value()?));
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Members).map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(entries: &Entries<'_>) -> Vec<(String, String)> {
        entries.iter().map(|(name, value)| (name.to_owned(), value.get().to_owned())).collect()
    }

    #[test]
    fn members_keep_order_text_and_repetitions() {
        let entries = Entries::parse(br#"{"b":1.50,"\u0061":"x\n","b":{ "c" : 1e400 }}"#).unwrap();
        let expected = [("b", "1.50"), ("a", r#""x\n""#), ("b", r#"{ "c" : 1e400 }"#)];
        assert_eq!(listed(&entries), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(entries.last("b").map(RawValue::get), Some(r#"{ "c" : 1e400 }"#));
        assert_eq!(entries.all("b").count(), 2);
    }

    #[test]
    fn a_value_is_the_text_that_a_worker_makes_of_it() {
        let body = br#"{"a":1.50,"b":true,"c":null,"d":"\u0078","e":[1],"f":"\ud800","g":"y","h":""}"#;
        let entries = Entries::parse(body).unwrap();
        let texts: Vec<_> = entries.iter().map(|(_, value)| text(value).map(Cow::into_owned)).collect();
        let expected = [Some("1.50"), Some("true"), None, Some("x"), None, None, Some("y"), Some("")];
        assert_eq!(texts, expected.map(|text| text.map(str::to_owned)));
    }

    #[test]
    fn configs_are_found_where_they_are() {
        for (body, configs) in [
            (r#"{"name":"c","config":{"a":1},"config":{"b":2}}"#, &[r#"{"a":1}"#, r#"{"b":2}"#][..]),
            (r#"{"status":{"config":1},"info":{"config":{"a":1}}}"#, &[r#"{"a":1}"#]),
            (r#"{"status":{},"info":null}"#, &[]),
        ] {
            let configs: Vec<_> = configs.iter().map(|config| config.as_bytes()).collect();
            assert_eq!(configs_of(body.as_bytes()), Ok(configs), "{body}");
        }
        assert_eq!(configs_of(b"[]"), Err(NoObject));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let deep = [b"[".repeat(200_000), b"]".repeat(200_000)].concat();
        let cases: [&[u8]; 8] =
            [b"", b"null", b"[]", b"{\"a\":1", b"{}{}", b"{\"a\":\"\xff\"}", br#"{"\ud800":1}"#, &deep];
        for body in cases {
            assert!(Entries::parse(body).is_err(), "{}", String::from_utf8_lossy(&body[..body.len().min(20)]));
        }
        let deep = [b"{\"a\":", &deep[..], b"}"].concat();
        assert_eq!(Entries::parse(&deep).map(|entries| entries.iter().count()), Ok(1));
    }

    #[test]
    fn a_patch_replaces_adds_and_removes() {
        let stored = Entries::parse(br#"{"a":"1","b":"2","c":"3"}"#).unwrap();
        let patch = Entries::parse(br#"{"b":null,"c":"4","d":"5","c":"6","e":"7","e":null}"#).unwrap();
        let merged: Vec<_> = listed(&stored.patched(patch)).into_iter().map(|(name, value)| name + &value).collect();
        assert_eq!(merged, [r#"a"1""#, r#"c"4""#, r#"d"5""#, r#"c"6""#]);
    }
}
