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
use crate::http::health;
use crate::http::peer::Peer;
use crate::state::State;

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

/// Tells whether orchestrators and monitoring ask for this, which have no credentials.
fn is_for_watchers(request: &ServiceRequest) -> bool {
    let state = request.app_data::<Data<State>>();
    health::owns(request.path()) || state.is_some_and(|state| request.path() == state.config.metrics.path)
}

/// Tells whether everybody may send this. Browsers send a preflight without credentials, and it does nothing.
fn is_open(request: &ServiceRequest) -> bool {
    let headers = request.headers();
    let is_preflight = request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    is_preflight || is_for_watchers(request)
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
        Err(error) => Err(denied(error)),
    }
}

/// Returns what a caller is told for whom Kafka was asked in vain: nothing of other credentials than theirs.
fn denied(error: Error) -> Denied {
    match error.kind() {
        Kind::KafkaAuthentication => Denied::Refused(Refusal::Wrong),
        Kind::Kafka | Kind::KafkaRetriable => Denied::Failed(Error::from(Kind::AuthUnavailable).caused_by(error)),
        _ => Denied::Failed(error),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_and_read_body, call_service, init_service};
    use actix_web::{App, web};

    use super::*;
    use crate::config::Config;

    async fn who(caller: Caller) -> String {
        caller.principal.to_string()
    }

    #[tokio::test]
    async fn a_handler_knows_who_calls() {
        let file = std::env::temp_dir().join(format!("users-{}", uuid::Uuid::new_v4()));
        std::fs::write(&file, format!("alice:{}", bcrypt::hash("a", 4).unwrap())).unwrap();
        let mut config = Config::for_bootstrap("127.0.0.1:1");
        config.auth.methods.basic = true;
        config.auth.required = false;
        config.auth.users_file = Some(file.clone());
        let state = Data::new(State::new(config).unwrap());
        let app = App::new().app_data(state).wrap(from_fn(authenticate)).route("/who", web::get().to(who));
        let app = init_service(app).await;
        std::fs::remove_file(file).unwrap();
        let call = |shown: Option<&'static str>| {
            let request = TestRequest::get().uri("/who");
            shown.into_iter().fold(request, |request, shown| request.insert_header((AUTHORIZATION, shown))).to_request()
        };
        assert_eq!(call_and_read_body(&app, call(Some("Basic YWxpY2U6YQ=="))).await, "alice");
        assert_eq!(call_and_read_body(&app, call(None)).await, "ANONYMOUS");
        assert_eq!(call_service(&app, call(Some("Basic YWxpY2U6Yg=="))).await.status(), 401);
    }

    #[test]
    fn what_kafka_says_of_credentials_is_told_as_it_concerns_the_caller() {
        let table = [
            (Kind::KafkaAuthentication, Kind::CredentialsWrong),
            (Kind::KafkaRetriable, Kind::AuthUnavailable),
            (Kind::Kafka, Kind::AuthUnavailable),
            (Kind::BrokerNotAvailable, Kind::BrokerNotAvailable),
            (Kind::Overloaded, Kind::Overloaded),
        ];
        for (said, told) in table {
            let kind = match denied(said.into()) {
                Denied::Refused(refusal) => refusal.error().kind(),
                Denied::Failed(error) => error.kind(),
            };
            assert_eq!(kind, told, "{said:?}");
        }
    }
}
