use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use crate::error::{Error, Kind, Result};
use crate::model::Principal;
use crate::state::State;

/// Who sends a request, and what may be used on their behalf.
#[derive(Clone)]
pub struct Caller {
    /// Who it is.
    pub principal: Principal,
    state: Data<State>,
}

impl Caller {
    /// Returns somebody who has shown who they are, and what may be used for them.
    pub fn new(principal: Principal, state: Data<State>) -> Caller {
        Caller { principal, state }
    }

    /// Returns the caller of a request; those who did not say who they are get what the proxy itself has.
    pub fn of(request: &HttpRequest) -> Result<Caller> {
        if let Some(known) = request.extensions().get::<Caller>() {
            return Ok(known.clone());
        }
        let state = request.app_data::<Data<State>>().cloned().ok_or(Kind::Internal)?;
        Ok(Caller::new(Principal::default(), state))
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
