//! The whole program against a Slack on loopback, with one manual clock for both.

use super::database::{CONNECTIONS, Kind, TestDatabase};
use super::http_bridge::{SIGNING_SECRET, forward_envelopes};
use super::ops::{NO_RESERVE, START, area, user};
use super::proxy::Proxy;
pub use super::wait::DEADLINE;
use super::web::{Browser, Site, session_of};
use chrono::TimeDelta;
use esb::app::{App, Parts};
use esb::clients::slack_api::SlackApi;
use esb::clock::Clock;
use esb::config::{Config, Environment};
use esb::domain::actor::Role;
use esb::domain::equipment::EquipmentDetails;
use esb::domain::ids::{AreaId, EquipmentId};
use esb::domain::text::EquipmentName;
use esb::metrics::Metrics;
use esb::people::People;
use esb::render::links::Links;
use esb::render::slack::Blocks;
use esb::slack::context::SlackContext;
use esb::store;
use esb::web::kernel::access::SESSION_COOKIE;
use esb::worker::Deliverer;
use esb_sandbox::{Channel, Message, Options, Person, Sandbox, World};
use std::sync::{Arc, Once};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A member.
pub const ANA: &str = "U0ANA";
/// Another member.
pub const BO: &str = "U0BO";
/// How long Slack waits for answers where an answer may take nearly all of its usual three seconds.
const PATIENT_ACK_TIMEOUT: Duration = Duration::from_secs(10);

/// The running program: web, Slack, and a worker that runs when `settle` calls it.
pub struct TestApp {
    pub slack: Sandbox,
    pub app: Arc<App>,
    pub clock: Clock,
    pub web: Site,
    shutdown: CancellationToken,
    serving: JoinHandle<anyhow::Result<()>>,
    config: Config,
    _directory: TempDir,
    database: TestDatabase,
}

pub struct Process {
    pub web: Site,
    pub app: Arc<App>,
    shutdown: CancellationToken,
    serving: JoinHandle<anyhow::Result<()>>,
}

impl Process {
    async fn serving(app: Arc<App>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let web = Site(listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let (end, served) = (shutdown.clone(), Arc::clone(&app));
        let serving = tokio::spawn(async move { served.serve(listener, Parts::WithoutWorker, end).await });
        Self { web, app, shutdown, serving }
    }

    pub async fn stop(self) {
        self.shutdown.cancel();
        self.serving.await.unwrap().unwrap();
    }
}

/// Installs the TLS provider once per process, as main does.
pub fn choose_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Two people, the channels `#oops`, `#woodshop` and `#metalshop`, the bot in all of them.
pub fn world() -> World {
    World::new()
        .person(Person::new(ANA, "ana", "Ana Lee").email("ana@example.org"))
        .person(Person::new(BO, "bo", "Bo Okafor").email("bo@example.org"))
        .channel(Channel::new("C0OOPS", "oops"))
        .channel(Channel::new("C0WOOD", "woodshop"))
        .channel(Channel::new("C0METAL", "metalshop"))
}

impl TestApp {
    /// An empty installation, connected to Slack.
    pub async fn start() -> Self {
        Self::start_in(world()).await
    }

    /// An empty installation that gets Slack's requests over HTTP.
    pub async fn over_http() -> Self {
        Self::over_http_in(world()).await
    }

    /// The same with another workspace.
    pub async fn over_http_in(world: World) -> Self {
        let over_http = [("SLACK_SOCKET_MODE_CONNECT", "false"), ("SLACK_SIGNING_SECRET", SIGNING_SECRET)];
        let app = Self::start_with(world, &over_http).await;
        let api = SlackApi::new(&app.config.slack, Metrics::new()).unwrap();
        tokio::spawn(forward_envelopes(api, app.web.0, app.clock.clone()));
        assert!(app.slack.wire().wait_for_connections(1, DEADLINE).await);
        app
    }

    /// An empty installation, connected to another workspace.
    pub async fn start_in(world: World) -> Self {
        Self::start_with(world, &[]).await.connected().await
    }

    async fn connected(self) -> Self {
        assert!(self.slack.wire().wait_for_connections(2, DEADLINE).await, "the app did not connect");
        self
    }

