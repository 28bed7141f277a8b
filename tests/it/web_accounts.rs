//! Login and logout, sessions, roles, temporary passwords and setup.

use crate::support::ops::{empty, user};
use crate::support::web::{Browser, Reply, TestWeb, serving, serving_routes};
use chrono::TimeDelta;
use esb::domain::actor::{Actor, Edge, Role};
use esb::domain::text::{EmailAddress, Username};
use esb::ops::install::{SeedAdmin, seed_admin};
use esb::ops::{Ctx, accounts::password};
use esb::store::entities::{session, user as user_entity};
use esb::web::kernel::access::SESSION_COOKIE;
use esb::web::kernel::response::{TEXT, response};
use esb::web::kernel::{Access, Route};
use esb::web::server::Limits;
use http::{Method, StatusCode};
use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait, PaginatorTrait};

const PASSWORD: &str = "changeme123";

/// Routes for each kind of caller; they say who acts.
static DOORS: &[Route] = &[
    Route::get("/unasked", Access::Public, |_, call| {
        Box::pin(async { Ok(response(StatusCode::OK, TEXT, call.actor().name)) })
    }),
    Route::get("/anyone", Access::Anyone, |_, call| {
        Box::pin(async { Ok(response(StatusCode::OK, TEXT, call.actor().name)) })
    }),
    Route::get("/signed-in", Access::SignedIn, |_, call| {
        Box::pin(async { Ok(response(StatusCode::OK, TEXT, call.account()?.username.clone())) })
    }),
    Route::get("/technician", Access::Technician, |_, call| {
        Box::pin(async { Ok(response(StatusCode::OK, TEXT, call.actor().name)) })
    }),
    Route::get("/staff", Access::Staff, |_, call| {
        Box::pin(async { Ok(response(StatusCode::OK, TEXT, call.actor().name)) })
    }),
    Route::get("/staff.json", Access::StaffOrToken, |_, call| {
        Box::pin(async { Ok(response(StatusCode::OK, TEXT, call.actor().name)) })
    }),
];

/// A staff user `sam` with a password, as `seed-admin` makes one.
async fn seeded(ops: &Ctx) {
    let seed = SeedAdmin {
        username: Username::parse("Sam").unwrap(),
        email: EmailAddress::parse("sam@example.org").unwrap(),
        slack_handle: None,
        password_hash: password::hash(PASSWORD.into()).await.unwrap(),
    };
    seed_admin(ops, &Actor::visitor(Edge::Cli, "command line"), seed).await.unwrap();
}

async fn with_sam() -> TestWeb {
    let ops = empty().await;
    seeded(&ops).await;
    serving(ops).await
}

#[tokio::test]
async fn each_access_level_admits_its_roles() {
    let web = serving_routes(empty().await, DOORS, Limits::STANDARD).await;
    let (tess, stu) = (web.signed_in(Role::Technician).await, web.signed_in(Role::Staff).await);
    let nobody = web.browser();
    let temporary = web.signed_in_as(user(&web.ops, "new", Role::Staff).await).await;
    let new = user_entity::Entity::update_many()
        .col_expr(user_entity::Column::MustChangePassword, Expr::value(true));
    let new =
        sea_orm::QueryFilter::filter(new, sea_orm::ColumnTrait::eq(&user_entity::Column::Username, "new"));
    new.exec(web.ops.store.write()).await.unwrap();
    for (path, expected) in [
        ("/unasked", [200, 200, 200, 200]),
        ("/anyone", [200, 303, 200, 200]),
        ("/signed-in", [303, 200, 200, 200]),
        ("/technician", [303, 303, 200, 200]),
        ("/staff", [303, 303, 403, 200]),
        ("/staff.json", [401, 403, 403, 200]),
    ] {
        let mut met = Vec::new();
        for browser in [&nobody, &temporary, &tess, &stu] {
            met.push(browser.get(path).await.status.as_u16());
        }
        assert_eq!(met, expected, "{path}");
    }
    assert_eq!(
        nobody.get("/staff?a=1&b=%20").await.header("location"),
        "/login?next=%2Fstaff%3Fa%3D1%26b%3D%2520"
    );
    assert_eq!(temporary.get("/staff").await.header("location"), "/password");
    assert_eq!(
        (stu.get("/unasked").await.text(), stu.get("/anyone").await.text()),
        ("A visitor".into(), "stu".into())
    );
    assert!(tess.get("/staff").await.text().contains("Your account is not allowed to do this"));
}

