use actix_web::HttpResponse;
use serde_json::json;

use crate::error::{Kind, Result};
use crate::http::answer::{Answer, Content};
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::fields::{Fields, missing};
use crate::http::v2::consumers::{ConsumerBody, Consumers, InstancePath, partition_of, partitions_of};
use crate::model::{PartitionOffset, Right};

/// `GET .../offsets`: what the group has committed of the partitions in the body.
pub async fn committed(
    path: InstancePath,
    answer: Answer<Consumers>,
    body: Body,
    caller: Caller,
) -> Result<HttpResponse> {
    let Some(fields) = Fields::parse(&body.bytes)? else {
        return Err(Kind::PartitionNotFound.because(
            "Partition not found. Name the partitions in the body: {\"partitions\":[{\"topic\":..,\"partition\":..}]}.",
        ));
    };
    let partitions = partitions_of(fields)?;
    caller.may_all(Right::Describe, partitions.iter().map(|(topic, _)| topic))?;
    let instance = path.find(&caller)?;
    let _use = instance.in_use();
    let committed = instance.committed(&caller.kafka, partitions, caller.config.kafka.request_timeout).await?;
    let entry = |item: &PartitionOffset| json!({ "topic": item.topic.as_str(), "partition": item.partition.get(), "offset": item.offset, "metadata": item.metadata });
    answer.json(&json!({ "offsets": committed.iter().map(entry).collect::<Vec<_>>() }))
}

/// `POST .../offsets`: without a body what was delivered, else the offsets of the last records that were processed.
pub async fn commit(
    path: InstancePath,
    _content: Content<ConsumerBody>,
    answer: Answer<Consumers>,
    body: Body,
    caller: Caller,
) -> Result<HttpResponse> {
    let offsets = Fields::parse(&body.bytes)?.map(offsets_of).transpose()?;
    caller.may_all(Right::Read, offsets.iter().flatten().map(|item| &item.topic))?;
    let instance = path.find(&caller)?;
    let _use = instance.in_use();
    match offsets {
        None => drop(instance.commit_delivered(caller.config.kafka.request_timeout).await?),
        Some(offsets) => instance.commit(&caller.kafka, offsets, caller.config.kafka.request_timeout).await?,
    }
    answer.json(&json!([]))
}

/// Takes the offsets of a body; the one after each is the next to read, and that is what Kafka stores.
fn offsets_of(mut fields: Fields) -> Result<Vec<PartitionOffset>> {
    let entries = fields.objects("offsets")?;
    fields.finish()?;
    let entries = entries.ok_or_else(|| missing("offsets"))?;
    let mut offsets: Vec<PartitionOffset> = Vec::with_capacity(entries.len());
    for mut entry in entries {
        let (topic, partition) = partition_of(&mut entry)?;
        let offset = entry.integer("offset")?.ok_or_else(|| missing("offset"))?;
        let metadata = entry.text("metadata")?.unwrap_or_default();
        entry.finish()?;
        let next = offset.checked_add(1).filter(|next| *next >= 0);
        let next = next.ok_or_else(|| {
            Kind::Unprocessable.because(format!("offset {offset} is not an offset: it is -1 or more."))
        })?;
        if metadata.contains('\0') {
            return Err(Kind::Unprocessable.because("metadata must not have NUL characters."));
        }
        // Of two entries for a partition the last counts.
        offsets.retain(|before| (&before.topic, before.partition) != (&topic, partition));
        offsets.push(PartitionOffset { topic, partition, offset: next, metadata });
    }
    Ok(offsets)
}
