//! What surrounds every endpoint.

use std::sync::Arc;

use actix_web::App;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Condition, from_fn};
use actix_web::web::{Data, QueryConfig, ServiceConfig};

use crate::config::Config;
use crate::domain::Stopping;
use crate::error::Kind;
use crate::http::access::authenticate;
use crate::http::cors::{Cors, cors};
use crate::http::envelope::envelope;
use crate::http::gate::Gate;
use crate::http::listen::Door;
use crate::http::readiness::Readiness;
use crate::http::served::{Unserved, refuse_unserved};
use crate::http::sight::{Sight, observe};
use crate::state::State;

/// Registers endpoints, those that are served.
pub(super) type Register = fn(&mut ServiceConfig, &Config);

/// What every request may use.
#[derive(Clone)]
pub(super) struct Layers {
    pub(super) state: Data<State>,
    pub(super) gate: Data<Gate>,
    pub(super) readiness: Data<Readiness>,
    pub(super) stopping: Data<Stopping>,
    pub(super) unserved: Data<Unserved>,
    pub(super) sight: Data<Sight>,
    pub(super) cors: Data<Cors>,
}

impl Layers {
    /// Puts the layers around the endpoints that `register` has; the last that is wrapped is the outermost. Requests
    /// find `door`, at which they came in, in their data.
    pub(super) fn around(
        self,
        register: Register,
        door: Door,
    ) -> App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<BoxBody>,
            Error = actix_web::Error,
            InitError = (),
        >,
    > {
        let settings = Arc::clone(&self.state.config);
        let unserved = self.unserved;
        let is_asked = self.state.config.auth.methods.any();
        App::new()
            .app_data(door)
            .app_data(self.state)
            .app_data(self.gate)
            .app_data(self.readiness)
            .app_data(self.stopping)
            .app_data(unserved.clone())
            .app_data(self.sight)
            .app_data(self.cors)
            .app_data(QueryConfig::default().error_handler(|error, _| {
                Kind::BadRequest.because(format!("The query cannot be read: {error}.")).into()
            }))
            .wrap(Condition::new(is_asked, from_fn(authenticate)))
            .wrap(Condition::new(!unserved.is_empty(), from_fn(refuse_unserved)))
            .wrap(from_fn(envelope))
            .wrap(Condition::new(settings.cors.is_on(), from_fn(cors)))
            .wrap(from_fn(observe))
            .configure(|config| register(config, &settings))
    }
}
