//! The program behind a proxy: every call to Slack goes through a tunnel, and nothing shows the proxy's password.

use crate::support::app::{DEADLINE, world};
use crate::support::connect_proxy::ConnectProxy;
use crate::support::database::TestDatabase;
use crate::support::jobs::{job, pictures, queue};
use crate::support::process::{Installation, Process};
use crate::support::wait::pause;
use esb::clock::Clock;
use esb::domain::ids::RepairId;
use esb::domain::job::JobState;
use esb::ops::{Announce, Ctx};
use esb_sandbox::{Options, Sandbox};

/// What `esb:hunter2` is in `Proxy-Authorization`.
const CREDENTIALS: &str = "Basic ZXNiOmh1bnRlcjI=";

/// A Slack that only the proxy finds.
async fn behind_a_proxy() -> (Installation, ConnectProxy) {
    let options = Options { host: Some("slack.test".into()), ..Options::default() };
    let slack = Sandbox::start(world(), options).unwrap();
    let port = slack.api_url().split(':').nth(2).unwrap().split('/').next().unwrap().to_owned();
    let proxy = ConnectProxy::to(format!("127.0.0.1:{port}"), CREDENTIALS).await;
    let (directory, database) = (tempfile::tempdir().unwrap(), TestDatabase::new().await);
    (Installation { slack, directory, database, proxy: None }, proxy)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_goes_by_the_proxy() {
    let (here, proxy) = behind_a_proxy().await;
    assert!(here.esb(&["demo-data"]).status().unwrap().success());
    here.slack.change_world(|world| pictures(world, &["F1"]));
    let log = here.directory.path().join("log");
    let mut serve = here.esb(&["serve"]);
    serve.env("https_proxy", format!("http://esb:hunter2@{}", proxy.address()));
    serve.env("NO_PROXY", "lan,10.0.0.0/8").env("RUST_LOG", "trace");
    let process = Process(serve.stdout(std::fs::File::create(&log).unwrap()).spawn().unwrap());
    assert!(here.slack.wire().wait_for_connections(2, DEADLINE).await, "Socket Mode did not connect");
    here.report("Belt slips behind the proxy").await;
    assert!(here.wait_until_announced("Belt slips behind the proxy").await, "nobody was told");
    let ctx = Ctx::new(here.database.connect().await, Clock::system(), Announce::Nowhere);
    let id = queue(&ctx, &here.slack, RepairId(1), &["F1"], None).await;
    let fetched = async {
        while job(&ctx, id).await.state != JobState::Succeeded {
            pause().await;
        }
    };
    tokio::time::timeout(DEADLINE, fetched).await.expect("the photo did not come");
    assert_eq!(process.terminate().await, Some(0));
    let asked = proxy.asked();
    assert!(asked.len() >= 3 && asked.iter().all(|to| to.starts_with("slack.test:")), "{asked:?}");
    let log = std::fs::read_to_string(log).unwrap();
    let line = log.lines().find(|line| line.contains("outgoing calls use a proxy")).expect("the log says so");
    assert!(
        line.contains(&format!("http://{}", proxy.address())) && line.contains("lan,10.0.0.0/8"),
        "{line}"
    );
    for secret in ["hunter2", "ZXNiOmh1bnRlcjI"] {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusing_proxy_is_named_without_its_password() {
    let (here, proxy) = behind_a_proxy().await;
    let url = format!("esb:wrong-hunter2@{}", proxy.address());
    let (status, text) = here.run(&["check-config"], &[("HTTPS_PROXY", &url)]);
    let refused = format!(
        "the proxy {} (HTTPS_PROXY) opens no tunnel: tunnel error: proxy authorization required",
        proxy.address()
    );
    assert!(status == 2 && text.contains(&refused), "{text}");
    assert!(
        text.contains(&format!("Proxy       http://{}; directly: only this machine\n", proxy.address())),
        "{text}"
    );
    assert!(!text.contains("hunter2"), "{text}");
    let asked = proxy.asked().len();
    let (status, _) = here.run(&["check-config"], &[("HTTPS_PROXY", &url), ("NO_PROXY", "*")]);
    assert_eq!((status, proxy.asked().len()), (2, asked), "only the proxy finds that Slack");
}
