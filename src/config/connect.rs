use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::remote::{Remote, is_url};
use crate::config::settings::Settings;

/// The name of the cluster that is also served at the root.
pub const DEFAULT_CLUSTER: &str = "default";

/// The sections `[connect.NAME]`: Kafka Connect clusters by name.
pub type Connect = BTreeMap<String, ConnectCluster>;

/// A section `[connect.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectCluster {
    /// Its workers, or some of them.
    pub remote: Remote,
    /// How the workers are found.
    pub discovery: Discovery,
    /// The Kafka group of the workers; empty is found by their URLs.
    pub group_id: String,
    /// Advertised URLs and what to use in their place.
    pub url_rewrite: Vec<(String, String)>,
    /// For a whole request, with all that is tried again.
    pub request_timeout: Duration,
    /// For a connection to a worker.
    pub connect_timeout: Duration,
    /// How long a worker may take to answer a read before another is asked.
    pub read_timeout: Duration,
    /// How long a worker may take to answer a write.
    pub write_timeout: Duration,
    /// How often workers are looked at.
    pub health_interval: Duration,
    /// Writes at a time.
    pub concurrent_writes: usize,
    /// Writes that may wait for their turn.
    pub queued_writes: usize,
    /// Whether a configuration that is the stored one is not written again.
    pub skip_unchanged: bool,
    /// The body of a request.
    pub max_body_bytes: u64,
    /// An answer that has to be read whole.
    pub max_answer_bytes: u64,
    /// Whether `/admin/loggers` is served.
    pub loggers: bool,
    /// Whether secrets in configurations are masked.
    pub mask_secrets: bool,
    /// A regular expression for the keys of secrets, beside those that plugins call passwords; empty is the built-in one.
    pub secret_keys: String,
    /// Classes of connectors that may be created, with `*`; empty is all.
    pub allowed_classes: Vec<String>,
    /// Keys, or with `*` at the end beginnings of keys, that configurations may not have.
    pub denied_keys: Vec<String>,
    /// The most that `tasks.max` may be; 0 is no limit.
    pub max_tasks: u32,
    /// Whether failed tasks and connectors are started again.
    pub restart_failed: bool,
    /// How often one is started again before it is left to the operators.
    pub restart_attempts: u32,
    /// The first wait before a restart; each further one is longer.
    pub restart_backoff: Duration,
    /// The group of the instances of a fleet, of which one starts connectors again; empty is made of the cluster's name.
    pub restart_group: String,
}

/// How the workers of a cluster are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// They are those of `urls`.
    Urls,
    /// They are all addresses that the hosts of `urls` stand for.
    Dns,
    /// Kafka knows them, as they are members of a group; `urls` are the first.
    Kafka,
}

impl Discovery {
    const ALL: [Discovery; 3] = [Discovery::Urls, Discovery::Dns, Discovery::Kafka];

    fn name(self) -> &'static str {
        match self {
            Discovery::Urls => "urls",
            Discovery::Dns => "dns",
            Discovery::Kafka => "kafka",
        }
    }
}

/// Reads every section that is given.
pub(super) fn read(settings: &mut Settings) -> Connect {
    let names = settings.sections("connect");
    names.into_iter().map(|name| (name.clone(), ConnectCluster::read(settings, &name))).collect()
}

impl ConnectCluster {
    /// Reads `[connect.name]`.
    pub(super) fn read(settings: &mut Settings, name: &str) -> Self {
        let section = format!("connect.{name}");
        let key = |name: &str| format!("{section}.{name}");
        let cluster = Self {
            remote: Remote::read(settings, &section),
            discovery: settings.choice(&key("discovery"), "urls", &Discovery::ALL, Discovery::name),
            group_id: settings.text(&key("group_id"), "", "a group", |_| true),
            url_rewrite: pairs(settings, &key("url_rewrite")),
            request_timeout: settings.duration(&key("request_timeout"), "100s", "1s"..="10m"),
            connect_timeout: settings.duration(&key("connect_timeout"), "2s", "10ms"..="1m"),
            read_timeout: settings.duration(&key("read_timeout"), "10s", "100ms"..="5m"),
            write_timeout: settings.duration(&key("write_timeout"), "95s", "1s"..="10m"),
            health_interval: settings.duration(&key("health_interval"), "3s", "100ms"..="5m"),
            concurrent_writes: settings.count(&key("concurrent_writes"), 10, 1..=1000),
            queued_writes: settings.count(&key("queued_writes"), 200, 0..=100_000),
            skip_unchanged: settings.flag(&key("skip_unchanged"), false),
            max_body_bytes: settings.size(&key("max_body_bytes"), "4MiB", "1KiB"..="64MiB"),
            max_answer_bytes: settings.size(&key("max_answer_bytes"), "64MiB", "64KiB"..="1GiB"),
            loggers: settings.flag(&key("loggers"), true),
            mask_secrets: settings.flag(&key("mask_secrets"), true),
            secret_keys: settings.text(&key("secret_keys"), "", "a regular expression", is_pattern),
            allowed_classes: settings.list(&key("allowed_classes"), "", "a class, with * for any letters", |_| true),
            denied_keys: settings.list(&key("denied_keys"), "", "a key, or its beginning and *", |_| true),
            max_tasks: settings.count(&key("max_tasks"), 0, 0..=1_000_000),
            restart_failed: settings.flag(&key("restart_failed"), false),
            restart_attempts: settings.count(&key("restart_attempts"), 7, 1..=1000),
            restart_backoff: settings.duration(&key("restart_backoff"), "1m", "100ms"..="24h"),
            restart_group: settings.text(&key("restart_group"), "", "a group", |_| true),
        };
        cluster.check(settings, name);
        cluster
    }

    fn check(&self, settings: &mut Settings, name: &str) {
        let urls = format!("connect.{name}.urls");
        let is_name = name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'));
        settings.require(is_name, &urls, "is below a name that is not of letters, digits, - and _");
        settings.require(name != "v1", &urls, "is below the name v1, which paths of the API have");
        settings.require(!self.remote.urls.is_empty(), &urls, "is required: at least one worker's URL");
    }
}

/// Reads `FROM=TO,..`.
fn pairs(settings: &mut Settings, key: &str) -> Vec<(String, String)> {
    let pair = |item: &str| item.split_once('=').map(|(from, to)| (from.to_owned(), to.to_owned()));
    let is_pair = |item: &str| item.split_once('=').is_some_and(|(from, to)| is_url(from) && is_url(to));
    settings.list(key, "", "URL=URL", is_pair).iter().filter_map(|item| pair(item)).collect()
}

fn is_pattern(text: &str) -> bool {
    regex::Regex::new(text).is_ok()
}
