use std::collections::BTreeMap;

use crate::config::settings::Settings;

/// The sections `[rules.NAME]`: what callers may do; without one everybody may do everything.
pub type Rules = BTreeMap<String, Rule>;

/// What a rule may allow; all of them are `all`.
pub const VERBS: [&str; 6] = ["describe", "read", "write", "create", "alter", "delete"];

/// All of [`VERBS`].
const ALL: &str = "all";

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// A section `[rules.NAME]`; patterns have `*` for any characters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// Whom it is for.
    pub principals: Vec<String>,
    /// The HTTP methods it is for; none is every one.
    pub methods: Vec<String>,
    /// What they may do: `read`, `write`, `describe`, `create`, `alter`, `delete` or `all`.
    pub verbs: Vec<String>,
    /// To which topics.
    pub topics: Vec<String>,
    /// To which consumer groups.
    pub groups: Vec<String>,
    /// In which Kafka Connect clusters.
    pub connect: Vec<String>,
    /// To which connectors of these.
    pub connectors: Vec<String>,
    /// The same, to what concerns the whole Kafka cluster.
    pub cluster: Vec<String>,
}

/// Reads every section that is given.
pub(super) fn read(settings: &mut Settings) -> Rules {
    let names = settings.sections("rules");
    names.into_iter().map(|name| (name.clone(), Rule::read(settings, &name))).collect()
}

impl Rule {
    /// Reads `[rules.name]`.
    pub(super) fn read(settings: &mut Settings, name: &str) -> Self {
        let key = |name_of: &str| format!("rules.{name}.{name_of}");
        let mut patterns = |name: &str| settings.list(&key(name), "", "a name, with * for any characters", is_name);
        let (principals, topics, groups) = (patterns("principals"), patterns("topics"), patterns("groups"));
        let (connect, connectors) = (patterns("connect"), patterns("connectors"));
        let methods = settings.list(&key("methods"), "", &one_of(&METHODS), |text| METHODS.contains(&text));
        let known = format!("{}, or all", VERBS.join(", "));
        let verbs = settings.list(&key("verbs"), "", &known, is_verb);
        let cluster = settings.list(&key("cluster"), "false", &format!("true, false, {known}"), is_cluster);
        let rule = Self {
            cluster: of_cluster(cluster, &verbs),
            verbs: all_of(verbs),
            principals,
            methods,
            topics,
            groups,
            connect,
            connectors,
        };
        rule.check(settings, name);
        rule
    }

    fn check(&self, settings: &mut Settings, name: &str) {
        if settings.sections("rules").contains(name) {
            let key = |name_of: &str| format!("rules.{name}.{name_of}");
            let whom = "is required: whom the rule is for; ANONYMOUS is who did not say who they are, * is everybody";
            settings.require(!self.principals.is_empty(), &key("principals"), whom);
            let is_for_verbs = !(self.topics.is_empty() && self.groups.is_empty() && self.connect.is_empty());
            let verbs = "is required: what the rule allows; all is everything";
            settings.require(!self.verbs.is_empty() || !is_for_verbs && !self.cluster.is_empty(), &key("verbs"), verbs);
            let both = "goes with connect: name the Kafka Connect clusters there and their connectors here, * is all";
            settings.require(self.connect.is_empty() == self.connectors.is_empty(), &key("connectors"), both);
            let nothing = "is empty, and so are groups, connect and cluster: the rule would allow nothing";
            settings.require(is_for_verbs || !self.cluster.is_empty(), &key("topics"), nothing);
        }
    }
}

fn one_of(words: &[&str]) -> String {
    format!("one of {}", words.join(", "))
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
}

fn is_verb(text: &str) -> bool {
    text == ALL || VERBS.contains(&text)
}

fn is_cluster(text: &str) -> bool {
    matches!(text, "true" | "false") || is_verb(text)
}

/// Returns the verbs for the cluster: `true` is those of the rule.
fn of_cluster(cluster: Vec<String>, verbs: &[String]) -> Vec<String> {
    let said = cluster.into_iter().flat_map(|word| match word.as_str() {
        "true" => verbs.to_vec(),
        "false" => Vec::new(),
        _ => vec![word],
    });
    all_of(said.collect())
}

fn all_of(verbs: Vec<String>) -> Vec<String> {
    if verbs.iter().any(|verb| verb == ALL) { VERBS.map(str::to_owned).to_vec() } else { verbs }
}
