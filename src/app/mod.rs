//! `App`: builds everything from `Config` and runs it until the shutdown token is cancelled. The only
//! place that knows everybody.

use crate::error_chain::ErrorChain;
use crate::clients::slack_api::{Identity, SlackApi};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::files::Files;
use crate::jobs::Jobs;
use crate::metrics::Metrics;
use crate::ops::secret_box::Seal;
use crate::ops::{Announce, Ctx, board};
use crate::people::People;
use crate::render::links::Links;
use crate::render::slack::Blocks;
use crate::slack::dispatch::Dispatcher;
use crate::slack::context::SlackContext;
use crate::slack::http::SlackHttp;
use crate::slack::intake::{Intake, Limits};
use crate::slack::socket::{SocketMode, SocketTimings};
use crate::store::Store;
use crate::web::{SlackInbox, Web, WebConfig, server, startup};
use crate::worker::{ChannelNames, Deliverer, Heartbeat, JobRunner, SlackChannel, Worker};
use anyhow::Context;
use futures_util::FutureExt;
use secrecy::SecretString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::SetOnce;
use tokio::task::{JoinSet, spawn_blocking};
use tokio_util::sync::CancellationToken;

pub mod check;
mod identity;
mod legacy_uploads;
mod open_files;

pub use legacy_uploads::LegacyUploads;

/// How long work that came over HTTP may take to its end at shutdown.
const DRAIN: Duration = Duration::from_secs(10);

/// Files that a process may want open: the web's connections, and as a margin those to the database and to
/// Slack, logs and what the program itself is made of.
const FILES: u64 = server::Limits::STANDARD.connections as u64 + 256;

/// The program, built and not yet running.
pub struct App {
    /// Operations over the database.
    pub ctx: Ctx,
    /// What this process counts.
    pub metrics: Metrics,
    /// Takes in what Slack sends; tells when it is idle.
    pub intake: Intake,
    /// Sends what is owed.
    pub deliverer: Arc<Deliverer>,
    /// What people send.
    pub files: Files,
    /// Does the jobs.
    pub jobs: Arc<JobRunner>,
    /// Learns what channels are called.
    pub channel_names: Arc<ChannelNames>,
    /// Whom the bot token stands for, once Slack has said so.
    pub identity: Arc<SetOnce<Identity>>,
    api: SlackApi,
    secret_key: SecretString,
    config: Config,
}

/// Which loops of the program run in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// Web, Slack and worker.
    All,
    /// Web and Slack; the worker is another process.
    WithoutWorker,
}

/// Opens the database and brings its schema up to date.
///
/// # Errors
/// The database cannot be opened, or its schema is newer than this program.
pub async fn open(config: &Config, clock: Clock) -> anyhow::Result<Ctx> {
    let ctx = open_unmigrated(config, clock).await?;
    ctx.store.migrate().await?;
    Ok(ctx)
}

/// Opens the database and leaves its schema as it is.
///
/// # Errors
/// The database cannot be opened.
pub async fn open_unmigrated(config: &Config, clock: Clock) -> anyhow::Result<Ctx> {
    let place = config.database_for_log();
    let store = Store::connect_with(&config.database_url, config.database_connections);
    let store = store.await.with_context(|| format!("DATABASE_URL {place}"))?;
    let announce = match &config.slack.bot_token {
        Some(_) => Announce::Slack { oops: config.slack.oops_channel.clone() },
        None => Announce::Nowhere,
    };
    Ok(Ctx::new(store, clock, announce).in_maintenance(config.maintenance))
}

/// The Python system's directory of uploads, whose files go to ours.
///
/// # Errors
/// It is no directory, or ours cannot be written.
pub async fn legacy_uploads(config: &Config, ctx: &Ctx, directory: PathBuf) -> anyhow::Result<LegacyUploads> {
    anyhow::ensure!(directory.is_dir(), "--uploads {}: there is no such directory", directory.display());
    let files = files(config, ctx);
    files.prepare().await.with_context(|| format!("UPLOAD_PATH {}", config.upload_path.display()))?;
    Ok(LegacyUploads::new(directory, files))
}

impl App {
    /// Opens the database and puts all parts together; nothing runs yet.
    ///
    /// # Errors
    /// The secret key, the database, TLS or a template cannot be used.
    pub async fn build(config: Config, clock: Clock) -> anyhow::Result<Self> {
        Self::build_counting(config, clock, Metrics::new()).await
    }

