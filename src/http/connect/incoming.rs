use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Bytes;

use crate::domain::connect::{Call, Operation, Settle, Shown, Wishes, check_segment};
use crate::error::{Kind, Result};
use crate::http::media::{JSON, essence};
use crate::model::decode_segment;

const PREFER: &str = "prefer";
const RETRY: &str = "x-connect-retry";
const LONGEST_SETTLE_S: u64 = 600;
const USUAL_SETTLE_S: u64 = 60;

/// Reads a request; what a worker has no use for stays here.
pub fn call(request: &HttpRequest, operation: Operation, prefix: &str, body: Bytes) -> Result<Call> {
    let content_type = request.headers().get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default().to_owned());
    if operation.takes_body() {
        check_media(content_type.as_deref().unwrap_or_default())?;
    }
    Ok(Call {
        operation,
        names: names(request.uri().path(), prefix, operation)?,
        query: query(request.query_string(), operation.row().query),
        content_type: content_type.filter(|text| !text.is_empty()),
        body,
        wishes: wishes(request, operation)?,
        shown: Shown::default(),
    })
}

/// Workers take JSON and nothing else; what they would do with another type is nobody's affair.
fn check_media(content_type: &str) -> Result<()> {
    if essence(content_type).as_deref() == Some(JSON) {
        return Ok(());
    }
    Err(Kind::UnsupportedMediaType
        .because("HTTP 415 Unsupported Media Type: set the Content-Type to application/json."))
}

/// Returns the segments of the path that are names, as they were sent: what is decoded cannot be encoded back.
fn names(path: &str, prefix: &str, operation: Operation) -> Result<Vec<String>> {
    let template = format!("{prefix}{}", operation.row().path);
    let mut names = Vec::new();
    for (part, segment) in template.split('/').zip(path.split('/')) {
        if part.starts_with('{') && part != "{cluster}" {
            check_segment(segment)?;
            names.push(segment.to_owned());
        }
    }
    Ok(names)
}

/// Leaves out every parameter that the operation does not have: workers have some among themselves.
fn query(query: &str, known: &[&str]) -> String {
    let is_known = |pair: &&str| known.contains(&pair.split('=').next().unwrap_or_default());
    query.split('&').filter(is_known).collect::<Vec<_>>().join("&")
}

fn parameter<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let pairs = request.query_string().split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next_back()
}

fn wishes(request: &HttpRequest, operation: Operation) -> Result<Wishes> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let worker = parameter(request, "worker").filter(|_| operation.is_about_loggers());
    let worker = worker.map(decode_segment);
    Ok(Wishes {
        no_retry: header(RETRY).is_some_and(|value| value.trim().eq_ignore_ascii_case("off")),
        within: header(PREFER).and_then(preferred_wait),
        worker,
        settle: if operation.is_write() { settle(request)? } else { None },
    })
}

/// Reads `Prefer: wait=10` (RFC 7240): seconds, in none of which nothing could be done.
fn preferred_wait(header: &str) -> Option<Duration> {
    let wait = header.split([',', ';']).find_map(|item| item.trim().strip_prefix("wait="))?;
    wait.trim().parse().ok().filter(|seconds| *seconds > 0).map(Duration::from_secs)
}

fn settle(request: &HttpRequest) -> Result<Option<Settle>> {
    let state = match parameter(request, "wait") {
        None => return Ok(None),
        Some("running") => "RUNNING",
        Some("paused") => "PAUSED",
        Some("stopped") => "STOPPED",
        Some(_) => return Err(Kind::BadRequest.because("wait has to be running, paused or stopped.")),
    };
    let seconds = match parameter(request, "timeout") {
        None => Some(USUAL_SETTLE_S),
        Some(text) => {
            text.trim_end_matches('s').parse().ok().filter(|seconds| (1..=LONGEST_SETTLE_S).contains(seconds))
        }
    };
    let refused =
        || Kind::BadRequest.because(format!("timeout has to be a number of seconds from 1 to {LONGEST_SETTLE_S}."));
    Ok(Some(Settle { state, within: Duration::from_secs(seconds.ok_or_else(refused)?) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parameters_of_the_operation_are_passed_on() {
        assert_eq!(
            query("expand=info&forward=false&expand=status&validated", &["expand"]),
            "expand=info&expand=status"
        );
        assert_eq!(query("", &["expand"]), "");
        assert_eq!(query("includeTasks", &["includeTasks"]), "includeTasks");
    }

    #[test]
    fn names_are_the_segments_as_they_were_sent() {
        let path = "/connect/x%20y/connectors/a%20b;c=d/tasks/0/status";
        assert_eq!(names(path, "/connect/{cluster}", Operation::TaskStatus).unwrap(), ["a%20b;c=d", "0"]);
        assert!(names("/connectors/a%2Fb", "", Operation::Connector).is_err());
    }

    #[test]
    fn a_wait_is_in_seconds() {
        assert_eq!(preferred_wait("respond-async, wait=10"), Some(Duration::from_secs(10)));
        assert_eq!(preferred_wait("wait=x"), None);
        assert_eq!(preferred_wait("wait=0"), None);
    }
}
