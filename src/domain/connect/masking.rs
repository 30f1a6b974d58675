use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::config::ConnectCluster;
use crate::domain::connect::call::Call;
use crate::domain::connect::cluster::Cluster;
use crate::domain::connect::operation::Operation;
use crate::domain::connect::secrets::{Definitions, KeyPattern, Known, Passwords, Plugin, Secrets, plugins};
use crate::error::{Kind, Result};

/// Definitions of plugins that are kept.
const MOST_PLUGINS: usize = 512;

/// How long they are believed: a rolling upgrade of the workers changes them.
const PLUGINS_MAX_AGE: Duration = Duration::from_secs(600);

/// What tells the secrets of a cluster's configurations.
pub(super) struct Masking {
    pattern: KeyPattern,
    definitions: Definitions,
}

impl Masking {
    pub(super) fn new(settings: &ConnectCluster) -> Result<Masking, String> {
        let pattern = match settings.secret_keys.as_str() {
            "" => Ok(KeyPattern::built_in()),
            pattern => KeyPattern::parse(pattern).map_err(|error| error.message().to_owned()),
        };
        Ok(Masking { pattern: pattern?, definitions: Definitions::new(MOST_PLUGINS, PLUGINS_MAX_AGE) })
    }
}

impl Cluster {
    /// Returns what is secret in configurations with the plugins that these name.
    ///
    /// Where a worker does not tell what a plugin's definition is, every value of the plugin counts as a secret.
    pub(super) async fn secrets_in(&self, configs: &[&[u8]], deadline: Instant) -> Secrets<'_> {
        let named: Vec<Plugin> = configs.iter().filter_map(|config| plugins(config).ok()).flatten().collect();
        let fetch = |class: Box<str>, version: Option<Box<str>>| self.definition(class, version, deadline);
        let found = self.masking.definitions.passwords(&named, fetch).await;
        let passwords = found.unwrap_or_else(|_| {
            let mut none = Passwords::default();
            named.iter().for_each(|plugin| none.add(plugin, None));
            none
        });
        Secrets::new(&self.masking.pattern, passwords)
    }

    /// Returns a message or trace without the secrets of a configuration, and without whatever reads like one.
    pub(super) async fn redacted(&self, text: &str, config: &[u8], deadline: Instant) -> String {
        let secrets = self.secrets_in(&[config], deadline).await;
        self.without_secrets(text, &secrets, &Known::of(config, &secrets))
    }

    /// Does the same where the secrets have been found.
    pub(super) fn without_secrets(&self, text: &str, secrets: &Secrets<'_>, known: &Known) -> String {
        if self.settings.mask_secrets { secrets.redacted(text, known) } else { text.to_owned() }
    }

    async fn definition(&self, class: Box<str>, version: Option<Box<str>>, deadline: Instant) -> Result<Option<Bytes>> {
        let call = Call::new(Operation::PluginConfig, &[&class]);
        let call = match version {
            Some(version) => call.query(&format!("version={}", crate::model::encode_segment(&version))),
            None => call,
        };
        let reply = self.ask(&call, deadline).await?;
        match reply.status {
            200 => reply.whole(self.settings.max_answer_bytes).await.map(Some),
            400..500 => Ok(None),
            _ => Err(Kind::ConnectAnswer.into()),
        }
    }
}
