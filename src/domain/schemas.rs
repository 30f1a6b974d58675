//! Which schema keys and values are written by, for requests of every version.

mod named;

use std::sync::Arc;
use std::time::Duration;

use crate::config::SchemaRegistry;
use crate::error::{Error, Kind, Result};
use crate::format::{Codec, Framed};
use crate::metrics::Metrics;
use crate::model::{Format, Formats, SchemaType, TopicName};
use crate::schema::{Failure, Registry, Versioned, subject};
pub use crate::schema::{Part, Strategy};
pub use named::{Known, Named, Naming, Serializer, Wanted, Which};

/// The registry, if there is one.
pub struct Schemas {
    registry: Option<Arc<Registry>>,
    lenient: bool,
    /// How long the registry has for an answer.
    patience: Duration,
}

/// The schema that a request names for its keys or its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Its text.
    pub text: Option<String>,
    /// Its id.
    pub id: Option<i64>,
}

impl Schemas {
    /// Takes the settings and reads the certificates; connects to nobody.
    pub fn new(settings: &SchemaRegistry, metrics: &Arc<Metrics>) -> Result<Schemas> {
        let registry =
            Registry::new(settings, metrics).map_err(|why| Kind::Internal.caused_by(std::io::Error::other(why)))?;
        let registry = registry.map(Arc::new);
        Ok(Schemas { registry, lenient: settings.lenient_avro, patience: settings.request_timeout })
    }

    /// Returns the registry; an error tells that there is none.
    pub fn registry(&self) -> Result<&Registry> {
        self.registry.as_deref().ok_or_else(|| Kind::SchemaWithoutRegistry.into())
    }

    /// Returns the registry, for as long as who reads needs it; an error tells that these formats need one and there is
    /// none.
    pub fn for_reading(&self, formats: Formats) -> Result<Option<Arc<Registry>>> {
        if formats.need_schemas() && self.registry.is_none() {
            return Err(Kind::RegistryMissing.because(
                "This format needs a Schema Registry and none is configured; read the records as binary or json.",
            ));
        }
        Ok(self.registry.clone())
    }

    /// Checks what a request says of its schemas before any of it is done: that there is a registry, and that texts can
    /// be read.
    pub async fn check(&self, given: &[(Format, &Given)]) -> Result<()> {
        let names_one = given.iter().any(|(_, given)| **given != Given::default());
        let Some(registry) = &self.registry else {
            return Err(if names_one { Kind::SchemaWithoutRegistry } else { Kind::RegistryMissing }.into());
        };
        for (format, given) in given {
            if let (Some(kind), Some(text)) = (format.schema_type(), &given.text) {
                registry.record_name(kind, text).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Returns what writes keys or values of a topic in a format; `None` where a schema is needed and none is given.
    pub async fn codec(&self, format: Format, given: &Given, topic: &TopicName, part: Part) -> Result<Option<Codec>> {
        let without_schema = match format {
            Format::Binary => Some(Codec::Binary),
            Format::Json => Some(Codec::Json),
            Format::Text => Some(Codec::Text),
            Format::Avro | Format::JsonSchema | Format::Protobuf => None,
        };
        let Some(kind) = format.schema_type() else { return Ok(without_schema) };
        let Some(found) = self.find(kind, given, topic, part).await? else { return Ok(None) };
        if found.registered.kind != kind {
            let (id, is, wanted) = (found.registered.id, found.registered.kind.name(), kind.name());
            return Err(Kind::SchemaLookup.because(format!(
                "Error serializing message. Schema {id} is of the type {is}, and the Content-Type says {wanted}."
            )));
        }
        Ok(Some(Codec::Schema(self.framed(&found))))
    }

    /// Returns what writes by a schema.
    pub fn framed(&self, found: &Versioned) -> Framed {
        let registered = &found.registered;
        Framed { id: registered.id, schema: registered.schema.clone(), lenient: self.lenient }
    }

    async fn find(&self, kind: SchemaType, given: &Given, topic: &TopicName, part: Part) -> Result<Option<Versioned>> {
        let Some(subject) = subject(Strategy::TopicName, topic, part, None) else { return Ok(None) };
        let found = match (&given.text, given.id) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                let name = part.name();
                return Err(Kind::Unprocessable.because(format!(
                    "{name}_schema and {name}_schema_id exclude each other: leave one of them out."
                )));
            }
            (Some(text), None) => self.registry()?.of_text(&subject, kind, text).await,
            (None, Some(id)) => match i32::try_from(id) {
                Ok(id) => self.registry()?.in_subject(&subject, id).await,
                Err(_) => Err(Failure::Missing(format!("There is no schema {id}."))),
            },
        };
        found.map(Some).map_err(failed)
    }
}

/// Returns what a failure of the registry is for a request.
pub fn failed(failure: Failure) -> Error {
    match failure {
        Failure::Missing(why) | Failure::Refused(why) => {
            Kind::SchemaLookup.because(format!("Error serializing message. {why}"))
        }
        Failure::Unreadable(why) => Kind::InvalidSchema.because(format!("Invalid schema: {why}")),
        Failure::Forbidden(why) => Kind::KafkaAuthorization.because(why),
        Failure::Unavailable(why) => Kind::RegistryUnavailable.because(why),
    }
}
