use std::sync::Arc;
use std::time::Instant;

use serde::Deserialize;

use crate::domain::connect::call::{Call, Wishes, check_segment};
use crate::domain::connect::cluster::Cluster;
use crate::domain::connect::config::ConnectorConfig;
use crate::domain::connect::declared::plan::Problem;
use crate::domain::connect::operation::Operation;
use crate::domain::connect::verdict::WorkerError;
use crate::error::{Kind, Result};
use crate::model::encode_segment;

const CLASS: &str = "connector.class";

/// What a worker says of a configuration.
#[derive(Deserialize)]
struct Validation {
    configs: Vec<Validated>,
}

#[derive(Deserialize)]
struct Validated {
    value: Option<Value>,
}

#[derive(Deserialize)]
struct Value {
    name: String,
    #[serde(default)]
    errors: Vec<String>,
}

/// Asks a worker what is wrong with the configuration of a connector; `config` has its name in it.
pub(super) async fn validate(
    cluster: &Arc<Cluster>,
    config: &ConnectorConfig,
    deadline: Instant,
) -> Result<Vec<Problem>> {
    let Some(class) = config.get(CLASS).filter(|class| !class.is_empty()) else {
        return Ok(vec![Problem::of(CLASS, "It is missing: say which class the connector is of.")]);
    };
    if check_segment(&encode_segment(class)).is_err() {
        return Ok(vec![Problem::of(CLASS, "No connector has a class of such a name.")]);
    }
    let within = Some(deadline.saturating_duration_since(Instant::now()));
    let call = Call::new(Operation::Validate, &[class]).json(config.to_json());
    let reply = cluster.call(Call { wishes: Wishes { within, ..Wishes::default() }, ..call }).await?;
    if reply.status != 200 {
        let said = WorkerError::read(reply.bytes());
        return Ok(vec![Problem::of(
            CLASS,
            said.as_ref().map_or("The worker cannot validate it.", WorkerError::message),
        )]);
    }
    problems(reply.bytes()).ok_or_else(|| Kind::ConnectAnswer.into())
}

fn problems(answer: &[u8]) -> Option<Vec<Problem>> {
    let validation: Validation = serde_json::from_slice(answer).ok()?;
    let values = validation.configs.iter().filter_map(|config| config.value.as_ref());
    let problems = values.flat_map(|value| value.errors.iter().map(|error| Problem::of(&value.name, error)));
    Some(problems.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_found_by_their_keys() {
        let answer = br#"{"name":"C","error_count":2,"groups":[],"configs":[
            {"definition":null,"value":{"name":"a","value":"1","recommended_values":[],"errors":[],"visible":true}},
            {"definition":{"name":"b"},"value":{"name":"b","value":null,"errors":["is missing","is bad"]}},
            {"definition":null,"value":null}]}"#;
        assert_eq!(problems(answer).unwrap(), [Problem::of("b", "is missing"), Problem::of("b", "is bad")]);
        assert!(problems(b"{}").is_none());
    }
}
