//! Cookies of two installations on one host, and how a browser may treat them.

use crate::support::ops::{empty, user};
use crate::support::web::{TestWeb, config, serving_as};
use esb::domain::actor::Role;
use esb::web::WebConfig;
use esb::web::kernel::access::SESSION_COOKIE;
use esb::web::kernel::cookies::Cookies;
use http::{Method, StatusCode};

async fn at(address: Option<&str>) -> (TestWeb, Cookies) {
    let config = WebConfig { base_url: address.map(str::to_owned), ..config() };
    let cookies = Cookies::new(address, &config.secret_key);
    (serving_as(empty().await, config).await, cookies)
}

#[tokio::test]
async fn two_installations_on_one_host_keep_their_sessions() {
    let ((one, ours), (other, theirs)) =
        (at(Some("http://tools.test:5000")).await, at(Some("http://tools.test:5001")).await);
    let mut held = Vec::new();
    for (web, cookies) in [(&one, &ours), (&other, &theirs)] {
        let stu = user(&web.ops, "stu", Role::Staff).await;
        held.push(format!("{}={}", cookies.cookie_name(SESSION_COOKIE), web.session_of(stu).await));
    }
    // A browser sends both to both, since ports do not matter to it.
    let both = held.join("; ");
    for web in [&one, &other] {
        let page = web.ask(Method::GET, "/admin/users", &[("cookie", &both)]).await;
        assert_eq!(page.status, StatusCode::OK);
        for cookie in &held {
            let name = cookie.split('=').next().unwrap();
            assert!(!page.header("set-cookie").contains(name), "it is left alone");
        }
    }
    let (only_theirs, only_ours) = (("cookie", held[1].as_str()), ("cookie", held[0].as_str()));
    assert_eq!(one.ask(Method::GET, "/admin/users", &[only_theirs]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(other.ask(Method::GET, "/admin/users", &[only_ours]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn cookies_of_https_are_bound_to_their_host() {
    for (address, prefix) in [(Some("https://tools.test"), "__Host-esb_browser_"), (None, "esb_browser_")] {
        let (web, _) = at(address).await;
        let page = web.get("/login").await;
        let cookie = page.header("set-cookie");
        assert!(cookie.starts_with(prefix), "{cookie}");
        assert!(cookie.contains("Path=/") && !cookie.contains("Domain"), "{cookie}");
        assert_eq!(cookie.contains("Secure"), address.is_some(), "{cookie}");
    }
}
