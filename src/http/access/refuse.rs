use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::web::Data;

use crate::auth::Refusal;
use crate::config::Auth;
use crate::error::Error;
use crate::http::unread;
use crate::state::State;

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
    unread::answer(request, HttpResponse::from_error(error))
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
