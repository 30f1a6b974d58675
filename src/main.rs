//! Arguments, configuration, logger, state, serve, exit code.

use std::net::SocketAddr;
use std::process::ExitCode;

use actix_web::web::Data;
use clap::Parser;
use log::{LevelFilter, error, info, warn};
use tokio::signal::unix::{SignalKind, signal};

use kafka_rest_proxy::config::{self, Args, Config};
use kafka_rest_proxy::http;
use kafka_rest_proxy::kafka::{MockKafka, check_properties};
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
        .filter_module("actix_server", LevelFilter::Warn)
        .parse_filters(&config.log.level)
        .format_target(false)
        .init();
    match actix_web::rt::System::new().block_on(serve(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            error!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn load(args: &Args) -> Result<Config, String> {
    let config = config::load(args, config::environment()).map_err(|problems| problems.to_string())?;
    let refused = check_properties(&config);
    if refused.is_empty() { Ok(config) } else { Err(refused.join("\n")) }
}

/// Binds, serves until a signal comes, then finishes what runs. Errors are a line for the operator.
async fn serve(mut config: Config) -> Result<(), String> {
    // Lives until the end of this function, after the clients that use it.
    let embedded = if config.dev { Some(MockKafka::start().map_err(|error| error.log_line())?) } else { None };
    if let Some(embedded) = &embedded {
        config.kafka.bootstrap_servers = embedded.bootstrap_servers();
    }
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
    let handle = server.handle.clone();
    actix_web::rt::spawn(async move {
        match stop_signal().await {
            Ok(name) => info!("{name}: finishing what runs"),
            Err(error) => error!("cannot listen for signals: {error}"),
        }
        handle.stop(true).await;
    });
    let ended = server.running.await.map_err(|error| format!("the server failed: {error}"));
    probe.abort();
    let timeout = state.config.server.shutdown_timeout;
    let closing = move || {
        state.kafka.producers.flush(timeout);
        state.instances.close_all();
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

async fn stop_signal() -> std::io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
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
