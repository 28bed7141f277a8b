//! Somebody reports that a machine does not work as it should.

use super::{Announce, Ctx, OpError, again_after_deadlock, mutation_log};
use crate::domain::actor::Actor;
use crate::domain::announce::{Targets, announcements};
use crate::domain::change::{ChangeSet, RepairSnapshot};
use crate::domain::channel::ChannelRef;
use crate::domain::ids::{EquipmentId, RepairId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::text::{Description, EmailAddress, PersonName, RequestId};
use crate::store;
use crate::store::equipment::Machine;
use crate::store::repairs::{FIRST_VERSION, NewRepair};
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

/// What is reported, of which machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportProblem {
    /// The machine.
    pub equipment: EquipmentId,
    /// Who reports.
    pub reporter_name: PersonName,
    /// Their e-mail, where given.
    pub reporter_email: Option<EmailAddress>,
    /// What is wrong.
    pub description: Description,
    /// How bad.
    pub severity: Severity,
    /// Somebody could be hurt.
    pub safety_risk: bool,
    /// Something that wears out is used up.
    pub consumable: bool,
    /// Names this submission.
    pub request_id: RequestId,
}

/// The answer to a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemReported {
    /// Number of the new repair.
    pub repair: RepairId,
    /// The machine.
    pub equipment: EquipmentId,
    /// Its name.
    pub equipment_name: String,
    /// The channels that are being told, the area's first.
    pub told: Vec<ChannelRef>,
}

/// Opens a repair in status New and owes its announcements. A submission that arrives again gets the
/// first one's answer.
///
/// # Errors
/// Refused on `equipment` when the machine is unknown or archived; the database's.
pub async fn report_problem(
    ctx: &Ctx,
    actor: &Actor,
    report: ReportProblem,
) -> Result<ProblemReported, OpError> {
    match again_after_deadlock(|| report_once(ctx, actor, &report)).await {
        // The same submission was accepted by another process just now: its answer is there.
        Err(error) if error.is_unique_violation() => reported(ctx, &report.request_id).await,
        answer => answer,
    }
}

/// The answer that an accepted submission got.
///
/// # Errors
/// `NotFound` when no such submission was accepted, or too long ago; the database's.
pub async fn reported(ctx: &Ctx, request_id: &RequestId) -> Result<ProblemReported, OpError> {
    let answer = store::requests::answer(ctx.store.read(), request_id).await?.ok_or(OpError::NotFound)?;
    Ok(serde_json::from_str(&answer)?)
}

async fn report_once(ctx: &Ctx, actor: &Actor, report: &ReportProblem) -> Result<ProblemReported, OpError> {
    let now = ctx.clock.now();
    let tx = ctx.store.begin().await?;
    if let Some(answer) = store::requests::answer(&tx, &report.request_id).await? {
        return Ok(serde_json::from_str(&answer)?);
    }
    let machine = live_machine(&tx, report.equipment).await?;
    let repair = store::repairs::add(&tx, &new_repair(actor, report), now).await?;
    let change = ChangeSet::created(snapshot(repair, &machine, report));
    let records = change.audit();
    store::timeline::append(&tx, &change, actor, now).await?;
    store::audit::append(&tx, &records, actor, now).await?;
    let told = owe_announcements(&ctx.announce, &tx, &change, &machine, now).await?;
    let answer = ProblemReported { repair, equipment: machine.id, equipment_name: machine.name, told };
    store::requests::remember(&tx, &report.request_id, serde_json::to_string(&answer)?, now).await?;
    ctx.commit_visible(tx).await?;
    ctx.wake.notify_one();
    mutation_log::changes(&records, actor, now);
    Ok(answer)
}

async fn live_machine(db: &impl ConnectionTrait, id: EquipmentId) -> Result<Machine, OpError> {
    match store::equipment::find(db, id).await? {
        None => {
            Err(OpError::refused("equipment", "This machine is not known. Please choose one from the list."))
        }
        Some(machine) if machine.is_archived() => Err(OpError::refused(
            "equipment",
            format!("{} is archived: it is no longer in use here.", machine.name),
        )),
        Some(machine) => Ok(machine),
    }
}

const fn new_repair<'a>(actor: &'a Actor, report: &'a ReportProblem) -> NewRepair<'a> {
    NewRepair {
        equipment: report.equipment,
        description: &report.description,
        severity: report.severity,
        status: RepairStatus::New,
        reporter: &report.reporter_name,
        reporter_email: report.reporter_email.as_ref(),
        reporter_slack_id: actor.slack_id.as_ref(),
        safety_risk: report.safety_risk,
        consumable: report.consumable,
    }
}

fn snapshot(id: RepairId, machine: &Machine, report: &ReportProblem) -> RepairSnapshot {
    RepairSnapshot {
        id,
        version: FIRST_VERSION,
        equipment_id: machine.id,
        equipment: machine.name.clone(),
        area: machine.area_name.clone(),
        description: report.description.to_string(),
        severity: Some(report.severity),
        status: RepairStatus::New,
        reporter: report.reporter_name.to_string(),
        assignee: None,
        eta: None,
        safety_risk: report.safety_risk,
        consumable: report.consumable,
    }
}

/// Owes what is to be told of a change; the channels that will be told.
async fn owe_announcements(
    announce: &Announce,
    db: &impl ConnectionTrait,
    change: &ChangeSet,
    machine: &Machine,
    now: DateTime<Utc>,
) -> Result<Vec<ChannelRef>, OpError> {
    let targets = match announce {
        Announce::Nowhere => Targets::NONE,
        Announce::Slack { oops } => {
            Targets { area: ChannelRef::parse(&machine.area_channel), oops: oops.clone() }
        }
    };
    let switches = store::settings::switches(db).await?;
    let owed = announcements(change, switches, &targets);
    store::deliveries::owe(db, &owed, now).await?;
    Ok(owed.into_iter().map(|announcement| announcement.target).collect())
}
