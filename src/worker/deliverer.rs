//! Leases due deliveries, sends them and records the outcomes. At-least-once: a crash between Slack's answer and the
//! commit sends a message again.

use super::channel_names::ChannelNames;
use super::channels::slack::SlackChannel;
use super::circuit_breaker::{CircuitBreaker, Subject};
use super::db_clock::DbClock;
use super::leadership::Leadership;
use super::lease::RenewalTimes;
use super::rate_limiter::{RateBucket, RateLimiter};
use super::sender::{SendOutcome, Sender};
use super::turns::{Turns, admit, subject};
use crate::clock::Clock;
use crate::domain::delivery::{Cause, DeliveryKind, Failure};
use crate::domain::ids::DeliveryId;
use crate::metrics::Metrics;
use crate::ops::Ctx;
use crate::store::db_error::{is_deadlock, retry_on_deadlock};
use crate::store::deliveries::Attempt;
use crate::store::delivery_queue::{self, Delivery, Head, LEASE, Moment, Retry};
use sea_orm::DbErr;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

mod recorder;

/// Messages being sent at once (spec "Transport").
const AT_ONCE: usize = 64;
/// Deliveries read in one poll.
const HEADS: u64 = 500;
/// The shortest wait between two polls.
const WAIT_MIN: Duration = Duration::from_millis(5);

/// Shared by the worker's loop and its sends.
pub struct Deliverer {
    ctx: Ctx,
    sender: Sender,
    limiter: RateLimiter,
    breaker: CircuitBreaker,
    db_clock: DbClock,
    leadership: Leadership,
    metrics: Metrics,
    names: Arc<ChannelNames>,
    /// Marks this process's leases.
    name: String,
    /// Deliveries being sent, with their targets. This process never leases one of them again, even if its lease
    /// seems to have expired.
    in_flight: Mutex<HashMap<DeliveryId, String>>,
    /// True once the failed deliveries from before the start have become due.
    resumed: AtomicBool,
    /// True while the database's clock was set back and waiting deliveries have not become due.
    was_set_back: AtomicBool,
}

/// A delivery is in flight for as long as this lives.
struct InFlight<'a> {
    deliverer: &'a Deliverer,
    id: DeliveryId,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.deliverer.in_flight().remove(&self.id);
    }
}

impl Deliverer {
    pub fn new(ctx: Ctx, slack: SlackChannel, metrics: Metrics, names: Arc<ChannelNames>) -> Self {
        let name = format!("{:032x}", rand::random::<u128>());
        Self {
            limiter: RateLimiter::new(ctx.clock.clone()),
            breaker: CircuitBreaker::new(ctx.clock.clone()),
            db_clock: DbClock::new(ctx.clock.clone()),
            leadership: Leadership::new(ctx.clock.clone(), name.clone()),
            sender: Sender::new(ctx.clone(), slack),
            ctx,
            metrics,
            names,
            name,
            in_flight: Mutex::default(),
            resumed: AtomicBool::new(false),
            was_set_back: AtomicBool::new(false),
        }
    }

