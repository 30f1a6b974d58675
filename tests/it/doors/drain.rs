//! The end in its order: not ready, then not listening, then gone.

use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::doors::{address, start};
use crate::harness::http::{self, JSON_V2};
use crate::harness::wire::Wire;
use crate::harness::{PATIENCE, app, eventually, kafka};

const BODY: &str = r#"{"records":[{"value":1},{"value":2}]}"#;

#[tokio::test]
async fn clients_are_sent_elsewhere_before_the_listener_closes() {
    let settings = ["server.drain_delay=8s", "server.management_listen=127.0.0.1:0"].map(str::to_owned);
    let mut proxy = start("127.0.0.1:0", &settings);
    let (main, management) = (address(&proxy, "listening on http://"), address(&proxy, "management on http://"));
    let topic = app::topic(1);
    let path = format!("/topics/{topic}");
    let (ready, url) = (format!("http://{management}/ready"), format!("http://{main}{path}"));
    assert_eq!(http::get(&ready).send().await.status, 200);
    let mut kept = Wire::connect(main).await;
    kept.send("GET /live HTTP/1.1\r\nHost: proxy\r\n\r\n").await;
    assert_eq!(kept.answer().await.header("connection"), None);
    let mut slow = Wire::connect(main).await;
    slow.start_post(&path, JSON_V2, BODY.len()).await;

    let begin = Instant::now();
    proxy.signal("TERM");
    proxy.wait_for_log("not ready from now on", PATIENCE);

    let refused = http::get(&ready).send().await;
    assert_eq!((refused.status, refused.json()["checks"]["serving"]["ok"].clone()), (503, false.into()));
    assert_eq!(http::get(&format!("http://{management}/live")).send().await.status, 200);
    // New connections and old ones are served, and told to go.
    let answer = http::post(&url).body(JSON_V2, BODY).send().await;
    answer.placed();
    assert_eq!(answer.header("connection"), Some("close"));
    kept.send("GET /live HTTP/1.1\r\nHost: proxy\r\n\r\n").await;
    assert_eq!(kept.answer().await.header("connection"), Some("close"));
    assert_eq!(kept.rest().await, b"");
    assert!(begin.elapsed() < Duration::from_secs(8), "it did all this before the time was up");

    proxy.wait_for_log("finishing what runs", PATIENCE);
    assert!(begin.elapsed() >= Duration::from_secs(8));
    eventually("nobody listens", PATIENCE, async || TcpStream::connect(main).await.is_err().then_some(())).await;
    slow.send(BODY).await;
    slow.answer().await.placed();
    assert_eq!(proxy.wait(PATIENCE).code(), Some(0), "{}", proxy.log());
    assert_eq!(kafka::shared().read_topic(&topic).len(), 4);
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    for settings in [["server.drain_delay=10m", "log.level=info"], ["server.shutdown_timeout=10m", "log.level=info"]] {
        let mut proxy = start("127.0.0.1:0", &settings.map(str::to_owned));
        let mut wire = Wire::connect(address(&proxy, "listening on http://")).await;
        wire.start_post("/topics/any", JSON_V2, BODY.len()).await;
        proxy.signal("TERM");
        proxy.wait_for_log("SIGTERM: ", PATIENCE);
        let begin = Instant::now();
        proxy.signal("INT");
        assert_eq!(proxy.wait(PATIENCE).code(), Some(1), "{}", proxy.log());
        assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
        proxy.wait_for_log("SIGINT after SIGTERM: ending at once", PATIENCE);
    }
}
