use std::io::ErrorKind;
use std::path::Path;
use std::{env, fs};

use toml::de::{DeTable, DeValue};

use crate::config::args::Args;
use crate::config::connect::DEFAULT_CLUSTER;
use crate::config::problem::Source;
use crate::config::settings::Settings;

const DEFAULT_FILE: &str = "proxy.toml";
const PREFIX: &str = "KAFKA_REST_";

/// Returns this process's environment; unlike `std::env::vars` does not panic if it is not Unicode.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    env::vars_os().map(move |(name, value)| (lossy(name), lossy(value)))
}

/// Takes what the file gives: `path`, or the default file if there is one.
pub(super) fn file(settings: &mut Settings, path: Option<&Path>) {
    let chosen = path.unwrap_or(Path::new(DEFAULT_FILE));
    match fs::read_to_string(chosen) {
        Ok(text) => toml(settings, chosen, &text),
        Err(error) if path.is_none() && error.kind() == ErrorKind::NotFound => {}
        Err(error) => {
            let source = Source::File { path: chosen.to_owned(), line: None };
            settings.problem("", source, format!("cannot be read: {error}"));
        }
    }
}

/// Takes what a file with this text gives.
pub(super) fn toml(settings: &mut Settings, path: &Path, text: &str) {
    let source = |offset: usize| {
        let line = text.as_bytes()[..offset].iter().filter(|&&byte| byte == b'\n').count() + 1;
        Source::File { path: path.to_owned(), line: Some(line) }
    };
    match DeTable::parse(text) {
        Ok(table) => toml_table(settings, "", table.get_ref(), &source),
        // `message` only: displayed, the error quotes the line, and it may hold a password.
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start);
            settings.problem("", source(offset), format!("is not TOML: {}", error.message()));
        }
    }
}

/// Flattens: `security.protocol` below `[kafka.properties]` is a table in a table to TOML.
fn toml_table(settings: &mut Settings, parent: &str, table: &DeTable<'_>, source: &impl Fn(usize) -> Source) {
    for (name, value) in table {
        let key = if parent.is_empty() { name.get_ref().to_string() } else { format!("{parent}.{}", name.get_ref()) };
        let source_of_key = source(name.span().start);
        match value.get_ref() {
            DeValue::Table(inner) => toml_table(settings, &key, inner, source),
            value => match toml_text(value) {
                Some(text) => settings.give(key, text, source_of_key),
                None => settings.problem(&key, source_of_key, "is not text, a number, true, false or a list of these"),
            },
        }
    }
}

fn toml_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(|n| n.to_string()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Datetime(time) => Some(time.to_string()),
        DeValue::Array(items) => {
            let texts: Option<Vec<String>> = items.iter().map(|item| toml_text(item.get_ref())).collect();
            Some(texts?.join(","))
        }
        DeValue::Table(_) => None,
    }
}

/// Takes what the environment gives under our prefix.
pub(super) fn variables(settings: &mut Settings, env: impl Iterator<Item = (String, String)>) {
    for (name, value) in env {
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if !is_service_link(&name, &value) {
            settings.give(key(rest), value, Source::Variable(name));
        }
    }
}

/// Returns the key that `SERVER__LISTEN` or `KAFKA__PROPERTIES__SECURITY_PROTOCOL` stand for.
fn key(name: &str) -> String {
    let key = name.to_ascii_lowercase().replace("__", ".");
    match key.split_once(".properties.") {
        Some((section, property)) => format!("{section}.properties.{}", property.replace('_', ".")),
        None => key,
    }
}

/// Returns the variable that gives `key`.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

/// Kubernetes puts `KAFKA_REST_PROXY_SERVICE_HOST`, `KAFKA_REST_PROXY_PORT=tcp://..` and
/// `KAFKA_REST_PROXY_PORT_8082_TCP_ADDR` into every pod that has a service `kafka-rest-proxy` in its namespace:
/// <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>
fn is_service_link(name: &str, value: &str) -> bool {
    let looks_so = name.contains("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.contains("_PORT_")
        || name.ends_with("_PORT") && value.contains("://");
    looks_so && !name.contains("__")
}

/// Takes what the flags give; a flag of its own wins over `--set`.
pub(super) fn flags(settings: &mut Settings, args: &Args) {
    for (index, text) in args.set.iter().enumerate() {
        match text.split_once('=') {
            Some((key, value)) if is_key(key) => settings.give(key.to_owned(), value.to_owned(), Source::Flag("--set")),
            // Not quoted: it may be a password, also one with a `=`.
            _ => settings.problem("", Source::Flag("--set"), format!("number {} is not KEY=VALUE", index + 1)),
        }
    }
    if let Some(servers) = &args.bootstrap_servers {
        let source = Source::Flag("--bootstrap-servers");
        settings.give("kafka.bootstrap_servers".to_owned(), servers.clone(), source);
    }
    if let Some(urls) = &args.schema_registry_url {
        let source = Source::Flag("--schema-registry-url");
        settings.give("schema_registry.urls".to_owned(), urls.clone(), source);
    }
    for text in &args.connect_url {
        let named = text.split_once('=').filter(|(name, _)| is_key(name));
        let (name, urls) = named.unwrap_or((DEFAULT_CLUSTER, text));
        settings.give(format!("connect.{name}.urls"), urls.to_owned(), Source::Flag("--connect-url"));
    }
    if let Some(listen) = &args.listen {
        settings.give("server.listen".to_owned(), listen.clone(), Source::Flag("--listen"));
    }
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_stands_for_a_key() {
        assert_eq!(key("SERVER__LISTEN"), "server.listen");
        assert_eq!(key("KAFKA__BOOTSTRAP_SERVERS"), "kafka.bootstrap_servers");
        assert_eq!(key("KAFKA__PROPERTIES__SECURITY_PROTOCOL"), "kafka.properties.security.protocol");
        assert_eq!(variable("kafka.bootstrap_servers"), "KAFKA_REST_KAFKA__BOOTSTRAP_SERVERS");
    }

    #[test]
    fn variables_that_kubernetes_makes_for_a_service_are_not_settings() {
        assert!(is_service_link("KAFKA_REST_SERVICE_HOST", "10.0.0.1"));
        assert!(is_service_link("KAFKA_REST_PROXY_SERVICE_PORT_HTTP", "8082"));
        assert!(is_service_link("KAFKA_REST_PROXY_PORT", "tcp://10.0.0.1:8082"));
        assert!(is_service_link("KAFKA_REST_PORT_8082_TCP_ADDR", "10.0.0.1"));
        assert!(!is_service_link("KAFKA_REST_PORT", "8082"));
        assert!(!is_service_link("KAFKA_REST_SERVER__PORT_NUMBER", "8082"));
    }
}
