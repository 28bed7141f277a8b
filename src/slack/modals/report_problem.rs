//! The modal `report_problem`: its suggestions, its submission, its "me too".

use super::submission_error::{FieldErrors, SubmissionError};
use super::view_metadata::{ViewMetadata, answered_at};
use super::{announced_in, being_fetched, photos};
use crate::domain::ids::{EquipmentId, RepairId};
use crate::domain::repair::Severity;
use crate::domain::text::{Description, PersonName, RequestId, TextError};
use crate::ops::board::equipment;
use crate::ops::repairs::me_too;
use crate::ops::repairs::photo_source::{InSlack, PhotosToAttach};
use crate::ops::repairs::report_problem::{ProblemReported, ReportProblem, report_with_photos};
use crate::ops::search::search_equipment;
use crate::render::slack::mrkdwn::bold;
use crate::render::slack::report::ReportModal;
use crate::slack::context::{EdgeError, ReplyTo, SlackContext, failure};
use crate::slack::envelope::{BlockSuggestion, Sender, State, View, ViewSubmission};
use crate::slack::ids::input;
use crate::slack::intake::{Ack, Reference};
use crate::views::equipment::EquipmentMatch;
use serde::{Deserialize, Serialize};
use serde_json::json;

mod opening;

pub(crate) use opening::{Beginning, Source, open};

const STALE: &str = "This form is out of date. Please close it and start again with /esb-report.";

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct ReportMetadata {
    /// Issues that the person has counted as "me too" here; the latest ones.
    #[serde(default)]
    counted: Vec<RepairId>,
    /// The reported message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
}

pub(crate) type Metadata = ViewMetadata<ReportMetadata>;

/// Most issues stored as counted: twice what the form shows of one machine.
const COUNTED_MAX: usize = 20;

impl ReportMetadata {
    fn count(&mut self, repair: RepairId) {
        self.counted.retain(|counted| *counted != repair);
        if self.counted.len() >= COUNTED_MAX {
            self.counted.remove(0);
        }
        self.counted.push(repair);
    }
}

/// The options of the machine select.
pub(crate) async fn suggest(edge: &SlackContext, asked: &BlockSuggestion, ack: Ack, reference: &Reference) {
    let options = async {
        let found = search_equipment(&edge.ctx, &asked.value).await?;
        Ok::<_, EdgeError>(edge.blocks.equipment_options(&found)?)
    };
    match options.await {
        Ok(options) => ack.with(options),
        Err(error) => ack.sorry(&failure(error, reference)),
    }
}

/// Reports the problem: errors at the invalid fields, or the modal closes and a private message confirms.
pub(crate) async fn submit(edge: &SlackContext, submission: ViewSubmission, ack: Ack, reference: &Reference) {
    let (to, words) = match file(edge, &submission).await {
        Ok(done) => done,
        Err(declined) => return declined.answer(ack, reference),
    };
    ack.with(json!({ "response_action": "clear" }));
    edge.tell(&to, &words).await;
}

async fn file(
    edge: &SlackContext,
    submission: &ViewSubmission,
) -> Result<(ReplyTo, String), SubmissionError> {
    edge.admit(&submission.sender).await?;
    let metadata = Metadata::of(&submission.view, STALE)?;
    let (mut report, photos) =
        parse(&submission.view.state, metadata.request_id.clone()).map_err(SubmissionError::Fields)?;
    let actor = edge.actor(&submission.sender).await?;
    if let Some(source) = &metadata.more.source {
        report.note = source.note(edge).await;
    }
    let has_lost_its_source = metadata.more.source.is_some() && report.note.is_none();
    let reported = report_with_photos(&edge.ctx, &actor, report, PhotosToAttach::InSlack(&photos)).await?;
    let mut words = confirmation(edge, &reported, &photos);
    if has_lost_its_source {
        words.push_str(" Slack did not give me the link to the message, so the repair is without it.");
    }
    Ok((metadata.reply_to(&submission.sender.user_id), words))
}

