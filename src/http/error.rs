//! The only writer of an error that is the whole answer.

use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::{HttpResponse, ResponseError};

use crate::error::{Error, Kind};
use crate::http::connect;
use crate::http::media::JSON;

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.kind().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let body = serde_json::json!({ "error_code": self.kind().code(), "message": self.message() });
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CONTENT_TYPE, JSON));
        if let Some(seconds) = self.kind().retry_after_s() {
            response.insert_header((RETRY_AFTER, seconds));
        }
        if let Some(outcome) = connect::outcome_of(self.kind()) {
            response.insert_header((connect::OUTCOME, outcome.name()));
        }
        let mut response = response.body(body.to_string());
        if matches!(self.kind(), Kind::BodyTimeout | Kind::PayloadTooLarge) {
            // The rest of the body is not read, so the connection cannot be used again.
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        response
    }
}
