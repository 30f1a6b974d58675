//! What was looked up and is kept for a while: bounded, and asked for once however many want it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

/// Values by key; the oldest goes when there are too many.
pub struct Cache<K, V> {
    max: usize,
    slots: Mutex<HashMap<K, Slot<V>>>,
}

#[derive(Clone)]
struct Slot<V> {
    since: Instant,
    value: Arc<OnceCell<V>>,
    /// What was known before, for when nothing newer can be had.
    before: Option<V>,
}

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    /// Returns a cache of up to `max` values.
    pub fn new(max: usize) -> Cache<K, V> {
        Cache { max, slots: Mutex::default() }
    }

    /// Returns the value of a key: the one that is kept, unless it is older than `max_age` allows, or what `fetch` gives.
    ///
    /// Who asks for a key while it is fetched waits for that. An error is not kept; where there is an older value, that
    /// takes its place and is as good as new, so that not everyone has to wait for the next error.
    pub async fn get<E>(
        &self,
        key: &K,
        max_age: impl Fn(&V) -> Duration,
        fetch: impl AsyncFnOnce() -> Result<V, E>,
    ) -> Result<V, E> {
        let slot = self.slot(key, max_age);
        let fetch = async || fetch().await.or_else(|error| slot.before.clone().ok_or(error));
        slot.value.get_or_try_init(fetch).await.cloned()
    }

    /// Returns the place of a key: a new one where there is none or its value is too old.
    fn slot(&self, key: &K, max_age: impl Fn(&V) -> Duration) -> Slot<V> {
        let now = Instant::now();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = None;
        if let Some(slot) = slots.get(key) {
            match slot.value.get() {
                Some(value) if now.duration_since(slot.since) >= max_age(value) => before = Some(value.clone()),
                Some(_) | None => return slot.clone(),
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

    async fn asked(cache: &Cache<&'static str, usize>, key: &'static str, age: Duration, count: &AtomicUsize) -> usize {
        let fetch = async || {
            tokio::task::yield_now().await;
            Ok::<_, ()>(count.fetch_add(1, Ordering::Relaxed))
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
    async fn a_failure_is_not_kept_and_leaves_what_was_known() {
        let (cache, count) = (Cache::new(2), AtomicUsize::new(7));
        assert_eq!(cache.get(&"a", |_| LONG, async || Err("down")).await, Err("down"));
        assert_eq!(asked(&cache, "a", LONG, &count).await, 7);
        assert_eq!(cache.get(&"a", |_| Duration::ZERO, async || Err("down")).await, Ok(7));
        assert_eq!(asked(&cache, "a", LONG, &count).await, 7);
        assert_eq!(asked(&cache, "a", Duration::ZERO, &count).await, 8);
    }
}
