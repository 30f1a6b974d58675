//! What a script may tell a fake worker to do with a request.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::harness::connect::fake::request::{Request, matches};

/// What is done with one request: whether it takes effect, and what the client sees of it.
#[derive(Clone, Debug)]
pub struct Action {
    pub(super) takes_effect: bool,
    pub(super) shows: Shows,
}

#[derive(Clone, Debug)]
pub(super) enum Shows {
    /// The answer of a worker.
    Answer,
    /// This instead.
    Reply(Reply),
    /// The answer in chunks.
    Chunks,
    /// The answer in small pieces with time between them.
    Drip,
    /// The head of the answer and half of its body, then the end of the connection.
    Half,
    /// The head of the answer and half of its body, and then nothing, while the connection stays open.
    Stalled,
    /// Nothing, while the connection stays open.
    Nothing,
    /// The end of the connection.
    End,
    /// The end of the connection before the body was read.
    EarlyEnd,
    /// What a worker does, when the gate opens.
    After(Gate),
}

impl Action {
    /// Behaves as a worker: to let requests pass between others that are to be met.
    pub fn pass() -> Action {
        Action { takes_effect: true, shows: Shows::Answer }
    }

    /// Answers this and does nothing else.
    pub fn reply(reply: Reply) -> Action {
        Action { takes_effect: false, shows: Shows::Reply(reply) }
    }

    /// Answers a JSON document.
    pub fn json(status: u16, body: &Value) -> Action {
        Action::reply(Reply::json(status, body))
    }

    /// Answers Connect's error shape.
    pub fn error(status: u16, message: &str) -> Action {
        Action::reply(Reply::error(status, message))
    }

    /// Answers the page of something in between.
    pub fn html(status: u16) -> Action {
        Action::reply(Reply::html(status))
    }

    /// Never answers.
    pub fn hang() -> Action {
        Action { takes_effect: false, shows: Shows::Nothing }
    }

    /// Reads the request and closes the connection.
    pub fn close() -> Action {
        Action { takes_effect: false, shows: Shows::End }
    }

    /// Closes the connection when the head has come, with the body unread: the client may see it while it sends.
    pub fn close_early() -> Action {
        Action { takes_effect: false, shows: Shows::EarlyEnd }
    }

    /// Behaves as a worker and breaks off within the body of the answer.
    pub fn half() -> Action {
        Action { takes_effect: true, shows: Shows::Half }
    }

    /// Behaves as a worker and falls silent within the body of the answer.
    pub fn stall() -> Action {
        Action { takes_effect: true, shows: Shows::Stalled }
    }

    /// Behaves as a worker and answers in chunks.
    pub fn chunks() -> Action {
        Action { takes_effect: true, shows: Shows::Chunks }
    }

    /// Behaves as a worker and answers slowly, piece by piece.
    pub fn drip() -> Action {
        Action { takes_effect: true, shows: Shows::Drip }
    }

    /// Behaves as a worker when the gate opens, also if the client has gone until then.
    pub fn hold(gate: &Gate) -> Action {
        Action { takes_effect: false, shows: Shows::After(gate.clone()) }
    }

    /// Lets the request take effect before the client sees any of this. What is held answers as of then.
    pub fn applied(mut self) -> Action {
        self.takes_effect = true;
        self
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// Returns an answer with neither body nor type.
    pub fn empty(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), body: Vec::new() }
    }

    pub fn json(status: u16, body: &Value) -> Reply {
        Reply { body: body.to_string().into_bytes(), ..Reply::empty(status) }.header("Content-Type", "application/json")
    }

    /// Returns an error in Connect's shape.
    pub fn error(status: u16, message: &str) -> Reply {
        Reply::json(status, &json!({"error_code": status, "message": message}))
    }

    pub fn html(status: u16) -> Reply {
        let page = format!("<html><head><title>{status}</title></head><body>{status}</body></html>");
        Reply { body: page.into_bytes(), ..Reply::empty(status) }.header("Content-Type", "text/html;charset=iso-8859-1")
    }

    pub fn header(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// Holds requests back until the test opens it; it stays open.
#[derive(Clone, Debug)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    pub fn closed() -> Gate {
        Gate(Arc::new(watch::Sender::new(false)))
    }

    pub fn open(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn opened(&self) {
        // The sender is alive as long as this is.
        let _ = self.0.subscribe().wait_for(|is_open| *is_open).await;
    }
}

/// What was scripted and did not happen yet.
#[derive(Default)]
pub(super) struct Rules(Vec<Rule>);

struct Rule {
    method: String,
    pattern: String,
    next: VecDeque<Action>,
    then: Option<Action>,
}

impl Rules {
    pub(super) fn add(&mut self, method: &str, pattern: &str, actions: impl IntoIterator<Item = Action>) {
        self.rule(method, pattern).next.extend(actions);
    }

    pub(super) fn add_lasting(&mut self, method: &str, pattern: &str, action: Action) {
        self.rule(method, pattern).then = Some(action);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes the action for a request, from the first rule that has one.
    pub(super) fn take(&mut self, request: &Request) -> Option<Action> {
        let fitting = self.0.iter_mut().filter(|rule| matches(request, &rule.method, &rule.pattern));
        fitting.flat_map(|rule| rule.next.pop_front().or_else(|| rule.then.clone())).next()
    }

    fn rule(&mut self, method: &str, pattern: &str) -> &mut Rule {
        let same = |rule: &Rule| rule.method == method && rule.pattern == pattern;
        let index = self.0.iter().position(same).unwrap_or_else(|| {
            let (method, pattern) = (method.to_owned(), pattern.to_owned());
            self.0.push(Rule { method, pattern, next: VecDeque::new(), then: None });
            self.0.len() - 1
        });
        &mut self.0[index]
    }
}
