//! The board's revision as this process knows it. While a look runs, one small query twice a second
//! answers for all readers; without one (command line, tests) each reader asks the database itself.
//!
//! What is known is used for as long as nothing speaks against it: a change that this process has
//! committed since, or a database that has not answered for a while.

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

/// How often a process looks for what others have changed (spec "Deliveries").
const LOOK: Duration = Duration::from_millis(500);
/// Shortest time between two looks, however much is changed here.
const BREATH: Duration = Duration::from_millis(50);
/// How long the database may take to answer a look.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// How long what was learnt is believed without being confirmed.
const BELIEVED: Duration = Duration::from_secs(2);

/// What this process knows of the revision.
#[derive(Debug, Default)]
pub(in crate::ops) struct Revision {
    known: watch::Sender<Option<Known>>,
    /// Visible changes that this process has committed.
    changes: AtomicU64,
    /// Rung at each of them.
    ring: Notify,
    is_looking: AtomicBool,
}

/// When a question was put to the database: its answer holds all that was committed before.
#[derive(Debug, Clone, Copy)]
struct RouteMatch {
    at: Instant,
    changes: u64,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    revision: i64,
    /// When the first answer with this revision came.
    learnt: Instant,
    /// The latest question whose answer agrees.
    asked: RouteMatch,
}

impl Known {
    /// What is known after one more answer. Answers may overtake each other: a smaller revision is
    /// believed only of a question that was asked when the greater one was known already. Then the
    /// database was replaced by an older one.
    fn with(before: Option<Self>, asked: RouteMatch, revision: i64, now: Instant) -> Self {
        let Some(before) = before else { return Self { revision, learnt: now, asked } };
        let latest =
            RouteMatch { at: asked.at.max(before.asked.at), changes: asked.changes.max(before.asked.changes) };
        let was_overtaken = revision < before.revision && asked.at <= before.learnt;
        if revision == before.revision || was_overtaken {
            Self { asked: latest, ..before }
        } else {
            Self { revision, learnt: now, asked: latest }
        }
    }

    /// True when nothing speaks against it.
    fn holds(&self, changes: u64, now: Instant) -> bool {
        self.asked.changes == changes && now.duration_since(self.asked.at) <= BELIEVED
    }
}

impl Revision {
    /// A visible change was committed here: the next reader asks the database, listeners hear soon.
    pub(in crate::ops) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.ring.notify_one();
    }

    fn at_hand(&self) -> Option<i64> {
        if !self.is_looking.load(Ordering::SeqCst) {
            return None;
        }
        let known = (*self.known.borrow())?;
        known.holds(self.changes.load(Ordering::SeqCst), Instant::now()).then_some(known.revision)
    }

    async fn ask(&self, store: &Store) -> Result<i64, DbErr> {
        let asked = RouteMatch { at: Instant::now(), changes: self.changes.load(Ordering::SeqCst) };
        let revision = store::board::revision(store.read()).await?;
        let mut newest = revision;
        self.known.send_if_modified(|known| {
            let now_known = Known::with(*known, asked, revision, Instant::now());
            newest = now_known.revision;
            known.replace(now_known).is_none_or(|before| before.revision != newest)
        });
        Ok(newest)
    }
}

/// The revision of all that boards show: the key of every cache made from them. It is at least that of
/// the last change that this process committed, and at most half a second behind other processes.
///
/// # Errors
/// The database's.
pub async fn revision(ctx: &Ctx) -> Result<i64, OpError> {
    let revision = &ctx.board.revision;
    match revision.at_hand() {
        Some(known) => Ok(known),
        None => Ok(revision.ask(&ctx.store).await?),
    }
}

