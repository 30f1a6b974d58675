//! What callers may do: the sections `[rules.NAME]`, read into something that decides quickly, and that can be replaced
//! while requests are served.

mod rule;
mod view;

pub use view::View;

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::config;
use crate::error::{Error, Kind, Result};
use crate::model::{Principal, Right, Subject};
use crate::rules::rule::Rule;

/// The rules as they are now.
#[derive(Default)]
pub struct Rules {
    /// `None` where there are none, and everything is allowed.
    current: ArcSwapOption<Table>,
}

type Table = Vec<Rule>;

/// Who asks, and how.
#[derive(Clone, Debug)]
pub struct Asker {
    /// Who it is.
    pub principal: Principal,
    /// The HTTP method; that of HEAD is GET.
    pub method: &'static str,
}

impl Rules {
    /// Reads the rules of a configuration.
    pub fn new(settings: &config::Rules) -> Rules {
        let rules = Rules::default();
        rules.reload(settings);
        rules
    }

    /// Puts the rules of another configuration in the place of those there are; requests under way keep the old ones.
    pub fn reload(&self, settings: &config::Rules) {
        let table = (!settings.is_empty()).then(|| Arc::new(settings.values().map(Rule::new).collect()));
        self.current.store(table);
    }

    /// Tells whether everything is allowed, as there is no rule.
    pub fn are_off(&self) -> bool {
        self.current.load().is_none()
    }

    /// Tells whether a rule allows somebody to do something.
    pub fn allow(&self, asker: &Asker, right: Right, subject: Subject<'_>) -> bool {
        let current = self.current.load();
        let Some(table) = current.as_ref() else { return true };
        table.iter().any(|rule| rule.is_for(asker) && rule.allows(right, subject))
    }

    /// Refuses what no rule allows.
    pub fn check(&self, asker: &Asker, right: Right, subject: Subject<'_>) -> Result<()> {
        if self.allow(asker, right, subject) { Ok(()) } else { Err(refusal(asker, right, subject)) }
    }

    /// Returns what somebody may do to many things; it keeps the rules of now.
    pub fn view(&self, asker: &Asker, right: Right) -> View {
        let table = self.current.load_full();
        View::new(
            table.map(|table| {
                let theirs: Vec<usize> = (0..table.len()).filter(|place| table[*place].is_for(asker)).collect();
                (table, theirs)
            }),
            right,
        )
    }
}

