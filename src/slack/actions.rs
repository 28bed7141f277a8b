//! Buttons and selects that are not part of a form. They are acknowledged first, then dispatched to their surface.

use super::context::{EdgeError, ReplyTo, SlackContext};
use super::envelope::BlockActions;
use super::ids::{action, view};
use super::intake::{Ack, Reference};
use super::modals::{act_on_repair, report_problem, status};
use super::{buttons, cards};
use crate::domain::actor::SlackUserId;

const OUT_OF_DATE: EdgeError =
    EdgeError::Unfit("This button is out of date. Please start again with /esb-report or /esb-status.");

/// Choices that determine which inputs `act_on_repair` shows.
const CHOICES: [&str; 2] = [action::ACTION, action::STATUS];

pub(crate) async fn press(edge: &SlackContext, pressed: BlockActions, ack: Ack, reference: &Reference) {
    ack.at_once().await;
    for act in &pressed.actions {
        let value = act.input.value.as_deref().unwrap_or_default();
        let (name, sender) = (act.action_id.as_str(), &pressed.sender);
        match &pressed.view {
            Some(shown) if shown.callback_id == view::REPORT_PROBLEM && name == action::EQUIPMENT => {
                report_problem::choose(edge, sender, shown, reference).await;
            }
            Some(shown) if shown.callback_id == view::REPORT_PROBLEM && name == action::ME_TOO => {
                report_problem::me_too(edge, sender, shown, value, reference).await;
            }
            Some(shown) if shown.callback_id == view::ACT_ON_REPAIR && CHOICES.contains(&name) => {
                act_on_repair::choose(edge, sender, shown, reference).await;
            }
            Some(shown)
                if view::STATUS.contains(&shown.callback_id.as_str()) && name == action::OPEN_REPAIR =>
            {
                status::open_repair(edge, sender, (shown, pressed.trigger_id.as_ref()), value, reference)
                    .await;
            }
            Some(shown) if view::STATUS.contains(&shown.callback_id.as_str()) => {
                status::press(edge, sender, shown, (name, value), reference).await;
            }
            Some(shown) if shown.callback_id == view::HOME => {
                buttons::press(edge, &pressed, act, reference).await;
            }
            None if buttons::OPENING.contains(&name) => buttons::press(edge, &pressed, act, reference).await,
            None if cards::BUTTONS.contains(&name) && pressed.message.is_some() => {
                cards::press(edge, &pressed, act, reference).await;
            }
            // The view may contain typed text, so it stays unchanged.
            _ => edge.reply_failure(&reply_to(edge, &pressed), OUT_OF_DATE, reference).await,
        }
    }
}

/// Where to answer a person who pressed something in a message, or in a view without a response_url.
fn reply_to(edge: &SlackContext, pressed: &BlockActions) -> ReplyTo {
    let now = edge.ctx.clock.now();
    ReplyTo {
        user: SlackUserId(pressed.sender.user_id.clone()),
        response_url: pressed.response_url.clone().map(|url| (url, now)),
    }
}
