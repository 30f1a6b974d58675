use std::rc::Rc;
use std::sync::LazyLock;

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::guard::{self, Guard};

use crate::http::sight::seen::Seen;
use crate::http::table;

/// What requests are counted under whose path is nobody's.
pub(super) const UNMATCHED: usize = 0;

/// What requests are counted under by which browsers ask whether they may.
pub const PREFLIGHT: usize = 1;

/// What requests for metrics are counted under, wherever these are served.
pub(super) const METRICS: &str = "/metrics";

/// What requests for the settings are counted under; only the management listener has them.
const CONFIG: &str = "/config";

/// The labels of all routes by number: the patterns of their paths. Those that v1 and v2 share are one.
static LABELS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut labels: Vec<String> = ["unmatched", "preflight", METRICS, CONFIG].map(str::to_owned).into();
    table().visit(&mut |path, _, _| {
        if !labels.iter().any(|label| label == path) {
            labels.push(path.to_owned());
        }
    });
    labels
});

/// Returns the labels of all routes.
pub(super) fn labels() -> &'static [String] {
    &LABELS
}

/// Returns the label of a route.
pub(super) fn label(route: usize) -> &'static str {
    LABELS.get(route).map_or("unmatched", String::as_str)
}

/// Returns a guard that lets every request in, and notes which route it has come to.
pub fn sees(path: &str) -> impl Guard + use<> {
    let route = LABELS.iter().position(|label| label == path).unwrap_or(UNMATCHED);
    guard::fn_guard(move |context| {
        if let Some(seen) = context.req_data().get::<Rc<Seen>>() {
            seen.route.set(route);
        }
        true
    })
}

/// Notes that a request was answered before it came to a route.
pub fn set_route(request: &ServiceRequest, route: usize) {
    if let Some(seen) = request.extensions().get::<Rc<Seen>>() {
        seen.route.set(route);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_has_one_label() {
        let unique: BTreeSet<_> = labels().iter().collect();
        assert_eq!(unique.len(), labels().len());
        assert!(labels().len() > 100 && labels().iter().any(|label| label == "/topics/{topic}"), "{:?}", labels());
        assert!(labels().iter().any(|label| label.starts_with("/v3/clusters")), "{:?}", labels());
    }
}
