//! What `/openapi.json` says of API v3.

use schemars::JsonSchema;

use crate::error::Kind;
use crate::http::doc::Doc;
use crate::http::v3::rendering::{Collection, Resource};
use crate::http::v3::{Json, V3};

/// Says of a request that it reads a resource.
pub fn one<T: JsonSchema>(summary: &'static str, kind: &'static str) -> Doc {
    Doc::of(summary).gives_as::<V3, Resource<T>>(200, kind).fails(&[Kind::NotFound])
}

/// Says of a request that it lists resources; `kind` ends in `List`.
pub fn many<T: JsonSchema>(summary: &'static str, kind: &'static str) -> Doc {
    Doc::of(summary).gives_as::<V3, Collection<T>>(200, kind).fails(&[Kind::NotFound])
}

/// Says of a request that it changes something with the document `takes`, a name of [`schemas`](super::schemas).
pub fn changes(summary: &'static str, takes: &'static str) -> Doc {
    Doc::of(summary).takes::<Json>(takes).fails(&[Kind::KafkaBadRequest, Kind::NotFound, Kind::InvalidPayload])
}

/// Says of a request that it removes something, and has neither body nor answer.
pub fn removes(summary: &'static str) -> Doc {
    Doc::of(summary).gives_nothing(204).fails(&[Kind::NotFound])
}
