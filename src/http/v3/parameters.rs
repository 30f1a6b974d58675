//! Parameters in paths and queries, read as the reference reads them (contract/v3.md 0.5).

use actix_web::HttpRequest;
use percent_encoding::percent_decode_str;

use crate::error::{Kind, Result};

/// Returns a segment of the path with every escape decoded: the router leaves some, such as `%2F`, in place.
///
/// What is no UTF-8 names nothing: 404.
pub fn segment(request: &HttpRequest, name: &str) -> Result<String> {
    let text = request.match_info().query(name);
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(Kind::NotFound.into()),
    }
}

/// Returns a segment that is the number of a broker or partition; anything else is a path that does not exist.
pub fn number(request: &HttpRequest, name: &str) -> Result<i32> {
    segment(request, name)?.parse().map_err(|_| Kind::NotFound.into())
}

/// Returns the one of `values` that `text` names, in any case; `what` is the name of the set in the 404 otherwise.
pub fn choice<T: Copy>(what: &str, text: &str, values: &[(&str, T)]) -> Result<T> {
    let named = values.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    named
        .map(|(_, value)| *value)
        .ok_or_else(|| Kind::NotFound.because(format!("The valid values for {what} do not include '{text}'")))
}

/// Returns whether a boolean parameter says `true`, in any case; everything else is false.
pub fn flag(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::dev::ResourceDef;
    use actix_web::test::TestRequest;

    fn request(path: &str) -> HttpRequest {
        let mut request = TestRequest::with_uri(path).to_srv_request();
        ResourceDef::new("/{id}").capture_match_info(request.match_info_mut());
        request.into_parts().0
    }

    #[test]
    fn segments_are_decoded_once() {
        for (path, text) in [("/a%20b", "a b"), ("/a%2Fb", "a/b"), ("/a%252Fb", "a%2Fb"), ("/a+b", "a+b")] {
            assert_eq!(segment(&request(path), "id").unwrap(), text, "{path}");
        }
    }

    #[test]
    fn what_is_no_number_is_not_found() {
        assert_eq!(number(&request("/%37"), "id").unwrap(), 7);
        for path in ["/x", "/2147483648", "/1.5"] {
            assert_eq!(number(&request(path), "id").unwrap_err().message(), "HTTP 404 Not Found", "{path}");
        }
    }

    #[test]
    fn choices_are_named_in_any_case_and_flags_are_true_or_not() {
        let values = [("TOPIC", 1), ("GROUP", 2)];
        assert_eq!(choice("ResourceType", "group", &values).unwrap(), 2);
        let refusal = choice("ResourceType", "", &values).unwrap_err();
        assert_eq!(refusal.kind(), Kind::NotFound);
        assert_eq!(refusal.message(), "The valid values for ResourceType do not include ''");
        assert!(flag(Some("TRUE")) && !flag(Some("yes")) && !flag(None));
    }
}
