//! What only one place may do: read time and the environment, name Slack surfaces, send messages, write
//! histories and SQL.

use super::{Exception, assert_no_violations, source, unexcused};
use esb::slack::ids;

#[test]
fn time_comes_from_the_clock() {
    let exceptions = [
        Exception { file: "src/clock.rs", reason: "it is the clock" },
        Exception {
            file: "src/worker/heartbeat.rs",
            reason: "a monitor compares the file's time with the clock of the machine",
        },
    ];
    let patterns = ["Utc::now", "Local::now", "SystemTime::now"];
    let violations =
        source().iter().flat_map(|file| patterns.map(|text| file.mentions(text))).flatten().collect();
    assert_no_violations(
        "Time comes from `Clock`; only durations may use a tokio `Instant`:",
        &unexcused(&exceptions, violations),
    );
}

#[test]
fn configuration_comes_from_config() {
    let exceptions = [Exception { file: "src/config/sources.rs", reason: "it is the reader" }];
    let patterns = ["env::var", "env::vars", "dotenv"];
    let violations =
        source().iter().flat_map(|file| patterns.map(|text| file.mentions(text))).flatten().collect();
    assert_no_violations("Only `Config` reads the environment:", &unexcused(&exceptions, violations));
}

#[test]
fn slack_surface_names_come_from_ids() {
    let names = [
        ids::command::ALL,
        ids::view::ALL,
        ids::action::ALL,
        ids::input::ALL,
        ids::event::ALL,
        ids::shortcut::ALL,
    ]
    .concat();
    let mut violations = Vec::new();
    for file in source().iter().filter(|file| file.top() == "slack" && file.path != "src/slack/ids.rs") {
        let written = file.literals.iter().filter(|(_, text)| names.contains(&text.as_str()));
        violations.extend(written.map(|(line, text)| format!("{}:{line}: \"{text}\"", file.path)));
    }
    assert_no_violations("Names of Slack surfaces come from `slack::ids`:", &violations);
}

#[test]
fn messages_leave_as_delivery_or_direct_answer() {
    let ways = [".post_message(", ".respond("];
    let out = ["src/worker/channels/slack.rs", "src/slack/context.rs"];
    let sending: Vec<String> = source()
        .iter()
        .filter(|file| file.top() != "clients" && !out.contains(&file.path.as_str()))
        .flat_map(|file| ways.map(|way| file.mentions(way)))
        .flatten()
        .collect();
    assert_no_violations(
        "A message leaves as a delivery, or as a direct answer of `SlackContext`:",
        &sending,
    );
}

/// Removes expired rows.
const PRUNING: &str = "src/store/prune.rs";

#[test]
fn histories_are_append_only() {
    let kept = [
        ("timeline", &["src/store/timeline.rs", "src/store/demo.rs"][..]),
        ("audit", &["src/store/audit.rs"]),
        // Expired deliveries are removed with their attempts.
        ("delivery_attempt", &["src/store/deliveries.rs", PRUNING]),
        // Expired jobs are removed with their lines.
        ("job_line", &["src/store/jobs.rs", PRUNING]),
    ];
    let mut violations = Vec::new();
    for file in source().iter().filter(|file| !file.path.starts_with("src/store/entities/")) {
        for (table, writers) in kept {
            let named = [format!("{table}::Entity"), format!("{table}::ActiveModel")];
            let mentions: Vec<String> = named.iter().flat_map(|name| file.mentions(name)).collect();
            if writers.contains(&file.path.as_str()) {
                let changing: &[&str] =
                    if file.path == PRUNING { &["update"] } else { &["update", "delete", "on_conflict"] };
                violations.extend(
                    mentions.into_iter().filter(|line| changing.iter().any(|word| line.contains(word))),
                );
            } else {
                violations.extend(mentions.into_iter().filter(|line| names_table(line, table)));
            }
        }
    }
    assert_no_violations(
        "Timeline, audit, delivery attempts and job lines are append-only, each in its own file of `store`:",
        &violations,
    );
}

/// Whether the line names this table, not one whose name has the same ending.
fn names_table(line: &str, table: &str) -> bool {
    line.match_indices(&format!("{table}::"))
        .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[test]
fn revision_is_incremented_last() {
    let bumps: Vec<String> = source()
        .iter()
        .filter(|file| file.top() != "store")
        .flat_map(|file| file.mentions("bump_revision("))
        .collect();
    let committing = source().iter().find(|file| file.path == "src/ops/mod.rs").unwrap();
    assert_eq!(
        bumps,
        committing.mentions("bump_revision("),
        "only `Ctx::commit_visible` increments the revision"
    );
    let (_, rest) = committing.code.split_once("bump_revision(").unwrap();
    let (between, after) = rest.split_once(".commit()").expect("it commits");
    assert!(!between.contains("store::"), "`bump_revision` is the last statement of its transaction");
    assert!(after.contains(".changed()"), "readers and listeners of this process are notified");
}

#[test]
fn sql_is_written_by_the_query_builder() {
    let raw = ["execute_unprepared", "Statement::from", "raw_sql", "query_one_raw", "execute_raw"];
    let exceptions = [Exception {
        file: "src/store/writer.rs",
        reason: "it forwards statements of the query builder, as the library's trait requires",
    }];
    let violations = source().iter().flat_map(|file| raw.map(|text| file.mentions(text))).flatten().collect();
    assert_no_violations(
        "Hand-written SQL works on one database only; use the query builder:",
        &unexcused(&exceptions, violations),
    );
}
