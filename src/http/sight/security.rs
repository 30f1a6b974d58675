use actix_web::dev::ServiceResponse;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};

use crate::config::Headers;
use crate::http::listen::Door;

/// What answers say to browsers, so that these do nothing with them that nobody wants.
pub struct Security {
    is_on: bool,
    hsts: Option<HeaderValue>,
}

impl Security {
    pub fn new(settings: &Headers) -> Security {
        let hsts = (!settings.hsts.is_zero()).then(|| format!("max-age={}", settings.hsts.as_secs()));
        Security { is_on: settings.security, hsts: hsts.and_then(|text| HeaderValue::try_from(text).ok()) }
    }

    /// Adds the headers; what an answer says of itself stays.
    pub fn add<B>(&self, response: &mut ServiceResponse<B>) {
        // What came without TLS must not promise it (RFC 6797, 7.2).
        let hsts =
            self.hsts.as_ref().filter(|_| matches!(response.request().app_data::<Door>(), Some(Door::Tls(_)))).cloned();
        let headers = response.headers_mut();
        if let Some(hsts) = hsts {
            headers.insert(STRICT_TRANSPORT_SECURITY, hsts);
        }
        if !self.is_on {
            return;
        }
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if !headers.contains_key(CACHE_CONTROL) {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }
}
