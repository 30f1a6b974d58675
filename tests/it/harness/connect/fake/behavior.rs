//! What a worker answers when no script says otherwise, and what it changes.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::harness::connect::fake::action::Reply;
use crate::harness::connect::fake::connectors::{State, stored};
use crate::harness::connect::fake::request::Request;
use crate::harness::connect::fake::{offsets, plugins};

/// What a worker encodes in `Location`, beside what is not ASCII; it leaves `/`, `;` and `+` as they are.
const NOT_IN_LOCATION: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'?').add(b'#').add(b'"').add(b'\\');

/// Does what a request asks for and returns the answer of the worker that got it.
pub(super) fn answer(state: &mut State, request: &Request) -> Reply {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let method = if request.method == "HEAD" { "GET" } else { &request.method };
    let is_write = matches!(method, "POST" | "PUT" | "PATCH");
    if is_write && !request.body.is_empty() && !is_json(request) {
        return Reply::error(415, "HTTP 415 Unsupported Media Type");
    }
    match (method, segments.as_slice()) {
        ("GET", []) => {
            Reply::json(200, &json!({"version": plugins::VERSION, "commit": "fake", "kafka_cluster_id": "fake"}))
        }
        ("GET", ["health"]) => {
            Reply::json(200, &json!({"status": "healthy", "message": "Worker has completed startup and is ready."}))
        }
        ("GET", ["connectors"]) => list(state, request),
        ("POST", ["connectors"]) => on_leader(state, request, create),
        (_, ["connectors", name, rest @ ..]) => connector(state, request, method, name, rest),
        ("GET", ["connector-plugins"]) => {
            Reply::json(200, &plugins::list(!request.parameters("connectorsOnly").contains(&"false")))
        }
        ("GET", ["connector-plugins", class, "config"]) => match plugins::find(class) {
            Some(plugin) => Reply::json(200, &plugin.definitions()),
            None => Reply::error(404, &format!("Unknown plugin {class}.")),
        },
        ("PUT", ["connector-plugins", class, "config", "validate"]) => validate(request, class),
        ("GET", ["admin", "loggers"]) => Reply::json(200, &json!({"root": {"level": "INFO", "last_modified": null}})),
        ("PUT", ["admin", "loggers", _]) if request.parameters("scope") == ["cluster"] => Reply::empty(204),
        ("PUT", ["admin", "loggers", name]) => Reply::json(200, &json!([name])),
        _ => not_found(),
    }
}

fn connector(state: &mut State, request: &Request, method: &str, name: &str, rest: &[&str]) -> Reply {
    match (method, rest) {
        ("PUT", ["config"]) => return on_leader(state, request, |state, request| put(state, request, name)),
        // Whoever does not lead does not look whether there is such a connector.
        ("DELETE", []) => {
            return on_leader(state, request, |state, _| match state.connectors.remove(name) {
                Some(_) => Reply::empty(204),
                None => Reply::error(404, &format!("Connector {name} not found")),
            });
        }
        ("GET", ["topics"]) => {
            let topics = state.connectors.get(name).map(|connector| connector.topics.clone()).unwrap_or_default();
            return Reply::json(200, &json!({name: {"topics": topics}}));
        }
        ("PUT", ["topics", "reset"]) => {
            state.connectors.entry(name.to_owned()).and_modify(|connector| connector.topics.clear());
            return Reply::empty(202);
        }
        _ => {}
    }
    let Some(connector) = state.connectors.get_mut(name) else {
        return Reply::error(404, &format!("Connector {name} not found"));
    };
    match (method, rest) {
        ("GET", ["config"]) => Reply::json(200, &json!(connector.config)),
        ("GET", ["offsets"]) => offsets::list(connector),
        ("GET", ["tasks"]) => {
            let task = |task| json!({"id": {"connector": name, "task": task}, "config": connector.config});
            Reply::json(200, &(0..connector.tasks.len()).map(task).collect())
        }
        ("GET", []) => known(state.info(name)),
        ("GET", ["status"]) => known(state.status(name)),
        ("GET", ["tasks", task, "status"]) => known(task.parse().ok().and_then(|task| state.task_status(name, task))),
        ("PUT", ["pause"]) => set_state(state, name, "PAUSED", 202),
        ("PUT", ["resume"]) => set_state(state, name, "RUNNING", 202),
        ("PUT", ["stop"]) => on_leader(state, request, |state, _| set_state(state, name, "STOPPED", 204)),
        ("PATCH", ["config"]) => on_leader(state, request, |state, request| patch(state, request, name)),
        ("POST", ["restart"]) => restart(state, request, name),
        ("POST", ["tasks", task, "restart"]) => restart_task(state, request, name, task),
        ("PATCH", ["offsets"]) => {
            on_leader(state, request, |state, request| offsets::alter(state.connector(name), &request.body))
        }
        ("DELETE", ["offsets"]) => on_leader(state, request, |state, _| offsets::delete(state.connector(name))),
        _ => not_found(),
    }
}

