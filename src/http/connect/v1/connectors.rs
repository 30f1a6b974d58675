use actix_web::web::Query;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use crate::domain::connect::Shown;
use crate::domain::connect::sight::{self, ConnectorSeen, Filter, State as ConnectorState};
use crate::error::{Kind, Result};
use crate::http::answer::Answer;
use crate::http::caller::Caller;
use crate::http::connect::rules;
use crate::http::connect::v1::cursor::{self, cursor};
use crate::http::connect::v1::{cluster, fields};
use crate::http::health::Plain;
use crate::model::Right;

const DEFAULT_LIMIT: usize = 100;
const MOST: usize = 1000;
const TYPES: [&str; 3] = ["source", "sink", "unknown"];

/// What a page is limited to; an empty text is none.
#[derive(Deserialize)]
pub struct PageQuery {
    state: Option<String>,
    r#type: Option<String>,
    class: Option<String>,
    prefix: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

impl PageQuery {
    fn limit(&self) -> Result<usize> {
        let limit = Some(self.limit.unwrap_or(DEFAULT_LIMIT)).filter(|limit| (1..=MOST).contains(limit));
        limit.ok_or_else(|| Kind::BadRequest.because(format!("limit has to be a number from 1 to {MOST}.")))
    }

    fn into_filter(self, shown: Shown) -> Result<Filter> {
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(Filter {
            shown,
            state: text(self.state).map(|text| state(&text)).transpose()?,
            connector_type: text(self.r#type).map(|text| connector_type(&text)).transpose()?,
            class: text(self.class),
            prefix: text(self.prefix),
            after: text(self.cursor).map(|text| cursor::name(&text)).transpose()?,
        })
    }
}

fn state(text: &str) -> Result<ConnectorState> {
    let known = ConnectorState::ALL.map(|state| state.name().to_lowercase()).join(", ");
    let refused = || Kind::BadRequest.because(format!("state has to be one of {known}."));
    ConnectorState::named(text).ok_or_else(refused)
}

fn connector_type(text: &str) -> Result<String> {
    let known = TYPES.into_iter().find(|known| known.eq_ignore_ascii_case(text));
    let refused = || Kind::BadRequest.because(format!("type has to be one of {}.", TYPES.join(", ")));
    known.map(str::to_owned).ok_or_else(refused)
}

/// `GET /connect/v1/clusters/{cluster}/connectors`.
pub async fn list(
    request: HttpRequest,
    answer: Answer<Plain>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse> {
    let cluster = cluster(&request, &caller)?;
    let limit = query.limit()?;
    let shown = rules::shown(&caller, &cluster.name, Right::Describe);
    let page = sight::connectors(cluster, &query.into_filter(shown)?, limit).await?;
    let last = page.connectors.last().filter(|_| page.has_more);
    let next_cursor = last.map(|last| cursor(&last.name));
    answer.json(&fields::Connectors { connectors: page.connectors.into_iter().map(rendered).collect(), next_cursor })
}

fn rendered(seen: ConnectorSeen) -> fields::Connector {
    fields::Connector {
        name: seen.name,
        r#type: seen.connector_type,
        class: seen.class,
        state: seen.state.name(),
        worker_id: seen.worker_id,
        tasks: (&seen.tasks).into(),
    }
}
