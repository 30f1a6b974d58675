use std::collections::HashSet;

use actix_web::web::Bytes;

use crate::config::Limits;
use crate::domain::Flow;
use crate::domain::schemas::{Known, Wanted};
use crate::format::Arena;
use crate::http::v3::produce::receipt::{Failure, Prepared};
use crate::http::v3::produce::record::RecordText;
use crate::model::RecordError;
use crate::state::State;

/// Encodes records one after the other, until one needs a schema: that one and those after it wait for the look-up, so
/// that all stay in order.
pub struct Encoder<'a> {
    limits: &'a Limits,
    arena: Arena,
    prepared: Prepared,
    waiting: Vec<Waiting<'a>>,
}

struct Waiting<'a> {
    record: Result<RecordText<'a>, Failure>,
    document: &'a Bytes,
}

impl<'a> Encoder<'a> {
    /// Returns one with room for `records` of `bytes` in all.
    pub fn new(limits: &'a Limits, records: usize, bytes: usize) -> Encoder<'a> {
        let arena = Arena::with_capacity(bytes / 4 * 3);
        Encoder { limits, arena, prepared: Prepared::with_capacity(records), waiting: Vec::new() }
    }

    /// Takes the next record, which is part of `document`, or why there is none.
    pub fn take(&mut self, record: Result<RecordText<'a>, Failure>, document: &'a Bytes) {
        if !self.waiting.is_empty() || record.as_ref().is_ok_and(RecordText::needs_schema) {
            self.waiting.push(Waiting { record, document });
        } else {
            self.encode(record, document, &Known::default());
        }
    }

    /// Tells whether a look-up is waited for.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Returns the schemas that are to be looked up, each once.
    pub fn wanted(&self) -> HashSet<Wanted> {
        self.waiting.iter().filter_map(|waiting| waiting.record.as_ref().ok()).flat_map(RecordText::wanted).collect()
    }

    /// Encodes those that waited; returns all records.
    pub fn finish(mut self, known: &Known) -> Prepared {
        for Waiting { record, document } in std::mem::take(&mut self.waiting) {
            self.encode(record, document, known);
        }
        self.prepared
    }

    fn encode(&mut self, record: Result<RecordText<'a>, Failure>, document: &Bytes, known: &Known) {
        let encoded = record.and_then(|record| {
            record.encode(document, self.limits, known, &mut self.arena).map_err(|error| Failure::from(&error))
        });
        match encoded {
            Ok(encoded) => self.prepared.push(encoded),
            Err(failure) => self.prepared.refuse(failure),
        }
    }
}

/// Looks up schemas for records of a flow; none is registered for a topic that is not there.
pub async fn look_up(state: &State, flow: &mut Flow, wanted: HashSet<Wanted>) -> Known {
    if let Err(none) = state.schemas.registry() {
        let why = RecordError { kind: none.kind(), message: none.message().to_owned(), with_its_batch: false };
        return Known::failed(wanted, &why);
    }
    match flow.topic(&state.kafka).await {
        Ok(topic) => state.schemas.resolve(wanted, &topic).await,
        Err(why) => Known::failed(wanted, &why),
    }
}
