use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

use crate::config::Consumer as ConsumerConfig;
use crate::domain::consume::{Instance, Limits, ReadRequest, Start, StatelessRead, read as read_partition};
use crate::error::{Kind, Result};
use crate::http::answer::{Answer, Offers};
use crate::http::caller::Caller;
use crate::http::media::{JSON, Offer};
use crate::http::path::PartitionPath;
use crate::http::records_body::RecordsBody;
use crate::http::served;
use crate::http::v2::consumers::{InstancePath, RecordsQuery};
use crate::http::v2::formats;
use crate::model::{Format, Formats, Right};
use crate::state::State;

/// The bounds and the default of `limit`.
const LIMIT: std::ops::RangeInclusive<i64> = 1..=10_000;
const DEFAULT_LIMIT: i64 = 100;

/// Answers that hold records; the type names their format, or leaves it to the instance.
pub struct RecordAnswers;

impl Offers for RecordAnswers {
    const OFFERS: &'static [Offer] = &[
        ("application/vnd.kafka.binary.v2+json", 1000),
        ("application/vnd.kafka.v2+json", 900),
        ("application/vnd.kafka.json.v2+json", 100),
        ("application/vnd.kafka.avro.v2+json", 100),
        ("application/vnd.kafka.jsonschema.v2+json", 100),
        ("application/vnd.kafka.protobuf.v2+json", 100),
        (JSON, 50),
    ];
}

/// `GET .../records`: waits for records, up to the timeout.
pub async fn read(
    request: HttpRequest,
    path: InstancePath,
    mut answer: Answer<RecordAnswers>,
    query: RecordsQuery,
    caller: Caller,
) -> Result<HttpResponse> {
    let instance = path.find(&caller)?;
    let _use = instance.in_use();
    served::check_format(&caller, "api.v2.consumers.consume-", instance.settings.formats.value)?;
    if !caller.rules.are_off() {
        // They may have changed since the instance was subscribed.
        caller.may_all(Right::Read, &instance.topics())?;
    }
    check_format(&mut answer, &request, instance.settings.formats)?;
    if request.method() == Method::HEAD {
        // Records that nobody gets to see are not taken.
        return Ok(answer.text(StatusCode::OK, b"[]".to_vec()));
    }
    answer_records(&answer, &instance, &query, &caller).await
}

/// Reads from an instance and answers; the records count as delivered when the answer has gone out.
pub async fn answer_records<O: Offers>(
    answer: &Answer<O>,
    instance: &std::sync::Arc<Instance>,
    query: &RecordsQuery,
    state: &State,
) -> Result<HttpResponse> {
    let read = read_request(query, instance, &state.config.consumer);
    let (collected, receipt) = instance.read(&state.kafka, &state.schemas, read).await?;
    Ok(answer.body(StatusCode::OK, RecordsBody::new(collected.finish(), receipt)))
}

fn read_request(query: &RecordsQuery, instance: &Instance, config: &ConsumerConfig) -> ReadRequest {
    let asked = query.timeout_ms.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
    ReadRequest {
        timeout: asked.unwrap_or(instance.settings.request_timeout).min(config.max_poll_wait),
        max_bytes: bytes(query.max_bytes, config.request_max_bytes),
        include: query.include,
    }
}

fn bytes(asked: Option<i64>, most: u64) -> usize {
    let asked = asked.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(most);
    usize::try_from(asked.min(most)).unwrap_or(usize::MAX)
}

/// Checks that the format that the client names is that of the values; labels the answer with theirs where it names none.
pub fn check_format<O: Offers>(answer: &mut Answer<O>, request: &HttpRequest, formats: Formats) -> Result<()> {
    match named_format(answer.media()) {
        None => Ok(()),
        Some(named) if named == formats.value => Ok(()),
        Some(_) if answer.is_exact() => Err(Kind::FormatMismatch.into()),
        Some(_) => {
            if let Some(media) = media_of::<O>(formats.value) {
                answer.relabel(request, media);
            }
            Ok(())
        }
    }
}

/// Returns the type for records whose values are in a format: one that names it, else the first that names none.
fn media_of<O: Offers>(format: Format) -> Option<&'static str> {
    let first = |named| O::OFFERS.iter().map(|(media, _)| *media).find(|media| named_format(media) == named);
    first(Some(format)).or_else(|| first(None))
}

/// Returns the format that a media type names.
fn named_format(media: &str) -> Option<Format> {
    let named = [
        (".binary.", Format::Binary),
        (".json.", Format::Json),
        (".avro.", Format::Avro),
        (".jsonschema.", Format::JsonSchema),
        (".protobuf.", Format::Protobuf),
    ];
    named.into_iter().find(|(part, _)| media.contains(part)).map(|(_, format)| format)
}

/// Returns the formats of a read without an instance: what the parameters name, else what the type names, else binary.
pub fn formats_of<O: Offers>(answer: &mut Answer<O>, request: &HttpRequest, query: &RecordsQuery) -> Result<Formats> {
    let format = named_format(answer.media()).unwrap_or(Format::Binary);
    let formats = formats(format, query.key_format.as_deref(), query.value_format.as_deref())?;
    check_format(answer, request, formats)?;
    Ok(formats)
}

/// `GET /topics/{topic}/partitions/{partition}/records`: no instance, no group, nothing stored.
pub async fn read_stateless(
    request: HttpRequest,
    path: PartitionPath,
    mut answer: Answer<RecordAnswers>,
    query: RecordsQuery,
    caller: Caller,
) -> Result<HttpResponse> {
    let formats = formats_of(&mut answer, &request, &query)?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !LIMIT.contains(&limit) {
        return Err(Kind::Unprocessable.because("limit is 1 to 10000."));
    }
    let config = &caller.config.consumer;
    let timeout = query.timeout_ms.and_then(|ms| u64::try_from(ms).ok()).map_or(Duration::ZERO, Duration::from_millis);
    let read = StatelessRead {
        start: start(&query)?,
        limits: Limits { bytes: bytes(query.max_bytes, config.request_max_bytes), records: limit as usize },
        timeout: timeout.min(config.max_poll_wait),
        formats,
        include: query.include,
    };
    let body = read_partition(&caller.kafka, &caller.schemas, &path.0, path.1, read).await?;
    Ok(answer.text(StatusCode::OK, body))
}

fn start(query: &RecordsQuery) -> Result<Start> {
    match (query.offset, query.timestamp_ms) {
        (Some(_), Some(_)) => Err(Kind::Unprocessable.because("offset and timestamp exclude each other.")),
        (Some(offset), None) if offset < 0 => Err(Kind::Unprocessable.because("offset is 0 or more.")),
        (Some(offset), None) => Ok(Start::Offset(offset)),
        (None, Some(ms)) => Ok(Start::Timestamp(ms)),
        (None, None) => Ok(Start::Beginning),
    }
}
