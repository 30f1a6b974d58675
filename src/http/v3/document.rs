use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;

use crate::error::{Error, Kind, Result};
use crate::http::answer::Content;
use crate::http::body::Body;
use crate::http::fields::Fields;
use crate::http::v3::{Json, Typed};

/// The JSON document that a request has as its body, or that it has none.
///
/// 415 for another type, 400 for a body without a type.
pub struct Document {
    body: Body,
}

impl Document {
    /// Returns the text; empty or white space where there is none.
    pub fn bytes(&self) -> &Bytes {
        &self.body.bytes
    }

    /// Returns the fields; `None` where there is no document, or `null`. 400 for what is no object.
    pub fn fields(&self) -> Result<Option<Fields>> {
        Fields::parse(&self.body.bytes)
    }

    /// Returns the fields of a document that has to be there, else 422/42206 with `detail` behind `Payload error.`
    pub fn required(&self, detail: &str) -> Result<Fields> {
        self.fields()?.ok_or_else(|| Kind::InvalidPayload.because(format!("Payload error. {detail}")))
    }
}

impl FromRequest for Document {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let typed = Content::<Json>::from_request(request, payload).into_inner();
        let body = Body::from_request(request, payload);
        Box::pin(async move {
            let typed = typed?.0;
            let body = body.await?;
            if typed == Typed::Not && !body.bytes.is_empty() { Err(untyped()) } else { Ok(Document { body }) }
        })
    }
}

/// Returns the error of a body that does not say what it is.
pub fn untyped() -> Error {
    Kind::BadRequest.because("The request has a body and no Content-Type: set it to application/json.")
}

/// Returns a field of a document that has to be there; 400, as in the reference.
pub fn present<T>(name: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Kind::BadRequest.because(format!("The field {name} must not be null.")))
}

/// Returns the one of `values` that the field `name` names, in this very case; 400 for another.
pub fn exactly<T: Copy>(name: &str, text: &str, values: &[(&str, T)]) -> Result<T> {
    let named = values.iter().find(|(known, _)| *known == text);
    named.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<_> = values.iter().map(|(known, _)| *known).collect();
        Kind::BadRequest.because(format!("The field {name} has to be one of {}.", known.join(", ")))
    })
}
