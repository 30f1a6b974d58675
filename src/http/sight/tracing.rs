use actix_web::http::header::HeaderMap;

use crate::config::Tracing;
use crate::trace::{Context, random, tracestate};

/// Returns the trace of a request: the one that it names, or one that begins here where somebody gets to see it.
pub fn context(settings: &Tracing, headers: &HeaderMap) -> Option<Context> {
    let begins_here = settings.record_headers || !settings.otlp_url.is_empty();
    let mut context = match given(headers) {
        Some(context) => context,
        None if begins_here => Context::begin((random() as f64 / u64::MAX as f64) < settings.sample_ratio),
        None => return None,
    };
    context.in_records = settings.record_headers;
    Some(context)
}

fn given(headers: &HeaderMap) -> Option<Context> {
    let mut lines = headers.get_all("traceparent");
    let (first, second) = (lines.next()?, lines.next());
    if second.is_some() {
        return None;
    }
    let mut context = Context::of_parent(first.to_str().ok()?.trim())?;
    let lines = headers.get_all("tracestate").filter_map(|line| line.to_str().ok());
    context.state = tracestate(lines).map(Into::into);
    Some(context)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;
    use crate::config::Config;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    fn settings(record_headers: bool, sample_ratio: f64) -> Tracing {
        Tracing { record_headers, sample_ratio, ..Config::for_bootstrap("x:1").tracing }
    }

    #[test]
    fn a_trace_that_cannot_be_read_is_none() {
        let off = settings(false, 1.0);
        assert!(context(&off, &headers(&[])).is_none());
        assert!(context(&off, &headers(&[("traceparent", PARENT)])).is_some());
        assert!(context(&off, &headers(&[("traceparent", PARENT), ("traceparent", PARENT)])).is_none());
        let invalid = headers(&[("traceparent", "00-x"), ("tracestate", "a=1")]);
        assert!(context(&off, &invalid).is_none());
        let begun = context(&settings(true, 1.0), &invalid).unwrap();
        assert!(begun.parent.is_none() && begun.state.is_none() && begun.in_records);
        let followed = context(&off, &headers(&[("traceparent", PARENT), ("tracestate", "A=1")])).unwrap();
        assert_eq!(followed.state, None, "a bad state ends no trace");
    }

    #[test]
    fn a_new_trace_is_sampled_by_chance_and_a_given_one_as_it_says() {
        let sampled =
            |ratio| (0..1000).filter(|_| context(&settings(true, ratio), &headers(&[])).unwrap().sampled).count();
        assert_eq!((sampled(0.0), sampled(1.0)), (0, 1000));
        assert!((350..650).contains(&sampled(0.5)));
        assert!(context(&settings(true, 0.0), &headers(&[("traceparent", PARENT)])).unwrap().sampled);
    }
}
