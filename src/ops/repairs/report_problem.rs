//! A person reports a problem with a machine.

use crate::domain::actor::Actor;
use crate::domain::change::{Change, ChangeSet};
use crate::domain::channel::ChannelRef;
use crate::domain::field::RepairFields;
use crate::domain::idempotency::IdempotencyKey;
use crate::domain::ids::{EquipmentId, RepairId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::text::{Description, EmailAddress, Note, PersonName, RequestId};
use crate::ops::idempotency::{find_answer, key};
use crate::ops::repairs::photo_source::{PhotosToAttach, enclose};
use crate::ops::repairs::record_change::{record, snapshot};
use crate::ops::submission::{Submission, SubmissionResult, nothing_is_taken, submit};
use crate::ops::{Ctx, OpError};
use crate::store;
use crate::store::equipment::EquipmentWithArea;
use crate::store::repairs::{FIRST_VERSION, NewRepair};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportProblem {
    pub equipment: EquipmentId,
    pub reporter_name: PersonName,
    pub reporter_email: Option<EmailAddress>,
    pub description: Description,
    pub severity: Severity,
    /// A person could be hurt.
    pub safety_risk: bool,
    /// A consumable is used up.
    pub consumable: bool,
    /// First note on the timeline, such as the origin of the report. No person types it.
    #[serde(skip)]
    pub note: Option<Note>,
    #[serde(skip)]
    pub request_id: RequestId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemReported {
    pub repair: RepairId,
    pub equipment: EquipmentId,
    pub equipment_name: String,
    /// The channels of the announcement, the area's first.
    pub channels: Vec<ChannelRef>,
    /// Number of photos that the disk could not store.
    #[serde(default)]
    pub lost_photos: usize,
    /// Number of photos above the daily allowance of visitors.
    #[serde(default)]
    pub photos_over_allowance: usize,
}

/// Opens a repair in status New and enqueues its announcements. A repeated submission gets the first answer.
///
/// # Errors
/// Refused on `equipment` when the machine is unknown or archived.
pub async fn report_problem(
    ctx: &Ctx,
    actor: &Actor,
    report: ReportProblem,
) -> Result<ProblemReported, OpError> {
    report_with_photos(ctx, actor, report, PhotosToAttach::NOTHING).await
}

/// [`report_problem`], with photos.
pub async fn report_with_photos(
    ctx: &Ctx,
    actor: &Actor,
    report: ReportProblem,
    photos: PhotosToAttach<'_>,
) -> Result<ProblemReported, OpError> {
    let key = report_key(actor, &report, photos)?;
    submit(ctx, actor, key, nothing_is_taken, |submission| open(ctx, actor, &report, photos, submission))
        .await
}

/// The key of a report with its content: [`reported`] finds its answer by it.
pub fn report_key(
    actor: &Actor,
    report: &ReportProblem,
    photos: PhotosToAttach<'_>,
) -> Result<IdempotencyKey, OpError> {
    key("report", actor, &report.request_id, &(report, photos.content()))
}

/// The answer that an accepted report got.
///
/// # Errors
/// `NotFound` when no such report was accepted, or its answer has expired.
pub async fn reported(ctx: &Ctx, key: &IdempotencyKey) -> Result<ProblemReported, OpError> {
    find_answer(ctx.store.read(), key).await?.ok_or(OpError::NotFound)
}

async fn open(
    ctx: &Ctx,
    actor: &Actor,
    report: &ReportProblem,
    photos: PhotosToAttach<'_>,
    mut submission: Submission,
) -> SubmissionResult<ProblemReported> {
    let (tx, now) = (&submission.tx, submission.now);
    let equipment = find_active_equipment(tx, report.equipment).await?;
    let repair = store::repairs::add(tx, &new_repair(actor, report), now).await?;
    let announced =
        snapshot(repair, FIRST_VERSION, &equipment, &fields(report), report.reporter_name.as_str());
    let mut change = ChangeSet::created(announced, actor.name.clone());
    let note = report.note.clone().map(|text| Change::Note { text: Some(text), supersedes: None });
    change.changes.extend(note);
    let (changes, job) = enclose(ctx, tx, actor, repair, photos, now).await?;
    change.changes.extend(changes);
    let recorded = record(ctx, tx, actor, &change, &equipment, now).await?;
    let channels = recorded.channels.clone();
    let answer = ProblemReported {
        repair,
        equipment: equipment.id,
        equipment_name: equipment.name,
        channels,
        lost_photos: photos.lost().disk,
        photos_over_allowance: photos.lost().allowance,
    };
    submission.record_repairs([recorded]);
    submission.record_job(job);
    submission.answer(answer)
}

/// An active machine, locked so that it cannot be archived before the transaction ends.
pub(in crate::ops) async fn find_active_equipment(
    db: &impl ConnectionTrait,
    id: EquipmentId,
) -> Result<EquipmentWithArea, OpError> {
    store::equipment::lock(db, id).await?;
    match store::equipment::find(db, id).await? {
        None => {
            Err(OpError::refused("equipment", "This machine is not known. Please choose one from the list."))
        }
        Some(equipment) if equipment.is_archived() => Err(OpError::refused(
            "equipment",
            format!("{} is archived: it is no longer in use here.", equipment.name),
        )),
        Some(equipment) => Ok(equipment),
    }
}

const fn new_repair<'a>(actor: &'a Actor, report: &'a ReportProblem) -> NewRepair<'a> {
    NewRepair {
        equipment: report.equipment,
        description: &report.description,
        severity: Some(report.severity),
        status: RepairStatus::New,
        assignee: None,
        reporter: &report.reporter_name,
        reporter_email: report.reporter_email.as_ref(),
        reporter_slack_id: actor.slack_id.as_ref(),
        safety_risk: report.safety_risk,
        consumable: report.consumable,
    }
}

fn fields(report: &ReportProblem) -> RepairFields {
    RepairFields {
        status: RepairStatus::New,
        duplicate_of: None,
        assignee: None,
        severity: Some(report.severity),
        eta: None,
        specialist_description: String::new(),
        safety_risk: report.safety_risk,
        consumable: report.consumable,
        description: report.description.to_string(),
    }
}
