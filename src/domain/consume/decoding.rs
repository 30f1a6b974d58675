use std::sync::Arc;

use crate::domain::schemas::Schemas;
use crate::error::{Kind, Result};
use crate::format::{KnownSchemas, RecordView, Unwritten, write_record};
use crate::model::Formats;
use crate::schema::{Failure, Registered, Registry};

/// Schemas that one read knows of at a time.
const MOST: usize = 1000;

/// Reads keys and values; it keeps the schemas that one read has met.
pub struct Decoding {
    formats: Formats,
    registry: Option<Arc<Registry>>,
    known: KnownSchemas,
}

impl Decoding {
    /// Knows no schema yet; an error tells that the formats need a registry and there is none.
    pub fn new(formats: Formats, schemas: &Schemas) -> Result<Decoding> {
        Ok(Decoding { formats, registry: schemas.for_reading(formats)?, known: KnownSchemas::new() })
    }

    /// Appends the JSON of a record; leaves `out` as it was where it is not written. Asks nobody for a schema.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, view: &RecordView<'_>) -> Result<(), Unwritten> {
        loop {
            let outcome = write_record(out, self.formats, &self.known, view);
            let Err(Unwritten::NeedsSchema(id)) = outcome else { return outcome };
            let Some(found) = self.registry.as_ref().and_then(|registry| registry.known(id)) else { return outcome };
            if self.note(id, found).is_err() {
                return outcome;
            }
        }
    }

    /// Asks for a schema, within the deadline of the registry; that there is none is known afterwards as well. Fails
    /// where the registry cannot be asked.
    pub(super) async fn learn(&mut self, id: i32) -> Result<()> {
        let registry = self.registry.clone().ok_or(Kind::RegistryMissing)?;
        self.note(id, registry.by_id(id).await)
    }

    fn note(&mut self, id: i32, found: Result<Arc<Registered>, Failure>) -> Result<()> {
        let found = match found {
            Ok(registered) => Ok(registered.schema.clone()),
            Err(Failure::Unavailable(why)) => return Err(Kind::RegistryUnavailable.because(why)),
            Err(Failure::Missing(why) | Failure::Unreadable(why) | Failure::Refused(why) | Failure::Forbidden(why)) => {
                Err(why)
            }
        };
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.insert(id, found);
        Ok(())
    }
}
