use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use futures_util::future::LocalBoxFuture;
use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::http::answer::Answer;
use crate::http::caller::Caller;
use crate::http::v3::V3;
use crate::http::v3::links::Links;
use crate::http::v3::parameters::segment;
use crate::http::v3::rendering::{Collection, Related, Resource};

/// The cluster that the path names, which is the one of this proxy, with what every endpoint below it needs.
///
/// 404 for another cluster; `M` is the text of it.
pub struct Cluster<M> {
    /// Its id.
    pub id: String,
    /// Who asks, and what may be used for them.
    pub caller: Caller,
    /// Addresses and names for the client.
    pub links: Links,
    answer: Answer<V3>,
    mismatch: PhantomData<M>,
}

/// How another cluster is refused: the reference has three texts, by endpoint.
pub trait Mismatch: 'static {
    /// Returns the 404 for the cluster `id`.
    fn refuse(id: &str) -> Error;
}

/// `HTTP 404 Not Found`.
pub struct NotFound;

/// `Cluster <id> cannot be found.`
pub struct CannotBeFound;

/// `Cluster <id> could not be found.`
pub struct CouldNotBeFound;

impl Mismatch for NotFound {
    fn refuse(_: &str) -> Error {
        Kind::NotFound.into()
    }
}

impl Mismatch for CannotBeFound {
    fn refuse(id: &str) -> Error {
        Kind::NotFound.because(format!("Cluster {id} cannot be found."))
    }
}

impl Mismatch for CouldNotBeFound {
    fn refuse(id: &str) -> Error {
        Kind::NotFound.because(format!("Cluster {id} could not be found."))
    }
}

impl<M> Cluster<M> {
    /// Returns the URL of what is at `segments` below the cluster.
    pub fn url(&self, segments: &[&str]) -> String {
        self.links.url(&self.below(segments))
    }

    /// Returns a link to what is at `segments` below the cluster.
    pub fn related(&self, segments: &[&str]) -> Related {
        Related::to(&self.links, &self.below(segments))
    }

    /// Returns a resource of the cluster, at `segments` below it and with these components in its name.
    pub fn resource<T: Serialize>(
        &self,
        kind: &'static str,
        segments: &[&str],
        components: &[(&str, &str)],
        fields: T,
    ) -> Resource<T> {
        let mut name = vec![("kafka", Some(self.id.as_str()))];
        name.extend(components.iter().map(|(kind, id)| (*kind, Some(*id))));
        Resource::new(kind, self.url(segments), fields).named(self.links.resource_name(&name))
    }

    /// Returns 200 with `body`.
    pub fn ok(&self, body: &impl Serialize) -> Result<HttpResponse> {
        self.answer.json(body)
    }

    /// Returns `body` under another status.
    pub fn answer(&self, status: StatusCode, body: &impl Serialize) -> Result<HttpResponse> {
        let text = serde_json::to_vec(body).map_err(|error| Kind::Internal.caused_by(error))?;
        Ok(self.answer.text(status, text))
    }

    fn below<'a>(&'a self, segments: &[&'a str]) -> Vec<&'a str> {
        let mut all = vec!["clusters", &self.id];
        all.extend(segments);
        all
    }
}

impl<M: Send + 'static> Cluster<M> {
    /// Returns 200 with a list that may be long: it is made and written on another thread, not to hold up this one.
    pub async fn list<T: Serialize>(
        self,
        make: impl FnOnce(&Cluster<M>) -> Collection<T> + Send + 'static,
    ) -> Result<HttpResponse> {
        let written = tokio::task::spawn_blocking(move || {
            let text = serde_json::to_vec(&make(&self));
            (self.answer, text)
        });
        let (answer, text) = written.await.map_err(|stopped| Kind::Internal.caused_by(stopped))?;
        Ok(answer.text(StatusCode::OK, text.map_err(|error| Kind::Internal.caused_by(error))?))
    }
}

/// Returns 204.
pub fn done() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

impl<M: Mismatch> FromRequest for Cluster<M> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let answer = Answer::<V3>::from_request(request, payload).into_inner();
        let links = Links::from_request(request, payload).into_inner();
        let caller = Caller::of(request);
        let named = segment(request, "cluster");
        Box::pin(async move {
            let (answer, links, named, caller) = (answer?, links?, named?, caller?);
            let id = caller.admin.cluster_id().await?;
            if named != id {
                return Err(M::refuse(&named));
            }
            Ok(Cluster { id, caller, links, answer, mismatch: PhantomData })
        })
    }
}
