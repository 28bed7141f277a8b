//! Leases what is due, sends it, settles it. At-least-once: a crash between Slack's answer and the
//! commit sends again.

use super::channel_names::ChannelNames;
use super::channels::slack::SlackChannel;
use super::lease::{LEASE, Times};
use super::limiter::{Limiter, Turn, Wait};
use super::sending::{Done, Sending};
use super::shared_time::SharedTime;
use crate::chain::Chain;
use crate::domain::delivery::{DeliveryKind, DeliveryState, Failure, Tally, Verdict, after_failure};
use crate::metrics::Metrics;
use crate::ops::{Ctx, mutation_log};
use crate::store::deliveries::{self, Attempt, Deferred, Delivery, Settlement};
use crate::store::living::{self, Living};
use crate::store::outage::{again_after_deadlock, is_deadlock, within};
use crate::store::password_messages;
use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Messages being sent at once (spec "Transport").
const AT_ONCE: usize = 64;
/// Longest that one try to record what became of a message may take.
const RECORD_MAX: Duration = Duration::from_secs(10);
/// Waits between such tries; together shorter than a lease.
const RECORD_AGAIN: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
];

/// Delivers; shared by the worker's loop and its sends.
pub struct Deliverer {
    ctx: Ctx,
    sending: Sending,
    limiter: Limiter,
    time: SharedTime,
    metrics: Metrics,
    names: Arc<ChannelNames>,
    /// Tells this process's leases from others'.
    name: String,
}

/// What one look at what is due has found to be waiting.
#[derive(Default)]
struct Waiting {
    turns: HashSet<Turn>,
    all_posts: bool,
}

impl Waiting {
    fn includes(&self, turn: &Turn) -> bool {
        self.turns.contains(turn) || (self.all_posts && matches!(turn, Turn::Post(_)))
    }
}

impl Deliverer {
    /// Puts the parts together under a random name.
    pub fn new(ctx: Ctx, slack: SlackChannel, metrics: Metrics, names: Arc<ChannelNames>) -> Self {
        let limiter = Limiter::new(ctx.clock.clone());
        let time = SharedTime::new(ctx.clock.clone());
        let sending = Sending::new(ctx.clone(), slack);
        Self { ctx, sending, limiter, time, metrics, names, name: format!("{:032x}", rand::random::<u128>()) }
    }

    /// The name under which it leases, as the database has it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Leases what is due and starts sending it, up to 64 at once. Shows that it lives by `beat`, since
    /// each lease may wait for the database.
    ///
    /// # Errors
    /// The database's; what was started goes on.
    pub async fn look(self: &Arc<Self>, in_flight: &mut JoinSet<()>, beat: &impl Fn()) -> Result<(), DbErr> {
        let room = AT_ONCE.saturating_sub(in_flight.len());
        if room == 0 {
            return Ok(());
        }
        self.time.compare(&self.ctx.store).await?;
        let due =
            deliveries::due_now(self.ctx.store.read(), self.time.now(), u64::try_from(room).unwrap_or(0))
                .await?;
        let mut waiting = Waiting::default();
        for due in due {
            let turn = Turn::of(due.kind, &due.target);
            if waiting.includes(&turn) || (due.is_looked_for() && waiting.includes(&Turn::Look)) {
                continue;
            }
            beat();
            let (now, asked, db) = (self.time.now(), Instant::now(), self.ctx.store.write());
            if !self.may_go(turn, &mut waiting, now).await?
                || (due.is_looked_for() && !self.may_go(Turn::Look, &mut waiting, now).await?)
            {
                continue;
            }
            let lease = || deliveries::lease(db, due.id, &self.name, now, now + LEASE);
            let leased = again_after_deadlock(is_deadlock, lease).await?;
            if let Some(delivery) = leased {
                let deliverer = Arc::clone(self);
                in_flight.spawn(async move { deliverer.deliver(delivery, asked).await });
            }
        }
        self.limiter.tidy();
        Ok(())
    }

