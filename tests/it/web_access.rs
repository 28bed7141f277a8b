//! Permissions of every route, forged forms and cookies, API tokens and hosts.

use crate::support::ops::{empty, user};
use crate::support::web::{Browser, Reply, TestWeb, serving, serving_routes};
use esb::domain::actor::{Actor, Edge, Role};
use esb::domain::ids::UserId;
use esb::domain::text::{RequestId, TokenName};
use esb::ops::accounts::api_tokens::{TokenCreated, create_token};
use esb::ops::accounts::manage_users::set_active;
use esb::render::html::NAVIGATION;
use esb::store::entities::user as user_entity;
use esb::web::Web;
use esb::web::kernel::access::SESSION_COOKIE;
use esb::web::kernel::response::{TEXT, response};
use esb::web::kernel::route::{BodyRule, CsrfRule};
use esb::web::kernel::{Access, Route};
use esb::web::server::Limits;
use http::{Method, StatusCode};
use sea_orm::{ActiveModelTrait, Set, Unchanged};
use secrecy::ExposeSecret;

/// What becomes of a caller at a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Met {
    /// The page answers, whatever it says.
    In,
    /// Sent to log in.
    Login,
    /// 403.
    No,
}
use Met::{In, Login, No};

/// Forms that visitors send without a token: nobody gains by making them do so.
const OPEN_FORMS: &[&str] = &["/e/{id}/report", "/e/{id}/me-too/{repair}"];

/// For each pattern, for all its methods: anonymous, inactive, technician, staff, a program with a token.
const MATRIX: &[(&str, [Met; 5])] = &[
    ("/", [In, In, In, In, In]),
    ("/area/{id}", [In, In, In, In, In]),
    ("/e/{id}", [In, In, In, In, In]),
    ("/e/{id}.json", [In, In, In, In, In]),
    ("/e/{id}/report", [In, In, In, In, In]),
    ("/e/{id}/reported/{token}", [In, In, In, In, In]),
    ("/e/{id}/me-too/{repair}", [In, In, In, In, In]),
    ("/login", [In, In, In, In, In]),
    ("/setup", [In, In, In, In, In]),
    ("/status.json", [In, In, In, In, In]),
    ("/events", [In, In, In, In, In]),
    // Whom a request comes from is shown by its signature: `slack_http`.
    ("/slack/events", [In, In, In, In, In]),
    ("/health", [In, In, In, In, In]),
    ("/health/live", [In, In, In, In, In]),
    ("/metrics", [In, In, In, In, In]),
    ("/assets/{*path}", [In, In, In, In, In]),
    ("/documents/{id}", [In, In, In, In, In]),
    ("/photos/{id}", [In, In, In, In, In]),
    ("/photos/{id}/thumbnail", [In, In, In, In, In]),
    ("/logout", [Login, Login, In, In, No]),
    ("/password", [Login, Login, In, In, No]),
    ("/repairs", [Login, Login, In, In, No]),
    ("/repairs/new", [Login, Login, In, In, No]),
    ("/repairs/{id}", [Login, Login, In, In, No]),
    ("/repairs/{id}/edit", [Login, Login, In, In, No]),
    ("/repairs/{id}/claim", [Login, Login, In, In, No]),
    ("/repairs/{id}/resolve", [Login, Login, In, In, No]),
    ("/repairs/{id}/status", [Login, Login, In, In, No]),
    ("/repairs/{id}/notes", [Login, Login, In, In, No]),
    ("/repairs/{id}/photos", [Login, Login, In, In, No]),
    ("/admin/users", [Login, Login, No, In, No]),
    ("/admin/users/{id}", [Login, Login, No, In, No]),
    ("/admin/users/{id}/activate", [Login, Login, No, In, No]),
    ("/admin/users/{id}/deactivate", [Login, Login, No, In, No]),
    ("/admin/users/{id}/reset-password", [Login, Login, No, In, No]),
    ("/admin/users/{id}/unlink-slack", [Login, Login, No, In, No]),
    ("/admin/users/{id}/allow-slack", [Login, Login, No, In, No]),
    ("/admin/tokens", [Login, Login, No, In, No]),
    ("/admin/tokens/{id}/revoke", [Login, Login, No, In, No]),
    ("/equipment", [Login, Login, In, In, No]),
    ("/equipment.csv", [Login, Login, In, In, No]),
    ("/equipment/{id}", [Login, Login, In, In, No]),
    ("/equipment/{id}/notes", [Login, Login, In, In, No]),
    ("/equipment/{id}/notes/{note}/remove", [Login, Login, In, In, No]),
    ("/equipment/{id}/links", [Login, Login, In, In, No]),
    ("/equipment/{id}/links/{link}/remove", [Login, Login, In, In, No]),
    ("/equipment/{id}/documents", [Login, Login, No, In, No]),
    ("/equipment/{id}/documents/{document}/remove", [Login, Login, No, In, No]),
    ("/equipment/{id}/photos", [Login, Login, No, In, No]),
    ("/equipment/{id}/photos/{photo}/remove", [Login, Login, No, In, No]),
    ("/equipment/new", [Login, Login, No, In, No]),
    ("/equipment/{id}/edit", [Login, Login, No, In, No]),
    ("/equipment/{id}/archive", [Login, Login, No, In, No]),
    ("/equipment/{id}/restore", [Login, Login, No, In, No]),
    ("/admin/areas", [Login, Login, No, In, No]),
    ("/admin/areas/{id}", [Login, Login, No, In, No]),
    ("/admin/areas/{id}/archive", [Login, Login, No, In, No]),
    ("/admin/areas/{id}/restore", [Login, Login, No, In, No]),
    ("/admin/config", [Login, Login, No, In, No]),
    ("/admin/jobs", [Login, Login, No, In, No]),
    ("/admin/jobs/{id}", [Login, Login, No, In, No]),
    ("/admin/jobs/{id}/cancel", [Login, Login, No, In, No]),
    ("/admin/jobs/{id}/resume", [Login, Login, No, In, No]),
    ("/admin/audit", [Login, Login, No, In, No]),
    ("/admin/audit.csv", [Login, Login, No, In, In]),
    ("/public", [In, In, In, In, In]),
    ("/public/", [In, In, In, In, In]),
    ("/public/kiosk", [In, In, In, In, In]),
    ("/public/kiosk/{area}", [In, In, In, In, In]),
    ("/public/kiosk/dense/{columns}", [In, In, In, In, In]),
    ("/public/equipment/{id}", [In, In, In, In, In]),
    ("/public/equipment/{id}/info", [In, In, In, In, In]),
    ("/repairs/queue", [In, In, In, In, In]),
    ("/repairs/kanban", [In, In, In, In, In]),
    ("/auth/login", [In, In, In, In, In]),
    ("/docs", [In, In, In, In, In]),
    ("/docs/", [In, In, In, In, In]),
    ("/docs/{*page}", [In, In, In, In, In]),
    ("/equipment/export.csv", [In, In, In, In, In]),
];

