//! Transactions of producers.

use crate::admin::{Admin, Code};
use crate::error::Result;
use crate::model::TransactionDescription;

/// Describes a transaction by its transactional id; `None` where there is none.
pub async fn find(admin: &Admin, id: &str) -> Result<Option<TransactionDescription>> {
    match admin.describe_transactions(&[id.to_owned()]).await?.pop() {
        Some((_, Ok(description))) => Ok(Some(description)),
        Some((_, Err(error))) if Code::of(&error) != Some(Code::TRANSACTIONAL_ID_NOT_FOUND) => Err(error),
        Some(_) | None => Ok(None),
    }
}
