//! Shared by several targets: the program's two edges with a temporary database and without network, and a browser's
//! view of a page. Uses only public items of `esb`.

use chrono::{DateTime, Utc};
use esb::clients::slack_api::SlackApi;
use esb::clock::Clock;
use esb::config::{Config, Environment};
use esb::domain::actor::{Actor, Edge};
use esb::domain::area::AreaDetails;
use esb::domain::channel::ChannelRef;
use esb::domain::equipment::EquipmentDetails;
use esb::domain::file::DiskReserve;
use esb::domain::ids::EquipmentId;
use esb::domain::repair::Severity;
use esb::domain::text::{AreaName, Description, EquipmentName, PersonName, RequestId};
use esb::files::Files;
use esb::metrics::Metrics;
use esb::ops::repairs::report_problem::{ReportProblem, report_problem};
use esb::ops::{Announce, Ctx};
use esb::people::People;
use esb::render::links::Links;
use esb::render::slack::Blocks;
use esb::slack::context::SlackContext;
use esb::slack::dispatch::Dispatcher;
use esb::slack::intake::{Dispatch, Intake, Limits};
use esb::store::{self, Store};
use esb::web::{Web, WebConfig};
use html5gum::{Token, Tokenizer};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// Start of the manual clock.
const START: &str = "2026-03-01T12:00:00Z";

/// The equipment in the database, with one open repair (number 1).
pub const SAW: EquipmentId = EquipmentId(1);

/// One thread, with timers.
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// A temporary database with one area, one piece of equipment and one open repair.
pub struct Installation {
    pub ctx: Ctx,
    pub clock: Clock,
    directory: TempDir,
}

impl Installation {
    pub async fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let url = format!("sqlite://{}/esb.db", directory.path().display());
        let store = Store::connect(&url.into()).await.expect("a database");
        store.migrate().await.expect("a schema");
        let clock = Clock::manual(START.parse::<DateTime<Utc>>().expect("a time"));
        let announce = Announce::Slack { oops: ChannelRef::parse("#oops") };
        let ctx = Ctx::new(store, clock.clone(), announce);
        let (db, now) = (ctx.store.write(), clock.now());
        let name = AreaName::parse("Wood shop").unwrap();
        let area = AreaDetails { name, slack_channel: ChannelRef::parse("#woodshop"), sort_order: 0 };
        let area = store::areas::add(db, &area, now).await.expect("an area");
        let saw = EquipmentDetails::bare(EquipmentName::parse("Table saw").unwrap(), area);
        assert_eq!(store::equipment::add(db, &saw, now).await.expect("a machine"), SAW);
        let report = ReportProblem {
            equipment: SAW,
            reporter_name: PersonName::parse("Ana").unwrap(),
            reporter_email: None,
            description: Description::parse("Blade wobbles").unwrap(),
            severity: Severity::Down,
            safety_risk: false,
            consumable: false,
            note: None,
            request_id: RequestId::from_random([1; 16]),
        };
        report_problem(&ctx, &Actor::visitor(Edge::Web, "Ana"), report).await.expect("a report");
        Self { ctx, clock, directory }
    }

    /// The program's Slack edge. Without tokens every call to Slack fails at once.
    pub fn intake(&self) -> Intake {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = Config::parse(&Environment::new()).expect("the defaults");
        let api = SlackApi::new(&config.slack, Metrics::new()).expect("TLS");
        let people = People::new(self.ctx.store.clone(), self.clock.clone(), api.clone());
        let edge = SlackContext {
            ctx: self.ctx.clone(),
            api,
            people,
            blocks: Arc::new(Blocks::new().expect("templates")),
            links: Links::new(Some("https://esb.example.org".into())),
            summary: Arc::default(),
            identity: Arc::default(),
            conflicts: Arc::default(),
        };
        intake(Arc::new(Dispatcher::new(edge)), self.clock.clone())
    }

    /// The program's web edge, with a known secret, so that seeds can have valid signatures.
    pub async fn web(&self) -> Web {
        let config = WebConfig {
            base_url: Some("https://esb.example.org".into()),
            secret_key: "the secret of fuzz/".into(),
            secret_key_previous: None,
            timezone: "America/New_York".parse().expect("a zone"),
            trusted_proxies: vec!["127.0.0.1".parse().expect("an address")],
        };
        let uploads = self.directory.path().join("uploads");
        let files =
            Files::new(uploads, 1_000_000, DiskReserve::STANDARD, self.ctx.store.clone(), self.clock.clone());
        Web::new(self.ctx.clone(), config, Metrics::new(), files).await.expect("templates and routes")
    }
}

/// An intake with the program's limits.
pub fn intake(dispatch: Arc<dyn Dispatch>, clock: Clock) -> Intake {
    Intake::new(dispatch, clock, Metrics::new(), Limits::default())
}

/// The tokens of a page without its text: tags with attribute names, comments, doctypes.
pub fn skeleton(page: &str) -> Vec<String> {
    let mut bones = Vec::new();
    let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for Ok(token) in Tokenizer::new(page) {
        match token {
            Token::StartTag(tag) => {
                let attributes: Vec<String> = tag.attributes.keys().map(|key| name(key)).collect();
                bones.push(format!("<{} {}>", name(&tag.name), attributes.join(" ")));
            }
            Token::EndTag(tag) => bones.push(format!("</{}>", name(&tag.name))),
            Token::Comment(_) => bones.push("<!-- -->".to_owned()),
            Token::Doctype(_) => bones.push("<!doctype>".to_owned()),
            Token::String(_) | Token::Error(_) => {}
        }
    }
    bones
}
