use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use percent_encoding::percent_decode_str;

use crate::domain::consume::Instance;
use crate::error::{Error, Kind, Result};
use crate::http::caller::Caller;

/// The `{group}` and, where the path has one, the `{instance}`.
pub struct InstancePath {
    /// The group's id.
    pub group: String,
    /// The instance's name; empty where the path ends before it.
    pub name: String,
}

impl InstancePath {
    /// Returns the caller's instance; 40403 where there is none.
    pub fn find(&self, caller: &Caller) -> Result<Arc<Instance>> {
        caller.instances.find(&caller.principal, &self.group, &self.name)
    }
}

impl FromRequest for InstancePath {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(
            segment(request, "group").and_then(|group| Ok(InstancePath { group, name: segment(request, "instance")? })),
        )
    }
}

/// Decodes what the router leaves encoded: `%25`, `%2B` and `%2F`.
fn segment(request: &HttpRequest, name: &str) -> Result<String> {
    let decoded = percent_decode_str(request.match_info().query(name)).decode_utf8();
    let decoded = decoded.map_err(|_| Kind::BadRequest.because("The path is not UTF-8."))?;
    if decoded.contains('\0') {
        return Err(Kind::BadRequest.because("The path has a NUL character."));
    }
    Ok(decoded.into_owned())
}
