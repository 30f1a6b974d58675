//! Lets nobody in who has not shown who they are, and puts who it is into the request.

mod address;
mod refuse;

use actix_web::HttpMessage;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, HeaderMap, ORIGIN};
use actix_web::middleware::Next;
use actix_web::web::Data;
use log::debug;

use crate::auth::{Attempt, Evidence, Refusal, Shown, Verdict};
use crate::error::{Error, Kind};
use crate::http::access::address::address;
use crate::http::access::refuse::{fail, refuse};
use crate::http::caller::Caller;
use crate::http::peer::Peer;
use crate::state::State;

/// What orchestrators and monitoring ask for, which have no credentials.
const OPEN: [&str; 4] = ["/live", "/ready", "/health", "/metrics"];

/// What comes of a request that is not let in.
enum Denied {
    Refused(Refusal),
    Failed(Error),
}

/// Wraps every request that is not answered before; see the module.
pub async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if !is_open(&request) {
        match caller(&request).await {
            Ok(None) => {}
            Ok(Some(caller)) => {
                debug!("{} {} is sent by {}", request.method(), request.path(), caller.principal);
                request.extensions_mut().insert(caller);
            }
            Err(Denied::Refused(refusal)) => return Ok(refuse(request, &refusal)),
            Err(Denied::Failed(error)) => return Ok(fail(request, error)),
        }
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// Tells whether everybody may send this. Browsers send a preflight without credentials, and it does nothing.
fn is_open(request: &ServiceRequest) -> bool {
    let headers = request.headers();
    let is_preflight = request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    is_preflight || OPEN.contains(&request.path())
}

/// Returns who sends a request; `None` is somebody who showed nothing and need not.
async fn caller(request: &ServiceRequest) -> Result<Option<Caller>, Denied> {
    let Some(state) = request.app_data::<Data<State>>().cloned() else {
        return Err(Denied::Failed(Kind::Internal.into()));
    };
    let evidence = Evidence {
        shown: shown(request.headers()),
        certificate: request.conn_data::<Peer>().and_then(|peer| peer.certificate.as_deref()),
        address: address(request, state.config.server.trust_forwarded),
    };
    match state.auth.authenticate(evidence).await.map_err(Denied::Refused)? {
        Verdict::Anonymous => Ok(None),
        Verdict::Known(principal) => Ok(Some(Caller::new(principal, state))),
        Verdict::AskKafka(attempt) => ask_kafka(state, attempt).await.map(Some),
    }
}

/// Two headers could be read in two ways.
fn shown(headers: &HeaderMap) -> Shown<'_> {
    let mut values = headers.get_all(AUTHORIZATION);
    match (values.next(), values.next()) {
        (None, _) => Shown::Nothing,
        (Some(value), None) => Shown::read(value.to_str().ok()),
        (Some(_), Some(_)) => Shown::Unreadable,
    }
}

async fn ask_kafka(state: Data<State>, attempt: Attempt) -> Result<Caller, Denied> {
    let answer = state.callers.state_for(&attempt.principal, &attempt.credentials).await;
    let kind = answer.as_ref().err().map(Error::kind);
    if kind.is_none() || kind == Some(Kind::KafkaAuthentication) {
        state.auth.settle(&attempt, kind.is_none());
    }
    match answer {
        Ok(theirs) => Ok(Caller::new(attempt.principal, Data::from(theirs))),
        Err(error) => Err(match error.kind() {
            Kind::KafkaAuthentication => Denied::Refused(Refusal::Wrong),
            Kind::Kafka | Kind::KafkaRetriable | Kind::BrokerNotAvailable => {
                Denied::Failed(Error::from(Kind::AuthUnavailable).caused_by(error))
            }
            _ => Denied::Failed(error),
        }),
    }
}
