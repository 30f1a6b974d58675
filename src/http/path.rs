use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::error::{Error, Kind, Result};
use crate::model::{PartitionId, TopicName};

/// The `{topic}` of a path; a name that Kafka does not allow is refused.
pub struct TopicPath(pub TopicName);

/// The `{topic}` and `{partition}` of a path; what is no number is a path that does not exist, as in the reference.
pub struct PartitionPath(pub TopicName, pub PartitionId);

impl FromRequest for TopicPath {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(topic(request).map(TopicPath))
    }
}

impl FromRequest for PartitionPath {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(topic_and_partition(request))
    }
}

fn topic_and_partition(request: &HttpRequest) -> Result<PartitionPath> {
    let number: i32 = request.match_info().query("partition").parse().map_err(|_| Error::from(Kind::NotFound))?;
    Ok(PartitionPath(topic(request)?, PartitionId::try_from(number)?))
}

fn topic(request: &HttpRequest) -> Result<TopicName> {
    // The router leaves some escapes in place; a legal name has none.
    TopicName::try_from(request.match_info().query("topic"))
}
