//! Arguments, configuration, logger, state, serve, exit code.

use std::net::SocketAddr;
use std::process::ExitCode;

use actix_web::web::Data;
use clap::Parser;
use log::{LevelFilter, error, info, warn};
use tokio::signal::unix::{Signal, SignalKind, signal};

use kafka_rest_proxy::config::{self, Args, Config};
use kafka_rest_proxy::http;
use kafka_rest_proxy::kafka::check_properties;
use kafka_rest_proxy::state::State;

/// `EX_USAGE` of sysexits.h: bad arguments or a bad configuration.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(problem) => {
            // Help and version are "errors" that belong on stdout and are none.
            let code = if problem.use_stderr() { USAGE } else { 0 };
            let _ = problem.print();
            return ExitCode::from(code);
        }
    };
    let config = match load(&args) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return ExitCode::from(USAGE);
        }
    };
    if args.check {
        // The clients know what properties do not go together; creating them asks no broker.
        if let Err(refused) = State::new(config) {
            eprintln!("{}", refused.log_line());
            return ExitCode::from(USAGE);
        }
        println!("the configuration is good");
        return ExitCode::SUCCESS;
    }
    // What a client sends is not this proxy's error, and what actix does is told in our words.
    env_logger::Builder::new()
        .filter_module("actix_http", LevelFilter::Off)
        .filter_module("apache_avro", LevelFilter::Off)
        .filter_module("actix_server", LevelFilter::Warn)
        .parse_filters(&config.log.level)
        .format_target(false)
        .init();
    let system = actix_web::rt::System::new();
    let outcome = system.block_on(serve(config));
    if let Err(problem) = &outcome {
        error!("{problem}");
    }
    // What had to be finished is. A look-up that waits for a broker is not waited for, as dropping the system would.
    std::process::exit(i32::from(outcome.is_err()));
}

fn load(args: &Args) -> Result<Config, String> {
    let config = config::load(args, config::environment()).map_err(|problems| problems.to_string())?;
    let refused = check_properties(&config);
    if refused.is_empty() { Ok(config) } else { Err(refused.join("\n")) }
}

/// Binds, serves until a signal comes, then finishes what runs. Errors are a line for the operator.
async fn serve(config: Config) -> Result<(), String> {
    let mut signals = StopSignals::new().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let state = State::new(config).map_err(|error| error.log_line())?;
    let state = Data::new(state);
    let server = http::bind(state.clone())?;
    for address in &server.addresses {
        info!("listening on http://{address}");
    }
    if state.config.dev {
        banner(server.addresses.first());
    }
    let probe = actix_web::rt::spawn(probe(state.clone()));
    let (handle, stopper, stopping) = (server.handle.clone(), server.stopper, state.clone());
    actix_web::rt::spawn(async move {
        let name = signals.next().await;
        info!("{name}: finishing what runs");
        stopper.stop();
        stopping.instances.end_waits();
        handle.stop(true).await;
    });
    let ended = server.running.await.map_err(|error| format!("the server failed: {error}"));
    probe.abort();
    let timeout = state.config.server.shutdown_timeout;
    if tokio::time::timeout(timeout, state.connect.stop()).await.is_err() {
        warn!("what runs beside requests for kafka connect did not end within {timeout:?}");
    }
    let closing = move || {
        state.kafka.producers.flush(timeout);
        state.instances.close_all();
        state.callers.close(timeout);
    };
    match tokio::time::timeout(timeout, tokio::task::spawn_blocking(closing)).await {
        Ok(Ok(())) => {}
        Ok(Err(_)) | Err(_) => warn!("producers and consumers did not finish within {timeout:?}"),
    }
    info!("stopped");
    ended
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

fn banner(address: Option<&SocketAddr>) {
    let Some(address) = address else { return };
    println!(
        r#"
--dev: Kafka is embedded and in memory. Topics are made on first use; nothing survives a restart.

  curl -s http://{address}/topics/hello -H 'Content-Type: application/vnd.kafka.json.v2+json' -d '{{"records":[{{"key":"a","value":{{"n":1}}}}]}}'
  curl -s http://{address}/topics
  curl -s http://{address}/topics/hello/partitions/3/offsets
"#
    );
}
