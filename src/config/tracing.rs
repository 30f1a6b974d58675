use crate::config::remote::{Secret, is_url};
use crate::config::settings::Settings;

/// The section `[tracing]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tracing {
    /// Whether records that are produced carry the trace context as headers.
    pub record_headers: bool,
    /// Where spans are sent to, by OTLP over HTTP; empty sends none.
    pub otlp_url: String,
    /// For Bearer.
    pub otlp_bearer_token: Secret,
    /// Of the requests that come without a trace context, the part whose spans are sent.
    pub sample_ratio: f64,
    /// Spans that may wait to be sent; those beyond are dropped, and counted.
    pub queue_spans: usize,
}

impl Tracing {
    pub(super) fn read(settings: &mut Settings) -> Self {
        let what = "http:// or https:// with a host, without a slash at the end, or empty";
        let ratio = settings.text("tracing.sample_ratio", "1", "a number from 0 to 1", |text| ratio(text).is_some());
        Self {
            record_headers: settings.flag("tracing.record_headers", false),
            otlp_url: settings.text("tracing.otlp_url", "", what, |text| text.is_empty() || is_url(text)),
            otlp_bearer_token: Secret(settings.text("tracing.otlp_bearer_token", "", "a text", |_| true)),
            sample_ratio: self::ratio(&ratio).unwrap_or(1.0),
            queue_spans: settings.count("tracing.queue_spans", 2048, 1..=1_000_000),
        }
    }
}

fn ratio(text: &str) -> Option<f64> {
    text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio))
}
