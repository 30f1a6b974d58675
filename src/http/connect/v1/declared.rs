use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::connect::declared::{
    self, Action, Applied, Change, Declared, Desired, Done, Planned, Problem, Target,
};
use crate::domain::connect::{Cluster, ConnectorConfig};
use crate::error::{Error, Kind, Result};
use crate::http::answer::{Answer, Content};
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::connect::docs::PlainBody;
use crate::http::connect::rules;
use crate::http::connect::v1::{cluster, fields};
use crate::http::health::Plain;

/// A set as it is sent; configurations keep the text of their numbers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with connectors")]
struct Sent<'a> {
    #[serde(borrow)]
    connectors: Vec<SentConnector<'a>>,
    prune: Option<SentPrune>,
    dry_run: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with name and config")]
struct SentConnector<'a> {
    name: String,
    #[serde(borrow)]
    config: &'a RawValue,
    state: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with a prefix")]
struct SentPrune {
    prefix: String,
}

/// `POST /connect/v1/clusters/{cluster}/plan`.
pub async fn plan(
    request: HttpRequest,
    answer: Answer<Plain>,
    caller: Caller,
    _: Content<PlainBody>,
    body: Body,
) -> Result<HttpResponse> {
    let cluster = cluster(&request, &caller)?;
    let (set, _) = read(cluster, &body)?;
    rules::check_set(&caller, &cluster.name, &set)?;
    answer.json(&rendered(planned(cluster, &set).await?))
}

/// `POST /connect/v1/clusters/{cluster}/apply`: 207 where something failed.
pub async fn apply(
    request: HttpRequest,
    answer: Answer<Plain>,
    caller: Caller,
    _: Content<PlainBody>,
    body: Body,
) -> Result<HttpResponse> {
    let cluster = cluster(&request, &caller)?;
    let (set, is_dry_run) = read(cluster, &body)?;
    rules::check_set(&caller, &cluster.name, &set)?;
    if is_dry_run {
        return answer.json(&rendered(planned(cluster, &set).await?));
    }
    let applied = declared::apply(cluster, &set).await?;
    let is_done = applied.iter().all(|one| matches!(one.done, Done::Applied | Done::Unchanged));
    let status = if is_done { StatusCode::OK } else { StatusCode::MULTI_STATUS };
    let set = rendered(applied.into_iter().map(|Applied { planned, done }| (planned, Some(done))).collect());
    let text = serde_json::to_vec(&set).map_err(|error| Kind::Internal.caused_by(error))?;
    Ok(answer.text(status, text))
}

async fn planned(cluster: &Arc<Cluster>, set: &Declared) -> Result<Vec<(Planned, Option<Done>)>> {
    Ok(declared::plan(cluster, set).await?.into_iter().map(|planned| (planned, None)).collect())
}

/// Reads a set, and whether nothing is to be changed.
fn read(cluster: &Cluster, body: &Body) -> Result<(Declared, bool)> {
    cluster.check_size(&body.bytes)?;
    let sent: Sent<'_> = serde_json::from_slice(&body.bytes).map_err(unreadable)?;
    let connectors = sent.connectors.into_iter().map(desired).collect::<Result<_>>()?;
    let set = Declared { connectors, prune: sent.prune.map(|prune| prune.prefix) };
    Ok((set, sent.dry_run.unwrap_or_default()))
}

/// Says where a body is wrong; of a wrong value only what it should be, as it may be a secret.
fn unreadable(error: serde_json::Error) -> Error {
    let text = error.to_string();
    let text = match text.split_once("invalid ") {
        Some(_) => text.rsplit_once(", expected ").map_or("wrong", |(_, wanted)| wanted),
        None => text.as_str(),
    };
    let kind = if error.is_data() { Kind::Unprocessable } else { Kind::BadRequest };
    kind.because(format!("The request body is no set of connectors: {text}."))
}

