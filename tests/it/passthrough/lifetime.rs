//! How long the Kafka clients of a caller are kept, and what ends them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;

use serde_json::json;

use crate::harness::binary::Proxy;
use crate::harness::http::{self, Call, JSON_V2};
use crate::harness::unique;
use crate::harness::waiting::{PATIENCE, eventually};
use crate::passthrough::{As, Secured, User, produce, produce_until_allowed, secured};

#[tokio::test]
async fn another_password_is_checked_anew_and_the_old_one_ends() {
    let app = secured().proxy("SCRAM-SHA-256", &["auth.recheck=1s"]);
    let old = secured().user().await;
    let topic = secured().topic_of(&old.name).await;
    produce_until_allowed(&app, &topic, |call| call.by(&old)).await;
    let new = User { password: unique("secret"), ..old.clone() };
    assert_eq!(app.get("/topics").by(&new).send().await.error(), (401, 40101), "it is not the password yet");
    assert_eq!(produce(&app, &topic).by(&old).send().await.status, 200);

    secured().set_password(&new).await;
    assert_eq!(produce(&app, &topic).by(&new).send().await.status, 200);
    eventually("the old password is refused", PATIENCE, async || {
        let answer = produce(&app, &topic).by(&old).send().await;
        (answer.status == 401).then(|| assert_eq!(answer.error(), (401, 40101)))
    })
    .await;
    for _ in 0..5 {
        assert_eq!(produce(&app, &topic).by(&new).send().await.status, 200);
        assert_eq!(produce(&app, &topic).by(&old).send().await.error(), (401, 40101));
    }
    assert_eq!(app.state.callers.count(), 1);
}

/// A stream of v3 may be open for a day.
#[tokio::test]
async fn an_open_stream_ends_with_its_credentials() {
    let app = secured().proxy("SCRAM-SHA-256", &["auth.recheck=1s"]);
    let old = secured().user().await;
    let topic = secured().topic_of(&old.name).await;
    produce_until_allowed(&app, &topic, |call| call.by(&old)).await;
    let mut wire = app.wire().await;
    let basic = base64_simd::STANDARD.encode_to_string(format!("{}:{}", old.name, old.password));
    let path = format!("/v3/clusters/c/topics/{topic}/records");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: proxy\r\nContent-Type: application/json\r\nAuthorization: Basic {basic}\r\n"
    );
    wire.send(head + "Transfer-Encoding: chunked\r\n\r\n").await;
    let record = json!({ "value": { "type": "STRING", "data": "a" } }).to_string();
    wire.send_chunk(&record).await;
    assert_eq!(wire.answer_to_head().await.status, 200);
    assert!(String::from_utf8(wire.chunk().await).unwrap().contains("\"error_code\":200"));

    secured().set_password(&User { password: unique("secret"), ..old.clone() }).await;
    let refused = eventually("the stream is refused", PATIENCE, async || {
        wire.send_chunk(&record).await;
        let receipt = String::from_utf8(wire.chunk().await).unwrap();
        (!receipt.contains("\"error_code\":200")).then_some(receipt)
    })
    .await;
    assert!(refused.contains("\"error_code\":40101"), "{refused}");
}

#[tokio::test]
async fn clients_that_nobody_uses_expire_and_come_again() {
    let app = secured().proxy("SCRAM-SHA-256", &["auth.idle_timeout=1s"]);
    let (quiet, busy) = (secured().user().await, secured().user().await);
    let topic = secured().topic_of(&busy.name).await;
    assert_eq!(app.get("/topics").by(&quiet).send().await.status, 200);
    produce_until_allowed(&app, &topic, |call| call.by(&busy)).await;
    eventually("the quiet one's clients are gone", PATIENCE, async || {
        assert_eq!(produce(&app, &topic).by(&busy).send().await.status, 200);
        (app.state.callers.count() == 1).then_some(())
    })
    .await;
    assert_eq!(app.get("/topics").by(&quiet).send().await.status, 200);
    eventually("all are gone", PATIENCE, async || (app.state.callers.count() == 0).then_some(())).await;
    assert_eq!(produce(&app, &topic).by(&busy).send().await.status, 200);
}

#[tokio::test]
async fn a_request_that_takes_longer_than_its_clients_may_rest_finishes() {
    let app = secured().proxy("SCRAM-SHA-256", &["auth.idle_timeout=1s", "consumer.max_poll_wait=10s"]);
    let one = secured().user().await;
    let topic = secured().topic_of(&one.name).await;
    produce_until_allowed(&app, &topic, |call| call.by(&one)).await;
    // A stateless read behind the end waits for as long as it may.
    let path = format!("/topics/{topic}/partitions/0/records?offset=1&timeout=4000");
    let read = app.get(&path).accept("application/vnd.kafka.json.v2+json").by(&one).send();
    let alive = async {
        for _ in 0..6 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert_eq!(app.state.callers.count(), 1, "a read that waits is work");
        }
    };
    let (read, ()) = tokio::join!(read, alive);
    assert_eq!(read.status, 200, "{}", read.text());
    eventually("its clients are gone", PATIENCE, async || (app.state.callers.count() == 0).then_some(())).await;
}