    /// The table saw, over a database behind a proxy that can cut the connection; SQLite has none.
    pub async fn behind_proxy(world: World) -> (Self, Option<Proxy>) {
        let database = TestDatabase::new().await;
        let proxy = match Kind::from_env() {
            Kind::Sqlite => None,
            _ => Some(Proxy::to(database.host()).await),
        };
        let url = proxy.as_ref().map(|proxy| database.url_via(proxy.address()));
        let variables: Vec<(&str, &str)> = url.iter().map(|url| ("DATABASE_URL", url.as_str())).collect();
        let app = Self::start_on(database, world, &variables, PATIENT_ACK_TIMEOUT).await.connected().await;
        app.furnish().await;
        (app, proxy)
    }

    /// An empty installation with additional environment variables.
    async fn start_with(world: World, variables: &[(&str, &str)]) -> Self {
        Self::start_on(TestDatabase::new().await, world, variables, Options::default().ack_timeout).await
    }

    async fn start_on(
        database: TestDatabase,
        world: World,
        variables: &[(&str, &str)],
        ack_timeout: Duration,
    ) -> Self {
        choose_tls();
        let clock = Clock::manual(START.parse().unwrap());
        let hands = clock.clone();
        let options = Options { clock: Arc::new(move || hands.now()), ack_timeout, ..Options::default() };
        let slack = Sandbox::start(world, options).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let mut environment = environment(&directory, &database, &slack);
        environment.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut config = Config::parse(&environment).unwrap();
        config.database_connections = CONNECTIONS;
        config.disk_reserve = NO_RESERVE;
        let app = Arc::new(App::build(config.clone(), clock.clone()).await.unwrap());
        let Process { web, app, shutdown, serving } = Process::serving(app).await;
        Self { slack, app, clock, web, shutdown, serving, config, _directory: directory, database }
    }

    /// With the area "Wood shop" (`#woodshop`) and its machine "Table saw".
    pub async fn with_saw() -> (Self, EquipmentId) {
        Self::with_saw_in(world()).await
    }

    /// The same in a workspace that granted these scopes in addition to the usual ones.
    pub async fn with_saw_and_scopes(scopes: &[&str]) -> (Self, EquipmentId) {
        let mut world = world();
        world.scopes.extend(scopes.iter().copied().map(String::from));
        Self::with_saw_in(world).await
    }

    async fn with_saw_in(world: World) -> (Self, EquipmentId) {
        let app = Self::start_in(world).await;
        let saw = app.furnish().await;
        (app, saw)
    }

    async fn furnish(&self) -> EquipmentId {
        let area = self.area("Wood shop", "#woodshop").await;
        self.add_equipment(area, "Table saw").await
    }

    pub async fn area(&self, name: &str, channel: &str) -> AreaId {
        let tx = self.app.ctx.store.begin().await.unwrap();
        let id = store::areas::add(&tx, &area(name, channel), self.clock.now()).await.unwrap();
        self.app.ctx.commit_visible(tx).await.unwrap();
        id
    }

    pub async fn add_equipment(&self, area: AreaId, name: &str) -> EquipmentId {
        let tx = self.app.ctx.store.begin().await.unwrap();
        let equipment = EquipmentDetails::bare(EquipmentName::parse(name).unwrap(), area);
        let id = store::equipment::add(&tx, &equipment, self.clock.now()).await.unwrap();
        self.app.ctx.commit_visible(tx).await.unwrap();
        id
    }

    /// A worker of another process over the same database.
    pub async fn another_worker(&self) -> Arc<Deliverer> {
        self.another_worker_with(self.clock.clone()).await
    }

    /// A worker of another host with its own clock.
    pub async fn another_worker_with(&self, clock: Clock) -> Arc<Deliverer> {
        self.another_app(clock).await.deliverer
    }

    /// The directory of uploads.
    pub fn uploads_directory(&self) -> std::path::PathBuf {
        self.config.data_dir.join("uploads")
    }

    /// Another process on the same database, not running.
    pub async fn another_app(&self, clock: Clock) -> App {
        App::build(self.config.clone(), clock).await.unwrap()
    }

    /// Another process on the same database with another configuration, not running.
    pub async fn another_app_with(&self, change: impl FnOnce(&mut Config)) -> App {
        let mut config = self.config.clone();
        change(&mut config);
        App::build(config, self.clock.clone()).await.unwrap()
    }