/// Does what only the leader does, as if a follower had forwarded it.
fn on_leader(state: &mut State, request: &Request, act: impl FnOnce(&mut State, &Request) -> Reply) -> Reply {
    match state.leader {
        Some(leader) => on_worker(state, request, leader, act),
        None => Reply::error(409, "Cannot complete request: there is no known leader URL at the moment"),
    }
}

fn on_worker(
    state: &mut State,
    request: &Request,
    worker: usize,
    act: impl FnOnce(&mut State, &Request) -> Reply,
) -> Reply {
    if worker != request.worker && !request.parameters("forward").is_empty() && !request.says("forward") {
        return Reply::error(409, "Cannot complete request because of a conflicting operation (e.g. worker rebalance)");
    }
    if worker != request.worker && !state.is_up[worker] {
        return Reply::error(500, "IO Error trying to forward REST request: Connection refused");
    }
    act(state, request)
}

fn list(state: &State, request: &Request) -> Reply {
    let expand = request.parameters("expand");
    if expand.is_empty() {
        return Reply::json(200, &json!(state.connectors.keys().collect::<Vec<_>>()));
    }
    let one = |name: &String| {
        let info = state.info(name).filter(|_| expand.contains(&"info")).map(|info| ("info".to_owned(), info));
        let status = state.status(name).filter(|_| expand.contains(&"status"));
        let parts: Map<_, _> = info.into_iter().chain(status.map(|status| ("status".to_owned(), status))).collect();
        (name.clone(), Value::Object(parts))
    };
    Reply::json(200, &Value::Object(state.connectors.keys().map(one).collect()))
}

fn create(state: &mut State, request: &Request) -> Reply {
    let Ok(Value::Object(body)) = serde_json::from_slice(&request.body) else {
        return Reply::error(500, "Cannot deserialize value of type CreateConnectorRequest");
    };
    let name = body.get("name").and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    let config = match body.get("config").map(config_of) {
        Some(Ok(config)) => config,
        Some(Err(refused)) => return refused,
        None => return Reply::error(500, "Cannot invoke method on a null config"),
    };
    let first_state = body.get("initial_state").and_then(Value::as_str).unwrap_or("RUNNING").to_uppercase();
    if let Some(refused) = refuse(&name, &config) {
        return refused;
    }
    if state.connectors.contains_key(&name) {
        return Reply::error(409, &format!("Connector {name} already exists"));
    }
    state.put(&name, config);
    if first_state != "RUNNING" {
        state.connector(&name).tasks.clear();
        set_state(state, &name, &first_state, 0);
    }
    created(state, request, &name)
}

fn put(state: &mut State, request: &Request, name: &str) -> Reply {
    let config = match config_of(&serde_json::from_slice(&request.body).unwrap_or_default()) {
        Ok(config) => config,
        Err(refused) => return refused,
    };
    if let Some(refused) = refuse(name, &config) {
        return refused;
    }
    // Of the tasks, the answer has those of before.
    let before = state.info(name);
    state.put(name, config);
    match before {
        Some(before) => {
            let mut info = state.info(name).unwrap_or_default();
            info["tasks"] = before["tasks"].clone();
            Reply::json(200, &info)
        }
        None => created(state, request, name),
    }
}

fn patch(state: &mut State, request: &Request, name: &str) -> Reply {
    let changes = match config_of(&serde_json::from_slice(&request.body).unwrap_or_default()) {
        Ok(changes) => changes,
        Err(refused) => return refused,
    };
    let mut config = state.connector(name).config.clone();
    config.extend(changes);
    config.retain(|_, value| !value.is_null());
    if let Some(refused) = refuse(name, &config) {
        return refused;
    }
    state.put(name, config);
    known(state.info(name))
}

fn created(state: &State, request: &Request, name: &str) -> Reply {
    let mut info = state.info(name).unwrap_or_default();
    info["tasks"] = json!([]);
    let place = utf8_percent_encode(name, NOT_IN_LOCATION);
    let host = request.header("host").unwrap_or_default();
    Reply::json(201, &info).header("Location", &format!("http://{host}/connectors/{place}"))
}

