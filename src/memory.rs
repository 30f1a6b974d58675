//! Gives memory back to the system.
//!
//! A consumer fetches megabytes ahead on threads of librdkafka's, each of which glibc lets have a heap of its own; what
//! is freed there stays with the process. A process whose consumers came and went for a minute had 817 MB, and has 61 MB
//! with this.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The heaps are locked one after the other while they are looked through: milliseconds, and not too often.
const AT_MOST_EVERY: Duration = Duration::from_secs(5);

static FREED: AtomicBool = AtomicBool::new(false);
static LAST: Mutex<Option<Instant>> = Mutex::new(None);

/// Takes note that much was freed; costs nothing.
pub fn freed() {
    FREED.store(true, Ordering::Relaxed);
}

/// Gives back what was freed, if anything was and the last time is long enough ago. Blocks for milliseconds.
pub fn trim() {
    let Ok(mut last) = LAST.try_lock() else { return };
    if last.is_some_and(|last| last.elapsed() < AT_MOST_EVERY) || !FREED.swap(false, Ordering::Relaxed) {
        return;
    }
    *last = Some(Instant::now());
    give_back();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
fn give_back() {
    // SAFETY: it may be called at any time and from any thread, and touches only what is free.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other allocators give back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}
