//! A technician changes a repair: any fields together, with a note. Claiming, resolving and reopening are edits of
//! a few fields; the rules are in `domain::edit`.

use crate::domain::actor::{Actor, Role};
use crate::domain::change::{Change, ChangeSet, OthersOpen, StillOpen};
use crate::domain::channel::ChannelRef;
use crate::domain::edit::{self, Duplicates, EditContext, RepairEdit};
use crate::domain::field::{Field, FieldValue, RepairFields};
use crate::domain::idempotency::IdempotencyKey;
use crate::domain::ids::{EquipmentId, RepairId};
use crate::domain::repair::RepairStatus;
use crate::domain::text::{Note, RequestId};
use crate::ops::idempotency::key;
use crate::ops::permission::require;
use crate::ops::repairs::record_change::{RecordedChange, assignable, record, snapshot};
use crate::ops::submission::{Submission, SubmissionResult, nothing_is_taken, submit};
use crate::ops::{Ctx, OpError};
use crate::store;
use crate::store::repairs::Repair;
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Open repairs of the same machine that a closing announcement names.
const NAMED_MAX: u64 = 3;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateRepair {
    pub repair: RepairId,
    pub edit: RepairEdit,
    pub request_id: RequestId,
}

/// A claim: the actor becomes the assignee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRepair {
    pub repair: RepairId,
    /// The version that the person saw; `None` means the current one.
    pub version: Option<i64>,
    pub request_id: RequestId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairUpdated {
    pub repair: RepairId,
    pub status: RepairStatus,
    pub version: i64,
    /// False when the repair already was as requested.
    pub changed: bool,
    /// The channels of the announcement, the area's first.
    pub channels: Vec<ChannelRef>,
}

/// Changes a repair. Fields that the person did not touch keep other people's changes.
///
/// # Errors
/// `Forbidden`; `NotFound`; refused by a rule; `Conflict` when another person changed the same fields since the
/// edit's version.
pub async fn update_repair(ctx: &Ctx, actor: &Actor, update: UpdateRepair) -> Result<RepairUpdated, OpError> {
    submit_change(ctx, actor, update.repair, RequestedChange::Edit(&update.edit), &update.request_id).await
}

/// Like [`update_repair`], for a repair that is open.
///
/// # Errors
/// Like [`update_repair`]; refused when the repair is closed.
pub async fn update_open_repair(
    ctx: &Ctx,
    actor: &Actor,
    update: UpdateRepair,
) -> Result<RepairUpdated, OpError> {
    submit_change(ctx, actor, update.repair, RequestedChange::EditOpen(&update.edit), &update.request_id)
        .await
}

/// Assigns the repair to the actor, and changes status New to Assigned.
///
/// # Errors
/// Like [`update_repair`]; refused when the repair is closed.
pub async fn claim_repair(ctx: &Ctx, actor: &Actor, claim: ClaimRepair) -> Result<RepairUpdated, OpError> {
    submit_change(ctx, actor, claim.repair, RequestedChange::Claim(claim.version), &claim.request_id).await
}

/// The key under which a claim's answer is stored.
pub fn claim_key(actor: &Actor, claim: &ClaimRepair) -> Result<IdempotencyKey, OpError> {
    change_key(actor, claim.repair, RequestedChange::Claim(claim.version), &claim.request_id)
}

fn change_key(
    actor: &Actor,
    id: RepairId,
    wanted: RequestedChange<'_>,
    request_id: &RequestId,
) -> Result<IdempotencyKey, OpError> {
    key("repair.update", actor, request_id, &(id, wanted.content()))
}

