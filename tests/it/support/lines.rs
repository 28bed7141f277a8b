//! The log lines of a test. Each test has its own thread and runtime, so lines are collected per thread. One
//! subscriber serves all threads, because changing subscribers while others log loses lines.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

thread_local! {
    static KEPT: RefCell<Kept> = const { RefCell::new(Kept { level: LevelFilter::OFF, text: Vec::new() }) };
}

struct Kept {
    level: LevelFilter,
    text: Vec<u8>,
}

/// The lines of this thread since this was created. Not for multi-thread runtimes.
pub struct Lines(());

impl Lines {
    /// Collects lines of this level and above.
    pub fn from(level: Level) -> Self {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            let kept = |of: &Metadata<'_>| KEPT.with_borrow(|kept| *of.level() <= kept.level);
            let layer = fmt::layer().with_ansi(false).with_writer(|| Writer);
            registry().with(layer.with_filter(dynamic_filter_fn(move |of, _| kept(of)))).init();
        });
        tracing::callsite::rebuild_interest_cache();
        KEPT.set(Kept { level: level.into(), text: Vec::new() });
        Self(())
    }

    /// The lines that contain a text.
    pub fn with(&self, text: &str) -> Vec<String> {
        let all = KEPT.with_borrow(|kept| String::from_utf8_lossy(&kept.text).into_owned());
        all.lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
    }

    /// The only line of the Slack edge since the last call; clears all lines.
    #[track_caller]
    pub fn only_slack_line(&self) -> String {
        let mut lines = self.with(" esb::slack::");
        KEPT.with_borrow_mut(|kept| kept.text.clear());
        assert_eq!(lines.len(), 1, "{lines:#?}");
        lines.remove(0)
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        KEPT.set(Kept { level: LevelFilter::OFF, text: Vec::new() });
    }
}

struct Writer;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        KEPT.with_borrow_mut(|kept| kept.text.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
