//! The configuration: defaults < `proxy.toml` < environment < flags, all problems in one message.
//!
//! A setting is one line in its section's `read`: name, default and what is allowed.

mod args;
mod effective;
mod problem;
mod properties;
mod settings;
mod sources;
mod spelling;
mod values;

mod admin;
mod auth;
mod connect;
mod consumer;
mod cors;
mod endpoints;
mod headers;
mod kafka;
mod limits;
mod log;
mod metrics;
mod passthrough;
mod producer;
mod rate;
mod remote;
mod rules;
mod schema_registry;
mod server;
mod server_tls;
mod tracing;

pub use admin::Admin;
pub use args::{Args, Command};
pub use auth::{ANY, Auth, Jwt, KeysUrl, Methods};
pub use connect::{Connect, ConnectCluster, DEFAULT_CLUSTER, Discovery};
pub use consumer::Consumer;
pub use cors::Cors;
pub use effective::Effective;
pub use endpoints::{Endpoints, NAMES as ENDPOINT_NAMES};
pub use headers::Headers;
pub use kafka::Kafka;
pub use limits::Limits;
pub use log::{Log, LogFormat, Stream};
pub use metrics::Metrics;
pub use passthrough::{LoginProperties, Passthrough, SaslMechanism};
pub use problem::Problems;
pub use producer::{Acks, Compression, PlainJson, Producer};
pub use properties::Properties;
pub use rate::Rate;
pub use remote::{Remote, Secret};
pub use rules::{Rule, Rules};
pub use schema_registry::SchemaRegistry;
pub use server::{Listen, Server};
pub use server_tls::{ClientAuth, ServerTls, TlsVersion};
pub use sources::environment;
pub use tracing::Tracing;

use crate::config::settings::Settings;

/// The checked configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Whether Kafka is librdkafka's in-process mock cluster; `kafka.bootstrap_servers` is then empty.
    pub dev: bool,
    /// How it listens and stops.
    pub server: Server,
    /// Who may call.
    pub auth: Auth,
    /// Where Kafka is.
    pub kafka: Kafka,
    /// How records are written.
    pub producer: Producer,
    /// How records are read.
    pub consumer: Consumer,
    /// How look-ups are made.
    pub admin: Admin,
    /// Where schemas are.
    pub schema_registry: SchemaRegistry,
    /// The Kafka Connect clusters.
    pub connect: Connect,
    /// What of callers' credentials goes on to Kafka.
    pub passthrough: Passthrough,
    /// What is refused for its size or number.
    pub limits: Limits,
    /// What is served at all.
    pub endpoints: Endpoints,
    /// What callers may do.
    pub rules: Rules,
    /// How much each caller may.
    pub rate: Rate,
    /// What is logged.
    pub log: Log,
    /// What is counted.
    pub metrics: Metrics,
    /// How requests are followed through others.
    pub tracing: Tracing,
    /// Which pages of others may use this proxy in a browser.
    pub cors: Cors,
    /// What answers say to browsers.
    pub headers: Headers,
    /// All of it as text, as it was loaded.
    pub effective: Effective,
}

/// Returns the configuration that the defaults, the file, `env` and `args` make together.
pub fn load(args: &Args, env: impl Iterator<Item = (String, String)>) -> Result<Config, Problems> {
    let mut settings = Settings::default();
    sources::file(&mut settings, args.config.as_deref());
    load_over(settings, args, env)
}

fn load_over(
    mut settings: Settings,
    args: &Args,
    env: impl Iterator<Item = (String, String)>,
) -> Result<Config, Problems> {
    sources::variables(&mut settings, env);
    sources::flags(&mut settings, args);

    let config = Config::read(&mut settings, args.dev);
    settings.finish()?;
    Ok(config)
}

/// Returns the section `[server]` alone, whatever is wrong with the rest, which is for the proxy itself to tell.
pub fn load_server(args: &Args, env: impl Iterator<Item = (String, String)>) -> Server {
    let mut settings = Settings::default();
    sources::file(&mut settings, args.config.as_deref());
    sources::variables(&mut settings, env);
    sources::flags(&mut settings, args);
    Server::read(&mut settings)
}

impl Config {
    /// Returns the defaults for `--dev`.
    pub fn dev() -> Self {
        Self::read(&mut Settings::default(), true)
    }

