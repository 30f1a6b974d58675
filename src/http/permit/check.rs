use std::future::{Ready, ready};
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpResponse};
use futures_util::future::{Either, LocalBoxFuture};

use crate::http::caller::Caller;
use crate::http::permit::{Access, limit};
use crate::http::unread;
use crate::rates::Meter;
use crate::state::State;

/// Looks at a request before its handler and what the handler extracts do.
pub struct Check {
    /// What the endpoint needs.
    pub access: Access,
    /// Its path, as actix has it.
    pub pattern: Rc<str>,
}

/// A route that is looked after.
pub struct Checked<S> {
    access: Access,
    pattern: Rc<str>,
    inner: S,
}

impl<S> Transform<S, ServiceRequest> for Check
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = actix_web::Error>,
    S::Future: 'static,
{
    type Response = ServiceResponse;
    type Error = actix_web::Error;
    type Transform = Checked<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(Checked { access: self.access, pattern: Rc::clone(&self.pattern), inner }))
    }
}

impl<S> Service<ServiceRequest> for Checked<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = actix_web::Error>,
    S::Future: 'static,
{
    type Response = ServiceResponse;
    type Error = actix_web::Error;
    type Future = Either<S::Future, LocalBoxFuture<'static, Result<ServiceResponse, actix_web::Error>>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        if self.access == Access::Open || is_off(&request) {
            return Either::Left(self.inner.call(request));
        }
        match self.admit(&request) {
            Ok(None) => Either::Left(self.inner.call(request)),
            Ok(Some(meter)) => {
                request.extensions_mut().insert(meter.clone());
                let answered = self.inner.call(request);
                Either::Right(Box::pin(async move { Ok(metered(&meter, answered.await?)) }))
            }
            Err(refused) => Either::Right(Box::pin(ready(Ok(unread::answer(request, *refused))))),
        }
    }
}

impl<S> Checked<S> {
    /// Lets a request in, with what counts it if that is limited; the error is the answer of one that is not let in.
    ///
    /// What is refused counts as a request of the caller, but not of the topic that is not theirs.
    fn admit(&self, request: &ServiceRequest) -> Result<Option<Meter>, Box<HttpResponse>> {
        let request = request.request();
        let caller = Caller::of(request).map_err(|error| Box::new(HttpResponse::from_error(error)))?;
        let allowed = self.access.check(&caller, request, &self.pattern);
        let written = self.access.written(request).filter(|_| allowed.is_ok());
        let meter = limit::admit(&caller, request, written.as_deref(), self.access == Access::Records)?;
        allowed.map_err(|error| {
            let mut refused = Box::new(HttpResponse::from_error(error));
            meter.iter().for_each(|meter| limit::tell(meter, refused.headers_mut()));
            refused
        })?;
        Ok(meter)
    }
}

/// Tells whether there is nothing to look at.
fn is_off(request: &ServiceRequest) -> bool {
    let state = request.app_data::<Data<State>>();
    state.is_some_and(|state| state.rules.are_off() && state.rates.are_off())
}

/// Counts the bytes of an answer, and says in its headers what is left.
fn metered(meter: &Meter, mut response: ServiceResponse) -> ServiceResponse {
    if let BodySize::Sized(bytes) = response.response().body().size() {
        meter.charge_out(bytes);
    }
    limit::tell(meter, response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::CONTENT_TYPE;
    use actix_web::http::{Method, StatusCode};
    use actix_web::{App, rt, test};

    use std::sync::Arc;

    use super::*;
    use crate::config::{Config, Rule};
    use crate::http::routes;
    use crate::model::Principal;

    fn config() -> Config {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let mut config = Config::for_bootstrap("127.0.0.1:1");
        let rule = Rule {
            principals: words(&["alice"]),
            verbs: words(&["write"]),
            topics: words(&["orders"]),
            ..Rule::default()
        };
        config.rules.insert("one".to_owned(), rule);
        config
    }

    /// Returns the statuses of a produce request of each of these callers, in a type that the endpoint does not take.
    fn statuses(config: Config, names: &[&str]) -> Vec<u16> {
        rt::System::new().block_on(async {
            let state = Data::new(State::new(config).expect("the clients need no connection"));
            let settings = Arc::clone(&state.config);
            let app = App::new().app_data(state.clone()).configure(|config| routes(config, &settings));
            let app = test::init_service(app).await;
            let mut statuses = Vec::new();
            for name in names {
                let request = test::TestRequest::with_uri("/topics/orders").method(Method::POST);
                let request = request.insert_header((CONTENT_TYPE, "text/plain")).to_request();
                request.extensions_mut().insert(Caller::new(Principal::named(name), state.clone()));
                let answered = app.call(request).await.expect("it is answered");
                statuses.push(answered.status().as_u16());
            }
            statuses
        })
    }

    #[test]
    fn a_caller_is_who_was_found_to_call_and_is_let_in_before_anything_else_is_looked_at() {
        let (let_in, refused) = (StatusCode::UNSUPPORTED_MEDIA_TYPE.as_u16(), StatusCode::FORBIDDEN.as_u16());
        assert_eq!(statuses(config(), &["alice", "bob", "ANONYMOUS"]), [let_in, refused, refused]);
    }

    #[test]
    fn callers_are_limited_each_by_themselves() {
        let mut config = config();
        config.rate.requests = 1;
        config.rate.requests_burst = 2;
        assert_eq!(statuses(config, &["alice", "alice", "alice", "bob", "bob", "bob"]), [415, 415, 429, 403, 403, 429]);
    }
}