fn refusal(asker: &Asker, right: Right, subject: Subject<'_>) -> Error {
    let (principal, right) = (&asker.principal, right.name());
    Kind::Forbidden
        .because(format!("No rule of this proxy lets {principal} {right} {subject}: ask those who run it for one."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(change: impl FnOnce(&mut config::Rule)) -> config::Rule {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let mut rule = config::Rule { principals: words(&["alice"]), verbs: words(&["read"]), ..Default::default() };
        change(&mut rule);
        rule
    }

    fn rules(all: Vec<config::Rule>) -> Rules {
        Rules::new(&all.into_iter().enumerate().map(|(number, rule)| (number.to_string(), rule)).collect())
    }

    fn asker(name: &str, method: &'static str) -> Asker {
        let principal = if name.is_empty() { Principal::default() } else { Principal::named(name) };
        Asker { principal, method }
    }

    fn set(field: &mut Vec<String>, words: &[&str]) {
        *field = words.iter().map(|word| (*word).to_owned()).collect();
    }

    #[test]
    fn without_rules_everything_is_allowed_and_with_one_nothing_else_is() {
        let none = rules(Vec::new());
        assert!(none.are_off() && none.allow(&asker("", "GET"), Right::Alter, Subject::Cluster));
        let one = rules(vec![rule(|rule| set(&mut rule.topics, &["a"]))]);
        assert!(!one.are_off());
        assert!(one.allow(&asker("alice", "GET"), Right::Read, Subject::Topic("a")));
        assert!(!one.allow(&asker("bob", "GET"), Right::Read, Subject::Topic("a")));
        let refused = one.check(&asker("", "GET"), Right::Write, Subject::Topic("orders")).unwrap_err();
        assert_eq!(refused.kind(), Kind::Forbidden);
        assert_eq!(
            refused.message(),
            "No rule of this proxy lets ANONYMOUS write topic orders: ask those who run it for one."
        );
    }

    #[test]
    fn a_principal_is_matched_by_name_or_pattern() {
        let cases = [
            ("alice", "alice", true),
            ("alice", "Alice", false),
            ("team-*", "team-a", true),
            ("*", "alice", true),
            ("*", "", true),
            ("ANONYMOUS", "", true),
            // Somebody who has shown to have that name is not nobody.
            ("ANONYMOUS", "ANONYMOUS", false),
            ("ANON*", "", false),
        ];
        for (pattern, name, expected) in cases {
            let rules = rules(vec![rule(|rule| {
                set(&mut rule.principals, &[pattern]);
                set(&mut rule.topics, &["*"]);
            })]);
            assert_eq!(
                rules.allow(&asker(name, "GET"), Right::Read, Subject::Topic("t")),
                expected,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn a_rule_holds_for_its_methods_and_head_is_get() {
        let rules = rules(vec![rule(|rule| {
            set(&mut rule.topics, &["*"]);
            set(&mut rule.methods, &["HEAD", "POST"]);
        })]);
        for (method, expected) in [("GET", true), ("POST", true), ("DELETE", false)] {
            assert_eq!(rules.allow(&asker("alice", method), Right::Read, Subject::Topic("t")), expected, "{method}");
        }
    }

    #[test]
    fn every_right_lets_describe_and_no_other_right() {
        let rules = rules(vec![rule(|rule| set(&mut rule.topics, &["a*"]))]);
        for right in Right::ALL {
            let expected = matches!(right, Right::Read | Right::Describe);
            assert_eq!(rules.allow(&asker("alice", "GET"), right, Subject::Topic("abc")), expected, "{right:?}");
            assert_eq!(rules.allow(&asker("alice", "GET"), right, Subject::SomeTopic), expected, "{right:?}");
            assert!(!rules.allow(&asker("alice", "GET"), right, Subject::Topic("bc")), "{right:?}");
        }
    }

    #[test]
    fn a_rule_is_for_the_kinds_of_things_that_it_names() {
        let topics = rule(|rule| set(&mut rule.topics, &["*"]));
        let groups = rule(|rule| set(&mut rule.groups, &["*"]));
        let connectors = rule(|rule| {
            set(&mut rule.connect, &["etl"]);
            set(&mut rule.connectors, &["team-*"]);
        });
        let all_connectors = rule(|rule| {
            set(&mut rule.connect, &["e*"]);
            set(&mut rule.connectors, &["*"]);
        });
        let cluster = rule(|rule| set(&mut rule.cluster, &["read"]));
        // Of a rule for topics, groups, some connectors, all connectors, the cluster.
        let cases = [
            (Subject::Topic("x"), [true, false, false, false, false]),
            (Subject::SomeTopic, [true, false, false, false, false]),
            (Subject::Group("x"), [false, true, false, false, false]),
            (Subject::SomeGroup, [false, true, false, false, false]),
            (Subject::Connector("etl", "team-x"), [false, false, true, true, false]),
            (Subject::Connector("etl", "x"), [false, false, false, true, false]),
            (Subject::Connector("other", "team-x"), [false, false, false, false, false]),
            (Subject::SomeConnector("etl"), [false, false, true, true, false]),
            (Subject::SomeConnector("other"), [false, false, false, false, false]),
            (Subject::ConnectorsFrom("etl", "team-x"), [false, false, true, true, false]),
            (Subject::ConnectorsFrom("etl", "team"), [false, false, false, true, false]),
            (Subject::ConnectorsFrom("etl", ""), [false, false, false, true, false]),
            (Subject::SomeConnect, [false, false, true, true, false]),
            // What concerns all connectors is for those who may do it to all of them.
            (Subject::Connect("etl"), [false, false, false, true, false]),
            (Subject::Cluster, [false, false, false, false, true]),
            (Subject::Anything, [true, true, true, true, true]),
        ];
        let rules = [topics, groups, connectors, all_connectors, cluster].map(|rule| rules(vec![rule]));
        for (subject, expected) in cases {
            let allowed =
                [0, 1, 2, 3, 4].map(|place: usize| rules[place].allow(&asker("alice", "GET"), Right::Read, subject));
            assert_eq!(allowed, expected, "{subject:?}");
        }
    }

    #[test]
    fn whoever_may_see_a_connector_may_see_what_its_cluster_is() {
        let rules = rules(vec![rule(|rule| {
            set(&mut rule.connect, &["etl"]);
            set(&mut rule.connectors, &["team-*"]);
        })]);
        let alice = asker("alice", "GET");
        assert!(rules.allow(&alice, Right::Describe, Subject::Connect("etl")));
        assert!(!rules.allow(&alice, Right::Describe, Subject::Connect("other")));
        assert!(!rules.allow(&alice, Right::Read, Subject::Connect("etl")));
    }

    #[test]
    fn rights_are_not_put_together_of_several_rules() {
        let rules = rules(vec![
            rule(|rule| set(&mut rule.topics, &["a"])),
            rule(|rule| {
                set(&mut rule.verbs, &["write"]);
                set(&mut rule.topics, &["b"]);
            }),
        ]);
        let alice = asker("alice", "POST");
        assert!(rules.allow(&alice, Right::Write, Subject::Topic("b")));
        assert!(!rules.allow(&alice, Right::Write, Subject::Topic("a")));
        assert!(!rules.allow(&alice, Right::Read, Subject::Topic("b")));
    }

    #[test]
    fn a_view_shows_the_same_and_keeps_it_when_rules_change() {
        let rules = rules(vec![rule(|rule| set(&mut rule.topics, &["a*"]))]);
        let (alice, bob) = (asker("alice", "GET"), asker("bob", "GET"));
        let (hers, his) = (rules.view(&alice, Right::Describe), rules.view(&bob, Right::Describe));
        assert!(hers.shows(Subject::Topic("ab")) && !hers.shows(Subject::Topic("b")));
        assert!(!his.shows(Subject::Topic("ab")) && !hers.shows_all());
        rules.reload(&config::Rules::default());
        assert!(rules.are_off() && !his.shows(Subject::Topic("ab")));
        assert!(rules.view(&bob, Right::Describe).shows_all());
    }
}
