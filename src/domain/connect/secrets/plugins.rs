use crate::domain::connect::entries::{Entries, NoObject, text};

/// The most plugins of one config that are looked up; the values of others count as those of unknown ones.
const MAX_PLUGINS: usize = 64;

/// The longest name or version of one.
const MAX_NAME_BYTES: usize = 512;

const CONVERTERS: [&str; 3] = ["key.converter", "value.converter", "header.converter"];

/// A plugin that a config names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// Its class or alias as written: any text, to be encoded in a path. `None` is one that is not worth asking for.
    pub class: Option<Box<str>>,
    /// Its version as written, where there is one.
    pub version: Option<Box<str>>,
    /// What its keys begin with in the config; the connector's with nothing.
    pub prefix: Box<str>,
}

/// Returns the plugins that a config names, the connector first; where a key is repeated, those of each.
pub fn plugins(config: &[u8]) -> Result<Vec<Plugin>, NoObject> {
    let entries = Entries::parse(config)?;
    let mut plugins = Vec::new();
    for (key, value) in entries.iter() {
        let Some((prefix, version)) = prefix_and_version(key) else { continue };
        let Some(class) = text(value) else { continue };
        let short = |text: &str| (!text.is_empty() && text.len() <= MAX_NAME_BYTES).then(|| text.into());
        let version = entries.last(&version).and_then(text).and_then(|version| short(&version));
        let class = if plugins.len() < MAX_PLUGINS { short(&class) } else { None };
        plugins.push(Plugin { class, version, prefix: prefix.into() });
    }
    plugins.sort_by_key(|plugin| !plugin.prefix.is_empty());
    Ok(plugins)
}

/// Returns what the keys of the plugin begin with that `key` names, and the key of its version.
fn prefix_and_version(key: &str) -> Option<(String, String)> {
    if key == "connector.class" {
        return Some((String::new(), "connector.plugin.version".to_owned()));
    }
    if CONVERTERS.contains(&key) {
        return Some((format!("{key}."), format!("{key}.plugin.version")));
    }
    let plugin = key.strip_suffix(".type")?;
    let named = plugin.strip_prefix("transforms.").or_else(|| plugin.strip_prefix("predicates."))?;
    (!named.is_empty()).then(|| (format!("{plugin}."), format!("{plugin}.plugin.version")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(config: &str) -> Vec<String> {
        let line = |plugin: Plugin| {
            let (class, version) = (plugin.class.unwrap_or_default(), plugin.version.unwrap_or_default());
            format!("{}{class} {version}", plugin.prefix)
        };
        plugins(config.as_bytes()).unwrap().into_iter().map(line).collect()
    }

    #[test]
    fn connector_converters_transforms_and_predicates_are_plugins() {
        let config = r#"{"name":"x","transforms":"a,b.c","transforms.a.type":"T","transforms.b.c.type":"U",
            "predicates.p.type":"P","key.converter":"K","value.converter":"V","header.converter":"H",
            "value.converter.plugin.version":"2","connector.plugin.version":"[1,2)","connector.class":"C",
            "key.converter.type":"no","transforms.type":"no","producer.override.type":"no"}"#;
        let expected = [
            "C [1,2)",
            "transforms.a.T ",
            "transforms.b.c.U ",
            "predicates.p.P ",
            "key.converter.K ",
            "value.converter.V 2",
            "header.converter.H ",
        ];
        assert_eq!(listed(config), expected);
    }

    #[test]
    fn a_repeated_or_escaped_key_hides_no_plugin() {
        assert_eq!(listed(r#"{"connector.class":"A","connector.cl\u0061ss":"B"}"#), ["A ", "B "]);
    }

    #[test]
    fn names_and_their_number_are_bounded() {
        let many: Vec<_> = (0..100).map(|number| format!(r#""transforms.{number}.type":"T""#)).collect();
        let plugins = plugins(format!("{{{}}}", many.join(",")).as_bytes()).unwrap();
        assert_eq!((plugins.len(), plugins.iter().filter(|plugin| plugin.class.is_some()).count()), (100, 64));
        let long = format!(r#"{{"connector.class":"{}"}}"#, "x".repeat(513));
        assert_eq!(listed(&long), [" "]);
    }
}
