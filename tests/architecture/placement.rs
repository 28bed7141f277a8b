//! What stands in one place only: time, the environment, names of Slack surfaces, ways out, writes to
//! histories.

use super::{Exception, beyond, hold, source};
use esb::slack::ids;

#[test]
fn time_comes_from_the_clock() {
    let exceptions = [
        Exception { file: "src/clock.rs", reason: "it is the clock" },
        Exception {
            file: "src/worker/heartbeat.rs",
            reason: "the file's time is compared with the machine's clock by whoever watches it",
        },
    ];
    let asking = ["Utc::now", "Local::now", "SystemTime::now"];
    let breaches =
        source().iter().flat_map(|file| asking.map(|text| file.mentions(text))).flatten().collect();
    hold(
        "Time comes from `Clock` (a tokio `Instant` measures a wait, and may):",
        &beyond(&exceptions, breaches),
    );
}

#[test]
fn configuration_comes_from_config() {
    let exceptions = [Exception { file: "src/config/sources.rs", reason: "it is the reader" }];
    let asking = ["env::var", "env::vars", "dotenv"];
    let breaches =
        source().iter().flat_map(|file| asking.map(|text| file.mentions(text))).flatten().collect();
    hold("The environment is read by `Config` alone:", &beyond(&exceptions, breaches));
}

#[test]
fn names_of_slack_surfaces_stand_in_ids() {
    let names = [
        ids::command::ALL,
        ids::view::ALL,
        ids::action::ALL,
        ids::input::ALL,
        ids::event::ALL,
        ids::shortcut::ALL,
    ]
    .concat();
    let mut breaches = Vec::new();
    for file in source().iter().filter(|file| file.top() == "slack" && file.shown != "src/slack/ids.rs") {
        let written = file.literals.iter().filter(|(_, text)| names.contains(&text.as_str()));
        breaches.extend(written.map(|(line, text)| format!("{}:{line}: \"{text}\"", file.shown)));
    }
    hold("Names of Slack surfaces come from `slack::ids`:", &breaches);
}

#[test]
fn a_message_leaves_by_the_worker_or_as_a_direct_answer() {
    let ways = [".post_message(", ".respond("];
    let out = ["src/worker/channels/slack.rs", "src/slack/edge.rs"];
    let sending: Vec<String> = source()
        .iter()
        .filter(|file| file.top() != "clients" && !out.contains(&file.shown.as_str()))
        .flat_map(|file| ways.map(|way| file.mentions(way)))
        .flatten()
        .collect();
    hold("A message leaves as a Delivery, or as a direct answer of `SlackEdge`:", &sending);
}

/// Where what was kept long enough is removed.
const PRUNING: &str = "src/store/prune.rs";

#[test]
fn histories_are_appended_to_and_nothing_else() {
    let kept = [
        ("timeline", &["src/store/timeline.rs", "src/store/demo.rs"][..]),
        ("audit", &["src/store/audit.rs"]),
        // Attempts go with the delivery whose they are, once it was kept long enough.
        ("delivery_attempt", &["src/store/deliveries.rs", PRUNING]),
        // And lines with their job.
        ("job_line", &["src/store/jobs.rs", PRUNING]),
    ];
    let mut breaches = Vec::new();
    for file in source().iter().filter(|file| !file.shown.starts_with("src/store/entities/")) {
        for (table, writers) in kept {
            let named = [format!("{table}::Entity"), format!("{table}::ActiveModel")];
            let mentions: Vec<String> = named.iter().flat_map(|name| file.mentions(name)).collect();
            if writers.contains(&file.shown.as_str()) {
                let changing: &[&str] =
                    if file.shown == PRUNING { &["update"] } else { &["update", "delete", "on_conflict"] };
                breaches.extend(
                    mentions.into_iter().filter(|line| changing.iter().any(|word| line.contains(word))),
                );
            } else {
                breaches.extend(mentions.into_iter().filter(|line| names_table(line, table)));
            }
        }
    }
    hold(
        "Timeline, audit, delivery attempts and lines of jobs are append-only, each from its own file of `store`:",
        &breaches,
    );
}

/// True when the line names this table, and not one whose name ends alike.
fn names_table(line: &str, table: &str) -> bool {
    line.match_indices(&format!("{table}::"))
        .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[test]
fn the_revision_is_bumped_last() {
    let bumps: Vec<String> = source()
        .iter()
        .filter(|file| file.top() != "store")
        .flat_map(|file| file.mentions("bump_revision("))
        .collect();
    let committing = source().iter().find(|file| file.shown == "src/ops/mod.rs").unwrap();
    assert_eq!(bumps, committing.mentions("bump_revision("), "only `Ctx::commit_visible` bumps the revision");
    let (_, rest) = committing.code.split_once("bump_revision(").unwrap();
    let (between, after) = rest.split_once(".commit()").expect("it commits");
    assert!(!between.contains("store::"), "`bump_revision` is the last statement of its transaction");
    assert!(after.contains(".changed()"), "readers and listeners of this process are told");
}

#[test]
fn sql_is_written_by_the_query_builder() {
    let raw = ["execute_unprepared", "Statement::from", "raw_sql", "query_one_raw", "execute_raw"];
    let exceptions = [Exception {
        file: "src/store/writer.rs",
        reason: "it passes on what the query builder wrote, as the library's trait wants it",
    }];
    let breaches = source().iter().flat_map(|file| raw.map(|text| file.mentions(text))).flatten().collect();
    hold(
        "SQL written by hand speaks to one database only; the query builder speaks to all:",
        &beyond(&exceptions, breaches),
    );
}