#[tokio::test]
async fn login_starts_and_logout_ends_session() {
    let web = with_sam().await;
    let browser = web.browser();
    assert!(browser.get("/").await.text().contains("href=\"/login\""));
    let reply = browser.fill_in("/login", "/login", &[("username", "sAM"), ("password", PASSWORD)]).await;
    assert_eq!((reply.status, reply.header("location")), (StatusCode::SEE_OTHER, "/repairs"));
    let cookie = reply.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=43200"] {
        assert!(cookie.contains(attribute), "{attribute} in {cookie}");
    }
    let board = browser.get("/").await;
    assert!(board.text().contains("Signed in as </span>Sam") && board.text().contains("action=\"/logout\""));
    assert_eq!(browser.get("/login").await.status, StatusCode::SEE_OTHER);
    let kept = session::Entity::find().one(web.ops.store.read()).await.unwrap().unwrap();
    assert_ne!(kept.token_hash, browser.cookie_value(SESSION_COOKIE), "only a digest is kept");

    let token = browser.cookie_value(SESSION_COOKIE);
    assert_eq!(browser.fill_in("/", "/logout", &[]).await.header("location"), "/");
    assert_eq!(session::Entity::find().count(web.ops.store.read()).await.unwrap(), 0);
    browser.set_cookie(SESSION_COOKIE, &token);
    assert!(!browser.get("/").await.text().contains("Signed in as"), "the old cookie is of no use");
}