    /// Takes a turn, or puts off whatever has to wait for the same one; false then.
    async fn may_go(&self, turn: Turn, waiting: &mut Waiting, now: DateTime<Utc>) -> Result<bool, DbErr> {
        let wait = match self.limiter.check(&turn) {
            Ok(()) => return Ok(true),
            Err(Wait::AllPosts) => {
                waiting.all_posts = true;
                return Ok(false);
            }
            Err(Wait::Turn(wait)) => wait,
        };
        let which = match &turn {
            Turn::Edit => Deferred::Edits,
            Turn::Look => Deferred::Looks,
            Turn::Post(target) => Deferred::Messages(target),
        };
        let db = self.ctx.store.write();
        again_after_deadlock(is_deadlock, || deliveries::defer(db, which, now, now + wait)).await?;
        waiting.turns.insert(turn);
        Ok(false)
    }

    /// Delivers until nothing is due at the present time.
    ///
    /// # Errors
    /// The database's.
    pub async fn settle(self: &Arc<Self>) -> Result<(), DbErr> {
        let mut in_flight = JoinSet::new();
        loop {
            self.look(&mut in_flight, &|| ()).await?;
            if in_flight.join_next().await.is_none() {
                return Ok(());
            }
        }
    }

    /// Sends and settles, for as long as the lease holds that was asked for at `leased`: what somebody else may send
    /// by now is given up, wherever it stands.
    async fn deliver(&self, delivery: Delivery, leased: Instant) {
        let started = self.time.now();
        let (id, db) = (delivery.id, self.ctx.store.write());
        let hold = || deliveries::hold(db, id, &self.name, self.time.now() + LEASE);
        let sent = tokio::select! {
            biased;
            () = Times::STANDARD.lost(leased, hold) => {
                return tracing::warn!(id = id.0, "The lease of a message was lost: another worker sends it");
            }
            sent = self.sending.send(&delivery) => sent,
        };
        let now = self.time.now();
        let settlement = settlement(&delivery, &sent, (started, now));
        self.tell(&delivery, &sent, &settlement, now);
        if let Err(Failure::Circumstance { retry_after: Some(wait), .. }) = &sent {
            self.limiter.rest(Turn::of(delivery.kind, &delivery.target), now + *wait);
            // It may have been the look that Slack did not want.
            if delivery.kind == DeliveryKind::Message && delivery.in_doubt_since.is_some() {
                self.limiter.rest(Turn::Look, now + *wait);
            }
        }
        let outcome = sent.as_ref().map_or_else(Failure::code, |done| done.outcome());
        let attempt = Attempt { outcome: outcome.to_owned(), took: now - started, at: now };
        self.record(&delivery, sent.as_ref().ok(), &settlement, &attempt).await;
    }

    /// Records what became of a message, patiently: forgetting it would mean sending it again.
    async fn record(
        &self,
        delivery: &Delivery,
        done: Option<&Done>,
        settlement: &Settlement,
        attempt: &Attempt,
    ) {
        let mut waits = RECORD_AGAIN.into_iter();
        loop {
            let record = || self.record_once(delivery, done, settlement, attempt);
            match within(RECORD_MAX, again_after_deadlock(is_deadlock, record)).await {
                Ok(()) => return,
                Err(error) => {
                    let error = Chain(&error);
                    tracing::warn!(%error, id = delivery.id.0, "What became of a message is not recorded yet");
                }
            }
            let Some(wait) = waits.next() else { break };
            tokio::time::sleep(wait).await;
        }
        tracing::error!(
            id = delivery.id.0,
            "What became of a message could not be recorded: it may be sent again"
        );
    }

