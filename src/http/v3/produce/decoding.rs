use std::collections::HashSet;
use std::sync::Arc;

use actix_web::web::{self, Bytes};
use futures_util::FutureExt;

use crate::config::Limits;
use crate::domain::Flow;
use crate::domain::schemas::{Known, Wanted};
use crate::error::{Error, Kind};
use crate::http::v3::produce::encoder::{Encoder, look_up};
use crate::http::v3::produce::receipt::{Failure, Prepared};
use crate::http::v3::produce::record::{Misfit, RecordText};
use crate::state::State;

/// Batches above this size are decoded off the worker thread, where they cost it more than half a millisecond.
const DECODE_ON_WORKER_BYTES: usize = 512 * 1024;

/// Documents as records; nothing is read after the one that is no JSON.
pub struct Decoded {
    /// The records.
    pub prepared: Prepared,
    /// Whether there was one that is no JSON.
    pub is_last: bool,
}

/// Returns documents of `bytes` in all as records, when the schemas that they name have been looked up.
pub async fn decode(state: &State, flow: &mut Flow, documents: Vec<Bytes>, bytes: usize) -> Decoded {
    if bytes > DECODE_ON_WORKER_BYTES {
        return decode_off_worker(state, flow, documents).boxed_local().await;
    }
    let (encoder, is_last) = read(&documents, &state.config.limits);
    let known = match encoder.is_waiting() {
        false => Known::default(),
        true => look_up(state, flow, encoder.wanted()).boxed_local().await,
    };
    Decoded { prepared: encoder.finish(&known), is_last }
}

/// Does the same on other threads; what needs schemas is read twice, before and after the look-up.
async fn decode_off_worker(state: &State, flow: &mut Flow, documents: Vec<Bytes>) -> Decoded {
    let (documents, limits) = (Arc::new(documents), state.config.limits.clone());
    let stopped = |stopped| refuse_all(documents.len(), &Kind::Internal.caused_by(stopped));
    let (body, body_limits) = (Arc::clone(&documents), limits.clone());
    let wanted = match web::block(move || decode_plain(&body, &body_limits)).await {
        Ok(Ok(decoded)) => return decoded,
        Ok(Err(wanted)) => wanted,
        Err(error) => return stopped(error),
    };
    let known = look_up(state, flow, wanted).await;
    let body = Arc::clone(&documents);
    let decoded = web::block(move || {
        let (encoder, is_last) = read(&body, &limits);
        Decoded { prepared: encoder.finish(&known), is_last }
    });
    decoded.await.unwrap_or_else(stopped)
}

/// Returns records that need no schema; an error is the schemas that have to be looked up first.
fn decode_plain(documents: &[Bytes], limits: &Limits) -> Result<Decoded, HashSet<Wanted>> {
    let (encoder, is_last) = read(documents, limits);
    if encoder.is_waiting() {
        return Err(encoder.wanted());
    }
    Ok(Decoded { prepared: encoder.finish(&Known::default()), is_last })
}

/// Reads documents up to the first that is no JSON; returns also whether there is one.
fn read<'a>(documents: &'a [Bytes], limits: &'a Limits) -> (Encoder<'a>, bool) {
    let mut encoder = Encoder::new(limits, documents.len(), documents.iter().map(Bytes::len).sum());
    for document in documents {
        match RecordText::parse(document) {
            Ok(record) => encoder.take(Ok(record), document),
            Err(Misfit::Wrong(why)) => encoder.take(Err(Failure::new(Kind::BadRequest, &why)), document),
            Err(Misfit::NotJson(why)) => {
                encoder.take(Err(Failure::unreadable(&why)), document);
                return (encoder, true);
            }
        }
    }
    (encoder, false)
}

/// Refuses as many records for the same reason.
pub fn refuse_all(count: usize, error: &Error) -> Decoded {
    let mut prepared = Prepared::default();
    (0..count).for_each(|_| prepared.refuse(Failure::from(error)));
    Decoded { prepared, is_last: false }
}