/// A requested change; a claim depends on the repair's current state.
#[derive(Debug, Clone, Copy)]
enum RequestedChange<'a> {
    Edit(&'a RepairEdit),
    EditOpen(&'a RepairEdit),
    Claim(Option<i64>),
}

impl RequestedChange<'_> {
    /// What the person chose and typed. The version that they saw is not included: a form that was rejected with a
    /// conflict is sent again with another version.
    fn content(&self) -> Value {
        let (Self::Edit(edit) | Self::EditOpen(edit)) = self else { return json!("claim") };
        let value = |value: &FieldValue| match value {
            FieldValue::Assignee(person) => json!(["assignee", person.as_ref().map(|person| person.id)]),
            other => json!([other.field().name(), other.json()]),
        };
        json!({ "values": edit.values.iter().map(value).collect::<Vec<_>>(), "note": edit.note })
    }
}

async fn submit_change(
    ctx: &Ctx,
    actor: &Actor,
    id: RepairId,
    wanted: RequestedChange<'_>,
    request_id: &RequestId,
) -> Result<RepairUpdated, OpError> {
    let key = change_key(actor, id, wanted, request_id)?;
    submit(ctx, actor, key, nothing_is_taken, |submission| change(ctx, actor, id, wanted, submission)).await
}

async fn change(
    ctx: &Ctx,
    actor: &Actor,
    id: RepairId,
    wanted: RequestedChange<'_>,
    mut submission: Submission,
) -> SubmissionResult<RepairUpdated> {
    let (tx, now) = (&submission.tx, submission.now);
    let user = require(tx, actor, Role::Technician).await?;
    let (before, fields) = locked(tx, id).await?;
    let edit = match wanted {
        RequestedChange::Edit(edit) => edit.clone(),
        RequestedChange::EditOpen(edit) => {
            edit::is_open(fields.status)?;
            edit.clone()
        }
        RequestedChange::Claim(version) => {
            let values = edit::claim(&fields, assignable(tx, user.id).await?)?;
            RepairEdit { version: version.unwrap_or(before.version), values, note: None }
        }
    };
    let changes = planned(tx, &before, &fields, edit).await?;
    let done = apply(ctx, tx, actor, &before, &fields, changes, now).await?;
    let answer = RepairUpdated {
        repair: id,
        status: done.status,
        version: done.version,
        changed: done.recorded.is_some(),
        channels: done.recorded.as_ref().map(|recorded| recorded.channels.clone()).unwrap_or_default(),
    };
    submission.record_repairs(done.recorded);
    submission.answer(answer)
}

/// Locks the machine, so that no other transaction changes its repairs, and reads the repair.
pub(in crate::ops) async fn locked(
    db: &impl ConnectionTrait,
    id: RepairId,
) -> Result<(Repair, RepairFields), OpError> {
    let equipment = store::repairs::find(db, id).await?.ok_or(OpError::NotFound)?.equipment_id;
    store::equipment::lock(db, equipment).await?;
    let repair = store::repairs::find(db, id).await?.ok_or(OpError::NotFound)?;
    let fields = store::repairs::fields(db, &repair).await?;
    Ok((repair, fields))
}

/// The changes of the edit, after the rules.
async fn planned(
    db: &impl ConnectionTrait,
    before: &Repair,
    fields: &RepairFields,
    mut edit: RepairEdit,
) -> Result<Vec<Change>, OpError> {
    if edit.version > before.version {
        let message = "This form is out of date. Please open it again.".into();
        return Err(OpError::Refused(crate::ops::Refusal { field: None, message }));
    }
    let later = match edit.version == before.version {
        true => Vec::new(),
        false => store::timeline::later(db, before.id, edit.version).await?,
    };
    let mut duplicates = Duplicates::default();
    for value in &mut edit.values {
        match value {
            FieldValue::DuplicateOf(Some(target)) => {
                duplicates = relations(db, before.equipment_id, *target).await?;
            }
            // An inactive user may stay assigned, but cannot become the assignee.
            FieldValue::Assignee(Some(person)) => {
                let first = later.iter().find(|later| later.old.field() == Field::Assignee);
                let seen = first.map_or(before.assignee_id, |later| later.old.user());
                if ![seen, before.assignee_id].contains(&Some(person.id)) {
                    *person = assignable(db, person.id).await?;
                }
            }
            _ => {}
        }
    }
    let context = EditContext { id: before.id, fields, later: &later, duplicates: &duplicates };
    Ok(edit::plan(context, &edit)?)
}