    /// Another Slack edge on the same database and workspace.
    pub fn edge(&self) -> SlackContext {
        let ctx = self.app.ctx.clone();
        let api = SlackApi::new(&self.config.slack, Metrics::new()).unwrap();
        SlackContext {
            people: People::new(ctx.store.clone(), self.clock.clone(), api.clone()),
            ctx,
            api,
            blocks: Arc::new(Blocks::new(|| chrono::NaiveDate::MIN).unwrap()),
            links: Links::default(),
            summary: Arc::default(),
            identity: Arc::default(),
            conflicts: Arc::default(),
        }
    }

    /// A browser in which the staff user `stu` is signed in.
    pub async fn staff(&self) -> Browser<'_> {
        let browser = self.web.browser();
        let stu = user(&self.app.ctx, "stu", Role::Staff).await;
        browser.set_cookie(SESSION_COOKIE, &session_of(&self.app.ctx, stu).await);
        browser
    }

    /// The database on connections of another process.
    pub async fn another_store(&self) -> store::Store {
        self.database.connect().await
    }

    /// Another process on the same database, serving web pages only.
    pub async fn another_process(&self) -> Process {
        let mut config = self.config.clone();
        config.slack.socket_mode = false;
        Process::serving(Arc::new(App::build(config, self.clock.clone()).await.unwrap())).await
    }

    /// Another process on the same database, connected to Slack.
    pub async fn another_serve(&self) -> Process {
        let (wire, app) = (self.slack.wire(), self.another_app(self.clock.clone()).await);
        let opened = wire.connections().len() + 2;
        let process = Process::serving(Arc::new(app)).await;
        assert!(wire.wait_for_opened(opened, DEADLINE).await, "the other process did not connect");
        process
    }

    /// Waits for the handlers of Slack's requests, then runs jobs and sends what is due now.
    pub async fn settle(&self) {
        self.app.intake.idle().await;
        self.app.jobs.settle().await.unwrap();
        self.app.deliverer.settle().await.unwrap();
    }

    /// Advances the clock, then settles.
    pub async fn after(&self, wait: TimeDelta) {
        self.clock.advance(wait);
        self.settle().await;
    }

    /// A person types a command; then everything settles.
    pub async fn command(&self, user: &str, command: &str, text: &str) {
        let outcome = self.slack.command(user, "#woodshop", command, text).await.unwrap();
        assert!(outcome.is_acknowledged(), "{command} {text}: {outcome:?}");
        self.settle().await;
    }

    /// The only new ephemeral message to this person.
    #[track_caller]
    pub fn private(&self, user: &str) -> String {
        only(self.slack.private_to(user)).text
    }

    /// Stops the program. Fails if a message is unread or pending, or if Slack has complaints.
    pub async fn finish(self) {
        self.settle().await;
        let pending = esb::ops::deliveries::queue_stats::queue(&self.app.ctx).await.unwrap().pending;
        self.shutdown.cancel();
        self.serving.await.unwrap().unwrap();
        // A card that was edited is no news: tests of cards look at it.
        let is_card = |message: &Message| message.edited && message.shown().contains("card_more");
        let unread = self.slack.unread().into_iter().filter(|message| !is_card(message));
        let unread: Vec<String> = unread.map(|message| message.text).collect();
        assert_eq!(unread, Vec::<String>::new(), "messages that no one has read");
        assert_eq!(pending, 0, "messages still owed");
        assert_eq!(self.slack.unexpected(), Vec::<String>::new());
        assert_eq!(self.slack.complaints(), Vec::<String>::new());
    }
}

/// The only message; fails if there are more or none.
#[track_caller]
pub fn only(mut messages: Vec<Message>) -> Message {
    assert_eq!(messages.len(), 1, "{messages:#?}");
    messages.remove(0)
}

fn environment(directory: &TempDir, database: &TestDatabase, slack: &Sandbox) -> Environment {
    let beat = directory.path().join("beat");
    [
        ("ESB_DATA_DIR", directory.path().to_str().unwrap()),
        ("DATABASE_URL", database.url()),
        ("ESB_BASE_URL", "http://esb.test"),
        // Tests name other addresses in X-Forwarded-For.
        ("ESB_TRUSTED_PROXIES", "127.0.0.1"),
        ("SLACK_BOT_TOKEN", slack.bot_token()),
        ("SLACK_APP_TOKEN", slack.app_token()),
        ("SLACK_SOCKET_MODE_CONNECT", "true"),
        ("SLACK_API_URL", &slack.api_url()),
        ("WORKER_HEARTBEAT_PATH", beat.to_str().unwrap()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}
