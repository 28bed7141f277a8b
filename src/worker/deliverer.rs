//! Leases what is due, sends it, records it. At-least-once: a crash between Slack's answer and the
//! commit sends again.

use super::channel_names::ChannelNames;
use super::channels::slack::SlackChannel;
use super::circuit_breaker::{CircuitBreaker, Subject};
use super::db_clock::DbClock;
use super::leadership::Leadership;
use super::lease::Times;
use super::rate_limiter::{RateBucket, RateLimiter};
use super::sender::{SendOutcome, Sender};
use super::turns::{Turns, admit, subject};
use crate::clock::Clock;
use crate::domain::delivery::{Cause, DeliveryKind, Failure};
use crate::domain::ids::DeliveryId;
use crate::metrics::Metrics;
use crate::ops::Ctx;
use crate::store::deliveries::Attempt;
use crate::store::delivery_queue::{self, Delivery, Head, LEASE, Moment, Retry};
use crate::store::db_error::{retry_on_deadlock, is_deadlock};
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
/// Targets looked at in one poll.
const HEADS: u64 = 500;
/// The shortest wait for a next turn.
const SOON: Duration = Duration::from_millis(5);

/// Delivers; shared by the worker's loop and its sends.
pub struct Deliverer {
    ctx: Ctx,
    sender: Sender,
    limiter: RateLimiter,
    breaker: CircuitBreaker,
    db_clock: DbClock,
    leadership: Leadership,
    metrics: Metrics,
    names: Arc<ChannelNames>,
    /// Tells this process's leases from others'.
    name: String,
    /// What is being sent, to which target: no clock makes that another try's.
    in_flight: Mutex<HashMap<DeliveryId, String>>,
    /// What failed before this process began was made due.
    resumed: AtomicBool,
    /// The database's clock was set back, and what waits by it is not due yet.
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
    /// Puts the parts together under a random name.
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

    /// The name under which it leases, as the database has it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Leases what is due and starts sending it, up to 64 at once; after how long more may be sent, as far as that is
    /// known. Shows that it lives by `beat`, since each lease may wait for the database.
    ///
    /// # Errors
    /// The database's; what was started goes on.
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
            edits_go: self.limiter.may_have_token(RateBucket::Edits) && self.breaker.edits_go(),
            leases_expire: self.db_clock.can_judge_leases().then_some(&ours),
        };
        let heads = delivery_queue::heads(self.ctx.store.read(), moment, HEADS).await?;
        let (now, parts) = (self.clock().monotonic(), (&self.limiter, &self.breaker));
        let mut turns = Turns::of(heads, now, parts, &self.under_way());
        if turns.ready.is_empty() && turns.is_paced && self.leadership.is_held() {
            // Another process would not know what Slack asked this one to leave alone.
            self.leadership.ensure(&self.ctx.store, moment.now).await?;
        }
        if turns.ready.is_empty() || !self.leadership.ensure(&self.ctx.store, moment.now).await? {
            return Ok(turns.next.map(|next| next.saturating_sub(now).max(SOON)));
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
        self.limiter.forget_quiet();
        Ok(turns.next.map(|next| next.saturating_sub(self.clock().monotonic()).max(SOON)))
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

    /// Makes due what waits for nothing any more: at the first poll what waited for a shared cause, since a restart
    /// may have brought another token; and everything that failed, once the clock was set back by which it waits.
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

    /// Delivers until nothing is due at the present time.
    ///
    /// # Errors
    /// The database's.
    pub async fn settle(self: &Arc<Self>) -> Result<(), DbErr> {
        let mut sends = JoinSet::new();
        loop {
            self.poll(&mut sends, &|| ()).await?;
            if sends.join_next().await.is_none() {
                return self.release().await;
            }
        }
    }

    /// The database did not answer: what other workers hold is left to them for a while.
    pub fn distrust_leases(&self) {
        self.db_clock.distrust_leases();
    }

    /// Lets another process send.
    ///
    /// # Errors
    /// The database's; the lease expires by itself then.
    pub async fn release(&self) -> Result<(), DbErr> {
        self.leadership.release(&self.ctx.store).await
    }

    /// Sends and records, for as long as the lease holds that was asked for at `leased`: what somebody else may send
    /// by now is given up, wherever it stands.
    async fn deliver(&self, delivery: Delivery, place: &str, leased: Instant) {
        let _in_flight = InFlight { deliverer: self, id: delivery.id };
        let started = self.db_clock.now();
        let (id, db) = (delivery.id, self.ctx.store.write());
        let hold = || delivery_queue::hold(db, id, &self.name, self.db_clock.now() + LEASE);
        let sent = tokio::select! {
            biased;
            () = Times::STANDARD.lost(leased, hold) => {
                self.breaker.undecided(subject_of(&delivery, place));
                return tracing::warn!(id = id.0, "delivery lease lost: another worker sends it");
            }
            sent = self.sender.send(&delivery) => sent,
        };
        let now = self.db_clock.now();
        let over = self.note(&delivery, place, &sent);
        let settlement = recorder::settlement(&delivery, &sent, (started, now));
        self.report(&delivery, &sent, &settlement, now);
        let outcome = match &sent {
            Ok(done) => done.word().to_owned(),
            Err(failure) => failure.code().to_owned(),
        };
        let attempt = Attempt { outcome, took: now - started, at: now };
        self.record(&delivery, sent.as_ref().ok(), &settlement, &attempt, &over).await;
    }

    /// Tells the rate limiter and the circuit breaker how it went; the causes that are over by that.
    fn note(&self, delivery: &Delivery, place: &str, sent: &Result<SendOutcome, Failure>) -> Vec<Cause> {
        let (subject, target) = (subject_of(delivery, place), delivery.target.as_str());
        let failure = match sent {
            Ok(SendOutcome::Nothing) => {
                self.breaker.undecided(subject);
                return Vec::new();
            }
            Ok(done) => {
                let mut over = self.breaker.succeeded(subject);
                // By its name and by its id; and another process may have found that it takes nothing.
                let by_id = done.posted().is_some_and(|(channel, _)| self.breaker.is_recovered(&channel));
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
                // It may have been the search that Slack did not want.
                if delivery.kind == DeliveryKind::Message && delivery.in_doubt_since.is_some() {
                    self.limiter.back_off(RateBucket::Searches, wait);
                }
            }
            Failure::Rejected { .. } | Failure::Transient { .. } => {}
        }
        let noted = self.breaker.failed(subject, failure.cause());
        if let Some(cause) = noted.opened {
            self.say_what_waits(cause, place, failure.code());
        }
        noted.over
    }

    /// One line when something begins to take nothing. Of the token the client says so.
    fn say_what_waits(&self, cause: Cause, place: &str, code: &str) {
        let channel = self.names.shown(place);
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

    /// How many messages are being sent to each target.
    fn under_way(&self) -> HashMap<String, usize> {
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
