//! What the compiler does not check: which module may know which, which crate lives where, and that documents agree
//! with the code. Needs no Kafka.

// A test may end at the first surprise, in its helpers too.
#![allow(clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kafka_rest_proxy::error::Kind;

/// Which modules each module may import; arrows point one way (docs/ARCHITECTURE.md). A new module is a new row.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("config", &[]),
    ("model", &["error"]),
    ("cache", &[]),
    ("format", &["error", "model"]),
    ("schema", &["cache", "config", "format", "metrics", "model", "upstream"]),
    ("memory", &[]),
    ("reload", &[]),
    ("trace", &[]),
    ("metrics", &["error", "model"]),
    ("logging", &["config", "metrics"]),
    ("tls", &["config"]),
    ("upstream", &["config", "tls", "trace"]),
    ("spans", &["config", "metrics", "trace", "upstream"]),
    ("auth", &["config", "error", "model", "upstream"]),
    ("kafka", &["config", "error", "metrics", "model"]),
    ("admin", &["config", "error", "model", "tls"]),
    (
        "domain",
        &[
            "admin", "cache", "config", "error", "format", "kafka", "memory", "metrics", "model", "schema", "trace",
            "upstream",
        ],
    ),
    ("rules", &["config", "error", "model"]),
    ("rates", &["config", "model"]),
    (
        "state",
        &[
            "admin", "auth", "config", "domain", "error", "kafka", "logging", "metrics", "model", "rates", "rules",
            "spans",
        ],
    ),
    (
        "http",
        &[
            "auth", "config", "domain", "error", "format", "logging", "metrics", "model", "rates", "reload", "rules",
            "spans", "state", "tls", "trace",
        ],
    ),
    ("main", &["config", "domain", "http", "kafka", "logging", "reload", "state", "upstream"]),
];

/// The same within `http`: v1 is dropped by dropping its folder and a line of `http/mod.rs`.
const NEVER_IMPORTS: &[(&str, &str)] = &[("src/http/v2/", "crate::http::v1"), ("src/http/v2.rs", "crate::http::v1")];

/// Where a crate may be named; everywhere else it is an import across a border.
const LIVES_IN: &[(&str, &[&str])] = &[
    ("rdkafka", &["src/kafka/"]),
    ("actix_web", &["src/http/", "src/main.rs", "src/main/"]),
    ("actix_http", &["src/http/connection.rs"]),
    ("actix_server", &["src/http/connection.rs", "src/http/listen.rs"]),
    ("actix_service", &["src/http/connection.rs"]),
    ("kafka_protocol", &["src/admin/"]),
    ("tokio_rustls", &["src/admin/", "src/http/connection.rs", "src/tls/", "src/upstream/"]),
    ("rustls_native_certs", &["src/tls/"]),
    ("ring", &["src/admin/security/", "src/auth/", "src/schema/", "src/state/callers/", "src/tls/"]),
    ("pkcs8", &["src/tls/"]),
    ("subtle", &["src/state/callers/"]),
    ("socket2", &["src/http/listen.rs"]),
    ("hyper", &["src/upstream/"]),
    ("hyper_util", &["src/upstream/"]),
    ("hyper_rustls", &["src/upstream/"]),
    ("http_body_util", &["src/upstream/"]),
    ("base64", &["src/format/", "src/admin/security/", "src/auth/", "src/state/callers/", "src/upstream/"]),
    ("base64_simd", &["src/format/"]),
    ("argon2", &["src/auth/basic/"]),
    ("bcrypt", &["src/auth/basic/"]),
    ("jsonwebtoken", &["src/auth/jwt/"]),
    ("x509_parser", &["src/auth/certificate/"]),
    ("apache_avro", &["src/format/schema/avro/"]),
    ("jsonschema", &["src/format/schema/json_schema.rs"]),
    ("prost_reflect", &["src/format/schema/protobuf/"]),
    ("protox", &["src/format/schema/protobuf/"]),
    ("clap", &["src/config/", "src/main.rs", "src/main/"]),
    ("clap_complete", &["src/config/args.rs", "src/main/commands.rs"]),
    ("clap_mangen", &["src/main/commands.rs"]),
    ("toml", &["src/config/"]),
    ("humantime", &["src/config/", "src/logging/"]),
    ("mime", &["src/http/media.rs"]),
    ("env_logger", &["src/logging/"]),
    ("arc_swap", &["src/rules/", "src/rates/"]),
    ("prometheus_client", &["src/metrics/"]),
];

/// What stops the process, and what is left over from trying something out.
const NOT_IN_PRODUCTION: &[&str] = &[".unwrap()", "panic!(", "todo!(", "unimplemented!(", "dbg!("];

/// A file of the program, without its tests and comments.
struct Source {
    path: String,
    code: String,
}

impl Source {
    /// Returns the top-level module that the file is, or is part of.
    fn module(&self) -> &str {
        let below = self.path.trim_start_matches("src/");
        below.split('/').next().unwrap_or(below).trim_end_matches(".rs")
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    collect(&root().join("src"), &mut sources);
    assert!(sources.len() > 20, "the sources are found");
    sources
}

fn collect(folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).expect("it is below").to_str().expect("names are UTF-8").to_owned();
            sources.push(Source { code: without_tests(&read(&name)), path: name });
        }
    }
}

/// Cuts off the test module, which is the end of its file, and lines that are comments.
fn without_tests(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    code.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| line.to_owned() + "\n").collect()
}

