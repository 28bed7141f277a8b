//! Socket Mode connections: open, replace, back off and close.

use crate::support::lines::Lines;
use crate::support::wire::{DEADLINE, Rig, Setup, sandbox, sandbox_with, until};
use esb::slack::socket::SocketTimings;
use esb_sandbox::{Fault, Options, Sandbox};
use std::time::{Duration, Instant};

const OPEN: &str = "apps.connections.open";
const SHORT: Duration = Duration::from_millis(200);
/// Long enough for what the old connection still has to answer on a busy machine.
const LINGER: Duration = Duration::from_secs(2);

fn setup(change: impl FnOnce(&mut SocketTimings)) -> Setup {
    let mut setup = Setup::default();
    change(&mut setup.timings);
    setup
}

/// The time between the first calls of a method.
fn gaps(sandbox: &Sandbox, method: &str) -> Vec<Duration> {
    let calls = sandbox.calls(method);
    calls.windows(2).map(|pair| (pair[1].at - pair[0].at).to_std().unwrap()).collect()
}

async fn called(sandbox: &Sandbox, method: &str, times: usize) {
    until(|| (sandbox.calls(method).len() >= times).then_some(())).await;
}

#[tokio::test]
async fn two_connections_share_the_work() {
    let rig = Setup { connections: 2, ..Setup::default() }.start().await;
    for id in ["a", "b", "c", "d"] {
        rig.serves(id).await;
    }
    let mut over: Vec<u64> = rig.sandbox.wire().acks().iter().map(|ack| ack.connection).collect();
    over.sort_unstable();
    assert_eq!(over, [1, 1, 2, 2]);
    assert!(rig.metrics.is_socket_connected());
    assert_eq!(rig.sandbox.unexpected(), [""; 0]);
}

#[tokio::test]
async fn disconnect_opens_the_successor_before_it_leaves() {
    for reason in ["warning", "refresh_requested", "brand_new"] {
        let lines = Lines::from(tracing::Level::INFO);
        let mut rig = setup(|timings| timings.linger = LINGER).start().await;
        rig.command("held", "hold");
        rig.script.wait_for(1).await;
        assert!(rig.sandbox.wire().disconnect(1, reason));
        rig.opened(2).await;
        // Whatever comes now, over whichever of the two, is answered; also what came before.
        for id in ["a", "b", "c", "d"] {
            rig.serves(id).await;
            assert!(rig.metrics.is_socket_connected());
        }
        rig.script.release();
        assert_eq!(rig.acked("held").await, None);
        let held = rig.sandbox.wire().wait_for_ack("held", DEADLINE).await.unwrap();
        assert_eq!(held.connection, 1, "an envelope is acknowledged where it came from");

        assert!(rig.closed(1).await, "the old one is closed in order, at the latest after lingering");
        let [old, new] = rig.sandbox.wire().connections().try_into().unwrap();
        assert!(new.opened < old.closed.unwrap() && new.is_open());
        rig.stop().await;
        assert_eq!(lines.with("Socket Mode connected").len(), 2);
        let word = if reason == "brand_new" { "other" } else { reason };
        assert_eq!(lines.with(&format!("Slack asks for it: {word}")).len(), 1);
    }
}

#[tokio::test]
async fn old_connection_is_read_until_closed() {
    let rig = Rig::start().await;
    assert!(rig.sandbox.wire().disconnect(1, "warning"));
    rig.opened(2).await;
    assert_eq!(rig.sandbox.wire().open_connections(), 2);
    assert!(rig.sandbox.wire().close(1));
    rig.closed(1).await;
    rig.serves("a").await;
}

#[tokio::test]
async fn configuration_errors_are_logged_and_retried_slowly() {
    for (reason, cure) in [("link_disabled", "switch Socket Mode on"), ("too_many_websockets", "over 10")] {
        let lines = Lines::from(tracing::Level::WARN);
        let rig = setup(|timings| {
            timings.stable = Duration::ZERO;
            timings.first_wait = Duration::from_millis(400);
            timings.longest_wait = Duration::from_millis(400);
        })
        .start()
        .await;
        assert!(rig.sandbox.wire().disconnect(1, reason));
        rig.opened(2).await;
        assert!(gaps(&rig.sandbox, OPEN)[0] >= SHORT, "half of the wait at least");
        assert_eq!(lines.with(cure).len(), 1);
    }
}

#[tokio::test]
async fn lost_connection_is_replaced_at_once() {
    let rig = setup(|timings| {
        // Were this waited for, the test would fail by time.
        timings.first_wait = DEADLINE * 3;
        timings.longest_wait = DEADLINE * 3;
    })
    .start()
    .await;
    assert!(rig.sandbox.wire().cut(1));
    rig.opened(2).await;
    rig.serves("a").await;
}

#[tokio::test]
async fn repeated_losses_back_off_until_stable() {
    let rig = setup(|timings| {
        timings.first_wait = Duration::from_millis(200);
        timings.longest_wait = Duration::from_millis(300);
    })
    .start()
    .await;
    for number in 1..4 {
        assert!(rig.sandbox.wire().cut(number));
        rig.opened(usize::try_from(number).unwrap() + 1).await;
    }
    let gaps = gaps(&rig.sandbox, OPEN);
    assert!(gaps[1] >= Duration::from_millis(100), "{gaps:?}");
    assert!(gaps[2] >= Duration::from_millis(150), "{gaps:?}");

    let rig = setup(|timings| {
        timings.stable = Duration::ZERO;
        timings.first_wait = DEADLINE * 3;
        timings.longest_wait = DEADLINE * 3;
    })
    .start()
    .await;
    for number in 1..4 {
        assert!(rig.sandbox.wire().cut(number));
        rig.opened(usize::try_from(number).unwrap() + 1).await;
    }
}

