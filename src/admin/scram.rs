use std::num::NonZeroU32;

use kafka_protocol::messages::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use kafka_protocol::messages::alter_user_scram_credentials_response::AlterUserScramCredentialsResult;
use kafka_protocol::messages::describe_user_scram_credentials_request::UserName;
use kafka_protocol::messages::describe_user_scram_credentials_response::CredentialInfo;
use kafka_protocol::messages::describe_user_scram_credentials_response::DescribeUserScramCredentialsResult;
use kafka_protocol::messages::{AlterUserScramCredentialsRequest, DescribeUserScramCredentialsRequest};

use crate::admin::Admin;
use crate::admin::code::Code;
use crate::admin::convert::{known, wire};
use crate::admin::failure::Repeat;
use crate::admin::operation::Route;
use crate::admin::security::{MAX_ITERATIONS, ScramHash, random_salt, salted_password};
use crate::error::{Kind, Result};
use crate::model::{Password, ScramChange, ScramCredential, ScramMechanism};

impl Admin {
    /// Returns the credentials of users, or of all that have some; one that has none has an error with
    /// [`Code::RESOURCE_NOT_FOUND`] in its place.
    pub async fn describe_scram(
        &self,
        users: Option<&[String]>,
    ) -> Result<Vec<(String, Result<Vec<ScramCredential>>)>> {
        let request = |_| {
            let wanted = |user: &String| UserName::default().with_name(wire(user));
            let users = users.map(|users| users.iter().map(wanted).collect());
            DescribeUserScramCredentialsRequest::default().with_users(users)
        };
        let answer = self.operation()?.call(Route::Any, Repeat::Harmless, request).await?;
        Ok(answer.results.into_iter().map(described).collect())
    }

    /// Changes credentials; says what became of each user, in no order. Kafka takes one change a user.
    ///
    /// The broker never sees a password, only what is made of it.
    pub async fn alter_scram(&self, changes: &[ScramChange]) -> Result<Vec<(String, Result<()>)>> {
        let salted = salted(changes.to_vec()).await?;
        let operation = self.operation()?;
        // Cloned, as the request may be sent again after another broker refused it.
        let answer = operation.call(Route::Controller, Repeat::Never, |_| salted.clone()).await?;
        let ended = |it: AlterUserScramCredentialsResult| {
            (it.user.to_string(), Code(it.error_code).ok(it.error_message.as_deref()))
        };
        Ok(answer.results.into_iter().map(ended).collect())
    }
}

fn described(found: DescribeUserScramCredentialsResult) -> (String, Result<Vec<ScramCredential>>) {
    let credential = |it: &CredentialInfo| {
        let mechanism = known(ScramMechanism::ALL, ScramMechanism::Unknown, it.mechanism);
        ScramCredential { mechanism, iterations: it.iterations }
    };
    let credentials = found.credential_infos.iter().map(credential).collect();
    (found.user.to_string(), Code(found.error_code).ok(found.error_message.as_deref()).map(|()| credentials))
}

/// Makes the request on a thread where hashing passwords holds up nobody.
async fn salted(changes: Vec<ScramChange>) -> Result<AlterUserScramCredentialsRequest> {
    let hashing = tokio::task::spawn_blocking(move || {
        let mut request = AlterUserScramCredentialsRequest::default();
        for change in changes {
            match change {
                ScramChange::Upsert { user, credential, password } => {
                    request.upsertions.push(upsertion(&user, credential, &password)?);
                }
                ScramChange::Delete { user, mechanism } => request
                    .deletions
                    .push(ScramCredentialDeletion::default().with_name(wire(&user)).with_mechanism(mechanism as i8)),
            }
        }
        Ok(request)
    });
    hashing.await.map_err(|stopped| Kind::Internal.caused_by(stopped))?
}

fn upsertion(user: &str, credential: ScramCredential, password: &Password) -> Result<ScramCredentialUpsertion> {
    let hash = match credential.mechanism {
        ScramMechanism::Sha256 => ScramHash::Sha256,
        ScramMechanism::Sha512 => ScramHash::Sha512,
        ScramMechanism::Unknown => return Err(Kind::KafkaBadRequest.because("The SCRAM mechanism is not known.")),
    };
    let iterations = u32::try_from(credential.iterations).ok().filter(|iterations| *iterations <= MAX_ITERATIONS);
    let Some(iterations) = iterations.and_then(NonZeroU32::new) else {
        return Err(Kind::KafkaBadRequest.because(format!("The iterations have to be from 1 to {MAX_ITERATIONS}.")));
    };
    let salt = random_salt().map_err(|why| Kind::Internal.because(why))?;
    let salted = salted_password(hash, &password.0, &salt, iterations);
    Ok(ScramCredentialUpsertion::default()
        .with_name(wire(user))
        .with_mechanism(credential.mechanism as i8)
        .with_iterations(credential.iterations)
        .with_salt(salt.to_vec().into())
        .with_salted_password(salted.into()))
}
