//! The modal `create_repair`: a technician opens a repair in any status.

use super::form_parser::FormParser;
use super::submission_error::SubmissionError;
use super::view_metadata::ViewMetadata;
use super::{announced_in, being_fetched, photos};
use crate::domain::text::{Description, RequestId};
use crate::ops::repairs::create_repair::{CreateRepair, RepairCreated, create_with_photos};
use crate::ops::repairs::photo_source::{InSlack, PhotosToAttach};
use crate::ops::search::exact_equipment;
use crate::render::slack::Modal;
use crate::slack::context::{EdgeError, ReplyTo, SlackContext};
use crate::slack::envelope::{State, ViewSubmission};
use crate::slack::ids::input;
use crate::slack::intake::{Ack, Reference};
use serde::{Deserialize, Serialize};
use serde_json::json;

const STALE: &str = "This form is out of date. Please close it and start again with /esb-repair.";

/// This modal needs no further metadata.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct NoMetadata {}

/// The modal, with the machine if `typed` is unambiguous.
pub(crate) async fn modal(edge: &SlackContext, to: &ReplyTo, typed: &str) -> Result<Modal, EdgeError> {
    let equipment = exact_equipment(&edge.ctx, typed).await?;
    let unknown = Some(typed).filter(|_| equipment.is_none());
    Ok(edge.blocks.create_repair(
        &ViewMetadata::new(to, NoMetadata {}).to_json(),
        equipment.as_ref(),
        unknown,
        edge.may_read_files(),
    )?)
}

/// Opens the repair: errors at the invalid fields, or all modals close and a private message confirms.
pub(crate) async fn submit(edge: &SlackContext, submission: ViewSubmission, ack: Ack, reference: &Reference) {
    let (to, photos, created) = match create(edge, &submission).await {
        Ok(done) => done,
        Err(declined) => return declined.answer(ack, reference),
    };
    ack.with(json!({ "response_action": "clear" }));
    let RepairCreated { repair, channels } = created;
    let (posting, fetching) = (announced_in(&channels), being_fetched(&photos));
    let words = format!(":white_check_mark: Repair #{repair} is created.{posting}{fetching}");
    edge.tell(&to, &words).await;
}

async fn create(
    edge: &SlackContext,
    submission: &ViewSubmission,
) -> Result<(ReplyTo, InSlack, RepairCreated), SubmissionError> {
    let kept = ViewMetadata::<NoMetadata>::of(&submission.view, STALE)?;
    let actor = edge.technician(&submission.sender).await?;
    let to = kept.reply_to(&submission.sender.user_id);
    let (wanted, photos) = read(&submission.view.state, kept.request_id)?;
    let created = create_with_photos(&edge.ctx, &actor, wanted, PhotosToAttach::InSlack(&photos)).await?;
    Ok((to, photos, created))
}

fn read(state: &State, request_id: RequestId) -> Result<(CreateRepair, InSlack), SubmissionError> {
    let mut typed = FormParser::new(state);
    let equipment = typed.chosen(input::EQUIPMENT, "Please choose a machine from the list.");
    let status = typed.chosen(input::STATUS, "Please choose a status.");
    let severity = typed.optional(input::SEVERITY).flatten();
    let assignee = typed.optional(input::ASSIGNEE).flatten();
    let description = Description::parse(state.text(input::DESCRIPTION).unwrap_or_default());
    let description =
        description.map_err(|error| typed.faults.insert(input::DESCRIPTION, error.to_string())).ok();
    let photos = photos(state).map_err(|words| typed.faults.insert(input::PHOTOS, words)).ok();
    match (equipment, status, description, photos) {
        (Some(equipment), Some(status), Some(description), Some(photos)) if typed.faults.is_empty() => {
            let create = CreateRepair {
                equipment,
                description,
                severity,
                status,
                assignee,
                safety_risk: typed.ticked(input::SAFETY_RISK).unwrap_or(false),
                consumable: typed.ticked(input::CONSUMABLE).unwrap_or(false),
                request_id,
            };
            Ok((create, photos))
        }
        _ => Err(SubmissionError::Fields(typed.faults)),
    }
}
