//! The web edge: pages and JSON over hyper. Turns requests into operations and views into pages; contains no product
//! rules and no SQL. `app` builds [`Web`] and calls [`server::serve`], and before the database is ready
//! [`startup::serve_until_ready`].

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

/// Reports per address: 10 in 10 minutes (spec, `POST /e/{id}/report`), implemented as 10 at once and then one more a
/// minute (see [`Limit`]): a class may report together, a robot is slowed down.
const REPORTS: u32 = 10;
/// Forms with files per address, of people who are not signed in.
const UPLOADS: u32 = 30;
/// "Me too" per address: a whole class may use the same machine.
const ME_TOOS: u32 = 60;
/// Logins and setup attempts per address: a class may begin together.
const LOG_INS: u32 = 30;
/// Logins per name and address, or per browser that has logged in under the name before, where only this limit counts.
const LOG_INS_OF_NAME: u32 = 10;
/// Guesses of the current password within one session.
const PASSWORD_CHANGES: u32 = 10;
/// How long a page waits for the check whether there is a staff user.
const SETUP_KNOWN_WITHIN: Duration = Duration::from_secs(1);
/// The window of these limits.
const WINDOW: Duration = Duration::from_secs(10 * 60);

/// The web's part of the configuration.
#[derive(Debug, Clone)]
pub struct WebConfig {
    /// Address at which members reach the web, without a trailing slash.
    pub base_url: Option<String>,
    /// Signs cookies.
    pub secret_key: SecretString,
    /// Signed cookies before a rotation.
    pub secret_key_previous: Option<SecretString>,
    /// Zone in which times are shown.
    pub timezone: Zone,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<Network>,
}

/// Why the web cannot be built: a programming error, found by every start and every test.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    #[error("the templates cannot be used")]
    Templates(#[from] TemplatesError),
    #[error("the routes cannot be used")]
    Routes(#[from] matchit::InsertError),
}

/// State shared by all pages.
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
    /// There is a staff user who can log in; cached once it is true.
    is_set_up: AtomicBool,
    board_page: LatestBody,
    status_json: LatestBody,
    listeners: Arc<Shares>,
    bodies: BodyBudget,
    figures: FiguresLog,
    slack: Option<SlackInbox>,
    build: String,
}

/// How a login attempt was counted.
enum CountedLogIn {
    AtKnown(String),
    Anywhere(IpAddr, String),
}

impl Web {
    /// # Errors
    /// A template or route is invalid.
    pub async fn new(ctx: Ctx, config: WebConfig, metrics: Metrics, files: Files) -> Result<Self, WebError> {
        Self::with_routes(ctx, config, metrics, files, Self::routes()).await
    }

    /// [`Web::new`] with custom routes: for tests of the kernel.
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

    /// Enables Slack requests over HTTP.
    pub fn with_slack(self, inbox: SlackInbox) -> Self {
        Self { slack: Some(inbox), ..self }
    }

    pub const fn routes() -> &'static [Route] {
        pages::ROUTES
    }

    /// The code with which `/setup` creates the first staff user; `None` if there is one already.
    pub async fn setup_code(&self) -> Result<Option<&str>, OpError> {
        Ok(setup::is_wanted(&self.ctx).await?.then(|| self.setup_code.for_log()))
    }

    /// True while nobody can log in and `/setup` creates the first staff user; false if the database does not answer in
    /// time.
    async fn offers_setup(&self) -> bool {
        if self.is_set_up.load(Ordering::Relaxed) {
            return false;
        }
        let wanted = tokio::time::timeout(SETUP_KNOWN_WITHIN, setup::is_wanted(&self.ctx)).await;
        self.is_set_up.store(matches!(wanted, Ok(Ok(false))), Ordering::Relaxed);
        matches!(wanted, Ok(Ok(true)))
    }

    /// Counts a login attempt under this name. A browser that is `known` to have logged in under the name has its own
    /// count, so that nobody else can lock it out; other attempts count per address, and per name and address.
    fn count_log_in(
        &self,
        client: IpAddr,
        name: &str,
        known: Option<String>,
    ) -> Result<CountedLogIn, Duration> {
        if let Some(browser) = known {
            match self.log_ins_at_known.count_name(&browser) {
                Ok(()) => return Ok(CountedLogIn::AtKnown(browser)),
                // Somebody else may have a former password: then this browser counts like any other.
                Err(_) if is_shared(&browser) => {}
                Err(wait) => return Err(wait),
            }
        }
        // Normalize, so that spelling variants share one count.
        let name = Username::parse(name).map_or_else(|_| name.to_owned(), Username::into_string);
        let name = name_at(client, &name);
        self.log_ins.count(client)?;
        // The attempt is rejected before the password is checked, so it was no guess.
        self.log_ins_of_name.count_name(&name).inspect_err(|_| self.log_ins.give_back(client))?;
        Ok(CountedLogIn::Anywhere(client, name))
    }

    /// Refunds an attempt that was no guess.
    fn give_back_log_in(&self, counted: CountedLogIn) {
        match counted {
            CountedLogIn::AtKnown(browser) => self.log_ins_at_known.give_back_name(&browser),
            CountedLogIn::Anywhere(client, name) => {
                self.log_ins.give_back(client);
                self.log_ins_of_name.give_back_name(&name);
            }
        }
    }

    /// The page renderer for this caller.
    fn html(&self, request: &PageRequest) -> Html {
        self.html.framed(request.frame.clone())
    }

    /// The same, with a link to `/setup` if `offers`.
    fn html_offering_setup(&self, request: &PageRequest, offers: bool) -> Html {
        self.html.framed(request.frame.clone().offering_setup(offers))
    }

    /// The version of every page made from the board at `revision`. It also depends on the program's build, on the
    /// signed-in user, and on the day, since pages say "today".
    fn board_version(&self, request: &PageRequest, revision: i64, now: DateTime<Utc>) -> Version {
        let day = self.config.timezone.local(now).date().num_days_from_ce();
        let session: String =
            request.caller.person().into_iter().flat_map(|person| person.session.chars().take(8)).collect();
        let of_whom = if session.is_empty() { session } else { format!("-{session}") };
        Version(format!("{revision}-{}-{day}{of_whom}", self.build))
    }
}

/// Distinguishes two builds or configurations that would render the same board differently.
fn build_mark(html: &Html, config: &WebConfig) -> String {
    let mut hasher = DefaultHasher::new();
    (env!("CARGO_PKG_VERSION"), html.fingerprint(), config.timezone.name()).hash(&mut hasher);
    format!("{:08x}", hasher.finish() >> 32)
}
