use crate::domain::connect::Operation;
use crate::error::Kind;
use crate::http::doc::{Doc, Parameter};
use crate::http::health::Plain;

const WAIT: [Parameter; 2] = [
    ("wait", "string", "Answer when connector and tasks are so: running, paused or stopped."),
    ("timeout", "integer", "For how many seconds at the most; 60 by default."),
];

pub(super) const READ_FAILS: &[Kind] =
    &[Kind::ConnectNotConfigured, Kind::ConnectAnswer, Kind::ConnectUnavailable, Kind::ConnectTimeout];
const WRITE_FAILS: &[Kind] = &[
    Kind::ConnectNotConfigured,
    Kind::ConnectMasked,
    Kind::ConnectPolicy,
    Kind::ConnectBusy,
    Kind::ConnectAnswer,
    Kind::ConnectUnavailable,
    Kind::ConnectUnknown,
];

/// Returns what the description of the API says of an operation; its bodies are Kafka Connect's.
pub fn doc(operation: Operation) -> Doc {
    let doc = Doc::of(operation.row().summary).query(query(operation));
    let doc = if operation.takes_body() { doc.takes::<PlainBody>("Object") } else { doc };
    let doc = match status(operation) {
        (status, true) => doc.gives::<Plain>(status, ""),
        (status, false) => doc.gives_nothing(status),
    };
    doc.fails(if operation.is_write() { WRITE_FAILS } else { READ_FAILS })
}

/// Returns the status of success, and whether the answer has a body.
fn status(operation: Operation) -> (u16, bool) {
    match operation {
        Operation::Create => (201, true),
        Operation::Delete | Operation::Restart | Operation::RestartTask | Operation::Stop => (204, false),
        Operation::Pause | Operation::Resume | Operation::ResetTopics => (202, false),
        _ => (200, true),
    }
}

fn query(operation: Operation) -> &'static [Parameter] {
    match operation {
        Operation::List => &[("expand", "string", "status or info; may be given twice.")],
        Operation::Create | Operation::PutConfig | Operation::PatchConfig => &WAIT,
        Operation::Pause | Operation::Resume | Operation::Stop | Operation::RestartTask => &WAIT,
        Operation::Restart => {
            const {
                &[
                    ("includeTasks", "boolean", "Whether its tasks are restarted too."),
                    ("onlyFailed", "boolean", "Whether only what failed is restarted."),
                    WAIT[0],
                    WAIT[1],
                ]
            }
        }
        Operation::Plugins => &[("connectorsOnly", "boolean", "Whether converters and the like are left out.")],
        Operation::PluginConfig => &[("version", "string", "The version of the plugin.")],
        Operation::Loggers | Operation::Logger => &[("worker", "string", "The worker to ask, as HOST:PORT.")],
        Operation::SetLogger => {
            &[("scope", "string", "worker or cluster."), ("worker", "string", "The worker to ask, as HOST:PORT.")]
        }
        _ => &[],
    }
}

/// What requests with a body are in.
pub struct PlainBody;

impl crate::http::answer::Takes for PlainBody {
    type Meaning = ();
    const TYPES: &'static [(&'static str, ())] = &[(crate::http::media::JSON, ())];
    const ABSENT: () = ();
}
