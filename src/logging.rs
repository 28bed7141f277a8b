//! Sets up the log: JSON or text lines by filter, mutation lines always, panics as errors, and no library line that
//! could show a secret. Called once, first in main.

use crate::clock::Clock;
use crate::ops::mutation_log;
use std::io::Write;
use std::panic::PanicHookInfo;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

mod libraries;

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// One JSON object a line.
    Json,
    /// Text for a file or another program.
    Text,
    /// Text with short times for a person at a terminal.
    Terminal { color: bool },
}

pub enum Destination {
    Stdout,
    /// For commands that print output to standard output.
    Stderr,
    /// For `demo`, which uses the terminal itself.
    File(std::fs::File),
}

impl Destination {
    fn writers(self) -> std::io::Result<(BoxMakeWriter, BoxMakeWriter)> {
        Ok(match self {
            Self::Stdout => (BoxMakeWriter::new(std::io::stdout), BoxMakeWriter::new(std::io::stdout)),
            Self::Stderr => (BoxMakeWriter::new(std::io::stderr), BoxMakeWriter::new(std::io::stderr)),
            Self::File(file) => (BoxMakeWriter::new(file.try_clone()?), BoxMakeWriter::new(file)),
        })
    }
}

pub fn start(style: Style, filter: &str, to: Destination) -> anyhow::Result<()> {
    let (lines, mutations) = to.writers()?;
    let ours = filter_fn(|meta| meta.target() != mutation_log::TARGET && libraries::may_be_written(meta));
    let layer = fmt::layer().with_writer(lines).with_ansi(style == Style::Terminal { color: true });
    let layer = match style {
        Style::Json => layer.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed(),
        Style::Text => layer.compact().boxed(),
        Style::Terminal { .. } => {
            layer.with_timer(TimeOfDay(Clock::system())).with_target(false).compact().boxed()
        }
    };
    let mutations = Mutations(mutations).with_filter(filter_fn(|meta| meta.target() == mutation_log::TARGET));
    tracing_subscriber::registry()
        .with(layer.with_filter(EnvFilter::try_new(filter)?).with_filter(ours))
        .with(mutations)
        .try_init()?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Warns if `RUST_LOG` asks for lines of libraries that are not written.
pub fn warn_about_capped_libraries(filter: &str) {
    if libraries::are_asked_for(filter) {
        tracing::warn!(
            "RUST_LOG asks for details of libraries. They are not written, since they can show passwords and tokens. \
             Details of ESB itself are written: set esb=debug"
        );
    }
}

/// Hours, minutes and seconds in UTC.
struct TimeOfDay(Clock);

impl FormatTime for TimeOfDay {
    fn format_time(&self, to: &mut Writer<'_>) -> std::fmt::Result {
        write!(to, "{}", self.0.now().format("%H:%M:%SZ"))
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let payload = panic.payload();
    let text =
        payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref().copied());
    tracing::error!(place, "Panic: {}", text.unwrap_or("no message"));
}

/// Writes mutation lines as JSON in every format, regardless of the filter.
struct Mutations(BoxMakeWriter);

impl<S: Subscriber> Layer<S> for Mutations {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        line.0.push('\n');
        // One write per line, so that lines of several threads do not mix. A closed pipe must not stop the program.
        let _ = self.0.make_writer().write_all(line.0.as_bytes());
    }
}

/// The field `line` of a mutation event.
struct Line(String);

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "line" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "line" {
            self.0 = format!("{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn mutation_is_one_json_line(user in any::<String>(), old in any::<String>()) {
            let written = Written::default();
            let writer = written.clone();
            let mutations = Mutations(BoxMakeWriter::new(move || writer.clone()));
            let data = json!({ "id": 7, "old": old, "new": null });
            tracing::subscriber::with_default(tracing_subscriber::registry().with(mutations), || {
                mutation_log::write("repair_created", &user, &data, chrono::DateTime::UNIX_EPOCH);
            });
            let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
            prop_assert_eq!(text.lines().count(), 1, "{:?}", text);
            prop_assert!(text.ends_with('\n'));
            let line: Value = serde_json::from_str(&text).unwrap();
            let expected = json!({
                "timestamp": "1970-01-01T00:00:00.000Z", "event": "repair_created", "user": user, "data": data
            });
            prop_assert_eq!(line, expected);
        }
    }
}
