//! Requests as a client sends them, and answers with what tests ask of each.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method};
use serde_json::Value;

use crate::harness::waiting::PATIENCE;

pub const JSON: &str = "application/json";
pub const V1: &str = "application/vnd.kafka.v1+json";
pub const V2: &str = "application/vnd.kafka.v2+json";
pub const BINARY_V1: &str = "application/vnd.kafka.binary.v1+json";
pub const BINARY_V2: &str = "application/vnd.kafka.binary.v2+json";
pub const JSON_V1: &str = "application/vnd.kafka.json.v1+json";
pub const JSON_V2: &str = "application/vnd.kafka.json.v2+json";

/// A request that is not sent yet. Without more it has an `Accept: */*` and neither type nor body.
#[derive(Clone)]
pub struct Call {
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    deadline: Duration,
}

pub fn call(method: &str, url: &str) -> Call {
    let method = method.parse().expect("the method is a token");
    Call { method, url: url.to_owned(), headers: Vec::new(), body: None, deadline: PATIENCE }
}

pub fn get(url: &str) -> Call {
    call("GET", url)
}

pub fn post(url: &str) -> Call {
    call("POST", url)
}

impl Call {
    pub fn header(mut self, name: &str, value: &str) -> Call {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn accept(self, media: &str) -> Call {
        self.header("accept", media)
    }

    /// Waits for longer than usual, where what is asked for may take so long.
    pub fn patience(mut self, deadline: Duration) -> Call {
        self.deadline = deadline;
        self
    }

    /// Sets the body and what it claims to be.
    pub fn body(mut self, media: &str, body: impl Into<Vec<u8>>) -> Call {
        self.body = Some(body.into());
        self.header("content-type", media)
    }

    /// Sets a JSON body under any type.
    pub fn document(self, media: &str, body: &Value) -> Call {
        self.body(media, body.to_string())
    }

    /// Sends it on a connection of its own: each test has a runtime of its own, on which connections would die.
    pub async fn send(self) -> Answer {
        let what = format!("{} {}", self.method, self.url);
        self.try_send().await.unwrap_or_else(|error| panic!("{what}: {error:?}"))
    }

    pub async fn try_send(self) -> reqwest::Result<Answer> {
        self.send_with(&Client::new()).await
    }

    /// Sends it on a connection of `client`, for tests that send many.
    pub async fn send_with(self, client: &Client) -> reqwest::Result<Answer> {
        let request = client.request(self.method, self.url).timeout(self.deadline);
        let request = self.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let response = match self.body {
            Some(body) => request.body(body).send().await?,
            None => request.send().await?,
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, body: response.bytes().await?.to_vec() })
    }
}

/// An answer that has arrived completely.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("headers are text"))
    }

    pub fn media(&self) -> Option<&str> {
        self.header(CONTENT_TYPE.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}: {:?}", self.status, self.text()))
    }

    /// Returns the document of a success.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// Returns status and `error_code` of an error; panics if it is not the envelope in a JSON type, with nothing else
    /// in it.
    #[track_caller]
    pub fn error(&self) -> (u16, u64) {
        let media = self.media().unwrap_or_default();
        assert!(media == JSON || media.ends_with("+json"), "{}: the type is {media:?}", self.status);
        let envelope = self.json();
        assert_eq!(envelope.as_object().map_or(0, |fields| fields.len()), 2, "{envelope}");
        assert!(!self.message().trim().is_empty(), "{envelope}");
        let code = envelope["error_code"].as_u64().unwrap_or_else(|| panic!("no error_code: {envelope}"));
        (self.status, code)
    }

    #[track_caller]
    pub fn message(&self) -> String {
        self.json()["message"].as_str().unwrap_or_else(|| panic!("no message: {}", self.text())).to_owned()
    }

    /// Returns partition and offset of each record of a produce answer; panics if one of them failed.
    #[track_caller]
    pub fn placed(&self) -> Vec<(i32, i64)> {
        let answer = self.ok();
        let offsets = answer["offsets"].as_array().unwrap_or_else(|| panic!("no offsets: {answer}"));
        let place = |offset: &Value| {
            assert_eq!((&offset["error_code"], &offset["error"]), (&Value::Null, &Value::Null), "{answer}");
            let partition = offset["partition"].as_i64().expect("a partition");
            (i32::try_from(partition).expect("32 bits"), offset["offset"].as_i64().expect("an offset"))
        };
        offsets.iter().map(place).collect()
    }

    /// Returns the `error_code` of each record of a produce answer, 0 for those that were written.
    #[track_caller]
    pub fn record_codes(&self) -> Vec<u64> {
        let answer = self.json();
        let offsets = answer["offsets"].as_array().unwrap_or_else(|| panic!("no offsets: {answer}"));
        offsets.iter().map(|offset| offset["error_code"].as_u64().unwrap_or(0)).collect()
    }
}
