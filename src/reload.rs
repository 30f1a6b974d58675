//! What is read again while the proxy runs, when its operator asks for it.

use log::{error, info};

/// Reads something again; where it is not good, the error is a line for the operator and what was there before stays.
type Read = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What can be read again, in the order in which it is done.
#[derive(Default)]
pub struct Reloads(Vec<(&'static str, Read)>);

impl Reloads {
    /// Adds something; `name` is what the log calls it. `read` may block.
    pub fn add(&mut self, name: &'static str, read: impl Fn() -> Result<(), String> + Send + Sync + 'static) {
        self.0.push((name, Box::new(read)));
    }

    /// Reads everything again and says in the log what came of it; what fails does not keep the rest back. Blocks.
    pub fn run(&self) {
        for (name, read) in &self.0 {
            match read() {
                Ok(()) => info!("{name} were read again"),
                Err(why) => error!("{name} stay as they were: {why}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn what_fails_does_not_keep_the_rest_back() {
        let runs = Arc::new(AtomicUsize::new(0));
        let mut reloads = Reloads::default();
        for broken in [true, false] {
            let runs = Arc::clone(&runs);
            reloads.add("things", move || {
                runs.fetch_add(1, Ordering::Relaxed);
                if broken { Err("broken".to_owned()) } else { Ok(()) }
            });
        }
        reloads.run();
        assert_eq!(runs.load(Ordering::Relaxed), 2);
    }
}
