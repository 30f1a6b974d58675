use std::collections::HashSet;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::config::Limits;
use crate::domain::Flow;
use crate::domain::schemas::Known;
use crate::error::{Kind, Result};
use crate::http::answer::Answer;
use crate::http::caller::Caller;
use crate::http::v3::V3;
use crate::http::v3::document::Document;
use crate::http::v3::parameters::segment;
use crate::http::v3::produce::admission::Admission;
use crate::http::v3::produce::encoder::{Encoder, look_up};
use crate::http::v3::produce::receipt::{Failure, Outcome, Writer, outcomes, write_failure};
use crate::http::v3::produce::record::{Field, RecordText, parse_error, unknown_field};

/// `POST /clusters/{cluster}/topics/{topic}/records:batch`: a few records under names of the client's own.
pub async fn produce(
    request: HttpRequest,
    answer: Answer<V3>,
    document: Document,
    caller: Caller,
) -> Result<HttpResponse> {
    let (cluster, topic) = (segment(&request, "cluster")?, segment(&request, "topic")?);
    // The bytes are those of the body, which have been counted.
    let admission = Admission::of(&request, &caller, &topic);
    let (ids, encoder) = read(document.bytes(), &caller.config.limits, || admission.admit(0))?;
    let mut flow = Flow::new(&topic, caller.config.producer.queue_wait);
    let known = match encoder.is_waiting() {
        false => Known::default(),
        true => look_up(&caller, &mut flow, encoder.wanted()).await,
    };
    let prepared = encoder.finish(&known);
    prepared.count_refused(&caller.metrics.produced);
    let handed = flow.hand_over(&caller.kafka, prepared.records, 0).await;
    let deliveries = handed.finish(&caller.kafka).await;
    let outcomes = outcomes(prepared.slots, deliveries);
    Ok(answer.text(StatusCode::MULTI_STATUS, render(&ids, outcomes, Writer::new(&cluster, &topic))))
}

/// The most characters that an id has.
const ID_CHARS: usize = 80;

/// The body of a batch.
#[derive(Default)]
struct Entries<'a>(Vec<RecordText<'a>>);

/// Returns the ids and the records of a batch; an error is one of the whole request.
fn read<'a>(
    body: &'a Bytes,
    limits: &'a Limits,
    admit: impl Fn() -> Result<(), Failure>,
) -> Result<(Vec<String>, Encoder<'a>)> {
    let text = std::str::from_utf8(body).map_err(|_| Kind::BadRequest.because("The request body is not UTF-8."))?;
    if text.trim_ascii().is_empty() || text.trim_ascii() == "null" {
        return Err(Kind::InvalidBatch.into());
    }
    let Entries(entries) = serde_json::from_str(text).map_err(|error| parse_error(&error))?;
    if entries.is_empty() {
        return Err(Kind::InvalidBatch.because("Empty batch."));
    }
    if entries.len() > limits.batch_entries {
        return Err(Kind::InvalidBatch.because("Too many entries in batch."));
    }
    let ids = entries.iter().map(id).collect::<Result<Vec<String>>>()?;
    if ids.iter().collect::<HashSet<_>>().len() < ids.len() {
        return Err(Kind::InvalidBatch.because("Batch entry IDs are not distinct."));
    }
    let mut encoder = Encoder::new(limits, entries.len(), body.len());
    entries.into_iter().for_each(|entry| encoder.take(admit().map(|()| entry), body));
    Ok((ids, encoder))
}

fn id(entry: &RecordText<'_>) -> Result<String> {
    let raw = entry.id.ok_or_else(|| Kind::BadRequest.because("An entry has no id."))?;
    let is_allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
    match serde_json::from_str::<Option<String>>(raw.get()) {
        Ok(Some(id)) if !id.is_empty() && id.len() <= ID_CHARS && id.bytes().all(is_allowed) => Ok(id),
        Ok(_) | Err(_) => Err(Kind::InvalidBatch.because("Batch entry identifier is not a valid string.")),
    }
}

