//! The board revision, cached per process. While the revision poller runs, one small query twice a second serves all
//! readers. Without it (command line, tests) each reader queries the database.
//!
//! The cached revision is stale once this process has committed a change, or once the database has not answered for a
//! while.

use crate::error_chain::ErrorChain;
use crate::ops::{Ctx, OpError};
use crate::store::{self, Store};
use sea_orm::DbErr;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How often a process polls for changes of others (spec "Deliveries").
const POLL: Duration = Duration::from_millis(500);
/// Shortest time between two polls, even if this process commits many changes.
const POLL_MIN: Duration = Duration::from_millis(50);
/// How long the database may take to answer a poll.
const POLL_TIMEOUT: Duration = Duration::from_secs(2);
/// A revision is stale this long after the query that confirmed it.
const STALE_AFTER: Duration = Duration::from_secs(2);

/// The cached revision of this process.
#[derive(Debug, Default)]
pub(in crate::ops) struct Revision {
    cached: watch::Sender<Option<CachedRevision>>,
    /// Visible changes that this process has committed.
    changes: AtomicU64,
    /// Wakes the poller after each of them.
    wake: Notify,
    is_polling: AtomicBool,
}

/// When a query was sent. Its answer includes everything that was committed before.
#[derive(Debug, Clone, Copy)]
struct QueryTime {
    at: Instant,
    changes: u64,
}

#[derive(Debug, Clone, Copy)]
struct CachedRevision {
    revision: i64,
    /// When the first answer with this revision came.
    first_seen: Instant,
    /// The latest query that confirmed it.
    queried: QueryTime,
}

impl CachedRevision {
    /// Adds an answer. Answers may overtake each other: a smaller revision counts only if its query was sent after the
    /// greater one was seen. In that case the database was replaced by an older copy.
    fn with(before: Option<Self>, queried: QueryTime, revision: i64, now: Instant) -> Self {
        let Some(before) = before else { return Self { revision, first_seen: now, queried } };
        let latest = QueryTime {
            at: queried.at.max(before.queried.at),
            changes: queried.changes.max(before.queried.changes),
        };
        let was_overtaken = revision < before.revision && queried.at <= before.first_seen;
        if revision == before.revision || was_overtaken {
            Self { queried: latest, ..before }
        } else {
            Self { revision, first_seen: now, queried: latest }
        }
    }

    fn is_fresh(&self, changes: u64, now: Instant) -> bool {
        self.queried.changes == changes && now.duration_since(self.queried.at) <= STALE_AFTER
    }
}

impl Revision {
    /// Call after the commit of a visible change: the cached revision becomes stale, and the poller wakes.
    pub(in crate::ops) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// The cached revision, if the poller runs and it is fresh.
    fn fresh(&self) -> Option<i64> {
        if !self.is_polling.load(Ordering::SeqCst) {
            return None;
        }
        let cached = (*self.cached.borrow())?;
        cached.is_fresh(self.changes.load(Ordering::SeqCst), Instant::now()).then_some(cached.revision)
    }

    async fn query(&self, store: &Store) -> Result<i64, DbErr> {
        let queried = QueryTime { at: Instant::now(), changes: self.changes.load(Ordering::SeqCst) };
        let revision = store::board::revision(store.read()).await?;
        let mut newest = revision;
        self.cached.send_if_modified(|cached| {
            let updated = CachedRevision::with(*cached, queried, revision, Instant::now());
            newest = updated.revision;
            cached.replace(updated).is_none_or(|before| before.revision != newest)
        });
        Ok(newest)
    }
}

/// The board revision: the key of every cache of boards. It includes all changes that this process committed, and is
/// at most half a second behind other processes.
pub async fn revision(ctx: &Ctx) -> Result<i64, OpError> {
    let revision = &ctx.board.revision;
    match revision.fresh() {
        Some(fresh) => Ok(fresh),
        None => Ok(revision.query(&ctx.store).await?),
    }
}

