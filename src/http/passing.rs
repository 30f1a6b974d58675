//! Callers whose own credentials go on to Kafka: Basic and Bearer, as they come.
//!
//! The place of this module is where callers are authenticated; it is for proxies that leave that to Kafka alone.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpResponse};

use crate::error::{Kind, Result};
use crate::format::{basic_credentials, token_subject};
use crate::http::caller::Caller;
use crate::model::{Credentials, Password, Principal};
use crate::state::State;

/// Paths that are for probes, which have no credentials.
const OPEN: &[&str] = &["/health"];

/// Finds out what is to be used for the caller; does nothing unless `auth.passthrough` is on.
pub async fn pass_through(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let state = request.app_data::<Data<State>>().filter(|state| state.callers.are_passed_through()).cloned();
    let Some(state) = state.filter(|_| !OPEN.contains(&request.path())) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    match caller(&request, &state).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        Err(refused) => {
            let mut response = HttpResponse::from_error(refused);
            if response.status() == actix_web::http::StatusCode::UNAUTHORIZED {
                let challenge = HeaderValue::from_static("Basic realm=\"kafka\", charset=\"UTF-8\"");
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
            // `into_response` would lose the error, which is logged further out.
            Ok(ServiceResponse::new(request.into_parts().0, response))
        }
    }
}

async fn caller(request: &ServiceRequest, state: &State) -> Result<Caller> {
    let missing =
        || Kind::KafkaAuthentication.because("Send the credentials that you have with Kafka: Basic or Bearer.");
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
    let (scheme, rest) = header.split_once(' ').ok_or_else(missing)?;
    let (principal, credentials) = match scheme.to_ascii_lowercase().as_str() {
        "basic" => {
            let (user, password) = basic_credentials(rest.trim()).ok_or_else(missing)?;
            (Principal::named(&user), Credentials::Password { user, password: Password(password) })
        }
        "bearer" => {
            let token = rest.trim().to_owned();
            let subject = token_subject(&token).unwrap_or_default();
            (Principal::named(&subject), Credentials::Token(Password(token)))
        }
        _ => return Err(missing()),
    };
    let own = state.callers.state_for(&principal, &credentials).await?;
    Ok(Caller::new(principal, Data::from(own)))
}
