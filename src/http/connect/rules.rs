use crate::domain::connect::declared::Declared;
use crate::domain::connect::{Call, ConnectorConfig, Operation, Shown};
use crate::error::Result;
use crate::http::caller::Caller;
use crate::model::{Right, Subject, decode_segment};

/// What is needed to have a connector as a set says: it may be there already, or not, and its old values are shown.
const DECLARES: [Right; 3] = [Right::Read, Right::Create, Right::Alter];

/// Refuses a call whose body names a connector that is not the caller's; a list becomes one of those that they see.
pub fn within(caller: &Caller, cluster: &str, call: Call) -> Result<Call> {
    if caller.rules.are_off() {
        return Ok(call);
    }
    match call.operation {
        Operation::Create => {
            let created = ConnectorConfig::read_creation(&call.body).map(|(name, _)| name);
            check(caller, Right::Create, cluster, created.as_deref())?;
        }
        // A configuration without a name is one of no connector, and gets no secrets of any.
        Operation::Validate => match ConnectorConfig::read(&call.body) {
            Some(config) => {
                config.get("name").map_or(Ok(()), |name| check(caller, Right::Alter, cluster, Some(name)))?;
            }
            None => check(caller, Right::Alter, cluster, None)?,
        },
        Operation::List => {
            let right = if is_without_configs(&call.query) { Right::Describe } else { Right::Read };
            return Ok(Call { shown: shown(caller, cluster, right), ..call });
        }
        // Their connectors are in the path.
        _ => {}
    }
    Ok(call)
}

/// Returns the connectors of a cluster that a caller sees.
pub fn shown(caller: &Caller, cluster: &str, right: Right) -> Shown {
    let (view, cluster) = (caller.view(right), cluster.to_owned());
    if view.shows_all() {
        return Shown::default();
    }
    Shown::only(move |name| view.shows(Subject::Connector(&cluster, name)))
}

/// Refuses a set that has connectors, or would delete some, that are not the caller's.
pub fn check_set(caller: &Caller, cluster: &str, set: &Declared) -> Result<()> {
    if caller.rules.are_off() {
        return Ok(());
    }
    for desired in &set.connectors {
        let connector = Subject::Connector(cluster, &desired.name);
        DECLARES.into_iter().try_for_each(|right| caller.may(right, connector))?;
        if desired.state.is_some() {
            caller.may(Right::Write, connector)?;
        }
    }
    let pruned = set.prune.as_ref().map(|prefix| Subject::ConnectorsFrom(cluster, prefix));
    pruned.map_or(Ok(()), |pruned| caller.may(Right::Delete, pruned))
}

/// Checks a connector that a body names. Where the name cannot be read a worker may still read one, so that the caller
/// needs the right to all.
fn check(caller: &Caller, right: Right, cluster: &str, name: Option<&str>) -> Result<()> {
    caller.may(right, name.map_or(Subject::ConnectorsFrom(cluster, ""), |name| Subject::Connector(cluster, name)))
}

/// Tells whether a list is one of names or states; whatever else it is expanded with, a worker may add configurations.
fn is_without_configs(query: &str) -> bool {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.filter(|(name, _)| *name == "expand").all(|(_, value)| decode_segment(value) == "status")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_names_or_states_has_no_configurations() {
        for (query, expected) in [
            ("", true),
            ("expand=status", true),
            ("expand=statu%73", true),
            ("expand=info", false),
            ("expand=status&expand=%69nfo", false),
            ("expand=Status", false),
            ("expand", false),
        ] {
            assert_eq!(is_without_configs(query), expected, "{query}");
        }
    }
}
