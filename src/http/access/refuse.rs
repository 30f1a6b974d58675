use actix_web::HttpResponse;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{CONTENT_LENGTH, HeaderValue, RETRY_AFTER, TRANSFER_ENCODING, WWW_AUTHENTICATE};
use actix_web::web::Data;

use crate::auth::Refusal;
use crate::config::Auth;
use crate::error::Error;
use crate::state::State;

/// What is left of a body that nobody wants is read up to here, so that the connection can be used again.
const READ_ON: u64 = 64 << 10;

/// Answers a request that is not let in, and says how to come in.
pub fn refuse(request: ServiceRequest, refusal: &Refusal) -> ServiceResponse<BoxBody> {
    let challenges = match (refusal, request.app_data::<Data<State>>()) {
        (Refusal::Missing | Refusal::Wrong, Some(state)) => challenges(&state.config.auth, refusal),
        _ => Vec::new(),
    };
    let mut response = fail(request, refusal.error());
    for challenge in challenges {
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().append(WWW_AUTHENTICATE, challenge);
        }
    }
    if let Refusal::Limited(wait) = refusal {
        let seconds = wait.as_secs_f64().ceil() as u64;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Answers a request with an error before its body is read.
pub fn fail(request: ServiceRequest, error: Error) -> ServiceResponse<BoxBody> {
    let has_long_body = has_long_body(&request);
    let mut response = HttpResponse::from_error(error);
    if has_long_body {
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    request.into_response(response.map_body(|_, body| body.boxed()))
}

/// Returns the values of WWW-Authenticate; certificates have none.
fn challenges(settings: &Auth, refusal: &Refusal) -> Vec<String> {
    let realm = &settings.realm;
    let mut challenges = Vec::new();
    if settings.methods.bearer {
        // Who shows nothing is not told of an error (RFC 6750, 3.1).
        let error = if *refusal == Refusal::Wrong { ", error=\"invalid_token\"" } else { "" };
        challenges.push(format!("Bearer realm=\"{realm}\"{error}"));
    }
    if settings.methods.basic {
        challenges.push(format!("Basic realm=\"{realm}\", charset=\"UTF-8\""));
    }
    challenges
}

fn has_long_body(request: &ServiceRequest) -> bool {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    request.headers().contains_key(TRANSFER_ENCODING) || length.is_some_and(|length| length > READ_ON)
}
