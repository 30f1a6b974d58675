use std::sync::PoisonError;
use std::time::{Duration, Instant};

use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::metadata_response::MetadataResponseBroker;
use kafka_protocol::messages::{DescribeClusterRequest, DescribeClusterResponse, MetadataRequest, MetadataResponse};

use crate::admin::Admin;
use crate::admin::convert::{operations, text};
use crate::admin::failure::Repeat;
use crate::admin::operation::{Operation, Route};
use crate::error::{Error, Kind, Result};
use crate::model::{Broker, Cluster};

/// How long the id of the cluster is believed: it only changes where another cluster takes the place of the first.
const ID_MAX_AGE: Duration = Duration::from_secs(60);

/// The id of the cluster and when it was asked for.
pub(super) struct CachedId {
    id: String,
    since: Instant,
}

impl Admin {
    /// Returns the id of the cluster, at most a minute old; an older one where no broker answers.
    pub async fn cluster_id(&self) -> Result<String> {
        let known = {
            let cached = self.cluster_id.lock().unwrap_or_else(PoisonError::into_inner);
            cached.as_ref().map(|cached| (cached.id.clone(), cached.since.elapsed()))
        };
        match known {
            Some((id, age)) if age < ID_MAX_AGE => Ok(id),
            Some((id, _)) => match self.describe_cluster(false).await {
                Ok(cluster) => Ok(cluster.id),
                Err(error) if error.kind() == Kind::KafkaRetriable => Ok(id),
                Err(error) => Err(error),
            },
            None => Ok(self.describe_cluster(false).await?.id),
        }
    }

    /// Describes the cluster and its brokers.
    ///
    /// With `authorized_operations` it also tells what the proxy's Kafka user may do with the cluster.
    pub async fn describe_cluster(&self, authorized_operations: bool) -> Result<Cluster> {
        let operation = self.operation()?;
        let request =
            |_| DescribeClusterRequest::default().with_include_cluster_authorized_operations(authorized_operations);
        let cluster = match operation.call(Route::Any, Repeat::Harmless, request).await {
            Ok(answer) => described(answer),
            // Kafka before 2.8, and the embedded one.
            Err(error) if error.kind() == Kind::Unsupported => described_by_metadata(&operation, error).await?,
            Err(error) => return Err(error),
        };
        let remembered = CachedId { id: cluster.id.clone(), since: Instant::now() };
        *self.cluster_id.lock().unwrap_or_else(PoisonError::into_inner) = Some(remembered);
        Ok(cluster)
    }
}

fn described(answer: DescribeClusterResponse) -> Cluster {
    let broker = |broker: DescribeClusterBroker| Broker {
        id: broker.broker_id.0,
        host: broker.host.to_string(),
        port: broker.port,
        rack: text(broker.rack),
    };
    Cluster {
        id: answer.cluster_id.to_string(),
        controller: controller(answer.controller_id.0),
        brokers: answer.brokers.into_iter().map(broker).collect(),
        authorized_operations: operations(answer.cluster_authorized_operations),
    }
}

async fn described_by_metadata(operation: &Operation<'_>, unsupported: Error) -> Result<Cluster> {
    let request = |_| MetadataRequest::default().with_topics(Some(Vec::new())).with_allow_auto_topic_creation(false);
    let answer: MetadataResponse = operation.call(Route::Any, Repeat::Harmless, request).await?;
    let broker = |broker: MetadataResponseBroker| Broker {
        id: broker.node_id.0,
        host: broker.host.to_string(),
        port: broker.port,
        rack: text(broker.rack),
    };
    let brokers: Vec<Broker> = answer.brokers.into_iter().map(broker).collect();
    Ok(Cluster {
        id: answer.cluster_id.ok_or(unsupported)?.to_string(),
        // The embedded one names a controller that is none of its brokers.
        controller: controller(answer.controller_id.0).filter(|id| brokers.iter().any(|broker| broker.id == *id)),
        brokers,
        authorized_operations: operations(answer.cluster_authorized_operations),
    })
}

fn controller(id: i32) -> Option<i32> {
    Some(id).filter(|id| *id >= 0)
}
