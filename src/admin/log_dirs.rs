use kafka_protocol::messages::DescribeLogDirsRequest;
use kafka_protocol::messages::describe_log_dirs_response::{DescribeLogDirsResult, DescribeLogDirsTopic};

use crate::admin::Admin;
use crate::admin::code::Code;
use crate::admin::convert::topic;
use crate::admin::failure::Repeat;
use crate::admin::operation::Route;
use crate::error::Result;
use crate::model::{LogDir, LogDirReplica};

impl Admin {
    /// Describes the folders of a broker and the copies of partitions in them.
    pub async fn describe_log_dirs(&self, broker: i32) -> Result<Vec<LogDir>> {
        let request = |_| DescribeLogDirsRequest::default().with_topics(None);
        let answer = self.operation()?.call(Route::Broker(broker), Repeat::Harmless, request).await?;
        Ok(answer.results.iter().map(folder).collect())
    }
}

fn folder(found: &DescribeLogDirsResult) -> LogDir {
    let mut replicas: Vec<LogDirReplica> = found.topics.iter().flat_map(copies).collect();
    replicas.sort_unstable_by(|one, other| (&one.topic, one.partition).cmp(&(&other.topic, other.partition)));
    LogDir {
        path: found.log_dir.to_string(),
        total_bytes: Some(found.total_bytes).filter(|bytes| *bytes >= 0),
        usable_bytes: Some(found.usable_bytes).filter(|bytes| *bytes >= 0),
        replicas: Code(found.error_code).ok(None).map(|()| replicas),
    }
}

fn copies(found: &DescribeLogDirsTopic) -> impl Iterator<Item = LogDirReplica> {
    let topic = topic(&found.name).ok();
    found.partitions.iter().filter_map(move |partition| {
        Some(LogDirReplica {
            topic: topic.clone()?,
            partition: partition.partition_index,
            size_bytes: partition.partition_size,
            offset_lag: partition.offset_lag,
            is_future: partition.is_future_key,
        })
    })
}
