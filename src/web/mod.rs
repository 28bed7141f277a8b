//! The web edge: pages and JSON over hyper. Turns requests into operations and views into pages;
//! decides nothing of the product and knows no SQL. `app` builds [`Web`] and calls
//! [`server::serve`], and before the database is there [`startup::serve_until_ready`].

use crate::domain::file::VisitorAllowance;
use crate::domain::network::Network;
use crate::domain::text::Username;
use crate::domain::zone::Zone;
use crate::files::Files;
use crate::metrics::Metrics;
use crate::ops::accounts::setup::{self, SetupCode};
use crate::ops::{Ctx, OpError};
use crate::render::html::{Html, Site, TemplatesError};
use crate::render::links::Links;
use chrono::{DateTime, Datelike, Utc};
use kernel::PageRequest;
use kernel::body::BodyBudget;
use kernel::browser::Browsers;
use kernel::cached::{LatestBody, Version};
use kernel::cookies::Cookies;
use kernel::route::{Route, RouteTable};
use limits::known_browser::is_shared;
use limits::rate_limiter::{Limit, name_at};
use limits::shares::Shares;
use pages::assets::Assets;
use pages::events;
use pages::metrics::FiguresLog;
pub use pages::slack::SlackInbox;
use secrecy::SecretString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use upload::Places;
use upload::allowance::VisitorBytes;

mod connections;
pub mod kernel;
pub mod limits;
mod pages;
pub mod server;
pub mod startup;
pub mod upload;
mod write_timeout;

/// Reports from one address: 10 in 10 minutes (spec, `POST /e/{id}/report`), read as 10 at once and then
/// one more a minute (see [`Limit`]): a class may report together, a robot is slowed down.
const REPORTS: u32 = 10;
/// Forms with files from one address, of people who are not signed in.
const UPLOADS: u32 = 30;
/// "Me too" from one address: a class may stand before the same machine.
const ME_TOOS: u32 = 60;
/// Log-ins, and attempts to set up, from one address: a class may begin together.
const LOG_INS: u32 = 30;
/// Log-ins under one name from one address; at one browser that has logged in under it before, where no other counts.
const LOG_INS_OF_NAME: u32 = 10;
/// Guesses of the present password within one session.
const PASSWORD_CHANGES: u32 = 10;
/// How long a page waits to learn whether there is a staff user.
const SETUP_KNOWN_WITHIN: Duration = Duration::from_secs(1);
/// The window of all these limits.
const WINDOW: Duration = Duration::from_secs(10 * 60);

/// What the web takes from the configuration.
#[derive(Debug, Clone)]
pub struct WebConfig {
    /// Address under which members reach the web, without a trailing slash.
    pub base_url: Option<String>,
    /// Signs cookies.
    pub secret_key: SecretString,
    /// Signed them before a rotation.
    pub secret_key_previous: Option<SecretString>,
    /// Zone in which people read times.
    pub timezone: Zone,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
}

