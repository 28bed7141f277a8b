//! The log of the program at every level: required lines, and no secrets.

use crate::support::app::{ANA, DEADLINE};
use crate::support::database::{Kind, TestDatabase};
use crate::support::process::{Installation, Process};
use crate::support::wait::pause;
use crate::support::web::{Browser, Site, config};
use esb_sandbox::Sandbox;
use http::StatusCode;
use secrecy::ExposeSecret;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The password that the first staff user chooses.
const CHOSEN: &str = "chosen-by-stu-7c1e";

/// Starts the program with a log of its own and this secret key; waits until it says where it listens.
async fn started(
    here: &Installation,
    name: &str,
    change: impl FnOnce(&mut Command),
) -> (Process, Site, PathBuf) {
    let path = here.directory.path().join(name);
    let mut serve = here.esb(&["serve"]);
    serve.env("SECRET_KEY", config().secret_key.expose_secret());
    change(&mut serve);
    let process = Process(serve.stdout(std::fs::File::create(&path).unwrap()).spawn().unwrap());
    assert!(here.slack.wire().wait_for_connections(2, DEADLINE).await, "it did not connect");
    let log = std::fs::read_to_string(&path).unwrap();
    let (_, rest) = log.split_once("127.0.0.1:").expect("it says where it listens");
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (process, Site(format!("127.0.0.1:{port}").parse().unwrap()), path)
}

/// Waits for the code of `/setup` in a log.
async fn setup_code(log: &Path) -> String {
    let told = async {
        loop {
            let text = std::fs::read_to_string(log).unwrap();
            let line = text.lines().find(|line| line.contains("There is no staff user yet"));
            if let Some(line) = line.and_then(|line| serde_json::from_str::<Value>(line).ok()) {
                return line["code"].as_str().unwrap().to_owned();
            }
            pause().await;
        }
    };
    tokio::time::timeout(DEADLINE, told).await.expect("no code is told")
}

/// Sees every page that shows a secret; returns what must not be in the log.
async fn see_secrets(browser: &Browser<'_>, code: &str) -> Vec<String> {
    let login = browser.get("/login").await;
    let mut secrets =
        vec![CHOSEN.to_owned(), login.hidden("csrf_token"), browser.cookie_value("esb_browser")];
    let wrong = [("username", "stu"), ("password", "a-wrong-password-7c1e")];
    browser.fill_in("/login", "/login", &wrong).await;
    secrets.push("a-wrong-password-7c1e".into());
    let setup = [("code", code), ("username", "stu"), ("email", "stu@example.org"), ("password", CHOSEN)];
    assert_eq!(browser.fill_in("/setup", "/setup", &setup).await.status, StatusCode::SEE_OTHER);
    secrets.push(browser.cookie_value("esb_session"));
    let user =
        [("username", "nia"), ("email", "nia@example.org"), ("role", "Technician"), ("slack_handle", "")];
    let made = browser.fill_in_new("/admin/users", "/admin/users", &user).await;
    secrets.push(made.secret());
    let reset = browser.fill_in("/admin/users/2", "/admin/users/2/reset-password", &[]).await;
    secrets.push(reset.secret());
    secrets.push(browser.get("/admin/users").await.hidden("csrf_token"));
    let token = browser.fill_in_new("/admin/tokens", "/admin/tokens", &[("name", "reader")]).await;
    secrets.push(token.secret());
    secrets
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_logged_at_any_level() {
    let here = Installation::new().await;
    let trace = |serve: &mut Command| {
        serve.env("RUST_LOG", "trace,handlebars=trace,sqlx=trace");
    };
    let (process, site, path) = started(&here, "log", trace).await;
    let (browser, code) = (site.browser(), setup_code(&path).await);
    let mut secrets = see_secrets(&browser, &code).await;
    assert!(here.esb(&["demo-data"]).status().unwrap().success());
    let seen = async {
        while !site.get("/status.json").await.text().contains("Table saw") {
            pause().await;
        }
    };
    tokio::time::timeout(DEADLINE, seen).await.expect("the program does not see what was made");
    here.report("Smells of secrets").await;
    assert!(here.wait_until_announced("Smells of secrets").await, "nobody was told");
    let answered = |slack: &Sandbox| (!slack.private_to(ANA).is_empty()).then_some(());
    assert!(here.slack.wait_for(DEADLINE, answered).await.is_some(), "nobody was thanked");
    assert_eq!(process.terminate().await, Some(0));

    let calls = here.slack.all_calls().into_iter();
    let tickets =
        calls.filter_map(|call| Some(call.answer["url"].as_str()?.split_once("ticket=")?.1.to_owned()));
    secrets.extend(tickets);
    secrets.extend([
        here.slack.bot_token().to_owned(),
        here.slack.app_token().to_owned(),
        "/response/".into(),
    ]);
    secrets.push(config().secret_key.expose_secret().to_owned());
    assert!(secrets.len() >= 14 && secrets.iter().all(|secret| secret.len() > 9), "{secrets:?}");
    let log = std::fs::read_to_string(path).unwrap();
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        assert!(line.is_none(), "{secret} in {line:?}");
    }
    let lines = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!(lines(&code), 1, "the code is told once");
    assert_eq!(lines("RUST_LOG asks for details of libraries"), 1);
    assert!(lines("\"level\":\"DEBUG\"") + lines("\"level\":\"INFO\"") > 5, "it logs at all");
}

