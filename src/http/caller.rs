use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use crate::error::{Error, Kind, Result};
use crate::model::{Principal, Right, Subject, TopicName};
use crate::rules::{Asker, View};
use crate::state::State;

/// Who sends a request, and what may be used on their behalf.
#[derive(Clone)]
pub struct Caller {
    /// Who it is.
    pub principal: Principal,
    /// How they ask; HEAD is as GET.
    method: &'static str,
    state: Data<State>,
}

impl Caller {
    /// Returns somebody who has shown who they are, and what may be used for them.
    pub fn new(principal: Principal, state: Data<State>) -> Caller {
        Caller { principal, method: "GET", state }
    }

    /// Returns the caller of a request; those who did not say who they are get what the proxy itself has.
    pub fn of(request: &HttpRequest) -> Result<Caller> {
        let method = method(request.method());
        if let Some(known) = request.extensions().get::<Caller>() {
            return Ok(Caller { method, ..known.clone() });
        }
        let state = request.app_data::<Data<State>>().cloned().ok_or(Kind::Internal)?;
        Ok(Caller { method, ..Caller::new(Principal::default(), state) })
    }

    /// Refuses what no rule lets them do.
    pub fn may(&self, right: Right, subject: Subject<'_>) -> Result<()> {
        if self.rules.are_off() { Ok(()) } else { self.rules.check(&self.asker(), right, subject) }
    }

    /// Refuses unless they may do it to each of these topics.
    pub fn may_all<'a>(&self, right: Right, topics: impl IntoIterator<Item = &'a TopicName>) -> Result<()> {
        if self.rules.are_off() {
            return Ok(());
        }
        topics.into_iter().try_for_each(|topic| self.may(right, Subject::Topic(topic.as_str())))
    }

    /// Returns what they may do to many things, for lists of which they see a part.
    pub fn view(&self, right: Right) -> View {
        self.rules.view(&self.asker(), right)
    }

    /// Returns who asks, and how, for what is asked again later.
    pub fn asker(&self) -> Asker {
        Asker { principal: self.principal.clone(), method: self.method }
    }
}

impl Deref for Caller {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl FromRequest for Caller {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Caller::of(request))
    }
}

/// Returns the name of a method as rules have it.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET | Method::HEAD => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        // No endpoint has another.
        _ => "",
    }
}
