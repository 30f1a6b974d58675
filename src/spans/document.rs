use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::trace::Context;

/// One request, as a collector gets to see it: nothing in it is a client's own words but the trace.
#[derive(Clone, Debug)]
pub struct Span {
    /// Its place in the trace.
    pub context: Context,
    /// `GET`, `POST` .. or `other`.
    pub method: &'static str,
    /// The pattern of the path.
    pub route: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// The label of the error.
    pub error: Option<&'static str>,
    /// When it began.
    pub began: SystemTime,
    /// How long it took.
    pub took: Duration,
}

/// `SPAN_KIND_SERVER` and `STATUS_CODE_ERROR` of the protocol.
const SERVER: u8 = 2;
const ERROR: u8 = 2;

/// Returns what is sent for these spans.
pub(super) fn document(spans: &[Span]) -> Value {
    let resource = [
        attribute("service.name", json!({ "stringValue": env!("CARGO_PKG_NAME") })),
        attribute("service.version", json!({ "stringValue": env!("CARGO_PKG_VERSION") })),
    ];
    let scope = json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") });
    let spans: Vec<Value> = spans.iter().map(span).collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": resource },
        "scopeSpans": [{ "scope": scope, "spans": spans }],
    }] })
}

fn span(span: &Span) -> Value {
    let began = span.began.duration_since(UNIX_EPOCH).unwrap_or_default();
    let nanos = |since: Duration| since.as_nanos().to_string();
    let mut attributes = vec![
        attribute("http.request.method", json!({ "stringValue": span.method })),
        attribute("http.route", json!({ "stringValue": span.route })),
        attribute("http.response.status_code", json!({ "intValue": span.status.to_string() })),
    ];
    attributes.extend(span.error.map(|error| attribute("error.type", json!({ "stringValue": error }))));
    let status = if span.status >= 500 || span.status == 499 { json!({ "code": ERROR }) } else { json!({}) };
    let mut document = json!({
        "traceId": span.context.trace.to_string(),
        "spanId": span.context.span.to_string(),
        "flags": u8::from(span.context.sampled),
        "name": format!("{} {}", span.method, span.route),
        "kind": SERVER,
        "startTimeUnixNano": nanos(began),
        "endTimeUnixNano": nanos(began + span.took),
        "attributes": attributes,
        "status": status,
    });
    if let Some(parent) = span.context.parent {
        document["parentSpanId"] = Value::from(parent.to_string());
    }
    if let Some(state) = &span.context.state {
        document["traceState"] = Value::from(&**state);
    }
    document
}

fn attribute(key: &str, value: Value) -> Value {
    json!({ "key": key, "value": value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_what_the_protocol_says() {
        let context = Context::of_parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
        let one = Span {
            context: context.clone(),
            method: "GET",
            route: "/topics/{topic}",
            status: 503,
            error: Some("overloaded"),
            began: UNIX_EPOCH + Duration::from_secs(1),
            took: Duration::from_nanos(5),
        };
        let all = document(&[one]);
        let span = &all["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        assert_eq!(span["traceId"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(
            (span["spanId"].as_str().unwrap(), &span["parentSpanId"]),
            (context.span.to_string().as_str(), &json!("b7ad6b7169203331"))
        );
        assert_eq!(
            (&span["startTimeUnixNano"], &span["endTimeUnixNano"]),
            (&json!("1000000000"), &json!("1000000005"))
        );
        assert_eq!(
            (&span["name"], &span["status"]["code"], &span["kind"]),
            (&json!("GET /topics/{topic}"), &json!(2), &json!(2))
        );
        assert_eq!(span["attributes"][2]["value"]["intValue"], "503");
        assert_eq!(span["attributes"][3]["value"]["stringValue"], "overloaded");
    }
}
