//! Sends deliveries and does the jobs. One loop a process: it wakes when an operation of this process enqueues
//! something and when the next turn comes, polls every half second for what other processes enqueued, shows that it
//! lives, and once a day has removed what was kept long enough. Several may run at once; one of them sends.
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
use crate::store::heartbeats;
use crate::store::db_error::within;
use sea_orm::DbErr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// How often a process looks for what others enqueued (spec "Deliveries").
const POLL: Duration = Duration::from_millis(500);
/// Longest that such a poll, or noting it, may take: no wait of the loop passes 60 s without a sign of life.
const POLL_MAX: Duration = Duration::from_secs(20);
/// The iteration's time is written at least this often (spec "Watching it").
const BEAT_MAX: Duration = Duration::from_secs(30);
/// Longest wait for messages in flight at shutdown: one call's time-out and a margin.
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

    /// Runs until `shutdown`, then lets what is being sent arrive; jobs are given back.
    pub async fn run(self, shutdown: CancellationToken) {
        let (mut in_flight, mut running, mut aside) = (JoinSet::new(), JoinSet::new(), Aside::default());
        let mut tick = interval(POLL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_beat = Instant::now();
        let mut trouble = Trouble::default();
        let mut next_turn = None;
        self.heartbeat.touch();
        tracing::info!(worker = self.deliverer.name(), "worker started");
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(sent) = in_flight.join_next() => note(sent, "Sending a message"),
                Some(done) = running.join_next() => note(done, "Recording a job"),
                Some(done) = aside.tidying.join_next() => note(done, "Removing what is old"),
                Some(done) = aside.naming.join_next() => note(done, "Asking what channels are called"),
                () = self.ctx.wake.notified() => {}
                () = sleep_until(next_turn.unwrap_or(next_beat)), if next_turn.is_some() => {}
                _ = tick.tick() => {}
            }
            self.heartbeat.touch();
            let polled = match self.poll(&mut in_flight).await {
                Ok(wait) => {
                    next_turn = wait.map(|wait| Instant::now() + wait);
                    within(POLL_MAX, self.jobs.poll(&mut running, &shutdown)).await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = polled {
                next_turn = None;
                self.deliverer.distrust_leases();
                trouble.tell(&error, self.beat_every);
                continue;
            }
            trouble = Trouble::default();
            if Instant::now() >= next_beat {
                next_beat = Instant::now() + self.beat_every;
                self.beat().await;
                self.go_on_aside(&mut aside);
            }
        }
        // What the edges accepted while they ended is sent now rather than after the next start.
        if let Err(error) = self.poll(&mut in_flight).await {
            trouble.tell(&error, self.beat_every);
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

    /// Starts what is due; after how long more may be sent. A database that neither answers nor refuses is given up
    /// for now.
    async fn poll(&self, in_flight: &mut JoinSet<()>) -> Result<Option<Duration>, DbErr> {
        let beat = || self.heartbeat.touch();
        within(POLL_MAX, self.deliverer.poll(in_flight, &beat)).await
    }

    /// Begins what may take long, unless it is under way. What is cut off at the end goes on after the next start.
    fn go_on_aside(&self, aside: &mut Aside) {
        if aside.tidying.is_empty() {
            aside.tidying.spawn(tidy(self.ctx.clone(), self.files.clone()));
        }
        if aside.naming.is_empty() {
            let names = Arc::clone(&self.names);
            aside.naming.spawn(async move { names.round().await });
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

/// What goes on beside the loop.
#[derive(Default)]
struct Aside {
    tidying: JoinSet<()>,
    naming: JoinSet<()>,
}

/// Removes what was kept long enough, and then files that no row names.
async fn tidy(ctx: Ctx, files: Files) {
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

fn note(ended: Result<(), tokio::task::JoinError>, what: &str) {
    if let Err(error) = ended {
        tracing::error!(error = %ErrorChain(&error), "{what} panicked");
    }
}

/// How an outage is told: the first failure in full, then a short line now and then.
#[derive(Default)]
struct Trouble(Option<Instant>);

impl Trouble {
    fn tell(&mut self, error: &DbErr, every: Duration) {
        match self.0 {
            None => tracing::error!(error = %ErrorChain(error), "Error in worker polling loop"),
            Some(told) if told.elapsed() >= every => {
                tracing::error!("Error in worker polling loop: continues");
            }
            Some(_) => return,
        }
        self.0 = Some(Instant::now());
    }
}