    /// The same, while whoever asks at `listener` is answered that it takes a moment.
    ///
    /// # Errors
    /// As [`App::build`].
    pub async fn build_at(listener: &TcpListener, config: Config, clock: Clock) -> anyhow::Result<Self> {
        let (metrics, trusted_proxies) = (Metrics::new(), config.trusted_proxies.clone());
        let building = Self::build_counting(config, clock, metrics.clone());
        startup::serve_until_ready(listener, trusted_proxies, &metrics, building).await
    }

    async fn build_counting(config: Config, clock: Clock, metrics: Metrics) -> anyhow::Result<Self> {
        metrics.socket_mode_enabled(config.slack.socket_mode_enabled());
        let secret_key = key_of_secrets(&config)?;
        let seal = Seal::new(&secret_key, config.secret_key_previous.as_ref())?;
        // A few hundred certificates and as many templates: read while the database is being opened.
        let (slack, counted) = (config.slack.clone(), metrics.clone());
        let reading = spawn_blocking(move || {
            let api = SlackApi::new(&slack, counted).context("TLS cannot be set up")?;
            anyhow::Ok((api, Arc::new(Blocks::new()?)))
        });
        let ctx = open(&config, clock).await?.sealed_by(seal);
        let files = uploads(&config, &ctx).await;
        let (api, blocks) = reading.await??;
        let links = Links::new(config.base_url.clone());
        let channel = SlackChannel::new(api.clone(), Arc::clone(&blocks), links.clone());
        let channel_names = Arc::new(ChannelNames::new(ctx.clone(), api.clone()));
        let names = Arc::clone(&channel_names);
        let deliverer = Arc::new(Deliverer::new(ctx.clone(), channel, metrics.clone(), names));
        let jobs = Jobs::new(ctx.clone(), api.clone(), files.clone());
        let jobs = Arc::new(JobRunner::new(ctx.clone(), jobs));
        let identity = Arc::new(SetOnce::new());
        let people = People::new(ctx.store.clone(), ctx.clock.clone(), api.clone());
        let edge = SlackContext {
            ctx: ctx.clone(),
            api: api.clone(),
            people,
            blocks,
            links,
            summary: Arc::default(),
            identity: Arc::clone(&identity),
            conflicts: Arc::default(),
        };
        let dispatcher = Arc::new(Dispatcher::new(edge));
        let intake = Intake::new(dispatcher, ctx.clock.clone(), metrics.clone(), Limits::default());
        Ok(Self {
            ctx,
            metrics,
            intake,
            deliverer,
            files,
            jobs,
            channel_names,
            identity,
            api,
            secret_key,
            config,
        })
    }

    /// Serves until `shutdown`; then everything in flight is finished first.
    ///
    /// # Errors
    /// The web's templates cannot be used, or a part ended before it was asked to.
    pub async fn serve(
        &self,
        listener: TcpListener,
        parts: Parts,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let site = self.config.base_url.clone().unwrap_or_default();
        let offer = move |code: Option<&str>| {
            if let Some(code) = code {
                tracing::warn!(code, "There is no staff user yet: open {site}/setup and enter this code");
            }
        };
        self.serve_offering(listener, parts, shutdown, offer).await
    }

    /// The same; `offer` says how to log in: by `/setup` with this code while no staff user can.
    ///
    /// # Errors
    /// As [`App::serve`].
    pub async fn serve_offering(
        &self,
        listener: TcpListener,
        parts: Parts,
        shutdown: CancellationToken,
        offer: impl FnOnce(Option<&str>),
    ) -> anyhow::Result<()> {
        let mut edges = JoinSet::new();
        // First, since it reads the board while the rest is made ready.
        edges.spawn(board::poll_revision(self.ctx.clone(), shutdown.clone()));
        let (ctx, metrics, files) = (self.ctx.clone(), self.metrics.clone(), self.files.clone());
        let mut web = Web::new(ctx, self.web_config(), metrics, files).await?;
        if let Some(secret) = self.config.slack.http_secret() {
            web = web.with_slack(self.slack_inbox(secret));
        }
        let web = Arc::new(web);
        open_files::allow(FILES);
        edges.spawn(server::serve(listener, Arc::clone(&web), shutdown.clone()));
        offer_setup(&web, offer).await;
        if self.config.slack.socket_mode_enabled() {
            edges.spawn(self.socket_mode().run(shutdown.clone()));
        }
        if self.config.slack.takes_commands() {
            let asking = identity::learn(self.api.clone(), Arc::clone(&self.identity));
            let shutdown = shutdown.clone();
            tokio::spawn(async move { shutdown.run_until_cancelled(asking).await });
        }
        // The worker ends last: what the edges accept while they drain is still sent.
        let (edges_done, mut worker) = (CancellationToken::new(), JoinSet::new());
        if parts == Parts::All {
            worker.spawn(self.worker().run(edges_done.clone()));
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            _ = edges.join_next() => {}
            Some(_) = worker.join_next() => {}
        }
        let early = !shutdown.is_cancelled();
        shutdown.cancel();
        let crashed = all_ended(edges).await;
        // What came over HTTP may still be worked upon.
        self.intake.drain(DRAIN).await;
        edges_done.cancel();
        let crashed = all_ended(worker).await || crashed;
        anyhow::ensure!(!early && !crashed, "a part of the program ended by itself: see the log");
        Ok(())
    }

