use crate::harness::app;
use crate::v3_admin::{cluster, path_of};

#[tokio::test]
async fn the_one_cluster_is_listed_and_got_with_links_that_lead_somewhere() {
    let at = cluster().await;
    let id = at.rsplit('/').next().unwrap();
    let list = app::shared().get("/v3/clusters").send().await.ok();
    assert_eq!(list["kind"], "KafkaClusterList");
    assert_eq!((path_of(&list["metadata"]["self"]).as_str(), &list["metadata"]["next"]), ("/v3/clusters", &().into()));
    let one = app::shared().get(&at).send().await.ok();
    assert_eq!(list["data"][0], one);
    assert_eq!(one["metadata"]["resource_name"], format!("crn:///kafka={id}"));
    assert_eq!(path_of(&one["metadata"]["self"]), at);
    assert_eq!(path_of(&one["topics"]["related"]), format!("{at}/topics"));
    assert_eq!(path_of(&one["partition_reassignments"]["related"]), format!("{at}/topics/-/partitions/-/reassignment"));
    assert!(path_of(&one["controller"]["related"]).starts_with(&format!("{at}/brokers/")));
}

#[tokio::test]
async fn it_is_in_both_places_with_links_to_the_place_of_the_request() {
    let at = format!("/kafka{}", cluster().await);
    let one = app::shared().get(&at).send().await.ok();
    assert_eq!(path_of(&one["metadata"]["self"]), at);
    assert_eq!(path_of(&one["acls"]["related"]), format!("{at}/acls"));
}

#[tokio::test]
async fn another_cluster_is_not_found() {
    let other = app::shared().get("/v3/clusters/other").send().await;
    assert_eq!((other.error(), other.message()), ((404, 404), "HTTP 404 Not Found".to_owned()));
}