#[tokio::test(flavor = "multi_thread")]
async fn first_log_line_announces_new_database() {
    let here = Installation::on(TestDatabase::empty().await);
    for (start, is_new) in [("first", true), ("second", false)] {
        let (process, _, path) = started(&here, start, |_| {}).await;
        assert_eq!(process.terminate().await, Some(0));
        assert!(here.slack.wire().wait_for_connections(0, DEADLINE).await);
        let log = std::fs::read_to_string(path).unwrap();
        let first = log.lines().next().unwrap();
        let is_file = Kind::from_env() == Kind::Sqlite;
        assert_eq!(
            first.contains("New database: ") && first.contains("esb.db"),
            is_new && is_file,
            "{first}"
        );
        let migrated = log.lines().filter(|line| line.contains("database schema created")).count();
        assert_eq!(migrated, usize::from(is_new), "{log}");
        assert!(!log.contains("Applying") && !log.contains("RUST_LOG asks"), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_database_is_announced_at_start() {
    let here = Installation::on(TestDatabase::empty_of(Kind::Sqlite).await);
    let home = here.directory.path();
    std::fs::write(home.join("empty.db"), "").unwrap();
    for (file, words) in [("empty.db", "is empty, so ESB"), ("esb.bd", "does not exist, so ESB")] {
        let url = format!("sqlite://{}", home.join(file).display());
        let (status, text) = here.run(&["check-config"], &[("DATABASE_URL", &url)]);
        assert!(
            status == 0 && text.contains(&format!("Note        {}/{file} {words}", home.display())),
            "{text}"
        );
    }
    assert_eq!(std::fs::read(home.join("empty.db")).unwrap(), b"", "nothing is written");
    assert!(!home.join("esb.bd").exists());
    std::fs::write(home.join("junk.db"), "this is no database of SQLite at all, but a note of somebody's\n")
        .unwrap();
    let url = format!("sqlite://{}", home.join("junk.db").display());
    let (status, text) = here.run(&["check-config"], &[("DATABASE_URL", &url)]);
    assert!(status == 2 && text.contains("DATABASE_URL: ") && text.contains("not a database"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn database_is_fine_before_and_after_its_schema() {
    let here = Installation::on(TestDatabase::empty().await);
    let note = if Kind::from_env() == Kind::Sqlite {
        "does not exist, so ESB creates"
    } else {
        "is empty, so a start"
    };
    let (status, text) = here.run(&["check-config"], &[]);
    assert!(status == 0 && text.contains(note) && text.ends_with("is fine.\n"), "{text}");
    assert_eq!(here.run(&["migrate"], &[]).0, 0);
    let (status, text) = here.run(&["check-config"], &[]);
    assert!(status == 0 && !text.contains("Note") && text.ends_with("is fine.\n"), "{text}");
    assert_eq!(here.run(&["migrate", "down", "--yes"], &[]).0, 0);
    let (status, text) = here.run(&["check-config"], &[]);
    assert!(status == 0 && text.ends_with("is fine.\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unreachable_database_is_named_without_its_password() {
    let here = Installation::new().await;
    for (url, place) in [
        ("postgres://esb:hunter2@127.0.0.1:9/esb", "127.0.0.1:9"),
        ("mysql+pymysql://esb:hunter2@127.0.0.1:9/esb", "127.0.0.1:9"),
        ("postgres:///esb?host=/nowhere/postgresql&password=hunter2", "/nowhere/postgresql"),
    ] {
        let (status, text) = here.run(&["check-config"], &[("DATABASE_URL", url)]);
        let wrong = text.lines().find(|line| line.starts_with("Wrong")).expect("it is wrong");
        assert!(
            status == 2 && wrong.contains(&format!("DATABASE_URL: {place}: the database cannot be opened")),
            "{text}"
        );
        assert!(!text.contains("hunter2") && !text.contains("is fine"), "{text}");
    }
    let misspelt = here.run(&["check-config"], &[("SLACK_OOPS_CHANEL", "")]);
    assert!(misspelt.0 == 2 && misspelt.1.contains("did you mean SLACK_OOPS_CHANNEL?"), "{misspelt:?}");
}
