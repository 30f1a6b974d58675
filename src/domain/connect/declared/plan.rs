use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::domain::connect::call::check_segment;
use crate::domain::connect::cluster::Cluster;
use crate::domain::connect::config::ConnectorConfig;
use crate::domain::connect::declared::diff::{self, Change};
use crate::domain::connect::declared::stored::Stored;
use crate::domain::connect::declared::validation::validate;
use crate::domain::connect::declared::{Declared, Desired, Target};
use crate::domain::connect::entries::Entries;
use crate::domain::connect::secrets::{Known, Secrets, Shape, mask, mentions_mask, restore};
use crate::error::{Kind, Result};
use crate::model::encode_segment;

/// Validations at a time: each keeps a thread of a worker busy.
const AT_A_TIME: usize = 4;

/// What is to be done about a connector of a set.
#[derive(Debug)]
pub struct Planned {
    /// The connector.
    pub name: String,
    /// What has to be done, in order; nothing where it is as it should be.
    pub actions: Vec<Action>,
    /// The keys of its configuration that change; of a new one those that it has.
    pub changes: Vec<Change>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// The configuration to send, with its secrets.
    pub(super) config: ConnectorConfig,
    /// What a new connector is to do first.
    pub(super) state: Option<Target>,
}

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are operations of Kafka Connect")]
pub enum Action {
    Create,
    Update,
    Pause,
    Resume,
    Stop,
    Delete,
}

/// What is wrong with a connector.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key of the configuration; `name` also for the connector's own.
    pub key: String,
    /// What is wrong with it, without secrets.
    pub message: String,
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 6] =
        [Action::Create, Action::Update, Action::Pause, Action::Resume, Action::Stop, Action::Delete];

    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Update => "update",
            Action::Pause => "pause",
            Action::Resume => "resume",
            Action::Stop => "stop",
            Action::Delete => "delete",
        }
    }
}

impl Problem {
    pub(super) fn of(key: &str, message: &str) -> Problem {
        Problem { key: key.to_owned(), message: message.to_owned() }
    }
}

/// Tells what has to be done that the cluster has the connectors of a set as they are wanted: those of the set in its
/// order, then those that are deleted. Changes nothing.
pub async fn plan(cluster: &Arc<Cluster>, declared: &Declared) -> Result<Vec<Planned>> {
    declared.check()?;
    let deadline = Instant::now() + cluster.settings.request_timeout;
    let stored = Stored::read(cluster, declared, deadline).await?;
    let classes = cluster.allowable_classes(deadline).await?;
    let planning = Planning { cluster, stored: &stored, classes: &classes, deadline };
    let one = |desired| planning.one(desired);
    let planned = stream::iter(declared.connectors.iter().map(one)).buffered(AT_A_TIME);
    let mut planned: Vec<Planned> = planned.try_collect().await?;
    planned.extend(stored.superfluous.iter().map(|name| delete(name)));
    Ok(planned)
}

/// What the plan of each connector is made with.
struct Planning<'a> {
    cluster: &'a Arc<Cluster>,
    stored: &'a Stored,
    classes: &'a [String],
    deadline: Instant,
}

impl Planning<'_> {
    async fn one(&self, desired: &Desired) -> Result<Planned> {
        let before = self.stored.configs.get(&desired.name);
        let sent = desired.config.to_json();
        let both: [&[u8]; 2] = [&sent, before.map_or(b"{}", |before| &before[..])];
        let secrets = self.cluster.secrets_of_all(&both, self.deadline).await;
        let mut problems = name_problems(desired);
        let config = match self.cluster.guard.masks() && mentions_mask(&sent) {
            true => with_secrets(&desired.config, before, &secrets, &mut problems),
            false => desired.config.clone(),
        };
        let mut config = config.into_own();
        let old = before.map_or(Some(ConnectorConfig::default()), |before| ConnectorConfig::read(before));
        let old = old.ok_or(Kind::ConnectAnswer)?.into_own();
        let changes = diff::changes((&old, &config), (&self.shown(&old, &secrets)?, &self.shown(&config, &secrets)?));
        config.0.insert("name".to_owned(), Some(desired.name.clone()));
        problems.extend(self.refusal(&config));
        if problems.is_empty() {
            problems = validate(self.cluster, &config, self.deadline).await?;
        }
        let actions = match before {
            None => vec![Action::Create],
            Some(_) => actions(!changes.is_empty(), self.stored.targets.get(&desired.name).copied(), desired.state),
        };
        Ok(Planned { name: desired.name.clone(), actions, changes, problems, config, state: desired.state })
    }

    /// Returns what the policy of this proxy has against a configuration.
    fn refusal(&self, config: &ConnectorConfig) -> Option<Problem> {
        let json = config.to_json();
        let refusal = self.cluster.guard.refusal(&Entries::parse(&json).ok()?, self.classes)?;
        Some(Problem { key: refusal.key, message: refusal.sentence })
    }

    /// Returns a configuration as it may be seen.
    fn shown(&self, config: &ConnectorConfig, secrets: &Secrets<'_>) -> Result<ConnectorConfig> {
        if !self.cluster.guard.masks() {
            return Ok(config.clone());
        }
        let masked = mask(Shape::Config, &config.to_json().into(), secrets, &Known::default());
        let masked = masked.ok().and_then(|masked| ConnectorConfig::read(&masked));
        masked.ok_or_else(|| Kind::Internal.into())
    }
}

