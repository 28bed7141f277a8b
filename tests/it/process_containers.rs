//! The program run as its container image and the Python system's guide run it.

use crate::support::app::DEADLINE;
use crate::support::database::{Kind, TestDatabase};
use crate::support::process::{Installation, Process};
use crate::support::wait::pause;
use std::fs;
use std::time::{Duration, SystemTime};

/// Starts a worker and waits for its first heartbeat.
async fn start_worker(here: &Installation, arguments: &[&str]) -> Process {
    let worker = Process(here.esb(arguments).spawn().unwrap());
    let beat = here.directory.path().join("beat");
    let beating = async {
        while !beat.exists() {
            pause().await;
        }
    };
    tokio::time::timeout(DEADLINE, beating).await.expect("the worker beats");
    worker
}

/// The lines that people copy from the Python system's guide, after `flask`.
#[tokio::test(flavor = "multi_thread")]
async fn commands_of_python_guide_work() {
    let here = Installation::on(TestDatabase::empty().await);
    let (status, text) = here.run(&["db", "upgrade"], &[]);
    assert_eq!(status, 0, "{text}");
    let seed =
        ["seed-admin", "sam", "sam@example.org", "--password", "changeme123", "--slack-handle", "@sam"];
    let (status, text) = here.run(&seed, &[]);
    assert!(status == 0 && text.starts_with("Staff user sam created in "), "{text}");
    let worker = start_worker(&here, &["worker", "run", "--poll-interval", "5"]).await;
    assert_eq!(worker.terminate().await, Some(0));
    let help = here.run(&["--help"], &[]).1;
    assert!(!help.contains(" db ") && help.contains("migrate"), "{help}");
    assert_eq!(here.run(&["worker", "walk"], &[]).0, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn healthcheck_follows_heartbeat_of_worker() {
    let here = Installation::new().await;
    let (status, text) = here.run(&["healthcheck", "--worker"], &[]);
    assert!(status == 1 && text.contains("no heartbeat at "), "{text}");
    let worker = start_worker(&here, &["worker"]).await;
    assert_eq!(here.run(&["healthcheck", "--worker"], &[]).0, 0);
    worker.kill();
    let beat = fs::OpenOptions::new().append(true).open(here.directory.path().join("beat")).unwrap();
    beat.set_modified(SystemTime::now() - Duration::from_secs(200)).unwrap();
    let (status, text) = here.run(&["healthcheck", "--worker"], &[]);
    assert!(status == 1 && text.contains("s old: the worker is stuck"), "{text}");
}

/// Editors on Windows end lines with CRLF, and some people quote values.
#[tokio::test(flavor = "multi_thread")]
async fn dotenv_may_have_windows_line_ends_and_quotes() {
    let here = Installation::new().await;
    let file =
        "\u{feff}# Our board\r\nTZ=\"Europe/Berlin\"\r\nESB_BASE_URL='https://esb.example.org'\r\n\r\n";
    fs::write(here.directory.path().join(".env"), file).unwrap();
    let (status, text) = here.run(&["check-config"], &[]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("https://esb.example.org\n") && text.contains("(ESB_BASE_URL, TZ)"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_password_names_variable_and_host() {
    if Kind::from_env() != Kind::MariaDb {
        return;
    }
    let here = Installation::new().await;
    let host = here.database.host().to_owned();
    let url = format!("mysql://root:a-former-password@{host}/esb2");
    for command in ["serve", "worker"] {
        let refused = here.esb(&[command]).env("DATABASE_URL", &url).output().unwrap();
        let text = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{text}");
        assert!(text.contains("DATABASE_URL") && text.contains(&host), "{text}");
        assert!(text.contains("Access denied") && !text.contains("a-former-password"), "{text}");
    }
}

/// A volume that the Python system's container initialized has `esb` and no `esb2`.
#[tokio::test(flavor = "multi_thread")]
async fn missing_mariadb_database_is_created() {
    if Kind::from_env() != Kind::MariaDb {
        return;
    }
    let here = Installation::on(TestDatabase::empty().await);
    let url = format!("{}_new", here.database.url());
    let (status, text) = here.run(&["check-config"], &[("DATABASE_URL", &url)]);
    assert!(status == 0 && text.contains("is empty, so a start creates its tables"), "{text}");
    let (status, text) = here.run(&["migrate"], &[("DATABASE_URL", &url)]);
    assert_eq!(status, 0, "{text}");
    let (_, text) = here.run(&["migrate", "status"], &[("DATABASE_URL", &url)]);
    assert!(text.starts_with("applied initial_schema"), "{text}");
}
