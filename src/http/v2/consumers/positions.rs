use std::collections::HashSet;

use actix_web::HttpResponse;

use crate::domain::consume::Position;
use crate::error::{Kind, Result};
use crate::http::answer::{Answer, Content};
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::fields::{Fields, missing};
use crate::http::v2::consumers::{
    ConsumerBody, Consumers, InstancePath, no_content, partition_of, partitions_of, timestamp_ms,
};
use crate::model::{PartitionId, Right, TopicName};

type Move = (TopicName, PartitionId, Position);

/// A number above this is milliseconds, below it seconds as the reference reads it: it is the year 5138 in seconds.
const SECONDS_END: f64 = 1e11;

/// `POST .../positions`: offsets first, then timestamps.
pub async fn set(
    path: InstancePath,
    _content: Content<ConsumerBody>,
    _answer: Answer<Consumers>,
    body: Body,
    caller: Caller,
) -> Result<HttpResponse> {
    let mut fields = Fields::required(&body.bytes)?;
    let mut moves =
        fields.objects("offsets")?.unwrap_or_default().into_iter().map(to_offset).collect::<Result<Vec<_>>>()?;
    let times =
        fields.objects("timestamps")?.unwrap_or_default().into_iter().map(to_time).collect::<Result<Vec<_>>>()?;
    fields.finish()?;
    let mut seen = HashSet::new();
    if let Some((topic, id, _)) = times.iter().find(|(topic, id, _)| !seen.insert((topic.clone(), *id))) {
        return Err(Kind::IllegalState.because(format!("Illegal state: Duplicate key {topic}-{id} in timestamps")));
    }
    moves.extend(times);
    seek(path, caller, |_| moves).await
}

/// `POST .../positions/beginning`: of these partitions, or of all that are assigned.
pub async fn beginning(
    path: InstancePath,
    _content: Content<ConsumerBody>,
    _answer: Answer<Consumers>,
    body: Body,
    caller: Caller,
) -> Result<HttpResponse> {
    to_edge(path, body, caller, Position::Beginning).await
}

/// `POST .../positions/end`: the same at the other end.
pub async fn end(
    path: InstancePath,
    _content: Content<ConsumerBody>,
    _answer: Answer<Consumers>,
    body: Body,
    caller: Caller,
) -> Result<HttpResponse> {
    to_edge(path, body, caller, Position::End).await
}

async fn to_edge(path: InstancePath, body: Body, caller: Caller, edge: Position) -> Result<HttpResponse> {
    let fields = Fields::required(&body.bytes)?;
    let partitions = partitions_of(fields)?;
    let to_edge = move |assigned: Vec<(TopicName, PartitionId)>| {
        let partitions = if partitions.is_empty() { assigned } else { partitions };
        partitions.into_iter().map(|(topic, id)| (topic, id, edge)).collect()
    };
    seek(path, caller, to_edge).await
}

async fn seek(
    path: InstancePath,
    caller: Caller,
    moves: impl FnOnce(Vec<(TopicName, PartitionId)>) -> Vec<Move>,
) -> Result<HttpResponse> {
    let instance = path.find(&caller)?;
    let _use = instance.in_use();
    let moves = moves(instance.assignment().await?);
    caller.may_all(Right::Read, moves.iter().map(|(topic, ..)| topic))?;
    instance.seek(&caller.kafka, moves, caller.config.kafka.request_timeout).await?;
    Ok(no_content())
}

fn to_offset(mut entry: Fields) -> Result<Move> {
    let (topic, id) = partition_of(&mut entry)?;
    let offset = entry.integer("offset")?.ok_or_else(|| missing("offset"))?;
    entry.text("metadata")?;
    entry.finish()?;
    if offset < 0 {
        return Err(Kind::Unprocessable.because(format!("offset {offset} is not an offset: the first is 0.")));
    }
    Ok((topic, id, Position::Offset(offset)))
}

fn to_time(mut entry: Fields) -> Result<Move> {
    let (topic, id) = partition_of(&mut entry)?;
    let given =
        entry.text("timestamp")?.ok_or_else(|| Kind::BadRequest.because("timestamp must not be null (was null)."))?;
    entry.text("metadata")?;
    entry.finish()?;
    let ms = match given.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => {
            (if number < SECONDS_END { number * 1000.0 } else { number }) as i64
        }
        Ok(_) => return Err(Kind::BadRequest.because("timestamp is before 1970.")),
        Err(_) => timestamp_ms(&given)?,
    };
    Ok((topic, id, Position::Timestamp(ms)))
}
