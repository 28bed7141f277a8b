//! The program as a process: kill -9 loses nothing, and SIGTERM answers what is in flight.

use crate::support::app::{ANA, DEADLINE};
use crate::support::database::Kind;
use crate::support::jobs::{asked_for, job, photos, pictures, queue};
use crate::support::process::{ESB, Installation, Process};
use crate::support::proxy::Proxy;
use crate::support::wait::pause;
use crate::support::web::Site;
use chrono::TimeDelta;
use esb::clock::Clock;
use esb::config::Config;
use esb::domain::ids::{JobId, RepairId};
use esb::domain::job::JobState;
use esb::ops::{Announce, Ctx};
use esb_sandbox::{Fault, Outcome, Sandbox};
use sea_orm::{ActiveModelTrait, IntoActiveModel, Set};
use serde_json::Value;
use std::process::Command;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_between_commit_and_send_loses_nothing() {
    let here = Installation::new().await;
    assert!(here.esb(&["demo-data"]).status().unwrap().success());
    let without_worker = here.serve(&["serve", "--without-worker"]).await;
    here.report("Belt slips at noon").await;
    without_worker.kill();
    assert!(here.slack.wire().wait_for_connections(0, DEADLINE).await);
    assert_eq!(here.count_messages("C0WOOD", "Belt slips at noon"), 0);

    let _everything = here.serve(&["serve"]).await;
    assert!(here.wait_until_announced("Belt slips at noon").await, "nobody was told");
    assert_eq!(
        (
            here.count_messages("C0WOOD", "Belt slips at noon"),
            here.count_messages("C0OOPS", "Belt slips at noon")
        ),
        (1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn separate_worker_sends_within_two_seconds() {
    let here = Installation::new().await;
    assert!(here.esb(&["demo-data"]).status().unwrap().success());
    let _web = here.serve(&["serve", "--without-worker"]).await;
    let worker = here.esb(&["worker"]).env("WORKER_POLL_SECONDS", "3600").spawn();
    let worker = Process(worker.unwrap());
    let mut waits = Vec::new();
    for what in ["Fence is loose", "Guard is loose", "Stop is loose"] {
        here.report(what).await;
        let reported = Instant::now();
        assert!(here.wait_until_announced(what).await, "nobody was told");
        waits.push(reported.elapsed());
    }
    // The best of them, since the machine may be busy. The sweep is an hour away.
    assert!(waits.iter().min() < Some(&Duration::from_secs(2)), "{waits:?}");
    assert_eq!(here.slack.wire().open_connections(), 2, "a worker does not connect to Socket Mode");
    assert!(here.directory.path().join("beat").exists());
    assert_eq!(worker.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn four_processes_announce_each_report_once() {
    let here = Installation::new().await;
    assert!(here.esb(&["demo-data"]).status().unwrap().success());
    let start = |arguments: &[&str]| Process(here.esb(arguments).spawn().unwrap());
    let _all = [
        start(&["serve", "--without-worker"]),
        start(&["serve", "--without-worker"]),
        start(&["worker"]),
        start(&["worker"]),
    ];
    assert!(here.slack.wire().wait_for_connections(4, DEADLINE).await, "not all are connected");
    let reports = ["Belt slips once", "Belt slips twice", "Belt slips thrice"];
    for what in reports {
        here.report(what).await;
    }
    for what in reports {
        assert!(here.wait_until_announced(what).await, "nobody was told");
    }
    let store = here.database.connect().await;
    let pending = async || esb::store::deliveries::pending(store.read()).await.unwrap().count;
    let settled = async {
        while pending().await > 0 {
            pause().await;
        }
    };
    tokio::time::timeout(DEADLINE, settled).await.expect("something is still owed");
    for what in reports {
        assert_eq!(
            (here.count_messages("C0WOOD", what), here.count_messages("C0OOPS", what)),
            (1, 1),
            "{what}"
        );
    }
}

/// A job of two files that is at its second, which does not come.
async fn at_its_second_file(here: &Installation) -> (Ctx, JobId, Process) {
    assert!(here.esb(&["demo-data"]).status().unwrap().success());
    here.slack.change_world(|world| pictures(world, &["F1", "F2"]));
    let ctx = Ctx::new(here.database.connect().await, Clock::system(), Announce::Nowhere);
    here.slack.fail_next("file", Fault::Delay(Duration::ZERO));
    here.slack.fail_next("file", Fault::Silence);
    let id = queue(&ctx, &here.slack, RepairId(1), &["F1", "F2"], None).await;
    let worker = Process(here.esb(&["worker"]).spawn().unwrap());
    let asked = |slack: &Sandbox| (slack.calls("file").len() == 2).then_some(());
    assert!(here.slack.wait_for(DEADLINE, asked).await.is_some(), "the second file was not asked for");
    let at = job(&ctx, id).await;
    assert_eq!((at.state, at.step), (JobState::Running, 1));
    (ctx, id, worker)
}

async fn done_elsewhere(here: &Installation, ctx: &Ctx, id: JobId) {
    let _another = Process(here.esb(&["worker"]).spawn().unwrap());
    let done = async {
        while job(ctx, id).await.state != JobState::Succeeded {
            pause().await;
        }
    };
    tokio::time::timeout(DEADLINE, done).await.expect("the job did not go on");
    assert_eq!(asked_for(&here.slack), ["F1", "F2", "F2"], "it went on from its checkpoint");
    assert_eq!(photos(ctx).await, ["F1", "F2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_in_job_repeats_one_step() {
    let here = Installation::new().await;
    let (ctx, id, worker) = at_its_second_file(&here).await;
    worker.kill();
    let left = job(&ctx, id).await;
    let held = left.leased_until.unwrap() - ctx.store.time().await.unwrap();
    assert!(held < TimeDelta::seconds(60), "within a minute it is another's: {held}");
    // Nobody waits for it here.
    let mut left = left.into_active_model();
    left.leased_until = Set(Some(ctx.store.time().await.unwrap() - TimeDelta::seconds(1)));
    left.update(ctx.store.write()).await.unwrap();
    done_elsewhere(&here, &ctx, id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_gives_a_job_back_at_once() {
    let here = Installation::new().await;
    let (ctx, id, worker) = at_its_second_file(&here).await;
    assert_eq!(worker.terminate().await, Some(0));
    let given_back = job(&ctx, id).await;
    assert_eq!((given_back.state, given_back.step, given_back.lease), (JobState::Queued, 1, None));
    done_elsewhere(&here, &ctx, id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn database_that_starts_late_is_waited_for() {
    if Kind::from_env() == Kind::Sqlite {
        return eprintln!("skipped: a file does not start");
    }
    let mut here = Installation::new().await;
    let proxy = Proxy::to(here.database.host()).await;
    proxy.refuse();
    here.proxy = Some(proxy);
    let path = here.directory.path().join("log");
    let mut serve = here.esb(&["serve"]);
    let _process = Process(serve.stdout(std::fs::File::create(&path).unwrap()).spawn().unwrap());
    let waits = async {
        while !std::fs::read_to_string(&path).unwrap().contains("database does not answer") {
            pause().await;
        }
    };
    tokio::time::timeout(DEADLINE, waits).await.expect("it does not say that it waits");
    assert_eq!(here.slack.wire().open_connections(), 0);
    let log = std::fs::read_to_string(&path).unwrap();
    let starting: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    let site = Site(starting["listen"].as_str().unwrap().parse().unwrap());
    let status = async |path| site.get(path).await.status.as_u16();
    for (path, expected) in [("/health/live", 200), ("/metrics", 200), ("/health", 503), ("/", 503)] {
        assert_eq!(status(path).await, expected, "{path}");
    }
    here.proxy.as_ref().unwrap().restore();
    assert!(here.slack.wire().wait_for_connections(2, DEADLINE).await, "it did not start");
    assert_eq!((status("/").await, status("/health").await), (200, 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_answers_envelopes_in_flight() {
    let here = Installation::new().await;
    assert!(here.esb(&["demo-data"]).status().unwrap().success());
    let process = here.serve(&["serve"]).await;
    here.slack.fail_always("views.open", Fault::Delay(Duration::from_millis(300)));
    let commands = (0..50).map(|_| here.slack.command(ANA, "#woodshop", "/esb-status", ""));
    let outcomes = futures_util::future::join_all(commands).await;
    let opened = |slack: &Sandbox| slack.calls("views.open").iter().filter(|call| call.ok()).count();
    assert!(opened(&here.slack) < 50, "nothing is in flight any more");
    assert_eq!(process.terminate().await, Some(0));
    let answered =
        outcomes.iter().filter(|outcome| outcome.as_ref().is_ok_and(Outcome::is_acknowledged)).count();
    assert_eq!((answered, opened(&here.slack)), (50, 50));
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn open_file_limit_is_raised_or_reported() {
    for (soft, raised, told) in [("-S", "2304", false), ("", "300", true)] {
        let here = Installation::new().await;
        let log = here.directory.path().join("log");
        let limited = format!("ulimit {soft} -n 300; exec \"$0\" serve");
        let mut command = here.command("sh", &["-c", &limited, ESB]);
        let process = Process(command.stdout(std::fs::File::create(&log).unwrap()).spawn().unwrap());
        assert!(here.slack.wire().wait_for_connections(2, DEADLINE).await);
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", process.0.id())).unwrap();
        let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
        assert_eq!(files.split_whitespace().next(), Some(raised), "{limits}");
        let log = std::fs::read_to_string(&log).unwrap();
        assert_eq!(log.matches("limit of open files is too low").count(), usize::from(told), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn log_has_alert_lines_and_no_secrets() {
    let here = Installation::new().await;
    assert!(here.esb(&["demo-data"]).status().unwrap().success());
    here.slack.change_world(|world| world.channels.retain(|channel| channel.name != "oops"));
    let path = here.directory.path().join("log");
    let mut serve = here.esb(&["serve"]);
    serve.env("LOG_FORMAT", "text").env("RUST_LOG", "trace").stdout(std::fs::File::create(&path).unwrap());
    let process = Process(serve.spawn().unwrap());
    assert!(here.slack.wire().wait_for_connections(2, DEADLINE).await);
    here.report("Smells of secrets").await;
    let told = |_: &Sandbox| (here.count_messages("C0WOOD", "Smells of secrets") > 0).then_some(());
    assert!(here.slack.wait_for(DEADLINE, told).await.is_some());
    let answered =
        |slack: &Sandbox| slack.unread().iter().any(|m| m.text.contains("Thank you")).then_some(());
    assert!(here.slack.wait_for(DEADLINE, answered).await.is_some());
    assert_eq!(process.terminate().await, Some(0));

    let log = std::fs::read_to_string(path).unwrap();
    let failures =
        log.lines().filter(|line| line.contains("Notification ") && line.contains(" delivery failed: "));
    assert_eq!(failures.filter(|line| line.contains("delivery failed: channel_not_found")).count(), 1);
    let mutation = log.lines().find(|line| line.contains("repair.created")).unwrap();
    let mutation: Value = serde_json::from_str(mutation).unwrap();
    assert_eq!((&mutation["event"], &mutation["user"]), (&"repair.created".into(), &"Ana Lee".into()));
    assert_eq!(mutation["data"]["new"]["description"], "Smells of secrets");
    assert!(mutation["timestamp"].as_str().unwrap().ends_with('Z'));
    let tickets =
        here.slack.all_calls().into_iter().filter_map(|call| call.answer["url"].as_str().map(str::to_owned));
    let mut secrets =
        vec![here.slack.bot_token().to_owned(), here.slack.app_token().to_owned(), "/response/".into()];
    secrets.extend(tickets.filter_map(|url| Some(url.split_once("ticket=")?.1.to_owned())));
    assert!(secrets.len() > 4, "{secrets:?}");
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} in {}", log.lines().find(|l| l.contains(&secret)).unwrap());
    }
}

/// `seed-admin` with its refusals: afterwards there is a staff user `sam`.
fn seed_admin_makes_refuses_and_resets(here: &Installation, database: &str) {
    let run = |arguments: &[&str]| here.run(arguments, &[]);
    let (status, text) = run(&["seed-admin", "sam", "sam@example.org", "--password", "short"]);
    assert_eq!(status, 1);
    assert!(text.contains("at least 10 characters"), "{text}");
    let (status, text) = run(&["seed-admin", "sam", "no address"]);
    assert!(status == 1 && text.contains("an e-mail address") && !text.contains("empty"), "{text}");
    let seed_without_terminal = Command::new("setsid")
        .args([env!("CARGO_BIN_EXE_esb"), "seed-admin", "sam", "sam@example.org"])
        .current_dir(here.directory.path())
        .output()
        .unwrap();
    let told = String::from_utf8(seed_without_terminal.stderr).unwrap();
    assert!(seed_without_terminal.status.code() == Some(1) && told.contains("--password-stdin"), "{told}");
    let seed =
        ["seed-admin", "sam", "sam@example.org", "--password", "changeme123", "--slack-handle", "@sam"];
    assert_eq!(run(&seed), (0, format!("Staff user sam created in {database}.\n")));
    let (status, text) = run(&seed);
    let there = format!("{database} already has a user sam (staff, active). Nothing was changed.");
    assert!(
        status == 1 && text.contains(&there) && text.contains("seed-admin sam --reset-password"),
        "{text}"
    );
    let reset = ["seed-admin", "SAM", "--reset-password", "--password", "changeme456"];
    assert_eq!(
        run(&reset),
        (0, format!("sam has a new password in {database} and is logged out everywhere.\n"))
    );
    let (status, text) = run(&["seed-admin", "nobody", "--reset-password", "--password", "changeme456"]);
    assert!(status == 1 && text.contains(&format!("There is no user nobody in {database}")), "{text}");
    assert_eq!(run(&["seed-admin", "nobody"]).0, 2, "a new user needs an e-mail address");
}

#[tokio::test(flavor = "multi_thread")]
async fn command_line_errors_have_text_and_status() {
    let here = Installation::new().await;
    let run = |arguments: &[&str], variables: &[(&str, &str)]| here.run(arguments, variables);
    let url = here.database.url().to_owned();
    let database = Config::parse(&[("DATABASE_URL".to_owned(), url)].into()).unwrap().database_for_log();
    let (status, text) = run(&["serve"], &[("TZ", "Mars"), ("SLACK_CONNECTIONS", "99")]);
    assert_eq!(status, 2);
    assert!(text.contains("TZ=Mars") && text.contains("SLACK_CONNECTIONS=99"), "{text}");
    assert_eq!(run(&["serv"], &[]).0, 2);
    seed_admin_makes_refuses_and_resets(&here, &database);
    let (status, text) =
        run(&["demo-data", "--machines", "0", "--open-repairs", "0", "--closed-repairs", "0"], &[]);
    assert!(
        status == 0 && text.contains(&format!("in {database}.\nLog in as tom (technician) with ")),
        "{text}"
    );
    assert!(!text.contains("Log in as sam"), "who was there keeps their password: {text}");
    let bo = here.esb(&["seed-admin", "bo", "bo@example.org", "--password", "changeme123"]).output().unwrap();
    assert!(String::from_utf8(bo.stderr).unwrap().contains("\"event\":\"user.created\""));
    assert_eq!(run(&["demo-data", "--areas", "0"], &[]).0, 1);
    std::fs::write(here.directory.path().join(".env"), "SECRET_KEY=\"unclosed-secret\nFLASK_APP=esb\n")
        .unwrap();
    let (status, text) = run(&["migrate", "status"], &[]);
    assert!(status == 2 && text.contains("the line of SECRET_KEY") && !text.contains("unclosed"), "{text}");
    std::fs::remove_file(here.directory.path().join(".env")).unwrap();
    let (status, text) = run(&["migrate", "status"], &[]);
    assert_eq!((status, text.starts_with("applied initial_schema")), (0, true), "{text}");
    let (status, text) = run(&["migrate", "down"], &[]);
    assert!(status == 1 && text.contains("--yes"), "{text}");
    assert!(
        run(&["migrate", "status"], &[]).1.starts_with("applied initial_schema"),
        "nothing was taken back"
    );
    let (status, text) = run(&["healthcheck"], &[("ESB_LISTEN", "127.0.0.1:9")]);
    assert_eq!(status, 1);
    assert!(text.contains("nothing answers"), "{text}");
    assert!(run(&["manifest"], &[]).1.contains("/esb-report"));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_config_lists_findings_and_mistakes() {
    let here = Installation::new().await;
    let home = here.directory.path().display();
    let (status, text) = here.run(&["check-config"], &[("DATABASE_URL", ""), ("ORG_NAME", "The Shop")]);
    for line in [
        format!("Read from   no file {home}/.env; the environment (ESB_LISTEN, SLACK_BOT_TOKEN, "),
        format!("Database    sqlite://{home}/data/esb.db\n"),
        format!("Data in     {home}/data\n"),
        "Base URL    none: messages have no links\n".into(),
        "Slack       announcements and commands\n".into(),
        format!("Heartbeat   {home}/beat\n"),
        "Note        ORG_NAME has no effect in this version\n".into(),
    ] {
        assert!(text.contains(&line), "{line} in {text}");
    }
    assert!(status == 0 && text.ends_with("The configuration is fine.\n"), "{status} {text}");
    assert!(!text.contains(here.slack.bot_token()) && !here.directory.path().join("data").exists(), "{text}");

    std::fs::write(here.directory.path().join(".env"), "SLACK_BOT_TOKN=xoxb-wrong\nTZ=UTC\n").unwrap();
    let none = [
        ("DATABASE_URL", ""),
        ("SLACK_BOT_TOKEN", ""),
        ("SLACK_APP_TOKEN", ""),
        ("ESB_DATA_DIR", "/dev/null/data"),
    ];
    let (status, text) = here.run(&["check-config"], &none);
    for words in [
        &format!("Read from   {home}/.env (TZ); the environment ("),
        "Slack       off",
        "SLACK_BOT_TOKN is not a variable of ESB: did you mean SLACK_BOT_TOKEN?",
        "SLACK_SOCKET_MODE_CONNECT=true: SLACK_BOT_TOKEN and SLACK_APP_TOKEN are missing",
        "ESB_DATA_DIR: /dev/null/data cannot be used",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(status == 2 && !text.contains("DATABASE_URL") && !text.contains("xoxb-wrong"), "{status} {text}");

    let (status, text) = here.run(&["check-config"], &[("SLACK_APP_TOKEN", "xapp-wrong")]);
    assert!(status == 2 && text.contains("SLACK_APP_TOKEN") && !text.contains("xapp-wrong"), "{text}");
    here.slack.change_world(|world| world.scopes.clear());
    let (status, text) = here.run(&["check-config"], &[]);
    for scope in ["commands", "chat:write", "users:read", "users:read.email", "im:write"] {
        let words = format!("SLACK_BOT_TOKEN lacks the scope {scope}: ");
        assert!(status == 2 && text.contains(&words), "{scope} {text}");
    }
    for command in ["check-config", "serve", "worker", "migrate", "demo-data", "healthcheck"] {
        let refused = here.esb(&[command]).env("RUST_LOG", "info,esb=loud").output().unwrap();
        let told = String::from_utf8(refused.stderr).unwrap();
        assert!(
            refused.status.code() == Some(2) && told.contains("RUST_LOG=info,esb=loud"),
            "{command}: {told}"
        );
    }
}
