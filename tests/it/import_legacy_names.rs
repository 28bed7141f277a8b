//! Look-alike names of the Python system, and names with invisible characters: they are copied and reported.

use crate::support::ops::{empty, user};
use crate::support::python::{HASH, PASSWORD, Python, Version};
use esb::domain::actor::{Actor, Edge, Role};
use esb::ops::accounts::sign_in::log_in;
use esb::ops::import::{Event, import_legacy};

#[tokio::test]
async fn look_alike_names_are_copied_and_reported() {
    let (ops, python) = (empty().await, Python::of(Version::V19).await);
    user(&ops, "sam", Role::Staff).await;
    let at = "'2025-05-01 10:00:00', '2025-05-02 11:00:00'";
    let columns =
        "(id, username, email, password_hash, role, slack_handle, is_active, created_at, updated_at)";
    for (id, name, email) in [
        (21, "tess", "tess@example.org"),
        (22, "tеss", "tеss@example.org"),
        (23, "bo\u{200b}", "bo@example.org"),
        (24, "ѕam", "sam2@example.org"),
        (25, "ann", "ann@example.org"),
    ] {
        let row = format!("{id}, '{name}', '{email}', '{HASH}', 'technician', NULL, true, {at}");
        python.rows(&format!("users {columns}"), &[&row]).await;
    }
    let mut findings = Vec::new();
    let mut tell = |event: Event<'_>| {
        if let Event::Finding(what) = event {
            findings.push(what.to_owned());
        }
    };
    let by = Actor::visitor(Edge::Cli, "command line");
    import_legacy(&ops, &by, &python.open().await, (false, None), &mut tell).await.unwrap();
    assert_eq!(
        findings,
        [
            "users 22 “tеss”: username “tеss” looks like the name of another user, “tess”",
            "users 22 “tеss”: email “tеss@example.org” looks like the address of another user, “tess@example.org”",
            "users 23 “bo”: username “bo\u{200b}” holds characters that nobody sees: “bo” instead",
            "users 24 “ѕam”: username “ѕam” looks like the name of another user, “sam”",
        ]
    );
    for name in ["tess", "tеss", "bo", "bo\u{200b}", "ѕam", "ann"] {
        assert!(log_in(&ops, name, PASSWORD.into(), None).await.unwrap().is_some(), "{name:?}");
    }
}
