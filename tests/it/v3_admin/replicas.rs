use crate::harness::{app, unique};
use crate::v3_admin::{broker, cluster, get, get_until, path_of};

#[tokio::test]
async fn replicas_are_listed_and_got() {
    let (topic, broker) = (app::topic(1), broker().await);
    let list = get_until(&format!("/topics/{topic}/partitions/0/replicas"), |_| true).await;
    assert_eq!((&list["kind"], list["data"].as_array().unwrap().len()), (&"KafkaReplicaList".into(), 1));
    let one = &list["data"][0];
    assert_eq!(
        (&one["broker_id"], &one["is_leader"], &one["is_in_sync"]),
        (&broker.into(), &true.into(), &true.into())
    );
    assert_eq!(app::shared().get(&path_of(&one["metadata"]["self"])).send().await.ok(), *one);
    app::shared().get(&path_of(&one["broker"]["related"])).send().await.ok();
}

#[tokio::test]
async fn replicas_that_do_not_exist_are_not_found() {
    let topic = app::topic(1);
    let missing = get(&format!("/topics/{topic}/partitions/7/replicas")).await.send().await;
    assert_eq!(missing.error(), (404, 404));
    let cluster = cluster().await;
    let id = cluster.rsplit('/').next().unwrap();
    assert_eq!(missing.message(), format!("Partition 7 of topic {topic} could not be found on cluster {id}."));
    for path in ["partitions/0/replicas/4711", "partitions/0/replicas/x", "partitions/7/replicas/1"] {
        assert_eq!(get(&format!("/topics/{topic}/{path}")).await.send().await.error(), (404, 404), "{path}");
    }
    let unknown = get(&format!("/topics/{}/partitions/0/replicas", unique("no"))).await.send().await;
    assert_eq!(unknown.error(), (404, 40403));
}
