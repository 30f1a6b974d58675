use crate::harness::kafka::{self, NewRecord};
use crate::harness::{app, unique};
use crate::v3_admin::{broker, get, path_of};

#[tokio::test]
async fn folders_have_sizes_and_what_is_in_them() {
    let (topic, broker) = (app::topic(2), broker().await);
    let record = NewRecord { partition: Some(1), ..NewRecord::new("key", "value") };
    kafka::shared().produce(&topic, &[record]);
    let list = get(&format!("/brokers/{broker}/log-dirs")).await.send().await.ok();
    assert_eq!(list["kind"], "KafkaLogDirList");
    let folder = &list["data"][0];
    assert!(folder["total_bytes"].as_i64() > folder["usable_bytes"].as_i64() && folder["error_code"].is_null());
    let replicas = folder["replicas"].as_array().unwrap();
    let ours: Vec<_> = replicas.iter().filter(|it| it["topic_name"] == topic.as_str()).collect();
    assert_eq!((ours.len(), &ours[0]["size_bytes"], &ours[1]["is_future"]), (2, &0.into(), &false.into()));
    assert!(ours[1]["size_bytes"].as_i64() > Some(0));

    let placed = get(&format!("/topics/{topic}/partitions/-/log-dirs")).await.send().await.ok();
    assert_eq!((&placed["kind"], placed["data"].as_array().unwrap().len()), (&"KafkaReplicaLogDirList".into(), 2));
    let second = &placed["data"][1];
    assert_eq!(
        (&second["partition_id"], &second["broker_id"], &second["path"]),
        (&1.into(), &broker.into(), &folder["path"])
    );
    assert_eq!((&second["size_bytes"], &second["offset_lag"]), (&ours[1]["size_bytes"], &0.into()));
    app::shared().get(&path_of(&second["metadata"]["self"])).send().await.ok();
    let unknown = get(&format!("/topics/{}/partitions/-/log-dirs", unique("no"))).await.send().await;
    assert_eq!(unknown.error(), (404, 40403));
}