/// Returns the names that follow `prefix::`, also those in braces.
fn named_after(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(&format!("{prefix}::")) {
        let is_part_of_another = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
        if !is_part_of_another {
            names.extend(first_names(&code[at + prefix.len() + 2..]));
        }
    }
    names
}

fn first_names(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else { return vec![identifier(path)] };
    let (mut names, mut depth, mut starts) = (Vec::new(), 0, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => starts = true,
            _ if starts && !c.is_whitespace() => {
                names.push(identifier(&group[at..]));
                starts = false;
            }
            _ => {}
        }
    }
    names
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn modules_import_only_what_lies_below_them() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.module() != "lib") {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(module, _)| *module == source.module()) else {
            wrong.push(format!("{}: module {} has no row in MAY_IMPORT", source.path, source.module()));
            continue;
        };
        let prefix = if source.module() == "main" { "kafka_rest_proxy" } else { "crate" };
        for name in named_after(&source.code, prefix) {
            if name != source.module() && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{}: {} may not import {name}", source.path, source.module()));
            }
        }
        for (folder, never) in NEVER_IMPORTS {
            if source.path.starts_with(folder) && source.code.contains(never) {
                wrong.push(format!("{}: imports {never}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_crate_is_named_only_where_it_lives() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (name, homes) in LIVES_IN {
            let lives_here = homes.iter().any(|home| source.path.starts_with(home));
            let is_named = !named_after(&source.code, name).is_empty() || source.code.contains(&format!("use {name};"));
            if is_named && !lives_here {
                wrong.push(format!("{}: {name} lives in {}", source.path, homes.join(" and ")));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn nothing_in_the_program_stops_it_or_is_left_over() {
    let mut wrong = Vec::new();
    for source in sources() {
        for word in NOT_IN_PRODUCTION {
            // `debug_panic!(` would be another macro.
            let found = source.code.match_indices(word).any(|(at, _)| {
                word.starts_with('.') || !source.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
            });
            if found {
                wrong.push(format!("{}: {word}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_error_documentation_is_the_error_table() {
    let documented: BTreeSet<(String, String, String)> = read("docs/ERRORS.md").lines().filter_map(error_row).collect();
    let row = |kind: &Kind| (kind.status().to_string(), kind.code().to_string(), kind.label().to_owned());
    let existing: BTreeSet<_> = Kind::ALL.iter().map(row).collect();
    let missing: Vec<_> = existing.difference(&documented).collect();
    let invented: Vec<_> = documented.difference(&existing).collect();
    assert!(missing.is_empty() && invented.is_empty(), "not in docs/ERRORS.md: {missing:?}; only there: {invented:?}");
}

/// Reads a row of `| status | code | label | meaning |`.
fn error_row(line: &str) -> Option<(String, String, String)> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    let (status, code, label, _meaning) = (cells.next()?, cells.next()?, cells.next()?, cells.next()?);
    let label = label.strip_prefix('`')?.strip_suffix('`')?;
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    (is_number(status) && is_number(code)).then(|| (status.to_owned(), code.to_owned(), label.to_owned()))
}

#[test]
fn the_readme_has_its_two_commands_and_the_lines_of_the_banner() {
    let readme = read("README.md");
    for command in ["$ cargo test\n", "$ cargo run --release -- --dev\n"] {
        assert!(readme.contains(command), "{command:?} is not in README.md");
    }
    let program = read("src/main.rs");
    let banner: Vec<_> = program.lines().map(str::trim).filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(banner.len(), 3);
    for line in banner {
        let printed = line.replace("{address}", "127.0.0.1:8082").replace("{{", "{").replace("}}", "}");
        assert!(readme.contains(&format!("$ {printed}\n")), "not in README.md: {printed}");
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut wrong = Vec::new();
    for path in tracked().iter().filter(|path| path.ends_with(".md")) {
        let text = read(path);
        for (_, after) in text.match_indices("](").map(|(at, mark)| text.split_at(at + mark.len())) {
            let target = after.split([')', '#', ' ']).next().unwrap_or_default();
            let folder = Path::new(path).parent().unwrap_or(Path::new(""));
            if !target.is_empty() && !target.contains("://") && !root().join(folder).join(target).exists() {
                wrong.push(format!("{path}: {target}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    // In two parts, as this file is looked at too.
    let machine_paths = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];
    let mut wrong = Vec::new();
    for path in tracked() {
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            if machine_paths.iter().any(|machine_path| line.contains(machine_path)) {
                wrong.push(format!("{path}:{}: {line}", number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Returns every file that is, or would be, in the repository.
fn tracked() -> Vec<String> {
    let list = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git is installed");
    assert!(list.status.success(), "git: {}", String::from_utf8_lossy(&list.stderr));
    let files: Vec<_> = String::from_utf8_lossy(&list.stdout).lines().map(str::to_owned).collect();
    files.into_iter().filter(|path| root().join(path).is_file()).collect()
}

#[test]
fn names_are_found_in_every_way_to_import() {
    let code = "use crate::error::Kind;\nuse crate::{config::{self, Args}, model};\nlet x = crate::kafka::y();\n$crate::no; my_crate::no;";
    let expected = ["config", "error", "kafka", "model"].map(str::to_owned);
    assert_eq!(named_after(code, "crate"), BTreeSet::from(expected));
}
