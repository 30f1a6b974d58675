//! What connectors an operator allows: their classes, the keys of their configs, the number of their tasks.

use crate::domain::connect::entries::{Entries, is_null, text};
use crate::model::Glob;

const CLASS: &str = "connector.class";
const TASKS: &str = "tasks.max";
const TASKS_ENFORCED: &str = "tasks.max.enforce";

/// The number of tasks where none is set, as in Connect.
const DEFAULT_TASKS: u32 = 1;

/// What configs of connectors may have in them.
///
/// Looks at the config as it will be: that of a patch has to be merged before ([`Entries::patched`]). Where a key is
/// repeated every value has to be allowed, whichever the worker takes.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    classes: Vec<Glob>,
    denied_keys: Vec<Glob>,
    max_tasks: Option<u32>,
}

/// A rule of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The connector's class is none of those that are allowed.
    Class,
    /// A key is denied.
    Key,
    /// More tasks than are allowed, or a number that cannot be told.
    Tasks,
}

impl Rule {
    /// Returns the name of the rule for answers, logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Class => "connector_class",
            Rule::Key => "denied_key",
            Rule::Tasks => "tasks_max",
        }
    }
}

/// Why a config is refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule that it breaks.
    pub rule: Rule,
    /// The key of the configuration that does so.
    pub key: String,
    /// What to do about it, for the client; has no value of the config in it but the class.
    pub sentence: String,
}

impl Policy {
    /// Returns a policy.
    ///
    /// `classes` are fully qualified names with `*` for any characters; without one every class is allowed.
    /// `denied_keys` are keys with `*` likewise; one that ends with `.` stands for all keys that begin so.
    pub fn new(classes: &[String], denied_keys: &[String], max_tasks: Option<u32>) -> Policy {
        let denied = |key: &String| if key.ends_with('.') { Glob::new(&format!("{key}*")) } else { Glob::new(key) };
        Policy {
            classes: classes.iter().map(|class| Glob::new(class)).collect(),
            denied_keys: denied_keys.iter().map(denied).collect(),
            max_tasks,
        }
    }

    /// Tells whether it allows everything.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty() && self.denied_keys.is_empty() && self.max_tasks.is_none()
    }

    /// Tells whether [`Self::check`] needs the classes of the connectors that the workers have.
    pub fn needs_plugins(&self) -> bool {
        !self.classes.is_empty()
    }

    /// Checks a config; `plugins` are the fully qualified classes of the connectors that the workers have.
    ///
    /// A config without a class is not refused: a worker does so.
    pub fn check(&self, config: &Entries<'_>, plugins: &[String]) -> Result<(), Refusal> {
        self.check_class(config, plugins)?;
        self.check_keys(config)?;
        self.check_tasks(config)
    }

    fn check_class(&self, config: &Entries<'_>, plugins: &[String]) -> Result<(), Refusal> {
        if self.classes.is_empty() {
            return Ok(());
        }
        for value in config.all(CLASS).filter(|value| !is_null(value)) {
            let written = text(value).unwrap_or_default();
            let class = resolve(&written, plugins);
            if !class.is_some_and(|class| self.classes.iter().any(|allowed| allowed.matches(class))) {
                return Err(refuse_class(&written, class));
            }
        }
        Ok(())
    }

    fn check_keys(&self, config: &Entries<'_>) -> Result<(), Refusal> {
        let is_denied = |key: &str| self.denied_keys.iter().any(|denied| denied.matches(key));
        match config.iter().find(|(key, _)| is_denied(key)) {
            None => Ok(()),
            Some((key, _)) => Err(Refusal {
                rule: Rule::Key,
                key: key.to_owned(),
                sentence: format!("This gateway does not allow the key {}: leave it out.", cut(key)),
            }),
        }
    }

    fn check_tasks(&self, config: &Entries<'_>) -> Result<(), Refusal> {
        let Some(max) = self.max_tasks else { return Ok(()) };
        let is_allowed = |tasks: Option<u32>| tasks.is_some_and(|tasks| tasks <= max);
        let refuse = |sentence| Err(Refusal { rule: Rule::Tasks, key: TASKS.to_owned(), sentence });
        let mut tasks =
            config.all(TASKS).map(|value| if is_null(value) { Some(DEFAULT_TASKS) } else { number(text(value)) });
        if !tasks.all(is_allowed) {
            return refuse(format!("This gateway allows {TASKS} of up to {max}, as a number and not as a reference."));
        }
        // Without it a connector may make more tasks than that.
        let is_true = |value| text(value).is_some_and(|text| trimmed(&text).eq_ignore_ascii_case("true"));
        if !config.all(TASKS_ENFORCED).all(is_true) {
            return refuse(format!("This gateway limits the number of tasks: leave {TASKS_ENFORCED} out, or true."));
        }
        Ok(())
    }
}

