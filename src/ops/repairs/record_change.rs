//! Writes the timeline, audit and announcements of a change. Called within the transaction of the change by every
//! operation that changes a repair.

use crate::domain::actor::Actor;
use crate::domain::announce::{Announcement, Targets, announcements};
use crate::domain::change::{AuditRecord, ChangeSet, RepairSnapshot};
use crate::domain::channel::ChannelRef;
use crate::domain::field::{Person, RepairFields};
use crate::domain::ids::{RepairId, UserId};
use crate::ops::deliveries::channel_names::are_one;
use crate::ops::{Announce, Ctx, OpError, mutation_log};
use crate::store;
use crate::store::cards::Card;
use crate::store::deliveries::NewDelivery;
use crate::store::equipment::EquipmentWithArea;
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

/// A recorded change; the log line is written after the commit.
#[derive(Debug)]
pub struct RecordedChange {
    records: Vec<AuditRecord>,
    now: DateTime<Utc>,
    /// The channels of the announcement.
    pub channels: Vec<ChannelRef>,
    has_deliveries: bool,
}

impl RecordedChange {
    /// Call after the commit: wakes the worker and writes the log line.
    pub fn committed(self, ctx: &Ctx, actor: &Actor) -> Vec<ChannelRef> {
        if self.has_deliveries {
            ctx.wake.notify_one();
        }
        mutation_log::changes(&self.records, actor, self.now);
        self.channels
    }
}

/// Appends timeline and audit entries, and enqueues the announcements.
pub(in crate::ops) async fn record(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    actor: &Actor,
    change: &ChangeSet,
    equipment: &EquipmentWithArea,
    now: DateTime<Utc>,
) -> Result<RecordedChange, OpError> {
    let records = change.audit();
    store::timeline::append(db, change, actor, now).await?;
    store::audit::append(db, &records, actor, now).await?;
    let targets = targets(ctx, db, equipment).await?;
    // Before the messages of the change, whose text depends on whether the card still exists.
    let edits = change.changes_card() && store::cards::changed(db, change.repair.id, now).await?;
    let switches = store::settings::switches(db).await?;
    let announcements = announcements(change, switches, &targets);
    let cards = match switches.thread_updates {
        true => cards(db, change.repair.id, &announcements).await?,
        false => Vec::new(),
    };
    let card =
        |announcement: &Announcement| cards.iter().find(|card| card.target == announcement.target.as_str());
    let pending = announcements
        .iter()
        .map(|announcement| NewDelivery::message(announcement, card(announcement).map(|card| card.id)));
    store::deliveries::enqueue(db, pending.collect::<Result<_, _>>()?, now).await?;
    let has_deliveries = edits || !announcements.is_empty();
    let channels = announcements.into_iter().map(|announcement| announcement.target).collect();
    Ok(RecordedChange { records, now, has_deliveries, channels })
}

/// The channels to which changes of a machine are announced, each once.
async fn targets(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    equipment: &EquipmentWithArea,
) -> Result<Targets, OpError> {
    let Announce::Slack { oops } = &ctx.announce else { return Ok(Targets::NONE) };
    let (area, mut oops) = (ChannelRef::parse(&equipment.area_channel), oops.clone());
    if let (Some(one), Some(other)) = (&area, &oops)
        && are_one(db, one, other).await?
    {
        oops = None;
    }
    Ok(Targets { area, oops })
}

/// The cards of a repair, including those that these announcements begin.
async fn cards(
    db: &impl ConnectionTrait,
    repair: RepairId,
    announcements: &[Announcement],
) -> Result<Vec<Card>, OpError> {
    if announcements.is_empty() {
        return Ok(Vec::new());
    }
    let known = store::cards::of(db, repair).await?;
    let targets = announcements.iter().map(|announcement| announcement.target.as_str());
    let new: Vec<&str> = targets.filter(|target| known.iter().all(|card| card.target != *target)).collect();
    if new.is_empty() {
        return Ok(known);
    }
    Ok(store::cards::add(db, repair, new.into_iter()).await?)
}

/// An active user who can be assigned.
///
/// # Errors
/// Refused on `assignee`.
pub(in crate::ops) async fn assignable(db: &impl ConnectionTrait, id: UserId) -> Result<Person, OpError> {
    let message = "That person has no active account. Please choose somebody from the list.";
    let user = store::users::active(db, id).await?.ok_or_else(|| OpError::refused("assignee", message))?;
    Ok(store::users::person(user))
}

/// The repair as announcements show it, with current names.
pub(in crate::ops) fn snapshot(
    id: RepairId,
    version: i64,
    equipment: &EquipmentWithArea,
    fields: &RepairFields,
    reporter: &str,
) -> RepairSnapshot {
    let assignee = fields.assignee.clone();
    RepairSnapshot {
        id,
        version,
        equipment_id: equipment.id,
        equipment: equipment.name.clone(),
        area: equipment.area_name.clone(),
        description: fields.description.clone(),
        severity: fields.severity,
        status: fields.status,
        reporter: reporter.to_owned(),
        assignee_slack_id: assignee.as_ref().and_then(|person| person.slack_id.clone()),
        assignee: assignee.map(|person| person.name),
        eta: fields.eta,
        safety_risk: fields.safety_risk,
        consumable: fields.consumable,
    }
}
