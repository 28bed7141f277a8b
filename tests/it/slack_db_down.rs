//! Slack forms during a real database outage: each is answered, and no typed text is lost.

use crate::support::app::{ANA, DEADLINE, TestApp, world};
use crate::support::slack::errors;
use esb_sandbox::Submitted;
use tokio::time::timeout;

/// The reference in words for a person.
#[track_caller]
fn reference(words: &str) -> &str {
    words
        .split_once("(ref ")
        .and_then(|(_, rest)| rest.split_once(')'))
        .unwrap_or_else(|| panic!("{words}"))
        .0
}

impl TestApp {
    /// Ana has filled in a report.
    async fn typed(&self) {
        self.command(ANA, "/esb-report", "table saw").await;
        self.fill("description", "Belt slips").await;
    }

    /// Ana sends it; the error stands beside the first input, and the form keeps what she typed.
    async fn refused(&self) {
        let refused = errors(self.slack.submit(ANA).await.unwrap());
        assert_eq!(refused.keys().collect::<Vec<_>>(), ["equipment"]);
        assert_eq!(reference(&refused["equipment"]).len(), 8);
        assert_eq!(self.view().value("description").as_deref(), Some("Belt slips"));
    }

    /// Ana sends it again and again until it is taken.
    async fn taken(&self) {
        let sending = async { while self.slack.submit(ANA).await.unwrap() != Submitted::Cleared {} };
        timeout(DEADLINE, sending).await.expect("it does not get over it");
        assert_eq!(self.repairs().await, 1);
    }
}

#[tokio::test]
async fn form_survives_database_outage() {
    let mut world = world();
    world.scopes.push("channels:history".into());
    let (app, Some(proxy)) = TestApp::behind_proxy(world).await else {
        return eprintln!("skipped: there are no connections to a file");
    };
    app.typed().await;
    proxy.refuse();
    app.refused().await;
    for command in ["/esb-report", "/esb-repair", "/esb-update"] {
        app.slack.command(ANA, "#woodshop", command, "").await.unwrap();
        app.app.intake.idle().await;
        let told = app.private(ANA);
        assert!(told.starts_with(":x: ") && reference(&told).len() == 8, "{command}: {told}");
    }
    proxy.restore();
    app.taken().await;
    app.settle().await;
    app.read_all();

    let card = app.card();
    proxy.refuse();
    let said = app.slack.say(ANA, "#woodshop", "Belt is off", Some(&card.ts)).await.unwrap();
    assert!(!said.outcome.is_acknowledged());
    app.app.intake.idle().await;
    proxy.restore();
    let sending = async {
        let again =
            async || app.slack.redeliver(&said, 1, "timeout").await.unwrap().outcome.is_acknowledged();
        while !again().await {}
    };
    timeout(DEADLINE, sending).await.expect("it does not get over it");
    let noted: Vec<_> = app.notes().await.into_iter().map(|(_, text, _)| text).collect();
    assert_eq!(noted, [Some("Belt is off".to_owned())]);
    assert!(app.slack.direct_messages(ANA).is_empty(), "nothing was lost");
}

#[tokio::test]
async fn form_during_database_stall_is_submitted_once() {
    let (app, Some(proxy)) = TestApp::behind_proxy(world()).await else {
        return eprintln!("skipped: there are no connections to a file");
    };
    app.typed().await;
    proxy.stall();
    app.refused().await;
    proxy.restore();
    app.taken().await;
    app.app.intake.idle().await;
    assert_eq!(app.repairs().await, 1, "what went on after its answer came to the same");
}

#[tokio::test]
async fn form_during_sqlite_lock_is_submitted_once() {
    let (app, None) = TestApp::behind_proxy(world()).await else {
        return eprintln!("skipped: only SQLite has one writer at a time");
    };
    app.typed().await;
    let other = app.another_store().await;
    let holder = other.begin().await.unwrap();
    app.refused().await;
    holder.rollback().await.unwrap();
    app.taken().await;
    app.app.intake.idle().await;
    assert_eq!(app.repairs().await, 1, "what went on after its answer came to the same");
    app.settle_and_finish().await;
}
