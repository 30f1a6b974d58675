//! Who is who: each caller sees and uses what is theirs, and wrong credentials are nobody's.

use std::time::Duration;

use kafka_rest_proxy::model::{AclOperation, ResourceType};
use serde_json::json;

use crate::harness::app::App;
use crate::harness::http::Call;
use crate::harness::waiting::{PATIENCE, eventually};
use crate::harness::{app, unique};
use crate::passthrough::{As, Secured, User, produce, produce_until_allowed, secured, token, user};

/// Two callers with a topic each see and write only their own, at the same proxy and in turn.
async fn assert_kept_apart(app: &App, one: (&str, &dyn Fn(Call) -> Call), other: (&str, &dyn Fn(Call) -> Call)) {
    let topics = [secured().topic_of(one.0).await, secured().topic_of(other.0).await];
    for (topic, login) in [(&topics[0], one.1), (&topics[1], other.1)] {
        produce_until_allowed(app, topic, login).await;
    }
    for (own, others, login) in [(&topics[0], &topics[1], one.1), (&topics[1], &topics[0], other.1)] {
        let listed = login(app.get("/topics")).send().await.ok();
        let listed: Vec<_> =
            listed.as_array().unwrap().iter().filter(|name| topics.iter().any(|topic| *name == topic)).collect();
        assert_eq!(listed, [&json!(own)]);
        let refused = login(produce(app, others)).send().await;
        assert_eq!((refused.status, refused.record_codes()), (403, vec![40301]), "{}", refused.text());
        let stateless = format!("/topics/{others}/partitions/0/records");
        assert_eq!(login(app.get(&stateless)).send().await.error(), (403, 40301));
        let stateless = format!("/topics/{own}/partitions/0/records?offset=0");
        let read = login(app.get(&stateless).accept("application/vnd.kafka.json.v2+json")).send().await.ok();
        assert_eq!(read[0]["value"], 1);
    }
    for topic in &topics {
        assert_eq!(secured().broker.kafka().read_topic(topic).len(), 1);
    }
}

#[tokio::test]
async fn passwords_in_the_clear_are_kept_apart() {
    let app = secured().proxy("PLAIN", &[]);
    let (alice, bob) = (user("alice", "alice-pw"), user("bob", "bob-pw"));
    assert_kept_apart(&app, ("alice", &|call: Call| call.by(&alice)), ("bob", &|call: Call| call.by(&bob))).await;
}

#[tokio::test]
async fn passwords_that_are_proved_are_kept_apart() {
    let app = secured().proxy("SCRAM-SHA-256", &[]);
    let (one, other) = (secured().user().await, secured().user().await);
    let logins = (|call: Call| call.by(&one), |call: Call| call.by(&other));
    assert_kept_apart(&app, (&one.name, &logins.0), (&other.name, &logins.1)).await;
}

#[tokio::test]
async fn tokens_are_kept_apart() {
    let app = secured().proxy("PLAIN", &[]);
    let (one, other) = (unique("erin"), unique("frank"));
    let tokens = (token(&one, Duration::from_secs(600)), token(&other, Duration::from_secs(600)));
    let logins = (|call: Call| call.bearing(&tokens.0), |call: Call| call.bearing(&tokens.1));
    assert_kept_apart(&app, (&one, &logins.0), (&other, &logins.1)).await;
}

#[tokio::test]
async fn wrong_credentials_are_401_also_beside_right_ones() {
    let app = secured().proxy("SCRAM-SHA-256", &[]);
    let right = secured().user().await;
    let topic = secured().topic_of(&right.name).await;
    produce_until_allowed(&app, &topic, |call| call.by(&right)).await;
    let wrong = User { password: "wrong".to_owned(), ..right.clone() };
    let nobody = user(&unique("nobody"), "x");
    let empty = User { password: String::new(), ..right.clone() };
    for bad in [&wrong, &nobody, &empty] {
        for path in ["/topics", "/v3/clusters", "/consumers/g/instances/i/assignments"] {
            let refused = app.get(path).by(bad).send().await;
            assert_eq!(refused.error(), (401, 40101), "{path}");
            assert!(refused.header("www-authenticate").is_some());
        }
    }
    assert_eq!(app.get("/topics").send().await.error(), (401, 40101), "without any");
    assert_eq!(app.get("/topics").bearing("no.to.ken").send().await.error(), (401, 40101));
    assert_eq!(app.get("/health").send().await.status, 200, "probes have none");
    assert_eq!(produce(&app, &topic).by(&right).send().await.status, 200);
    assert_eq!(app.state.callers.count(), 1, "those that are refused leave nothing");
}

