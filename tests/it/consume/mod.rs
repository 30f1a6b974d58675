//! Consuming, as seen by the client and by the group on Kafka.

mod accept;
mod addresses;
mod assignments;
mod bodies;
mod brokers;
mod commits;
mod compression;
mod expiry;
mod groups;
mod hangups;
mod instances;
mod limits;
pub mod native;
mod positions;
mod properties;
mod reads;
mod records;
mod scale;
mod schemas;
mod shutdown;
mod stateless;
mod subscriptions;
mod v1;
mod waiting;

use std::net::TcpStream;
use std::ops::Range;
use std::thread;

use serde_json::{Value, json};

use crate::harness::app::{self, App};
use crate::harness::http::{self, Answer, Call, V2};
use crate::harness::kafka::{self, Kafka, NewRecord};
use crate::harness::waiting::PATIENCE;
use crate::harness::wire::Wire;
use crate::harness::{eventually, unique};

/// A consumer instance of a proxy; deleted when dropped, without waiting for it.
pub struct Instance {
    /// The scheme and authority of the proxy.
    proxy: String,
    /// The rest of its URL.
    path: String,
    group: String,
}

impl Instance {
    /// Creates an instance that reads JSON from the earliest offset and commits only when told, with `fields` over it.
    pub async fn create(app: &App, group: &str, fields: Value) -> Instance {
        Instance::create_at(&app.url(""), group, fields).await
    }

    /// Does the same at the address of a proxy.
    pub async fn create_at(proxy: &str, group: &str, fields: Value) -> Instance {
        let mut body = json!({ "format": "json", "auto.offset.reset": "earliest", "auto.commit.enable": false });
        let all = body.as_object_mut().expect("it is one");
        all.extend(fields.as_object().expect("the fields are an object").clone());
        let created = http::post(&format!("{proxy}/consumers/{group}")).document(V2, &body).send().await.ok();
        let uri = created["base_uri"].as_str().expect("a text");
        let path = uri.split_once("://").and_then(|(_, rest)| rest.find('/').map(|start| rest[start..].to_owned()));
        Instance { proxy: proxy.to_owned(), path: path.expect("it has a path"), group: group.to_owned() }
    }

    /// Creates an instance of a new group that is subscribed to a topic.
    pub async fn of_topic(app: &App, topic: &str) -> Instance {
        let instance = Instance::create(app, &unique("group"), json!({})).await;
        instance.subscribe(&[topic]).await;
        instance
    }

    /// Creates an instance of a new group that reads partition 0 of a topic, with `fields` over the defaults.
    pub async fn of_partition(app: &App, topic: &str, fields: Value) -> Instance {
        let instance = Instance::create(app, &unique("group"), fields).await;
        instance.assign(&[(topic, 0)]).await;
        instance
    }

    /// Returns the path of its URL.
    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn call(&self, method: &str, path: &str) -> Call {
        http::call(method, &format!("{}{}{path}", self.proxy, self.path))
    }

