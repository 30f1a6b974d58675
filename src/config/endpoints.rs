use crate::config::settings::Settings;
use crate::config::spelling;

/// The section `[endpoints]`: what is served at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Endpoints {
    /// Names, or beginnings of names and `.*`; where there are any, nothing else is served.
    pub allow: Vec<String>,
    /// The same; these are not served.
    pub block: Vec<String>,
}

/// Names that stand for others too, as they do in lists that were written for the reference.
const ALIASES: &[(&str, &str)] = &[
    ("api.v3.partition-offsets.*", "api.v3.partitions.list.offsets"),
    ("api.v3.topic-configs.list", "api.v3.topic-configs.list-all"),
];

/// What the endpoints of this proxy about itself begin with: no list of what is served of an API leaves them out.
const OWN: &str = "proxy.";

impl Endpoints {
    pub(super) fn read(settings: &mut Settings) -> Self {
        let what = "the name of an endpoint, or the beginning of one and .*";
        let mut names = |key| settings.list(key, "", what, |text| !text.is_empty());
        let endpoints = Self { allow: names("endpoints.allow"), block: names("endpoints.block") };
        for (key, items) in [("endpoints.allow", &endpoints.allow), ("endpoints.block", &endpoints.block)] {
            if let Some(item) = items.iter().find(|item| !NAMES.iter().any(|name| stands_for(item, name))) {
                settings.require(false, key, &format!("has {item:?}, which is no endpoint{}", hint(item)));
            }
        }
        endpoints
    }

    /// Tells whether every endpoint is served.
    pub fn are_all(&self) -> bool {
        self.allow.is_empty() && self.block.is_empty()
    }

    /// Tells whether the endpoint of this name is served.
    pub fn serve(&self, name: &str) -> bool {
        let names = |list: &[String]| list.iter().any(|item| stands_for(item, name));
        let is_allowed = self.allow.is_empty() || name.starts_with(OWN) || names(&self.allow);
        is_allowed && !names(&self.block)
    }
}

/// Tells whether an item of a list stands for an endpoint.
fn stands_for(item: &str, name: &str) -> bool {
    let is_beginning = |prefix: &str| name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'));
    item == name || item.strip_suffix(".*").is_some_and(is_beginning) || ALIASES.contains(&(item, name))
}

fn hint(item: &str) -> String {
    match spelling::nearest(item.trim_end_matches(".*"), NAMES.iter().copied()) {
        Some(name) => format!("; did you mean {name}?"),
        None => "; docs/API.md lists them".to_owned(),
    }
}