/// Returns what is wrong with the name alone.
fn name_problems(desired: &Desired) -> Vec<Problem> {
    let name = desired.name.as_str();
    let says_otherwise = desired.config.0.get("name").is_some_and(|inner| inner.as_deref() != Some(name));
    let is_odd = name.is_empty() || name.trim() != name || name.chars().any(char::is_control);
    let mut problems = Vec::new();
    if says_otherwise {
        problems.push(Problem::of("name", "The configuration has another name than the connector: leave it out."));
    }
    if is_odd || check_segment(&encode_segment(name)).is_err() {
        let why = "A name is not empty, has no white space around it, and neither %, /, \\ nor control characters.";
        problems.push(Problem::of("name", why));
    }
    problems
}

/// Returns the configuration with stored secrets in the place of their masks.
fn with_secrets(
    config: &ConnectorConfig,
    stored: Option<&Bytes>,
    secrets: &Secrets<'_>,
    problems: &mut Vec<Problem>,
) -> ConnectorConfig {
    let mut restored = config.clone();
    for (key, value) in &config.0 {
        let alone = ConnectorConfig([(key.clone(), value.clone())].into());
        match restore(&alone.to_json().into(), stored.map(|stored| &stored[..]), secrets) {
            Ok(None) => {}
            Ok(Some(whole)) => restored.0.extend(ConnectorConfig::read(&whole).unwrap_or_default().0),
            Err(error) => problems.push(Problem::of(key, error.message())),
        }
    }
    restored
}

/// Returns what has to be done with a connector that is there.
///
/// It is stopped before a change that it should not run with, and runs again after it.
fn actions(is_changed: bool, now: Option<Target>, wanted: Option<Target>) -> Vec<Action> {
    let update = is_changed.then_some(Action::Update);
    let now = now.unwrap_or(Target::Running);
    let (before, after) = match wanted.filter(|wanted| *wanted != now) {
        None => (None, None),
        Some(Target::Running) => (None, Some(Action::Resume)),
        Some(Target::Paused) => (Some(Action::Pause), None),
        Some(Target::Stopped) => (Some(Action::Stop), None),
    };
    [before, update, after].into_iter().flatten().collect()
}

fn delete(name: &str) -> Planned {
    Planned {
        name: name.to_owned(),
        actions: vec![Action::Delete],
        changes: Vec::new(),
        problems: Vec::new(),
        config: ConnectorConfig::default(),
        state: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connector_is_stopped_before_a_change_and_resumed_after_it() {
        use Action::{Pause, Resume, Stop, Update};
        use Target::{Paused, Running, Stopped};
        let cases = [
            (false, None, None, vec![]),
            (false, Some(Running), Some(Running), vec![]),
            (true, Some(Paused), None, vec![Update]),
            (true, Some(Running), Some(Stopped), vec![Stop, Update]),
            (true, Some(Stopped), Some(Running), vec![Update, Resume]),
            (false, Some(Stopped), Some(Paused), vec![Pause]),
            (false, None, Some(Paused), vec![Pause]),
        ];
        for (is_changed, now, wanted, expected) in cases {
            assert_eq!(actions(is_changed, now, wanted), expected, "{now:?} {wanted:?}");
        }
    }

    #[test]
    fn names_that_cannot_be_managed_are_found() {
        let problems = |name: &str, config: &str| {
            let config = ConnectorConfig::read(config.as_bytes()).expect("a configuration");
            name_problems(&Desired { name: name.to_owned(), config, state: None }).len()
        };
        for name in ["a", "a b", "é", "a;b", "a?b", ".."] {
            assert_eq!(problems(name, r#"{"x":"y"}"#), 0, "{name}");
        }
        for name in ["", " a", "a/b", "a%b", "a\\b", "a\nb"] {
            assert_eq!(problems(name, "{}"), 1, "{name}");
        }
        assert_eq!((problems("a", r#"{"name":"a"}"#), problems("a", r#"{"name":"b"}"#)), (0, 1));
    }
}
