//! The modal `act_on_repair`: claim a repair, set its ETA or status, or resolve it. The chosen action decides which
//! inputs are shown.

use super::announced_in;
use super::form_parser::FormParser;
use super::submission_error::SubmissionError;
use super::view_metadata::{METADATA_MAX_CHARS, RepairAtVersion, ViewMetadata, answered_at};
use crate::domain::actor::Actor;
use crate::domain::edit::RepairEdit;
use crate::domain::field::FieldValue;
use crate::domain::ids::RepairId;
use crate::domain::repair::RepairStatus;
use crate::domain::text::{Note, RequestId};
use crate::ops::OpError;
use crate::ops::repairs::update_repair::{
    ClaimRepair, RepairUpdated, UpdateRepair, claim_repair, update_open_repair, update_repair,
};
use crate::ops::repairs::{brief, state, touched};
use crate::render::slack::Modal;
use crate::render::slack::mrkdwn::date;
use crate::render::slack::repair_forms::{ActForm, RepairAction};
use crate::slack::context::{EdgeError, ReplyTo, SlackContext};
use crate::slack::envelope::{Sender, State, View, ViewSubmission};
use crate::slack::ids::input;
use crate::slack::intake::{Ack, Reference};
use chrono::NaiveDate;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;

const STALE: &str = "This form is out of date. Please close it and start again with /esb-repair.";

/// How the person learns that it is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Confirm {
    #[default]
    ByMessage,
    /// The card from which the modal was opened shows it.
    ByCard,
}

/// The modal's own metadata.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ActMetadata {
    #[serde(flatten)]
    of: RepairAtVersion,
    /// The repair had an ETA, which an empty date removes.
    #[serde(default)]
    has_eta: bool,
    /// The typed note, while its input is hidden.
    #[serde(default)]
    note: String,
    #[serde(default)]
    confirm: Confirm,
}

/// The modal for a repair in its current state.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn modal(
    edge: &SlackContext,
    to: &ReplyTo,
    repair: RepairId,
    confirm: Confirm,
) -> Result<Modal, EdgeError> {
    let brief = brief(&edge.ctx, repair).await?;
    let of = RepairAtVersion { repair, version: brief.version };
    let acting = ActMetadata { of, has_eta: brief.fields.eta.is_some(), note: String::new(), confirm };
    let kept = ViewMetadata::new(to, acting).to_json();
    Ok(edge.blocks.act_on_repair(&kept, &brief, &ActForm::default())?)
}

/// Opens the modal with the trigger of the pressed button.
///
/// # Errors
/// The person is not a technician; `NotFound`; Slack's errors.
pub(crate) async fn open(
    edge: &SlackContext,
    sender: &Sender,
    trigger: &SecretString,
    (to, confirm): (&ReplyTo, Confirm),
    repair: RepairId,
) -> Result<(), EdgeError> {
    edge.technician(sender).await?;
    edge.api.views_open(trigger, &modal(edge, to, repair, confirm).await?.0).await?;
    Ok(())
}

/// Pushes the modal onto a view, or replaces the view if Slack would not stack another one.
pub(crate) async fn push(
    edge: &SlackContext,
    sender: &Sender,
    (shown, trigger): (&View, Option<&SecretString>),
    to: &ReplyTo,
    repair: RepairId,
) -> Result<(), EdgeError> {
    edge.technician(sender).await?;
    let modal = modal(edge, to, repair, Confirm::ByMessage).await?;
    match trigger.filter(|_| !shown.is_deepest()) {
        Some(trigger) => edge.api.views_push(trigger, &modal.0).await?,
        None => edge.api.views_update(&shown.id, None, &modal.0).await?,
    };
    Ok(())
}

/// Updates the modal after a choice that determines its inputs. Inputs that stay keep their names, so Slack keeps
/// their typed text.
pub(crate) async fn choose(edge: &SlackContext, sender: &Sender, shown: &View, reference: &Reference) {
    if let Err(error) = refresh(edge, sender, shown).await {
        edge.reply_failure_in_view(&answered_at(shown, sender), error, reference).await;
    }
}

