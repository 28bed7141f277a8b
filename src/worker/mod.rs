//! Sends deliveries and runs jobs. Each process has one loop. It wakes when an operation of this process enqueues
//! something and when the next rate limit ends, polls every half second for what other processes enqueued, touches
//! the heartbeat, and prunes expired rows once a day. Several processes may run it; one of them sends.
//!
//! ```text
//! due ──circuit breaker, rate limiter──► leased ──► sent ──► recorded, with its attempt
//! job due ──► leased, one of a kind ──► step ──► recorded, with its checkpoint ──► step …
//! ```

mod channel_names;
mod channels;
mod circuit_breaker;
mod db_clock;
mod deliverer;
mod heartbeat;
mod job_runner;
mod leadership;
mod lease;
mod rate_limiter;
mod sender;
mod turns;

pub use channel_names::ChannelNames;
pub use channels::slack::SlackChannel;
pub use deliverer::Deliverer;
pub use heartbeat::Heartbeat;
pub use job_runner::JobRunner;

use crate::error_chain::ErrorChain;
use crate::files::Files;
use crate::ops::Ctx;
use crate::ops::prune::{Pruned, prune_daily};
use crate::store::db_error::within;
use crate::store::heartbeats;
use sea_orm::DbErr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// How often a process polls for what others enqueued (spec "Deliveries").
const POLL: Duration = Duration::from_millis(500);
/// Longest database call of the loop: no wait may exceed 60 s without a heartbeat.
const POLL_MAX: Duration = Duration::from_secs(20);
/// The last-iteration timestamp is written at least this often (spec "Watching it").
const BEAT_MAX: Duration = Duration::from_secs(30);
/// Longest wait for messages in flight at shutdown: the timeout of one call and a margin.
const DRAIN: Duration = Duration::from_secs(20);

/// The worker's loop.
pub struct Worker {
    ctx: Ctx,
    deliverer: Arc<Deliverer>,
    jobs: Arc<JobRunner>,
    files: Files,
    names: Arc<ChannelNames>,
    heartbeat: Heartbeat,
    beat_every: Duration,
}

impl Worker {
    /// `poll` is `WORKER_POLL_SECONDS`.
    pub fn new(
        ctx: Ctx,
        deliverer: Arc<Deliverer>,
        jobs: Arc<JobRunner>,
        files: Files,
        names: Arc<ChannelNames>,
        heartbeat: Heartbeat,
        poll: Duration,
    ) -> Self {
        Self { ctx, deliverer, jobs, files, names, heartbeat, beat_every: poll.min(BEAT_MAX) }
    }

    /// Runs until `shutdown`, then waits for messages in flight and releases the jobs.
    pub async fn run(self, shutdown: CancellationToken) {
        let (mut in_flight, mut running) = (JoinSet::new(), JoinSet::new());
        let mut background = BackgroundTasks::default();
        let mut tick = interval(POLL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_beat = Instant::now();
        let mut outage = OutageLog::default();
        let mut next_send = None;
        self.heartbeat.touch();
        tracing::info!(worker = self.deliverer.name(), "worker started");
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(ended) = in_flight.join_next() => log_panic(ended, "delivery"),
                Some(ended) = running.join_next() => log_panic(ended, "job"),
                Some(ended) = background.pruning.join_next() => log_panic(ended, "pruning"),
                Some(ended) = background.channel_names.join_next() => log_panic(ended, "channel name lookup"),
                () = self.ctx.wake.notified() => {}
                () = sleep_until(next_send.unwrap_or(next_beat)), if next_send.is_some() => {}
                _ = tick.tick() => {}
            }
            self.heartbeat.touch();
            let polled = match self.poll(&mut in_flight).await {
                Ok(wait) => {
                    next_send = wait.map(|wait| Instant::now() + wait);
                    within(POLL_MAX, self.jobs.poll(&mut running, &shutdown)).await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = polled {
                next_send = None;
                self.deliverer.distrust_leases();
                outage.log(&error, self.beat_every);
                continue;
            }
            outage = OutageLog::default();
            if Instant::now() >= next_beat {
                next_beat = Instant::now() + self.beat_every;
                self.beat().await;
                self.spawn_maintenance(&mut background);
            }
        }
        // Envelopes that were accepted during the shutdown are sent now rather than after the next start.
        if let Err(error) = self.poll(&mut in_flight).await {
            outage.log(&error, self.beat_every);
        }
        let drained = timeout(DRAIN, async {
            while running.join_next().await.is_some() {}
            while in_flight.join_next().await.is_some() {}
        });
        if drained.await.is_err() {
            tracing::warn!("messages or jobs in flight at shutdown: their leases will expire");
        }
        if let Err(error) = within(POLL_MAX, self.deliverer.release()).await {
            tracing::debug!(error = %ErrorChain(&error), "leadership not released: another process takes over when the lease expires");
        }
    }

    /// Starts sending due deliveries. Returns the delay until more may be sent.
    async fn poll(&self, in_flight: &mut JoinSet<()>) -> Result<Option<Duration>, DbErr> {
        let beat = || self.heartbeat.touch();
        within(POLL_MAX, self.deliverer.poll(in_flight, &beat)).await
    }

    /// Starts each background task that is not running. A shutdown may interrupt them; the next start repeats them.
    fn spawn_maintenance(&self, background: &mut BackgroundTasks) {
        if background.pruning.is_empty() {
            background.pruning.spawn(prune(self.ctx.clone(), self.files.clone()));
        }
        if background.channel_names.is_empty() {
            let names = Arc::clone(&self.names);
            background.channel_names.spawn(async move { names.refresh_and_wait().await });
        }
    }

    async fn beat(&self) {
        let now = self.ctx.clock.now();
        let beat = heartbeats::beat(self.ctx.store.write(), heartbeats::WORKER, now);
        if let Err(error) = within(POLL_MAX, beat).await {
            tracing::error!(error = %ErrorChain(&error), "Failed to update worker last-iteration timestamp");
        }
    }
}

/// Tasks that the loop does not wait for.
#[derive(Default)]
struct BackgroundTasks {
    pruning: JoinSet<()>,
    channel_names: JoinSet<()>,
}

/// Removes expired rows, then files without a row.
async fn prune(ctx: Ctx, files: Files) {
    match prune_daily(&ctx).await {
        Ok(Some(pruned)) => {
            let Pruned { deliveries, jobs, requests, sessions } = pruned;
            tracing::info!(deliveries, jobs, requests, sessions, "pruned expired rows");
        }
        Ok(None) => return,
        Err(error) => {
            return tracing::warn!(error = %ErrorChain(&error), "pruning failed, will retry");
        }
    }
    match files.sweep().await {
        Ok(0) => {}
        Ok(files) => tracing::info!(files, "removed unreferenced uploads"),
        Err(error) => tracing::error!(error = %ErrorChain(&error), "upload sweep failed, will retry"),
    }
}

fn log_panic(ended: Result<(), tokio::task::JoinError>, task: &str) {
    if let Err(error) = ended {
        tracing::error!(error = %ErrorChain(&error), task, "worker task panicked");
    }
}

/// Logs the first failure of an outage in full, then a short line at intervals. Holds the time of the latest line.
#[derive(Default)]
struct OutageLog(Option<Instant>);

impl OutageLog {
    fn log(&mut self, error: &DbErr, every: Duration) {
        match self.0 {
            None => tracing::error!(error = %ErrorChain(error), "Error in worker polling loop"),
            Some(logged_at) if logged_at.elapsed() >= every => {
                tracing::error!("Error in worker polling loop: continues");
            }
            Some(_) => return,
        }
        self.0 = Some(Instant::now());
    }
}