#[tokio::test]
async fn half_open_connection_is_replaced() {
    let lines = Lines::from(tracing::Level::INFO);
    let rig = setup(|timings| {
        timings.silence = Duration::from_secs(1);
        timings.ping = SHORT;
    })
    .start()
    .await;
    assert!(rig.sandbox.wire().freeze(1));
    rig.opened(2).await;
    // The sandbox does not know that the first is dead, as Slack would not.
    assert!(rig.sandbox.wire().cut(1));
    rig.closed(1).await;
    rig.serves("a").await;
    assert!(!lines.with("silent: half open").is_empty());
}

#[tokio::test]
async fn pings_keep_quiet_connections_alive() {
    let every = Duration::from_millis(50);
    let sandbox = sandbox_with(Options { ping_every: every, ..Options::default() });
    let timings = SocketTimings { silence: Duration::from_secs(2), ping: every, ..SocketTimings::default() };
    let rig = Setup { sandbox, timings, ..Setup::default() }.start().await;
    let began = Instant::now();
    let connection = until(|| {
        let connection = rig.sandbox.wire().connections()[0].clone();
        (connection.pings >= 50 && connection.pongs >= 50).then_some(connection)
    })
    .await;
    assert!(connection.is_open() && began.elapsed() >= timings.silence, "{:?}", began.elapsed());
    assert_eq!(rig.sandbox.wire().connections().len(), 1);
}

#[tokio::test]
async fn without_hello_there_is_no_connection() {
    let lines = Lines::from(tracing::Level::INFO);
    let setup = setup(|timings| timings.hello = Duration::from_millis(500));
    setup.sandbox.wire().set_hello(false);
    let rig = setup.launch();
    rig.opened(2).await;
    assert!(!rig.metrics.is_socket_connected());
    assert_eq!(lines.with("Socket Mode connected").len(), 0);
    rig.sandbox.wire().set_hello(true);
    rig.connected(true).await;
    assert!(!lines.with("no hello in time").is_empty());
}

#[tokio::test]
async fn refused_token_is_logged_and_retried_slowly() {
    for code in ["invalid_auth", "not_authed", "account_inactive", "token_revoked", "missing_scope"] {
        let lines = Lines::from(tracing::Level::ERROR);
        let slack = sandbox();
        slack.fail_always(OPEN, Fault::Error(code));
        let rig = Setup { connections: 2, sandbox: slack, ..Setup::default() }.launch();
        called(&rig.sandbox, OPEN, 6).await;
        let said = lines.with("Failed to set up Slack Socket Mode");
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains(code) && said[0].contains("ERROR"), "{said:?}");
        rig.sandbox.clear_faults();
        assert!(rig.sandbox.wire().wait_for_connections(2, DEADLINE).await);
        rig.serves("a").await;
    }
    assert_eq!(SocketTimings::default().refused_wait, Duration::from_secs(180));
}

#[tokio::test]
async fn rate_limit_is_obeyed() {
    let slack = sandbox();
    slack.fail_next(OPEN, Fault::RateLimited(1));
    let rig = Setup { sandbox: slack, ..Setup::default() }.start().await;
    assert!(gaps(&rig.sandbox, OPEN)[0] >= Duration::from_secs(1));
}

#[tokio::test]
async fn outage_is_outlived() {
    let lines = Lines::from(tracing::Level::WARN);
    let slack = sandbox();
    for fault in [Fault::Http(503), Fault::CutAfterAccept, Fault::Error("internal_error"), Fault::Http(502)] {
        slack.fail_next(OPEN, fault);
    }
    let rig = Setup { sandbox: slack, ..Setup::default() }.start().await;
    rig.serves("a").await;
    assert_eq!(lines.with("Socket Mode connection failed").len(), 4);
    assert_eq!(lines.with("ERROR").len(), 0);
}

#[tokio::test]
async fn gauge_follows_the_connection() {
    let mut rig = Rig::start().await;
    rig.connected(true).await;
    rig.sandbox.fail_always(OPEN, Fault::Http(503));
    assert!(rig.sandbox.wire().cut(1));
    rig.connected(false).await;
    rig.sandbox.clear_faults();
    rig.connected(true).await;
    rig.stop().await;
    assert!(!rig.metrics.is_socket_connected());
}

#[tokio::test]
async fn log_hides_connection_and_response_urls() {
    let lines = Lines::from(tracing::Level::DEBUG);
    let mut rig = Rig::start().await;
    rig.command("a", "panic");
    rig.acked("a").await;
    rig.stop().await;
    assert!(!lines.with("panicked").is_empty() && !lines.with("tungstenite").is_empty());
    for secret in ["ticket", "hooks.slack.com", "trigger-", "xapp-", "xoxb-"] {
        assert_eq!(lines.with(secret), [""; 0]);
    }
}
