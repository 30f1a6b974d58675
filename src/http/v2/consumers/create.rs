use std::time::Duration;

use actix_web::HttpResponse;
use serde_json::json;

use crate::config::Consumer as ConsumerConfig;
use crate::domain::consume::{Settings, check_property};
use crate::error::{Error, Kind, Result};
use crate::http::answer::{Answer, Content, Offers};
use crate::http::base_url::BaseUrl;
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::fields::Fields;
use crate::http::v2::consumers::{ConsumerBody, Consumers, InstancePath, no_content};
use crate::model::{Format, Formats, GroupSettings, Reset};

/// The properties that a client may set for its instance, beside the fields of the contract.
const PROPERTIES: [&str; 7] = [
    "isolation.level",
    "session.timeout.ms",
    "auto.commit.interval.ms",
    "group.instance.id",
    "group.protocol",
    "client.rack",
    "partition.assignment.strategy",
];

/// The ways in which a group may share partitions.
const STRATEGIES: [&str; 4] = ["range", "roundrobin", "range,roundrobin", "cooperative-sticky"];

/// The bounds of `fetch.min.bytes`.
const MIN_BYTES: std::ops::RangeInclusive<i32> = -1..=10_000_000;

/// The fields of a create request, whatever the API version.
pub struct CreateRequest {
    /// `id`, else `name`.
    pub name: Option<String>,
    /// The formats of keys and values: `format`, and the extension's `key_format` and `value_format` over it.
    pub formats: Formats,
    /// `auto.offset.reset` as given.
    pub reset: Option<String>,
    /// `auto.commit.enable`.
    pub auto_commit: Option<bool>,
    /// `fetch.min.bytes`.
    pub min_bytes: Option<i32>,
    /// `consumer.request.timeout.ms`.
    pub timeout_ms: Option<i32>,
    /// `max.poll.records` of the extension.
    pub max_records: Option<i32>,
    /// The other properties of the extension.
    pub properties: Vec<(&'static str, String)>,
}

/// `POST /consumers/{group}`.
pub async fn create(
    path: InstancePath,
    _content: Content<ConsumerBody>,
    answer: Answer<Consumers>,
    base: BaseUrl,
    body: Body,
    caller: Caller,
) -> Result<HttpResponse> {
    let mut fields = Fields::parse(&body.bytes)?.unwrap_or_default();
    let request = CreateRequest::take(&mut fields, true)?;
    fields.finish()?;
    let reset = match request.reset.as_deref() {
        None | Some("latest") => Reset::Latest,
        Some("earliest") => Reset::Earliest,
        Some("none") => Reset::None,
        Some(_) => return Err(invalid("auto.offset.reset is earliest, latest or none")),
    };
    created(&answer, &base, path, request, reset, true, &caller)
}

/// Creates the instance and answers where it is.
pub fn created<O: Offers>(
    answer: &Answer<O>,
    base: &BaseUrl,
    path: InstancePath,
    request: CreateRequest,
    reset: Reset,
    auto_commit: bool,
    caller: &Caller,
) -> Result<HttpResponse> {
    if request.formats.need_schemas() && caller.schemas.registry().is_err() {
        return Err(Kind::RegistryMissing.because(
            "This format needs a Schema Registry and none is configured; create the instance with the format binary or json.",
        ));
    }
    let name = request.name.clone().unwrap_or_else(|| format!("rest-consumer-{}", uuid::Uuid::new_v4()));
    let settings = settings(request, path.group.clone(), reset, auto_commit, &caller.config.consumer);
    let base_uri = base.instance(&path.group, &name);
    caller.instances.create(&caller.principal, path.group, name.clone(), settings)?;
    answer.json(&json!({ "instance_id": name, "base_uri": base_uri }))
}

/// `DELETE /consumers/{group}/instances/{instance}`.
pub async fn delete<O: Offers>(path: InstancePath, _answer: Answer<O>, caller: Caller) -> Result<HttpResponse> {
    caller.instances.delete(&caller.principal, &path.group, &path.name).await?;
    Ok(no_content())
}

impl CreateRequest {
    /// Takes the fields; the proxy's own reading controls only where the version has them.
    pub fn take(fields: &mut Fields, reading_controls: bool) -> Result<CreateRequest> {
        let (id, name) = (fields.text("id")?, fields.text("name")?);
        let mut request = CreateRequest {
            name: id.or(name),
            formats: formats(fields)?,
            reset: fields.text("auto.offset.reset")?,
            auto_commit: flag(fields.text("auto.commit.enable")?)?,
            min_bytes: None,
            timeout_ms: None,
            max_records: None,
            properties: Vec::new(),
        };
        if request.name.as_deref().is_some_and(|name| name.trim().is_empty()) {
            return Err(Kind::Unprocessable.because("The field name must not be blank."));
        }
        if request.name.as_deref().is_some_and(|name| matches!(name, "." | "..") || name.contains('\0')) {
            return Err(Kind::Unprocessable
                .because("The field name must not be . or .., nor have NUL characters: no path can."));
        }
        if reading_controls {
            request.min_bytes = either(fields, "fetch.min.bytes", "responseMinBytes")?;
            request.timeout_ms = either(fields, "consumer.request.timeout.ms", "requestWaitMs")?;
        }
        if let Some(bytes) = request.min_bytes.filter(|bytes| !MIN_BYTES.contains(bytes)) {
            return Err(Kind::ConsumerConstraint.because(format!(
                "Invalid consumer configuration. It does not abide by the constraints: Invalid value {bytes} for configuration fetch.min.bytes: it is -1 to 10000000."
            )));
        }
        if let Some(mut properties) = fields.object("properties")? {
            request.take_properties(&mut properties)?;
            properties.finish()?;
        }
        Ok(request)
    }