    /// The random name of its leases in the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Leases due deliveries and starts sending them, up to 64 at once. Returns the delay until more may be sent,
    /// if known. Calls `beat` for the heartbeat, since each lease may wait for the database. After an error, the
    /// sends that were started continue.
    pub async fn poll(
        self: &Arc<Self>,
        sends: &mut JoinSet<()>,
        beat: &impl Fn(),
    ) -> Result<Option<Duration>, DbErr> {
        let room = AT_ONCE.saturating_sub(sends.len());
        if room == 0 {
            return Ok(None);
        }
        self.bring_forward().await?;
        let ours: Vec<DeliveryId> = self.in_flight().keys().copied().collect();
        let moment = Moment {
            now: self.db_clock.now(),
            may_edit: self.limiter.may_have_token(RateBucket::Edits) && self.breaker.may_edit(),
            leases_expire: self.db_clock.can_judge_leases().then_some(&ours),
        };
        let heads = delivery_queue::heads(self.ctx.store.read(), moment, HEADS).await?;
        let (now, parts) = (self.clock().monotonic(), (&self.limiter, &self.breaker));
        let mut turns = Turns::of(heads, now, parts, &self.count_in_flight());
        if turns.ready.is_empty() && turns.is_paced && self.leadership.is_held() {
            // Rate limits are per process.
            self.leadership.ensure(&self.ctx.store, moment.now).await?;
        }
        if turns.ready.is_empty() || !self.leadership.ensure(&self.ctx.store, moment.now).await? {
            return Ok(turns.next.map(|next| next.saturating_sub(now).max(WAIT_MIN)));
        }
        for head in std::mem::take(&mut turns.ready) {
            if sends.len() >= AT_ONCE || !self.leadership.is_held() {
                break;
            }
            beat();
            match admit(&head, &self.limiter, &self.breaker) {
                Err(until) => turns.wait_until(until),
                Ok(()) => {
                    self.start(&head, sends).await?;
                    self.limiter
                        .channel_next(&head.target)
                        .into_iter()
                        .for_each(|next| turns.wait_until(next));
                }
            }
        }
        self.limiter.forget_idle();
        Ok(turns.next.map(|next| next.saturating_sub(self.clock().monotonic()).max(WAIT_MIN)))
    }

    /// Takes the lease of a delivery and starts sending it, unless another worker was faster.
    async fn start(self: &Arc<Self>, head: &Head, sends: &mut JoinSet<()>) -> Result<(), DbErr> {
        let (asked, now, db) = (Instant::now(), self.db_clock.now(), self.ctx.store.write());
        let lease = || delivery_queue::lease(db, head, &self.name, now, now + LEASE);
        let leased = retry_on_deadlock(is_deadlock, lease).await;
        let Ok(Some(delivery)) = leased else {
            self.breaker.undecided(subject(head));
            return leased.map(|_| ());
        };
        self.in_flight().insert(delivery.id, delivery.target.clone());
        let (deliverer, place) = (Arc::clone(self), head.place().to_owned());
        sends.spawn(async move { deliverer.deliver(delivery, &place, asked).await });
        Ok(())
    }

