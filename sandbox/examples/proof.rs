//! Plays the people before an app that runs on Slack's own Python client: see `proof/run`.
//!
//! Each side asserts what it sees. Only a proof of the sandbox; no test of anything else.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic)]

use std::{
    process::{Child, Command},
    time::Duration,
};

use esb_sandbox::{Channel, Fault, Options, Person, Sandbox, Submitted, World};

/// Python starts slowly, and its client looks for broken connections every few seconds only.
const SOON: Duration = Duration::from_secs(60);

fn world() -> World {
    let mut scopes = World::new().scopes;
    scopes.extend(["channels:history", "reactions:read"].map(String::from));
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    World::new()
        .person(Person::new("U01", "ana", "Ana Lopez").email("ana@example.org"))
        .person(Person::new("U02", "bo", "Bo Larsen"))
        .channel(Channel::new("C01", "wood"))
        .channel(Channel::new("C02", "private").without_bot())
        .channel(Channel::new("C03", "old").archived())
        .channel(Channel::new("C04", "metal"))
        .scopes(&scopes)
}

/// The Python side, which ends with this one.
struct App(Child);

impl Drop for App {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = self.0.kill();
    }
}

fn start_app(sandbox: &Sandbox) -> App {
    let child = Command::new(std::env::var("PROOF_PYTHON").unwrap_or_else(|_| "python3".into()))
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/proof/app.py"))
        .env("SLACK_API_URL", sandbox.api_url())
        .env("SLACK_BOT_TOKEN", sandbox.bot_token())
        .env("SLACK_APP_TOKEN", sandbox.app_token())
        .spawn();
    App(child.unwrap())
}

async fn order(sandbox: &Sandbox) {
    let outcome = sandbox.command("ana", "#wood", "/order", "").await.unwrap();
    println!("rust: command acknowledged after {:?}", outcome.ack().unwrap().latency);
    let typed = |s: &Sandbox| s.top_view("ana")?.value("note");
    // The app opens the form empty, then updates it: an input that stays keeps its value.
    sandbox.wait_for(SOON, |s| (s.calls("views.update").len() == 2).then_some(())).await.unwrap();
    assert_eq!(typed(sandbox), None);
    sandbox
        .wait_for(SOON, |s| s.private_to("ana").into_iter().find(|m| m.text == "Fill in the form"))
        .await
        .unwrap();

    assert_eq!(sandbox.suggest("ana", "what", "oak").await.unwrap()[0].value, "7");
    sandbox.choose("ana", "what", "7").await.unwrap();
    sandbox.fill("ana", "note", "bad").await.unwrap();
    let Submitted::Errors(errors) = sandbox.submit("ana").await.unwrap() else { panic!("no errors") };
    assert_eq!(errors["note"], "Say more");
    println!("rust: the form with its error\n{}", sandbox.top_view("ana").unwrap().shown());
    sandbox.fill("ana", "note", "two metres").await.unwrap();
    assert_eq!(sandbox.submit("ana").await.unwrap(), Submitted::Closed);
    let card = sandbox.wait_for(SOON, |s| s.posted_in("#metal").pop()).await.unwrap();
    println!("rust: the message\n{}", card.shown());

    sandbox.press_message("bo", "metal", "done", None).await.unwrap();
    let answers = |s: &Sandbox| (s.calls("response_url").len() == 7).then_some(());
    sandbox.wait_for(SOON, answers).await.unwrap();
    let replaced = sandbox.posted_in("metal");
    assert_eq!((replaced[0].text.as_str(), replaced[0].edited), ("Done by bo", true));
    assert_eq!(sandbox.private_to("bo").len(), 4, "four answers fit next to the replacement");
}

async fn events(sandbox: &Sandbox) {
    let card = sandbox.messages().into_iter().find(|m| m.channel == "C04").unwrap();
    assert!(sandbox.say("bo", "#metal", "hello", None).await.unwrap().outcome.is_acknowledged());
    let reply = sandbox.wait_for(SOON, |s| s.posted_in("metal").pop()).await.unwrap();
    assert_eq!(reply.text, "hello to you");
    assert!(reply.thread_ts.is_some());
    assert!(sandbox.react("bo", &card, "eyes").await.unwrap().outcome.is_acknowledged());
    assert!(sandbox.shortcut("bo", "quick").await.unwrap().is_acknowledged());
    sandbox.wait_for(SOON, |s| s.top_view("bo")).await.unwrap();
    assert!(sandbox.close("bo").await.unwrap().is_acknowledged());
}

/// The client follows a disconnect frame, a cut and a connection that went deaf.
async fn reconnects(sandbox: &Sandbox) {
    type Break = fn(&Sandbox, u64) -> bool;
    let ways: [(&str, Break); 3] = [
        ("a disconnect frame", |s, n| s.wire().disconnect(n, "refresh_requested")),
        ("a cut", |s, n| s.wire().cut(n)),
        ("a half-open connection", |s, n| s.wire().freeze(n)),
    ];
    for (way, break_it) in ways {
        let connections = sandbox.wire().connections();
        let last = connections.iter().rfind(|c| c.is_open()).unwrap().number;
        let opened = connections.len() + 1;
        if way == "a cut" {
            sandbox.fail_next("apps.connections.open", Fault::RateLimited(1));
        }
        assert!(break_it(sandbox, last));
        assert!(sandbox.wire().wait_for_opened(opened, SOON).await, "no new connection after {way}");
        // A deaf connection is still open for the sandbox, as it would be for Slack.
        sandbox.wire().cut(last);
        assert!(sandbox.wire().wait_for_connections(1, SOON).await);
        assert!(
            sandbox.command("ana", "#wood", "/again", "").await.unwrap().is_acknowledged(),
            "after {way}"
        );
        assert_eq!(sandbox.private_to("ana").pop().unwrap().text, "still here");
        println!("rust: the client came back after {way}");
    }
}

#[tokio::main]
async fn main() {
    let sandbox = Sandbox::start(world(), Options::default()).unwrap();
    let mut app = start_app(&sandbox);
    assert!(sandbox.wire().wait_for_connections(1, SOON).await, "the app did not connect");
    order(&sandbox).await;
    events(&sandbox).await;
    reconnects(&sandbox).await;
    assert!(sandbox.command("ana", "#wood", "/finish", "").await.unwrap().is_acknowledged());
    let ended = tokio::task::spawn_blocking(move || app.0.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "the Python side found faults");
    // What the app did wrong on purpose, and nothing else.
    let expected = [
        "unknown method no.such",
        "views.open: invalid_trigger_id {}",
        "views.open: exchanged_trigger_id {}",
    ];
    assert_eq!(sandbox.unexpected(), expected);
    assert_eq!(sandbox.complaints().len(), 3, "{:#?}", sandbox.complaints());
    println!("proved");
}