/// Looks for new revisions until `shutdown`: the one loop of a process that shows boards. Reads the board to
/// begin with, so that it is at hand, or under way, when the first one asks for it.
pub async fn poll_revision(ctx: Ctx, shutdown: CancellationToken) {
    let revision = &ctx.board.revision;
    let _looking = Looking::begin(revision);
    let looking = async {
        let mut tick = interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut trouble = Trouble::default();
        loop {
            tokio::select! {
                () = revision.ring.notified() => {}
                _ = tick.tick() => {}
            }
            match timeout(ANSWER_WITHIN, revision.ask(&ctx.store)).await {
                Ok(Ok(_)) => trouble.end(),
                Ok(Err(error)) => trouble.tell(&ErrorChain(&error)),
                Err(late) => trouble.tell(&late),
            }
            sleep(BREATH).await;
        }
    };
    let first = async {
        if let Err(error) = super::board(&ctx).await {
            tracing::debug!(error = %ErrorChain(&error), "board prefetch failed");
        }
    };
    shutdown.run_until_cancelled(async { tokio::join!(looking, first) }).await;
}

/// Says that a look runs for as long as it does, even one that panics.
struct Looking<'a>(&'a Revision);

impl<'a> Looking<'a> {
    fn begin(revision: &'a Revision) -> Self {
        revision.is_looking.store(true, Ordering::SeqCst);
        Self(revision)
    }
}

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        self.0.is_looking.store(false, Ordering::SeqCst);
    }
}

/// How an outage is told: a line when it begins and one when it ends.
#[derive(Default)]
struct Trouble(bool);

impl Trouble {
    fn tell(&mut self, error: &dyn Display) {
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

/// Hears of revisions as they come; of several at once only the newest.
#[derive(Debug)]
pub struct Revisions {
    known: watch::Receiver<Option<Known>>,
    told: Option<i64>,
}

/// Follows the revision, from the present one on.
///
/// # Errors
/// The database's.
pub async fn follow(ctx: &Ctx) -> Result<Revisions, OpError> {
    let known = ctx.board.revision.known.subscribe();
    revision(ctx).await?;
    Ok(Revisions { known, told: None })
}

impl Revisions {
    /// Waits for a revision that was not told yet; the first is there at once. `None` when the program
    /// is gone. May be dropped at any time without missing one.
    pub async fn next(&mut self) -> Option<i64> {
        let told = self.told;
        let is_news = |known: &Option<Known>| known.is_some_and(|known| Some(known.revision) != told);
        self.told = Some((*self.known.wait_for(is_news).await.ok()?)?.revision);
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn asked(at: Instant, changes: u64) -> RouteMatch {
        RouteMatch { at, changes }
    }

    #[test]
    fn answers_may_overtake_each_other() {
        let start = Instant::now();
        let late = Known::with(None, asked(start, 0), 6, start + 2 * SECOND);
        let known = Known::with(Some(late), asked(start + SECOND, 0), 5, start + 3 * SECOND);
        assert_eq!((known.revision, known.learnt), (6, start + 2 * SECOND), "asked before 6 was known");
        let known = Known::with(Some(known), asked(start, 0), 7, start + 4 * SECOND);
        assert_eq!((known.revision, known.asked.at), (7, start + SECOND), "greater is newer, however late");
    }

    #[test]
    fn a_database_that_was_replaced_is_believed() {
        let start = Instant::now();
        let mut known = Known::with(None, asked(start, 0), 100, start + SECOND);
        for second in 2..5 {
            known = Known::with(Some(known), asked(start + second * SECOND, 0), 100, start + second * SECOND);
        }
        assert_eq!(known.learnt, start + SECOND, "confirmed, not learnt anew");
        let known = Known::with(Some(known), asked(start + 6 * SECOND, 0), 50, start + 6 * SECOND);
        assert_eq!(known.revision, 50);
    }

    #[test]
    fn a_change_or_a_silence_speaks_against_it() {
        let start = Instant::now();
        let known = Known::with(None, asked(start, 3), 7, start);
        assert!(known.holds(3, start + BELIEVED));
        assert!(!known.holds(3, start + BELIEVED + Duration::from_millis(1)), "nobody has confirmed it");
        assert!(!known.holds(4, start), "asked before the change");
        let confirmed = Known::with(Some(known), asked(start + SECOND, 4), 7, start + SECOND);
        assert!(confirmed.holds(4, start + SECOND + BELIEVED));
        let late = Known::with(Some(confirmed), asked(start, 3), 7, start + 2 * SECOND);
        assert!(late.holds(4, start + SECOND + BELIEVED), "an older answer takes nothing back");
    }
}