/// The names of all endpoints, sorted; a test compares them with the routes.
pub const NAMES: &[&str] = &[
    "api.v1.brokers.list",
    "api.v1.consumers.commit-offsets",
    "api.v1.consumers.consume-avro",
    "api.v1.consumers.consume-binary",
    "api.v1.consumers.consume-json",
    "api.v1.consumers.consume-json-schema",
    "api.v1.consumers.consume-protobuf",
    "api.v1.consumers.create",
    "api.v1.consumers.delete",
    "api.v1.partitions.get",
    "api.v1.partitions.list",
    "api.v1.partitions.read",
    "api.v1.produce-to-partition.avro",
    "api.v1.produce-to-partition.binary",
    "api.v1.produce-to-partition.json",
    "api.v1.produce-to-partition.json-schema",
    "api.v1.produce-to-partition.protobuf",
    "api.v1.produce-to-topic.avro",
    "api.v1.produce-to-topic.binary",
    "api.v1.produce-to-topic.json",
    "api.v1.produce-to-topic.json-schema",
    "api.v1.produce-to-topic.protobuf",
    "api.v1.root.get",
    "api.v1.root.post",
    "api.v1.topics.get",
    "api.v1.topics.list",
    "api.v2.brokers.list",
    "api.v2.consumers.assign",
    "api.v2.consumers.commit-offsets",
    "api.v2.consumers.consume-avro",
    "api.v2.consumers.consume-binary",
    "api.v2.consumers.consume-json",
    "api.v2.consumers.consume-json-schema",
    "api.v2.consumers.consume-protobuf",
    "api.v2.consumers.create",
    "api.v2.consumers.delete",
    "api.v2.consumers.get-assignments",
    "api.v2.consumers.get-committed-offsets",
    "api.v2.consumers.get-subscription",
    "api.v2.consumers.seek-to-beginning",
    "api.v2.consumers.seek-to-end",
    "api.v2.consumers.seek-to-offset",
    "api.v2.consumers.subscribe",
    "api.v2.consumers.unsubscribe",
    "api.v2.partitions.get",
    "api.v2.partitions.get-offsets",
    "api.v2.partitions.list",
    "api.v2.partitions.read",
    "api.v2.produce-to-partition.avro",
    "api.v2.produce-to-partition.binary",
    "api.v2.produce-to-partition.json",
    "api.v2.produce-to-partition.json-schema",
    "api.v2.produce-to-partition.protobuf",
    "api.v2.produce-to-topic.avro",
    "api.v2.produce-to-topic.binary",
    "api.v2.produce-to-topic.json",
    "api.v2.produce-to-topic.json-schema",
    "api.v2.produce-to-topic.protobuf",
    "api.v2.root.get",
    "api.v2.root.post",
    "api.v2.topics.get",
    "api.v2.topics.list",
    "api.v3.acls.batch-create",
    "api.v3.acls.create",
    "api.v3.acls.delete",
    "api.v3.acls.list",
    "api.v3.batch-produce.produce-to-topic",
    "api.v3.broker-configs.alter",
    "api.v3.broker-configs.delete",
    "api.v3.broker-configs.get",
    "api.v3.broker-configs.list",
    "api.v3.broker-configs.update",
    "api.v3.brokers-configs.list",
    "api.v3.brokers.get",
    "api.v3.brokers.list",
    "api.v3.client-quotas.alter",
    "api.v3.client-quotas.list",
    "api.v3.cluster-configs.alter",
    "api.v3.cluster-configs.delete",
    "api.v3.cluster-configs.get",
    "api.v3.cluster-configs.list",
    "api.v3.cluster-configs.update",
    "api.v3.clusters.get",
    "api.v3.clusters.list",
    "api.v3.consumer-assignments.get",
    "api.v3.consumer-assignments.list",
    "api.v3.consumer-group-lag-summary.get",
    "api.v3.consumer-group-offsets.alter",
    "api.v3.consumer-group-offsets.delete",
    "api.v3.consumer-group-offsets.get",
    "api.v3.consumer-group-offsets.list",
    "api.v3.consumer-group-offsets.reset",
    "api.v3.consumer-groups.batch-delete",
    "api.v3.consumer-groups.get",
    "api.v3.consumer-groups.list",
    "api.v3.consumer-lags.get",
    "api.v3.consumer-lags.list",
    "api.v3.consumers.get",
    "api.v3.consumers.list",
    "api.v3.leaders.batch-elect",
    "api.v3.leaders.elect",
    "api.v3.log-dirs.search-by-broker",
    "api.v3.log-dirs.search-by-topic",
    "api.v3.partition-reassignments.alter",
    "api.v3.partition-reassignments.delete",
    "api.v3.partition-reassignments.get",
    "api.v3.partition-reassignments.list",
    "api.v3.partition-reassignments.search-by-topic",
    "api.v3.partition-reassignments.update",
    "api.v3.partitions.delete-records",
    "api.v3.partitions.get",
    "api.v3.partitions.list",
    "api.v3.partitions.list.offsets",
    "api.v3.produce.produce-to-topic",
    "api.v3.producers.get",
    "api.v3.producers.list",
    "api.v3.replicas.get",
    "api.v3.replicas.list",
    "api.v3.replicas.search-by-broker",
    "api.v3.scram-users.delete",
    "api.v3.scram-users.get",
    "api.v3.scram-users.list",
    "api.v3.scram-users.update",
    "api.v3.topic-configs.alter",
    "api.v3.topic-configs.alter-multi",
    "api.v3.topic-configs.delete",
    "api.v3.topic-configs.get",
    "api.v3.topic-configs.list",
    "api.v3.topic-configs.list-all",
    "api.v3.topic-configs.update",
    "api.v3.topics.create",
    "api.v3.topics.delete",
    "api.v3.topics.get",
    "api.v3.topics.list",
    "api.v3.topics.partitions",
    "api.v3.transactions.get",
    "api.v3.transactions.list",
    "connect.connectors.create",
    "connect.connectors.delete",
    "connect.connectors.get",
    "connect.connectors.get-config",
    "connect.connectors.get-status",
    "connect.connectors.list",
    "connect.connectors.list-topics",
    "connect.connectors.patch-config",
    "connect.connectors.pause",
    "connect.connectors.reset-topics",
    "connect.connectors.restart",
    "connect.connectors.resume",
    "connect.connectors.stop",
    "connect.connectors.update-config",
    "connect.health.get",
    "connect.loggers.get",
    "connect.loggers.list",
    "connect.loggers.update",
    "connect.offsets.alter",
    "connect.offsets.delete",
    "connect.offsets.get",
    "connect.plugins.get-config",
    "connect.plugins.list",
    "connect.plugins.validate",
    "connect.root.get",
    "connect.tasks.get-status",
    "connect.tasks.list",
    "connect.tasks.list-configs",
    "connect.tasks.restart",
    "connect.v1.clusters.list",
    "connect.v1.connectors.apply",
    "connect.v1.connectors.list",
    "connect.v1.connectors.plan",
    "connect.v1.overview.get",
    "proxy.docs",
    "proxy.health",
    "proxy.live",
    "proxy.openapi",
    "proxy.ready",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(allow: &[&str], block: &[&str]) -> Endpoints {
        let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        Endpoints { allow: list(allow), block: list(block) }
    }

    #[test]
    fn a_list_has_names_and_beginnings_of_names() {
        let cases: [(&[&str], &[&str], &str, bool); 12] = [
            (&[], &[], "api.v3.topics.list", true),
            (&["api.v3.topics.list"], &[], "api.v3.topics.list", true),
            (&["api.v3.topics.list"], &[], "api.v3.topics.get", false),
            (&["api.v3.topics.*"], &[], "api.v3.topics.get", true),
            (&["api.v3.*"], &[], "api.v2.topics.get", false),
            (&[], &["api.v3.topics.*"], "api.v3.topics.get", false),
            // It is no beginning of a word.
            (&[], &["api.v3.consumer.*"], "api.v3.consumer-groups.list", true),
            (&["api.v3.topics.*"], &["api.v3.topics.delete"], "api.v3.topics.delete", false),
            (&[], &["api.v3.topic-configs.list"], "api.v3.topic-configs.list-all", false),
            (&[], &["api.v3.partition-offsets.*"], "api.v3.partitions.list.offsets", false),
            (&["api.v2.*"], &[], "proxy.health", true),
            (&["api.v2.*"], &["proxy.*"], "proxy.health", false),
        ];
        for (allow, block, name, expected) in cases {
            assert_eq!(endpoints(allow, block).serve(name), expected, "{allow:?} {block:?} {name}");
        }
    }
}
