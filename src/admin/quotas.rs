use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::alter_client_quotas_response::EntryData as AlteredEntry;
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::describe_client_quotas_response::EntryData as DescribedEntry;
use kafka_protocol::messages::{AlterClientQuotasRequest, DescribeClientQuotasRequest};

use crate::admin::Admin;
use crate::admin::code::Code;
use crate::admin::convert::{text, wire};
use crate::admin::failure::Repeat;
use crate::admin::operation::Route;
use crate::error::Result;
use crate::model::{Quota, QuotaChange, QuotaEntity, QuotaFilter, QuotaMatch};

impl Admin {
    /// Returns the quotas of the entities that pass the filter, sorted by entity.
    pub async fn describe_quotas(&self, filter: &QuotaFilter) -> Result<Vec<Quota>> {
        let request = |_| {
            DescribeClientQuotasRequest::default()
                .with_components(filter.parts.iter().map(component).collect())
                .with_strict(filter.strict)
        };
        let answer = self.operation()?.call(Route::Any, Repeat::Harmless, request).await?;
        let mut quotas: Vec<Quota> = answer.entries.unwrap_or_default().into_iter().map(described).collect();
        quotas.sort_by(|one, other| one.entity.cmp(&other.entity));
        Ok(quotas)
    }

    /// Changes quotas; says what became of each change, by its entity, in no order.
    pub async fn alter_quotas(
        &self,
        changes: &[QuotaChange],
        validate_only: bool,
    ) -> Result<Vec<(QuotaEntity, Result<()>)>> {
        let request = |_| {
            AlterClientQuotasRequest::default()
                .with_entries(changes.iter().map(altered).collect())
                .with_validate_only(validate_only)
        };
        let answer = self.operation()?.call(Route::Controller, Repeat::Never, request).await?;
        let ended = |entry: AlteredEntry| {
            let entity = entry.entity.into_iter().map(|part| (part.entity_type.to_string(), text(part.entity_name)));
            (entity.collect(), Code(entry.error_code).ok(entry.error_message.as_deref()))
        };
        Ok(answer.entries.into_iter().map(ended).collect())
    }
}

fn component((kind, wanted): (&String, &QuotaMatch)) -> ComponentData {
    let (match_type, name) = match wanted {
        QuotaMatch::Exact(name) => (0, Some(wire(name))),
        QuotaMatch::Default => (1, None),
        QuotaMatch::Any => (2, None),
    };
    ComponentData::default().with_entity_type(wire(kind)).with_match_type(match_type).with_match(name)
}

fn described(entry: DescribedEntry) -> Quota {
    Quota {
        entity: entry.entity.into_iter().map(|part| (part.entity_type.to_string(), text(part.entity_name))).collect(),
        values: entry.values.into_iter().map(|value| (value.key.to_string(), value.value)).collect(),
    }
}

fn altered(change: &QuotaChange) -> EntryData {
    let part = |(kind, name): (&String, &Option<String>)| {
        EntityData::default().with_entity_type(wire(kind)).with_entity_name(name.as_deref().map(wire))
    };
    let operation = |(name, value): (&String, &Option<f64>)| {
        OpData::default().with_key(wire(name)).with_value(value.unwrap_or_default()).with_remove(value.is_none())
    };
    EntryData::default()
        .with_entity(change.entity.iter().map(part).collect())
        .with_ops(change.values.iter().map(operation).collect())
}
