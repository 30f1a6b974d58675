//! Users that log in with SCRAM.

use crate::admin::{Admin, Code};
use crate::error::{Error, Kind, Result};
use crate::model::{Password, ScramChange, ScramCredential, ScramMechanism};

/// A user with what is known of its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: String,
    /// In the order of the mechanisms.
    pub credentials: Vec<ScramCredential>,
}

/// Returns all users that have credentials, sorted by name.
pub async fn list(admin: &Admin) -> Result<Vec<User>> {
    let mut users = Vec::new();
    for (name, credentials) in admin.describe_scram(None).await? {
        users.push(user(name, credentials?));
    }
    users.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(users)
}

/// Returns a user; `None` where there is none of this name.
pub async fn find(admin: &Admin, name: &str) -> Result<Option<User>> {
    match admin.describe_scram(Some(&[name.to_owned()])).await?.pop() {
        Some((name, Ok(credentials))) => Ok(Some(user(name, credentials))),
        Some((_, Err(error))) if !is_unknown(&error) => Err(error),
        Some(_) | None => Ok(None),
    }
}

/// Gives a user a password for a mechanism, or another one.
pub async fn put(admin: &Admin, name: &str, credential: ScramCredential, password: Password) -> Result<()> {
    change(admin, ScramChange::Upsert { user: name.to_owned(), credential, password }).await
}

/// Takes from a user the credential for a mechanism, or all; tells whether there was one.
///
/// Kafka takes one change a user at a time: where a later one fails the earlier ones are done.
pub async fn delete(admin: &Admin, name: &str, mechanism: Option<ScramMechanism>) -> Result<bool> {
    let Some(found) = find(admin, name).await? else { return Ok(false) };
    let meant = |credential: &ScramCredential| mechanism.is_none_or(|wanted| credential.mechanism == wanted);
    let mechanisms: Vec<_> = found.credentials.into_iter().filter(meant).map(|it| it.mechanism).collect();
    for mechanism in &mechanisms {
        let deletion = ScramChange::Delete { user: name.to_owned(), mechanism: *mechanism };
        match change(admin, deletion).await {
            // Somebody else was faster.
            Err(error) if is_unknown(&error) => {}
            deleted => deleted?,
        }
    }
    Ok(!mechanisms.is_empty())
}

async fn change(admin: &Admin, change: ScramChange) -> Result<()> {
    let changed = admin.alter_scram(&[change]).await?.pop();
    changed.map_or(Ok(()), |(_, result)| result).map_err(|error| match Code::of(&error) {
        Some(Code::UNACCEPTABLE_CREDENTIAL) => error.as_kind(Kind::KafkaBadRequest),
        Some(_) | None => error,
    })
}

fn user(name: String, mut credentials: Vec<ScramCredential>) -> User {
    credentials.sort_unstable_by_key(|credential| credential.mechanism);
    User { name, credentials }
}

fn is_unknown(error: &Error) -> bool {
    Code::of(error) == Some(Code::RESOURCE_NOT_FOUND)
}
