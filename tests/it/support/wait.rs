//! Waiting for what happens on another task or in another process.

use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Longest wait for something that takes a moment on an idle machine. Only a failing test waits that long.
pub const DEADLINE: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// Between two looks at a condition. Unlike `yield_now` in a loop, it leaves the processor to what the test
/// waits for.
pub async fn pause() {
    sleep(POLL_INTERVAL).await;
}

/// Polls until `found` returns something.
pub async fn until<T>(mut found: impl FnMut() -> Option<T>) -> T {
    let polling = async {
        loop {
            if let Some(found) = found() {
                return found;
            }
            pause().await;
        }
    };
    timeout(DEADLINE, polling).await.expect("the condition never became true")
}
