//! `App`: builds all parts from `Config` and runs them until the shutdown token is cancelled. The only module that
//! depends on all others.

use crate::clients::slack_api::{Identity, SlackApi};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::error_chain::ErrorChain;
use crate::files::Files;
use crate::jobs::Jobs;
use crate::metrics::Metrics;
use crate::ops::secret_box::SecretBox;
use crate::ops::{Announce, Ctx, board};
use crate::people::People;
use crate::render::links::Links;
use crate::render::slack::Blocks;
use crate::slack::context::SlackContext;
use crate::slack::dispatch::Dispatcher;
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
mod writable;

pub use legacy_uploads::LegacyUploads;

/// Longest wait at shutdown for work that came over HTTP.
const DRAIN: Duration = Duration::from_secs(10);

/// Open files that a process needs: the web's connections, and a margin for database, Slack and logs.
const OPEN_FILES: u64 = server::Limits::STANDARD.connections as u64 + 256;

/// The program, built and not yet running.
pub struct App {
    pub ctx: Ctx,
    pub metrics: Metrics,
    pub intake: Intake,
    pub deliverer: Arc<Deliverer>,
    pub files: Files,
    pub jobs: Arc<JobRunner>,
    pub channel_names: Arc<ChannelNames>,
    /// The bot user and its workspace, once Slack has answered.
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

/// Opens the database and migrates its schema.
pub async fn open(config: &Config, clock: Clock) -> anyhow::Result<Ctx> {
    let ctx = open_unmigrated(config, clock).await?;
    ctx.store.migrate().await?;
    Ok(ctx)
}

/// Opens the database without migrating it.
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

/// The Python system's upload directory.
///
/// # Errors
/// It is no directory, or `UPLOAD_PATH` cannot be written.
pub async fn legacy_uploads(config: &Config, ctx: &Ctx, directory: PathBuf) -> anyhow::Result<LegacyUploads> {
    anyhow::ensure!(directory.is_dir(), "--uploads {}: this directory does not exist", directory.display());
    let files = files(config, ctx);
    files.prepare().await.with_context(|| format!("UPLOAD_PATH {}", config.upload_path.display()))?;
    Ok(LegacyUploads::new(directory, files))
}

impl App {
    /// Opens the database and builds all parts. Nothing runs yet.
    pub async fn build(config: Config, clock: Clock) -> anyhow::Result<Self> {
        Self::build_with(config, clock, Metrics::new()).await
    }

    /// The same; until then, requests at `listener` are answered that ESB is starting.
    pub async fn build_at(listener: &TcpListener, config: Config, clock: Clock) -> anyhow::Result<Self> {
        let (metrics, trusted_proxies) = (Metrics::new(), config.trusted_proxies.clone());
        let building = Self::build_with(config, clock, metrics.clone());
        startup::serve_until_ready(listener, trusted_proxies, &metrics, building).await
    }

    async fn build_with(config: Config, clock: Clock, metrics: Metrics) -> anyhow::Result<Self> {
        metrics.socket_mode_enabled(config.slack.socket_mode_enabled());
        writable::wait_for_data(&config).await;
        let secret_key = secret_key(&config)?;
        let seal = SecretBox::new(&secret_key, config.secret_key_previous.as_ref())?;
        // Hundreds of certificates and templates are read while the database is being opened.
        let (slack, counted) = (config.slack.clone(), metrics.clone());
        let (blocks_clock, zone) = (clock.clone(), config.timezone.clone());
        let loading = spawn_blocking(move || {
            let api = SlackApi::new(&slack, counted).context("TLS cannot be set up")?;
            anyhow::Ok((api, Arc::new(Blocks::new(move || zone.local(blocks_clock.now()).date())?)))
        });
        let ctx = open(&config, clock).await?.sealed_by(seal);
        let files = uploads(&config, &ctx).await;
        let (api, blocks) = loading.await??;
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

    /// Serves until `shutdown`, then finishes everything in flight.
    pub async fn serve(
        &self,
        listener: TcpListener,
        parts: Parts,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let site = self.config.base_url.clone().unwrap_or_default();
        let on_ready = move |code: Option<&str>| {
            if let Some(code) = code {
                tracing::warn!(code, "There is no staff user yet: open {site}/setup and enter this code");
            }
        };
        self.serve_with(listener, parts, shutdown, on_ready).await
    }

    /// The same; calls `on_ready` with the code for `/setup` while there is no staff user.
    pub async fn serve_with(
        &self,
        listener: TcpListener,
        parts: Parts,
        shutdown: CancellationToken,
        on_ready: impl FnOnce(Option<&str>),
    ) -> anyhow::Result<()> {
        let mut edges = JoinSet::new();
        // First, so that it reads the board while the rest starts.
        edges.spawn(board::poll_revision(self.ctx.clone(), shutdown.clone()));
        let (ctx, metrics, files) = (self.ctx.clone(), self.metrics.clone(), self.files.clone());
        let mut web = Web::new(ctx, self.web_config(), metrics, files).await?;
        if let Some(secret) = self.config.slack.http_secret() {
            web = web.with_slack(self.slack_inbox(secret));
        }
        let web = Arc::new(web);
        open_files::raise_limit(OPEN_FILES);
        edges.spawn(server::serve(listener, Arc::clone(&web), shutdown.clone()));
        match web.setup_code().await {
            Ok(code) => on_ready(code),
            Err(error) => tracing::warn!(error = %ErrorChain(&error), "cannot check for a staff user"),
        }
        if self.config.slack.socket_mode_enabled() {
            edges.spawn(self.socket_mode().run(shutdown.clone()));
        }
        if self.config.slack.takes_commands() {
            let fetching = identity::fetch(self.api.clone(), Arc::clone(&self.identity));
            let shutdown = shutdown.clone();
            tokio::spawn(async move { shutdown.run_until_cancelled(fetching).await });
        }
        // The worker ends last, since the edges accept work while they drain.
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
        // Requests that came over HTTP may still be in progress.
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

/// The secret for cookies and encrypted passwords: as configured, else from the data directory.
fn secret_key(config: &Config) -> anyhow::Result<SecretString> {
    if let Some(secret) = &config.secret_key {
        return Ok(secret.clone());
    }
    let stored = config::load_or_create_secret_key(&config.data_dir)
        .with_context(|| format!("the secret key in {}", config.data_dir.display()))?;
    if stored.is_new && config.database_file().is_none() {
        tracing::warn!(
            "SECRET_KEY is not set, so this process generated one. All processes that share the database need the same \
             SECRET_KEY: see docs/administrators.md"
        );
    }
    Ok(stored.secret)
}

fn files(config: &Config, ctx: &Ctx) -> Files {
    let (path, limit, reserve) = (config.upload_path.clone(), config.upload_max, config.disk_reserve);
    Files::new(path, limit, reserve, ctx.store.clone(), ctx.clock.clone())
}

/// The upload directory. If it cannot be written, only uploads are off.
async fn uploads(config: &Config, ctx: &Ctx) -> Files {
    let files = files(config, ctx);
    if let Err(error) = files.prepare().await {
        let (path, remedy) = (config.upload_path.display(), writable::remedy(&config.upload_path, &error));
        tracing::error!(%path, error = %ErrorChain(&error), "UPLOAD_PATH is not writable, uploads are off: {remedy}");
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
