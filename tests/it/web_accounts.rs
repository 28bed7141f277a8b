//! Who is let in: logging in and out, sessions, roles, temporary passwords.

use crate::support::ops::empty;
use crate::support::web::{TestWeb, serving, serving_routes};
use esb::domain::actor::{Actor, Edge, Role};
use esb::domain::text::{EmailAddress, Username};
use esb::ops::install::{SeedAdmin, seed_admin};
use esb::ops::{Ctx, password};
use esb::store::entities::{session, user};
use esb::web::kernel::access::SESSION_COOKIE;
use esb::web::kernel::answer::{TEXT, answer};
use esb::web::kernel::{Access, Route};
use esb::web::server::Limits;
use http::StatusCode;
use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait, PaginatorTrait};

const PASSWORD: &str = "changeme123";

/// Routes for each kind of caller; they say who acts.
static DOORS: &[Route] = &[
    Route::get("/unasked", Access::Unasked, |_, call| {
        Box::pin(async { Ok(answer(StatusCode::OK, TEXT, call.actor().name)) })
    }),
    Route::get("/anyone", Access::Anyone, |_, call| {
        Box::pin(async { Ok(answer(StatusCode::OK, TEXT, call.actor().name)) })
    }),
    Route::get("/signed-in", Access::SignedIn, |_, call| {
        Box::pin(async { Ok(answer(StatusCode::OK, TEXT, call.account()?.username.clone())) })
    }),
    Route::get("/technician", Access::Technician, |_, call| {
        Box::pin(async { Ok(answer(StatusCode::OK, TEXT, call.actor().name)) })
    }),
    Route::get("/staff", Access::Staff, |_, call| {
        Box::pin(async { Ok(answer(StatusCode::OK, TEXT, call.actor().name)) })
    }),
    Route::get("/staff.json", Access::StaffOrToken, |_, call| {
        Box::pin(async { Ok(answer(StatusCode::OK, TEXT, call.actor().name)) })
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
async fn each_door_opens_to_whom_it_should() {
    let web = serving_routes(empty().await, DOORS, Limits::STANDARD).await;
    let (tess, stu) = (web.signed_in(Role::Technician).await, web.signed_in(Role::Staff).await);
    let nobody = web.browser();
    let temporary = web.signed_in_as(crate::support::ops::user(&web.ops, "new", Role::Staff).await).await;
    let new = user::Entity::update_many().col_expr(user::Column::MustChangePassword, Expr::value(true));
    let new = sea_orm::QueryFilter::filter(new, sea_orm::ColumnTrait::eq(&user::Column::Username, "new"));
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
    assert!(tess.get("/staff").await.text().contains("Your account may not do this"));
}

#[tokio::test]
async fn logging_in_begins_a_session_and_logging_out_ends_it() {
    let web = with_sam().await;
    let browser = web.browser();
    assert!(browser.get("/").await.text().contains("href=\"/login\""));
    let reply = browser.fill_in("/login", "/login", &[("username", "sAM"), ("password", PASSWORD)]).await;
    assert_eq!((reply.status, reply.header("location")), (StatusCode::SEE_OTHER, "/"));
    let cookie = reply.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=43200"] {
        assert!(cookie.contains(attribute), "{attribute} in {cookie}");
    }
    let board = browser.get("/").await;
    assert!(board.text().contains("Signed in as </span>Sam") && board.text().contains("action=\"/logout\""));
    assert_eq!(browser.get("/login").await.status, StatusCode::SEE_OTHER);
    let kept = session::Entity::find().one(web.ops.store.read()).await.unwrap().unwrap();
    assert_ne!(kept.token_hash, browser.held(SESSION_COOKIE), "only a digest is kept");

    let token = browser.held(SESSION_COOKIE);
    assert_eq!(browser.fill_in("/", "/logout", &[]).await.header("location"), "/");
    assert_eq!(session::Entity::find().count(web.ops.store.read()).await.unwrap(), 0);
    browser.hold(SESSION_COOKIE, &token);
    assert!(!browser.get("/").await.text().contains("Signed in as"), "the old cookie is of no use");
}

#[tokio::test]
async fn whatever_was_wrong_is_not_told() {
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
        assert_eq!(browser.held(SESSION_COOKIE), "");
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
}
