//! The channel of an area as staff paste it: links become ids, and what is no channel is refused in words that say what
//! to do.

use crate::support::ops::with_saw;
use crate::support::web::serving;
use crate::web_equipment::send;
use esb::domain::actor::Role;
use esb::domain::ids::AreaId;
use esb::store;
use http::StatusCode;

#[tokio::test]
async fn pasted_channel_links_become_ids() {
    let web = serving(with_saw().await.0).await;
    let stu = web.signed_in(Role::Staff).await;
    for (n, pasted) in [
        "https://x.slack.com/archives/C0999ABCD",
        "https://x.slack.com/archives/C0999ABCD/p1700000000000100?thread_ts=17.1",
        "https://app.slack.com/client/T0123ABCD/C0999ABCD",
        "<#C0999ABCD|wood>",
    ]
    .into_iter()
    .enumerate()
    {
        let (name, at) = (format!("Area {n}"), "/admin/areas");
        let reply = send(&stu, at, at, &[("name", &name), ("slack_channel", pasted)]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{pasted}: {}", reply.text());
        let id = AreaId(i64::try_from(n).unwrap() + 2);
        let area = store::areas::find(web.ops.store.read(), id).await.unwrap().unwrap();
        assert_eq!((area.name.as_str(), area.slack_channel.as_str()), (&*name, "C0999ABCD"));
    }
}

#[tokio::test]
async fn invalid_channel_is_refused_with_remedy() {
    let web = serving(with_saw().await.0).await;
    let stu = web.signed_in(Role::Staff).await;
    for (typed, words) in [
        ("@tess", "This is a person, not a channel."),
        ("U02ABCDEF", "This is a person, not a channel."),
        ("none", "Leave the field empty for no channel"),
        ("-", "Leave the field empty for no channel"),
        ("https://example.org/wood", "This link leads to no Slack channel."),
        ("wood shop", "Write the channel"),
    ] {
        for at in ["/admin/areas", "/admin/areas/1"] {
            let reply = send(&stu, at, at, &[("name", "Loft"), ("slack_channel", typed)]).await;
            assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
            assert!(reply.text().contains(words), "{typed}: {}", reply.text());
        }
    }
}
