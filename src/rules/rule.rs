use crate::config;
use crate::model::{Glob, Principal, Right, Subject};
use crate::rules::Asker;

/// A rule, ready to be asked.
pub(super) struct Rule {
    /// Whether it is for those who did not say who they are.
    is_for_anonymous: bool,
    principals: Vec<Glob>,
    /// None is every one.
    methods: Vec<String>,
    rights: Rights,
    topics: Vec<Glob>,
    groups: Vec<Glob>,
    connect: Vec<Glob>,
    connectors: Vec<Glob>,
    cluster: Rights,
}

/// A set of rights; every one of them lets describe too.
#[derive(Clone, Copy, Default)]
struct Rights(u8);

impl Rule {
    pub(super) fn new(settings: &config::Rule) -> Rule {
        let globs = |patterns: &[String]| patterns.iter().map(|pattern| Glob::new(pattern)).collect::<Vec<_>>();
        let names_anonymous = |pattern: &String| pattern == Principal::ANONYMOUS || Glob::new(pattern).is_any();
        let method = |method: &String| if method == "HEAD" { "GET".to_owned() } else { method.clone() };
        let named: Vec<String> =
            settings.principals.iter().filter(|pattern| *pattern != Principal::ANONYMOUS).cloned().collect();
        Rule {
            is_for_anonymous: settings.principals.iter().any(names_anonymous),
            principals: globs(&named),
            methods: settings.methods.iter().map(method).collect(),
            rights: Rights::named(&settings.verbs),
            topics: globs(&settings.topics),
            groups: globs(&settings.groups),
            connect: globs(&settings.connect),
            connectors: globs(&settings.connectors),
            cluster: Rights::named(&settings.cluster),
        }
    }

    /// Tells whether it is for somebody, and for how they ask.
    pub(super) fn is_for(&self, asker: &Asker) -> bool {
        let is_for_principal = match asker.principal.is_anonymous() {
            true => self.is_for_anonymous,
            false => any(&self.principals, asker.principal.name()),
        };
        is_for_principal && (self.methods.is_empty() || self.methods.iter().any(|method| method == asker.method))
    }

    /// Tells whether it allows those it is for to do something.
    pub(super) fn allows(&self, right: Right, subject: Subject<'_>) -> bool {
        let rights = self.rights.have(right);
        match subject {
            Subject::Topic(name) => rights && any(&self.topics, name),
            Subject::SomeTopic => rights && !self.topics.is_empty(),
            Subject::Group(name) => rights && any(&self.groups, name),
            Subject::SomeGroup => rights && !self.groups.is_empty(),
            Subject::Cluster => self.cluster.have(right),
            Subject::Connector(cluster, name) => rights && any(&self.connect, cluster) && any(&self.connectors, name),
            Subject::SomeConnector(cluster) => rights && any(&self.connect, cluster),
            Subject::ConnectorsFrom(cluster, prefix) => {
                rights && any(&self.connect, cluster) && self.connectors.iter().any(|glob| glob.covers(prefix))
            }
            Subject::Connect(cluster) => {
                // What is done to the whole cluster is done to all its connectors.
                let is_whole = right == Right::Describe || self.connectors.iter().any(Glob::is_any);
                rights && is_whole && any(&self.connect, cluster)
            }
            Subject::SomeConnect => rights && !self.connect.is_empty(),
            Subject::Anything => rights || self.cluster.have(right),
        }
    }
}

impl Rights {
    fn named(names: &[String]) -> Rights {
        let named = Right::ALL.into_iter().filter(|right| names.iter().any(|name| name == right.name()));
        let rights = named.fold(0, |rights, right| rights | Rights::bit(right));
        Rights(if rights == 0 { 0 } else { rights | Rights::bit(Right::Describe) })
    }

    fn have(self, right: Right) -> bool {
        self.0 & Rights::bit(right) != 0
    }

    fn bit(right: Right) -> u8 {
        1 << right as u8
    }
}

fn any(globs: &[Glob], name: &str) -> bool {
    globs.iter().any(|glob| glob.matches(name))
}
