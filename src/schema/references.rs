use std::collections::BTreeSet;

use crate::schema::api::{Api, Reference, Stored};
use crate::schema::failure::Failure;

/// The most schemas that one may refer to, in all.
const MOST: usize = 100;

/// How deep they may refer to each other.
const DEEPEST: usize = 16;

/// A schema that another refers to.
pub(super) struct Resolved {
    pub(super) name: String,
    pub(super) text: String,
}

/// Returns what a schema refers to, each after those that it refers to itself.
pub(super) async fn resolve(api: &Api, stored: &Stored, max_bytes: u64) -> Result<Vec<Resolved>, Failure> {
    let mut found =
        Found { max_bytes, bytes: stored.schema.len() as u64, names: BTreeSet::new(), resolved: Vec::new() };
    found.add_all(api, stored, 0).await?;
    Ok(found.resolved)
}

struct Found {
    max_bytes: u64,
    bytes: u64,
    names: BTreeSet<String>,
    resolved: Vec<Resolved>,
}

impl Found {
    async fn add_all(&mut self, api: &Api, stored: &Stored, depth: usize) -> Result<(), Failure> {
        for reference in stored.references.iter().flatten() {
            if depth >= DEEPEST || self.names.len() >= MOST {
                return Err(Failure::Unreadable("The schema refers to too many others.".to_owned()));
            }
            if self.names.insert(reference.name.clone()) {
                Box::pin(self.add(api, reference, depth)).await?;
            }
        }
        Ok(())
    }

    async fn add(&mut self, api: &Api, reference: &Reference, depth: usize) -> Result<(), Failure> {
        let stored = api.version(&reference.subject, &reference.version.to_string()).await?;
        self.bytes += stored.schema.len() as u64;
        if self.bytes > self.max_bytes {
            return Err(too_large(self.max_bytes));
        }
        self.add_all(api, &stored, depth + 1).await?;
        self.resolved.push(Resolved { name: reference.name.clone(), text: stored.schema });
        Ok(())
    }
}

pub(super) fn too_large(max_bytes: u64) -> Failure {
    Failure::Unreadable(format!("The schema, with what it refers to, is larger than {max_bytes} bytes."))
}
