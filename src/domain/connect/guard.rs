use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Deserialize;

use crate::config::ConnectCluster;
use crate::domain::connect::call::Call;
use crate::domain::connect::cluster::Cluster;
use crate::domain::connect::config::ConnectorConfig;
use crate::domain::connect::entries::{Entries, configs_of, last_config_of};
use crate::domain::connect::operation::Operation;
use crate::domain::connect::policy::{Policy, Refusal};
use crate::domain::connect::reply::{Body, Reply};
use crate::domain::connect::secrets::{
    Definitions, KeyPattern, Known, NotAnswered, Passwords, Secrets, Shape, mask, mentions_mask, plugins, restore,
    restore_create, restore_patch,
};
use crate::error::{Kind, Result};

/// How many definitions of plugins are kept, and for how long: what is installed changes when workers restart.
const DEFINITIONS: usize = 500;
const DEFINITIONS_AGE: Duration = Duration::from_secs(600);

/// How long a look at a definition may hold up an answer.
const LOOK_UP_LIMIT: Duration = Duration::from_secs(15);

/// What may go to the workers, and what of their answers a client may see.
pub(super) struct Guard {
    masks: bool,
    pattern: KeyPattern,
    definitions: Definitions,
    policy: Policy,
}

/// A configuration as the workers have it; `None` where there is no such connector.
type Stored = Option<Bytes>;

impl Guard {
    /// Takes the settings. The error is a sentence for the operator.
    pub(super) fn new(settings: &ConnectCluster) -> Result<Guard, String> {
        let pattern = match settings.secret_keys.as_str() {
            "" => KeyPattern::built_in(),
            own => KeyPattern::parse(own).map_err(|why| format!("secret_keys: {}", why.message()))?,
        };
        let max_tasks = Some(settings.max_tasks).filter(|most| *most > 0);
        Ok(Guard {
            masks: settings.mask_secrets,
            pattern,
            definitions: Definitions::new(DEFINITIONS, DEFINITIONS_AGE),
            policy: Policy::new(&settings.allowed_classes, &settings.denied_keys, max_tasks),
        })
    }

    /// Returns which rule of the policy a configuration breaks; `classes` are those of [`Cluster::allowable_classes`].
    pub(super) fn refusal(&self, config: &Entries<'_>, classes: &[String]) -> Option<Refusal> {
        self.policy.check(config, classes).err()
    }

    /// Tells whether answers are masked.
    pub(super) fn masks(&self) -> bool {
        self.masks
    }
}

impl Cluster {
    /// Returns a call as it may go to the workers: allowed by the policy, and with what is stored in the place of masks.
    pub(super) async fn admit(&self, mut call: Call, deadline: Instant) -> Result<Call> {
        let is_masked = self.guard.masks && has_config(call.operation) && mentions_mask(&call.body);
        let is_checked =
            !self.guard.policy.is_empty() && has_config(call.operation) && call.operation != Operation::Validate;
        if !is_masked && !is_checked {
            return Ok(call);
        }
        let needs_stored = is_masked || call.operation == Operation::PatchConfig;
        let stored = if needs_stored { self.stored(&call, deadline).await? } else { None };
        if is_masked && let Some(body) = self.restored(&call, stored.as_ref(), deadline).await? {
            call.body = body;
        }
        if is_checked {
            self.check(&call, stored.as_ref(), deadline).await?;
        }
        Ok(call)
    }

    async fn stored(&self, call: &Call, deadline: Instant) -> Result<Stored> {
        let name = match call.operation {
            Operation::Validate => {
                ConnectorConfig::read(&call.body).and_then(|config| Some(config.get("name")?.to_owned()))
            }
            _ => Some(self.subject(call)),
        };
        match name.filter(|name| !name.is_empty()) {
            Some(name) => self.config_of(&name, deadline).await,
            None => Ok(None),
        }
    }

    /// Returns the configuration of a connector as the workers have it.
    pub(super) async fn config_of(&self, name: &str, deadline: Instant) -> Result<Stored> {
        let reply = self.ask(&Call::new(Operation::Config, &[name]), deadline).await?;
        match reply.status {
            200 => Ok(Some(reply.into_bytes())),
            404 => Ok(None),
            status => Err(Kind::ConnectUnavailable
                .because(format!("The stored configuration cannot be read (status {status}); nothing was changed."))),
        }
    }