    pub fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    /// Sends a document.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path).document(V2, &body).send().await
    }

    pub async fn subscribe(&self, topics: &[&str]) {
        assert_done(&self.post("/subscription", json!({ "topics": topics })).await);
    }

    pub async fn assign(&self, partitions: &[(&str, i32)]) {
        assert_done(&self.post("/assignments", partitions_of(partitions)).await);
    }

    pub async fn seek(&self, topic: &str, partition: i32, offset: i64) {
        let offsets = json!({ "offsets": [{ "topic": topic, "partition": partition, "offset": offset }] });
        assert_done(&self.post("/positions", offsets).await);
    }

    /// Reads once, with a query that begins with a question mark or is empty.
    pub async fn read(&self, query: &str) -> Vec<Value> {
        records(&self.get(&format!("/records{query}")).send().await)
    }

    /// Reads until there are `count` records.
    pub async fn collect(&self, count: usize) -> Vec<Value> {
        self.collect_with(count, "?timeout=5000").await
    }

    pub async fn collect_with(&self, count: usize, query: &str) -> Vec<Value> {
        let mut all = Vec::new();
        eventually(&format!("{count} records are read"), PATIENCE, async || {
            all.extend(self.read(query).await);
            (all.len() >= count).then_some(())
        })
        .await;
        all
    }

    /// Begins a read on a connection of its own and returns when it waits.
    pub async fn start_read(&self, app: &App, query: &str) -> Wire {
        let mut wire = app.wire().await;
        wire.send(format!("GET {}/records{query} HTTP/1.1\r\nHost: proxy\r\n\r\n", self.path)).await;
        assert!(!wire.has_answer_within(WAITS).await, "the read waits");
        wire
    }

    /// Returns the partitions that it reads, once there are so many.
    pub async fn assigned(&self, count: usize) -> Vec<i32> {
        eventually(&format!("{count} partitions are assigned"), PATIENCE, async || {
            let answer = self.get("/assignments").send().await.ok();
            let partitions = answer["partitions"].as_array().expect("a list");
            let numbers = partitions.iter().map(|item| number(item, "partition")).collect::<Vec<_>>();
            (numbers.len() == count).then_some(numbers)
        })
        .await
    }

    /// Commits what was delivered.
    pub async fn commit_delivered(&self) {
        assert_eq!(self.call("POST", "/offsets").send().await.ok(), json!([]));
    }

    /// Commits a record that was processed, and all before it.
    pub async fn commit(&self, topic: &str, partition: i32, offset: i64) {
        let offsets = json!({ "offsets": [{ "topic": topic, "partition": partition, "offset": offset }] });
        assert_eq!(self.post("/offsets", offsets).await.ok(), json!([]));
    }

    /// Returns what the proxy says is committed, and checks that Kafka says the same.
    pub async fn committed(&self, topic: &str, partition: i32) -> Option<i64> {
        let answer = self.get("/offsets").document(V2, &partitions_of(&[(topic, partition)])).send().await.ok();
        let offsets = answer["offsets"].as_array().expect("a list");
        assert!(offsets.len() <= 1, "{answer}");
        let committed = offsets.first().map(|item| item["offset"].as_i64().expect("a number"));
        assert_eq!(committed, native::committed(kafka::shared(), &self.group, topic, partition));
        committed
    }

    pub async fn delete(&self) {
        assert_done(&self.call("DELETE", "").send().await);
    }

    /// Does not delete it when dropped.
    pub fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        use std::io::{Read, Write};
        let request = format!("DELETE {} HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n\r\n", self.path);
        let address = self.proxy.trim_start_matches("http://").to_owned();
        // Leaving a group takes a moment; the proxy may be gone as well.
        thread::spawn(move || {
            let Ok(mut stream) = TcpStream::connect(address) else { return };
            let _ = stream.write_all(request.as_bytes());
            let _ = stream.read_to_end(&mut Vec::new());
        });
    }
}

/// Long enough for a read that has something to answer.
const WAITS: std::time::Duration = std::time::Duration::from_millis(700);

#[track_caller]
fn assert_done(answer: &Answer) {
    assert_eq!((answer.status, answer.text().as_str()), (204, ""));
}

fn partitions_of(partitions: &[(&str, i32)]) -> Value {
    let entry = |(topic, partition): &(&str, i32)| json!({ "topic": topic, "partition": partition });
    json!({ "partitions": partitions.iter().map(entry).collect::<Vec<_>>() })
}

/// Returns the records of an answer.
#[track_caller]
fn records(answer: &Answer) -> Vec<Value> {
    answer.ok().as_array().expect("a list").clone()
}

#[track_caller]
fn number<T: TryFrom<i64>>(item: &Value, field: &str) -> T {
    let number = item[field].as_i64().and_then(|number| T::try_from(number).ok());
    number.unwrap_or_else(|| panic!("no {field}: {item}"))
}

#[track_caller]
fn offsets(records: &[Value]) -> Vec<i64> {
    records.iter().map(|record| number(record, "offset")).collect()
}

/// Returns partition and offset of each record, in order.
#[track_caller]
fn places(records: &[Value]) -> Vec<(i32, i64)> {
    let mut places: Vec<_> =
        records.iter().map(|record| (number(record, "partition"), number(record, "offset"))).collect();
    places.sort_unstable();
    places
}

fn values(records: &[Value]) -> Vec<Value> {
    records.iter().map(|record| record["value"].clone()).collect()
}

/// Writes numbers to a partition of the shared Kafka.
#[track_caller]
fn write(topic: &str, partition: i32, numbers: Range<i64>) {
    write_to(kafka::shared(), topic, partition, numbers);
}

#[track_caller]
pub fn write_to(kafka: &Kafka, topic: &str, partition: i32, numbers: Range<i64>) {
    let record = |number: i64| NewRecord {
        partition: Some(partition),
        value: Some(number.to_string().into_bytes()),
        ..NewRecord::default()
    };
    kafka.produce(topic, &numbers.map(record).collect::<Vec<_>>());
}

/// Returns a new topic of the shared Kafka with these numbers in partition 0.
#[track_caller]
fn topic_of(partitions: i32, numbers: Range<i64>) -> String {
    let topic = app::topic(partitions);
    write(&topic, 0, numbers);
    topic
}
