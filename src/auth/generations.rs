use std::collections::HashMap;
use std::hash::Hash;

/// A map of bounded size: what was not used since half of it was filled twice is forgotten, each time at once.
pub struct Generations<K, V> {
    half: usize,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Eq + Hash, V> Generations<K, V> {
    /// Returns a map of at most `max` entries, two at least.
    pub fn new(max: usize) -> Generations<K, V> {
        Generations { half: (max / 2).max(1), young: HashMap::new(), old: HashMap::new() }
    }

    /// Returns what is kept of a key, for longer now.
    pub fn get(&mut self, key: &K) -> Option<&V> {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.insert(key, value);
        }
        self.young.get(key)
    }

    /// Keeps a value.
    pub fn insert(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_has_more_than_it_may_and_keeps_what_is_used() {
        let mut map = Generations::new(10);
        map.insert(0, 0);
        for key in 1..1000 {
            map.insert(key, key);
            assert!(map.young.len() + map.old.len() <= 10);
            assert_eq!(map.get(&0), Some(&0), "{key}");
        }
        assert_eq!((map.get(&999).copied(), map.get(&1).copied()), (Some(999), None));
    }

    #[test]
    fn a_value_takes_the_place_of_an_older_one() {
        let mut map = Generations::new(4);
        for (key, value) in [("a", 1), ("b", 2), ("c", 3), ("a", 4)] {
            map.insert(key, value);
        }
        assert_eq!((map.get(&"a").copied(), map.get(&"b").copied()), (Some(4), Some(2)));
        map.remove(&"a");
        assert_eq!(map.get(&"a"), None);
    }
}
