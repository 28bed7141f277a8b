//! Reactions to repairs' cards: technicians claim by eyes, and are offered to close by a check mark (spec "The
//! repair card in a channel"). Of others, and of other reactions, nothing comes. A reaction opens no form, so
//! what needs one is offered by a button in a direct message.

use super::edge::{EdgeError, ReplyTo, SlackEdge, failure};
use super::envelope::{Event, Sender};
use super::intake::{Ack, Reference};
use super::threads::is_name;
use crate::domain::actor::{Actor, SlackUserId};
use crate::domain::ids::RepairId;
use crate::domain::text::RequestId;
use crate::ops::cards::reacted;
use crate::ops::repairs::brief;
use crate::ops::update_repair::{ClaimRepair, claim_repair};
use serde::Deserialize;
use serde_json::Value;

const CLAIM: &str = "eyes";
const RESOLVE: &str = "white_check_mark";

#[derive(Deserialize)]
struct Added {
    user: String,
    reaction: String,
    item: Item,
}

/// A message; files have no `ts`.
#[derive(Deserialize)]
struct Item {
    channel: String,
    ts: String,
}

/// Somebody reacted to something.
pub(crate) async fn added(edge: &SlackEdge, event: Event, ack: Ack, reference: &Reference) {
    ack.at_once().await;
    let body = Value::Object(event.body.clone());
    let Ok(Added { user, reaction, item }) = serde_json::from_value(body) else { return };
    let is_ours = [CLAIM, RESOLVE].contains(&reaction.as_str());
    if !is_ours || ![&user, &item.channel, &item.ts].into_iter().all(|name| is_name(name)) {
        return;
    }
    let sender = Sender { team_id: event.team_id.clone(), user_id: user, user_name: String::new() };
    let (actor, repair) = match meant(edge, &sender, &item).await {
        Ok(Some(meant)) => meant,
        Ok(None) => return,
        // Members, too, react to messages: nobody but a technician hears of it.
        Err(error) => return drop(failure(error, reference)),
    };
    if !edge.is_new(&event, reference).await {
        return;
    }
    let acted = match reaction.as_str() {
        CLAIM => claim(edge, &actor, repair).await,
        _ => offer_to_resolve(edge, &sender, repair).await,
    };
    if let Err(error) = acted {
        edge.tell_failure(&ReplyTo::directly(&sender), error, reference).await;
    }
}

/// The repair whose card it is, and the technician who reacted; nothing for others.
async fn meant(
    edge: &SlackEdge,
    sender: &Sender,
    item: &Item,
) -> Result<Option<(Actor, RepairId)>, EdgeError> {
    let Some(repair) = reacted(&edge.ctx, &item.channel, &item.ts).await? else { return Ok(None) };
    match edge.technician(sender).await {
        Ok(actor) => Ok(Some((actor, repair))),
        Err(EdgeError::Stranger { .. } | EdgeError::Unfit(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// It becomes theirs, whoever had it: the card shows whose it is.
async fn claim(edge: &SlackEdge, actor: &Actor, repair: RepairId) -> Result<(), EdgeError> {
    let request_id = RequestId::from_random(rand::random());
    claim_repair(&edge.ctx, actor, ClaimRepair { repair, version: None, request_id }).await?;
    Ok(())
}

async fn offer_to_resolve(edge: &SlackEdge, sender: &Sender, repair: RepairId) -> Result<(), EdgeError> {
    let repair = brief(&edge.ctx, repair).await?;
    // A check mark on what is done says no more than that.
    if !repair.fields.status.is_open() {
        return Ok(());
    }
    let message = edge.blocks.offer_to_resolve(&repair)?;
    edge.show(&SlackUserId(sender.user_id.clone()), &message).await;
    Ok(())
}