    async fn restored(&self, call: &Call, stored: Option<&Bytes>, deadline: Instant) -> Result<Option<Bytes>> {
        let secrets = self.secrets_of(stored.map(|bytes| &bytes[..]).unwrap_or(b"{}"), deadline).await;
        let stored = stored.map(|bytes| &bytes[..]);
        let restored = match call.operation {
            Operation::Create => restore_create(&call.body, stored, &secrets),
            Operation::PatchConfig => restore_patch(&call.body, stored, &secrets),
            _ => restore(&call.body, stored, &secrets),
        };
        restored.map_err(|error| error.as_kind(Kind::ConnectMasked))
    }

    async fn check(&self, call: &Call, stored: Option<&Bytes>, deadline: Instant) -> Result<()> {
        let unreadable = |_| Kind::BadRequest.because("The body has to be a JSON object, and nothing else.");
        let classes = self.allowable_classes(deadline).await?;
        let check = |config: &Entries<'_>| {
            self.guard.policy.check(config, &classes).map_err(|refusal| {
                Kind::ConnectPolicy.because(format!("Rule {}: {}", refusal.rule.name(), refusal.sentence))
            })
        };
        match call.operation {
            Operation::Create => configs_of(&call.body)
                .map_err(unreadable)?
                .into_iter()
                .try_for_each(|config| check(&Entries::parse(config).map_err(unreadable)?)),
            Operation::PatchConfig => {
                let patch = Entries::parse(&call.body).map_err(unreadable)?;
                let stored = Entries::parse(stored.map(|bytes| &bytes[..]).unwrap_or(b"{}")).map_err(unreadable)?;
                check(&stored.patched(patch))
            }
            _ => check(&Entries::parse(&call.body).map_err(unreadable)?),
        }
    }

    /// Returns the classes that the policy has to know; none where it allows all.
    pub(super) async fn allowable_classes(&self, deadline: Instant) -> Result<Vec<String>> {
        if self.guard.policy.needs_plugins() { self.classes(deadline).await } else { Ok(Vec::new()) }
    }

    /// Returns the classes of all connectors that the workers have.
    pub(super) async fn classes(&self, deadline: Instant) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Plugin {
            class: String,
        }
        let reply = self.ask(&Call::new(Operation::Plugins, &[]), deadline).await?;
        let unusable = || Kind::ConnectAnswer.because("The plugins of the Kafka Connect workers cannot be read.");
        let text = reply.body.whole(self.settings.max_answer_bytes).await.map_err(|_| unusable())?;
        let plugins: Vec<Plugin> = serde_json::from_slice(&text).map_err(|_| unusable())?;
        Ok(plugins.into_iter().map(|plugin| plugin.class).collect())
    }

    /// Returns which values of a configuration are secrets.
    ///
    /// Where the workers do not tell what a plugin calls a password, all of its values are.
    pub(super) async fn secrets_of(&self, config: &[u8], deadline: Instant) -> Secrets<'_> {
        self.secrets_of_all(&[config], deadline).await
    }

    /// Does the same for several configurations: what is a secret in one of them is so in all.
    pub(super) async fn secrets_of_all(&self, configs: &[&[u8]], deadline: Instant) -> Secrets<'_> {
        let named: Vec<_> = configs.iter().filter_map(|config| plugins(config).ok()).flatten().collect();
        let deadline = deadline.max(Instant::now() + LOOK_UP_LIMIT);
        let fetch = |class: Box<str>, version: Option<Box<str>>| async move {
            let query = version.map(|version| format!("version={}", crate::model::encode_segment(&version)));
            let call = Call::new(Operation::PluginConfig, &[&class]).query(&query.unwrap_or_default());
            let reply = Box::pin(self.ask(&call, deadline)).await.map_err(|_| NotAnswered)?;
            match reply.status {
                200 => reply.body.whole(self.settings.max_answer_bytes).await.map(Some).map_err(|_| NotAnswered),
                _ => Ok(None),
            }
        };
        let passwords = self.guard.definitions.passwords(&named, fetch).await.unwrap_or_else(|_| {
            let mut unknown = Passwords::default();
            named.iter().for_each(|plugin| unknown.add(plugin, None));
            unknown
        });
        Secrets::new(&self.guard.pattern, passwords)
    }

    /// Returns a message or trace without the secrets of a configuration, and without whatever reads like one.
    pub(super) async fn redacted(&self, text: &str, config: &[u8], deadline: Instant) -> String {
        if !self.guard.masks {
            return text.to_owned();
        }
        let secrets = self.secrets_of(config, deadline).await;
        secrets.redacted(text, &Known::of(config, &secrets))
    }

    /// Returns an answer as the client may see it.
    pub(super) async fn veil(&self, call: &Call, reply: Reply, deadline: Instant) -> Result<Reply> {
        let Some(shape) = shape(call.operation, reply.is_success()).filter(|_| self.guard.masks) else {
            return Ok(reply);
        };
        let body = reply.body.whole(self.settings.max_answer_bytes).await.map_err(unreadable)?;
        if body.is_empty() {
            return Ok(Reply { body: Body::Whole(body), ..reply });
        }
        let config = self.config_behind(call, shape, &body, deadline).await?;
        let secrets = self.secrets_of(&config, deadline).await;
        let known = Known::of(&config, &secrets);
        let masked = mask(shape, &body, &secrets, &known).map_err(|_| unreadable("it is not JSON"))?;
        Ok(Reply { body: Body::Whole(masked), ..reply })
    }

    /// Returns the configuration whose secrets may be in an answer.
    async fn config_behind(&self, call: &Call, shape: Shape, body: &Bytes, deadline: Instant) -> Result<Bytes> {
        let config_in = |body: &Bytes| last_config_of(body).map(|config| body.slice_ref(config)).unwrap_or_default();
        match shape {
            Shape::Config => Ok(body.clone()),
            Shape::Info | Shape::Expanded => Ok(config_in(body)),
            Shape::Validation => Ok(call.body.clone()),
            Shape::Error if call.operation == Operation::Create => Ok(config_in(&call.body)),
            Shape::Error if has_config(call.operation) => Ok(call.body.clone()),
            Shape::Error => Ok(Bytes::new()),
            // Without its configuration nothing tells which values of a task are secrets.
            Shape::Tasks | Shape::TasksConfig => {
                Ok(Box::pin(self.config_of(&call.name(), deadline)).await?.unwrap_or_default())
            }
            Shape::Status if memchr::memmem::find(body, b"\"trace\"").is_some() => {
                let deadline = deadline.min(Instant::now() + LOOK_UP_LIMIT);
                Ok(Box::pin(self.config_of(&call.name(), deadline)).await.unwrap_or_default().unwrap_or_default())
            }
            Shape::Status => Ok(Bytes::new()),
        }
    }
}

