//! Wrong passwords are limited without locking out other users or known browsers.

use crate::support::ops::{TestOps, empty, user};
use crate::support::web::{Browser, Reply, TestWeb, config, serving, serving_as};
use chrono::TimeDelta;
use esb::domain::actor::{Account, Actor, Edge, Role};
use esb::domain::ids::UserId;
use esb::ops::accounts::manage_users::{reset_password, set_active};
use esb::ops::accounts::password;
use esb::ops::accounts::temporary_password::PasswordHandover;
use esb::store::users;
use esb::web::kernel::access::SESSION_COOKIE;
use esb::web::limits::known_browser::COOKIE_NAME;
use http::StatusCode;
use secrecy::ExposeSecret;

const PASSWORD: &str = "changeme123";
const IN: StatusCode = StatusCode::SEE_OTHER;
const WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
const TOO_MANY: StatusCode = StatusCode::TOO_MANY_REQUESTS;
/// Where everybody in the space comes from.
const SPACE: &str = "203.0.113.1";
const ELSEWHERE: &str = "198.51.100.7";

/// A database with the technicians `tess` and `bo`, who have a password.
async fn with_people() -> TestOps {
    let ops = empty().await;
    let hash = password::hash(PASSWORD.into()).await.unwrap();
    for name in ["tess", "bo"] {
        let id = user(&ops, name, Role::Technician).await;
        let now = ops.clock.now();
        users::set_password(ops.store.write(), id, hash.clone(), false, now).await.unwrap();
    }
    ops
}

async fn log_in(browser: &Browser<'_>, name: &str, password: &str) -> Reply {
    browser.fill_in("/login", "/login", &[("username", name), ("password", password)]).await
}

/// Logs in and out again at a browser.
async fn used_by<'a>(web: &'a TestWeb, name: &str) -> Browser<'a> {
    let browser = web.browser();
    assert_eq!(log_in(&browser, name, PASSWORD).await.status, IN);
    log_out(&browser).await;
    browser
}

async fn log_out(browser: &Browser<'_>) {
    assert_eq!(browser.fill_in("/password", "/logout", &[]).await.header("location"), "/");
}

/// Somebody who was never here guesses until nobody listens any more; how often.
async fn guess_all(web: &TestWeb, name: &str, address: &str) -> usize {
    for n in 0..40 {
        let reply = log_in(&web.browser().from(address), name, "a wrong guess").await;
        match reply.status {
            WRONG => {}
            TOO_MANY => return n,
            other => panic!("{other}"),
        }
    }
    panic!("nothing limits guesses from {address}")
}

#[tokio::test]
async fn guesses_elsewhere_keep_nobody_out() {
    let web = serving(with_people().await).await;
    assert_eq!(guess_all(&web, "tess", ELSEWHERE).await, 10);
    assert_eq!(log_in(&web.browser().from(SPACE), "tess", PASSWORD).await.status, IN, "from elsewhere");
    let late = log_in(&web.browser().from(ELSEWHERE), "tess", PASSWORD).await;
    assert_eq!((late.status, late.header("retry-after")), (TOO_MANY, "60"));
    assert_eq!(log_in(&web.browser().from(ELSEWHERE), "bo", PASSWORD).await.status, IN, "another name");
}

#[tokio::test]
async fn known_browser_is_not_locked_out() {
    let web = serving(with_people().await).await;
    let known = used_by(&web, "tess").await;
    let shared = used_by(&web, "bo").await;
    assert_eq!(log_in(&shared, "tess", PASSWORD).await.status, IN);
    log_out(&shared).await;
    guess_all(&web, "tess", SPACE).await;
    for n in 0..40 {
        log_in(&web.browser().from(SPACE), &format!("nobody{n}"), "x").await;
    }
    assert_eq!(log_in(&web.browser().from(SPACE), "bo", PASSWORD).await.status, TOO_MANY, "strangers wait");
    assert_eq!(log_in(&known, "bo", PASSWORD).await.status, TOO_MANY, "it knows tess alone");
    for browser in [&known, &shared] {
        assert_eq!(log_in(browser, "TESS", PASSWORD).await.status, IN);
        log_out(browser).await;
    }
    assert_eq!(log_in(&shared, "bo", PASSWORD).await.status, IN, "and that one both");
}

