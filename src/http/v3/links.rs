use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::{Error, Kind};
use crate::http::base_url::BaseUrl;
use crate::http::v3::root_of;
use crate::model::encode_segment;
use crate::state::State;

/// Addresses and names of resources, as the client of this request sees them.
pub struct Links {
    /// Up to and with `/v3`, or `/kafka/v3` where the request came that way.
    root: String,
    authority: String,
}

/// Everything but what a form leaves as it is; a space becomes `+`.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b' ');

impl Links {
    /// Returns the URL of a resource: percent-encoded segments below the root; empty ones are left out.
    pub fn url(&self, segments: &[&str]) -> String {
        let mut url = self.root.clone();
        for segment in segments.iter().filter(|segment| !segment.is_empty()) {
            url.push('/');
            url.push_str(&encode_segment(segment));
        }
        url
    }

    /// Returns the URL of a search, with its parameters in the encoding of a form.
    pub fn search(&self, segments: &[&str], parameters: &[(&str, &str)]) -> String {
        let mut url = self.url(segments);
        for (index, (name, value)) in parameters.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            url.push_str(&utf8_percent_encode(value, FORM).to_string().replace(' ', "+"));
        }
        url
    }

    /// Returns the name of a resource (CRN): its components from the outermost in; one without an id is its bare type.
    pub fn resource_name(&self, components: &[(&str, Option<&str>)]) -> String {
        let mut name = format!("crn://{}", self.authority);
        for (kind, id) in components {
            name.push('/');
            name.push_str(kind);
            if let Some(id) = id {
                name.push('=');
                name.push_str(id);
            }
        }
        name
    }
}

impl FromRequest for Links {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let Some(state) = request.app_data::<Data<State>>() else { return ready(Err(Kind::Internal.into())) };
        let authority = state.config.server.resource_name_authority.clone();
        let root = root_of(request.path()).unwrap_or_default();
        let base = BaseUrl::from_request(request, payload).into_inner();
        ready(base.map(|base| Links { root: format!("{}{root}", base.as_str()), authority }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> Links {
        Links { root: "http://h:1/kafka/v3".into(), authority: "a".into() }
    }

    #[test]
    fn segments_are_encoded_and_empty_ones_left_out() {
        assert_eq!(links().url(&["clusters", "c/1", "topics", "-"]), "http://h:1/kafka/v3/clusters/c%2F1/topics/-");
        assert_eq!(links().url(&["consumers", ""]), "http://h:1/kafka/v3/consumers");
    }

    #[test]
    fn searches_are_encoded_as_forms() {
        let url = links().search(&["acls"], &[("principal", "User:a b+*"), ("host", "")]);
        assert_eq!(url, "http://h:1/kafka/v3/acls?principal=User%3Aa+b%2B*&host=");
    }

    #[test]
    fn a_name_lists_its_components() {
        let name = links().resource_name(&[("kafka", Some("c")), ("consumer-group", Some("g")), ("lag-summary", None)]);
        assert_eq!(name, "crn://a/kafka=c/consumer-group=g/lag-summary");
    }
}
