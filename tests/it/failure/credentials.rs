//! What a proxy answers whose credentials or rights Kafka does not accept.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::app::{self, App};
use crate::harness::http::{Answer, JSON_V2, V1};
use crate::harness::kafka::{AclOperation, Broker, OwnOptions};
use crate::harness::{PATIENCE, eventually, free_port, unique};

struct Secured {
    broker: Broker,
    /// Where clients have to log in.
    address: String,
}

/// Returns a broker with two listeners: a plain one on which everything is allowed, and one with passwords and ACLs.
fn secured() -> &'static Secured {
    static SECURED: OnceLock<Secured> = OnceLock::new();
    SECURED.get_or_init(|| Secured::start(OwnOptions::default()))
}

impl Secured {
    fn start(options: OwnOptions) -> Secured {
        let address = format!("127.0.0.1:{}", free_port());
        let plain = "CONTROLLER://127.0.0.1:{controller_port},PLAINTEXT://127.0.0.1:{port}";
        let user = |name: &str| format!("SCRAM-SHA-512=[name={name},password={name}-pw]");
        let mut options = options
            .set("listeners", &format!("{plain},SASL://{address}"))
            .set("advertised.listeners", &format!("PLAINTEXT://127.0.0.1:{{port}},SASL://{address}"))
            .set("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT")
            .set("sasl.enabled.mechanisms", "SCRAM-SHA-512")
            .set(
                "listener.name.sasl.scram-sha-512.sasl.jaas.config",
                "org.apache.kafka.common.security.scram.ScramLoginModule required;",
            )
            .set("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer")
            .set("super.users", "User:ANONYMOUS");
        options.scram_users = ["alice", "bob", "carol", "dave", "erin"].map(user).to_vec();
        Secured { broker: Broker::start(options), address }
    }

    /// Returns a proxy that logs in so.
    fn proxy_of(&self, user: &str, password: &str) -> App {
        let settings = [
            "kafka.request_timeout=3s",
            "producer.delivery_timeout=10s",
            "kafka.properties.security.protocol=SASL_PLAINTEXT",
            "kafka.properties.sasl.mechanism=SCRAM-SHA-512",
            &format!("kafka.properties.sasl.username={user}"),
            &format!("kafka.properties.sasl.password={password}"),
        ];
        app::spawn_app(app::config_with(&self.address, &settings))
    }
}

fn new_topic() -> String {
    app::topic_on(secured().broker.kafka(), 1)
}

fn allow(user: &str, operation: AclOperation, topic: &str) {
    secured().broker.kafka().allow(user, operation, topic);
}

async fn produce(app: &App, topic: &str) -> Answer {
    let body = json!({ "records": [{ "value": 1 }, { "value": 2 }] });
    app.post(&format!("/topics/{topic}")).document(JSON_V2, &body).send().await
}

#[tokio::test]
async fn refused_credentials_are_401() {
    let topic = new_topic();
    let app = secured().proxy_of("alice", "wrong");
    let answer = produce(&app, &topic).await;
    assert_eq!((answer.status, code_of(&answer)), (401, 40101), "{}", answer.text());
    for path in ["/topics".to_owned(), "/brokers".to_owned(), format!("/topics/{topic}")] {
        for accept in ["*/*", V1] {
            assert_eq!(app.get(&path).accept(accept).send().await.error(), (401, 40101), "{path}");
        }
    }
    assert_eq!(app.get("/").send().await.status, 200);
}

#[tokio::test]
async fn a_user_without_any_right_is_told_so() {
    let topic = new_topic();
    let app = secured().proxy_of("bob", "bob-pw");
    assert_forbidden(&produce(&app, &topic).await);
    assert_eq!(app.get("/topics").send().await.ok(), json!([]), "Kafka lists what one may see");
    assert_eq!(app.get(&format!("/topics/{topic}")).send().await.error(), (403, 40301));
    assert_eq!(app.get(&format!("/topics/{topic}/partitions")).send().await.error(), (403, 40301));
    assert_eq!(secured().broker.kafka().read_topic(&topic), []);
}

