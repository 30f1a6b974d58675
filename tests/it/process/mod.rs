//! The built binary: arguments, signals, exit codes, log.

mod dev;
mod log;
mod signals;
mod usage;
