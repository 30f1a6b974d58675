//! One request of each kind, and how to see whether a change was made.

use serde_json::{Value, json};

use crate::harness::http::{self, Answer, Call, JSON};
use crate::harness::{PATIENCE, eventually};

/// A request without the address that it goes to.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: &'static str,
    /// As the gateway has it.
    pub path: String,
    pub body: Option<Value>,
    /// The status of success.
    pub status: u16,
}

impl Ask {
    /// Returns the request for the server at `base`.
    pub fn at(&self, base: &str) -> Call {
        let call = http::call(self.method, &format!("{base}{}", self.path));
        match &self.body {
            Some(body) => call.document(JSON, body),
            None => call,
        }
    }

    /// Returns the path as a worker has it, without the query.
    pub fn worker_path(&self) -> &str {
        let path = self.path.split('?').next().unwrap_or_default();
        path.strip_prefix("/connect/default").unwrap_or(path)
    }
}

/// Returns every read, of a connector that exists.
pub fn reads(connector: &str) -> Vec<Ask> {
    let get = |path: String| Ask { method: "GET", path, body: None, status: 200 };
    let below = |rest: &str| get(format!("/connectors/{connector}{rest}"));
    vec![
        get("/connect/default/".to_owned()),
        get("/connect/default/health".to_owned()),
        get("/connectors".to_owned()),
        get("/connectors?expand=status&expand=info".to_owned()),
        below(""),
        below("/config"),
        below("/status"),
        below("/topics"),
        below("/offsets"),
        below("/tasks"),
        below("/tasks/0/status"),
        get("/connector-plugins".to_owned()),
        get("/connector-plugins?connectorsOnly=false".to_owned()),
        get("/connector-plugins/FileStreamSource/config".to_owned()),
        Ask {
            method: "PUT",
            body: Some(config()),
            ..get("/connector-plugins/FileStreamSource/config/validate".to_owned())
        },
        get("/admin/loggers".to_owned()),
    ]
}

/// A configuration that real and scripted workers take; there is no such file, and there need be none.
pub fn config() -> Value {
    json!({"connector.class": "FileStreamSource", "topic": "no-such-topic", "file": "/nowhere/connect", "tasks.max": "1"})
}

fn config_with(key: &str, value: &str) -> Value {
    let mut config = config();
    config[key] = json!(value);
    config
}

/// The changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    Create,
    Put,
    Patch,
    Delete,
    Pause,
    Resume,
    Stop,
    AlterOffsets,
    DeleteOffsets,
    ResetTopics,
    SetLogger,
    Restart,
    RestartWithTasks,
    RestartTask,
}

impl Write {
    /// Those that may be sent again.
    pub const REPEATABLE: [Write; 11] = [
        Write::Create,
        Write::Put,
        Write::Patch,
        Write::Delete,
        Write::Pause,
        Write::Resume,
        Write::Stop,
        Write::AlterOffsets,
        Write::DeleteOffsets,
        Write::ResetTopics,
        Write::SetLogger,
    ];

    /// Those that may not.
    pub const DISRUPTIVE: [Write; 3] = [Write::Restart, Write::RestartWithTasks, Write::RestartTask];

    pub fn all() -> impl Iterator<Item = Write> {
        Write::REPEATABLE.into_iter().chain(Write::DISRUPTIVE)
    }

    /// Returns the name of a connector for this kind of change alone.
    pub fn connector(self, prefix: &str) -> String {
        format!("{prefix}-{self:?}")
    }

