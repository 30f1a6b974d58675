//! The proxy inside the test process: what most tests talk to.

use std::net::SocketAddr;
use std::sync::{OnceLock, mpsc};
use std::thread;

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use actix_web::web::Data;
use kafka_rest_proxy::config::{self, Args, Config};
use kafka_rest_proxy::http as proxy;
use kafka_rest_proxy::state::State;

use crate::harness::http::{self, Call};
use crate::harness::kafka::{self, Kafka};
use crate::harness::unique;
use crate::harness::wire::Wire;

/// A running proxy; it stops when dropped.
pub struct App {
    address: SocketAddr,
    stop: ServerHandle,
    /// What its requests use.
    pub state: Data<State>,
}

/// Returns the proxy that most tests share: defaults only, on the shared Kafka.
pub fn shared() -> &'static App {
    static SHARED: OnceLock<App> = OnceLock::new();
    SHARED.get_or_init(|| spawn_app(config()))
}

/// Returns the defaults for the shared Kafka.
pub fn config() -> Config {
    Config::for_bootstrap(&kafka::shared().bootstrap)
}

/// Returns the defaults for a cluster with `settings` over them, each as `KEY=VALUE`: for what has no field, as
/// librdkafka's properties.
pub fn config_with(bootstrap: &str, settings: &[&str]) -> Config {
    let args = Args {
        bootstrap_servers: Some(bootstrap.to_owned()),
        listen: Some("127.0.0.1:0".to_owned()),
        set: settings.iter().map(|setting| (*setting).to_owned()).collect(),
        ..Args::default()
    };
    config::load(&args, std::iter::empty()).expect("the settings are good")
}

/// Starts a proxy on a free port and waits until it listens.
#[track_caller]
pub fn spawn_app(config: Config) -> App {
    let (started, starting) = mpsc::channel();
    thread::spawn(move || {
        System::new().block_on(async move {
            let state = Data::new(State::new(config).expect("the clients need no connection"));
            let server = proxy::bind(state.clone()).expect("a free port");
            let app = App { address: server.addresses[0], stop: server.handle, state };
            started.send(app).expect("the test waits");
            server.running.await.expect("the server runs");
        });
    });
    starting.recv().expect("the proxy starts")
}

impl App {
    pub fn call(&self, method: &str, path: &str) -> Call {
        http::call(method, &self.url(path))
    }

    pub fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.call("POST", path)
    }

    pub async fn wire(&self) -> Wire {
        Wire::connect(self.address).await
    }

    /// Returns the URL of `path`, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // The command is sent at once; nobody needs to wait for what comes of it.
        drop(self.stop.stop(false));
    }
}

/// Returns the name of a new topic of the shared Kafka.
#[track_caller]
pub fn topic(partitions: i32) -> String {
    topic_on(kafka::shared(), partitions)
}

#[track_caller]
pub fn topic_on(kafka: &Kafka, partitions: i32) -> String {
    let name = unique("topic");
    kafka.create_topic(&name, partitions);
    name
}