/// Tells whether the body of a request has a configuration in it.
fn has_config(operation: Operation) -> bool {
    matches!(operation, Operation::Create | Operation::PutConfig | Operation::PatchConfig | Operation::Validate)
}

/// Returns what an answer is; `None` where it cannot have secrets in it.
fn shape(operation: Operation, is_success: bool) -> Option<Shape> {
    if !is_success {
        return Some(Shape::Error);
    }
    match operation {
        Operation::Config => Some(Shape::Config),
        Operation::Connector | Operation::Create | Operation::PutConfig | Operation::PatchConfig => Some(Shape::Info),
        Operation::Tasks => Some(Shape::Tasks),
        Operation::TasksConfig => Some(Shape::TasksConfig),
        Operation::Validate => Some(Shape::Validation),
        Operation::Status | Operation::TaskStatus | Operation::Restart => Some(Shape::Status),
        // Its connectors are masked one by one.
        Operation::List => None,
        Operation::Root
        | Operation::Health
        | Operation::Delete
        | Operation::Pause
        | Operation::Resume
        | Operation::Stop
        | Operation::Topics
        | Operation::ResetTopics
        | Operation::Offsets
        | Operation::PatchOffsets
        | Operation::DeleteOffsets
        | Operation::RestartTask
        | Operation::Plugins
        | Operation::PluginConfig
        | Operation::Loggers
        | Operation::Logger
        | Operation::SetLogger => None,
    }
}

fn unreadable(why: impl std::fmt::Display) -> crate::error::Error {
    Kind::ConnectAnswer.because(format!("The answer of the Kafka Connect worker cannot be read: {why}."))
}
