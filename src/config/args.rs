use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

/// Gives any HTTP client the whole of Apache Kafka.
///
/// Settings come from defaults < proxy.toml < environment (KAFKA_REST_SERVER__LISTEN=..) < flags;
/// docs/CONFIG.md names them all.
// No Debug: `set` may hold a password.
#[derive(Clone, Default, Parser)]
#[command(name = "kafka-rest-proxy", version, disable_help_subcommand = true)]
pub struct Args {
    /// Reads this file; without it ./proxy.toml if there is one
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    /// The Kafka brokers to start from
    #[arg(long, value_name = "HOST:PORT,..")]
    pub bootstrap_servers: Option<String>,

    /// The schema registry, for Avro, JSON Schema and Protobuf
    #[arg(long, value_name = "URL,..")]
    pub schema_registry_url: Option<String>,

    /// The workers of a Kafka Connect cluster; without a name that of the cluster `default`; repeatable
    #[arg(long, value_name = "[NAME=]URL,..")]
    pub connect_url: Vec<String>,

    /// Where to listen: HOST:PORT, https://HOST:PORT or unix:/PATH
    #[arg(long, value_name = "ADDRESS,..")]
    pub listen: Option<String>,

    /// Runs without Kafka, on an in-process mock cluster that forgets everything
    #[arg(long)]
    pub dev: bool,

    /// Checks the configuration and exits: 0 if it is good, 64 if not
    #[arg(long)]
    pub check: bool,

    /// Sets anything, e.g. producer.acks=1 or kafka.properties.security.protocol=SSL; repeatable
    // Taken as text, because clap would print a malformed value, and it may be a password.
    #[arg(long, value_name = "KEY=VALUE", global = true)]
    pub set: Vec<String>,

    /// What to do; without it, serve
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What can be done beside serving.
#[derive(Clone, Subcommand)]
pub enum Command {
    /// Asks a running proxy whether it is ready: exit code 0 if it is, 1 if not
    Healthcheck {
        /// http://, https:// (certificates are not looked at) or unix:/SOCKET[:/PATH]; without it /ready where the
        /// configuration says that the management listener is, or else the first one
        #[arg(long, value_name = "URL")]
        url: Option<String>,

        /// How long the answer may take
        #[arg(long, value_name = "DURATION", default_value = "4s", value_parser = humantime::parse_duration)]
        timeout: Duration,
    },
    /// Prints the man page, in roff
    Man,
    /// Prints what completes the flags in a shell
    Completions {
        /// Which one
        shell: Shell,
    },
}
