//! Elections of leaders: an extension.

use std::collections::BTreeSet;

use actix_web::HttpResponse;

use crate::domain::admin::elections;
use crate::domain::admin::partitions::Failed;
use crate::error::{Kind, Result};
use crate::http::fields::Fields;
use crate::http::path::TopicPath;
use crate::http::permit;
use crate::http::resource::{self, Routes, resource};
use crate::http::v3::cluster::{CannotBeFound, Cluster, done};
use crate::http::v3::document::{Document, exactly, present};
use crate::http::v3::failures::unless_failed;
use crate::http::v3::paths::PartitionNumber;
use crate::http::v3::{V3, docs};
use crate::model::{Election, Right, Subject, TopicName};

pub fn routes(routes: &mut Routes) {
    routes
        .service(resource(
            "/clusters/{cluster}/topics/-/partitions/-/leader:elect",
            vec![
                resource::post("api.v3.leaders.batch-elect", permit::ALTER_TOPICS, elect_many).doc(
                    docs::changes("Elect leaders of partitions", "ElectLeaders")
                        .gives_nothing(204)
                        .gives::<V3>(207, "Failures"),
                ),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/topics/{topic}/partitions/{partition}/leader:elect",
            vec![
                resource::post("api.v3.leaders.elect", permit::ALTER_TOPIC, elect)
                    .doc(docs::changes("Elect the leader of a partition", "ElectLeader").gives_nothing(204)),
            ],
        ));
}

/// `POST C/topics/{topic}/partitions/{partition}/leader:elect`: 204 also where the right broker leads already.
async fn elect(
    cluster: Cluster<CannotBeFound>,
    TopicPath(topic): TopicPath,
    PartitionNumber(partition): PartitionNumber,
    document: Document,
) -> Result<HttpResponse> {
    let mut fields = document.required("Null input provided. Data is required.")?;
    let election = election(&mut fields)?;
    fields.finish()?;
    let failed = elections::elect(&cluster.caller.admin, election, Some([(topic, partition)].into())).await?;
    failed.into_iter().next().map_or(Ok(done()), |Failed(_, error)| Err(error))
}

/// `POST C/topics/-/partitions/-/leader:elect`: the same for the partitions in `data`, or with `all` for every one.
async fn elect_many(cluster: Cluster<CannotBeFound>, document: Document) -> Result<HttpResponse> {
    let mut fields = document.required("Null input provided. Data is required.")?;
    let election = election(&mut fields)?;
    let (data, all) = (fields.objects("data")?, fields.boolean("all")?.unwrap_or(false));
    fields.finish()?;
    let partitions = match (data, all) {
        (Some(entries), false) => Some(entries.into_iter().map(partition).collect::<Result<BTreeSet<_>>>()?),
        (None, true) => None,
        (Some(_), true) | (None, false) => {
            return Err(Kind::BadRequest.because("Name the partitions in data, or set all to true, one of the two."));
        }
    };
    match &partitions {
        Some(named) => cluster.caller.may_all(Right::Alter, named.iter().map(|(topic, _)| topic))?,
        None => cluster.caller.may(Right::Alter, Subject::Cluster)?,
    }
    let failed = elections::elect(&cluster.caller.admin, election, partitions).await?;
    unless_failed(&cluster, failed, done())
}

const ELECTIONS: &[(&str, Election)] = &[("PREFERRED", Election::Preferred), ("UNCLEAN", Election::Unclean)];

fn election(fields: &mut Fields) -> Result<Election> {
    exactly("election_type", &present("election_type", fields.text("election_type")?)?, ELECTIONS)
}

fn partition(mut fields: Fields) -> Result<(TopicName, i32)> {
    let topic = present("topic_name", fields.text("topic_name")?)?;
    let partition = present("partition_id", fields.small_integer("partition_id")?)?;
    fields.finish()?;
    Ok((TopicName::try_from(topic.as_str())?, partition))
}
