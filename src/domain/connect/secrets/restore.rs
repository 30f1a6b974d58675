use bytes::Bytes;
use memchr::memmem;
use serde_json::value::RawValue;

use crate::domain::connect::entries::{Entries, text};
use crate::domain::connect::secrets::mask::Edits;
use crate::domain::connect::secrets::parts::Origin;
use crate::domain::connect::secrets::{MASK, Secrets};
use crate::error::{Error, Kind, Result};

/// Tells whether a body may have a mask in it; without one there is nothing to put back.
pub fn mentions_mask(body: &[u8]) -> bool {
    // Its asterisks could be written as escapes.
    [MASK.as_bytes(), br"\u002a", br"\u002A"].iter().any(|mask| memmem::find(body, mask).is_some())
}

/// Puts the values of the `stored` config in the place of the masks in a bare config; `None` is to send it as it is.
///
/// A value with a masked part gets the stored one back where the rest is unchanged. A mask for which nothing is stored
/// is a bad request.
pub fn restore(config: &Bytes, stored: Option<&[u8]>, secrets: &Secrets<'_>) -> Result<Option<Bytes>> {
    if !mentions_mask(config) {
        return Ok(None);
    }
    let (stored, entries) = (Stored::read(stored, secrets)?, readable(config)?);
    let mut edits = Edits::new(config);
    stored.put_back(&entries, &mut edits)?;
    Ok(changed(config, edits))
}

/// Does the same for the body of a create: `{name, config, initial_state}`.
pub fn restore_create(body: &Bytes, stored: Option<&[u8]>, secrets: &Secrets<'_>) -> Result<Option<Bytes>> {
    if !mentions_mask(body) {
        return Ok(None);
    }
    let (stored, entries) = (Stored::read(stored, secrets)?, readable(body)?);
    let mut edits = Edits::new(body);
    for config in entries.all("config").filter_map(|config| Entries::of(config).ok()) {
        stored.put_back(&config, &mut edits)?;
    }
    Ok(changed(body, edits))
}

/// Takes keys with a masked value out of a patch: what is stored stays. `None` is to send it as it is.
pub fn restore_patch(patch: &Bytes, stored: Option<&[u8]>, secrets: &Secrets<'_>) -> Result<Option<Bytes>> {
    if !mentions_mask(patch) {
        return Ok(None);
    }
    let (stored, entries) = (Stored::read(stored, secrets)?, readable(patch)?);
    let mut kept = Vec::new();
    let mut dropped = 0;
    for (key, value) in entries.iter() {
        // The last of several wins: if it is a mask, none of them may.
        let last = entries.last(key).unwrap_or(value);
        if stored.kept(key, value)?.is_some() || stored.kept(key, last)?.is_some() {
            dropped += 1;
        } else {
            kept.push(format!("{}:{}", serde_json::Value::from(key), value.get()));
        }
    }
    Ok((dropped > 0).then(|| format!("{{{}}}", kept.join(",")).into()))
}

fn changed(body: &Bytes, edits: Edits<'_>) -> Option<Bytes> {
    Some(edits.apply()).filter(|restored| restored != body)
}

fn readable(body: &[u8]) -> Result<Entries<'_>> {
    Entries::parse(body).map_err(|_| {
        Kind::BadRequest.because("The body has masked values in it, and is no JSON object in which they can be found.")
    })
}

/// The config that a connector has.
struct Stored<'a> {
    entries: Option<Entries<'a>>,
    secrets: &'a Secrets<'a>,
}

impl<'a> Stored<'a> {
    fn read(config: Option<&'a [u8]>, secrets: &'a Secrets<'a>) -> Result<Stored<'a>> {
        let entries = config.map(Entries::parse).transpose();
        let entries =
            entries.map_err(|_| Kind::Internal.because("The stored config of the connector cannot be read."))?;
        Ok(Stored { entries, secrets })
    }

    fn put_back<'b>(&self, config: &Entries<'b>, edits: &mut Edits<'b>) -> Result<()> {
        for (key, value) in config.iter() {
            if let Some(kept) = self.kept(key, value)? {
                edits.replace_json(value, kept.get().to_owned());
            }
        }
        Ok(())
    }

    /// Returns the stored value that is meant by a masked one; `None` where the value is not masked.
    fn kept(&self, key: &str, value: &RawValue) -> Result<Option<&'a RawValue>> {
        let Some(sent) = text(value).filter(|sent| sent.contains(MASK)) else { return Ok(None) };
        let stored = self.entries.as_ref().and_then(|entries| entries.last(key));
        if let Some((stored, before)) = stored.and_then(|stored| Some((stored, text(stored)?))) {
            let is_masked = sent == MASK && !before.is_empty();
            if is_masked || self.secrets.shown(key, &before).is_some_and(|shown| shown == sent) {
                return Ok(Some(stored));
            }
            if sent == before {
                return Ok(None);
            }
        }
        let parts = self.secrets.parts(&sent, Origin::Value);
        if sent == MASK || parts.into_iter().any(|part| sent[part].contains(MASK)) {
            return Err(nothing_stored(key, sent == MASK));
        }
        Ok(None)
    }
}

