//! Ports for brokers, which cannot listen on port 0 as their address goes into the metadata.

use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

// Below the range that outgoing connections take their ports from (32768 and up on Linux): a port from it could be
// lost to any connection while its broker is down, and a client that retries a dead one can connect to itself.
const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

/// Returns a port on which nothing listens. It is not held: tests of one run never get the same one, another process
/// still may.
pub fn free_port() -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    // Runs at the same time start at different places.
    let start = process::id().wrapping_mul(97);
    (0..COUNT)
        .map(|_| start.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)) % COUNT + FIRST)
        .map(|port| u16::try_from(port).expect("FIRST + COUNT is a port"))
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("some port is free")
}
