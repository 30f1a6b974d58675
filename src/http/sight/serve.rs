use actix_web::http::header::{CONTENT_TYPE, VARY};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::config::Config;
use crate::error::{Kind, Result};
use crate::http::answer::accept;
use crate::http::permit;
use crate::http::resource::{get, resource};
use crate::http::sight::route::METRICS;
use crate::metrics::Exposition;
use crate::state::State;

/// Registers the metrics where they are to be served. They are no part of the API, and so not of its description.
pub fn routes(config: &mut ServiceConfig, settings: &Config) {
    if settings.metrics.enabled {
        let endpoint = resource(&settings.metrics.path, vec![get("proxy.metrics", permit::OPEN, metrics)]);
        config.service(endpoint.into_resource(METRICS, &settings.endpoints));
    }
}

async fn metrics(request: HttpRequest, state: Data<State>) -> Result<HttpResponse> {
    let exposition = Exposition::accepted(&accept(request.headers()).unwrap_or_default());
    let (metrics, readings) = (state.metrics.clone(), state.readings());
    let text = web::block(move || metrics.render(readings, exposition));
    let text = text.await.map_err(|stopped| Kind::Internal.caused_by(stopped))??;
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, exposition.media())).insert_header((VARY, "accept")).body(text))
}
