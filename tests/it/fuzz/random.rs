//! A small generator of numbers: the same seed makes the same run.

use std::time::{SystemTime, UNIX_EPOCH};

/// Xorshift with a multiplication; good enough to choose with.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        // Zero would stay zero.
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Returns the seed that the environment names, or another one each time.
    pub fn seed() -> u64 {
        let given = std::env::var("FUZZ_SEED").ok().map(|text| text.parse().expect("FUZZ_SEED is a number"));
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.subsec_nanos().into());
        given.unwrap_or_else(now)
    }

    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Returns a number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() >> 33).expect("31 bits") % end.max(1)
    }

    /// Is true so many times in a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    pub fn bytes(&mut self, at_most: usize) -> Vec<u8> {
        (0..self.below(at_most)).map(|_| self.number().to_le_bytes()[5]).collect()
    }
}
