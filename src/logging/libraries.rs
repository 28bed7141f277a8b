//! Which log lines of libraries are written. At DEBUG and TRACE, libraries print pages with temporary passwords,
//! statements with values, frames and headers, so no setting enables those levels for them.

use tracing::Metadata;
use tracing::level_filters::LevelFilter;

/// The crates of this program. Their lines have no secrets at any level.
const OURS: &[&str] = &["esb", "esb_migration", "esb_sandbox"];
/// Libraries that log each step of something that we log in one line.
const CHATTY: &[&str] = &["sea_orm_migration"];
/// The most detailed level of other libraries.
const CEILING: LevelFilter = LevelFilter::INFO;

/// False for library lines that could show a secret.
pub(super) fn may_be_written(meta: &Metadata<'_>) -> bool {
    *meta.level() <= ceiling(meta.target())
}

/// The most detailed level of a target such as `hyper::proto`.
fn ceiling(target: &str) -> LevelFilter {
    match target.split("::").next().unwrap_or_default() {
        name if OURS.contains(&name) => LevelFilter::TRACE,
        name if CHATTY.contains(&name) => LevelFilter::WARN,
        _ => CEILING,
    }
}

/// True when `RUST_LOG` asks for lines of libraries that are not written.
pub(super) fn are_asked_for(filter: &str) -> bool {
    filter.split(',').map(str::trim).filter(|directive| !directive.is_empty()).any(|directive| {
        let (target, level) = match directive.rsplit_once('=') {
            Some((target, level)) => (target, level.trim()),
            None if directive.parse::<LevelFilter>().is_ok() => ("", directive),
            // A target alone means all of its lines.
            None => (directive, "trace"),
        };
        let target = target.split('[').next().unwrap_or_default().trim();
        level.parse::<LevelFilter>().is_ok_and(|level| level > CEILING && level > ceiling(target))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_capped_and_our_lines_are_not() {
        for (target, most) in [
            ("esb", LevelFilter::TRACE),
            ("esb::web::server", LevelFilter::TRACE),
            ("esb_migration::create", LevelFilter::TRACE),
            ("esbuild", LevelFilter::INFO),
            ("handlebars::render", LevelFilter::INFO),
            ("sqlx::query", LevelFilter::INFO),
            ("tungstenite::protocol", LevelFilter::INFO),
            ("log", LevelFilter::INFO),
            ("sea_orm_migration::migrator::exec", LevelFilter::WARN),
            ("", LevelFilter::INFO),
        ] {
            assert_eq!(ceiling(target), most, "{target}");
        }
    }

    #[test]
    fn verbose_library_log_filters_are_detected() {
        for more in [
            "debug",
            "TRACE",
            "info,hyper=debug",
            "warn, handlebars::render=trace",
            "handlebars",
            "[request{id=7}]=debug",
        ] {
            assert!(are_asked_for(more), "{more}");
        }
        for enough in
            ["", "info", "warn,esb=debug", "esb::web=trace", "esb", "hyper=info", "off", "info,hyper=off"]
        {
            assert!(!are_asked_for(enough), "{enough}");
        }
    }
}
