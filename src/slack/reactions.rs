//! Reactions to repairs' cards: with eyes a technician claims the repair, and after a check mark they get a button
//! to resolve it (spec "The repair card in a channel"). Other people's reactions and other emoji are ignored. A
//! reaction cannot open a form, so the button is sent in a direct message. An event is acknowledged after
//! processing: see [`super::events`].

use super::context::{EdgeError, ReplyTo, SlackContext, failure};
use super::envelope::{Event, Retry, Sender};
use super::events::EventOutcome;
use super::intake::Reference;
use super::threads::is_name;
use crate::domain::actor::{Actor, SlackUserId};
use crate::domain::ids::RepairId;
use crate::domain::text::RequestId;
use crate::error_chain::ErrorChain;
use crate::ops::events::{is_handled, mark_handled};
use crate::ops::repairs::brief;
use crate::ops::repairs::cards::{CardLookup, find_reacted, is_assigned_since};
use crate::ops::repairs::update_repair::{ClaimRepair, claim_repair};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

const CLAIM: &str = "eyes";
const RESOLVE: &str = "white_check_mark";

#[derive(Deserialize)]
struct Added {
    user: String,
    reaction: String,
    item: Item,
    /// Author of the message.
    item_user: Option<String>,
    event_ts: Option<String>,
}

/// A message; files have no `ts`.
#[derive(Deserialize)]
struct Item {
    channel: String,
    ts: String,
}

pub(crate) async fn added(edge: &SlackContext, event: &Event, reference: &Reference) -> EventOutcome {
    let body = Value::Object(event.body.clone());
    let Ok(added) = serde_json::from_value::<Added>(body) else { return EventOutcome::Handled };
    let (user, item) = (&added.user, &added.item);
    let is_ours = [CLAIM, RESOLVE].contains(&added.reaction.as_str());
    if !is_ours || ![user, &item.channel, &item.ts].into_iter().all(|name| is_name(name)) {
        return EventOutcome::Handled;
    }
    let Some(sender) = event.sender_of(user) else { return EventOutcome::Handled };
    let (actor, repair) = match meant(edge, &sender, item).await {
        Ok(ReactionIntent::Repair(actor, repair)) => (actor, repair),
        Ok(ReactionIntent::Nothing) => return EventOutcome::Handled,
        Ok(ReactionIntent::Unrecorded) => return await_card(edge, event, &added, reference),
        // Reactions of people who are not technicians are ignored silently.
        Err(error) => {
            let outcome = EventOutcome::of_error(&error, event, reference);
            if outcome == EventOutcome::Handled || event.is_last_attempt() {
                failure(error, reference);
            }
            return outcome;
        }
    };
    let acted = match added.reaction.as_str() {
        CLAIM => claim(edge, &actor, repair, event, &added).await,
        _ => offer_to_resolve(edge, &sender, repair, event, reference).await,
    };
    let Err(error) = acted else { return EventOutcome::Handled };
    let outcome = EventOutcome::of_error(&error, event, reference);
    if outcome == EventOutcome::Handled || event.is_last_attempt() {
        edge.reply_failure(&ReplyTo::directly(&sender), error, reference).await;
    }
    outcome
}

/// The meaning of a reaction.
enum ReactionIntent {
    /// A card's repair, and the technician who reacted.
    Repair(Actor, RepairId),
    /// Perhaps a card that is not recorded yet.
    Unrecorded,
    Nothing,
}

async fn meant(edge: &SlackContext, sender: &Sender, item: &Item) -> Result<ReactionIntent, EdgeError> {
    let repair = match find_reacted(&edge.ctx, &item.channel, &item.ts).await? {
        CardLookup::CardOf(repair) => repair,
        CardLookup::Unrecorded => return Ok(ReactionIntent::Unrecorded),
        CardLookup::NoCard => return Ok(ReactionIntent::Nothing),
    };
    match edge.technician(sender).await {
        Ok(actor) => Ok(ReactionIntent::Repair(actor, repair)),
        Err(EdgeError::Stranger { .. } | EdgeError::Unfit(_)) => Ok(ReactionIntent::Nothing),
        Err(error) => Err(error),
    }
}

/// Like replies: for a message that is not a card, it ends with Slack's last retry.
fn await_card(edge: &SlackContext, event: &Event, added: &Added, reference: &Reference) -> EventOutcome {
    let ours = edge.identity.get().map(|identity| &identity.user_id);
    let is_others = added.item_user.as_ref().zip(ours).is_some_and(|(author, ours)| author != ours);
    if is_others || event.attempt() >= Retry::LAST {
        return EventOutcome::Handled;
    }
    tracing::info!(%reference, attempt = event.attempt(), "reaction may belong to a card that is not recorded yet");
    EventOutcome::Retry
}

/// Claims the repair, also from another assignee: the card shows the new one. The request id is the event's, so
/// that the claim's own transaction stores it.
async fn claim(
    edge: &SlackContext,
    actor: &Actor,
    repair: RepairId,
    event: &Event,
    added: &Added,
) -> Result<(), EdgeError> {
    // A retry may be minutes late: a person who was assigned since then stays the assignee.
    if let Some(at) = added.at().filter(|_| event.retry.is_some())
        && is_assigned_since(&edge.ctx, repair, at).await?
    {
        return Ok(());
    }
    let request_id = match event.id() {
        Some(id) => RequestId::of_event(&id),
        None => RequestId::from_random(rand::random()),
    };
    claim_repair(&edge.ctx, actor, ClaimRepair { repair, version: None, request_id }).await?;
    Ok(())
}

/// A direct message cannot commit with a transaction: after a crash it may be sent twice.
async fn offer_to_resolve(
    edge: &SlackContext,
    sender: &Sender,
    repair: RepairId,
    event: &Event,
    reference: &Reference,
) -> Result<(), EdgeError> {
    let id = event.id();
    if let Some(id) = &id
        && is_handled(&edge.ctx, id).await?
    {
        return Ok(());
    }
    let repair = brief(&edge.ctx, repair).await?;
    // On a closed repair, a check mark has no effect.
    if !repair.fields.status.is_open() {
        return Ok(());
    }
    let message = edge.blocks.offer_to_resolve(&repair)?;
    edge.show(&SlackUserId(sender.user_id.clone()), &message).await;
    if let Some(id) = &id
        && let Err(error) = mark_handled(&edge.ctx, id).await
    {
        tracing::warn!(%reference, error = %ErrorChain(&error), "handled event could not be recorded");
    }
    Ok(())
}

impl Added {
    /// Time of the reaction.
    fn at(&self) -> Option<DateTime<Utc>> {
        let (seconds, micros) = self.event_ts.as_ref()?.split_once('.')?;
        let nanos = micros.parse::<u32>().ok()?.checked_mul(1_000)?;
        DateTime::from_timestamp(seconds.parse().ok()?, nanos)
    }
}