#[tokio::test]
async fn those_who_come_at_once_share_one_login() {
    let app = secured().proxy("SCRAM-SHA-256", &[]);
    let one = secured().user().await;
    let all = (0..20).map(|_| async { app.get("/topics").by(&one).send().await.status });
    assert_eq!(futures_util::future::join_all(all).await, [200; 20]);
    assert_eq!(app.state.callers.count(), 1);
    let wrong = User { password: "wrong".to_owned(), ..one };
    let all = (0..20).map(|_| async { app.get("/topics").by(&wrong).send().await.status });
    assert_eq!(futures_util::future::join_all(all).await, [401; 20]);
    assert_eq!(app.state.callers.count(), 1);
}

#[tokio::test]
async fn without_a_broker_it_is_503_and_goes_on_when_there_is_one() {
    let mut secured = Secured::start();
    let app = secured.proxy("SCRAM-SHA-256", &["kafka.request_timeout=3s"]);
    let (known, unknown) = (secured.user().await, secured.user().await);
    let topic = secured.topic_of(&known.name).await;
    produce_until_allowed(&app, &topic, |call| call.by(&known)).await;
    secured.broker.stop();

    let refused = app.get("/topics").by(&unknown).send().await;
    assert_eq!(refused.error(), (503, 50302));
    assert!(refused.header("retry-after").is_some());
    assert_eq!(app.get("/topics").by(&known).send().await.error(), (500, 50003), "who is known stays known");

    secured.broker.restart();
    for login in [&known, &unknown] {
        eventually("Kafka is back", PATIENCE, async || {
            let answer = app.get("/topics").by(login).send().await;
            (answer.status == 200).then_some(())
        })
        .await;
    }
    produce_until_allowed(&app, &topic, |call| call.by(&known)).await;
}

#[tokio::test]
async fn a_callers_listener_may_have_tls_where_the_proxys_has_none() {
    let tls = crate::admin::security::secured();
    let settings = [
        "auth.methods=basic,bearer",
        "auth.passthrough=basic,bearer",
        "auth.passthrough_mechanism=SCRAM-SHA-512",
        &format!("auth.passthrough_bootstrap_servers={}", tls.sasl_tls),
        "auth.passthrough_properties.security.protocol=SASL_SSL",
        &format!("auth.passthrough_properties.ssl.ca.location={}", tls.certificates.path("ca.pem")),
    ];
    let app = app::spawn_app(app::config_with(&tls.broker.kafka().bootstrap, &settings));
    let (right, wrong) = (user("alice", "alice-pw"), user("alice", "wrong"));
    assert_eq!(app.get("/v3/clusters").by(&right).send().await.status, 200);
    assert_eq!(app.get("/topics").by(&right).send().await.status, 200);
    assert_eq!(app.get("/topics").by(&wrong).send().await.error(), (401, 40101));
}

#[tokio::test]
async fn a_way_to_log_in_that_brokers_do_not_offer_is_the_operators_to_mend() {
    let secured = crate::admin::security::secured();
    let mut settings = vec![
        "auth.methods=basic,bearer".to_owned(),
        "auth.passthrough=basic,bearer".to_owned(),
        "kafka.request_timeout=5s".to_owned(),
    ];
    // A listener without any login.
    settings.push(format!("auth.passthrough_bootstrap_servers={}", secured.broker.kafka().bootstrap));
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let app = app::spawn_app(app::config_with(&secured.broker.kafka().bootstrap, &settings));
    let refused = app.get("/topics").by(&user("alice", "alice-pw")).send().await;
    assert_eq!(refused.error(), (500, 500));
    assert!(!refused.text().contains("alice-pw"));
}

#[tokio::test]
async fn rights_given_later_and_taken_away_count() {
    let app = secured().proxy("SCRAM-SHA-256", &[]);
    let one = secured().user().await;
    let topic = app::topic_on(secured().broker.kafka(), 1);
    let refused = produce(&app, &topic).by(&one).send().await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    secured().allow(&one.name, AclOperation::Write, ResourceType::Topic, &topic).await;
    produce_until_allowed(&app, &topic, |call| call.by(&one)).await;
}