    fn take_properties(&mut self, properties: &mut Fields) -> Result<()> {
        self.max_records = properties.small_integer("max.poll.records")?;
        if self.max_records.is_some_and(|most| most < 1) {
            return Err(invalid("max.poll.records is at least 1"));
        }
        for key in PROPERTIES {
            if let Some(value) = properties.text(key)? {
                if key == "partition.assignment.strategy" && !STRATEGIES.contains(&value.as_str()) {
                    return Err(invalid("partition.assignment.strategy is range, roundrobin or cooperative-sticky"));
                }
                check_property(key, &value).map_err(|why| invalid(&format!("{key}: {why}")))?;
                self.properties.push((key, value));
            }
        }
        let given = |name| self.properties.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
        let classic = ["session.timeout.ms", "partition.assignment.strategy"];
        if given("group.protocol") == Some("consumer") && classic.iter().any(|key| given(key).is_some()) {
            return Err(invalid(
                "with group.protocol=consumer the brokers decide on session.timeout.ms and partition.assignment.strategy",
            ));
        }
        Ok(())
    }
}

/// Returns what an instance is created with.
fn settings(
    request: CreateRequest,
    group: String,
    reset: Reset,
    auto_commit: bool,
    config: &ConsumerConfig,
) -> Settings {
    let timeout = request.timeout_ms.and_then(|ms| u64::try_from(ms).ok()).filter(|ms| *ms > 0);
    Settings {
        formats: request.formats,
        min_bytes: i64::from(request.min_bytes.unwrap_or(1)),
        request_timeout: timeout.map_or(config.request_timeout, Duration::from_millis).min(config.max_poll_wait),
        max_records: request.max_records.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX),
        group: GroupSettings {
            group,
            reset,
            auto_commit: request.auto_commit.unwrap_or(auto_commit),
            properties: request.properties,
        },
    }
}

fn either(fields: &mut Fields, name: &str, old: &str) -> Result<Option<i32>> {
    let (new, old) = (fields.small_integer(name)?, fields.small_integer(old)?);
    Ok(new.or(old))
}

fn formats(fields: &mut Fields) -> Result<Formats> {
    let invalid = || Kind::Unprocessable.because("Invalid format type.");
    let both = match fields.text("format")?.as_deref().map(Format::named) {
        None => Format::Binary,
        // The contract has no such format for both.
        Some(None | Some(Format::Text)) => return Err(invalid()),
        Some(Some(format)) => format,
    };
    let (key, value) = (fields.text("key_format")?, fields.text("value_format")?);
    Formats::named(both, key.as_deref(), value.as_deref()).ok_or_else(invalid)
}

fn flag(given: Option<String>) -> Result<Option<bool>> {
    match given.map(|flag| flag.to_ascii_lowercase()).as_deref() {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(invalid("auto.commit.enable is true or false")),
    }
}

fn invalid(why: &str) -> Error {
    Kind::ConsumerConfig.because(format!("Invalid consumer configuration: {why}"))
}
