use crate::harness::app;
use crate::harness::waiting::{PATIENCE, eventually};
use crate::v3_admin::{broker, get, path_of};

#[tokio::test]
async fn brokers_are_listed_and_each_link_leads_somewhere() {
    let list = get("/brokers").await.send().await.ok();
    assert_eq!(list["kind"], "KafkaBrokerList");
    let one = &list["data"][0];
    assert_eq!(one["kind"], "KafkaBroker");
    assert!(one["host"].is_string() && one["port"].is_u64() && one["rack"].is_null());
    for link in [&one["metadata"]["self"], &one["configs"]["related"], &one["partition_replicas"]["related"]] {
        app::shared().get(&path_of(link)).send().await.ok();
    }
    assert_eq!(app::shared().get(&path_of(&one["metadata"]["self"])).send().await.ok(), *one);
}

#[tokio::test]
async fn what_is_no_broker_is_not_found() {
    for path in ["/brokers/4711", "/brokers/4711/partition-replicas", "/brokers/4711/configs", "/brokers/4711/log-dirs"]
    {
        let answer = get(path).await.send().await;
        assert_eq!(
            (answer.error(), answer.message()),
            ((404, 404), "Broker 4711 cannot be found.".to_owned()),
            "{path}"
        );
    }
    for path in ["/brokers/x", "/brokers/99999999999", "/brokers/1.5", "/brokers/-1"] {
        assert_eq!(get(path).await.send().await.error(), (404, 404), "{path}");
    }
    let other = app::shared().get("/v3/clusters/a%2Fb/brokers").send().await;
    assert_eq!(other.message(), "Cluster a/b cannot be found.");
}

#[tokio::test]
async fn the_replicas_of_a_broker_are_sorted_and_there() {
    let (topic, broker) = (app::topic(2), broker().await);
    let path = format!("/brokers/{broker}/partition-replicas");
    let ours = eventually("both partitions are listed", PATIENCE, async || {
        let list = get(&path).await.send().await.ok();
        let replicas = list["data"].as_array().unwrap().clone();
        assert!(replicas.is_sorted_by_key(|it| (it["topic_name"].to_string(), it["partition_id"].as_i64())));
        let ours: Vec<_> = replicas.into_iter().filter(|it| it["topic_name"] == topic.as_str()).collect();
        (ours.len() == 2).then_some(ours)
    })
    .await;
    assert_eq!(
        (&ours[1]["partition_id"], &ours[1]["is_leader"], &ours[1]["is_in_sync"]),
        (&1.into(), &true.into(), &true.into())
    );
    assert_eq!(app::shared().get(&path_of(&ours[1]["metadata"]["self"])).send().await.ok(), ours[1]);
}
