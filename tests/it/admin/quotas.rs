use std::collections::BTreeMap;

use kafka_rest_proxy::error::Kind;
use kafka_rest_proxy::model::{Quota, QuotaChange, QuotaEntity, QuotaFilter, QuotaMatch};

use crate::admin::admin;
use crate::harness::unique;
use crate::harness::waiting::{PATIENCE, eventually};

fn user(name: &str) -> QuotaEntity {
    QuotaEntity::from([("user".to_owned(), Some(name.to_owned()))])
}

fn change(entity: &QuotaEntity, name: &str, value: Option<f64>) -> QuotaChange {
    QuotaChange { entity: entity.clone(), values: BTreeMap::from([(name.to_owned(), value)]) }
}

#[tokio::test]
async fn quotas_are_set_found_and_taken_away() {
    let (admin, name) = (admin(), unique("user"));
    let entity = user(&name);
    let of_user = |wanted| QuotaFilter { parts: BTreeMap::from([("user".to_owned(), wanted)]), strict: true };
    let is_known = async |value: Option<f64>| {
        eventually("the broker knows the quota", PATIENCE, async || {
            let found = admin.describe_quotas(&of_user(QuotaMatch::Exact(name.clone()))).await.unwrap();
            let values = |value| BTreeMap::from([("producer_byte_rate".to_owned(), value)]);
            let expected = value.map(|value| Quota { entity: entity.clone(), values: values(value) });
            (found.into_iter().next() == expected).then_some(())
        })
        .await;
    };
    let set = change(&entity, "producer_byte_rate", Some(1024.0));
    let validated = admin.alter_quotas(std::slice::from_ref(&set), true).await.unwrap();
    assert!(validated[0].1.is_ok());
    is_known(None).await;

    let altered = admin.alter_quotas(&[set], false).await.unwrap();
    assert_eq!(altered[0].0, entity);
    assert!(altered[0].1.is_ok());
    is_known(Some(1024.0)).await;
    let any = admin.describe_quotas(&of_user(QuotaMatch::Any)).await.unwrap();
    assert!(any.iter().any(|quota| quota.entity == entity));
    let defaults = admin.describe_quotas(&of_user(QuotaMatch::Default)).await.unwrap();
    assert!(defaults.iter().all(|quota| quota.entity != entity));

    admin.alter_quotas(&[change(&entity, "producer_byte_rate", None)], false).await.unwrap();
    is_known(None).await;
}

#[tokio::test]
async fn of_many_changes_each_has_its_own_end() {
    let (good, bad) = (user(&unique("user")), user(&unique("user")));
    let changes = [change(&good, "request_percentage", Some(50.0)), change(&bad, "no_such_quota", Some(1.0))];
    let ended: BTreeMap<_, _> = admin().alter_quotas(&changes, true).await.unwrap().into_iter().collect();
    assert!(ended[&good].is_ok());
    assert_eq!(ended[&bad].as_ref().unwrap_err().kind(), Kind::KafkaBadRequest);
}