fn refuse_class(written: &str, class: Option<&str>) -> Refusal {
    let sentence = match class {
        Some(class) => format!("This gateway does not allow connectors of the class {class}."),
        None => format!(
            "This gateway allows connectors of certain classes, and the workers have no such class or more than one: {}.",
            cut(written)
        ),
    };
    Refusal { rule: Rule::Class, key: CLASS.to_owned(), sentence }
}

/// Returns the class that a worker takes for what is written as one: its full name, or an alias that no other has.
///
/// An alias is the name without packages and outer classes; the same up to its last `Connector`; or that of a class
/// which with `Connector` after it is one's name. A worker that finds one class by the one and another by the other
/// way has an order of its own; here they are ambiguous and `None`.
pub fn resolve<'p>(written: &str, plugins: &'p [String]) -> Option<&'p str> {
    if let Some(class) = plugins.iter().find(|class| *class == written) {
        return Some(class);
    }
    let mut found = plugins.iter().filter(|class| is_alias(written, class));
    let class = found.next()?;
    // A class is listed once for each of its versions.
    found.all(|other| other == class).then_some(class)
}

pub(super) fn is_alias(written: &str, class: &str) -> bool {
    let simple = class.rsplit(['.', '$']).next().unwrap_or(class);
    let pruned = simple.rfind("Connector").filter(|at| *at > 0).map_or(simple, |at| &simple[..at]);
    written == simple || written == pruned || simple.strip_suffix("Connector") == Some(written)
}

/// Reads a number as Java does; `None` for none, and for digits of other scripts, which Java takes.
fn number(text: Option<std::borrow::Cow<'_, str>>) -> Option<u32> {
    let text = text?;
    let digits = trimmed(&text);
    // Below one the worker refuses it.
    if digits.starts_with('-') { digits.parse::<i32>().ok().map(|_| 0) } else { digits.parse().ok() }
}

