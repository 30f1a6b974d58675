//! Workers that are killed, frozen and restarted: reads do not fail, and what is said of a change is true.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Client;
use serde_json::json;

use crate::connect::proxy;
use crate::connect::requests::{Write, config, reads};
use crate::connect::{OUTCOME, told};
use crate::harness::app::App;
use crate::harness::connect::{WorkerOptions, Workers};
use crate::harness::http::{Answer, JSON};
use crate::harness::kafka;
use crate::harness::{PATIENCE, eventually, unique};

/// Longer than workers take to give what a lost one had to others.
const LONG: Duration = Duration::from_secs(120);

fn start(count: usize) -> (Workers, Arc<App>) {
    let workers = Workers::start(kafka::shared(), count, WorkerOptions::default());
    // A frozen worker is given up within the time that a test has.
    let app = proxy(&workers.urls(), &["write_timeout=10s", "read_timeout=3s"]);
    (workers, Arc::new(app))
}

/// Returns the index of the worker that leads: only it does what is not to be forwarded.
async fn leader(workers: &Workers) -> usize {
    let probe = "/connectors/never-made/stop?forward=false";
    eventually("there is a leader", PATIENCE, async || {
        for index in 0..workers.len() {
            let answer = workers[index].call("PUT", probe).try_send().await;
            if answer.is_ok_and(|answer| answer.status == 404) {
                return Some(index);
            }
        }
        None
    })
    .await
}

/// Sends each kind of change at the same time, does something as soon as one is answered, and returns all answers.
async fn change_while(app: &App, disturb: impl FnOnce()) -> Vec<(Write, String, Answer)> {
    let prefix = unique("w");
    let base = app.url("");
    let writes: Vec<Write> = Write::all().collect();
    join_all(writes.iter().map(|write| {
        let (base, connector) = (&base, write.connector(&prefix));
        async move { write.prepare(base, &connector).await }
    }))
    .await;
    let mut sent: tokio::task::JoinSet<(Write, String, Answer)> = writes
        .into_iter()
        .map(|write| {
            let connector = write.connector(&prefix);
            let call = write.ask(&connector).at(&base).patience(LONG);
            async move { (write, connector, call.send().await) }
        })
        .collect();
    let mut answers = vec![sent.join_next().await.expect("there are some").expect("it does not panic")];
    disturb();
    while let Some(answer) = sent.join_next().await {
        answers.push(answer.expect("it does not panic"));
    }
    answers
}

/// Compares what was said of changes with what a worker that lives has in the end.
async fn assert_true(worker: &str, answers: &[(Write, String, Answer)]) {
    for (write, connector, answer) in answers {
        let said = format!("{write:?}: {:?} {}", told(answer), answer.text());
        let (is_success, outcome) = ((200..300).contains(&answer.status), answer.header(OUTCOME));
        if Write::REPEATABLE.contains(write) {
            assert!(is_success, "it can be repeated: {said}");
        }
        assert!(is_success || outcome.is_some(), "{said}");
        assert_ne!((answer.status, outcome), (409, Some("unknown")), "whoever reads the status sends it again: {said}");
        assert_ne!((is_success, outcome), (false, Some("applied")), "{said}");
        if is_success {
            assert!(matches!(outcome, None | Some("applied")), "{said}");
            // What a worker was told its status topic tells a moment later.
            let is_done = async || (write.is_done(worker, connector).await != Some(false)).then_some(());
            eventually(&said, LONG, is_done).await;
        } else if outcome == Some("not-applied") {
            assert_ne!(write.is_done(worker, connector).await, Some(true), "{said}");
        }
    }
}

#[tokio::test]
async fn what_is_said_of_changes_is_true_when_a_worker_dies_under_them() {
    let (mut workers, app) = start(2);
    for is_leader in [true, false] {
        let led = leader(&workers).await;
        let (killed, left) = if is_leader { (led, 1 - led) } else { (1 - led, led) };
        let answers = change_while(&app, || workers[killed].kill()).await;
        assert_true(workers[left].url(), &answers).await;
        workers[killed].restart();
        workers.wait_until_stable(kafka::shared(), 2);
    }
}

#[tokio::test]
async fn what_is_said_of_changes_is_true_when_the_leader_freezes_under_them() {
    let (workers, app) = start(2);
    let led = leader(&workers).await;
    let answers = change_while(&app, || workers[led].pause()).await;
    assert_true(workers[1 - led].url(), &answers).await;
    workers[led].resume();
    // What it had read before it froze lands now, and changes nothing any more.
    workers.wait_until_stable(kafka::shared(), 2);
    assert_true(workers[led].url(), &answers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn not_one_read_fails_while_workers_are_restarted_one_after_the_other() {
    let (mut workers, app) = start(3);
    let name = unique("rolling");
    let created =
        app.call("POST", "/connectors?wait=running").document(JSON, &json!({"name": name, "config": config()}));
    assert_eq!(created.send().await.status, 201);
    let (ended, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let readers: Vec<_> = (0..2)
        .map(|_| tokio::spawn(read_on(Arc::clone(&app), name.clone(), Arc::clone(&ended), Arc::clone(&count))))
        .collect();
    let writer = tokio::spawn(write_on(Arc::clone(&app), name.clone(), Arc::clone(&ended)));

    for index in 0..3 {
        let seen = count.load(Ordering::SeqCst);
        tokio::task::block_in_place(|| {
            workers[index].stop();
            workers[index].restart();
            workers.wait_until_stable(kafka::shared(), 3);
        });
        eventually("reads go on", PATIENCE, async || (count.load(Ordering::SeqCst) > seen).then_some(())).await;
    }

    ended.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.expect("no read failed");
    }
    let written = writer.await.expect("no change failed");
    let stored = app.get(&format!("/connectors/{name}/config")).send().await.ok();
    assert_eq!(stored["batch.size"], written.to_string());
}

/// Reads everything again and again until it is told to end.
async fn read_on(app: Arc<App>, name: String, ended: Arc<AtomicBool>, count: Arc<AtomicUsize>) {
    let client = Client::new();
    while !ended.load(Ordering::SeqCst) {
        for ask in reads(&name) {
            // A task is taken from one worker and given to another: its status is there all the time, its list too.
            let answer = ask.at(&app.url("")).patience(LONG).send_with(&client).await.expect("the gateway answers");
            assert_eq!(answer.status, 200, "{ask:?}: {}", answer.text());
            count.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Changes a configuration again and again until it is told to end; returns the last value.
async fn write_on(app: Arc<App>, name: String, ended: Arc<AtomicBool>) -> usize {
    for value in 1.. {
        let mut config = config();
        config["batch.size"] = json!(value);
        let put = app.call("PUT", &format!("/connectors/{name}/config")).document(JSON, &config).patience(LONG);
        let answer = put.send().await;
        assert_eq!(answer.status, 200, "{value}: {:?} {}", told(&answer), answer.text());
        if ended.load(Ordering::SeqCst) {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    unreachable!("numbers do not end")
}
