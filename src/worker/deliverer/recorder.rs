//! Records the outcome of a delivery and its follow-ups. It retries until the database answers: a lost outcome would
//! mean posting the message twice.

use super::Deliverer;
use crate::domain::delivery::{Cause, DeliveryKind, DeliveryState, Failure, Tally, Verdict, after_failure};
use crate::error_chain::ErrorChain;
use crate::ops::mutation_log;
use crate::store::db_error::{is_deadlock, is_transient, retry_on_deadlock, within};
use crate::store::deliveries::{self, Attempt};
use crate::store::delivery_queue::{self, Delivery, Retry, Settlement};
use crate::store::live_message::{self, LiveMessage};
use crate::store::password_messages;
use crate::worker::sender::SendOutcome;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr};
use serde_json::json;
use std::time::Duration;

/// Longest attempt to record an outcome.
const RECORD_MAX: Duration = Duration::from_secs(10);
/// Longest delay between such attempts; the first is a second, each further one twice as long.
const RECORD_WAIT_MAX: Duration = Duration::from_secs(15);
/// After this many failures that are no outage, the outcome is recorded without its follow-ups.
const RECORD_WHOLE_MAX: u64 = 5;

impl Deliverer {
    /// Records the outcome of a message. The message counts as in flight until then, so at most 64 wait here.
    /// `over` are the causes that ended with it.
    pub(super) async fn record(
        &self,
        delivery: &Delivery,
        outcome: Option<&SendOutcome>,
        settlement: &Settlement,
        attempt: &Attempt,
        over: &[Cause],
    ) {
        let (mut wait, id) = (Duration::from_secs(1), delivery.id);
        for failures in 1_u64.. {
            let record = || self.record_once(delivery, outcome, settlement, attempt, over);
            let Err(error) = within(RECORD_MAX, retry_on_deadlock(is_deadlock, record)).await else {
                return;
            };
            if failures == 1 {
                tracing::warn!(error = %ErrorChain(&error), id = id.0, "delivery outcome not recorded yet");
            }
            if failures >= RECORD_WHOLE_MAX && !is_transient(&error) {
                tracing::error!(error = %ErrorChain(&error), id = id.0, "delivery follow-up could not be recorded");
                let settle = || self.settle_alone(delivery, settlement, attempt);
                if within(RECORD_MAX, retry_on_deadlock(is_deadlock, settle)).await.is_ok() {
                    return;
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(RECORD_WAIT_MAX);
        }
    }

    /// The attempt without its follow-ups: a bug of ours must not block a lane forever.
    async fn settle_alone(
        &self,
        delivery: &Delivery,
        settlement: &Settlement,
        attempt: &Attempt,
    ) -> Result<(), DbErr> {
        let tx = self.ctx.store.begin().await?;
        delivery_queue::settle(&tx, delivery.id, &self.name, settlement, attempt.at).await?;
        deliveries::record_attempt(&tx, delivery.id, attempt).await?;
        tx.commit().await
    }

    /// The attempt and its follow-ups, in one transaction.
    async fn record_once(
        &self,
        delivery: &Delivery,
        outcome: Option<&SendOutcome>,
        settlement: &Settlement,
        attempt: &Attempt,
        over: &[Cause],
    ) -> Result<(), DbErr> {
        let tx = self.ctx.store.begin().await?;
        // First, since the attempt locks the same row more weakly: two such locks cannot both be raised.
        let settled = delivery_queue::settle(&tx, delivery.id, &self.name, settlement, attempt.at).await?;
        if !settled {
            if delivery_queue::is_settled_as(&tx, delivery.id, settlement).await? {
                return tx.rollback().await;
            }
            tracing::warn!(id = delivery.id.0, "lease lost while sending");
        }
        if delivery.kind == DeliveryKind::Password && settled {
            password_messages::end_withdrawn(&tx, &delivery.lane, attempt.at).await?;
        }
        if let Some(message) = LiveMessage::of(delivery).filter(|_| settled) {
            match outcome {
                Some(SendOutcome::Shows(shown)) => {
                    live_message::record_rendered(&tx, message, shown, attempt.at).await?;
                }
                Some(SendOutcome::Gone { ts }) => {
                    live_message::forget(&tx, message, Some(ts.as_str())).await?;
                }
                Some(SendOutcome::Posted(_) | SendOutcome::Nothing) => {}
                // Slack rejected every edit of this message, so the next message becomes the card. A message whose
                // channel refused everything for a week stays and is edited again.
                None if delivery.kind == DeliveryKind::Edit && is_rejected_for_good(delivery, settlement) => {
                    live_message::forget(&tx, message, None).await?;
                }
                None => {}
            }
        }
        deliveries::record_attempt(&tx, delivery.id, attempt).await?;
        for cause in over {
            resume_after(&tx, *cause, &delivery.target, attempt.at).await?;
        }
        tx.commit().await
    }

    /// Metrics and log: one line per failed attempt (spec "Watching it").
    pub(super) fn report(
        &self,
        delivery: &Delivery,
        sent: &Result<SendOutcome, Failure>,
        settled: &Settlement,
        now: DateTime<Utc>,
    ) {
        let target = self.names.display_name(&delivery.target);
        let failure = match sent {
            Ok(outcome) => {
                self.metrics.delivery("slack", "delivered");
                let (id, outcome) = (delivery.id.0, outcome.word());
                tracing::info!(id, outcome, target_channel = target, "delivered");
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

/// A cause has ended: everything that waited for it becomes due, and stale cards of a recovered channel are edited.
async fn resume_after(
    db: &impl ConnectionTrait,
    cause: Cause,
    target: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    if cause != Cause::Channel {
        return delivery_queue::retry_now(db, Retry::Of(cause), now).await;
    }
    delivery_queue::retry_now(db, Retry::Channel(target), now).await?;
    live_message::enqueue_stale_edits(db, target, now).await
}

fn is_rejected_for_good(delivery: &Delivery, settlement: &Settlement) -> bool {
    settlement.state == DeliveryState::Dead && settlement.rejections > delivery.rejections
}

/// The state of a delivery after an attempt.
pub(super) fn settlement(
    delivery: &Delivery,
    sent: &Result<SendOutcome, Failure>,
    (started, now): (DateTime<Utc>, DateTime<Utc>),
) -> Settlement {
    let kept = Settlement {
        state: DeliveryState::Delivered,
        failures: delivery.failures,
        rejections: delivery.rejections,
        cause: None,
        due_at: delivery.due_at,
        posted: None,
        in_doubt_since: None,
    };
    let failure = match sent {
        // Retried immediately; it becomes the new card.
        Ok(SendOutcome::Gone { .. }) if delivery.kind == DeliveryKind::Message => {
            return Settlement { state: DeliveryState::Failed, due_at: now, ..kept };
        }
        Ok(outcome) => return Settlement { posted: outcome.posted(), ..kept },
        Err(failure) => failure,
    };
    let tally = Tally {
        created_at: delivery.created_at,
        failures: delivery.failures,
        rejections: delivery.rejections,
    };
    let (state, due_at) = match after_failure(tally, failure, now) {
        Verdict::Retry(at) => (DeliveryState::Failed, at),
        Verdict::Dead => (DeliveryState::Dead, delivery.due_at),
    };
    // A Retry-After does not count: it says nothing about the next delay.
    let counts = i32::from(!matches!(failure, Failure::Transient { retry_after: Some(_), .. }));
    let doubt = matches!(failure, Failure::Transient { in_doubt: true, .. });
    Settlement {
        state,
        due_at,
        cause: failure.cause(),
        in_doubt_since: delivery.in_doubt_since.or(doubt.then_some(started)),
        failures: delivery.failures + counts,
        rejections: delivery.rejections + i32::from(failure.is_rejection()),
        ..kept
    }
}
