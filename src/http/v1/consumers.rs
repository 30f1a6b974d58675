use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::domain::consume::{Include, Limits, Start, StatelessRead, read as read_partition};
use crate::error::{Kind, Result};
use crate::http::answer::{Answer, Content, Offers, Takes};
use crate::http::base_url::BaseUrl;
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::fields::Fields;
use crate::http::media::{JSON, Offer};
use crate::http::path::{PartitionPath, TopicPath};
use crate::http::served;
use crate::http::v1::V1;
use crate::http::v2::consumers::{
    CreateRequest, InstancePath, RecordsQuery, answer_records, check_format, created, formats_of,
};
use crate::model::{PartitionOffset, Reset};

/// The most records of one stateless read.
const MAX_COUNT: i64 = 10_000;

/// What v1 consumer endpoints take.
pub struct ConsumerBody;

impl Takes for ConsumerBody {
    type Meaning = ();
    const TYPES: &'static [(&'static str, ())] = &[
        ("application/vnd.kafka.v1+json", ()),
        ("application/vnd.kafka+json", ()),
        (JSON, ()),
        ("application/octet-stream", ()),
        ("application/vnd.kafka.binary.v1+json", ()),
        ("application/vnd.kafka.json.v1+json", ()),
        ("application/vnd.kafka.avro.v1+json", ()),
    ];
    const ABSENT: () = ();
}

/// Answers that hold records.
pub struct RecordAnswers;

impl Offers for RecordAnswers {
    const OFFERS: &'static [Offer] = &[
        ("application/vnd.kafka.binary.v1+json", 1000),
        ("application/vnd.kafka.v1+json", 900),
        ("application/vnd.kafka+json", 800),
        (JSON, 500),
        ("application/vnd.kafka.json.v1+json", 100),
        ("application/vnd.kafka.avro.v1+json", 100),
    ];
}

/// `POST /consumers/{group}`; automatic commits are off unless asked for.
pub async fn create(
    path: InstancePath,
    _content: Content<ConsumerBody>,
    answer: Answer<V1>,
    base: BaseUrl,
    body: Body,
    caller: Caller,
) -> Result<HttpResponse> {
    let mut fields = Fields::parse(&body.bytes)?.unwrap_or_default();
    let request = CreateRequest::take(&mut fields, false)?;
    fields.finish()?;
    let reset = match request.reset.as_deref() {
        None | Some("largest" | "latest") => Reset::Latest,
        Some("smallest" | "earliest") => Reset::Earliest,
        Some(_) => {
            return Err(Kind::ConsumerConfig
                .because("Invalid consumer configuration: auto.offset.reset is smallest or largest"));
        }
    };
    created(&answer, &base, path, request, reset, false, &caller)
}

/// `GET /consumers/{group}/instances/{instance}/topics/{topic}`: the first read subscribes.
pub async fn read(
    request: HttpRequest,
    path: InstancePath,
    topic: TopicPath,
    mut answer: Answer<RecordAnswers>,
    query: RecordsQuery,
    caller: Caller,
) -> Result<HttpResponse> {
    let instance = path.find(&caller)?;
    let _use = instance.in_use();
    served::check_format(&caller, "api.v1.consumers.consume-", instance.settings.formats.value)?;
    check_format(&mut answer, &request, instance.settings.formats)?;
    let subscribed = instance.subscription();
    if subscribed.is_empty() {
        caller.kafka.metadata.partitions(&topic.0).await?;
        instance.subscribe(&caller.kafka, vec![topic.0]).await?;
    } else if subscribed != [topic.0] {
        return Err(Kind::AlreadySubscribed.into());
    }
    let query = RecordsQuery { timeout_ms: None, include: Include::default(), ..query };
    answer_records(&answer, &instance, &query, &caller).await
}

/// `POST /consumers/{group}/instances/{instance}/offsets`: stores and tells what was delivered.
pub async fn commit(path: InstancePath, answer: Answer<V1>, caller: Caller) -> Result<HttpResponse> {
    let instance = path.find(&caller)?;
    let _use = instance.in_use();
    let committed = instance.commit_delivered(caller.config.kafka.request_timeout).await?;
    // v1 tells the last offset that was delivered, not the next one.
    let entry = |item: &PartitionOffset| {
        let last = item.offset - 1;
        json!({ "topic": item.topic.as_str(), "partition": item.partition.get(), "consumed": last, "committed": last })
    };
    answer.json(&committed.iter().map(entry).collect::<Vec<_>>())
}

/// `GET /topics/{topic}/partitions/{partition}/messages`: a stateless read.
pub async fn messages(
    request: HttpRequest,
    path: PartitionPath,
    mut answer: Answer<RecordAnswers>,
    query: RecordsQuery,
    caller: Caller,
) -> Result<HttpResponse> {
    let formats = formats_of(&mut answer, &request, &query)?;
    let (offset, count) = (query.offset.unwrap_or(0), query.count.unwrap_or(1));
    if offset < 0 || count < 1 {
        return Err(Kind::Unprocessable.because("offset is 0 or more, count is 1 or more."));
    }
    let bytes = usize::try_from(caller.config.consumer.request_max_bytes).unwrap_or(usize::MAX);
    let read = StatelessRead {
        start: if query.offset.is_some() { Start::Offset(offset) } else { Start::Beginning },
        limits: Limits { bytes, records: count.min(MAX_COUNT) as usize },
        timeout: std::time::Duration::ZERO,
        formats,
        include: Include::default(),
    };
    let body = read_partition(&caller.kafka, &caller.schemas, &path.0, path.1, read).await?;
    Ok(answer.text(StatusCode::OK, body))
}
