use actix_web::HttpRequest;

use crate::domain::connect::{Call, Operation};
use crate::http::permit::{Access, Need, Of};
use crate::model::Right;

/// Returns what a request to Kafka Connect needs.
pub fn needs(operation: Operation) -> Access {
    let needs: &'static [Need] = match operation {
        Operation::Root | Operation::Health | Operation::Plugins | Operation::PluginConfig => {
            &[Need(Right::Describe, Of::Connect)]
        }
        Operation::List => &[Need(Right::Describe, Of::SomeConnector)],
        Operation::Create => &[Need(Right::Create, Of::SomeConnector)],
        Operation::Status | Operation::Topics | Operation::TaskStatus => &[Need(Right::Describe, Of::Connector)],
        Operation::Connector | Operation::Config | Operation::Offsets | Operation::Tasks | Operation::TasksConfig => {
            &[Need(Right::Read, Of::Connector)]
        }
        // It creates the connector where there is none.
        Operation::PutConfig => &[Need(Right::Alter, Of::Connector), Need(Right::Create, Of::Connector)],
        Operation::PatchConfig | Operation::ResetTopics | Operation::PatchOffsets | Operation::DeleteOffsets => {
            &[Need(Right::Alter, Of::Connector)]
        }
        Operation::Delete => &[Need(Right::Delete, Of::Connector)],
        Operation::Restart | Operation::Pause | Operation::Resume | Operation::Stop | Operation::RestartTask => {
            &[Need(Right::Write, Of::Connector)]
        }
        // A plugin connects to what the configuration says, with secrets of the connector that it names.
        Operation::Validate => &[Need(Right::Alter, Of::SomeConnector)],
        Operation::Loggers | Operation::Logger => &[Need(Right::Read, Of::Connect)],
        Operation::SetLogger => &[Need(Right::Alter, Of::Connect)],
    };
    Access::Needs(needs)
}

/// Returns the connector that a path names as a worker reads it, from the path as it was sent.
pub(super) fn connector(request: &HttpRequest, pattern: &str) -> String {
    let mut pairs = pattern.split('/').zip(request.uri().path().split('/'));
    let segment = pairs.find(|(part, _)| *part == "{connector}").map(|(_, segment)| segment);
    Call::name_in(segment.unwrap_or_default())
}
