//! Reactions to repairs' cards: technicians claim by eyes, and are offered to close by a check mark (spec "The
//! repair card in a channel"). Of others, and of other reactions, nothing comes. A reaction opens no form, so
//! what needs one is offered by a button in a direct message. An event is acknowledged when what follows from it is
//! done: see [`super::events`].

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
    /// Who wrote what was reacted to.
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

/// What a reaction is about.
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

/// As of replies: under a message that is no card it ends with the last time that Slack sends it.
fn await_card(edge: &SlackContext, event: &Event, added: &Added, reference: &Reference) -> EventOutcome {
    let ours = edge.identity.get().map(|identity| &identity.user_id);
    let is_others = added.item_user.as_ref().zip(ours).is_some_and(|(author, ours)| author != ours);
    if is_others || event.attempt() >= Retry::LAST {
        return EventOutcome::Handled;
    }
    tracing::info!(%reference, attempt = event.attempt(), "reaction may belong to a card that is not recorded yet");
    EventOutcome::Retry
}

/// It becomes theirs, also where somebody else had it: the card shows whose it is. The request id is the event's, so that the claim
/// is remembered in its own transaction.
async fn claim(
    edge: &SlackContext,
    actor: &Actor,
    repair: RepairId,
    event: &Event,
    added: &Added,
) -> Result<(), EdgeError> {
    // One that comes again may be minutes old: a person who was assigned since then keeps it.
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
    // A check mark on what is done says no more than that.
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
    /// When it happened.
    fn at(&self) -> Option<DateTime<Utc>> {
        let (seconds, micros) = self.event_ts.as_ref()?.split_once('.')?;
        let nanos = micros.parse::<u32>().ok()?.checked_mul(1_000)?;
        DateTime::from_timestamp(seconds.parse().ok()?, nanos)
    }
}