/// A path that the pattern matches, of things that are not there.
fn path(pattern: &str) -> String {
    let parts = pattern.split('/').map(|part| match (part.find('{'), part.find('}')) {
        (Some(_), Some(end)) => format!("999{}", &part[end + 1..]),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

fn met(reply: &Reply) -> Met {
    match reply.status {
        StatusCode::FORBIDDEN => No,
        StatusCode::SEE_OTHER if reply.header("location").starts_with("/login") => Login,
        StatusCode::UNAUTHORIZED => panic!("{}", reply.text()),
        _ => In,
    }
}

/// The token of any form of a page that this browser may see.
async fn csrf_token(browser: &Browser<'_>) -> String {
    let page = browser.get("/").await;
    if page.text().contains("csrf_token") { page } else { browser.get("/login").await }.hidden("csrf_token")
}

async fn ask(browser: &Browser<'_>, route: &Route) -> Reply {
    let path = path(route.pattern);
    if route.method == Method::POST {
        let token = csrf_token(browser).await;
        return browser.post(&path, &[("csrf_token", &token)]).await;
    }
    // The head will do: /events has no end.
    browser.head(&path).await
}

async fn ask_with_token(web: &TestWeb, route: &Route, token: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    let method = if route.method == Method::GET { Method::HEAD } else { route.method.clone() };
    let form = ("content-type", "application/x-www-form-urlencoded");
    web.ask(method, &path(route.pattern), &[("authorization", &bearer), form]).await
}

fn staff(id: UserId) -> Actor {
    Actor::of_account(Edge::Web, "stu", esb::domain::actor::Account { id, role: Role::Staff })
}

/// An API token that `stu` made.
async fn api_token(web: &TestWeb, request: u8) -> String {
    let stu = staff(user(&web.ops, "stu", Role::Staff).await);
    let name = TokenName::parse("monitoring").unwrap();
    match create_token(&web.ops, &stu, &name, &RequestId::from_random([request; 16])).await.unwrap() {
        TokenCreated::Now(token) => token.expose_secret().to_owned(),
        TokenCreated::Before => panic!("made before"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn permission_matrix_holds_on_every_route() {
    let web = serving(empty().await).await;
    let token = api_token(&web, 1).await;
    let ivy = user(&web.ops, "ivy", Role::Staff).await;
    let (tess, stu) =
        (user(&web.ops, "tess", Role::Technician).await, user(&web.ops, "stu", Role::Staff).await);
    set_active(&web.ops, &staff(stu), ivy, false).await.unwrap();
    for route in Web::routes() {
        let expected = MATRIX.iter().find(|(pattern, _)| *pattern == route.pattern);
        let (_, expected) = expected.unwrap_or_else(|| panic!("MATRIX says nothing of {}", route.pattern));
        let mut found = vec![ask(&web.browser(), route).await];
        for id in [ivy, tess, stu] {
            found.push(ask(&web.signed_in_as(id).await, route).await);
        }
        found.push(ask_with_token(&web, route, &token).await);
        let found: Vec<Met> = found.iter().map(met).collect();
        assert_eq!(found, expected, "{} {}", route.method, route.pattern);
    }
    let gone: Vec<_> =
        MATRIX.iter().filter(|(p, _)| !Web::routes().iter().any(|route| route.pattern == *p)).collect();
    assert!(gone.is_empty(), "MATRIX names what is no route: {gone:?}");
}

#[tokio::test]
async fn navigation_links_only_to_permitted_pages() {
    let web = serving(empty().await).await;
    for (_, path, least) in NAVIGATION {
        let browser = match least {
            None => web.browser(),
            Some(role) => web.signed_in(*role).await,
        };
        assert_eq!(browser.get(path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_requires_csrf_token() {
    let web = serving(empty().await).await;
    let (stu, other, nobody) =
        (web.signed_in(Role::Staff).await, web.signed_in(Role::Staff).await, web.browser());
    let others = csrf_token(&other).await;
    let before = csrf_token(&nobody).await;
    let mut forms = 0;
    for route in Web::routes().iter().filter(|route| route.method != Method::GET) {
        if matches!(route.body, BodyRule::Raw { .. }) {
            assert_eq!(route.pattern, "/slack/events", "signed by Slack: see `slack_http`");
            continue;
        }
        forms += 1;
        for forged in [None, Some(""), Some("x"), Some(others.as_str()), Some(before.as_str())] {
            let fields: Vec<(&str, &str)> = forged.iter().map(|token| ("csrf_token", *token)).collect();
            let reply = stu.post(&path(route.pattern), &fields).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{} {forged:?}", route.pattern);
            assert!(reply.text().contains("or you logged in or out"), "{}", route.pattern);
        }
        if route.access == Access::Anyone {
            let reply = nobody.post(&path(route.pattern), &[]).await;
            let wants =
                if OPEN_FORMS.contains(&route.pattern) { CsrfRule::SignedIn } else { CsrfRule::Everybody };
            assert_eq!(route.csrf, wants, "{}", route.pattern);
            let is_refused = reply.status == StatusCode::FORBIDDEN;
            assert_eq!(is_refused, wants == CsrfRule::Everybody, "{}: {}", route.pattern, reply.status);
        } else {
            assert_eq!(route.csrf, CsrfRule::Everybody, "{}", route.pattern);
        }
    }
    assert!(forms >= 11);
    assert_eq!(stu.get("/admin/users").await.status, StatusCode::OK, "nobody was logged out");
}

/// A route as those to come that programs ask for.
static FOR_PROGRAMS: &[Route] = &[
    Route::get("/api/who.json", Access::StaffOrToken, |_, call| {
        Box::pin(async { Ok(response(StatusCode::OK, TEXT, call.actor().name)) })
    }),
    Route::form("/api/do", Access::StaffOrToken, 100, |_, call| {
        Box::pin(async { Ok(response(StatusCode::OK, TEXT, call.form.typed("a")?.to_owned())) })
    }),
];

#[tokio::test]
async fn api_token_needs_no_session_or_csrf() {
    let web = serving_routes(empty().await, FOR_PROGRAMS, Limits::STANDARD).await;
    let token = api_token(&web, 1).await;
    let get = async |name: &str, value: &str| web.ask(Method::GET, "/api/who.json", &[(name, value)]).await;
    assert_eq!(get("x-api-key", &token).await.text(), "API token “monitoring”");
    assert_eq!(get("authorization", &format!("bearer {token}")).await.status, StatusCode::OK);
    let form = ("content-type", "application/x-www-form-urlencoded");
    let posted = web.ask(Method::POST, "/api/do", &[("x-api-key", &token), form]).await;
    assert_eq!(posted.status, StatusCode::OK);
    assert_eq!(web.get("/api/who.json").await.status, StatusCode::UNAUTHORIZED);
    let stu = web.signed_in(Role::Staff).await;
    assert_eq!(stu.get("/api/who.json").await.text(), "stu");
    assert_eq!(stu.post("/api/do", &[]).await.status, StatusCode::FORBIDDEN, "a browser needs one");

    let demoted = user_entity::ActiveModel {
        id: Unchanged(user(&web.ops, "stu", Role::Staff).await),
        role: Set(Role::Technician),
        ..Default::default()
    };
    demoted.update(web.ops.store.write()).await.unwrap();
    assert_eq!(get("x-api-key", &token).await.status, StatusCode::UNAUTHORIZED, "its maker is no staff");
}

#[tokio::test]
async fn api_token_ends_with_creators_role() {
    let web = serving(empty().await).await;
    let token = api_token(&web, 1).await;
    let get = async || web.ask(Method::GET, "/admin/audit.csv", &[("x-api-key", &token)]).await;
    let read = get().await;
    assert_eq!(read.status, StatusCode::OK);
    assert!(read.text().contains(",stu,web,token.created,"), "{}", read.text());
    let stu = user(&web.ops, "stu", Role::Staff).await;
    let kim = user(&web.ops, "kim", Role::Staff).await;
    set_active(&web.ops, &staff(kim), stu, false).await.unwrap();
    assert_eq!(get().await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_token_is_refused_on_every_route() {
    let web = serving(empty().await).await;
    let stu = web.signed_in(Role::Staff).await;
    let made = stu.fill_in_new("/admin/tokens", "/admin/tokens", &[("name", "monitoring")]).await;
    let token = made.secret();
    assert_eq!(web.ask(Method::GET, "/health", &[("x-api-key", &token)]).await.status, StatusCode::OK);
    let listed = stu.get("/admin/tokens").await.text();
    assert!(listed.contains("monitoring") && !listed.contains(&token), "it is shown once");
    assert_eq!(
        stu.fill_in("/admin/tokens", "/admin/tokens/1/revoke", &[]).await.status,
        StatusCode::SEE_OTHER
    );
    for route in Web::routes() {
        for wrong in [token.as_str(), "", "x", &"0".repeat(64)] {
            let reply = ask_with_token(&web, route, wrong).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{} {} {wrong}", route.method, route.pattern);
        }
    }
    let basic = web.ask(Method::GET, "/health", &[("authorization", "Basic YTpi")]).await;
    assert_eq!(basic.status, StatusCode::OK, "that is for a proxy before us");
}

#[tokio::test]
async fn forged_cookies_do_not_authenticate() {
    let web = serving(empty().await).await;
    let stu = web.signed_in(Role::Staff).await;
    let token = stu.cookie_value(SESSION_COOKIE);
    let (first, rest) = token.split_at(1);
    let flipped = format!("{}{rest}", if first == "0" { "1" } else { "0" });
    let upper = token.to_uppercase();
    let longer = format!("{token}0");
    let hash = esb_digest(&token);
    for forged in ["", "x", "' OR 1=1 --", &flipped, &longer, &hash, &"0".repeat(64)] {
        let browser = web.browser();
        browser.set_cookie(SESSION_COOKIE, forged);
        assert_eq!(browser.get("/admin/users").await.status, StatusCode::SEE_OTHER, "{forged}");
    }
    if upper != token {
        let browser = web.browser();
        browser.set_cookie(SESSION_COOKIE, &upper);
        assert_eq!(browser.get("/admin/users").await.status, StatusCode::SEE_OTHER);
    }
    let signed_by_us = web.browser();
    signed_by_us.get("/login").await;
    signed_by_us.set_cookie(SESSION_COOKIE, &signed_by_us.cookie_value("esb_browser"));
    assert_eq!(signed_by_us.get("/admin/users").await.status, StatusCode::SEE_OTHER);
}

fn esb_digest(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn forged_host_never_appears_in_response() {
    let web = serving(empty().await).await;
    for host in ["evil.example", "evil.example:80", "esb.example.org@evil.example", ""] {
        for path in ["/admin/users", "/", "/login", "/nowhere"] {
            let headers =
                [("host", host), ("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example")];
            let reply = web.ask(Method::GET, path, &headers).await;
            let location = reply.header("location");
            assert!(location.is_empty() || location.starts_with("/login?next=%2F"), "{location}");
            assert!(!reply.text().contains("evil.example"), "{path}");
            assert!(!reply.header("set-cookie").to_lowercase().contains("domain="), "{path}");
        }
    }
}