    /// Runs only the worker until `shutdown`.
    pub async fn work(&self, shutdown: CancellationToken) {
        self.worker().run(shutdown).await;
    }

    fn worker(&self) -> Worker {
        let heartbeat = Heartbeat::new(self.config.worker_heartbeat.clone());
        let (deliverer, jobs) = (Arc::clone(&self.deliverer), Arc::clone(&self.jobs));
        let (ctx, files, names) = (self.ctx.clone(), self.files.clone(), Arc::clone(&self.channel_names));
        Worker::new(ctx, deliverer, jobs, files, names, heartbeat, self.config.worker_poll)
    }

    fn slack_inbox(&self, secret: &SecretString) -> SlackInbox {
        let slack = SlackHttp::new(self.intake.clone(), secret.clone(), self.ctx.clock.clone());
        let checking = slack.clone();
        SlackInbox::new(
            move |headers| checking.check_headers(headers),
            move |headers, body| {
                let slack = slack.clone();
                async move { slack.receive(&headers, &body).await }.boxed()
            },
        )
    }

    fn socket_mode(&self) -> SocketMode {
        let connections = self.config.slack.connections;
        let (api, intake, metrics) = (self.api.clone(), self.intake.clone(), self.metrics.clone());
        SocketMode::new(api, intake, metrics, connections, SocketTimings::default())
    }

    fn web_config(&self) -> WebConfig {
        WebConfig {
            base_url: self.config.base_url.clone(),
            secret_key: self.secret_key.clone(),
            secret_key_previous: self.config.secret_key_previous.clone(),
            timezone: self.config.timezone.clone(),
            trusted_proxies: self.config.trusted_proxies.clone(),
        }
    }
}

async fn offer_setup(web: &Web, offer: impl FnOnce(Option<&str>)) {
    match web.setup_code().await {
        Ok(code) => offer(code),
        Err(error) => tracing::warn!(error = %ErrorChain(&error), "cannot check for a staff user"),
    }
}

/// The secret of cookies and seals: as configured, else that of the data directory.
fn key_of_secrets(config: &Config) -> anyhow::Result<SecretString> {
    if let Some(secret) = &config.secret_key {
        return Ok(secret.clone());
    }
    let kept = config::load_or_create_secret_key(&config.data_dir)
        .with_context(|| format!("the secret key in {}", config.data_dir.display()))?;
    if kept.is_new && config.database_file().is_none() {
        tracing::warn!(
            "There is no SECRET_KEY, so this process has made one of its own. All processes that share the database \
             need the same: see docs/administrators.md"
        );
    }
    Ok(kept.secret)
}

fn files(config: &Config, ctx: &Ctx) -> Files {
    let (path, limit, reserve) = (config.upload_path.clone(), config.upload_max, config.disk_reserve);
    Files::new(path, limit, reserve, ctx.store.clone(), ctx.clock.clone())
}

/// The directory of uploads. One that cannot be written is named, and takes nothing else down.
async fn uploads(config: &Config, ctx: &Ctx) -> Files {
    let files = files(config, ctx);
    if let Err(error) = files.prepare().await {
        let path = config.upload_path.display();
        tracing::error!(%path, error = %ErrorChain(&error), "UPLOAD_PATH is not writable: uploads are off");
    }
    files
}

/// Waits for tasks; true when one of them crashed.
async fn all_ended(mut tasks: JoinSet<()>) -> bool {
    let mut crashed = false;
    while let Some(ended) = tasks.join_next().await {
        crashed |= ended.is_err();
    }
    crashed
}
