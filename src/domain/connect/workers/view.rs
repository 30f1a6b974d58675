use std::time::Instant;

use crate::domain::connect::workers::{Health, Workers};
use crate::model::GroupState;

/// What operators see of the workers of a cluster.
#[derive(Clone, Debug)]
pub struct View {
    /// By URL; spare ones last.
    pub workers: Vec<WorkerView>,
    /// `None` where Kafka is not asked or never answered.
    pub group: Option<GroupView>,
}

/// What they see of one.
#[derive(Clone, Debug)]
pub struct WorkerView {
    /// Where it is asked.
    pub url: String,
    /// `HOST:PORT`.
    pub id: String,
    /// How it is.
    pub health: Health,
    /// Since when it is so.
    pub since: Instant,
    /// Whether it leads, as far as is known.
    pub is_leader: bool,
    /// Whether it is configured and Kafka does not list it.
    pub is_spare: bool,
    /// How many connectors it runs; `None` where Kafka does not tell.
    pub connectors: Option<usize>,
    /// How many tasks it runs; `None` where Kafka does not tell.
    pub tasks: Option<usize>,
}

/// What they see of the group of the workers.
#[derive(Clone, Debug)]
pub struct GroupView {
    /// `group.id` of the workers.
    pub id: String,
    /// What it is doing.
    pub state: GroupState,
    /// Whether connectors and tasks are just being shared out.
    pub is_rebalancing: bool,
}

impl Workers {
    /// Returns what is known of the workers.
    pub fn view(&self) -> View {
        let known = self.known();
        let members = known.members.iter().map(|worker| (worker, false));
        let all = members.chain(known.spares.iter().map(|worker| (worker, true)));
        let workers = all.map(|(worker, is_spare)| {
            let group = known.group.as_ref();
            let member = group.and_then(|group| group.workers.iter().find(|member| member.url == worker.url));
            WorkerView {
                url: worker.url.clone(),
                id: worker.id().to_owned(),
                health: worker.health(),
                since: worker.since(),
                is_leader: known.leader.as_ref().is_some_and(|leader| leader.url == worker.url),
                is_spare,
                connectors: member.map(|member| member.connectors.len()),
                tasks: member.map(|member| member.tasks.len()),
            }
        });
        let group = known.group.as_ref().zip(known.group_state).map(|(group, state)| GroupView {
            id: group.id.clone(),
            state,
            is_rebalancing: crate::model::ConnectGroup { state, ..(**group).clone() }.is_rebalancing(),
        });
        View { workers: workers.collect(), group }
    }
}
