use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

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
    /// Credentials that Kafka is shown for the first time.
    checks: Arc<Semaphore>,
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
    /// Held until Kafka has judged, where it has not before.
    turn: Option<OwnedSemaphorePermit>,
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
            checks: Arc::new(Semaphore::new(settings.concurrent_checks)),
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
            return self.kafkas(Attempt { principal, credentials, shown, sources, turn: None }).await;
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
        self.kafkas(Attempt { principal, credentials, shown, sources, turn: None }).await
    }

    fn certificate(&self, certificate: &[u8], sources: &[Source]) -> Result<Verdict, Refusal> {
        let subject = certificate::subject(certificate);
        let name = subject.and_then(|subject| self.certificates.as_ref()?.name(&subject));
        match name.filter(|name| is_name(name)) {
            Some(name) => Ok(Verdict::Known(Principal::named(&name))),
            None => Err(self.wrong(sources)),
        }
    }

    /// Lets Kafka judge, unless there was too much from there that was wrong. A few at a time, so that who guesses is not
    /// faster than what is counted.
    async fn kafkas(&self, mut attempt: Attempt) -> Result<Verdict, Refusal> {
        if self.is_new(&attempt)? {
            let turn = timeout(self.settings.check_wait, Arc::clone(&self.checks).acquire_owned()).await;
            let Ok(Ok(turn)) = turn else { return Err(Refusal::Busy) };
            attempt.turn = self.is_new(&attempt)?.then_some(turn);
        }
        Ok(Verdict::AskKafka(attempt))
    }

    /// Tells whether Kafka has never accepted this; those who wait for their turn may not try what is new.
    fn is_new(&self, attempt: &Attempt) -> Result<bool, Refusal> {
        let now = Instant::now();
        let is_new = self.accepted.look(&attempt.shown, now, |()| true) == Memory::Nothing;
        match self.failures.wait(&attempt.sources, now).filter(|_| is_new) {
            Some(wait) => Err(Refusal::Limited(wait)),
            None => Ok(is_new),
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::time::Duration;

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use uuid::Uuid;

    use super::*;
    use crate::config::{Config, Methods};

    const BASIC: Methods = Methods { basic: true, bearer: false, certificate: false };
    const BEARER: Methods = Methods { basic: false, bearer: true, certificate: false };

    struct File(PathBuf);

    impl File {
        fn new(content: &str) -> File {
            let file = File(std::env::temp_dir().join(format!("auth-{}", Uuid::new_v4())));
            fs::write(&file.0, content).unwrap();
            file
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn settings(methods: Methods) -> Auth {
        let mut auth = Config::dev().auth;
        auth.methods = methods;
        auth.failed_attempts = 3;
        auth.files_interval = Duration::from_secs(3600);
        auth
    }

    fn line(name: &str, password: &str) -> String {
        format!("{name}:{}\n", bcrypt::hash(password, 4).unwrap())
    }

    fn password(user: &str, password: &str) -> Shown<'static> {
        Shown::Password { user: user.to_owned(), password: password.to_owned() }
    }

    fn certificate(name: &str) -> Vec<u8> {
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "org");
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    /// Returns a token that nobody has signed.
    fn token(claims: &serde_json::Value) -> String {
        let part = |text: String| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part("{\"alg\":\"RS256\"}".to_owned()), part(claims.to_string()), part("x".to_owned()))
    }

    async fn ask(auth: &Authenticator, shown: Shown<'_>, certificate: Option<&[u8]>) -> Result<Verdict, Refusal> {
        auth.authenticate(Evidence { shown, certificate, address: "10.0.0.1".parse().ok() }).await
    }

    fn name(verdict: Result<Verdict, Refusal>) -> Result<String, Refusal> {
        verdict.map(|verdict| match verdict {
            Verdict::Anonymous => "nobody".to_owned(),
            Verdict::Known(principal) => principal.name().to_owned(),
            Verdict::AskKafka(attempt) => format!("{}?", attempt.principal),
        })
    }

    fn attempt(verdict: Result<Verdict, Refusal>) -> Attempt {
        match verdict {
            Ok(Verdict::AskKafka(attempt)) => attempt,
            other => panic!("Kafka is not asked: {:?}", name(other)),
        }
    }

    #[tokio::test]
    async fn files_are_read_again_when_asked_to_and_a_bad_one_is_not_taken() {
        let file = File::new(&line("alice", "old"));
        let auth = Authenticator::new(&Auth { users_file: Some(file.0.clone()), ..settings(BASIC) }).unwrap();
        assert_eq!(name(ask(&auth, password("alice", "old"), None).await), Ok("alice".into()));
        fs::write(&file.0, line("alice", "new")).unwrap();
        assert_eq!(auth.reload(), Ok(()));
        assert_eq!(name(ask(&auth, password("alice", "old"), None).await), Err(Refusal::Wrong));
        assert_eq!(name(ask(&auth, password("alice", "new"), None).await), Ok("alice".into()));
        fs::write(&file.0, "alice:hunter2\n").unwrap();
        let problem = auth.reload().expect_err("it is bad");
        assert!(problem.contains("line 1") && !problem.contains("hunter2"), "{problem}");
        assert_eq!(name(ask(&auth, password("alice", "new"), None).await), Ok("alice".into()));
    }

    #[tokio::test]
    async fn a_certificate_has_the_name_that_the_rules_make_of_its_subject() {
        let methods = Methods { basic: true, bearer: false, certificate: true };
        let file = File::new(&line("alice", "a"));
        let mut settings = Auth { users_file: Some(file.0.clone()), ..settings(methods) };
        let shown = certificate("svc");
        let auth = Authenticator::new(&settings).unwrap();
        assert_eq!(name(ask(&auth, Shown::Nothing, Some(&shown)).await), Ok("CN=svc,O=org".into()));
        // Whoever shows something else as well is that, or nobody.
        assert_eq!(name(ask(&auth, password("alice", "a"), Some(&shown)).await), Ok("alice".into()));
        assert_eq!(name(ask(&auth, password("alice", "b"), Some(&shown)).await), Err(Refusal::Wrong));
        assert_eq!(name(ask(&auth, Shown::Nothing, None).await), Err(Refusal::Missing));
        assert_eq!(name(ask(&auth, Shown::Nothing, Some(b"garbage")).await), Err(Refusal::Wrong));

        settings.certificate_rules = "RULE:^CN=(s.*),O=org$/$1/U".to_owned();
        let auth = Authenticator::new(&settings).unwrap();
        assert_eq!(name(ask(&auth, Shown::Nothing, Some(&shown)).await), Ok("SVC".into()));
        let other = certificate("other");
        assert_eq!(name(ask(&auth, Shown::Nothing, Some(&other)).await), Err(Refusal::Wrong));
        // Where certificates are not a way, one is not looked at.
        settings.methods.certificate = false;
        let auth = Authenticator::new(&settings).unwrap();
        assert_eq!(name(ask(&auth, Shown::Nothing, Some(&shown)).await), Err(Refusal::Missing));
        settings.required = false;
        let auth = Authenticator::new(&settings).unwrap();
        assert_eq!(name(ask(&auth, Shown::Nothing, Some(&shown)).await), Ok("nobody".into()));
    }

    #[tokio::test]
    async fn passwords_for_kafka_are_kafkas_to_judge_but_not_as_often_as_one_likes() {
        let auth = Authenticator::new(&Auth { passthrough: BASIC, ..settings(BASIC) }).unwrap();
        let good = attempt(ask(&auth, password("alice", "a"), None).await);
        let expected = Credentials::Password { user: "alice".to_owned(), password: Password("a".to_owned()) };
        assert_eq!((good.principal.name(), &good.credentials), ("alice", &expected));
        auth.settle(&good, true);
        for guess in ["x", "y", "z"] {
            let bad = attempt(ask(&auth, password("alice", guess), None).await);
            auth.settle(&bad, false);
        }
        assert!(matches!(ask(&auth, password("alice", "w"), None).await, Err(Refusal::Limited(_))));
        assert!(matches!(ask(&auth, password("bob", "w"), None).await, Err(Refusal::Limited(_))));
        assert_eq!(name(ask(&auth, password("alice", "a"), None).await), Ok("alice?".into()));
        // What Kafka does not accept any more is as new as any other.
        auth.settle(&good, false);
        assert!(matches!(ask(&auth, password("alice", "a"), None).await, Err(Refusal::Limited(_))));
    }

    #[tokio::test]
    async fn kafka_is_shown_only_a_few_at_a_time_that_it_has_not_seen() {
        let mut settings = Auth { passthrough: BASIC, ..settings(BASIC) };
        (settings.concurrent_checks, settings.check_wait) = (2, Duration::ZERO);
        let auth = Authenticator::new(&settings).unwrap();
        let one = attempt(ask(&auth, password("alice", "a"), None).await);
        let two = attempt(ask(&auth, password("bob", "b"), None).await);
        assert_eq!(name(ask(&auth, password("carol", "c"), None).await), Err(Refusal::Busy));
        auth.settle(&one, true);
        assert_eq!(name(ask(&auth, password("alice", "a"), None).await), Ok("alice?".into()));
        drop((one, two));
        assert_eq!(name(ask(&auth, password("carol", "c"), None).await), Ok("carol?".into()));
    }

    #[tokio::test]
    async fn tokens_for_kafka_have_the_name_that_they_claim() {
        let auth = Authenticator::new(&Auth { passthrough: BEARER, failed_attempts: 0, ..settings(BEARER) }).unwrap();
        let now = crate::auth::jwt::now_s();
        let good = token(&serde_json::json!({ "sub": "alice", "exp": now + 60 }));
        let asked = attempt(ask(&auth, Shown::Token(&good), None).await);
        assert_eq!((asked.principal.name(), asked.credentials), ("alice", Credentials::Token(Password(good))));
        for claims in [
            serde_json::json!({ "sub": "alice", "exp": now - 60 }),
            serde_json::json!({ "sub": "alice", "exp": now + 60, "nbf": now + 60 }),
            serde_json::json!({ "sub": "alice" }),
            serde_json::json!({ "exp": now + 60 }),
        ] {
            let bad = token(&claims);
            assert_eq!(name(ask(&auth, Shown::Token(&bad), None).await), Err(Refusal::Wrong), "{claims}");
        }
        let broken = token(&serde_json::json!({ "sub": "alice", "exp": now + 60 })).replacen('.', "", 1);
        let large = token(&serde_json::json!({ "sub": "alice", "exp": now + 60, "pad": "x".repeat(8192) }));
        for bad in [broken, large] {
            assert_eq!(name(ask(&auth, Shown::Token(&bad), None).await), Err(Refusal::Wrong), "{bad}");
        }
    }

    #[tokio::test]
    async fn with_keys_a_token_is_verified_before_kafka_gets_it() {
        let key = serde_json::json!({ "kty": "oct", "kid": "s", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode([7; 32]) });
        let file = File::new(&serde_json::json!({ "keys": [key] }).to_string());
        let mut settings = Auth { passthrough: BEARER, ..settings(BEARER) };
        settings.jwt.jwks_file = Some(file.0.clone());
        settings.jwt.algorithms = vec!["HS256".to_owned()];
        (settings.jwt.issuer, settings.jwt.audience) = ("*".to_owned(), vec!["*".to_owned()]);
        let auth = Authenticator::new(&settings).unwrap();
        let claims = serde_json::json!({ "sub": "alice", "exp": crate::auth::jwt::now_s() + 60 });
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode("{\"alg\":\"HS256\",\"kid\":\"s\"}"),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[7; 32]);
        let good = format!("{message}.{}", URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, message.as_bytes())));
        assert_eq!(name(ask(&auth, Shown::Token(&good), None).await), Ok("alice?".into()));
        let forged = token(&claims);
        assert_eq!(name(ask(&auth, Shown::Token(&forged), None).await), Err(Refusal::Wrong));
    }
}
