//! Who may call: what a request has to show, and what it is told otherwise.

mod answers;
mod basic;
mod bearer;
mod certificates;
mod issuer;
mod limits;
mod passthrough;
mod rotation;
mod startup;

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::harness::app::{self, App};
use crate::harness::http::{Answer, Call};
use crate::harness::unique;

/// What the proxy itself answers to everybody whom it lets in.
const INSIDE: &str = "/openapi.json";

/// A proxy in this process whose Kafka nobody asks for anything.
#[track_caller]
fn proxy(settings: &[&str]) -> App {
    app::spawn_app(app::config_with("127.0.0.1:1", settings))
}

/// A file that is replaced as a whole, and removed at the end.
struct File(PathBuf);

impl File {
    fn new(content: &str) -> File {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(folder).unwrap();
        let file = File(folder.join(unique("auth")));
        file.replace(content);
        file
    }

    fn of_users(users: &[(&str, &str)]) -> File {
        File::new(&users.iter().map(|(name, password)| line(name, password)).collect::<String>())
    }

    fn replace(&self, content: &str) {
        let next = self.0.with_extension("next");
        fs::write(&next, content).unwrap();
        fs::rename(next, &self.0).unwrap();
    }

    /// Returns `KEY=PATH`.
    fn set(&self, key: &str) -> String {
        format!("{key}={}", self.0.display())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A line of a file of users, with the cheapest hash there is.
fn line(name: &str, password: &str) -> String {
    format!("{name}:{}\n", bcrypt::hash(password, 4).unwrap())
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

trait Authorized {
    fn authorized(self, value: &str) -> Call;
}

impl Authorized for Call {
    fn authorized(self, value: &str) -> Call {
        self.header("authorization", value)
    }
}

async fn ask(app: &App, authorization: &str) -> Answer {
    app.get(INSIDE).authorized(authorization).send().await
}

/// Returns the values of WWW-Authenticate.
fn challenges(answer: &Answer) -> Vec<String> {
    answer.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}
