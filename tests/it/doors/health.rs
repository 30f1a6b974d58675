//! Whether it lives, and whether it is ready.

use std::time::{Duration, Instant};

use crate::harness::app::{self, App};
use crate::harness::http::Answer;
use crate::harness::kafka::{Broker, OwnOptions};
use crate::harness::{PATIENCE, eventually, free_port};

/// A request waits for Kafka for two seconds at the most, and the machine is busy; a look-up would take ten.
const BOUND: Duration = Duration::from_secs(8);

async fn ready(app: &App) -> Answer {
    let begin = Instant::now();
    let answer = app.get("/ready").send().await;
    assert!(begin.elapsed() < BOUND, "{:?}", begin.elapsed());
    answer
}

async fn becomes(app: &App, status: u16) -> Answer {
    eventually(&format!("/ready answers {status}"), PATIENCE, async || {
        let answer = ready(app).await;
        (answer.status == status).then_some(answer)
    })
    .await
}

#[tokio::test]
async fn it_is_ready_while_a_broker_answers() {
    let mut broker = Broker::start(OwnOptions::default());
    let app = app::spawn_app(app::config_with(&broker.kafka().bootstrap, &[]));
    let topic = app::topic_on(broker.kafka(), 1);
    let ok = becomes(&app, 200).await.ok();
    assert_eq!((&ok["status"], &ok["checks"]["kafka"]["ok"]), (&"ready".into(), &true.into()));
    // From here on it is this topic that is asked for.
    app.get(&format!("/topics/{topic}")).send().await.ok();

    broker.kill();
    let refused = becomes(&app, 503).await.json();
    assert_eq!(refused["status"], "not_ready");
    assert_eq!((&refused["checks"]["kafka"]["ok"], &refused["checks"]["serving"]["ok"]), (&false.into(), &true.into()));
    assert_eq!(app.get("/live").send().await.status, 200, "no reason to start it again");

    broker.restart();
    becomes(&app, 200).await;

    // Connections stay open now, and nothing answers.
    broker.pause();
    becomes(&app, 503).await;
    broker.resume();
    becomes(&app, 200).await;

    broker.kafka().delete_topic(&topic);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(ready(&app).await.status, 200, "a broker that says no has answered");
}

#[tokio::test]
async fn many_who_ask_at_once_share_one_look() {
    let app = app::spawn_app(app::config_with(&format!("127.0.0.1:{}", free_port()), &[]));
    let begin = Instant::now();
    let asking: Vec<_> = (0..50).map(|_| tokio::spawn(app.get("/ready").send())).collect();
    for asked in asking {
        assert_eq!(asked.await.unwrap().status, 503);
    }
    assert!(begin.elapsed() < BOUND, "{:?}", begin.elapsed());
}
