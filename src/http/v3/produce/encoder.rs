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
        return Known::failed(wanted, &RecordError::from(&none));
    }
    match flow.topic(&state.kafka).await {
        Ok(topic) => state.schemas.resolve(wanted, &topic).await,
        Err(why) => Known::failed(wanted, &why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::error::Kind;
    use crate::http::v3::produce::receipt::Slot;

    fn encoded(documents: &[&str]) -> (usize, Prepared) {
        let documents: Vec<_> = documents.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect();
        let limits = Config::for_bootstrap("x:1").limits;
        let mut encoder = Encoder::new(&limits, documents.len(), 0);
        for document in &documents {
            let record = RecordText::parse(document).map_err(|_| Failure::unreadable("no record"));
            encoder.take(record, document);
        }
        let why = RecordError { kind: Kind::SchemaLookup, message: "none".into(), with_its_batch: false };
        let wanted = encoder.wanted();
        (wanted.len(), encoder.finish(&Known::failed(wanted, &why)))
    }

    #[test]
    fn records_stay_in_order_and_a_schema_is_wanted_once_for_each_part() {
        let plain = |text: &str| format!("{{\"value\":{{\"type\":\"STRING\",\"data\":\"{text}\"}}}}");
        let by_schema = r#"{"key":{"schema_id":1,"data":1},"value":{"schema_id":1,"data":1}}"#;
        let (wanted, prepared) = encoded(&[&plain("a"), by_schema, &plain("b"), "1", by_schema, &plain("c")]);
        let values: Vec<_> = prepared.records.iter().filter_map(|record| record.value.as_deref()).collect();
        assert_eq!((wanted, values), (2, vec![&b"a"[..], b"b", b"c"]));
        let is_sent: Vec<_> = prepared.slots.iter().map(|slot| matches!(slot, Slot::Sent { .. })).collect();
        assert_eq!(is_sent, [true, false, true, false, false, true]);
    }

    #[test]
    fn without_schemas_nothing_waits() {
        let limits = Config::for_bootstrap("x:1").limits;
        let mut encoder = Encoder::new(&limits, 1, 0);
        let document = Bytes::from_static(b"{}");
        encoder.take(RecordText::parse(&document).map_err(|_| Failure::unreadable("no record")), &document);
        assert!(!encoder.is_waiting());
    }
}