/// Writes the answer; ids need no escapes.
fn render(ids: &[String], outcomes: impl Iterator<Item = Outcome>, mut writer: Writer) -> Vec<u8> {
    let (mut successes, mut failures) = (Vec::new(), Vec::new());
    for (id, outcome) in ids.iter().zip(outcomes) {
        let out = if matches!(outcome, Outcome::Written(..)) { &mut successes } else { &mut failures };
        if !out.is_empty() {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"id\":\"");
        out.extend_from_slice(id.as_bytes());
        out.extend_from_slice(b"\",");
        match &outcome {
            Outcome::Written(placed, key, value) => writer.written(placed, key.as_ref(), value.as_ref(), out),
            Outcome::Failed(failure) => write_failure(failure, out),
        }
        out.push(b'}');
    }
    [b"{\"successes\":[".as_slice(), &successes, b"],\"failures\":[", &failures, b"]}"].concat()
}

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with the field entries")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Entries::default();
                while let Some(field) = map.next_key::<Field>()? {
                    match field.0.as_ref() {
                        "entries" => entries.0 = map.next_value::<Option<_>>()?.unwrap_or_default(),
                        unknown => return Err(unknown_field(unknown)),
                    }
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_map(EntriesVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::http::v3::produce::receipt::Failure;
    use crate::model::{Placed, RecordError};

    fn refusal(body: &str) -> (u16, u32, String) {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let limits = Config::for_bootstrap("x:1").limits;
        let error = read(&body, &limits, || Ok(())).err().expect("it is refused");
        (error.kind().status(), error.kind().code(), error.message().to_string())
    }

    #[test]
    fn bad_batches_get_the_code_of_the_contract() {
        let many = format!(
            "{{\"entries\":[{}]}}",
            (0..11).map(|n| format!("{{\"id\":\"{n}\"}}")).collect::<Vec<_>>().join(",")
        );
        let long = format!("{{\"entries\":[{{\"id\":\"{}\"}}]}}", "x".repeat(81));
        let cases = [
            ("", 42208, "Request body is empty. Data is required."),
            ("null", 42208, "Request body is empty. Data is required."),
            ("{}", 42208, "Empty batch."),
            (r#"{"entries":null}"#, 42208, "Empty batch."),
            (r#"{"entries":[]}"#, 42208, "Empty batch."),
            (many.as_str(), 42208, "Too many entries in batch."),
            (long.as_str(), 42208, "Batch entry identifier is not a valid string."),
            (r#"{"entries":[{"id":1}]}"#, 42208, "Batch entry identifier is not a valid string."),
            (r#"{"entries":[{"id":null}]}"#, 42208, "Batch entry identifier is not a valid string."),
            (r#"{"entries":[{"id":"1"},{"id":"1"}]}"#, 42208, "Batch entry IDs are not distinct."),
            (r#"{"records":[]}"#, 422, "Unrecognized field: records"),
            (r#"{"entries":[{"id":"1","foo":1}]}"#, 422, "Unrecognized field: foo"),
        ];
        for (body, code, message) in cases {
            assert_eq!(refusal(body), (422, code, message.to_string()), "{body}");
        }
        for body in [
            "foobar",
            r#"{"entries":[{"id":"1"}]} x"#,
            r#"{"entries":{}}"#,
            r#"{"entries":[{}]}"#,
            r#"{"entries":[{"id":"1","timestamp":"soon"}]}"#,
        ] {
            assert_eq!(refusal(body).1, 400, "{body}");
        }
    }

    #[test]
    fn successes_and_failures_are_told_apart() {
        let placed = Placed { partition: 0, offset: 5, timestamp_ms: None };
        let failed = RecordError { kind: Kind::Kafka, message: "no".into(), with_its_batch: false };
        let outcomes = [Outcome::Failed(Failure::from(&failed)), Outcome::Written(placed, None, None)];
        let text = render(&["a".into(), "b".into()], outcomes.into_iter(), Writer::new("c", "t"));
        assert_eq!(
            String::from_utf8(text).unwrap(),
            r#"{"successes":[{"id":"b","cluster_id":"c","topic_name":"t","partition_id":0,"offset":5}],"failures":[{"id":"a","error_code":50002,"message":"no"}]}"#
        );
    }
}