async fn relations(
    db: &impl ConnectionTrait,
    equipment: EquipmentId,
    target: RepairId,
) -> Result<Duplicates, OpError> {
    let found = store::repairs::find(db, target).await?;
    let links = store::repairs::duplicate_links(db, equipment).await?;
    Ok(Duplicates { same_equipment: found.is_some_and(|repair| repair.equipment_id == equipment), links })
}

pub(in crate::ops) struct Applied {
    pub(in crate::ops) status: RepairStatus,
    pub(in crate::ops) version: i64,
    /// `None` if nothing changed.
    pub(in crate::ops) recorded: Option<RecordedChange>,
}

/// Makes changes that the rules allow, and records them.
pub(in crate::ops) async fn apply(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    actor: &Actor,
    before: &Repair,
    fields: &RepairFields,
    changes: Vec<Change>,
    now: DateTime<Utc>,
) -> Result<Applied, OpError> {
    if changes.is_empty() {
        return Ok(Applied { status: before.status, version: before.version, recorded: None });
    }
    let mut after = fields.clone();
    for change in &changes {
        if let Change::Field { to, .. } = change {
            after.set(to.clone());
        }
    }
    let equipment = store::equipment::find(db, before.equipment_id).await?.ok_or(OpError::NotFound)?;
    let repair = snapshot(before.id, before.version, &equipment, &after, &before.reporter_name);
    let (by, by_slack_id) = (actor.name.clone(), actor.slack_id.clone());
    let mut change = ChangeSet { repair, changes, by, by_slack_id, others: OthersOpen::default() };
    if change.changes_fields() {
        if !store::repairs::update(db, before, &after, now).await? {
            return Err(OpError::overtaken());
        }
        change.repair.version += 1;
        if !after.status.is_open() {
            change.others = still_open(db, equipment.id).await?;
        }
    }
    let recorded = record(ctx, db, actor, &change, &equipment, now).await?;
    Ok(Applied { status: after.status, version: change.repair.version, recorded: Some(recorded) })
}

/// The machine's open repairs, now that one of them is closed.
pub(super) async fn still_open(
    db: &impl ConnectionTrait,
    equipment: EquipmentId,
) -> Result<OthersOpen, OpError> {
    let count = store::board::open_total_of(db, equipment).await?.repairs;
    let worst = store::board::worst_repairs_of(db, equipment, NAMED_MAX).await?;
    let named = |row: store::board::OpenRow| StillOpen {
        id: row.id,
        severity: row.severity,
        description: crate::domain::text::cut(&row.description, 200),
    };
    Ok(OthersOpen { count, worst: worst.into_iter().map(named).collect() })
}

/// Closes every open repair of a machine as `Closed - No Issue Found` with a note, within the transaction that
/// archives it. The caller has checked the actor's permission, and calls `committed` on each after its commit.
pub(in crate::ops) async fn close_open_repairs(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    actor: &Actor,
    equipment: EquipmentId,
    note: &Note,
    now: DateTime<Utc>,
) -> Result<Vec<RecordedChange>, OpError> {
    store::equipment::lock(db, equipment).await?;
    let mut closed = Vec::new();
    for id in store::repairs::open_of(db, equipment).await? {
        let (before, fields) = locked(db, id).await?;
        let edit = RepairEdit {
            version: before.version,
            values: vec![FieldValue::Status(RepairStatus::NoIssueFound)],
            note: Some(note.clone()),
        };
        let changes = planned(db, &before, &fields, edit).await?;
        closed.extend(apply(ctx, db, actor, &before, &fields, changes, now).await?.recorded);
    }
    Ok(closed)
}
