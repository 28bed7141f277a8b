//! Buttons and selects on the Home tab and in answers to messages. Each opens a modal with the trigger of the
//! press. A refusal goes to the person as a direct message, and the tab is rendered again because it is out of
//! date.

use super::context::{EdgeError, ReplyTo, SlackContext, failure};
use super::envelope::{Action, BlockActions};
use super::home;
use super::ids::action;
use super::intake::Reference;
use super::modals::report_problem::{self, Beginning};
use super::modals::{act_on_repair, status};
use crate::domain::ids::EquipmentId;
use crate::slack::modals::act_on_repair::Confirm;

/// Actions that open a modal everywhere except in a modal.
pub(crate) const OPENING: &[&str] = &[
    action::REPORT,
    action::SEARCH_EQUIPMENT,
    action::VIEW_AREA,
    action::VIEW_EQUIPMENT,
    action::BACK_TO_SUMMARY,
    action::OPEN_REPAIR,
];

const OUT_OF_DATE: EdgeError =
    EdgeError::Unfit("This button is out of date. Please start again with /esb-report or /esb-status.");

/// Handles a pressed button or a chosen machine, after the acknowledgement.
pub(crate) async fn press(edge: &SlackContext, pressed: &BlockActions, act: &Action, reference: &Reference) {
    let to = edge.reply_at_message(&pressed.sender, pressed.response_url.as_ref());
    let Err(error) = open(edge, pressed, act, &to).await else { return };
    edge.reply_failure(&to, error, reference).await;
    if pressed.view.is_some()
        && let Err(error) = home::publish(edge, &pressed.sender, reference).await
    {
        failure(error, reference);
    }
}

async fn open(
    edge: &SlackContext,
    pressed: &BlockActions,
    act: &Action,
    to: &ReplyTo,
) -> Result<(), EdgeError> {
    let sender = &pressed.sender;
    let trigger = pressed.trigger_id.as_ref().ok_or(OUT_OF_DATE)?;
    let value = act.input.value.as_deref().or(act.input.selected_option.as_deref()).unwrap_or_default();
    match act.action_id.as_str() {
        action::REPORT => {
            let equipment = value.parse().map(|id: EquipmentId| format!("#{id}")).unwrap_or_default();
            let begun = Beginning { typed: &equipment, ..Beginning::default() };
            report_problem::open(edge, sender, trigger, to, begun).await
        }
        action::OPEN_REPAIR => {
            let repair = value.parse().map_err(|_| OUT_OF_DATE)?;
            act_on_repair::open(edge, sender, trigger, (to, Confirm::ByMessage), repair).await
        }
        name => {
            let modal = status::Screen::of(name, value)?.modal(edge, sender, to).await?;
            edge.api.views_open(trigger, &modal.0).await?;
            Ok(())
        }
    }
}
