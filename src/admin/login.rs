use crate::admin::Admin;
use crate::admin::failure::{Failure, Repeat};
use crate::admin::operation::Route;
use crate::error::{Kind, Result};

impl Admin {
    /// Shows Kafka the credentials on a connection of its own, which is closed then.
    ///
    /// 401 where they are refused, with what the broker said; 503 where no broker can be asked.
    pub async fn log_in(&self) -> Result<()> {
        let operation = self.operation()?;
        match operation.own_connection(Route::Any).await {
            Ok(_connection) => Ok(()),
            Err(Failure::Unreachable(why) | Failure::Unanswered(why)) => Err(Kind::BrokerNotAvailable
                .because("No Kafka broker can be asked about your credentials; send the request again later.")
                .caused_by(std::io::Error::other(why))),
            Err(failure @ (Failure::Final(_) | Failure::Refused { .. })) => {
                Err(failure.into_error(Repeat::Harmless, operation.patience()))
            }
        }
    }

    /// Takes a newer token of the same caller; connections that are open stay.
    pub fn renew(&self, token: &str) {
        if let Ok(brokers) = &self.brokers {
            brokers.renew(token);
        }
    }

    /// Tells whether a broker refused the credentials when it was last asked.
    pub fn is_refused(&self) -> bool {
        self.brokers.as_ref().is_ok_and(|brokers| brokers.is_refused())
    }
}