/// Polls for new revisions until `shutdown`: the one poller of a process that shows boards. Also reads the board once,
/// so that the first request finds it in the cache.
pub async fn poll_revision(ctx: Ctx, shutdown: CancellationToken) {
    let revision = &ctx.board.revision;
    let _polling = Polling::start(revision);
    let polling = async {
        let mut tick = interval(POLL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut outage = OutageLog::default();
        loop {
            tokio::select! {
                () = revision.wake.notified() => {}
                _ = tick.tick() => {}
            }
            match timeout(POLL_TIMEOUT, revision.query(&ctx.store)).await {
                Ok(Ok(_)) => outage.end(),
                Ok(Err(error)) => outage.log(&ErrorChain(&error)),
                Err(late) => outage.log(&late),
            }
            sleep(POLL_MIN).await;
        }
    };
    let first = async {
        if let Err(error) = super::board(&ctx).await {
            tracing::debug!(error = %ErrorChain(&error), "board prefetch failed");
        }
    };
    shutdown.run_until_cancelled(async { tokio::join!(polling, first) }).await;
}

/// Sets `is_polling` while the poller runs, even if it panics.
struct Polling<'a>(&'a Revision);

impl<'a> Polling<'a> {
    fn start(revision: &'a Revision) -> Self {
        revision.is_polling.store(true, Ordering::SeqCst);
        Self(revision)
    }
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.0.is_polling.store(false, Ordering::SeqCst);
    }
}

/// Logs one line when an outage begins and one when it ends.
#[derive(Default)]
struct OutageLog(bool);

impl OutageLog {
    fn log(&mut self, error: &dyn Display) {
        if !std::mem::replace(&mut self.0, true) {
            tracing::warn!(%error, "board revision poll failed: boards are not updated");
        }
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.0) {
            tracing::info!("board revision poll recovered");
        }
    }
}

/// A subscription to new revisions.
#[derive(Debug)]
pub struct Revisions {
    cached: watch::Receiver<Option<CachedRevision>>,
    latest: Option<i64>,
}

/// Subscribes to revisions, starting with the present one.
pub async fn follow(ctx: &Ctx) -> Result<Revisions, OpError> {
    let cached = ctx.board.revision.cached.subscribe();
    revision(ctx).await?;
    Ok(Revisions { cached, latest: None })
}

impl Revisions {
    /// Waits for a new revision; returns the present one at first. Skips all but the newest. `None` once the program
    /// ends. Cancel-safe.
    pub async fn next(&mut self) -> Option<i64> {
        let latest = self.latest;
        let is_new =
            |cached: &Option<CachedRevision>| cached.is_some_and(|cached| Some(cached.revision) != latest);
        self.latest = Some((*self.cached.wait_for(is_new).await.ok()?)?.revision);
        self.latest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn queried(at: Instant, changes: u64) -> QueryTime {
        QueryTime { at, changes }
    }

    #[test]
    fn late_query_results_never_lower_the_revision() {
        let start = Instant::now();
        let late = CachedRevision::with(None, queried(start, 0), 6, start + 2 * SECOND);
        let cached = CachedRevision::with(Some(late), queried(start + SECOND, 0), 5, start + 3 * SECOND);
        assert_eq!(
            (cached.revision, cached.first_seen),
            (6, start + 2 * SECOND),
            "queried before 6 was seen"
        );
        let cached = CachedRevision::with(Some(cached), queried(start, 0), 7, start + 4 * SECOND);
        assert_eq!((cached.revision, cached.queried.at), (7, start + SECOND), "a greater revision is newer");
    }

    #[test]
    fn lower_revision_of_replaced_database_is_accepted() {
        let start = Instant::now();
        let mut cached = CachedRevision::with(None, queried(start, 0), 100, start + SECOND);
        for second in 2..5 {
            let now = start + second * SECOND;
            cached = CachedRevision::with(Some(cached), queried(now, 0), 100, now);
        }
        assert_eq!(cached.first_seen, start + SECOND, "only confirmed");
        let now = start + 6 * SECOND;
        assert_eq!(CachedRevision::with(Some(cached), queried(now, 0), 50, now).revision, 50);
    }

    #[test]
    fn change_or_silence_makes_revision_stale() {
        let start = Instant::now();
        let cached = CachedRevision::with(None, queried(start, 3), 7, start);
        assert!(cached.is_fresh(3, start + STALE_AFTER));
        assert!(!cached.is_fresh(3, start + STALE_AFTER + Duration::from_millis(1)), "not confirmed");
        assert!(!cached.is_fresh(4, start), "queried before the change");
        let confirmed = CachedRevision::with(Some(cached), queried(start + SECOND, 4), 7, start + SECOND);
        assert!(confirmed.is_fresh(4, start + SECOND + STALE_AFTER));
        let late = CachedRevision::with(Some(confirmed), queried(start, 3), 7, start + 2 * SECOND);
        assert!(late.is_fresh(4, start + SECOND + STALE_AFTER), "an older answer makes nothing stale");
    }
}
