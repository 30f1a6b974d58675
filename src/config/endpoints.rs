use crate::config::settings::Settings;
use crate::config::spelling;

/// The section `[endpoints]`: what is served at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Endpoints {
    /// Names, or beginnings of names and `.*`; where there are any, nothing else is served.
    pub allow: Vec<String>,
    /// The same; these are not served.
    pub block: Vec<String>,
}

/// Names that stand for others too, as they do in lists that were written for the reference.
const ALIASES: &[(&str, &str)] = &[
    ("api.v3.partition-offsets.*", "api.v3.partitions.list.offsets"),
    ("api.v3.topic-configs.list", "api.v3.topic-configs.list-all"),
];

impl Endpoints {
    pub(super) fn read(settings: &mut Settings) -> Self {
        let what = "the name of an endpoint, or the beginning of one and .*";
        let mut names = |key| settings.list(key, "", what, |text| !text.is_empty());
        let endpoints = Self { allow: names("endpoints.allow"), block: names("endpoints.block") };
        for (key, items) in [("endpoints.allow", &endpoints.allow), ("endpoints.block", &endpoints.block)] {
            if let Some(item) = items.iter().find(|item| !NAMES.iter().any(|name| stands_for(item, name))) {
                settings.require(false, key, &format!("has {item:?}, which is no endpoint{}", hint(item)));
            }
        }
        endpoints
    }

    /// Tells whether every endpoint is served.
    pub fn are_all(&self) -> bool {
        self.allow.is_empty() && self.block.is_empty()
    }

    /// Tells whether the endpoint of this name is served.
    pub fn serve(&self, name: &str) -> bool {
        let names = |list: &[String]| list.iter().any(|item| stands_for(item, name));
        (self.allow.is_empty() || names(&self.allow)) && !names(&self.block)
    }
}

/// Tells whether an item of a list stands for an endpoint.
fn stands_for(item: &str, name: &str) -> bool {
    let is_beginning = |prefix: &str| name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'));
    item == name || item.strip_suffix(".*").is_some_and(is_beginning) || ALIASES.contains(&(item, name))
}

fn hint(item: &str) -> String {
    match spelling::nearest(item.trim_end_matches(".*"), NAMES.iter().copied()) {
        Some(name) => format!("; did you mean {name}?"),
        None => "; docs/API.md lists them".to_owned(),
    }
}

/// The names of all endpoints, sorted; a test compares them with the routes.
pub const NAMES: &[&str] = &[
];
