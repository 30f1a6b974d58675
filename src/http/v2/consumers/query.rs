use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::web::Query;
use actix_web::{FromRequest, HttpRequest};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::domain::consume::Include;
use crate::error::{Error, Kind, Result};

/// The query of every read, checked; an empty value is none, other parameters are ignored.
#[derive(Debug)]
pub struct RecordsQuery {
    /// Milliseconds; what is not above 0 is none.
    pub timeout_ms: Option<i64>,
    /// What is not above 0 is none.
    pub max_bytes: Option<i64>,
    /// What comes beside key and value.
    pub include: Include,
    /// Stateless reads: the first offset.
    pub offset: Option<i64>,
    /// Stateless reads: milliseconds since 1970.
    pub timestamp_ms: Option<i64>,
    /// Stateless reads: the most records.
    pub limit: Option<i64>,
    /// The same in v1.
    pub count: Option<i64>,
    /// Stateless reads: the format of keys, by its name.
    pub key_format: Option<String>,
    /// Stateless reads: the format of values, by its name.
    pub value_format: Option<String>,
}

#[derive(Deserialize)]
struct Texts {
    timeout: Option<String>,
    max_bytes: Option<String>,
    include: Option<String>,
    offset: Option<String>,
    timestamp: Option<String>,
    limit: Option<String>,
    count: Option<String>,
    key_format: Option<String>,
    value_format: Option<String>,
}

impl FromRequest for RecordsQuery {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()))
    }
}

fn parse(query: &str) -> Result<RecordsQuery> {
    let Query(texts) = Query::<Texts>::from_query(query).map_err(|_| {
        Kind::BadRequest.because("The query cannot be read: each parameter comes once, percent-encoded.")
    })?;
    Ok(RecordsQuery {
        timeout_ms: integer("timeout", texts.timeout)?.filter(|ms| *ms > 0),
        max_bytes: integer("max_bytes", texts.max_bytes)?.filter(|bytes| *bytes > 0),
        include: include(&texts.include.unwrap_or_default())?,
        offset: integer("offset", texts.offset)?,
        timestamp_ms: texts.timestamp.filter(|text| !text.is_empty()).map(|text| instant(&text)).transpose()?,
        limit: integer("limit", texts.limit)?,
        count: integer("count", texts.count)?,
        key_format: texts.key_format,
        value_format: texts.value_format,
    })
}

fn integer(name: &str, text: Option<String>) -> Result<Option<i64>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    i64::from_str(&text).map(Some).map_err(|_| Kind::BadRequest.because(format!("{name} is not a whole number.")))
}

fn include(list: &str) -> Result<Include> {
    let mut include = Include::default();
    for item in list.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        match item {
            "headers" => include.headers = true,
            "timestamp" => include.timestamp = true,
            _ => return Err(Kind::Unprocessable.because("include is a list of headers and timestamp.")),
        }
    }
    Ok(include)
}

/// Reads epoch milliseconds or an instant.
fn instant(text: &str) -> Result<i64> {
    match i64::from_str(text) {
        Ok(ms) if ms < 0 => Err(Kind::Unprocessable.because("timestamp is before 1970.")),
        Ok(ms) => Ok(ms),
        // A plus sign in a query is a blank.
        Err(_) => timestamp_ms(&text.replace(' ', "+")),
    }
}

/// Returns the milliseconds since 1970 of an ISO-8601 instant with a zone.
pub fn timestamp_ms(text: &str) -> Result<i64> {
    let instant = OffsetDateTime::parse(text.trim(), &Rfc3339).map_err(|_| {
        Kind::BadRequest.because("timestamp is not an instant with a zone, such as 2024-01-31T12:00:00Z.")
    })?;
    i64::try_from(instant.unix_timestamp_nanos() / 1_000_000)
        .map_err(|_| Kind::BadRequest.because("timestamp is out of range."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn instants_have_a_zone() {
        assert_eq!(timestamp_ms("2023-11-14T22:13:22Z").unwrap(), 1_700_000_002_000);
        assert_eq!(timestamp_ms("2023-11-14T22:13:22.500Z").unwrap(), 1_700_000_002_500);
        assert_eq!(timestamp_ms("2023-11-14T23:13:21+01:00").unwrap(), 1_700_000_001_000);
        for bad in ["junk", "2023-11-14T22:13:23", "2023-11-14", ""] {
            assert_eq!(timestamp_ms(bad).unwrap_err().kind(), Kind::BadRequest, "{bad}");
        }
    }

    #[test]
    fn empty_parameters_are_defaults_and_bad_ones_are_named() {
        let query = parse("timeout=&max_bytes=&offset=&timestamp=&limit=&include=&nope=1").unwrap();
        assert!(query.timeout_ms.is_none() && query.max_bytes.is_none() && query.timestamp_ms.is_none());
        assert!(parse("timeout=-1&max_bytes=0").unwrap().timeout_ms.is_none());
        for name in ["timeout", "max_bytes", "offset", "timestamp", "limit", "count"] {
            let error = parse(&format!("{name}=x")).unwrap_err();
            assert_eq!(error.kind(), Kind::BadRequest, "{name}");
            assert!(error.message().contains(name), "{name}: {error}");
        }
        assert_eq!(parse("timestamp=2023-11-14T23:13:21+01:00").unwrap().timestamp_ms, Some(1_700_000_001_000));
        assert_eq!(parse("include=keys").unwrap_err().kind(), Kind::Unprocessable);
    }

    proptest! {
        #[test]
        fn any_query_is_read_or_refused(query: String) {
            let _ = parse(&query);
        }
    }
}
