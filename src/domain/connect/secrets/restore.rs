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
    // The mask could be written with escapes.
    memmem::find(body, MASK.as_bytes()).is_some() || memmem::find(body, br"\u002").is_some()
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