/// Parses the inputs; collects all errors.
fn parse(state: &State, request_id: RequestId) -> Result<(ReportProblem, InSlack), FieldErrors> {
    let mut errors = FieldErrors::new();
    let mut fault = |field: &'static str, words: String| {
        errors.insert(field, words);
    };
    let equipment = state.selected(input::EQUIPMENT).and_then(|id| id.parse::<EquipmentId>().ok());
    if equipment.is_none() {
        fault(input::EQUIPMENT, "Please choose a machine from the list.".into());
    }
    let severity = state.selected(input::SEVERITY).and_then(|word| word.parse::<Severity>().ok());
    if severity.is_none() {
        fault(input::SEVERITY, "Please choose one of these.".into());
    }
    let photos = photos(state).map_err(|words| fault(input::PHOTOS, words)).ok();
    let mut text = |field: &'static str, error: TextError| fault(field, error.to_string());
    let reporter_name = PersonName::parse(state.text(input::REPORTER_NAME).unwrap_or_default());
    let reporter_name = reporter_name.map_err(|error| text(input::REPORTER_NAME, error)).ok();
    let description = Description::parse(state.text(input::DESCRIPTION).unwrap_or_default());
    let description = description.map_err(|error| text(input::DESCRIPTION, error)).ok();
    let ticked = |name: &str| state.ticked(name).iter().any(|value| value == name);
    match (equipment, severity, reporter_name, description, photos) {
        (Some(equipment), Some(severity), Some(reporter_name), Some(description), Some(photos)) => {
            let report = ReportProblem {
                equipment,
                reporter_name,
                reporter_email: None,
                description,
                severity,
                safety_risk: ticked(input::SAFETY_RISK),
                consumable: ticked(input::CONSUMABLE),
                note: None,
                request_id,
            };
            Ok((report, photos))
        }
        _ => Err(errors),
    }
}

fn confirmation(edge: &SlackContext, reported: &ProblemReported, photos: &InSlack) -> String {
    let mut text = format!(
        ":white_check_mark: Thank you! Your report on {} is repair #{}.",
        bold(&reported.equipment_name, 200),
        reported.repair
    );
    text.push_str(&announced_in(&reported.channels));
    text.push_str(&being_fetched(photos));
    if let Some(link) = edge.links.equipment(reported.equipment) {
        text.push_str(&format!(" <{link}|See the machine's page>."));
    }
    text
}

/// After a choice of machine: updates the modal with its known issues. If that fails, a message explains it, and
/// the form works without them; it keeps the typed text.
pub(crate) async fn choose(edge: &SlackContext, sender: &Sender, view: &View, reference: &Reference) {
    let refreshed = async { refresh(edge, view, &Metadata::of(view, STALE)?).await };
    if let Err(error) = refreshed.await {
        edge.reply_failure_in_view(&answered_at(view, sender), error, reference).await;
    }
}

/// "Me too" on a known issue: counts it, and updates the modal. If that fails, a message explains it, and the modal
/// shows the current issues.
pub(crate) async fn me_too(
    edge: &SlackContext,
    sender: &Sender,
    view: &View,
    value: &str,
    reference: &Reference,
) {
    let to = answered_at(view, sender);
    let mut metadata = match Metadata::of(view, STALE) {
        Ok(metadata) => metadata,
        Err(error) => return edge.reply_failure(&to, error, reference).await,
    };
    let counted = count(edge, sender, value).await.map(|repair| metadata.more.count(repair));
    let refreshed = refresh(edge, view, &metadata).await;
    match (counted, refreshed) {
        // One message is enough for a person; the log has both.
        (Err(error), refreshed) => {
            edge.reply_failure(&to, error, reference).await;
            refreshed.err().map(|error| failure(error, reference));
        }
        (Ok(()), Err(error)) => edge.reply_failure_in_view(&to, error, reference).await,
        (Ok(()), Ok(())) => {}
    }
}

async fn count(edge: &SlackContext, sender: &Sender, value: &str) -> Result<RepairId, EdgeError> {
    let repair: RepairId = value.parse().map_err(|_| EdgeError::Unfit("This button is out of date."))?;
    edge.admit(sender).await?;
    let actor = edge.actor(sender).await?;
    me_too::me_too(&edge.ctx, &actor, None, repair, &format!("slack:{}", sender.user_id)).await?;
    Ok(repair)
}

/// Updates the form with the chosen machine's issues. Inputs keep their names, so Slack keeps their typed text.
async fn refresh(edge: &SlackContext, view: &View, metadata: &Metadata) -> Result<(), EdgeError> {
    let chosen = view.state.selected(input::EQUIPMENT).and_then(|id| id.parse::<EquipmentId>().ok());
    let equipment = match chosen {
        Some(id) => Some(equipment(&edge.ctx, id).await?),
        None => None,
    };
    let (chosen, known, known_count) = equipment.map_or((None, Vec::new(), 0), |equipment| {
        let chosen = EquipmentMatch { id: equipment.id, name: equipment.name, area: equipment.area };
        (Some(chosen), equipment.open_repairs, equipment.open_count)
    });
    let modal = edge.blocks.report_problem(&ReportModal {
        private_metadata: &metadata.to_json(),
        equipment: chosen.as_ref(),
        unknown: None,
        reporter_name: view.state.text(input::REPORTER_NAME).unwrap_or_default(),
        description: view.state.text(input::DESCRIPTION).unwrap_or_default(),
        known: &known,
        known_count,
        photos: edge.may_read_files(),
        counted: &metadata.more.counted,
    })?;
    edge.api.views_update(&view.id, None, &modal.0).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