fn desired(sent: SentConnector<'_>) -> Result<Desired> {
    let name = sent.name;
    let refused = |why: &str| Kind::Unprocessable.because(format!("Connector {name}: {why}"));
    let config = ConnectorConfig::read(sent.config.get().as_bytes())
        .ok_or_else(|| refused("config has to be an object whose values are texts, numbers, booleans or null."))?;
    let target = |text: String| Target::ALL.into_iter().find(|target| target.name().eq_ignore_ascii_case(&text));
    let state = match sent.state {
        None => None,
        Some(text) => Some(target(text).ok_or_else(|| refused("state has to be RUNNING, PAUSED or STOPPED."))?),
    };
    Ok(Desired { name, config, state })
}

fn rendered(set: Vec<(Planned, Option<Done>)>) -> fields::PlannedSet {
    let mut summary = fields::Summary { total: set.len(), ..fields::Summary::default() };
    set.iter().for_each(|(planned, done)| count(&mut summary, planned, done.as_ref()));
    let connectors = set.into_iter().map(|(planned, done)| connector(planned, done)).collect();
    fields::PlannedSet { connectors, summary }
}

fn count(summary: &mut fields::Summary, planned: &Planned, done: Option<&Done>) {
    for action in &planned.actions {
        match action {
            Action::Create => summary.create += 1,
            Action::Update => summary.update += 1,
            Action::Pause => summary.pause += 1,
            Action::Resume => summary.resume += 1,
            Action::Stop => summary.stop += 1,
            Action::Delete => summary.delete += 1,
        }
    }
    summary.unchanged += usize::from(planned.actions.is_empty());
    summary.invalid += usize::from(!planned.problems.is_empty());
    match done {
        Some(Done::Failed { .. }) => summary.failed += 1,
        Some(Done::NotTried) => summary.not_tried += 1,
        Some(Done::Applied | Done::Unchanged) | None => {}
    }
}

fn connector(planned: Planned, done: Option<Done>) -> fields::PlannedConnector {
    let change = |Change { key, old, new }| fields::Change { key, old, new };
    let problem = |Problem { key, message }| fields::Problem { key, message };
    let (result, status, message) = match done {
        None => (None, None, None),
        Some(Done::Unchanged) => (Some("unchanged"), None, None),
        Some(Done::Applied) => (Some("applied"), None, None),
        Some(Done::NotTried) => (Some("not_tried"), None, None),
        Some(Done::Failed { status, message }) => (Some("failed"), Some(status), Some(message)),
    };
    fields::PlannedConnector {
        name: planned.name,
        actions: planned.actions.iter().map(|action| action.name()).collect(),
        changes: planned.changes.into_iter().map(change).collect(),
        errors: planned.problems.into_iter().map(problem).collect(),
        result,
        status,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> Error {
        unreadable(serde_json::from_str::<Sent<'_>>(body).err().expect("it is wrong"))
    }

    #[test]
    fn a_wrong_body_is_refused_without_its_values() {
        for (body, kind, part) in [
            ("{", Kind::BadRequest, "EOF"),
            ("{}", Kind::Unprocessable, "missing field `connectors`"),
            (r#"{"connectors":[],"x":1}"#, Kind::Unprocessable, "unknown field `x`"),
            (r#"{"connectors":["hunter2"]}"#, Kind::Unprocessable, "an object with name and config"),
            (r#"{"connectors":[],"dry_run":"a, expected hunter2"}"#, Kind::Unprocessable, "a boolean"),
        ] {
            let refused = refusal(body);
            assert!(
                refused.message().contains(part) && !refused.message().contains("hunter2"),
                "{}",
                refused.message()
            );
            assert_eq!(refused.kind(), kind, "{body}");
        }
    }

    #[test]
    fn a_state_and_a_flat_configuration_are_asked_for() {
        let read = |json: &str| desired(serde_json::from_str(json).expect("a connector"));
        let good = read(r#"{"name":"a","config":{"n":1.50},"state":"paused"}"#).unwrap();
        assert_eq!((good.config.get("n"), good.state), (Some("1.50"), Some(Target::Paused)));
        assert!(read(r#"{"name":"a","config":{"n":[]}}"#).is_err());
        assert!(read(r#"{"name":"a","config":{},"state":"FAILED"}"#).is_err());
    }
}