fn nothing_stored(key: &str, is_whole: bool) -> Error {
    let key: String = key.chars().take(200).collect();
    Kind::BadRequest.because(if is_whole {
        format!("The value of {key} is a mask, and no value is stored that it could stand for: send the value itself.")
    } else {
        format!("The value of {key} has a masked part, and the rest differs from what is stored: send it whole.")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::connect::secrets::{KeyPattern, Known, Passwords, Shape, mask};

    type Restore = fn(&Bytes, Option<&[u8]>, &Secrets<'_>) -> Result<Option<Bytes>>;

    const STORED: &str =
        r#"{"password":"a\nb","pin.token":1.50,"url":"http://u:p@h","empty.token":"","no.token":null,"topic":"t"}"#;

    fn restored(restore: Restore, sent: &str, stored: Option<&str>) -> Result<Option<String>, String> {
        let pattern = KeyPattern::built_in();
        let secrets = Secrets::new(&pattern, Passwords::default());
        let restored = restore(&Bytes::copy_from_slice(sent.as_bytes()), stored.map(str::as_bytes), &secrets);
        let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        restored.map(|body| body.map(text)).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn masks_are_replaced_and_the_rest_stays_as_it_was() {
        let cases = [
            (r#"{ "password" : "********", "n":1e400 }"#, Some(r#"{ "password" : "a\nb", "n":1e400 }"#)),
            (r#"{"password":"\u002a*******","pin.token":"********"}"#, Some(r#"{"password":"a\nb","pin.token":1.50}"#)),
            (
                r#"{"pass\u0077ord":"********","url":"http://u:********@h"}"#,
                Some(r#"{"pass\u0077ord":"a\nb","url":"http://u:p@h"}"#),
            ),
            (r#"{"password":"x","password":"********"}"#, Some(r#"{"password":"x","password":"a\nb"}"#)),
            (r#"{"password":"x","topic":"a********"}"#, None),
            (r#"{"password":"x\u0020y"}"#, None),
            (r#"{"password":"#, None),
        ];
        for (sent, expected) in cases {
            assert_eq!(restored(restore, sent, Some(STORED)), Ok(expected.map(str::to_owned)), "{sent}");
        }
    }

    #[test]
    fn a_mask_for_which_nothing_is_stored_is_refused_by_its_key() {
        for (sent, key, stored) in [
            (r#"{"other.token":"********"}"#, "other.token", Some(STORED)),
            (r#"{"empty.token":"********"}"#, "empty.token", Some(STORED)),
            (r#"{"no.token":"********"}"#, "no.token", Some(STORED)),
            (r#"{"password":"********"}"#, "password", None),
            (r#"{"url":"http://u:********@evil"}"#, "url", Some(STORED)),
        ] {
            assert!(restored(restore, sent, stored).unwrap_err().contains(key), "{sent}");
            let create = format!(r#"{{"name":"n","config":{sent}}}"#);
            assert!(restored(restore_create, &create, stored).unwrap_err().contains(key), "{sent}");
            assert!(restored(restore_patch, sent, stored).unwrap_err().contains(key), "{sent}");
        }
        assert!(restored(restore, r#"["********"]"#, Some(STORED)).is_err());
    }

    #[test]
    fn a_create_is_restored_in_its_config() {
        let sent = r#"{"name":"********", "config": {"password":"********"}, "initial_state":"STOPPED"}"#;
        let expected = r#"{"name":"********", "config": {"password":"a\nb"}, "initial_state":"STOPPED"}"#;
        assert_eq!(restored(restore_create, sent, Some(STORED)), Ok(Some(expected.to_owned())));
    }

    #[test]
    fn a_patch_loses_what_is_masked() {
        let cases = [
            (r#"{"a":1.50,"password":"********","b":null}"#, Some(r#"{"a":1.50,"b":null}"#)),
            (r#"{"password":"********"}"#, Some("{}")),
            (r#"{"url":"http://u:********@h","c":"d"}"#, Some(r#"{"c":"d"}"#)),
            (r#"{"password":"new","password":"********"}"#, Some("{}")),
            (r#"{"password":"********","password":"new"}"#, Some(r#"{"password":"new"}"#)),
            (r#"{"password":"new"}"#, None),
        ];
        for (sent, expected) in cases {
            assert_eq!(restored(restore_patch, sent, Some(STORED)), Ok(expected.map(str::to_owned)), "{sent}");
        }
    }

    proptest! {
        #[test]
        fn what_was_shown_means_what_is_stored(
            values in prop::collection::btree_map(
                prop::sample::select(vec!["password", "a.token", "url", "topics", "b"]),
                prop_oneof![any::<String>(), "(http://u:[a-z]{0,3}@h|password=[a-z]{0,3};|\\*{7,9}|[a-z]{0,3}|[$][{]a:b[}]| ){0,3}"],
                0..5,
            ),
        ) {
            let stored = serde_json::to_string(&values).unwrap();
            let pattern = KeyPattern::built_in();
            let secrets = Secrets::new(&pattern, Passwords::default());
            let shown = mask(Shape::Config, &stored.clone().into(), &secrets, &Known::default()).unwrap();
            let restored = restore(&shown, Some(stored.as_bytes()), &secrets).unwrap().unwrap_or(shown);
            prop_assert_eq!(
                serde_json::from_slice::<serde_json::Value>(&restored).unwrap(),
                serde_json::from_str::<serde_json::Value>(&stored).unwrap()
            );
        }
    }
}