/// Records that were taken are written even if their sender and its clients are given up.
#[tokio::test]
async fn records_under_way_keep_their_clients() {
    let secured = Secured::start();
    let app = secured.proxy("SCRAM-SHA-256", &["auth.idle_timeout=1s"]);
    let one = secured.user().await;
    let topic = secured.topic_of(&one.name).await;
    produce_until_allowed(&app, &topic, |call| call.by(&one)).await;
    secured.broker.pause();
    let given_up = produce(&app, &topic).by(&one).patience(Duration::from_millis(500)).try_send().await;
    assert!(given_up.is_err_and(|why| why.is_timeout()));
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(app.state.callers.count(), 1);
    }
    secured.broker.resume();
    eventually("its clients are gone", PATIENCE, async || (app.state.callers.count() == 0).then_some(())).await;
    assert_eq!(secured.broker.kafka().read_topic(&topic).len(), 2);
}

#[tokio::test]
async fn what_callers_have_sent_is_written_before_the_process_ends() {
    let one = secured().user().await;
    let topic = secured().topic_of(&one.name).await;
    let mut settings = secured().settings("SCRAM-SHA-256");
    // What comes while another request is under way goes out after a second.
    settings.extend(["producer.linger=1s".to_owned(), "producer.busy_requests=1".to_owned()]);
    let settings = settings.into_iter().map(|setting| format!("--set={setting}"));
    let bootstrap = secured().broker.kafka().bootstrap.clone();
    let args: Vec<String> = ["--bootstrap-servers".to_owned(), bootstrap].into_iter().chain(settings).collect();
    let mut proxy = Proxy::start(&args.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    let body = json!({ "records": [{ "value": 1 }] });
    let post = || http::post(&proxy.url(&format!("/topics/{topic}"))).document(JSON_V2, &body).by(&one);
    eventually("the right is known", PATIENCE, async || (post().send().await.status == 200).then_some(())).await;
    let before = secured().broker.kafka().read_topic(&topic).len();
    let sent = join_all((0..8).map(|_| post().patience(Duration::from_millis(300)).try_send())).await;
    assert!(sent.iter().any(|answer| answer.as_ref().is_err_and(|why| why.is_timeout())), "some wait for others");
    proxy.signal("TERM");
    assert_eq!(proxy.wait(PATIENCE).code(), Some(0));
    assert_eq!(secured().broker.kafka().read_topic(&topic).len(), before + 8);
}

/// Two callers work all the time while others come and go beyond the bound: none of their requests fails.
#[tokio::test]
async fn the_idlest_makes_room_and_the_busy_do_not_notice() {
    let app = secured().proxy("SCRAM-SHA-256", &["auth.max_principals=4"]);
    let busy = join_all((0..2).map(|_| secured().user())).await;
    let others = join_all((0..8).map(|_| secured().user())).await;
    let topics = join_all(busy.iter().map(|user| secured().topic_of(&user.name))).await;
    for (user, topic) in busy.iter().zip(&topics) {
        produce_until_allowed(&app, topic, |call: Call| call.by(user)).await;
    }
    let (over, written) = (AtomicBool::new(false), AtomicUsize::new(0));
    let work = busy.iter().zip(&topics).map(|(user, topic)| {
        let (app, over, written) = (&app, &over, &written);
        async move {
            while !over.load(Ordering::Relaxed) {
                let answer = produce(app, topic).by(user).send().await;
                assert_eq!(answer.status, 200, "{}", answer.text());
                written.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let visits = async {
        for _ in 0..3 {
            for user in &others {
                let answer = app.get("/topics").by(user).send().await;
                // The clients of those before may still be being closed.
                assert!(matches!(answer.status, 200 | 429), "{}", answer.text());
                assert!(app.state.callers.count() <= 4);
            }
        }
        over.store(true, Ordering::Relaxed);
    };
    tokio::join!(join_all(work), visits);
    let written = written.load(Ordering::Relaxed) + 2;
    let logged: usize = topics.iter().map(|topic| secured().broker.kafka().read_topic(topic).len()).sum();
    assert_eq!(logged, written, "what is acknowledged is on the log, once");
}

#[tokio::test]
async fn where_all_have_work_under_way_it_is_429() {
    let app = secured().proxy("SCRAM-SHA-256", &["auth.max_principals=1", "consumer.max_poll_wait=30s"]);
    let (one, other) = (secured().user().await, secured().user().await);
    let topic = secured().topic_of(&one.name).await;
    produce_until_allowed(&app, &topic, |call| call.by(&one)).await;
    let path = format!("/topics/{topic}/partitions/0/records?offset=1&timeout=5000");
    let read = app.get(&path).accept("application/vnd.kafka.json.v2+json").by(&one).send();
    let refused = async {
        let answer = eventually("there is no room", PATIENCE, async || {
            let answer = app.get("/topics").by(&other).send().await;
            (answer.status == 429).then_some(answer)
        })
        .await;
        assert_eq!(answer.error(), (429, 429));
        assert!(answer.header("retry-after").is_some());
    };
    let (read, ()) = tokio::join!(read, refused);
    assert_eq!(read.status, 200, "{}", read.text());
    eventually("there is room", PATIENCE, async || {
        (app.get("/topics").by(&other).send().await.status == 200).then_some(())
    })
    .await;
}
