//! What was looked up and is kept for a while: bounded, and asked for once however many want it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

/// Values by key; the oldest goes when there are too many.
pub struct Cache<K, V, E> {
    max: usize,
    slots: Mutex<HashMap<K, Slot<V, E>>>,
}

#[derive(Clone)]
struct Slot<V, E> {
    since: Instant,
    /// A failure is for those who wait for it, where nothing was known before.
    value: Arc<OnceCell<Result<V, E>>>,
    /// What was known before, for when nothing newer can be had.
    before: Option<V>,
}

impl<K: Clone + Eq + Hash, V: Clone, E: Clone> Cache<K, V, E> {
    /// Returns a cache of up to `max` values.
    pub fn new(max: usize) -> Cache<K, V, E> {
        Cache { max, slots: Mutex::default() }
    }

    /// Returns the value of a key: the one that is kept, unless it is older than `max_age` allows, or what `fetch` gives.
    ///
    /// Who asks for a key while it is fetched waits for that, and gets its error too. An error is not kept for those who
    /// ask later; where there is an older value, that takes its place and is as good as new, so that not everyone has to
    /// wait for the next error.
    pub async fn get(
        &self,
        key: &K,
        max_age: impl Fn(&V) -> Duration,
        fetch: impl AsyncFnOnce() -> Result<V, E>,
    ) -> Result<V, E> {
        let slot = self.slot(key, max_age);
        let fetch = async || fetch().await.or_else(|error| slot.before.clone().ok_or(error));
        slot.value.get_or_init(fetch).await.clone()
    }

    /// Returns the value that is kept of a key, unless it is older than `max_age` allows; fetches nothing.
    pub fn peek(&self, key: &K, max_age: impl Fn(&V) -> Duration) -> Option<V> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.get(key)?;
        let value = match slot.value.get() {
            Some(fetched) => fetched.as_ref().ok()?,
            None => slot.before.as_ref()?,
        };
        (slot.since.elapsed() < max_age(value)).then(|| value.clone())
    }

    /// Returns the place of a key: a new one where there is none or its value is too old.
    fn slot(&self, key: &K, max_age: impl Fn(&V) -> Duration) -> Slot<V, E> {
        let now = Instant::now();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = None;
        if let Some(slot) = slots.get(key) {
            match slot.value.get() {
                Some(Ok(value)) if now.duration_since(slot.since) >= max_age(value) => before = Some(value.clone()),
                Some(Err(_)) => {}
                Some(Ok(_)) | None => return slot.clone(),
            }
        }
        if slots.len() >= self.max && !slots.contains_key(key) {
            let oldest = slots.iter().min_by_key(|(_, slot)| slot.since).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| slots.remove(&oldest));
        }
        let slot = Slot { since: now, value: Arc::default(), before };
        slots.insert(key.clone(), slot.clone());
        slot
    }

    /// Forgets the value of a key.
    pub fn forget(&self, key: &K) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    async fn asked(
        cache: &Cache<&'static str, usize, &'static str>,
        key: &'static str,
        age: Duration,
        count: &AtomicUsize,
    ) -> usize {
        let fetch = async || {
            tokio::task::yield_now().await;
            Ok(count.fetch_add(1, Ordering::Relaxed))
        };
        cache.get(&key, |_| age, fetch).await.unwrap()
    }

    #[tokio::test]
    async fn those_who_ask_at_once_share_one_answer() {
        let (cache, count) = (Cache::new(10), AtomicUsize::new(0));
        let answers = tokio::join!(asked(&cache, "a", LONG, &count), asked(&cache, "a", LONG, &count));
        assert_eq!((answers, asked(&cache, "a", LONG, &count).await), ((0, 0), 0));
    }

    #[tokio::test]
    async fn what_is_old_is_asked_for_again_and_the_oldest_goes() {
        let (cache, count) = (Cache::new(2), AtomicUsize::new(0));
        for key in ["a", "b", "c", "b", "a"] {
            asked(&cache, key, LONG, &count).await;
        }
        assert_eq!((count.load(Ordering::Relaxed), cache.slots.lock().unwrap().len()), (4, 2));
        assert_eq!(asked(&cache, "a", Duration::ZERO, &count).await, 4);
    }

    #[tokio::test]
    async fn a_look_finds_what_is_kept_and_new_enough() {
        let (cache, count) = (Cache::new(2), AtomicUsize::new(7));
        assert_eq!(cache.peek(&"a", |_| LONG), None);
        asked(&cache, "a", LONG, &count).await;
        assert_eq!((cache.peek(&"a", |_| LONG), cache.peek(&"a", |_| Duration::ZERO)), (Some(7), None));
    }

    #[tokio::test]
    async fn those_who_wait_share_a_failure() {
        let (cache, count) = (Cache::<_, usize, _>::new(10), AtomicUsize::new(0));
        let fail = async || {
            let fetch = async || {
                tokio::task::yield_now().await;
                count.fetch_add(1, Ordering::Relaxed);
                Err("down")
            };
            cache.get(&"a", |_| LONG, fetch).await
        };
        assert_eq!(tokio::join!(fail(), fail()), (Err("down"), Err("down")));
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_failure_is_not_kept_and_leaves_what_was_known() {
        let (cache, count) = (Cache::new(2), AtomicUsize::new(7));
        assert_eq!(cache.get(&"a", |_| LONG, async || Err("down")).await, Err("down"));
        assert_eq!(asked(&cache, "a", LONG, &count).await, 7);
        assert_eq!(cache.get(&"a", |_| Duration::ZERO, async || Err("down")).await, Ok(7));
        assert_eq!(asked(&cache, "a", LONG, &count).await, 7);
        assert_eq!(asked(&cache, "a", Duration::ZERO, &count).await, 8);
    }
}