/// Takes off what Java's `trim` takes off.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE_SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";

    fn plugins() -> Vec<String> {
        let file_sink = "org.apache.kafka.connect.file.FileStreamSinkConnector";
        [FILE_SOURCE, file_sink, "com.a.JdbcSinkConnector", "com.b.JdbcSinkConnector", "com.c.Twice", "com.c.Twice"]
            .iter()
            .chain(&["com.d.Outer$Inner", "com.e.ConnectorOfX", "com.f.S3ConnectorV2", "com.g.Plain"])
            .map(|class| (*class).to_owned())
            .collect()
    }

    fn rule(policy: &Policy, config: &str) -> Option<Rule> {
        policy.check(&Entries::parse(config.as_bytes()).unwrap(), &plugins()).err().map(|refusal| refusal.rule)
    }

    fn policy(classes: &[&str], keys: &[&str], max_tasks: Option<u32>) -> Policy {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Policy::new(&owned(classes), &owned(keys), max_tasks)
    }

    #[test]
    fn an_alias_is_resolved_as_a_worker_does() {
        let plugins = plugins();
        for (written, class) in [
            (FILE_SOURCE, Some(FILE_SOURCE)),
            ("FileStreamSourceConnector", Some(FILE_SOURCE)),
            ("FileStreamSource", Some(FILE_SOURCE)),
            ("com.b.JdbcSinkConnector", Some("com.b.JdbcSinkConnector")),
            ("JdbcSinkConnector", None),
            ("Twice", Some("com.c.Twice")),
            ("Inner", Some("com.d.Outer$Inner")),
            ("ConnectorOfX", Some("com.e.ConnectorOfX")),
            ("S3", Some("com.f.S3ConnectorV2")),
            ("filestreamsource", None),
            ("FileStream", None),
            (" FileStreamSource", None),
            ("${env:CLASS}", None),
            ("", None),
        ] {
            assert_eq!(resolve(written, &plugins), class, "{written}");
        }
    }

    #[test]
    fn no_way_to_write_a_class_gets_around_the_list() {
        let policy = policy(&["com.g.*", "*.FileStreamSinkConnector"], &[], None);
        for (config, allowed) in [
            (r#"{"connector.class":"com.g.Plain"}"#, true),
            (r#"{"connector.class":"Plain"}"#, true),
            (r#"{"connector.class":"FileStreamSink"}"#, true),
            (r#"{"connector.class":"FileStreamSource"}"#, false),
            (r#"{"connector.class":"FileStreamSourceConnector"}"#, false),
            (r#"{"connector.class":"org.apache.kafka.connect.file.FileStreamSourceConnector"}"#, false),
            (r#"{"connector.cl\u0061ss":"FileStreamSource"}"#, false),
            (r#"{"connector.class":"\u0046ileStreamSource"}"#, false),
            (r#"{"connector.class":"Plain","connector.class":"FileStreamSource"}"#, false),
            (r#"{"connector.class":"FileStreamSource","connector.class":"Plain"}"#, false),
            (r#"{"connector.class":"com.g.NotThere"}"#, false),
            (r#"{"connector.class":"${env:X}"}"#, false),
            (r#"{"connector.class":["Plain"]}"#, false),
            (r#"{"connector.class":1}"#, false),
            (r#"{"connector.class":null}"#, true),
            ("{}", true),
        ] {
            assert_eq!(rule(&policy, config).is_none(), allowed, "{config}");
        }
    }

    #[test]
    fn denied_keys_are_denied_whatever_their_value() {
        let policy = policy(&[], &["producer.override.", "*.override.sasl.*", "group.id"], None);
        for (config, allowed) in [
            (r#"{"producer.override.acks":"1"}"#, false),
            (r#"{"producer.override.acks":null}"#, false),
            (r#"{"producer.override.":1}"#, false),
            (r#"{"producer.\u006fverride.acks":"1"}"#, false),
            (r#"{"consumer.override.sasl.jaas.config":"x"}"#, false),
            (r#"{"group.id":"x"}"#, false),
            (r#"{"consumer.override.group.id":"x","producer.overrides":"x","my.group.id":"x"}"#, true),
        ] {
            assert_eq!(rule(&policy, config), (!allowed).then_some(Rule::Key), "{config}");
        }
    }

    #[test]
    fn a_ceiling_for_tasks_holds_however_the_number_is_written() {
        let policy = policy(&[], &[], Some(8));
        for (config, allowed) in [
            ("{}", true),
            (r#"{"tasks.max":"8"}"#, true),
            (r#"{"tasks.max":8}"#, true),
            (r#"{"tasks.max":" +8\n"}"#, true),
            (r#"{"tasks.max":"-1"}"#, true),
            (r#"{"tasks.max":null}"#, true),
            (r#"{"tasks.max":"9"}"#, false),
            (r#"{"tasks.max":9}"#, false),
            (r#"{"tasks.max":"\u0039"}"#, false),
            (r#"{"tasks.max":"\u0669"}"#, false),
            (r#"{"tasks.max":"4294967297"}"#, false),
            (r#"{"tasks.max":"${env:TASKS}"}"#, false),
            (r#"{"tasks.max":1e3}"#, false),
            (r#"{"tasks.max":8,"tasks.max":9}"#, false),
            (r#"{"tasks.max":9,"tasks.max":8}"#, false),
            (r#"{"tasks.max.enforce":"true"}"#, true),
            (r#"{"tasks.max.enforce":false}"#, false),
            (r#"{"tasks.max.enforce":null}"#, false),
            (r#"{"tasks.max.enforce":"${env:X}"}"#, false),
        ] {
            assert_eq!(rule(&policy, config), (!allowed).then_some(Rule::Tasks), "{config}");
        }
    }

    #[test]
    fn a_patch_is_checked_with_what_is_stored() {
        let policy = policy(&["com.g.*"], &["group.id"], None);
        let stored = r#"{"connector.class":"Plain","group.id":"x"}"#;
        for (patch, allowed) in [
            (r#"{"group.id":null}"#, true),
            (r#"{"tasks.max":"1"}"#, false),
            (r#"{"group.id":null,"connector.class":"FileStreamSource"}"#, false),
        ] {
            let stored = Entries::parse(stored.as_bytes()).unwrap();
            let merged = stored.patched(Entries::parse(patch.as_bytes()).unwrap());
            assert_eq!(policy.check(&merged, &plugins()).is_ok(), allowed, "{patch}");
        }
    }

    #[test]
    fn a_wildcard_stands_for_any_characters() {
        for (pattern, text, matches) in [
            ("*", "", true),
            ("a*", "a", true),
            ("a*a", "a", false),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "acb", false),
            ("**a", "xa", true),
            ("a", "ab", false),
            ("", "", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), matches, "{pattern} {text}");
        }
    }
}