async fn refresh(edge: &SlackContext, sender: &Sender, shown: &View) -> Result<(), EdgeError> {
    let mut kept = ViewMetadata::<ActMetadata>::of(shown, STALE)?;
    edge.technician(sender).await?;
    let brief = brief(&edge.ctx, kept.more.of.repair).await?;
    let state = &shown.state;
    if state.get(input::NOTE).is_some() {
        kept.more.note = state.text(input::NOTE).unwrap_or_default().to_owned();
    }
    let form = ActForm {
        action: state.selected(input::ACTION).and_then(RepairAction::of_word),
        status: state.selected(input::STATUS).and_then(|word| word.parse().ok()),
        eta: state.date(input::ETA),
        note: kept.more.note.clone(),
    };
    if kept.to_json().chars().count() > METADATA_MAX_CHARS {
        // Too long to store while it is hidden; Slack keeps it while it is shown.
        kept.more.note.clear();
    }
    let modal = edge.blocks.act_on_repair(&kept.to_json(), &brief, &form)?;
    edge.api.views_update(&shown.id, None, &modal.0).await?;
    Ok(())
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct RequestedAction {
    action: RepairAction,
    values: Vec<FieldValue>,
    note: Option<Note>,
}

/// Performs it: errors at the invalid fields, or all modals close. A private message confirms what no card shows.
pub(crate) async fn submit(edge: &SlackContext, submission: ViewSubmission, ack: Ack, reference: &Reference) {
    let (to, confirmation) = match act(edge, &submission).await {
        Ok(done) => done,
        Err(declined) => return declined.answer(ack, reference),
    };
    ack.with(json!({ "response_action": "clear" }));
    if let Some(words) = confirmation {
        edge.tell(&to, &words).await;
    }
}

async fn act(
    edge: &SlackContext,
    submission: &ViewSubmission,
) -> Result<(ReplyTo, Option<String>), SubmissionError> {
    let kept = ViewMetadata::<ActMetadata>::of(&submission.view, STALE)?;
    let actor = edge.technician(&submission.sender).await?;
    let wanted = read(&submission.view.state, kept.more.has_eta)?;
    let of = kept.more.of;
    let to = kept.reply_to(&submission.sender.user_id);
    let updated = match wanted.action {
        RepairAction::Claim => claim(edge, &actor, of, kept.request_id).await?,
        action => {
            let may_be_closed = action != RepairAction::SetEta;
            let typed = (wanted.values.clone(), wanted.note.clone());
            edit(edge, &actor, of, typed, kept.request_id, may_be_closed).await?
        }
    };
    let is_on_card = kept.more.confirm == Confirm::ByCard && updated.changed;
    Ok((to, (!is_on_card).then(|| confirmation(&wanted, &updated, edge.blocks.today()))))
}

/// Parses the inputs of the chosen action; ignores others.
fn read(state: &State, has_eta: bool) -> Result<RequestedAction, SubmissionError> {
    let action = state.selected(input::ACTION).and_then(RepairAction::of_word);
    let action = action.ok_or_else(|| SubmissionError::on(input::ACTION, "Please choose what to do."))?;
    let mut typed = FormParser::new(state);
    let (mut values, mut note) = (Vec::new(), None);
    match action {
        RepairAction::Claim => {}
        RepairAction::SetEta => {
            let eta = state.date(input::ETA);
            if eta.is_none() && (!has_eta || state.get(input::ETA).is_none()) {
                typed.faults.insert(input::ETA, "Please pick a date.".into());
            }
            values.push(FieldValue::Eta(eta));
        }
        RepairAction::SetStatus => {
            let status = typed.chosen(input::STATUS, "Please choose a status.");
            values.extend(status.map(FieldValue::Status));
            if status == Some(RepairStatus::Duplicate) {
                values.extend(typed.duplicate_of());
            }
            note = typed.note();
        }
        RepairAction::Resolve => {
            values.push(FieldValue::Status(RepairStatus::Resolved));
            note = typed.note();
        }
    }
    if typed.faults.is_empty() {
        Ok(RequestedAction { action, values, note })
    } else {
        Err(SubmissionError::Fields(typed.faults))
    }
}

async fn claim(
    edge: &SlackContext,
    actor: &Actor,
    of: RepairAtVersion,
    request_id: RequestId,
) -> Result<RepairUpdated, OpError> {
    let version = Some(edge.conflicts.version(&request_id).unwrap_or(of.version));
    let (_, now) = state(&edge.ctx, of.repair).await?;
    let claim = ClaimRepair { repair: of.repair, version, request_id: request_id.clone() };
    remembering(edge, &request_id, now, claim_repair(&edge.ctx, actor, claim).await)
}

/// Changes a repair as a form requests. A person who has seen other people's changes and submits the form again
/// overwrites them; fields that they did not touch keep them.
pub(super) async fn edit(
    edge: &SlackContext,
    actor: &Actor,
    of: RepairAtVersion,
    (values, note): (Vec<FieldValue>, Option<Note>),
    request_id: RequestId,
    may_be_closed: bool,
) -> Result<RepairUpdated, OpError> {
    let (ctx, RepairAtVersion { repair, version }) = (&edge.ctx, of);
    let edit = match edge.conflicts.version(&request_id) {
        None => RepairEdit { version, values, note },
        Some(shown) => {
            let values = touched(ctx, repair, version, &values).await?;
            RepairEdit { version: shown, values, note }
        }
    };
    // Read before the change: a change in between is a conflict again.
    let (_, now) = state(ctx, repair).await?;
    let update = UpdateRepair { repair, edit, request_id: request_id.clone() };
    let updated = match may_be_closed {
        true => update_repair(ctx, actor, update).await,
        false => update_open_repair(ctx, actor, update).await,
    };
    remembering(edge, &request_id, now, updated)
}

fn remembering(
    edge: &SlackContext,
    form: &RequestId,
    version: i64,
    answer: Result<RepairUpdated, OpError>,
) -> Result<RepairUpdated, OpError> {
    if matches!(answer, Err(OpError::Conflict(_))) {
        edge.conflicts.show(form, version);
    }
    answer
}

fn confirmation(wanted: &RequestedAction, done: &RepairUpdated, today: NaiveDate) -> String {
    let RepairUpdated { repair, status, .. } = done;
    let eta = wanted.values.iter().find_map(|value| match value {
        FieldValue::Eta(eta) => Some(*eta),
        _ => None,
    });
    let (emoji, words) = match (wanted.action, eta.flatten()) {
        (RepairAction::Claim, _) => {
            (":arrows_counterclockwise:", format!("Repair #{repair} is yours. It is {status}."))
        }
        (RepairAction::SetEta, Some(eta)) => {
            (":calendar:", format!("Repair #{repair} should be done by {}.", date(eta, today)))
        }
        (RepairAction::SetEta, None) => (":calendar:", format!("Repair #{repair} has no ETA any more.")),
        _ if status.is_open() => (":arrows_counterclockwise:", format!("Repair #{repair} is now {status}.")),
        _ => (":white_check_mark:", format!("Repair #{repair} is closed: {status}.")),
    };
    let nothing = if done.changed { "" } else { " It was like that already." };
    format!("{emoji} {words}{nothing}{}", announced_in(&done.channels))
}