/// Returns a config as it is stored, or the answer to what is none.
fn config_of(body: &Value) -> Result<Map<String, Value>, Reply> {
    let wrong = || Reply::error(500, "Cannot deserialize value of type `java.lang.String` from Object value");
    stored(body).ok_or_else(wrong)
}

fn refuse(name: &str, config: &Map<String, Value>) -> Option<Reply> {
    if name.is_empty() {
        return Some(Reply::error(400, "Connector name may not be empty"));
    }
    if config.get("name").is_some_and(|inner| inner != name) {
        return Some(Reply::error(400, "Connector name configuration doesn't match connector name in the URL"));
    }
    let Some(class) = config.get("connector.class").and_then(Value::as_str) else {
        let shown = Value::Object(config.clone());
        return Some(Reply::error(400, &format!("Connector config {shown} contains no connector type")));
    };
    let Some(plugin) = plugins::find(class) else {
        return Some(Reply::error(400, &format!("Failed to find any class that is a connector and is named {class}")));
    };
    let mut named = config.clone();
    named.insert("name".to_owned(), json!(name));
    let errors = plugin.errors(&named);
    let message = format!("Connector configuration is invalid: {} error(s):\n{}", errors.len(), errors.join("\n"));
    (!errors.is_empty()).then(|| Reply::error(400, &message))
}

fn validate(request: &Request, class: &str) -> Reply {
    let config = match config_of(&serde_json::from_slice(&request.body).unwrap_or_default()) {
        Ok(config) => config,
        Err(refused) => return refused,
    };
    let Some(asked) = config.get("connector.class").and_then(Value::as_str) else {
        let shown = Value::Object(config.clone());
        return Reply::error(500, &format!("BadRequestException: Connector config {shown} contains no connector type"));
    };
    match (plugins::find(asked), plugins::find(class)) {
        (Some(plugin), Some(in_path)) if plugin.class == in_path.class => Reply::json(200, &plugin.validate(&config)),
        (Some(_), _) => Reply::error(400, "Included connector type does not match request type"),
        (None, _) => Reply::error(500, &format!("Failed to find any class that is named {asked}")),
    }
}

fn set_state(state: &mut State, name: &str, new_state: &str, status: u16) -> Reply {
    let connector = state.connector(name);
    let had_no_tasks = connector.tasks.is_empty();
    connector.set_state(new_state);
    match new_state {
        "STOPPED" => connector.tasks.clear(),
        "RUNNING" if had_no_tasks => state.assign_tasks(name),
        _ => connector.tasks.iter_mut().filter(|task| task.state != "FAILED").for_each(|task| {
            new_state.clone_into(&mut task.state);
        }),
    }
    Reply::empty(status)
}

fn restart(state: &mut State, request: &Request, name: &str) -> Reply {
    if !request.says("includeTasks") && !request.says("onlyFailed") {
        let owner = state.connector(name).worker;
        return on_worker(state, request, owner, |state, _| {
            state.connector(name).heal();
            Reply::empty(204)
        });
    }
    on_leader(state, request, |state, request| {
        let mut plan = state.status(name).unwrap_or_default();
        let only_failed = request.says("onlyFailed");
        mark_restarting(&mut plan["connector"], only_failed);
        state.connector(name).heal();
        if request.says("includeTasks") {
            plan["tasks"].as_array_mut().into_iter().flatten().for_each(|task| mark_restarting(task, only_failed));
            let connector = state.connector(name);
            (0..connector.tasks.len()).for_each(|task| connector.heal_task(task));
        }
        Reply::json(202, &plan)
    })
}

fn mark_restarting(part: &mut Value, only_failed: bool) {
    if !only_failed || part["state"] == "FAILED" {
        part["state"] = json!("RESTARTING");
    }
}

fn restart_task(state: &mut State, request: &Request, name: &str, task: &str) -> Reply {
    let found = task.parse::<usize>().ok().filter(|task| *task < state.connector(name).tasks.len());
    let Some(task) = found else { return Reply::error(404, &format!("Unknown task {name}-{task}")) };
    let owner = state.connector(name).tasks[task].worker;
    on_worker(state, request, owner, |state, _| {
        state.connector(name).heal_task(task);
        Reply::empty(204)
    })
}

fn known(found: Option<Value>) -> Reply {
    found.map_or_else(|| Reply::error(404, "No status found"), |found| Reply::json(200, &found))
}

/// Returns the answer to a URL that is none, which has no type although it is JSON.
fn not_found() -> Reply {
    Reply { headers: Vec::new(), ..Reply::error(404, "HTTP 404 Not Found") }
}

fn is_json(request: &Request) -> bool {
    let media = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
    media.split(';').next().unwrap_or_default().trim() == "application/json"
}