    /// The attempt and what follows from it, together.
    async fn record_once(
        &self,
        delivery: &Delivery,
        done: Option<&Done>,
        settlement: &Settlement,
        attempt: &Attempt,
    ) -> Result<(), DbErr> {
        let tx = self.ctx.store.begin().await?;
        // First, since the attempt locks the same row more weakly: two such locks cannot both be raised.
        let settled = deliveries::settle(&tx, delivery.id, &self.name, settlement, attempt.at).await?;
        if !settled {
            tracing::warn!(id = delivery.id.0, "A lease was lost while its message was being sent");
        }
        if delivery.kind == DeliveryKind::Password && settled {
            password_messages::end_withdrawn(&tx, &delivery.lane, attempt.at).await?;
        }
        if let Some(message) = Living::of(delivery).filter(|_| settled) {
            match done {
                Some(Done::Shows(shown)) => living::shows(&tx, message, shown, attempt.at).await?,
                Some(Done::Gone { ts }) => living::forget(&tx, message, Some(ts.as_str())).await?,
                Some(Done::Posted(_) | Done::Nothing) => {}
                // One that cannot be edited for so long is of no use to anybody: the next message is the card.
                None if delivery.kind == DeliveryKind::Edit && settlement.state == DeliveryState::Dead => {
                    living::forget(&tx, message, None).await?;
                }
                None => {}
            }
        }
        deliveries::record_attempt(&tx, delivery.id, attempt).await?;
        tx.commit().await
    }

    /// Metrics and log: one line a failed attempt (spec "Watching it").
    fn tell(
        &self,
        delivery: &Delivery,
        sent: &Result<Done, Failure>,
        settled: &Settlement,
        now: DateTime<Utc>,
    ) {
        let target = self.names.shown(&delivery.target);
        let failure = match sent {
            Ok(done) => {
                self.metrics.delivery("slack", "delivered");
                let (id, outcome) = (delivery.id.0, done.outcome());
                tracing::info!(id, outcome, target_channel = target, "A message was delivered");
                return;
            }
            Err(failure) => failure,
        };
        tracing::warn!("Notification {} delivery failed: {} ({target})", delivery.id, failure.code());
        let dead = settled.state == DeliveryState::Dead;
        self.metrics.delivery("slack", if dead { "dead" } else { "failed" });
        if dead {
            let data = json!({ "id": delivery.id, "target": target, "reason": failure.code() });
            mutation_log::write("notification.permanently_failed", "worker", &data, now);
        }
    }
}

fn settlement(
    delivery: &Delivery,
    sent: &Result<Done, Failure>,
    (started, now): (DateTime<Utc>, DateTime<Utc>),
) -> Settlement {
    let kept = Settlement {
        state: DeliveryState::Delivered,
        failures: delivery.failures,
        blamed: delivery.blamed,
        due_at: delivery.due_at,
        posted: None,
        in_doubt_since: None,
    };
    let failure = match sent {
        // At once, as the new card.
        Ok(Done::Gone { .. }) if delivery.kind == DeliveryKind::Message => {
            return Settlement { state: DeliveryState::Failed, due_at: now, ..kept };
        }
        Ok(done) => return Settlement { posted: done.posted(), ..kept },
        Err(failure) => failure,
    };
    let tally =
        Tally { created_at: delivery.created_at, failures: delivery.failures, blamed: delivery.blamed };
    let (state, due_at) = match after_failure(tally, failure, now) {
        Verdict::Retry(at) => (DeliveryState::Failed, at),
        Verdict::Dead => (DeliveryState::Dead, delivery.due_at),
    };
    let blamed = i32::from(matches!(failure, Failure::Message { .. }));
    // A wait that Slack named says nothing about how long the next one should be.
    let counts = i32::from(!matches!(failure, Failure::Circumstance { retry_after: Some(_), .. }));
    let doubt = matches!(failure, Failure::Circumstance { in_doubt: true, .. });
    Settlement {
        state,
        due_at,
        in_doubt_since: delivery.in_doubt_since.or(doubt.then_some(started)),
        failures: delivery.failures + counts,
        blamed: delivery.blamed + blamed,
        ..kept
    }
}
