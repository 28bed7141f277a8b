//! The modal `choose_repair`: selects an open repair; Continue pushes its form.

use super::submission_error::SubmissionError;
use super::view_metadata::{RepairAtVersion, ViewMetadata};
use super::{act_on_repair, update_repair};
use crate::domain::ids::RepairId;
use crate::ops::OpError;
use crate::ops::board::{open_repairs, search_open_repairs};
use crate::ops::search::{search_others, search_people};
use crate::render::slack::Modal;
use crate::slack::context::{EdgeError, ReplyTo, SlackContext, failure};
use crate::slack::envelope::{BlockSuggestion, ViewSubmission};
use crate::slack::ids::input;
use crate::slack::intake::{Ack, Reference};
use crate::slack::modals::act_on_repair::Confirm;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const STALE: &str = "This form is out of date. Please close it and start again with /esb-repair.";

/// The form after Continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Then {
    /// `act_on_repair`.
    Act,
    /// The full edit.
    Update,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct ChooseMetadata {
    then: Then,
}

/// The modal; `None` if no repair is open.
pub(crate) async fn modal(edge: &SlackContext, to: &ReplyTo, then: Then) -> Result<Option<Modal>, EdgeError> {
    if open_repairs(&edge.ctx).await?.is_empty() {
        return Ok(None);
    }
    let kept = ViewMetadata::new(to, ChooseMetadata { then }).to_json();
    Ok(Some(edge.blocks.choose_repair(&kept)?))
}

/// Continue: the form for the chosen repair. Slack stacks three modals; a fourth replaces the third.
pub(crate) async fn submit(edge: &SlackContext, submission: ViewSubmission, ack: Ack, reference: &Reference) {
    let next = if submission.view.is_deepest() { "update" } else { "push" };
    match chosen(edge, &submission).await {
        Ok(modal) => ack.with(json!({ "response_action": next, "view": modal })),
        Err(declined) => declined.answer(ack, reference),
    }
}

async fn chosen(edge: &SlackContext, submission: &ViewSubmission) -> Result<Modal, SubmissionError> {
    let kept = ViewMetadata::<ChooseMetadata>::of(&submission.view, STALE)?;
    edge.technician(&submission.sender).await?;
    let chosen = submission.view.state.selected(input::REPAIR).and_then(|id| id.parse::<RepairId>().ok());
    let repair =
        chosen.ok_or_else(|| SubmissionError::on(input::REPAIR, "Please choose a repair from the list."))?;
    let to = kept.reply_to(&submission.sender.user_id);
    let modal = match kept.more.then {
        Then::Act => act_on_repair::modal(edge, &to, repair, Confirm::ByMessage).await,
        Then::Update => update_repair::modal(edge, &to, repair).await,
    };
    match modal {
        Err(EdgeError::Op(OpError::NotFound)) => {
            Err(SubmissionError::on(input::REPAIR, format!("There is no repair #{repair} any more.")))
        }
        modal => Ok(modal?),
    }
}

/// The options of the selects of technicians' forms; empty for other people.
pub(crate) async fn suggest(edge: &SlackContext, asked: &BlockSuggestion, ack: Ack, reference: &Reference) {
    match options(edge, asked).await {
        Ok(options) => ack.with(options),
        Err(error) => ack.sorry(&failure(error, reference)),
    }
}

async fn options(edge: &SlackContext, asked: &BlockSuggestion) -> Result<Value, EdgeError> {
    edge.technician(&asked.sender).await?;
    let (ctx, typed) = (&edge.ctx, asked.value.as_str());
    Ok(match asked.action_id.as_str() {
        input::REPAIR => edge.blocks.repair_options(&search_open_repairs(ctx, typed).await?)?,
        input::ASSIGNEE => edge.blocks.people_options(&search_people(ctx, typed).await?)?,
        _ => {
            let view = asked.view.as_ref().ok_or(EdgeError::Unfit(STALE))?;
            let of = ViewMetadata::<RepairAtVersion>::of(view, STALE)?.more;
            edge.blocks.duplicate_options(&search_others(ctx, of.repair, typed).await?)?
        }
    })
}
