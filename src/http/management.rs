//! What only the management listener serves, beside health.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};
use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::error::Result;
use crate::http::answer::Answer;
use crate::http::doc::Doc;
use crate::http::health::{self, Plain};
use crate::http::permit;
use crate::http::resource::{Routes, get, resource};
use crate::http::sight;
use crate::state::State;

/// Registers every endpoint of the management listener.
pub(super) fn routes(config: &mut ServiceConfig, settings: &Config) {
    sight::routes(config, settings);
    let mut routes = Routes::default();
    routes.configure(health::routes).configure(own_routes);
    routes.register(config, &settings.endpoints);
}

fn own_routes(routes: &mut Routes) {
    routes.service(resource(
        "/config",
        vec![get("proxy.config", permit::DESCRIBE_CLUSTER, settings).doc(Doc::of("Every setting, without secrets"))],
    ));
}

/// `GET /config`: every setting with what it is and where that was given; a secret is `***`.
async fn settings(answer: Answer<Plain>, state: Data<State>) -> Result<HttpResponse> {
    let entry =
        |(key, value, source): (&str, &str, &str)| (key.to_owned(), json!({ "value": value, "source": source }));
    let settings: Map<String, Value> = state.config.effective.shown().map(entry).collect();
    answer.json(&json!({ "settings": settings }))
}
