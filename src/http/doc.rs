//! What `/openapi.json` says of an operation, beside its route.

use crate::error::Kind;
use crate::http::answer::{Offers, Takes};

/// A query parameter: its name, the JSON type of its value, and what it does.
pub type Parameter = (&'static str, &'static str, &'static str);

/// The media types of a body.
pub type Media = fn() -> Vec<&'static str>;

/// A body: its types, and the name of its schema; an empty name is any JSON.
#[derive(Clone, Copy)]
pub struct Content {
    /// The media types.
    pub media: Media,
    /// A name of `components/schemas`.
    pub schema: &'static str,
}

/// What an operation takes, gives and fails with.
#[derive(Clone, Default)]
pub struct Doc {
    /// A sentence without its full stop; empty where nothing is said.
    pub summary: &'static str,
    /// The query.
    pub query: &'static [Parameter],
    /// The body of the request.
    pub takes: Option<Content>,
    /// Whether the request may come without a body.
    pub may_be_empty: bool,
    /// The answers of requests that succeed, each with its status and its body.
    pub gives: Vec<(u16, Option<Content>)>,
    /// The errors that are this operation's own.
    pub fails: &'static [Kind],
}

impl Doc {
    /// Returns what is said of an operation that takes and gives nothing.
    pub fn of(summary: &'static str) -> Doc {
        Doc { summary, ..Doc::default() }
    }

    /// Adds the parameters of the query.
    pub fn query(mut self, query: &'static [Parameter]) -> Doc {
        self.query = query;
        self
    }

    /// Adds the body of the request, in the types of `T`.
    pub fn takes<T: Takes>(mut self, schema: &'static str) -> Doc {
        self.takes = Some(Content { media: taken::<T>, schema });
        self
    }

    /// Makes the body of the request optional.
    pub fn or_nothing(mut self) -> Doc {
        self.may_be_empty = true;
        self
    }

    /// Adds an answer with a body, in the types of `O`.
    pub fn gives<O: Offers>(mut self, status: u16, schema: &'static str) -> Doc {
        self.gives.push((status, Some(Content { media: offered::<O>, schema })));
        self
    }

    /// Adds an answer without a body.
    pub fn gives_nothing(mut self, status: u16) -> Doc {
        self.gives.push((status, None));
        self
    }

    /// Adds the errors.
    pub fn fails(mut self, fails: &'static [Kind]) -> Doc {
        self.fails = fails;
        self
    }
}

fn taken<T: Takes>() -> Vec<&'static str> {
    T::TYPES.iter().map(|(media, _)| *media).collect()
}

fn offered<O: Offers>() -> Vec<&'static str> {
    O::OFFERS.iter().map(|(media, _)| *media).collect()
}