    /// Makes failed deliveries due: at the first poll those that waited for a shared cause, since a restart may have
    /// changed the token; and all of them after the database's clock was set back.
    async fn bring_forward(&self) -> Result<(), DbErr> {
        let store = &self.ctx.store;
        if self.db_clock.compare(store).await? {
            self.was_set_back.store(true, Ordering::Relaxed);
        }
        let which = match (self.was_set_back.load(Ordering::Relaxed), self.resumed.load(Ordering::Relaxed)) {
            (true, _) => Retry::All,
            (false, false) => Retry::Unrejected,
            (false, true) => return Ok(()),
        };
        delivery_queue::retry_now(store.write(), which, self.db_clock.now()).await?;
        self.was_set_back.store(false, Ordering::Relaxed);
        self.resumed.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Delivers until nothing is due now.
    pub async fn settle(self: &Arc<Self>) -> Result<(), DbErr> {
        let mut sends = JoinSet::new();
        loop {
            self.poll(&mut sends, &|| ()).await?;
            if sends.join_next().await.is_none() {
                return self.release().await;
            }
        }
    }

    /// Call when the database did not answer: other workers may not have renewed their leases.
    pub fn distrust_leases(&self) {
        self.db_clock.distrust_leases();
    }

    /// Releases leadership, so that another process can send. After an error the lease expires.
    pub async fn release(&self) -> Result<(), DbErr> {
        self.leadership.release(&self.ctx.store).await
    }

    /// Sends and records a delivery while its lease lasts, which was requested at `leased`. Stops at any point once
    /// the lease is lost, since another worker may send it then.
    async fn deliver(&self, delivery: Delivery, place: &str, leased: Instant) {
        let _in_flight = InFlight { deliverer: self, id: delivery.id };
        let started = self.db_clock.now();
        let (id, db) = (delivery.id, self.ctx.store.write());
        let hold = || delivery_queue::hold(db, id, &self.name, self.db_clock.now() + LEASE);
        let sent = tokio::select! {
            biased;
            () = RenewalTimes::STANDARD.renew_until_lost(leased, hold) => {
                self.breaker.undecided(subject_of(&delivery, place));
                return tracing::warn!(id = id.0, "delivery lease lost: another worker sends it");
            }
            sent = self.sender.send(&delivery) => sent,
        };
        let now = self.db_clock.now();
        let over = self.update_limits(&delivery, place, &sent);
        let settlement = recorder::settlement(&delivery, &sent, (started, now));
        self.report(&delivery, &sent, &settlement, now);
        let outcome = match &sent {
            Ok(outcome) => outcome.word().to_owned(),
            Err(failure) => failure.code().to_owned(),
        };
        let attempt = Attempt { outcome, took: now - started, at: now };
        self.record(&delivery, sent.as_ref().ok(), &settlement, &attempt, &over).await;
    }

    /// Updates rate limiter and circuit breaker by the outcome. Returns the causes that have ended.
    fn update_limits(
        &self,
        delivery: &Delivery,
        place: &str,
        sent: &Result<SendOutcome, Failure>,
    ) -> Vec<Cause> {
        let (subject, target) = (subject_of(delivery, place), delivery.target.as_str());
        let failure = match sent {
            Ok(SendOutcome::Nothing) => {
                self.breaker.undecided(subject);
                return Vec::new();
            }
            Ok(outcome) => {
                let mut over = self.breaker.succeeded(subject);
                // The channel may have failed by its name, by its id, or in another process.
                let by_id = outcome.posted().is_some_and(|(channel, _)| self.breaker.close_channel(&channel));
                if (by_id || delivery.cause == Some(Cause::Channel)) && !over.contains(&Cause::Channel) {
                    over.push(Cause::Channel);
                }
                return over;
            }
            Err(failure) => failure,
        };
        match failure {
            Failure::Unsendable { .. } | Failure::Transient { cause: Some(Cause::Database), .. } => {
                self.breaker.undecided(subject);
                return Vec::new();
            }
            Failure::Transient { retry_after: Some(wait), .. } => {
                let wait = wait.to_std().unwrap_or_default();
                match delivery.kind {
                    DeliveryKind::Edit => self.limiter.back_off(RateBucket::Edits, wait),
                    DeliveryKind::Message | DeliveryKind::Password => {
                        self.limiter.back_off_channel(target, wait);
                    }
                }
                // Slack may have rate-limited the search.
                if delivery.kind == DeliveryKind::Message && delivery.in_doubt_since.is_some() {
                    self.limiter.back_off(RateBucket::Searches, wait);
                }
            }
            Failure::Rejected { .. } | Failure::Transient { .. } => {}
        }
        let noted = self.breaker.failed(subject, failure.cause());
        if let Some(cause) = noted.opened {
            self.log_opened(cause, place, failure.code());
        }
        noted.over
    }

    /// Logs one line when a circuit opens. The Slack client logs a rejected token.
    fn log_opened(&self, cause: Cause, place: &str, code: &str) {
        let channel = self.names.display_name(place);
        match cause {
            Cause::Channel => tracing::warn!(
                channel,
                code,
                "channel accepts no messages: they wait and are tried once a minute. Invite the bot, unarchive the \
                 channel or correct its name"
            ),
            Cause::Slack => {
                tracing::warn!(code, "Slack accepts no messages: retrying once a minute");
            }
            Cause::Token | Cause::Database => {}
        }
    }

    /// Counts the messages in flight to each target.
    fn count_in_flight(&self) -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for target in self.in_flight().values() {
            *counts.entry(target.clone()).or_default() += 1;
        }
        counts
    }

    fn in_flight(&self) -> MutexGuard<'_, HashMap<DeliveryId, String>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    const fn clock(&self) -> &Clock {
        &self.ctx.clock
    }
}

fn subject_of<'a>(delivery: &Delivery, place: &'a str) -> Subject<'a> {
    Subject { id: delivery.id, place, is_edit: delivery.kind == DeliveryKind::Edit }
}