#[tokio::test]
async fn guesses_at_known_browser_are_limited_too() {
    let web = serving(with_people().await).await;
    let (found, other) = (used_by(&web, "tess").await, used_by(&web, "tess").await);
    for _ in 0..10 {
        assert_eq!(log_in(&found, "tess", "a wrong guess").await.status, WRONG);
    }
    assert_eq!(log_in(&found, "tess", PASSWORD).await.status, TOO_MANY);
    assert_eq!(log_in(&other, "tess", PASSWORD).await.status, IN, "her other browser");
    web.ops.clock.set_wall_clock(TimeDelta::days(-2));
    assert_eq!(
        log_in(&found, "tess", PASSWORD).await.status,
        TOO_MANY,
        "whatever the clock on the wall says"
    );
    web.ops.clock.advance(TimeDelta::minutes(1));
    assert_eq!(log_in(&found, "tess", PASSWORD).await.status, IN);
}

#[tokio::test]
async fn spellings_of_one_name_share_a_count() {
    let web = serving(with_people().await).await;
    for name in ["tess", "TESS", " tess ", "te\u{200b}ss", "tess\u{202e}"].iter().cycle().take(10) {
        assert_eq!(log_in(&web.browser(), name, "a wrong guess").await.status, WRONG);
    }
    assert_eq!(log_in(&web.browser(), "te\u{2060}ss", PASSWORD).await.status, TOO_MANY);
}

#[tokio::test]
async fn log_ins_that_succeed_are_no_guesses() {
    let web = serving(with_people().await).await;
    let known = used_by(&web, "tess").await;
    for n in 0..16 {
        for name in ["tess", "bo"] {
            assert_eq!(log_in(&web.browser(), name, PASSWORD).await.status, IN, "{n}");
        }
        assert_eq!(log_in(&known, "tess", PASSWORD).await.status, IN, "{n}");
        log_out(&known).await;
    }
    assert_eq!(guess_all(&web, "tess", SPACE).await, 10, "they leave nothing for guesses either");
}

#[tokio::test]
async fn guesses_elsewhere_do_not_block_password_change() {
    let web = serving(with_people().await).await;
    let (tess, other) = (web.browser(), web.browser());
    for browser in [&tess, &other] {
        assert_eq!(log_in(browser, "tess", PASSWORD).await.status, IN);
    }
    guess_all(&web, "tess", SPACE).await;
    let change = async |browser: &Browser<'_>, current: &str| {
        let form = [("current", current), ("password", "a good one!"), ("repeated", "a good one!")];
        browser.fill_in("/password", "/password", &form).await
    };
    for _ in 0..10 {
        assert_eq!(change(&other, "a wrong guess").await.status, WRONG);
    }
    assert_eq!(change(&other, PASSWORD).await.status, TOO_MANY, "guesses within a session end");
    assert_eq!(change(&tess, PASSWORD).await.status, IN);
}

#[tokio::test]
async fn password_change_renews_the_session() {
    let web = serving(with_people().await).await;
    let (tess, elsewhere) = (web.browser(), web.browser());
    for browser in [&tess, &elsewhere] {
        log_in(browser, "tess", PASSWORD).await;
    }
    let before = tess.cookie_value(SESSION_COOKIE);
    let form = [("current", PASSWORD), ("password", "a good one!"), ("repeated", "a good one!")];
    assert_eq!(tess.fill_in("/password", "/password", &form).await.header("location"), "/repairs");
    assert_ne!(tess.cookie_value(SESSION_COOKIE), before);
    assert_eq!(tess.get("/repairs").await.status, StatusCode::OK);
    let thief = web.browser();
    thief.set_cookie(SESSION_COOKIE, &before);
    for browser in [&thief, &elsewhere] {
        assert_eq!(browser.get("/repairs").await.status, IN, "sent to log in");
    }
}

