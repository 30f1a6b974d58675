use serde_json::json;

use crate::harness::kafka::{self, NewRecord};
use crate::harness::{app, unique};
use crate::v3_admin::{call, get, get_until, path_of, send};

#[tokio::test]
async fn partitions_are_listed_and_got_with_their_leader() {
    let at = format!("/topics/{}/partitions", app::topic(2));
    let list = get_until(&at, |list| list["data"].as_array().unwrap().len() == 2).await;
    let second = &list["data"][1];
    assert_eq!((&second["kind"], &second["partition_id"]), (&"KafkaPartition".into(), &1.into()));
    assert_eq!(app::shared().get(&path_of(&second["metadata"]["self"])).send().await.ok(), *second);
    let leader = app::shared().get(&path_of(&second["leader"]["related"])).send().await.ok();
    assert_eq!(leader["is_leader"], true);
    assert_eq!(app::shared().get(&path_of(&second["replicas"]["related"])).send().await.ok()["data"][0], leader);
    assert_eq!(app::shared().get(&path_of(&second["reassignment"]["related"])).send().await.error(), (404, 404));
}

#[tokio::test]
async fn partitions_that_do_not_exist_are_not_found() {
    let (topic, unknown) = (app::topic(1), unique("no"));
    for (path, expected) in [
        (format!("/topics/{topic}/partitions/1"), (404, 404)),
        (format!("/topics/{topic}/partitions/-1"), (404, 404)),
        (format!("/topics/{topic}/partitions/x"), (404, 404)),
        (format!("/topics/{topic}/partitions/x/offset"), (404, 404)),
        (format!("/topics/{topic}/partitions/1/offset"), (404, 40402)),
        (format!("/topics/{topic}/partitions/0/offset?offset_type=latest"), (400, 400)),
        (format!("/topics/{unknown}/partitions"), (404, 40403)),
        (format!("/topics/{unknown}/partitions/0"), (404, 40403)),
        (format!("/topics/{unknown}/partitions/0/offset"), (404, 40403)),
    ] {
        assert_eq!(get(&path).await.send().await.error(), expected, "{path}");
    }
}

#[tokio::test]
async fn records_are_deleted_before_an_offset_or_altogether() {
    let topic = app::topic(1);
    kafka::shared().produce(&topic, &vec![NewRecord::new("key", "value"); 5]);
    let at = format!("/topics/{topic}/partitions/0");
    let offset = format!("{at}/offset?offset_type=earliest_and_latest");
    get_until(&offset, |it| (&it["earliest_offset"], &it["latest_offset"]) == (&0.into(), &5.into())).await;

    let delete = async |body| send("POST", &format!("{at}/records:delete"), body).await.send().await;
    for (body, expected) in [
        (json!({ "before_offset": 6 }), (400, 40002)),
        (json!({ "before_offset": -2 }), (400, 400)),
        (json!({ "before_offset": "all" }), (400, 400)),
        (json!({}), (400, 400)),
        (json!({ "before_offset": 1, "x": 1 }), (422, 422)),
    ] {
        assert_eq!(delete(body.clone()).await.error(), expected, "{body}");
    }
    assert_eq!(call("POST", &format!("{at}/records:delete")).await.send().await.error(), (422, 42206));
    let deleted = delete(json!({ "before_offset": 2 })).await.ok();
    assert_eq!((&deleted["kind"], &deleted["low_watermark"]), (&"KafkaDeletedRecords".into(), &2.into()));
    assert_eq!(app::shared().get(&path_of(&deleted["offset"]["related"])).send().await.ok()["earliest_offset"], 2);
    assert_eq!(kafka::shared().read_partition(&topic, 0)[0].offset, 2);
    // Twice is once.
    assert_eq!(delete(json!({ "before_offset": 2 })).await.ok()["low_watermark"], 2);
    assert_eq!(delete(json!({ "before_offset": -1 })).await.ok()["low_watermark"], 5);
    let unknown = format!("/topics/{topic}/partitions/7/records:delete");
    assert_eq!(send("POST", &unknown, json!({ "before_offset": -1 })).await.send().await.error(), (404, 40402));
}
