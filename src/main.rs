//! Arguments, configuration, logger, state, serve, exit code.

#[path = "main/commands.rs"]
mod commands;
#[path = "main/serve.rs"]
mod serve;

use std::process::ExitCode;

use clap::Parser;
use log::error;

use kafka_rest_proxy::config::{self, Args, Config};
use kafka_rest_proxy::http::{self, Door};
use kafka_rest_proxy::kafka::check_properties;
use kafka_rest_proxy::logging;
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
    if let Some(command) = &args.command {
        return commands::run(&args, command);
    }
    let config = match load(&args) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return ExitCode::from(USAGE);
        }
    };
    if args.check {
        if let Err(refused) = check(config) {
            eprintln!("{refused}");
            return ExitCode::from(USAGE);
        }
        println!("the configuration is good");
        return ExitCode::SUCCESS;
    }
    logging::init(&config.log);
    let system = actix_web::rt::System::new();
    let outcome = system.block_on(serve::serve(args, config));
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

/// Checks what loading does not, and starts nothing.
fn check(config: Config) -> Result<(), String> {
    http::check(&config.server)?;
    // The clients know what properties do not go together; creating them asks no broker.
    State::new(config).map(drop).map_err(|refused| refused.log_line())
}

fn banner(door: Option<&Door>) {
    let Some(address) = door.and_then(Door::address) else { return };
    println!(
        r#"
--dev: Kafka is embedded and in memory. Topics are made on first use; nothing survives a restart.

  curl -s http://{address}/topics/hello -H 'Content-Type: application/vnd.kafka.json.v2+json' -d '{{"records":[{{"key":"a","value":{{"n":1}}}}]}}'
  curl -s http://{address}/topics
  curl -s http://{address}/topics/hello/partitions/3/offsets
"#
    );
}
