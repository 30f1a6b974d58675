//! Administration: what has rules beyond one call of the administrative client.

pub mod brokers;
pub mod configs;
pub mod elections;
pub mod log_dirs;
pub mod partitions;
pub mod reassignments;
pub mod topics;

use std::time::Duration;

use crate::error::{Kind, Result};

/// Within this a broker has heard of what the controller did, unless it is in trouble.
const PROPAGATION: Duration = Duration::from_millis(100);

/// Asks again a moment later where a topic is not known: it may have been made just now, and not every broker knows.
async fn settled<T>(ask: impl AsyncFn() -> Result<T>) -> Result<T> {
    match ask().await {
        Err(error) if error.kind() == Kind::UnknownTopic => {
            tokio::time::sleep(PROPAGATION).await;
            ask().await
        }
        answer => answer,
    }
}