/// Staff give a user another password.
async fn reset(web: &TestWeb, id: UserId) -> String {
    let by = staff(web).await;
    match reset_password(&web.ops, &by, id, true, "").await.unwrap() {
        PasswordHandover::Here(password) => password.expose_secret().to_owned(),
        PasswordHandover::InSlack { name } => panic!("sent to {name}"),
    }
}

async fn staff(web: &TestWeb) -> Actor {
    let id = user(&web.ops, "stu", Role::Staff).await;
    Actor::of_account(Edge::Web, "stu", Account { id, role: Role::Staff })
}

#[tokio::test]
async fn known_browser_outlives_a_new_password() {
    let web = serving(with_people().await).await;
    let tess = user(&web.ops, "tess", Role::Technician).await;
    let (known, former) = (used_by(&web, "tess").await, used_by(&web, "tess").await);
    let temporary = reset(&web, tess).await;
    guess_all(&web, "tess", SPACE).await;
    assert_eq!(log_in(&known, "tess", &temporary).await.status, IN, "strangers do not count");
    log_out(&known).await;
    // Whoever knew a former password could have made any number of such browsers.
    for _ in 0..10 {
        assert_eq!(log_in(&former, "tess", "a wrong guess").await.status, WRONG);
    }
    assert_eq!(log_in(&former, "tess", &temporary).await.status, TOO_MANY, "they share one count");
    assert_eq!(log_in(&known, "tess", &temporary).await.status, IN, "which it has left");
}

#[tokio::test]
async fn deactivated_user_gets_generic_login_error() {
    let web = serving(with_people().await).await;
    let tess = user(&web.ops, "tess", Role::Technician).await;
    let known = used_by(&web, "tess").await;
    let stranger = log_in(&web.browser(), "nobody", PASSWORD).await;
    set_active(&web.ops, &staff(&web).await, tess, false).await.unwrap();
    let refused = log_in(&known, "tess", PASSWORD).await;
    let said = |reply: &Reply| {
        let text = reply.text();
        text[text.find("<h2>").unwrap()..text.find("</h2>").unwrap()].to_owned()
    };
    assert_eq!((refused.status, said(&refused)), (WRONG, said(&stranger)));
    set_active(&web.ops, &staff(&web).await, tess, true).await.unwrap();
    assert_eq!(log_in(&known, "tess", PASSWORD).await.status, IN);
}

#[tokio::test]
async fn forged_cookie_makes_no_known_browser() {
    let web = serving(with_people().await).await;
    let other =
        serving_as(with_people().await, esb::web::WebConfig { secret_key: "another".into(), ..config() });
    let other = other.await;
    let theirs = used_by(&other, "tess").await.cookie_value(COOKIE_NAME);
    assert!(!theirs.is_empty());
    guess_all(&web, "tess", SPACE).await;
    let forger = web.browser();
    forger.set_cookie(COOKIE_NAME, &theirs);
    assert_eq!(log_in(&forger, "tess", PASSWORD).await.status, TOO_MANY);
}

#[tokio::test]
async fn copied_blank_is_pointed_out() {
    let web = serving(with_people().await).await;
    let hint = "The password begins or ends with a space. Copy it without the space, or type it.";
    for (name, password, has_hint) in [
        ("tess", " changeme123", true),
        ("tess", "changeme123\u{a0}", true),
        ("nobody", "changeme123 ", true),
        ("tess", "changeme124", false),
    ] {
        let reply = log_in(&web.browser(), name, password).await;
        assert_eq!((reply.status, reply.text().contains(hint)), (WRONG, has_hint), "{name} {password:?}");
    }
    let tess = web.browser();
    log_in(&tess, "tess", PASSWORD).await;
    for (current, password, told) in [
        ("changeme123 ", "a good one!", hint),
        (PASSWORD, " a good one!", "A password cannot begin or end with a space."),
        (PASSWORD, "            ", "A password needs at least 10 characters."),
    ] {
        let form = [("current", current), ("password", password), ("repeated", password)];
        let reply = tess.fill_in("/password", "/password", &form).await;
        assert_eq!((reply.status, reply.text().contains(told)), (WRONG, true), "{told}");
    }
}
