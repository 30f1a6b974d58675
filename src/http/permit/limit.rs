use std::net::IpAddr;
use std::time::Instant;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};

use crate::error::{Error, Kind};
use crate::http::caller::Caller;
use crate::rates::{Meter, Refused, Who};

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Returns what counts a request, if that is limited; its handler counts its records where `by_record`.
///
/// The error is the answer where the caller, or the topic that is `written`, has nothing left.
pub(super) fn admit(
    caller: &Caller,
    request: &HttpRequest,
    written: Option<&str>,
    by_record: bool,
) -> Result<Option<Meter>, Box<HttpResponse>> {
    let now = Instant::now();
    let who = Who::of(&caller.principal, address(request, caller.config.server.trust_forwarded));
    let Some(meter) = caller.rates.meter(&who, written, now) else { return Ok(None) };
    let admitted = if by_record { meter.check(now) } else { meter.admit(now).map(drop) };
    admitted.map_err(|refused| Box::new(answer(&refused, &meter)))?;
    Ok(Some(meter))
}

/// Returns what counts a request that was let in; `None` where nothing is limited.
pub fn metered(request: &HttpRequest) -> Option<Meter> {
    request.extensions().get::<Meter>().cloned()
}

/// Says what a caller has left.
pub(super) fn tell(meter: &Meter, headers: &mut HeaderMap) {
    if let Some(left) = meter.left(Instant::now()) {
        headers.insert(LIMIT, HeaderValue::from(left.limit));
        headers.insert(REMAINING, HeaderValue::from(left.remaining));
        headers.insert(RESET, HeaderValue::from(left.reset_s));
    }
}

fn answer(refused: &Refused, meter: &Meter) -> HttpResponse {
    let error: Error = Kind::RateLimited.because(refused.sentence());
    let mut response = HttpResponse::from_error(error);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(refused.wait_s()));
    tell(meter, response.headers_mut());
    response
}

/// Returns the address of the client: with a proxy in front the one that this proxy added, which is the last.
fn address(request: &HttpRequest, trust_forwarded: bool) -> Option<IpAddr> {
    let forwarded = || {
        let lines = request.headers().get_all(FORWARDED_FOR).filter_map(|line| line.to_str().ok());
        lines.last()?.rsplit(',').next()?.trim().parse().ok()
    };
    let peer = request.peer_addr().map(|address| address.ip());
    if trust_forwarded { forwarded().or(peer) } else { peer }
}
