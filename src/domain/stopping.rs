use std::future::pending;

use tokio::sync::watch;

/// Tells what would go on for long that the process is about to end.
#[derive(Clone)]
pub struct Stopping(watch::Receiver<bool>);

/// The other end of [`Stopping`].
pub struct Stopper(watch::Sender<bool>);

impl Stopper {
    /// Returns both ends.
    pub fn new() -> (Stopper, Stopping) {
        let (sender, receiver) = watch::channel(false);
        (Stopper(sender), Stopping(receiver))
    }

    /// Asks what waits for it to end; returns at once.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stopping {
    /// Waits until the process is about to end, which may be never.
    pub async fn begun(mut self) {
        if self.0.wait_for(|stopping| *stopping).await.is_err() {
            pending::<()>().await;
        }
    }
}
