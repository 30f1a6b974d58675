//! What `/openapi.json` says of administration.

use crate::error::Kind;
use crate::http::doc::Doc;
use crate::http::v3::{Json, V3};

/// Says it of a request that reads.
pub fn reads(summary: &'static str) -> Doc {
    Doc::of(summary).gives::<V3>(200, "").fails(&[Kind::NotFound])
}

/// Says it of a request that has a body and is answered with 204.
pub fn changes(summary: &'static str) -> Doc {
    Doc::of(summary).takes::<Json>("").gives_nothing(204).fails(&[
        Kind::KafkaBadRequest,
        Kind::NotFound,
        Kind::InvalidPayload,
    ])
}

/// Says it of a request that has no body and is answered with 204.
pub fn removes(summary: &'static str) -> Doc {
    Doc::of(summary).gives_nothing(204).fails(&[Kind::NotFound])
}

/// Says it of a request that has a body and is answered with `status` and a document.
pub fn makes(summary: &'static str, status: u16) -> Doc {
    Doc::of(summary).takes::<Json>("").gives::<V3>(status, "").fails(&[Kind::KafkaBadRequest, Kind::InvalidPayload])
}
