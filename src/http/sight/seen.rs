use std::cell::Cell;
use std::rc::Rc;

use actix_web::http::header::HeaderValue;
use actix_web::{HttpMessage, HttpRequest};

use crate::trace::Context;

/// What is known of a request beside itself; in its extensions.
pub struct Seen {
    /// What it is called.
    pub(super) id: HeaderValue,
    /// The number of the route that it came to.
    pub(super) route: Cell<usize>,
    /// Bytes of its body that came, where they are counted.
    pub(super) bytes_in: Cell<u64>,
    /// Whether its body ended amid itself.
    pub(super) is_cut: Cell<bool>,
    /// Its trace.
    pub(super) context: Option<Context>,
}

impl Seen {
    /// Returns the id as text.
    pub(super) fn id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }
}

/// Returns what a request is called; `-` where nobody looked.
pub fn id_of(request: &HttpRequest) -> String {
    request.extensions().get::<Rc<Seen>>().map_or_else(|| "-".to_owned(), |seen| seen.id().to_owned())
}