    /// Returns the defaults for this cluster and a listener on any free port, for tests.
    ///
    /// Does not check `bootstrap_servers`.
    pub fn for_bootstrap(bootstrap_servers: &str) -> Self {
        let mut config = Self { dev: false, ..Self::dev() };
        config.kafka.bootstrap_servers = bootstrap_servers.to_owned();
        config.server.listen = vec!["127.0.0.1:0".to_owned()];
        config
    }

    fn read(settings: &mut Settings, dev: bool) -> Self {
        let auth = Auth::read(settings);
        let mut config = Self {
            dev,
            server: Server::read(settings),
            auth: auth.clone(),
            kafka: Kafka::read(settings, dev),
            producer: Producer::read(settings),
            consumer: Consumer::read(settings),
            admin: Admin::read(settings),
            schema_registry: SchemaRegistry::read(settings),
            connect: connect::read(settings),
            passthrough: Passthrough::read(settings, &auth, dev),
            limits: Limits::read(settings),
            endpoints: Endpoints::read(settings),
            rules: rules::read(settings),
            rate: Rate::read(settings),
            log: Log::read(settings),
            metrics: Metrics::read(settings),
            tracing: Tracing::read(settings),
            cors: Cors::read(settings),
            headers: Headers::read(settings),
            effective: Effective::default(),
        };
        config.effective = settings.effective();
        config
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use clap::Parser;

    use crate::config::{Acks, Args, Config, ConnectCluster, PlainJson, Rule, Settings, load, load_over, sources};

    const SHIPPED: &str = include_str!("../../proxy.toml");
    const DOCUMENTED: &str = include_str!("../../docs/CONFIG.md");
    const KAFKA: &[&str] = &["--bootstrap-servers", "kafka:9092"];

    /// Loads what a file with this text, the environment and the flags give; an error is its message.
    fn check(file: &str, env: &[(&str, &str)], flags: &[&str]) -> Result<Config, String> {
        let mut settings = Settings::default();
        sources::toml(&mut settings, Path::new("proxy.toml"), file);
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        load_over(settings, &args(flags), env).map_err(|problems| problems.to_string())
    }

    fn args(flags: &[&str]) -> Args {
        Args::try_parse_from(["kafka-rest-proxy"].iter().chain(flags)).unwrap_or_else(|error| panic!("{error}"))
    }

    fn problems(file: &str, env: &[(&str, &str)], flags: &[&str]) -> String {
        check(file, env, flags).expect_err("the configuration is wrong")
    }

    #[test]
    fn the_shipped_file_holds_exactly_the_defaults() {
        assert_eq!(check(SHIPPED, &[], &["--dev"]), Ok(Config::dev()));
    }

    /// Returns the shipped file with the sections that are there only as examples.
    fn shipped_with_examples() -> String {
        let mut is_example = false;
        let lines = SHIPPED.lines().map(|line| {
            is_example = line.starts_with('#') && (is_example || line.ends_with(".NAME]"));
            let is_commented = is_example && !line.starts_with("# ");
            if is_commented { line.trim_start_matches('#') } else { line }
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Reads every section, also those that have names of their own.
    fn read_all(settings: &mut Settings) -> (Config, ConnectCluster, Rule) {
        (Config::read(settings, true), ConnectCluster::read(settings, "NAME"), Rule::read(settings, "NAME"))
    }

    #[test]
    fn the_example_in_the_shipped_file_holds_the_defaults() {
        let mut shipped = Settings::default();
        sources::toml(&mut shipped, Path::new("proxy.toml"), &shipped_with_examples());
        let ((_, connect, rule), (_, no_connect, no_rule)) =
            (read_all(&mut shipped), read_all(&mut Settings::default()));
        assert_eq!((connect, rule), (no_connect, no_rule));
    }

    #[test]
    fn the_shipped_file_names_every_setting() {
        let mut settings = Settings::default();
        read_all(&mut settings);
        let (known, maps) = (settings.known, settings.maps);

        let mut shipped = Settings::default();
        sources::toml(&mut shipped, Path::new("proxy.toml"), SHIPPED);
        sources::toml(&mut shipped, Path::new("proxy.toml"), &shipped_with_examples());
        for key in known.keys() {
            assert!(shipped.is_given(key), "{key} is not in proxy.toml");
        }
        for map in maps {
            assert!(SHIPPED.contains(&format!("\n[{map}]\n")), "[{map}] is not in proxy.toml");
        }
    }

    #[test]
    fn the_documentation_names_every_setting_with_its_default() {
        let mut settings = Settings::default();
        read_all(&mut settings);
        for (key, default) in &settings.known {
            let row = match default.as_str() {
                "" => format!("\n| `{key}` | |"),
                default => format!("\n| `{key}` | `{default}` |"),
            };
            assert!(DOCUMENTED.contains(&row), "no row {row:?} in docs/CONFIG.md");
        }
        for map in settings.maps {
            assert!(DOCUMENTED.contains(&format!("\n| `{map}` |")), "no row for {map} in docs/CONFIG.md");
        }
    }

    #[test]
    fn a_flag_wins_over_the_environment_over_the_file() {
        let file = "[server]\nlisten = 'file:1'\nbacklog = 1\nworkers = 1\n[producer]\nstrict = true";
        let env = [("KAFKA_REST_SERVER__LISTEN", "env:2"), ("KAFKA_REST_SERVER__BACKLOG", "2")];
        let flags = [KAFKA, &["--set", "server.listen=set:3", "--listen", "flag:4"]].concat();
        let config = check(file, &env, &flags).unwrap();

        assert_eq!(config.server.listen, ["flag:4"]);
        assert_eq!((config.server.backlog, config.server.workers), (2, 1));
        assert!(config.producer.strict);
        assert_eq!(config.kafka.client_id, "kafka-rest-proxy");
    }

    #[test]
    fn values_are_read_from_text_and_from_toml_alike() {
        let file = "
            [server]
            listen = ['a:1', '[::1]:2']
            [producer]
            acks = 1
            max_record_bytes = 1_000_000
            linger = '0.3ms'
            [limits]
            body_bytes = '1MB'
            unpacked_bytes = 0x1000";
        let env = [("KAFKA_REST_PRODUCER__STRICT", "true"), ("KAFKA_REST_LIMITS__RECORDS", " 5 ")];
        let config = check(file, &env, &[KAFKA, &["--set", "producer.plain_json=json"]].concat()).unwrap();

        assert_eq!(config.server.listen, ["a:1", "[::1]:2"]);
        assert_eq!((config.producer.acks, config.producer.plain_json), (Acks::Leader, PlainJson::Json));
        assert_eq!((config.producer.max_record_bytes, config.producer.strict), (1_000_000, true));
        assert_eq!(config.producer.linger, Duration::from_micros(300));
        assert_eq!((config.limits.body_bytes, config.limits.unpacked_bytes), (1_000_000, 0x1000));
        assert_eq!(config.limits.records, 5);
    }

    #[test]
    fn properties_may_be_given_everywhere() {
        let file = "
            [kafka.properties]
            ssl.ca.location = '/ca.pem'
            'socket.keepalive.enable' = true
            [consumer]
            properties = { 'fetch.wait.max.ms' = 100 }";
        let env = [("KAFKA_REST_KAFKA__PROPERTIES__SECURITY_PROTOCOL", "SSL")];
        let flags = [KAFKA, &["--set", "producer.properties.batch.size=5"]].concat();
        let config = check(file, &env, &flags).unwrap();

        let kafka: Vec<_> = config.kafka.properties.iter().collect();
        let expected =
            [("security.protocol", "SSL"), ("socket.keepalive.enable", "true"), ("ssl.ca.location", "/ca.pem")];
        assert_eq!(kafka, expected);
        assert_eq!(config.consumer.properties.get("fetch.wait.max.ms"), Some("100"));
        assert_eq!(config.producer.properties.get("batch.size"), Some("5"));
    }

    #[test]
    fn all_problems_come_at_once_each_with_its_key_source_and_what_is_allowed() {
        let file =
            "[server]\nkeep_alive = 75\nlisten = { port = 1 }\n[producer]\ncompression = 'lzma'\nqueue_bytes = '1KiB'";
        let env = [("KAFKA_REST_PRODUCER__LINGER", "5h"), ("KAFKA_REST_LISTEN", "a:1")];
        let flags = ["--bootstrap-servers", "kafka", "--set", "limits.records=0", "--set", "oops"];
        let expected = "\
            --set: number 2 is not KEY=VALUE\n\
            server.keep_alive (proxy.toml line 2): \"75\" is not a duration from 0s to 1h, such as 500us or 30s\n\
            kafka.bootstrap_servers (--bootstrap-servers): \"kafka\" is not HOST:PORT or a list of these, with ports from 1 to 65535\n\
            producer.linger (KAFKA_REST_PRODUCER__LINGER): \"5h\" is not a duration from 0s to 1s, such as 500us or 30s\n\
            producer.compression (proxy.toml line 5): \"lzma\" is not one of none, gzip, snappy, lz4, zstd\n\
            producer.queue_bytes (proxy.toml line 6): must be at least producer.max_record_bytes\n\
            limits.records (--set): \"0\" is not a whole number from 1 to 10000000\n\
            listen (KAFKA_REST_LISTEN): is not a setting; did you mean KAFKA_REST_SERVER__LISTEN?\n\
            server.listen.port (proxy.toml line 3): is not a setting";
        assert_eq!(problems(file, &env, &flags), expected);
    }

    #[test]
    fn unknown_keys_are_refused_wherever_they_are() {
        let table = [
            ("port = 1", "port (proxy.toml line 1): is not a setting"),
            (
                "[sever]\nworkers = 1",
                "sever.workers (proxy.toml line 2): is not a setting; did you mean server.workers?",
            ),
            (
                "[kafka]\nsecurity.protocol = 'SSL'",
                "kafka.security.protocol (proxy.toml line 2): is not a setting; properties of librdkafka go below kafka.properties",
            ),
            ("kafka.properties = 'SSL'", "kafka.properties (proxy.toml line 1): is not a setting; properties of"),
            ("[[server]]\nworkers = 1", "server (proxy.toml line 1): is not text, a number, true, false or a list"),
        ];
        for (file, expected) in table {
            let message = problems(file, &[], KAFKA);
            assert!(message.starts_with(expected), "{message}");
        }
        let message = problems("", &[], &[KAFKA, &["--set", "producer.ack=1"]].concat());
        assert_eq!(message, "producer.ack (--set): is not a setting; did you mean producer.acks?");
    }

    #[test]
    fn variables_of_others_are_left_alone() {
        let env = [("KAFKA_BOOTSTRAP", "x"), ("KAFKA_REST_PROXY_PORT", "tcp://10.0.0.1:8082"), ("PATH", "/bin")];
        assert!(check("", &env, KAFKA).is_ok());
    }

    #[test]
    fn properties_that_the_proxy_decides_are_refused() {
        let message = problems("[kafka.properties]\nbootstrap.servers = 'kafka:9092'", &[], KAFKA);
        let expected = "kafka.properties.bootstrap.servers (proxy.toml line 2): is set by kafka.bootstrap_servers";
        assert_eq!(message, expected);
    }

    #[test]
    fn the_brokers_are_required_except_with_dev_which_has_none() {
        assert!(problems("", &[], &[]).starts_with("kafka.bootstrap_servers (not set): is required"));
        assert_eq!(check("", &[], &["--dev"]), Ok(Config::dev()));
        let message = problems("kafka.bootstrap_servers = 'kafka:9092'", &[], &["--dev"]);
        let expected =
            "kafka.bootstrap_servers (proxy.toml line 1): does not go with --dev, which is a cluster of its own";
        assert_eq!(message, expected);
    }

    #[test]
    fn what_may_be_in_an_unreadable_file_is_not_called_missing() {
        assert_eq!(problems("[kafka", &[], &[]).lines().count(), 1);
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        let table = [
            ("producer.linger=1s", "producer.delivery_timeout=1s", "producer.linger (--set): must be shorter than"),
            ("producer.max_record_bytes=64MiB", "log.level=info", "producer.queue_bytes (not set): must be at least"),
            ("limits.bytes_in_flight=32MiB", "log.level=info", "limits.bytes_in_flight (--set): must be at least"),
        ];
        for (one, other, expected) in table {
            let message = problems("", &[], &[KAFKA, &["--set", one, "--set", other]].concat());
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn a_rule_says_whom_it_is_for_and_what_it_allows_to_what() {
        let rule = |text: &str| format!("[rules.team]\n{text}");
        let good = rule("principals = ['alice', 'team-*']\nverbs = 'all'\ntopics = ['a*']\ncluster = true");
        let config = check(&good, &[], KAFKA).unwrap();
        let read = &config.rules["team"];
        assert_eq!((read.principals.len(), read.topics.len()), (2, 1));
        assert!(read.verbs.len() == 6 && read.cluster.len() == 6);

        let table = [
            ("verbs = 'read'\ntopics = '*'", "rules.team.principals (not set): is required"),
            ("principals = '*'\ntopics = '*'", "rules.team.verbs (not set): is required"),
            ("principals = '*'\nverbs = 'read'", "rules.team.topics (not set): is empty"),
            ("principals = '*'\nverbs = 'read'\nconnect = '*'", "rules.team.connectors (not set): goes with connect"),
            ("principals = '*'\nverbs = 'reed'\ntopics = '*'", "rules.team.verbs (proxy.toml line 3): \"reed\" is not"),
            (
                "principals = '*'\nverbs = 'all'\ntopics = '*'\nmethods = 'get'",
                "rules.team.methods (proxy.toml line 5)",
            ),
            ("principal = '*'\nverbs = 'all'\ntopics = '*'", "rules.team.principals (not set): is required"),
        ];
        for (text, expected) in table {
            let message = problems(&rule(text), &[], KAFKA);
            assert!(message.starts_with(expected), "{message}");
        }
        let cluster = check(&rule("principals = 'ops'\ncluster = 'describe'"), &[], KAFKA).unwrap();
        assert_eq!(cluster.rules["team"].cluster, ["describe"]);
    }

    #[test]
    fn an_endpoint_that_is_not_there_is_a_problem_with_a_suggestion() {
        let set = |key: &str, name: &str| check(&format!("endpoints.{key} = {name:?}"), &[], KAFKA);
        let message = set("block", "api.v3.topics.lst").unwrap_err();
        let expected = "endpoints.block (proxy.toml line 1): has \"api.v3.topics.lst\", which is no endpoint; did you mean api.v3.topics.list?";
        assert_eq!(message, expected);
        for good in ["api.v3.topics.*", "api.v2.*,connect.connectors.delete", "api.v3.partition-offsets.*"] {
            assert!(set("allow", good).is_ok(), "{good}");
        }
        for bad in ["api.v3.topic.*", "*", "api", "api.v3.topics."] {
            let message = set("allow", bad).unwrap_err();
            assert!(message.contains("which is no endpoint"), "{message}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_a_problem_only_if_it_was_named() {
        let flags = [KAFKA, &["--config", "/does/not/exist.toml"]].concat();
        let message = load(&args(&flags), std::iter::empty()).unwrap_err().to_string();
        assert_eq!(message, "/does/not/exist.toml: cannot be read: No such file or directory (os error 2)");
    }

    #[test]
    fn a_file_is_read_from_its_path() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/proxy.toml");
        assert_eq!(load(&args(&["--config", path, "--dev"]), std::iter::empty()).unwrap(), Config::dev());
    }

    #[test]
    fn a_configuration_for_tests_names_the_cluster_and_any_port() {
        let config = Config::for_bootstrap("kafka:9092");
        assert_eq!((config.kafka.bootstrap_servers.as_str(), config.dev), ("kafka:9092", false));
        assert_eq!(config.server.listen, ["127.0.0.1:0"]);
    }

    #[test]
    fn a_password_is_in_no_message() {
        let broken = ["'hunter2", "hunter2", "\"\\hunter2\"", "'a' hunter2", "{ hunter2", "[hunter2]", "\"\"\"hunter2"];
        for value in broken {
            let file = format!("[kafka.properties]\nsasl.password = {value}\n");
            let message = problems(&file, &[], KAFKA);
            assert!(message.starts_with("proxy.toml line ") && !message.contains("hunter2"), "{message}");
        }

        let file = "sasl.password = 'hunter2'\n[producer.properties]\nssl.key.password = [{ a = 'hunter2' }]";
        let env = [
            ("KAFKA_REST_SASL_PASSWORD", "hunter2"),
            ("KAFKA_REST_KAFKA__PROPERTY__SASL_PASSWORD", "hunter2"),
            ("KAFKA_REST_KAFKA__PROPERTIES", "hunter2"),
        ];
        let set = [
            "sasl.password:hunter2",
            "sasl.password:hunter2==",
            "sasl.jaas.config=hunter2",
            "kafka.properties.transactional.id=hunter2",
        ];
        let flags: Vec<&str> = set.iter().flat_map(|text| ["--set", text]).collect();
        let message = problems(file, &env, &flags);
        assert_eq!(message.lines().count(), 9, "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn a_password_is_not_in_the_debug_output() {
        let env = [("KAFKA_REST_KAFKA__PROPERTIES__SASL_PASSWORD", "hunter2")];
        let config = check("", &env, KAFKA).unwrap();
        assert_eq!(config.kafka.properties.get("sasl.password"), Some("hunter2"));
        assert!(!format!("{config:?} {config:#?}").contains("hunter2"));
    }
}
