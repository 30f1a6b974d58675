use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::rates::bucket::{Bucket, Refill};

/// How often a full book is looked through for accounts that are idle.
const TIDY_EVERY: Duration = Duration::from_secs(1);

/// What callers, or topics, may take; `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    pub(super) requests: Option<Refill>,
    pub(super) bytes: Option<Refill>,
}

/// What one of them has taken.
pub(super) struct Account {
    limits: Limits,
    buckets: Mutex<Buckets>,
}

pub(super) struct Buckets {
    pub(super) requests: Bucket,
    pub(super) bytes: Bucket,
}

/// The accounts by name. There are never more than `most`: one that owes nothing is as good as a new one, and is dropped
/// for another; if none is, the others share one.
pub(super) struct Book<K> {
    limits: Limits,
    most: usize,
    shared: Arc<Account>,
    accounts: Mutex<Accounts<K>>,
}

struct Accounts<K> {
    by_name: HashMap<K, Arc<Account>>,
    tidied: Option<Instant>,
}

impl Account {
    fn new(limits: Limits, now: Instant) -> Account {
        let (requests, bytes) = (Bucket::full(limits.requests, now), Bucket::full(limits.bytes, now));
        Account { limits, buckets: Mutex::new(Buckets { requests, bytes }) }
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    pub(super) fn buckets(&self) -> MutexGuard<'_, Buckets> {
        locked(&self.buckets)
    }

    fn is_idle(&self, now: Instant) -> bool {
        let mut buckets = self.buckets();
        let is_full = |bucket: &mut Bucket, refill: Option<Refill>| {
            refill.is_none_or(|refill| bucket.level(refill, now) >= refill.burst)
        };
        is_full(&mut buckets.requests, self.limits.requests) && is_full(&mut buckets.bytes, self.limits.bytes)
    }
}

impl<K: Eq + Hash> Book<K> {
    pub(super) fn new(limits: Limits, most: usize, now: Instant) -> Book<K> {
        let accounts = Mutex::new(Accounts { by_name: HashMap::new(), tidied: None });
        Book { limits, most, shared: Arc::new(Account::new(limits, now)), accounts }
    }

    /// Returns the account of a name; `None` where nothing is limited.
    pub(super) fn account<Q>(&self, name: &Q, now: Instant) -> Option<Arc<Account>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        if self.limits.requests.is_none() && self.limits.bytes.is_none() {
            return None;
        }
        let mut accounts = locked(&self.accounts);
        if let Some(account) = accounts.by_name.get(name) {
            return Some(Arc::clone(account));
        }
        accounts.tidy(self.most, now);
        if accounts.by_name.len() >= self.most {
            return Some(Arc::clone(&self.shared));
        }
        let account = Arc::new(Account::new(self.limits, now));
        accounts.by_name.insert(name.to_owned(), Arc::clone(&account));
        Some(account)
    }
}

impl<K: Eq + Hash> Accounts<K> {
    /// Makes room where there is none; not too often, as it looks at every account.
    fn tidy(&mut self, most: usize, now: Instant) {
        let is_due = self.tidied.is_none_or(|tidied| now.saturating_duration_since(tidied) >= TIDY_EVERY);
        if self.by_name.len() >= most && is_due {
            self.tidied = Some(now);
            self.by_name.retain(|_, account| Arc::strong_count(account) > 1 || !account.is_idle(now));
        }
    }
}

/// Nothing is left half done under these locks, so that a thread that ended within leaves them usable.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(most: usize, now: Instant) -> Book<String> {
        Book::new(Limits { requests: Refill::new(1.0, 0.0), bytes: None }, most, now)
    }

    fn len(book: &Book<String>) -> usize {
        locked(&book.accounts).by_name.len()
    }

    #[test]
    fn a_name_keeps_its_account() {
        let now = Instant::now();
        let book = book(5, now);
        let (one, again) = (book.account("a", now).unwrap(), book.account("a", now).unwrap());
        assert!(Arc::ptr_eq(&one, &again) && !Arc::ptr_eq(&one, &book.account("b", now).unwrap()));
    }

    #[test]
    fn a_book_never_has_more_accounts_than_it_may_and_the_others_share_one() {
        let now = Instant::now();
        let book = book(2, now);
        for name in ["a", "b"] {
            book.account(name, now).unwrap().buckets().requests.take(1.0);
        }
        let (third, fourth) = (book.account("c", now).unwrap(), book.account("d", now).unwrap());
        assert!(Arc::ptr_eq(&third, &fourth) && len(&book) == 2);
    }

    #[test]
    fn idle_accounts_make_room() {
        let now = Instant::now();
        let book = book(2, now);
        book.account("idle", now).unwrap();
        let busy = book.account("busy", now).unwrap();
        busy.buckets().requests.take(100.0);
        drop(busy);
        let third = book.account("third", now).unwrap();
        assert!(!Arc::ptr_eq(&third, &book.shared) && len(&book) == 2);
        // The one that owes something is still counted.
        assert!(book.account("busy", now).unwrap().buckets().requests.level(Refill::new(1.0, 0.0).unwrap(), now) < 0.0);
    }

    #[test]
    fn nothing_is_counted_where_nothing_is_limited() {
        let now = Instant::now();
        let book: Book<String> = Book::new(Limits { requests: None, bytes: None }, 2, now);
        assert!(book.account("a", now).is_none() && len(&book) == 0);
    }
}
