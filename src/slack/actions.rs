//! Buttons and selects that act by themselves: acknowledged at once, then the surface that holds them
//! does what they say.

use super::edge::SlackEdge;
use super::envelope::BlockActions;
use super::ids::{action, view};
use super::intake::{Ack, Reference};
use super::modals::{report_problem, status};

pub(crate) async fn press(edge: &SlackEdge, pressed: BlockActions, ack: Ack, reference: &Reference) {
    ack.empty();
    let shown = pressed.view.as_ref().map_or("", |view| view.callback_id.as_str());
    for act in &pressed.actions {
        let value = act.input.value.as_deref().unwrap_or_default();
        match act.action_id.as_str() {
            action::EQUIPMENT if shown == view::REPORT_PROBLEM => {
                report_problem::choose(edge, &pressed, reference).await;
            }
            action::ME_TOO => report_problem::me_too(edge, &pressed, value, reference).await,
            name @ (action::VIEW_AREA | action::VIEW_EQUIPMENT | action::BACK_TO_SUMMARY | action::PAGE) => {
                status::press(edge, &pressed, name, value, reference).await;
            }
            _ => tracing::warn!(%reference, "Somebody pressed something that this version does not serve"),
        }
    }
}
