//! Buttons of the repair cards in channels, and of single buttons in direct messages. The card shows the change; a
//! refusal is shown where the button was pressed, to that person alone.

use super::context::{EdgeError, ReplyTo, SlackContext};
use super::envelope::{Action, BlockActions};
use super::ids::action;
use super::intake::Reference;
use super::modals::act_on_repair::{self, Confirm};
use super::modals::resolve_repair;
use crate::domain::ids::RepairId;
use crate::domain::text::RequestId;
use crate::ops::repairs::me_too::me_too;
use crate::ops::repairs::update_repair::{ClaimRepair, claim_repair};
use crate::ops::{OpError, Refusal};
use crate::render::slack::announcement::version_of_buttons;

/// The buttons of a card.
pub(crate) const BUTTONS: &[&str] =
    &[action::CARD_CLAIM, action::CARD_RESOLVE, action::CARD_MORE, action::ME_TOO, action::CARD_PAGE];

const OUT_OF_DATE: EdgeError =
    EdgeError::Unfit("This button is out of date. Find the repair with /esb-repair.");

pub(crate) async fn press(edge: &SlackContext, pressed: &BlockActions, act: &Action, reference: &Reference) {
    // The browser has followed the link already.
    if act.action_id == action::CARD_PAGE {
        return;
    }
    let to = edge.reply_where_pressed(&pressed.sender, pressed.response_url.as_ref());
    match answer(edge, pressed, act, &to).await {
        Ok(None) => {}
        Ok(Some(words)) => edge.tell(&to, &words).await,
        Err(error) => edge.reply_failure(&to, error, reference).await,
    }
}

/// Handles a button; returns a text if the card does not show the result.
async fn answer(
    edge: &SlackContext,
    pressed: &BlockActions,
    act: &Action,
    to: &ReplyTo,
) -> Result<Option<String>, EdgeError> {
    let value = act.input.value.as_deref().unwrap_or_default();
    let repair: RepairId = value.parse().map_err(|_| OUT_OF_DATE)?;
    let sender = &pressed.sender;
    match (act.action_id.as_str(), &pressed.trigger_id) {
        (action::CARD_CLAIM, _) => {
            let actor = edge.technician(sender).await?;
            // If the card showed no assignee, a claim in between is reported as a conflict.
            let version = version_of_buttons(&act.block_id);
            let claim = ClaimRepair { repair, version, request_id: RequestId::from_random(rand::random()) };
            let claimed =
                claim_repair(&edge.ctx, &actor, claim).await.map_err(|error| beaten(error, repair))?;
            let known = format!(":white_check_mark: Repair #{repair} is yours already.");
            Ok((!claimed.changed).then_some(known))
        }
        (action::CARD_RESOLVE, Some(trigger)) => {
            resolve_repair::open(edge, sender, trigger, repair).await?;
            Ok(None)
        }
        (action::CARD_MORE, Some(trigger)) => {
            act_on_repair::open(edge, sender, trigger, (to, Confirm::ByCard), repair).await?;
            Ok(None)
        }
        (action::ME_TOO, _) => {
            edge.admit(sender).await?;
            let actor = edge.actor(sender).await?;
            let said = me_too(&edge.ctx, &actor, None, repair, &format!("slack:{}", sender.user_id)).await?;
            let known = format!(":white_check_mark: You are counted on repair #{repair} already.");
            Ok((!said.counted).then_some(known))
        }
        _ => Err(OUT_OF_DATE),
    }
}

/// The error when another person changed assignee or status since the card was rendered.
fn beaten(error: OpError, repair: RepairId) -> OpError {
    let OpError::Conflict(conflicts) = &error else { return error };
    let by = conflicts.first().map_or("Somebody", |conflict| &conflict.by);
    let message = format!(
        "{by} was faster: the card shows repair #{repair} as it is now. To take it over, press More… and Claim."
    );
    OpError::Refused(Refusal { field: None, message })
}
