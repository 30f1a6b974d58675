//! Users that log in with SCRAM: an extension, in the style of the rest. What they log in with is never shown.

use actix_web::web::Query;
use actix_web::{HttpRequest, HttpResponse};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::admin::scram::{self, User};
use crate::error::{Error, Kind, Result};
use crate::http::doc::Parameter;
use crate::http::permit;
use crate::http::resource::{Routes, delete as on_delete, get as on_get, put as on_put, resource};
use crate::http::v3::cluster::{CannotBeFound, Cluster, done};
use crate::http::v3::docs;
use crate::http::v3::document::{Document, exactly, present};
use crate::http::v3::parameters::{choice, segment};
use crate::http::v3::rendering::{Collection, Resource};
use crate::model::{Password, ScramCredential, ScramMechanism};

/// Registers the endpoints of SCRAM users.
pub fn routes(routes: &mut Routes) {
    let mechanism: &[Parameter] = &[("mechanism", "string", "SCRAM-SHA-256 or SCRAM-SHA-512.")];
    routes
        .service(resource(
            "/clusters/{cluster}/scram-users",
            vec![on_get("api.v3.scram-users.list", permit::DESCRIBE_CLUSTER, list).doc(docs::many::<UserFields>(
                "List the users with SCRAM credentials, without their secrets",
                "KafkaScramUserList",
            ))],
        ))
        .service(resource(
            "/clusters/{cluster}/scram-users/{user}",
            vec![
                on_get("api.v3.scram-users.get", permit::DESCRIBE_CLUSTER, get).doc(docs::one::<UserFields>(
                    "Get the SCRAM credentials of a user, without their secrets",
                    "KafkaScramUser",
                )),
                on_put("api.v3.scram-users.update", permit::ALTER_CLUSTER, put)
                    .doc(docs::changes("Set a SCRAM credential of a user", "ScramCredential").gives_nothing(204)),
                on_delete("api.v3.scram-users.delete", permit::ALTER_CLUSTER, delete)
                    .doc(docs::removes("Delete a SCRAM credential of a user").query(mechanism)),
            ],
        ));
}

const MECHANISMS: &[(&str, ScramMechanism)] =
    &[("SCRAM-SHA-256", ScramMechanism::Sha256), ("SCRAM-SHA-512", ScramMechanism::Sha512)];

/// What Kafka's own tools take where nothing is said, and the fewest that it accepts.
const DEFAULT_ITERATIONS: i32 = 4096;

/// `GET C/scram-users`: sorted by name.
async fn list(cluster: Cluster<CannotBeFound>) -> Result<HttpResponse> {
    let users = scram::list(&cluster.caller.admin).await?;
    let list = move |cluster: &Cluster<CannotBeFound>| {
        let data = users.iter().map(|user| rendered(cluster, user)).collect();
        Collection::new("KafkaScramUserList", cluster.url(&["scram-users"]), data)
    };
    cluster.list(list).await
}

/// `GET C/scram-users/{user}`.
async fn get(cluster: Cluster<CannotBeFound>, request: HttpRequest) -> Result<HttpResponse> {
    let name = segment(&request, "user")?;
    let found = scram::find(&cluster.caller.admin, &name).await?;
    cluster.ok(&rendered(&cluster, &found.ok_or_else(|| unknown(&name))?))
}

/// `PUT C/scram-users/{user}`: a password for a mechanism, for a new user or one that there is.
async fn put(cluster: Cluster<CannotBeFound>, request: HttpRequest, document: Document) -> Result<HttpResponse> {
    let name = segment(&request, "user")?;
    let mut fields = document.required("Null input provided. Data is required.")?;
    let mechanism = exactly("mechanism", &present("mechanism", fields.text("mechanism")?)?, MECHANISMS)?;
    let iterations = fields.small_integer("iterations")?.unwrap_or(DEFAULT_ITERATIONS);
    let password = present("password", fields.text("password")?.map(Password))?;
    fields.finish()?;
    if password.0.is_empty() {
        return Err(Kind::BadRequest.because("password is empty."));
    }
    scram::put(&cluster.caller.admin, &name, ScramCredential { mechanism, iterations }, password).await?;
    Ok(done())
}

#[derive(Deserialize)]
struct DeleteQuery {
    mechanism: Option<String>,
}

/// `DELETE C/scram-users/{user}`: the password of one mechanism, or of all.
async fn delete(
    cluster: Cluster<CannotBeFound>,
    request: HttpRequest,
    Query(query): Query<DeleteQuery>,
) -> Result<HttpResponse> {
    let name = segment(&request, "user")?;
    let mechanism = query.mechanism.map(|text| choice("ScramMechanism", &text, MECHANISMS)).transpose()?;
    let deleted = scram::delete(&cluster.caller.admin, &name, mechanism).await?;
    match (deleted, mechanism) {
        (true, _) => Ok(done()),
        (false, None) => Err(unknown(&name)),
        (false, Some(mechanism)) => {
            let mechanism = mechanism.name();
            Err(Kind::NotFound.because(format!("SCRAM user {name} has no credential for {mechanism}.")))
        }
    }
}

fn unknown(name: &str) -> Error {
    Kind::NotFound.because(format!("SCRAM user {name} could not be found."))
}

#[derive(JsonSchema, Serialize)]
struct UserFields {
    cluster_id: String,
    user_name: String,
    credentials: Vec<CredentialFields>,
}

#[derive(JsonSchema, Serialize)]
struct CredentialFields {
    mechanism: &'static str,
    iterations: i32,
}

fn rendered(cluster: &Cluster<CannotBeFound>, user: &User) -> Resource<UserFields> {
    let credential =
        |it: &ScramCredential| CredentialFields { mechanism: it.mechanism.name(), iterations: it.iterations };
    let fields = UserFields {
        cluster_id: cluster.id.clone(),
        user_name: user.name.clone(),
        credentials: user.credentials.iter().map(credential).collect(),
    };
    cluster.resource("KafkaScramUser", &["scram-users", &user.name], &[("scram-user", &user.name)], fields)
}
