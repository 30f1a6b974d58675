//! Serving, from the first connection to the last.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use log::{error, info, warn};
use tokio::signal::unix::{Signal, SignalKind, signal};

use kafka_rest_proxy::config::{Args, Config};
use kafka_rest_proxy::http::{self, Door, Gate, Management, Sockets};
use kafka_rest_proxy::logging;
use kafka_rest_proxy::reload::Reloads;
use kafka_rest_proxy::state::State;

use crate::{banner, load};

/// What the settings begin with that are taken anew without a restart.
const RELOADABLE: [&str; 3] = ["log.level", "rules.", "rate."];

/// How long connections that wait are accepted after no new ones are let in.
const LAST_ACCEPTS: Duration = Duration::from_millis(200);

/// Binds, serves until a signal comes, then finishes what runs. Errors are a line for the operator.
pub async fn serve(args: Args, config: Config) -> Result<(), String> {
    let cannot = |error: std::io::Error| format!("cannot listen for signals: {error}");
    let signals = StopSignals::new().map_err(cannot)?;
    let hangups = signal(SignalKind::hangup()).map_err(cannot)?;
    // Before there are clients, which say in the log how they are doing.
    http::check(&config.server)?;
    let state = Data::new(State::new(config).map_err(|error| error.log_line())?);
    let server = http::bind(state.clone())?;
    for door in &server.doors {
        info!("listening on {door}");
    }
    if let Some(management) = server.management {
        manage(management);
    }
    if state.config.dev {
        banner(server.doors.iter().find(|door| matches!(door, Door::Plain(_))));
    }
    let probe = actix_web::rt::spawn(probe(state.clone()));
    let reload = Reload { args, state: state.clone(), reloads: server.reloads };
    let hangups = actix_web::rt::spawn(heed_hangups(hangups, reload));
    let stop = Stop { gate: server.gate, stopper: server.stopper, handle: server.handle, state: state.clone() };
    actix_web::rt::spawn(stop.when_asked(signals, server.sockets.clone()));
    let ended = tokio::select! {
        ended = server.running => ended.map_err(|error| format!("the server failed: {error}")),
        () = server.quiet.begun() => Ok(()),
    };
    probe.abort();
    hangups.abort();
    finish(&state).await;
    server.sockets.remove();
    info!("stopped");
    ended
}

/// Runs the management listener until the process ends: it tells how the rest is doing to the last.
fn manage(management: Management) {
    for door in &management.doors {
        info!("management on {door}");
    }
    actix_web::rt::spawn(async move {
        if let Err(why) = management.running.await {
            error!("the management listener failed: {why}");
        }
    });
}

/// Lets what is not part of a request come to its end.
async fn finish(state: &Data<State>) {
    let timeout = state.config.server.shutdown_timeout;
    if tokio::time::timeout(timeout, state.connect.stop()).await.is_err() {
        warn!("what runs beside requests for kafka connect did not end within {timeout:?}");
    }
    if let Some(spans) = &state.spans
        && tokio::time::timeout(timeout, spans.stop()).await.is_err()
    {
        warn!("the last spans were not sent within {timeout:?}");
    }
    let state = state.clone();
    let closing = move || {
        state.kafka.producers.flush(timeout);
        state.instances.close_all();
        state.callers.close(timeout);
        if let Some(access_log) = &state.access_log {
            access_log.flush();
        }
    };
    match tokio::time::timeout(timeout, tokio::task::spawn_blocking(closing)).await {
        Ok(Ok(())) => {}
        Ok(Err(_)) | Err(_) => warn!("producers and consumers did not finish within {timeout:?}"),
    }
}

/// Says in one line whether Kafka can be reached; the server answers errors until it can.
async fn probe(state: Data<State>) {
    match state.kafka.metadata.ping().await {
        Ok(topics) => info!("kafka at {} has {topics} topics", state.config.kafka.bootstrap_servers),
        Err(error) => warn!(
            "kafka at {} cannot be reached yet ({}); requests get errors until it can",
            state.config.kafka.bootstrap_servers,
            error.log_line()
        ),
    }
}

/// What ends the server, in its order.
struct Stop {
    gate: Data<Gate>,
    stopper: kafka_rest_proxy::domain::Stopper,
    handle: actix_web::dev::ServerHandle,
    state: Data<State>,
}

impl Stop {
    /// Waits for a signal; then lets clients go elsewhere for a while, and stops.
    async fn when_asked(self, mut signals: StopSignals, sockets: Sockets) {
        let name = signals.next().await;
        let held = sockets.clone();
        actix_web::rt::spawn(async move {
            let again = signals.next().await;
            warn!("{again} after {name}: ending at once");
            sockets.remove();
            std::process::exit(1);
        });
        self.gate.close();
        let delay = self.state.config.server.drain_delay;
        if !delay.is_zero() {
            info!("{name}: not ready from now on, and serving for {delay:?} more");
            tokio::time::sleep(delay).await;
            held.refuse_new();
            tokio::time::sleep(LAST_ACCEPTS).await;
        }
        drop(held.let_go());
        info!("{name}: finishing what runs");
        self.stopper.stop();
        self.state.instances.end_waits();
        self.handle.stop(true).await;
    }
}

/// The signals that end the process; they are heeded from the moment this is created.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn new() -> std::io::Result<StopSignals> {
        Ok(StopSignals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// What is done on SIGHUP.
struct Reload {
    args: Args,
    state: Data<State>,
    reloads: Reloads,
}

/// Reads again, on each SIGHUP, what can change while the proxy runs.
async fn heed_hangups(mut hangups: Signal, reload: Reload) {
    let reload = Arc::new(reload);
    while hangups.recv().await.is_some() {
        let reload = Arc::clone(&reload);
        // One at a time: a signal that comes meanwhile is heeded after it.
        if tokio::task::spawn_blocking(move || reload.run()).await.is_err() {
            error!("SIGHUP: reloading failed, see above");
        }
    }
}

impl Reload {
    fn run(&self) {
        let config = match load(&self.args) {
            Ok(config) => config,
            Err(problems) => {
                return error!(
                    "SIGHUP: the configuration is not good, and nothing changes: {}",
                    problems.replace('\n', "; ")
                );
            }
        };
        if let Err(why) = logging::reload(&config.log.level) {
            error!("SIGHUP: {why}");
        }
        self.state.reload(&config);
        info!("SIGHUP: log.level is {}, and there are {} rules", config.log.level, config.rules.len());
        let changed = self.state.config.effective.changed(&config.effective);
        let is_taken = |key: &String| RELOADABLE.iter().any(|begin| key.starts_with(begin));
        let waiting: Vec<String> = changed.into_iter().filter(|key| !is_taken(key)).collect();
        if !waiting.is_empty() {
            warn!("SIGHUP: needs a restart: {}", waiting.join(", "));
        }
        self.reloads.run();
    }
}