    pub fn ask(self, connector: &str) -> Ask {
        let ask = |method, rest: &str, body: Option<Value>, status| Ask {
            method,
            path: format!("/connectors/{connector}{rest}"),
            body,
            status,
        };
        match self {
            Write::Create => Ask {
                method: "POST",
                path: "/connectors".to_owned(),
                body: Some(json!({"name": connector, "config": config()})),
                status: 201,
            },
            Write::Put => ask("PUT", "/config", Some(config_with("batch.size", "7")), 200),
            Write::Patch => ask("PATCH", "/config", Some(json!({"batch.size": "8"})), 200),
            Write::Delete => ask("DELETE", "", None, 204),
            Write::Pause => ask("PUT", "/pause", None, 202),
            Write::Resume => ask("PUT", "/resume", None, 202),
            Write::Stop => ask("PUT", "/stop", None, 204),
            Write::AlterOffsets => ask("PATCH", "/offsets", Some(json!({"offsets": [offset(7)]})), 200),
            Write::DeleteOffsets => ask("DELETE", "/offsets", None, 200),
            Write::ResetTopics => ask("PUT", "/topics/reset", None, 202),
            Write::SetLogger => Ask {
                method: "PUT",
                path: format!("/admin/loggers/org.example.{connector}"),
                body: Some(json!({"level": "WARN"})),
                status: 200,
            },
            Write::Restart => ask("POST", "/restart", None, 204),
            Write::RestartWithTasks => ask("POST", "/restart?includeTasks=true", None, 202),
            Write::RestartTask => ask("POST", "/tasks/0/restart", None, 204),
        }
    }

    /// Makes the connector as it has to be before, by calls to a worker.
    pub async fn prepare(self, worker: &str, connector: &str) {
        let put = |rest: &str, body: Option<Value>| Ask {
            method: "PUT",
            path: format!("/connectors/{connector}{rest}"),
            body,
            status: 0,
        };
        if self == Write::Create || self == Write::SetLogger {
            return;
        }
        done(worker, &put("/config", Some(config()))).await;
        state_of(worker, connector, "RUNNING").await;
        match self {
            Write::Resume => done(worker, &put("/pause", None)).await,
            Write::AlterOffsets | Write::DeleteOffsets => {
                done(worker, &put("/stop", None)).await;
                state_of(worker, connector, "STOPPED").await;
                let patch = Ask { method: "PATCH", ..put("/offsets", Some(json!({"offsets": [offset(1)]}))) };
                done(worker, &patch).await
            }
            _ => return,
        };
        if self == Write::Resume {
            state_of(worker, connector, "PAUSED").await;
        }
    }

    /// Tells whether the change is there, as a worker sees it; `None` where it leaves no trace.
    pub async fn is_done(self, worker: &str, connector: &str) -> Option<bool> {
        let get = async |rest: &str| {
            let path = format!("/connectors/{connector}{rest}");
            done(worker, &Ask { method: "GET", path, body: None, status: 200 }).await
        };
        Some(match self {
            Write::Create => get("/config").await.status == 200,
            Write::Put => get("/config").await.json()["batch.size"] == "7",
            Write::Patch => get("/config").await.json()["batch.size"] == "8",
            Write::Delete => get("/config").await.status == 404,
            Write::Pause => get("/status").await.json()["connector"]["state"] == "PAUSED",
            Write::Resume => get("/status").await.json()["connector"]["state"] == "RUNNING",
            Write::Stop => get("/status").await.json()["connector"]["state"] == "STOPPED",
            Write::AlterOffsets => get("/offsets").await.json()["offsets"] == json!([offset(7)]),
            Write::DeleteOffsets => get("/offsets").await.json()["offsets"] == json!([]),
            Write::ResetTopics => get("/topics").await.json()[connector]["topics"] == json!([]),
            Write::SetLogger | Write::Restart | Write::RestartWithTasks | Write::RestartTask => return None,
        })
    }
}

fn offset(position: u32) -> Value {
    json!({"partition": {"filename": "/nowhere/connect"}, "offset": {"position": position}})
}

async fn state_of(worker: &str, connector: &str, state: &str) {
    let status = Ask { method: "GET", path: format!("/connectors/{connector}/status"), body: None, status: 200 };
    eventually(&format!("{connector} is {state}"), PATIENCE, async || {
        let answer = status.at(worker).try_send().await.ok().filter(|answer| answer.status == 200)?.json();
        let tasks = answer["tasks"].as_array().map_or(0, Vec::len);
        let is_settled = answer["connector"]["state"] == state && (tasks > 0) == (state != "STOPPED");
        is_settled.then_some(())
    })
    .await;
}

/// Sends a request to a worker until it is not refused for a moment.
pub async fn done(worker: &str, ask: &Ask) -> Answer {
    eventually(&format!("{} {}", ask.method, ask.path), PATIENCE, async || {
        ask.at(worker).try_send().await.ok().filter(|answer| !matches!(answer.status, 400 | 409 | 500 | 503))
    })
    .await
}