/// Why the web cannot be built: a mistake of the program, found by every start and every test.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// A template does not parse.
    #[error("the templates cannot be used")]
    Templates(#[from] TemplatesError),
    /// Two routes for the same path.
    #[error("the routes cannot be used")]
    Routes(#[from] matchit::InsertError),
}

/// What pages work with.
#[derive(Debug)]
pub struct Web {
    ctx: Ctx,
    config: WebConfig,
    metrics: Metrics,
    files: Files,
    routes: RouteTable,
    html: Html,
    links: Links,
    assets: Assets,
    browsers: Browsers,
    reports: Limit,
    uploads: Limit,
    upload_places: Places,
    visitor_bytes: VisitorBytes,
    me_toos: Limit,
    log_ins: Limit,
    log_ins_of_name: Limit,
    log_ins_at_known: Limit,
    password_changes: Limit,
    setup_code: SetupCode,
    /// There is a staff user who can log in: found once, and then believed.
    is_set_up: AtomicBool,
    board_page: LatestBody,
    status_json: LatestBody,
    listeners: Arc<Shares>,
    bodies: BodyBudget,
    figures: FiguresLog,
    slack: Option<SlackInbox>,
    build: String,
}

/// How an attempt to log in was counted.
enum CountedLogIn {
    AtKnown(String),
    Anywhere(IpAddr, String),
}

impl Web {
    /// Puts the parts together.
    ///
    /// # Errors
    /// Templates or routes that cannot be used.
    pub async fn new(ctx: Ctx, config: WebConfig, metrics: Metrics, files: Files) -> Result<Self, WebError> {
        Self::with_routes(ctx, config, metrics, files, Self::routes()).await
    }

    /// [`Web::new`] with routes of one's own: for tests of the kernel.
    pub async fn with_routes(
        ctx: Ctx,
        config: WebConfig,
        metrics: Metrics,
        files: Files,
        routes: &'static [Route],
    ) -> Result<Self, WebError> {
        let assets = Assets::load().await;
        let cookies = Cookies::new(config.base_url.as_deref(), &config.secret_key);
        let html = Html::new(Site { timezone: config.timezone.clone(), assets: assets.urls() })?;
        Ok(Self {
            build: build_mark(&html, &config),
            routes: RouteTable::new(routes)?,
            html,
            links: Links::new(config.base_url.clone()),
            assets,
            browsers: Browsers::new(&config.secret_key, config.secret_key_previous.as_ref(), cookies),
            reports: Limit::new(ctx.clock.clone(), REPORTS, WINDOW),
            uploads: Limit::new(ctx.clock.clone(), UPLOADS, WINDOW),
            upload_places: Places::new(ctx.clock.clone()),
            visitor_bytes: VisitorBytes::new(ctx.clock.clone(), VisitorAllowance::STANDARD),
            me_toos: Limit::new(ctx.clock.clone(), ME_TOOS, WINDOW),
            log_ins: Limit::new(ctx.clock.clone(), LOG_INS, WINDOW),
            log_ins_of_name: Limit::new(ctx.clock.clone(), LOG_INS_OF_NAME, WINDOW),
            log_ins_at_known: Limit::new(ctx.clock.clone(), LOG_INS_OF_NAME, WINDOW),
            password_changes: Limit::new(ctx.clock.clone(), PASSWORD_CHANGES, WINDOW),
            setup_code: SetupCode::random(),
            is_set_up: AtomicBool::new(false),
            board_page: LatestBody::default(),
            status_json: LatestBody::default(),
            listeners: events::places(ctx.clock.clone()),
            bodies: BodyBudget::new(ctx.clock.clone()),
            figures: FiguresLog::default(),
            slack: None,
            ctx,
            config,
            metrics,
            files,
        })
    }

    /// Replaces the places for forms with files, for tests.
    pub fn with_upload_places(self, upload_places: Places) -> Self {
        Self { upload_places, ..self }
    }

    /// Replaces the visitors' allowance, for tests.
    pub fn with_visitor_allowance(self, allowance: VisitorAllowance) -> Self {
        Self { visitor_bytes: VisitorBytes::new(self.ctx.clock.clone(), allowance), ..self }
    }

    /// Replaces the limit of request bodies, for tests.
    pub fn with_body_budget(self, bodies: BodyBudget) -> Self {
        Self { bodies, ..self }
    }

    /// Takes in what Slack sends over HTTP, too.
    pub fn with_slack(self, inbox: SlackInbox) -> Self {
        Self { slack: Some(inbox), ..self }
    }

    /// Every route of the product.
    pub const fn routes() -> &'static [Route] {
        pages::ROUTES
    }

    /// The code with which `/setup` makes the first staff user; `None` where there is one already.
    pub async fn setup_code(&self) -> Result<Option<&str>, OpError> {
        Ok(setup::is_wanted(&self.ctx).await?.then(|| self.setup_code.for_log()))
    }

    /// True while nobody can log in and `/setup` makes the first staff user; false as well while nobody knows.
    async fn offers_setup(&self) -> bool {
        if self.is_set_up.load(Ordering::Relaxed) {
            return false;
        }
        let wanted = tokio::time::timeout(SETUP_KNOWN_WITHIN, setup::is_wanted(&self.ctx)).await;
        self.is_set_up.store(matches!(wanted, Ok(Ok(false))), Ordering::Relaxed);
        matches!(wanted, Ok(Ok(true)))
    }

    /// Counts an attempt to log in under this name: at a browser that is `known` to have logged in under it before by
    /// itself, so that nobody else can shut it out; elsewhere per address, and per name and address together.
    fn count_log_in(
        &self,
        client: IpAddr,
        name: &str,
        known: Option<String>,
    ) -> Result<CountedLogIn, Duration> {
        if let Some(browser) = known {
            match self.log_ins_at_known.count_name(&browser) {
                Ok(()) => return Ok(CountedLogIn::AtKnown(browser)),
                // Somebody else may know a former password: then this browser counts like any other.
                Err(_) if is_shared(&browser) => {}
                Err(wait) => return Err(wait),
            }
        }
        // However it is written.
        let name = Username::parse(name).map_or_else(|_| name.to_owned(), Username::into_string);
        let name = name_at(client, &name);
        self.log_ins.count(client)?;
        // No password is looked at, so nothing was guessed.
        self.log_ins_of_name.count_name(&name).inspect_err(|_| self.log_ins.give_back(client))?;
        Ok(CountedLogIn::Anywhere(client, name))
    }

    /// Gives an attempt back that was no guess.
    fn give_back_log_in(&self, counted: CountedLogIn) {
        match counted {
            CountedLogIn::AtKnown(browser) => self.log_ins_at_known.give_back_name(&browser),
            CountedLogIn::Anywhere(client, name) => {
                self.log_ins.give_back(client);
                self.log_ins_of_name.give_back_name(&name);
            }
        }
    }

    /// Writes the pages for who asks.
    fn html(&self, request: &PageRequest) -> Html {
        self.html.framed(request.frame.clone())
    }

    /// The same, with the way to the first staff user where there is none.
    fn html_offering_setup(&self, request: &PageRequest, offers: bool) -> Html {
        self.html.framed(request.frame.clone().offering_setup(offers))
    }

    /// The version of every page made from the board at `revision`: it changes with the board, with
    /// the program's build, with who is signed in, and with the day, since pages say "today".
    fn board_version(&self, request: &PageRequest, revision: i64, now: DateTime<Utc>) -> Version {
        let day = self.config.timezone.local(now).date().num_days_from_ce();
        let session: String =
            request.caller.person().into_iter().flat_map(|person| person.session.chars().take(8)).collect();
        let of_whom = if session.is_empty() { session } else { format!("-{session}") };
        Version(format!("{revision}-{}-{day}{of_whom}", self.build))
    }
}

/// Tells two builds or configurations apart that would write the same board differently.
fn build_mark(html: &Html, config: &WebConfig) -> String {
    let mut hasher = DefaultHasher::new();
    (env!("CARGO_PKG_VERSION"), html.fingerprint(), config.timezone.name()).hash(&mut hasher);
    format!("{:08x}", hasher.finish() >> 32)
}
