//! A technician opens a repair, in any status: one event, one announcement.

use crate::domain::actor::{Actor, Role};
use crate::domain::change::ChangeSet;
use crate::domain::channel::ChannelRef;
use crate::domain::edit::may_begin;
use crate::domain::field::RepairFields;
use crate::domain::ids::{EquipmentId, RepairId, UserId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::text::{Description, PersonName, RequestId};
use crate::ops::idempotency::key;
use crate::ops::permission::require;
use crate::ops::repairs::photo_source::{PhotosToAttach, enclose};
use crate::ops::repairs::record_change::{assignable, record, snapshot};
use crate::ops::repairs::report_problem::find_active_equipment;
use crate::ops::submission::{Submission, SubmissionResult, nothing_is_taken, submit};
use crate::ops::{Ctx, OpError};
use crate::store;
use crate::store::repairs::{FIRST_VERSION, NewRepair};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreateRepair {
    pub equipment: EquipmentId,
    /// What is wrong; for a repair that is already resolved, also what was done.
    pub description: Description,
    pub severity: Option<Severity>,
    /// Any status except `Closed - Duplicate`.
    pub status: RepairStatus,
    pub assignee: Option<UserId>,
    /// A person could be hurt.
    pub safety_risk: bool,
    /// A consumable is used up.
    pub consumable: bool,
    #[serde(skip)]
    pub request_id: RequestId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairCreated {
    pub repair: RepairId,
    /// The channels of the announcement, the area's first.
    pub channels: Vec<ChannelRef>,
}

/// Opens a repair and enqueues its announcement. A repeated submission gets the first answer.
///
/// # Errors
/// `Forbidden`; refused on `equipment`, `status` or `assignee`.
pub async fn create_repair(ctx: &Ctx, actor: &Actor, create: CreateRepair) -> Result<RepairCreated, OpError> {
    create_with_photos(ctx, actor, create, PhotosToAttach::NOTHING).await
}

/// [`create_repair`], with photos.
pub async fn create_with_photos(
    ctx: &Ctx,
    actor: &Actor,
    create: CreateRepair,
    photos: PhotosToAttach<'_>,
) -> Result<RepairCreated, OpError> {
    let key = key("repair.create", actor, &create.request_id, &(&create, photos.content()))?;
    submit(ctx, actor, key, nothing_is_taken, |submission| open(ctx, actor, &create, photos, submission))
        .await
}

async fn open(
    ctx: &Ctx,
    actor: &Actor,
    create: &CreateRepair,
    photos: PhotosToAttach<'_>,
    mut submission: Submission,
) -> SubmissionResult<RepairCreated> {
    let (tx, now) = (&submission.tx, submission.now);
    require(tx, actor, Role::Technician).await?;
    may_begin(create.status)?;
    let equipment = find_active_equipment(tx, create.equipment).await?;
    let assignee = match create.assignee {
        Some(id) => Some(assignable(tx, id).await?),
        None => None,
    };
    let reporter = PersonName::parse(&actor.name)
        .map_err(|error| OpError::refused("reporter_name", error.to_string()))?;
    let new = NewRepair {
        equipment: equipment.id,
        description: &create.description,
        severity: create.severity,
        status: create.status,
        assignee: create.assignee,
        reporter: &reporter,
        reporter_email: None,
        reporter_slack_id: actor.slack_id.as_ref(),
        safety_risk: create.safety_risk,
        consumable: create.consumable,
    };
    let repair = store::repairs::add(tx, &new, now).await?;
    let fields = RepairFields {
        status: create.status,
        duplicate_of: None,
        assignee,
        severity: create.severity,
        eta: None,
        specialist_description: String::new(),
        safety_risk: create.safety_risk,
        consumable: create.consumable,
        description: create.description.to_string(),
    };
    let announced = snapshot(repair, FIRST_VERSION, &equipment, &fields, reporter.as_str());
    let mut change = ChangeSet::created(announced, actor.name.clone());
    let (changes, job) = enclose(ctx, tx, actor, repair, photos, now).await?;
    change.changes.extend(changes);
    let recorded = record(ctx, tx, actor, &change, &equipment, now).await?;
    let answer = RepairCreated { repair, channels: recorded.channels.clone() };
    submission.record_repairs([recorded]);
    submission.record_job(job);
    submission.answer(answer)
}
