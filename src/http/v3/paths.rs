use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::error::{Error, Result};
use crate::http::v3::parameters::{number, segment};

/// The `{group}` of a path.
pub struct GroupPath(pub String);

/// The `{broker}` of a path; what is no number is a path that does not exist.
pub struct BrokerPath(pub i32);

/// The `{partition}` of a path; what is no number is a path that does not exist.
pub struct PartitionNumber(pub i32);

/// The `{topic}` and `{partition}` of a path, to be looked for among those of a group: no topic need exist.
pub struct PlacePath(pub String, pub i32);

/// The `{name}` of a path: that of a config.
pub struct ConfigName(pub String);

impl FromRequest for GroupPath {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(segment(request, "group").map(GroupPath))
    }
}

impl FromRequest for BrokerPath {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(number(request, "broker").map(BrokerPath))
    }
}

impl FromRequest for PartitionNumber {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(number(request, "partition").map(PartitionNumber))
    }
}

impl FromRequest for PlacePath {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let place = segment(request, "topic").and_then(|topic| Ok(PlacePath(topic, number(request, "partition")?)));
        ready(place)
    }
}

impl FromRequest for ConfigName {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(segment(request, "name").map(ConfigName))
    }
}