#[tokio::test]
async fn a_user_that_may_look_and_not_write_is_told_so_for_each_record() {
    let topic = new_topic();
    allow("carol", AclOperation::RD_KAFKA_ACL_OPERATION_DESCRIBE, &topic);
    let app = secured().proxy_of("carol", "carol-pw");
    let names = async || Some(app.get("/topics").send().await.ok()).filter(|names| *names == json!([topic]));
    eventually("the right is known", PATIENCE, names).await;
    for _ in 0..3 {
        assert_forbidden(&produce(&app, &topic).await);
    }
    let path = format!("/topics/{topic}");
    assert_eq!(app.get(&format!("{path}/partitions")).send().await.ok().as_array().map(Vec::len), Some(1));
    assert_eq!(app.get(&path).send().await.error(), (403, 40301), "the configuration is a right of its own");
    assert_eq!(secured().broker.kafka().read_topic(&topic), []);
}

#[tokio::test]
async fn a_user_that_may_write_elsewhere_is_told_so_and_no_harm_is_done_to_others() {
    let (closed, open) = (new_topic(), new_topic());
    allow("dave", AclOperation::RD_KAFKA_ACL_OPERATION_DESCRIBE, &closed);
    allow("dave", AclOperation::RD_KAFKA_ACL_OPERATION_WRITE, &open);
    let app = secured().proxy_of("dave", "dave-pw");
    let works = async || Some(produce(&app, &open).await).filter(|answer| answer.status == 200);
    eventually("the rights are known", PATIENCE, works).await;

    assert_forbidden(&produce(&app, &closed).await);
    assert_eq!(produce(&app, &open).await.placed().len(), 2);
    let stream = app.post(&format!("/v3/clusters/c/topics/{closed}/records")).body("application/json", "{}{}");
    let receipts = stream.send().await.text();
    assert_eq!(receipts.matches("\"error_code\":40301").count(), 2, "a stream tells each record: {receipts}");

    allow("dave", AclOperation::RD_KAFKA_ACL_OPERATION_WRITE, &closed);
    let works = async || Some(produce(&app, &closed).await).filter(|answer| answer.status == 200);
    assert_eq!(eventually("a right given later is known", PATIENCE, works).await.placed().len(), 2);
}

#[tokio::test]
async fn an_unknown_topic_is_told_at_once_to_a_user_that_may_not_read_the_brokers_configs() {
    let app = secured().proxy_of("erin", "erin-pw");
    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        let unknown = unique("unknown");
        allow("erin", AclOperation::RD_KAFKA_ACL_OPERATION_WRITE, &unknown);
        let told = eventually("the right is known", PATIENCE, async || {
            let start = Instant::now();
            let answer = produce(&app, &unknown).await;
            (answer.status != 403).then(|| (start.elapsed(), answer))
        });
        let (elapsed, answer) = told.await;
        assert_eq!(answer.error(), (404, 40401));
        fastest = fastest.min(elapsed);
    }
    assert!(fastest < Duration::from_secs(3), "{fastest:?}");
}

#[tokio::test]
async fn a_user_that_may_create_a_topic_does_so_without_the_right_to_read_the_brokers_configs() {
    let secured = Secured::start(OwnOptions::default().set("auto.create.topics.enable", "true"));
    let app = secured.proxy_of("erin", "erin-pw");
    let topic = unique("created");
    secured.broker.kafka().allow("erin", AclOperation::RD_KAFKA_ACL_OPERATION_CREATE, &topic);
    secured.broker.kafka().allow("erin", AclOperation::RD_KAFKA_ACL_OPERATION_WRITE, &topic);
    let told = async || Some(produce(&app, &topic).await).filter(|answer| answer.status != 403);
    assert_eq!(eventually("the rights are known", PATIENCE, told).await.placed().len(), 2);
    assert_eq!(secured.broker.kafka().read_topic(&topic).len(), 2);
}

/// The body is that of a produce answer, with the code in each record: clients look there (contract/v2.md 5.4).
#[track_caller]
fn assert_forbidden(answer: &Answer) {
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(answer.record_codes(), [40301, 40301], "{}", answer.text());
    let document = answer.json();
    assert_eq!(document["key_schema_id"], Value::Null);
    let first = &document["offsets"][0];
    assert_eq!((&first["partition"], &first["offset"]), (&Value::Null, &Value::Null));
}

/// Returns the code of the envelope or of the first record.
#[track_caller]
fn code_of(answer: &Answer) -> u64 {
    let document = answer.json();
    let code = document["error_code"].as_u64().or(document["offsets"][0]["error_code"].as_u64());
    code.unwrap_or_else(|| panic!("no code: {document}"))
}
