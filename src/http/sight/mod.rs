//! What is seen of every request: counted, logged, followed through others, and told to its client.

mod body;
mod request_id;
mod route;
mod security;
mod seen;
mod serve;
mod tracing;
mod watch;

pub use route::{PREFLIGHT, sees, set_route};
pub use seen::id_of;
pub use serve::routes;

use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::config::Tracing;
use crate::http::sight::security::Security;
use crate::http::sight::watch::Watch;
use crate::logging::AccessLog;
use crate::metrics::Metrics;
use crate::spans::SpanQueue;
use crate::state::State;
use crate::trace;

/// What [`observe`] needs.
pub struct Sight {
    metrics: Arc<Metrics>,
    access_log: Option<Arc<AccessLog>>,
    spans: Option<SpanQueue>,
    tracing: Tracing,
    security: Security,
}

impl Sight {
    /// Takes the settings, and says which routes there are.
    pub fn new(state: &State) -> Sight {
        state.metrics.requests.know(route::labels());
        Sight {
            metrics: Arc::clone(&state.metrics),
            access_log: state.access_log.clone(),
            spans: state.spans.as_ref().and_then(|spans| spans.queue()),
            tracing: state.config.tracing.clone(),
            security: Security::new(&state.config.headers),
        }
    }
}

/// Wraps every request, outside of everything else.
pub async fn observe(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(sight) = request.app_data::<Data<Sight>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let watch = Watch::begin(sight, &mut request);
    let came = match watch.context() {
        Some(context) => trace::scope(context, next.call(request)).await,
        None => next.call(request).await,
    };
    match came {
        Ok(response) => Ok(watch.answered(response.map_into_boxed_body())),
        Err(error) => {
            watch.failed(&error);
            Err(error)
        }
    }
}
