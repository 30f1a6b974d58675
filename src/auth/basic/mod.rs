//! HTTP Basic against a file of users.

mod hash;
mod users;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use log::{info, warn};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::auth::basic::hash::Hash;
use crate::auth::basic::users::Users;
use crate::auth::failures::{Failures, Source};
use crate::auth::fingerprint::Fingerprint;
use crate::auth::known::{Known, Memory};
use crate::auth::refusal::Refusal;
use crate::config::Auth;

/// A larger file is rather another one.
const MOST_BYTES: u64 = 32 << 20;

/// How long writing a file may pause.
const WRITING: Duration = Duration::from_millis(50);

/// Checks names and passwords.
pub struct Basic {
    path: PathBuf,
    interval: Duration,
    users: RwLock<Arc<Users>>,
    /// What was last found in the file, good or bad.
    seen: Mutex<Result<String, String>>,
    /// Each with the hash that the password was right for: it is not right for another one.
    known: Known<Hash>,
    ttl: Duration,
    checks: Arc<Semaphore>,
    wait: Duration,
}

/// A name and a password that somebody shows.
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
    /// The fingerprint of both.
    pub shown: Fingerprint,
    /// Who is to wait if they are wrong.
    pub sources: Vec<Source>,
}

impl Basic {
    /// Reads the file; the error is a sentence for the operator.
    pub fn new(path: &Path, settings: &Auth) -> Result<Basic, String> {
        let text = read(path)?;
        let users = parse(path, &text)?;
        Ok(Basic {
            path: path.to_owned(),
            interval: settings.files_interval,
            users: RwLock::new(Arc::new(users)),
            seen: Mutex::new(Ok(text)),
            known: Known::new(settings.cached_credentials),
            ttl: settings.cache_ttl,
            checks: Arc::new(Semaphore::new(settings.concurrent_checks)),
            wait: settings.check_wait,
        })
    }

    /// Tells whether a password is the user's. What was right a moment ago is not hashed again; what was never right
    /// is not even tried where it comes from a source that failed too often.
    pub async fn check(self: &Arc<Self>, login: Login, failures: &Arc<Failures>) -> Result<(), Refusal> {
        if self.remembers(&login, failures)? {
            return Ok(());
        }
        let turn = timeout(self.wait, Arc::clone(&self.checks).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(Refusal::Busy) };
        // Others with the same credentials, or from the same source, may have had their turn meanwhile.
        if self.remembers(&login, failures)? {
            return Ok(());
        }
        let (checker, failures) = (Arc::clone(self), Arc::clone(failures));
        let checked = spawn_blocking(move || checker.check_now(&login, &failures, turn)).await;
        if checked.unwrap_or(false) { Ok(()) } else { Err(Refusal::Wrong) }
    }

    fn remembers(&self, login: &Login, failures: &Failures) -> Result<bool, Refusal> {
        let now = Instant::now();
        let users = self.users();
        match self.known.look(&login.shown, now, |hash| users.hash(&login.user) == Some(hash)) {
            Memory::Fresh(_) => Ok(true),
            Memory::Stale => Ok(false),
            Memory::Nothing => failures.wait(&login.sources, now).map_or(Ok(false), |wait| Err(Refusal::Limited(wait))),
        }
    }

    /// Hashes the password; whoever asked may have gone, and it counts all the same.
    fn check_now(&self, login: &Login, failures: &Failures, _turn: OwnedSemaphorePermit) -> bool {
        let users = self.users();
        let is_right = users.check(&login.user, &login.password, login.shown);
        match users.hash(&login.user).filter(|_| is_right) {
            Some(hash) => self.known.keep(login.shown, hash.clone(), Instant::now() + self.ttl),
            None => {
                self.known.forget(&login.shown);
                failures.note(&login.sources, Instant::now());
            }
        }
        is_right
    }

    fn users(&self) -> Arc<Users> {
        Arc::clone(&self.users.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the file again; where it is bad, who was there stays, and the error is a sentence for the operator.
    pub fn reload(&self) -> Result<(), String> {
        self.take(read(&self.path))
    }

    fn take(&self, found: Result<String, String>) -> Result<(), String> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = found.clone();
        let users = parse(&self.path, &found?)?;
        info!("{} has {} users", self.path.display(), users.len());
        *self.users.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(users);
        Ok(())
    }

    /// Looks at the file for ever and takes what has changed.
    pub async fn watch(self: Arc<Self>) {
        loop {
            sleep(self.interval).await;
            let basic = Arc::clone(&self);
            if let Ok(Err(problem)) = spawn_blocking(move || basic.look()).await {
                warn!("{problem}; the users that were read before stay");
            }
        }
    }

    /// Takes the file if it is not as it was when last looked at, so that the same problem is told once.
    fn look(&self) -> Result<(), String> {
        let found = read(&self.path);
        if *self.seen.lock().unwrap_or_else(PoisonError::into_inner) == found {
            return Ok(());
        }
        // It may be half written: what is the same a moment later is whole.
        std::thread::sleep(WRITING.min(self.interval));
        if read(&self.path) == found { self.take(found) } else { Ok(()) }
    }
}

fn read(path: &Path) -> Result<String, String> {
    let unreadable = |problem: &dyn std::fmt::Display| format!("{} cannot be read: {problem}", path.display());
    let size = fs::metadata(path).map_err(|error| unreadable(&error))?.len();
    if size > MOST_BYTES {
        return Err(unreadable(&"it has more than 32 MiB"));
    }
    fs::read_to_string(path).map_err(|error| unreadable(&error))
}

fn parse(path: &Path, text: &str) -> Result<Users, String> {
    Users::read(text).map_err(|problem| format!("{} is no file of users: {problem}", path.display()))
}