#[tokio::test]
async fn login_error_does_not_reveal_its_cause() {
    let web = with_sam().await;
    let mut told = Vec::new();
    for (username, given) in
        [("Sam", "changeme124"), ("Sam", ""), ("nobody", PASSWORD), ("", ""), ("S\0m", PASSWORD)]
    {
        let browser = web.browser();
        let reply = browser.fill_in("/login", "/login", &[("username", username), ("password", given)]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{username}");
        let text = reply.text();
        told.push(text[text.find("<h2>").unwrap()..text.find("</h2>").unwrap()].to_owned());
        assert_eq!(browser.cookie_value(SESSION_COOKIE), "");
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
}

/// Logs in at the page; the reply.
async fn log_in(browser: &Browser<'_>, username: &str, password: &str) -> Reply {
    browser.fill_in("/login", "/login", &[("username", username), ("password", password)]).await
}

#[tokio::test]
async fn temporary_password_must_be_changed_first() {
    let web = serving(empty().await).await;
    let stu = web.signed_in(Role::Staff).await;
    let new =
        [("username", "nia"), ("email", "nia@example.org"), ("role", "Technician"), ("slack_handle", "")];
    let made = stu.fill_in_new("/admin/users", "/admin/users", &new).await;
    let temporary = made.secret();
    assert_eq!((temporary.len(), made.header("cache-control")), (19, "no-store"));
    assert!(stu.get("/admin/users").await.text().contains("Temporary password"));

    let (nia, elsewhere) = (web.browser(), web.browser());
    log_in(&elsewhere, "nia", &temporary).await;
    assert_eq!(log_in(&nia, "nia", &temporary).await.status, StatusCode::SEE_OTHER);
    for path in ["/", "/admin/users", "/login", "/setup"] {
        assert_eq!(nia.get(path).await.header("location"), "/password", "{path}");
    }
    let change = async |current: &str, password: &str, repeated: &str| {
        let form = [("current", current), ("password", password), ("repeated", repeated)];
        nia.fill_in("/password", "/password", &form).await
    };
    for (current, password, repeated, told) in [
        ("wrong", "a good one!", "a good one!", "This is not your current password"),
        (&*temporary, "a good one!", "another one", "The two new passwords differ"),
        (&*temporary, "short", "short", "at least 10 characters"),
        (&*temporary, &*temporary, &*temporary, "Please choose a password that differs"),
    ] {
        let reply = change(current, password, repeated).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
        assert!(reply.text().contains(told), "{told}");
        assert!(!reply.text().contains(&format!("value=\"{password}\"")), "a password never comes back");
    }
    assert_eq!(change(&temporary, "a good one!", "a good one!").await.header("location"), "/repairs");
    assert_eq!(nia.get("/").await.status, StatusCode::OK);
    assert!(!elsewhere.get("/").await.text().contains("Signed in as"), "the other session has ended");
    assert_eq!(log_in(&elsewhere, "nia", &temporary).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(log_in(&elsewhere, "nia", "a good one!").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn user_changes_take_effect_immediately() {
    let web = serving(empty().await).await;
    let (stu, tess) = (web.signed_in(Role::Staff).await, web.signed_in(Role::Technician).await);
    let id = user(&web.ops, "tess", Role::Technician).await;
    let page = format!("/admin/users/{id}");
    let edit = [("email", "tess@example.org"), ("role", "Staff"), ("slack_handle", "@tess")];
    assert_eq!(stu.fill_in(&page, &page, &edit).await.header("location"), "/admin/users");
    assert_eq!(tess.get("/admin/users").await.status, StatusCode::SEE_OTHER, "another role: log in again");
    let tess = web.signed_in_as(id).await;
    assert_eq!(tess.get("/admin/users").await.status, StatusCode::OK);
    for (field, value, told) in [
        ("email", "no address", "does not look like an e-mail address"),
        ("email", "STU@example.org", "Another user has this e-mail address"),
        ("role", "King", "choose one of the two"),
        ("slack_handle", "\0", "(U+0000)"),
    ] {
        let fields = edit.map(|(name, old)| (name, if name == field { value } else { old }));
        let reply = stu.fill_in(&page, &page, &fields).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
        assert!(
            reply.text().contains(&format!("id=\"{field}-error\"")) && reply.text().contains(told),
            "{told}"
        );
    }
    stu.fill_in(&page, &format!("{page}/deactivate"), &[]).await;
    assert_eq!(tess.get("/admin/users").await.status, StatusCode::SEE_OTHER);
    let own = format!("/admin/users/{}", user(&web.ops, "stu", Role::Staff).await);
    let last = stu.fill_in(&own, &format!("{own}/deactivate"), &[]).await;
    assert_eq!(last.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(last.text().contains("last active staff user"));
    assert!(stu.get(&page).await.text().contains("Deactivated"));
    stu.fill_in(&page, &format!("{page}/activate"), &[]).await;
    let temporary = stu.fill_in(&page, &format!("{page}/reset-password"), &[]).await.secret();
    let tess = web.browser();
    log_in(&tess, "tess", &temporary).await;
    assert_eq!(tess.get("/").await.header("location"), "/password");
}

#[tokio::test]
async fn repeated_user_form_creates_one_user() {
    let web = serving(empty().await).await;
    let stu = web.signed_in(Role::Staff).await;
    let page = stu.get("/admin/users").await;
    let (token, request) = (page.hidden("csrf_token"), page.hidden("request_id"));
    let form = [
        ("csrf_token", &*token),
        ("request_id", &request),
        ("username", "nia"),
        ("email", "nia@example.org"),
        ("role", "Technician"),
    ];
    assert_eq!(stu.post("/admin/users", &form).await.secret().len(), 19);
    let again = stu.post("/admin/users", &form).await;
    assert_eq!(again.status, StatusCode::OK);
    assert!(again.text().contains("The user was added before") && !again.text().contains("class=\"secret\""));
    let taken = stu.fill_in_new("/admin/users", "/admin/users", &form[2..]).await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(taken.text().contains("Another user has this name") && taken.text().contains("value=\"nia\""));
    assert_eq!(stu.get("/admin/users?page=2").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn login_prevents_session_fixation() {
    let web = with_sam().await;
    let browser = web.browser();
    let planted = "a".repeat(64);
    browser.set_cookie(SESSION_COOKIE, &planted);
    log_in(&browser, "sam", PASSWORD).await;
    let first = browser.cookie_value(SESSION_COOKIE);
    assert_ne!(first, planted);
    let thief = web.browser();
    thief.set_cookie(SESSION_COOKIE, &planted);
    assert_eq!(thief.get("/password").await.header("location"), "/login?next=%2Fpassword");

    let token = browser.get("/").await.hidden("csrf_token");
    let again = [("csrf_token", &*token), ("username", "sam"), ("password", PASSWORD)];
    assert_eq!(browser.post("/login", &again).await.status, StatusCode::SEE_OTHER);
    let second = browser.cookie_value(SESSION_COOKIE);
    assert_ne!(first, second);
    thief.set_cookie(SESSION_COOKIE, &first);
    assert_eq!(thief.get("/password").await.status, StatusCode::SEE_OTHER, "the earlier session has ended");
    assert_eq!(browser.post("/logout", &[("csrf_token", &token)]).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn session_ends_after_twelve_hours() {
    let web = serving(empty().await).await;
    let stu = web.signed_in(Role::Staff).await;
    web.ops.clock.advance(TimeDelta::hours(12) - TimeDelta::seconds(1));
    assert_eq!(stu.get("/admin/users").await.status, StatusCode::OK);
    web.ops.clock.advance(TimeDelta::seconds(1));
    assert_eq!(stu.get("/admin/users").await.status, StatusCode::SEE_OTHER);
    assert!(!stu.get("/").await.text().contains("Signed in as"));
}

#[tokio::test]
async fn login_redirects_to_local_paths_only() {
    let web = with_sam().await;
    let browser = web.browser();
    for (next, location) in [
        ("/admin/users?page=1", "/admin/users?page=1"),
        ("", "/repairs"),
        ("//evil.example", "/repairs"),
        ("/\\evil.example", "/repairs"),
        ("https://evil.example", "/repairs"),
        ("/\t//evil.example", "/repairs"),
        ("/%0d%0aset-cookie:a", "/%0d%0aset-cookie:a"),
        ("/\r\nset-cookie: a=b", "/repairs"),
    ] {
        let form = [("username", "sam"), ("password", PASSWORD), ("next", next)];
        let token = web.browser();
        let reply = token.fill_in("/login", "/login", &form).await;
        assert_eq!(reply.header("location"), location, "{next:?}");
    }
    let asked = browser.get("/admin/users?page=1").await.header("location").to_owned();
    assert_eq!(browser.get(&asked).await.hidden("next"), "/admin/users?page=1");
    let evil = browser.get("/login?next=//evil.example").await.text();
    assert!(!evil.contains("evil.example"));
}

#[tokio::test]
async fn login_attempts_are_limited() {
    let web = with_sam().await;
    let guess = async |name: &str, address: &str, password: &str| {
        let browser = web.browser().from(address);
        log_in(&browser, name, password).await
    };
    for _ in 1..=10 {
        assert_eq!(guess("sam", "203.0.113.99", "guess").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let late = guess(" SAM", "203.0.113.99", PASSWORD).await;
    assert_eq!((late.status, late.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "60"));
    assert!(late.text().contains("try again in a minute"));
    assert_eq!(guess("other", "203.0.113.99", "x").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(guess("sam", "203.0.113.98", "x").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    web.ops.clock.advance(TimeDelta::minutes(1));
    assert_eq!(guess("sam", "203.0.113.99", PASSWORD).await.status, StatusCode::SEE_OTHER);

    for n in 0..30 {
        let reply = guess(&format!("nobody{n}"), "198.51.100.7", "x").await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{n}");
    }
    assert_eq!(guess("nobody", "198.51.100.7", "x").await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(guess("nobody", "198.51.100.8", "x").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn setup_code_creates_first_staff_user_once() {
    let web = serving(empty().await).await;
    let code = web.setup_code.clone().unwrap();
    let browser = web.browser();
    let set_up = async |code: &str, username: &str, password: &str| {
        let form =
            [("code", code), ("username", username), ("email", "sam@example.org"), ("password", password)];
        browser.fill_in("/setup", "/setup", &form).await
    };
    for (code, username, password, told) in [
        ("wrong", "sam", PASSWORD, "Wrong code"),
        (&*code, "", PASSWORD, "Please fill this in"),
        (&*code, "sam", "short", "at least 10 characters"),
    ] {
        let reply = set_up(code, username, password).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
        assert!(reply.text().contains(told), "{told}");
    }
    assert_eq!(user_entity::Entity::find().count(web.ops.store.read()).await.unwrap(), 0);
    assert_eq!(set_up(&code, "sam", PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/admin/users").await.status, StatusCode::OK, "signed in at once");
    let late = web.browser();
    assert_eq!(late.get("/setup").await.status, StatusCode::NOT_FOUND);
    let form = [("code", &*code), ("username", "eve"), ("email", "eve@example.org"), ("password", PASSWORD)];
    assert_eq!(late.fill_in("/login", "/setup", &form).await.status, StatusCode::NOT_FOUND);
    assert_eq!(user_entity::Entity::find().count(web.ops.store.read()).await.unwrap(), 1);
}

#[tokio::test]
async fn personal_pages_are_not_cached() {
    let web = serving(empty().await).await;
    let stu = web.signed_in(Role::Staff).await;
    let (own, public) = (stu.get("/").await, web.get("/").await);
    assert_ne!(own.header("etag"), public.header("etag"));
    assert_eq!(
        (own.header("cache-control"), public.header("cache-control")),
        ("private, no-cache", "no-cache")
    );
    assert!(!public.text().contains("stu") && !web.browser().get("/").await.text().contains("Signed in"));
    assert_eq!(stu.get("/admin/users").await.header("cache-control"), "no-store");
    let held = [("if-none-match", public.header("etag")), ("cookie", &*stu.cookie())];
    let asked = web.ask(Method::GET, "/", &held).await;
    assert_eq!(asked.status, StatusCode::OK, "what was kept before logging in is not shown again");
}
