use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jsonwebtoken::Algorithm;
use log::{info, warn};
use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::auth::jwt::keys::KeySet;
use crate::config::{Jwt, KeysUrl};
use crate::upstream::{Client, Request};

const MOST_BYTES: u64 = 1 << 20;

/// Where the keys of tokens are, and those that were there last.
pub struct Source {
    place: Place,
    allowed: Vec<Algorithm>,
    interval: Duration,
    cooldown: Duration,
    limit: Duration,
    current: watch::Sender<Current>,
    wish: Mutex<Wish>,
    wanted: Notify,
}

enum Place {
    File(PathBuf),
    Url(Box<Server>),
}

struct Server {
    client: Client,
    base: String,
    path: String,
}

/// What was fetched last; where that failed, what was fetched before.
#[derive(Clone, Default)]
struct Current {
    /// How often was fetched.
    round: u64,
    keys: Option<Arc<KeySet>>,
    /// Of which they were made.
    text: Arc<[u8]>,
    problem: Option<String>,
}

#[derive(Default)]
struct Wish {
    is_pending: bool,
    fetched: Option<Instant>,
}

impl Source {
    /// Reads a file; what is at a URL is fetched later. The error is a sentence for the operator.
    pub fn new(settings: &Jwt, files_interval: Duration) -> Result<Source, String> {
        let (place, interval) = match (&settings.jwks_file, &settings.jwks_url) {
            (Some(path), _) => (Place::File(path.clone()), files_interval),
            (None, Some(url)) => (Place::remote(url, settings.request_timeout)?, settings.refresh_interval),
            (None, None) => return Err("auth.jwt.jwks_file and auth.jwt.jwks_url are not set".to_owned()),
        };
        let source = Source {
            place,
            allowed: settings.algorithms.iter().filter_map(|name| name.parse().ok()).collect(),
            interval,
            cooldown: settings.refresh_cooldown,
            limit: settings.request_timeout,
            current: watch::Sender::new(Current::default()),
            wish: Mutex::default(),
            wanted: Notify::new(),
        };
        if let Place::File(path) = &source.place {
            source.take(read(path))?;
        }
        Ok(source)
    }

    /// Returns the keys; `None` where they could never be had.
    pub fn keys(&self) -> Option<Arc<KeySet>> {
        self.current.borrow().keys.clone()
    }

    /// Waits until keys were fetched once more; at once where that was done a moment ago.
    pub async fn renewed(&self) {
        let mut rounds = self.current.subscribe();
        let before = rounds.borrow_and_update().round;
        if self.wish() {
            // A fetch has a limit too; where nobody fetches, nobody is waited for.
            let _ = timeout(self.limit * 2, rounds.wait_for(|current| current.round > before)).await;
        }
    }

    /// Asks for a fetch; false where there was one a moment ago.
    fn wish(&self) -> bool {
        let mut wish = self.wish.lock().unwrap_or_else(PoisonError::into_inner);
        if !wish.is_pending && wish.fetched.is_some_and(|at| at.elapsed() < self.cooldown) {
            return false;
        }
        wish.is_pending = true;
        self.wanted.notify_one();
        true
    }

    /// Has them fetched now; where that is a file, the error is a sentence for the operator.
    pub fn reload(&self) -> Result<(), String> {
        match &self.place {
            Place::File(path) => self.take(read(path)),
            Place::Url(_) => {
                self.wanted.notify_one();
                Ok(())
            }
        }
    }

    /// Fetches for ever: again after a while, or when somebody shows a token of a key that is not there.
    pub async fn keep(self: Arc<Self>) {
        loop {
            let found = self.fetch().await;
            let before = self.current.borrow().problem.clone();
            if let Some(problem) = self.take(found).err().filter(|problem| before.as_ref() != Some(problem)) {
                warn!("{problem}; the keys that were read before stay");
            }
            let pause = if self.current.borrow().problem.is_some() { self.cooldown } else { self.interval };
            tokio::select! {
                () = sleep(pause.min(self.interval)) => {}
                () = self.wanted.notified() => {}
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<u8>, String> {
        match &self.place {
            Place::File(path) => {
                let path = path.clone();
                spawn_blocking(move || read(&path)).await.map_err(|error| error.to_string())?
            }
            Place::Url(server) => {
                let fetched = timeout(self.limit, server.download(self.limit)).await;
                let fetched = fetched.unwrap_or_else(|_| Err(format!("no answer within {:?}", self.limit)));
                fetched.map_err(|problem| format!("the keys at {} cannot be fetched: {problem}", server.base))
            }
        }
    }

    /// Takes what was found; where it is no good, what was there stays.
    fn take(&self, found: Result<Vec<u8>, String>) -> Result<(), String> {
        let mut next = self.current.borrow().clone();
        let taken = found.and_then(|text| self.replace(&mut next, text));
        next.round += 1;
        next.problem = taken.clone().err();
        *self.wish.lock().unwrap_or_else(PoisonError::into_inner) =
            Wish { is_pending: false, fetched: Some(Instant::now()) };
        self.current.send_replace(next);
        taken
    }

    fn replace(&self, next: &mut Current, text: Vec<u8>) -> Result<(), String> {
        if next.keys.is_some() && *next.text == *text {
            return Ok(());
        }
        let is_file = matches!(self.place, Place::File(_));
        let keys =
            KeySet::read(&text, &self.allowed, is_file).map_err(|problem| format!("{} {problem}", self.name()))?;
        info!("{} has {} keys for tokens", self.name(), keys.len());
        for skipped in &keys.skipped {
            info!("{}: {skipped}; it is not used", self.name());
        }
        next.keys = Some(Arc::new(keys));
        next.text = text.into();
        Ok(())
    }

    fn name(&self) -> String {
        match &self.place {
            Place::File(path) => path.display().to_string(),
            // The query may hold what is nobody's business.
            Place::Url(server) => format!("the answer of {}", server.base),
        }
    }
}

impl Place {
    fn remote(url: &KeysUrl, limit: Duration) -> Result<Place, String> {
        let base = url.remote.urls.first().cloned().unwrap_or_default();
        if base.starts_with("http://") {
            warn!("the keys of tokens come from {base} without TLS: who is between can forge tokens");
        }
        let client = Client::new(&url.remote, limit, None)?;
        Ok(Place::Url(Box::new(Server { client, base, path: url.path.clone() })))
    }
}

impl Server {
    async fn download(&self, limit: Duration) -> Result<Vec<u8>, String> {
        let answer = self.client.send(&self.base, &Request::get(&self.path), limit).await;
        let answer = answer.map_err(|failure| failure.to_string())?;
        if answer.status() != 200 {
            return Err(format!("it answers {}", answer.status()));
        }
        answer.whole(MOST_BYTES).await.map(Vec::from).map_err(|failure| failure.to_string())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |problem: &dyn std::fmt::Display| format!("{} cannot be read: {problem}", path.display());
    let size = fs::metadata(path).map_err(|error| unreadable(&error))?.len();
    if size > MOST_BYTES {
        return Err(unreadable(&"it has more than 1 MiB"));
    }
    fs::read(path).map_err(|error| unreadable(&error))
}
