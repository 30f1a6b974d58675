use std::fs;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the kernel says of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Process {
    pub(super) cpu_s: f64,
    pub(super) resident_bytes: u64,
    pub(super) virtual_bytes: u64,
    pub(super) threads: u64,
    pub(super) open_files: u64,
    pub(super) most_files: u64,
    pub(super) started_s: f64,
}

/// `USER_HZ`, which is 100 on every Linux that programs get to see.
const TICKS_PER_S: f64 = 100.0;

/// When this was asked first: at the start, where the metrics are made.
static STARTED_S: LazyLock<f64> =
    LazyLock::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()));

impl Process {
    /// Remembers when the process started.
    pub(super) fn started() {
        LazyLock::force(&STARTED_S);
    }

    /// Asks the kernel; what it does not tell is 0. Blocks, for as long as it takes to list the open files.
    pub(super) fn read() -> Process {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        Process {
            cpu_s: cpu_ticks(&stat).unwrap_or_default() as f64 / TICKS_PER_S,
            resident_bytes: field(&status, "VmRSS:") * 1024,
            virtual_bytes: field(&status, "VmSize:") * 1024,
            threads: field(&status, "Threads:"),
            open_files: fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as u64),
            most_files: field(&limits, "Max open files"),
            started_s: *STARTED_S,
        }
    }
}

fn field(text: &str, name: &str) -> u64 {
    let rest = text.lines().find_map(|line| line.strip_prefix(name));
    rest.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// Returns the time in user and kernel mode: fields 14 and 15, of which the second may have spaces and brackets.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_texts_are_understood() {
        let stat = "1234 (a ) b) S 1 1 1 0 -1 4194560 1 2 3 4 150 25 0 0 20 0 9 0 12345 1 1 1";
        assert_eq!(cpu_ticks(stat), Some(175));
        assert_eq!(field("VmPeak: 1 kB\nVmRSS:\t  2048 kB\n", "VmRSS:"), 2048);
        assert_eq!(field("Max open files            1024                 4096 files", "Max open files"), 1024);
        assert_eq!(field("Max open files            unlimited", "Max open files"), 0);
    }

    #[test]
    fn this_process_has_memory_threads_and_files() {
        let seen = Process::read();
        assert!(seen.resident_bytes > 0 && seen.threads > 0 && seen.open_files > 2 && seen.started_s > 1e9, "{seen:?}");
    }
}
