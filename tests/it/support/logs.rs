//! What the Slack edge writes to the log while a test runs.

use std::io;
use std::sync::{Arc, Mutex};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Collects the lines of a test's thread, on which all tasks of the test run, too.
pub struct Logs {
    lines: Lines,
    _collecting: DefaultGuard,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Logs {
    /// Begins to collect.
    pub fn start() -> Self {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_env_filter(EnvFilter::new("off,esb::slack=info,esb::people=info"))
            .with_writer(lines.clone())
            .finish();
        Self { lines, _collecting: tracing::subscriber::set_default(subscriber) }
    }

    /// The lines since the start or the last time.
    pub fn take(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.lines.0.lock().unwrap());
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    /// The only line there is.
    #[track_caller]
    pub fn only(&self) -> String {
        let mut lines = self.take();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        lines.remove(0)
    }
}
