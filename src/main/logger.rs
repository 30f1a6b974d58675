//! The log: to stderr, with a level that can change.

use std::sync::{PoisonError, RwLock};

use env_logger::{Builder, Logger};
use log::{LevelFilter, Log, Metadata, Record};

/// What lines go to.
struct Reloadable(RwLock<Option<Logger>>);

static LOGGER: Reloadable = Reloadable(RwLock::new(None));

/// Logs from now on; to be called once.
pub fn init(level: &str) {
    set(level);
    // It fails only where there is a logger already.
    let _ = log::set_logger(&LOGGER);
}

/// Puts another level, or filters, in the place of those before.
pub fn set(level: &str) {
    // What a client sends is not this proxy's error, and what actix does is told in our words.
    let logger = Builder::new()
        .filter_module("actix_http", LevelFilter::Off)
        .filter_module("apache_avro", LevelFilter::Off)
        .filter_module("actix_server", LevelFilter::Warn)
        .parse_filters(level)
        .format_target(false)
        .build();
    log::set_max_level(logger.filter());
    *LOGGER.0.write().unwrap_or_else(PoisonError::into_inner) = Some(logger);
}

impl Reloadable {
    fn with<T>(&self, act: impl FnOnce(&Logger) -> T) -> Option<T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(act)
    }
}

impl Log for Reloadable {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.with(|logger| logger.enabled(metadata)).unwrap_or(false)
    }

    fn log(&self, record: &Record<'_>) {
        self.with(|logger| logger.log(record));
    }

    fn flush(&self) {}
}
