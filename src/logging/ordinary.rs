use std::io::Write;
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

use log::{LevelFilter, Log, Metadata, Record};
use serde_json::json;

use crate::config::{self, LogFormat};

/// The logger, whose level can be changed while it runs.
struct Ordinary {
    format: LogFormat,
    current: RwLock<env_logger::Logger>,
}

static ORDINARY: OnceLock<Ordinary> = OnceLock::new();

/// Starts to log; the first time counts.
pub fn init(settings: &config::Log) {
    let logger = logger(&settings.level, settings.format);
    let level = logger.filter();
    let ordinary = ORDINARY.get_or_init(|| Ordinary { format: settings.format, current: RwLock::new(logger) });
    if log::set_logger(ordinary).is_ok() {
        log::set_max_level(level);
    }
}

/// Puts another `log.level` in the place of the one before. The error is a sentence for the operator.
pub fn reload(level: &str) -> Result<(), String> {
    let Some(ordinary) = ORDINARY.get() else { return Err("the log was not started".to_owned()) };
    if !config::Log::is_level(level) {
        return Err(format!("log.level: {level:?} is not {}", config::Log::LEVEL));
    }
    let logger = logger(level, ordinary.format);
    let level = logger.filter();
    *ordinary.current.write().unwrap_or_else(PoisonError::into_inner) = logger;
    log::set_max_level(level);
    Ok(())
}

fn logger(level: &str, format: LogFormat) -> env_logger::Logger {
    let mut builder = env_logger::Builder::new();
    // What a client sends is not this proxy's error, and what actix does is told in our words.
    builder
        .filter_module("actix_http", LevelFilter::Off)
        .filter_module("apache_avro", LevelFilter::Off)
        .filter_module("actix_server", LevelFilter::Warn)
        .parse_filters(level)
        .format_target(false);
    if format == LogFormat::Json {
        builder.format(|out, record| writeln!(out, "{}", json_line(record, SystemTime::now())));
    }
    builder.build()
}

fn json_line(record: &Record<'_>, now: SystemTime) -> serde_json::Value {
    json!({
        "time": humantime::format_rfc3339_millis(now).to_string(),
        "level": record.level().as_str(),
        "target": record.target(),
        "message": record.args().to_string(),
    })
}

impl Log for Ordinary {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.current.read().unwrap_or_else(PoisonError::into_inner).enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        self.current.read().unwrap_or_else(PoisonError::into_inner).log(record);
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use log::Level;

    use super::*;

    #[test]
    fn a_line_of_json_is_one_line_whatever_is_said() {
        let record = Record::builder().level(Level::Warn).target("a").args(format_args!("two\n\"lines\"")).build();
        let line = json_line(&record, UNIX_EPOCH).to_string();
        let expected = r#"{"level":"WARN","message":"two\n\"lines\"","target":"a","time":"1970-01-01T00:00:00.000Z"}"#;
        assert_eq!(line, expected);
    }

    #[test]
    fn the_level_can_be_changed_while_it_runs() {
        let settings = config::Config::dev().log;
        init(&config::Log { level: "off".to_owned(), ..settings });
        let ask = |level| ORDINARY.get().unwrap().enabled(&Metadata::builder().level(level).target("x").build());
        assert!(!ask(Level::Error));
        reload("warn,x=debug").unwrap();
        assert!(ask(Level::Debug) && !ask(Level::Trace));
        assert!(reload("x=loud").is_err());
        assert!(ask(Level::Debug), "what cannot be read changes nothing");
        reload("off").unwrap();
        assert!(!ask(Level::Error));
    }
}
