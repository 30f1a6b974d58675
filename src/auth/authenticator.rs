use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::task::JoinSet;

use crate::auth::basic::{Basic, Login};
use crate::auth::certificate::{self, Rules};
use crate::auth::failures::{Failures, Source};
use crate::auth::fingerprint::{Fingerprint, Fingerprints};
use crate::auth::jwt::Bearer;
use crate::auth::known::{Known, Memory};
use crate::auth::names::is_name;
use crate::auth::refusal::Refusal;
use crate::auth::shown::{Evidence, Shown};
use crate::config::Auth;
use crate::error::{Kind, Result};
use crate::model::{Credentials, Password, Principal};

/// Finds out who sends a request.
pub struct Authenticator {
    settings: Auth,
    basic: Option<Arc<Basic>>,
    bearer: Option<Bearer>,
    certificates: Option<Rules>,
    fingerprints: Fingerprints,
    failures: Arc<Failures>,
    /// Credentials that Kafka has accepted once.
    accepted: Known<()>,
    tasks: Mutex<JoinSet<()>>,
}

/// Who sends a request.
pub enum Verdict {
    /// Somebody who showed nothing and need not.
    Anonymous,
    /// Somebody who has shown to be this one.
    Known(Principal),
    /// Somebody whom Kafka is to judge.
    AskKafka(Attempt),
}

/// Credentials that Kafka is to judge; [`Authenticator::settle`] wants to know how.
pub struct Attempt {
    /// Whom they are for.
    pub principal: Principal,
    /// What Kafka is shown.
    pub credentials: Credentials,
    shown: Fingerprint,
    sources: Vec<Source>,
}

impl Authenticator {
    /// Reads the files; what is at URLs is fetched after [`Authenticator::start`].
    pub fn new(settings: &Auth) -> Result<Authenticator> {
        let unusable = |problem: String| Kind::Internal.caused_by(std::io::Error::other(problem));
        let (methods, passed) = (settings.methods, settings.passthrough);
        let users = settings.users_file.as_ref().filter(|_| methods.basic && !passed.basic);
        let basic = users.map(|path| Basic::new(path, settings)).transpose().map_err(unusable)?;
        let bearer = methods.bearer.then(|| Bearer::new(settings)).transpose().map_err(unusable)?;
        let rules = methods.certificate.then(|| Rules::read(&settings.certificate_rules)).transpose();
        let rules = rules.map_err(|problem| unusable(format!("auth.certificate_rules: {problem}")))?;
        Ok(Authenticator {
            basic: basic.map(Arc::new),
            bearer,
            certificates: rules,
            fingerprints: Fingerprints::new()?,
            failures: Arc::new(Failures::new(settings.failed_attempts, settings.failed_window)),
            accepted: Known::new(settings.cached_credentials),
            tasks: Mutex::default(),
            settings: settings.clone(),
        })
    }

    /// Starts to look after files and keys, until this is dropped; needs a runtime.
    pub fn start(&self) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(basic) = &self.basic {
            tasks.spawn(Arc::clone(basic).watch());
        }
        if let Some(source) = self.bearer.as_ref().and_then(Bearer::source) {
            tasks.spawn(Arc::clone(source).keep());
        }
    }

    /// Reads all files again and has keys fetched; where something is bad, what was there stays, and the error is a
    /// sentence for the operator.
    pub fn reload(&self) -> Result<(), String> {
        let users = self.basic.as_ref().map_or(Ok(()), |basic| basic.reload());
        let keys = self.bearer.as_ref().and_then(Bearer::source).map_or(Ok(()), |source| source.reload());
        let problems: Vec<String> = [users, keys].into_iter().filter_map(Result::err).collect();
        if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
    }

    /// Returns who sends a request. An Authorization header counts before a certificate.
    pub async fn authenticate(&self, evidence: Evidence<'_>) -> Result<Verdict, Refusal> {
        let sources: Vec<Source> = evidence.address.map(Source::of).into_iter().collect();
        let methods = self.settings.methods;
        match (evidence.shown, evidence.certificate) {
            (Shown::Password { user, password }, _) if methods.basic => self.password(user, password, sources).await,
            (Shown::Token(token), _) if methods.bearer => self.token(token, sources).await,
            (Shown::Nothing, Some(certificate)) if methods.certificate => self.certificate(certificate, &sources),
            (Shown::Nothing, _) if self.settings.required => Err(Refusal::Missing),
            (Shown::Nothing, _) => Ok(Verdict::Anonymous),
            (Shown::Password { .. } | Shown::Token(_) | Shown::Unreadable, _) => Err(self.wrong(&sources)),
        }
    }

    async fn password(&self, user: String, password: String, mut sources: Vec<Source>) -> Result<Verdict, Refusal> {
        if !is_name(&user) {
            return Err(self.wrong(&sources));
        }
        let shown = self.fingerprints.of(&["basic", &user, &password]);
        sources.push(Source::Name(self.fingerprints.of(&["name", &user])));
        let principal = Principal::named(&user);
        let Some(basic) = &self.basic else {
            let credentials = Credentials::Password { user, password: Password(password) };
            return self.kafkas(Attempt { principal, credentials, shown, sources });
        };
        basic.check(Login { user, password, shown, sources }, &self.failures).await?;
        Ok(Verdict::Known(principal))
    }

    async fn token(&self, token: &str, sources: Vec<Source>) -> Result<Verdict, Refusal> {
        let Some(bearer) = &self.bearer else { return Err(Refusal::Wrong) };
        let shown = self.fingerprints.of(&["bearer", token]);
        let principal = bearer.check(token, shown, &sources, &self.failures).await?;
        if !self.settings.passthrough.bearer {
            return Ok(Verdict::Known(principal));
        }
        let credentials = Credentials::Token(Password(token.to_owned()));
        self.kafkas(Attempt { principal, credentials, shown, sources })
    }

    fn certificate(&self, certificate: &[u8], sources: &[Source]) -> Result<Verdict, Refusal> {
        let subject = certificate::subject(certificate);
        let name = subject.and_then(|subject| self.certificates.as_ref()?.name(&subject));
        match name.filter(|name| is_name(name)) {
            Some(name) => Ok(Verdict::Known(Principal::named(&name))),
            None => Err(self.wrong(sources)),
        }
    }

    /// Lets Kafka judge, unless there was too much from there that was wrong.
    fn kafkas(&self, attempt: Attempt) -> Result<Verdict, Refusal> {
        let now = Instant::now();
        let is_new = self.accepted.look(&attempt.shown, now, |()| true) == Memory::Nothing;
        match self.failures.wait(&attempt.sources, now).filter(|_| is_new) {
            Some(wait) => Err(Refusal::Limited(wait)),
            None => Ok(Verdict::AskKafka(attempt)),
        }
    }

    /// Takes note of what Kafka says of credentials.
    pub fn settle(&self, attempt: &Attempt, is_accepted: bool) {
        let now = Instant::now();
        if is_accepted {
            self.accepted.keep(attempt.shown, (), now);
        } else {
            self.accepted.forget(&attempt.shown);
            self.failures.note(&attempt.sources, now);
        }
    }

    /// Counts what is wrong whoever shows it, and returns what that comes to.
    fn wrong(&self, sources: &[Source]) -> Refusal {
        let now = Instant::now();
        if let Some(wait) = self.failures.wait(sources, now) {
            return Refusal::Limited(wait);
        }
        self.failures.note(sources, now);
        Refusal::Wrong
    }
}
