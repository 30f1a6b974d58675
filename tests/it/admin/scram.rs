use kafka_rest_proxy::admin::Code;
use kafka_rest_proxy::error::Kind;
use kafka_rest_proxy::model::{Password, ScramChange, ScramCredential, ScramMechanism};

use crate::admin::admin;
use crate::admin::security::secured;
use crate::harness::unique;
use crate::harness::waiting::{PATIENCE, eventually};

const CREDENTIAL: ScramCredential = ScramCredential { mechanism: ScramMechanism::Sha256, iterations: 4096 };

fn upsert(user: &str, credential: ScramCredential) -> ScramChange {
    ScramChange::Upsert { user: user.to_owned(), credential, password: Password("secret".to_owned()) }
}

#[tokio::test]
async fn a_user_gets_a_password_that_works_and_loses_it() {
    let owner = secured().admin(&secured().broker.kafka().bootstrap, &[]);
    let user = unique("user");
    let altered = owner.alter_scram(&[upsert(&user, CREDENTIAL)]).await.unwrap();
    assert_eq!(altered[0].0, user);
    assert!(altered[0].1.is_ok(), "{altered:?}");
    let known = eventually("the broker knows the user", PATIENCE, async || {
        owner.describe_scram(Some(std::slice::from_ref(&user))).await.unwrap().remove(0).1.ok()
    })
    .await;
    assert_eq!(known, [CREDENTIAL]);
    let all = owner.describe_scram(None).await.unwrap();
    assert!(all.iter().any(|(name, _)| *name == user) && all.iter().any(|(name, _)| name == "alice"));
    secured().admin_of(&user, "SCRAM-SHA-256", "secret").describe_cluster(false).await.unwrap();

    let delete = ScramChange::Delete { user: user.clone(), mechanism: ScramMechanism::Sha256 };
    assert!(owner.alter_scram(&[delete]).await.unwrap()[0].1.is_ok());
    eventually("the broker has forgotten the user", PATIENCE, async || {
        let found = owner.describe_scram(Some(std::slice::from_ref(&user))).await.unwrap().remove(0).1;
        (Code::of(&found.err()?) == Some(Code::RESOURCE_NOT_FOUND)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_kafka_does_not_accept_is_told() {
    let admin = admin();
    let few = ScramCredential { iterations: 1, ..CREDENTIAL };
    let altered = admin.alter_scram(&[upsert(&unique("user"), few)]).await.unwrap();
    assert_eq!(altered[0].1.as_ref().err().and_then(Code::of), Some(Code::UNACCEPTABLE_CREDENTIAL));
    for iterations in [0, -1, i32::MAX] {
        let refused = admin.alter_scram(&[upsert("user", ScramCredential { iterations, ..CREDENTIAL })]).await;
        assert_eq!(refused.unwrap_err().kind(), Kind::KafkaBadRequest);
    }
}

#[test]
fn a_password_is_not_shown() {
    assert!(!format!("{:?}", upsert("user", CREDENTIAL)).contains("secret"));
}
