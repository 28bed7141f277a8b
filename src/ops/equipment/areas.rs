//! Areas: made, edited, archived and restored by staff.

use crate::domain::actor::{Actor, Role};
use crate::domain::area::AreaDetails;
use crate::domain::change::AuditRecord;
use crate::domain::channel::ChannelRef;
use crate::domain::ids::AreaId;
use crate::domain::text::{AreaName, RequestId};
use crate::ops::deliveries::channel_names::{names, show};
use crate::ops::idempotency::key;
use crate::ops::permission::require;
use crate::ops::submission::{Submission, nothing_is_taken, submit};
use crate::ops::{Ctx, OpError, overtaken};
use crate::store;
use crate::store::areas::Area;
use crate::views::records::{AreaRow, AreasView};
use serde::Serialize;

const NOUN: &str = "area";

/// All areas, as staff see them.
///
/// # Errors
/// `Forbidden`.
pub async fn areas(ctx: &Ctx, actor: &Actor) -> Result<AreasView, OpError> {
    let db = ctx.store.read();
    require(db, actor, Role::Staff).await?;
    let equipment = store::equipment_list::equipment_by_area(db).await?;
    let names = names(db).await?;
    let row = |area: Area| AreaRow {
        channel_shown: show(&names, &area.slack_channel),
        equipment: equipment.get(&area.id).copied().unwrap_or(0),
        id: area.id,
        name: area.name,
        slack_channel: area.slack_channel,
        sort_order: area.sort_order,
        archived: area.archived,
        version: area.version,
    };
    let (archived, live) = store::areas::all(db).await?.into_iter().map(row).partition(|area| area.archived);
    Ok(AreasView { live, archived })
}

/// # Errors
/// `Forbidden`; refused on `name` when a live area has it.
pub async fn create_area(
    ctx: &Ctx,
    actor: &Actor,
    new: &AreaDetails,
    request_id: &RequestId,
) -> Result<AreaId, OpError> {
    let run = |mut submission: Submission| async move {
        require(&submission.tx, actor, Role::Staff).await?;
        let id = store::areas::add(&submission.tx, new, submission.now).await?;
        submission.record_visible([AuditRecord::made("area.created", NOUN, id.0, new)?]);
        submission.answer(id)
    };
    submit(ctx, actor, key("area.create", actor, request_id, new)?, || taken(&new.name), run).await
}

/// Replaces the details of an area that the person saw at `version`.
///
/// # Errors
/// `Forbidden`, `NotFound`, `Overtaken`; refused on `name` when a live area has it.
pub async fn edit_area(
    ctx: &Ctx,
    actor: &Actor,
    (id, version): (AreaId, i64),
    new: &AreaDetails,
    request_id: &RequestId,
) -> Result<AreaId, OpError> {
    let run = |mut submission: Submission| async move {
        let tx = &submission.tx;
        require(tx, actor, Role::Staff).await?;
        let area = store::areas::find(tx, id).await?.ok_or(OpError::NotFound)?;
        let record =
            AuditRecord::changed("area.edited", NOUN, id.0, (&kept(&area), &AuditValues::from(new)))?;
        if record.is_some() && !store::areas::replace(tx, &area, version, new, submission.now).await? {
            return Err(overtaken(tx, NOUN, id.0).await?);
        }
        submission.record_visible(record);
        submission.answer(id)
    };
    submit(ctx, actor, key("area.edit", actor, request_id, &(id, new))?, || taken(&new.name), run).await
}

/// Archives an area, or restores it. Its machines stay unchanged, but machines of an archived area appear on no
/// board.
///
/// # Errors
/// `Forbidden`, `NotFound`, `Overtaken`; refused on `name` when a live area has its name.
pub async fn set_area_archived(
    ctx: &Ctx,
    actor: &Actor,
    (id, version): (AreaId, i64),
    archived: bool,
    request_id: &RequestId,
) -> Result<AreaId, OpError> {
    let run = |mut submission: Submission| async move {
        let tx = &submission.tx;
        require(tx, actor, Role::Staff).await?;
        let area = store::areas::find(tx, id).await?.ok_or(OpError::NotFound)?;
        if area.archived == archived {
            return submission.answer(id);
        }
        if !store::areas::set_archived(tx, &area, version, archived, submission.now).await? {
            return Err(overtaken(tx, NOUN, id.0).await?);
        }
        let action = if archived { "area.archived" } else { "area.restored" };
        let record = AuditRecord::made(action, NOUN, id.0, &kept(&area))?;
        submission.record_visible([record]);
        submission.answer(id)
    };
    let taken = || {
        let message = "An active area already has this name. Rename one of them first.";
        if archived { nothing_is_taken() } else { OpError::refused("name", message) }
    };
    submit(ctx, actor, key("area.archive", actor, request_id, &(id, archived))?, taken, run).await
}

fn taken(name: &AreaName) -> OpError {
    OpError::refused("name", format!("There is an area “{name}” already. Please choose another name."))
}

/// The audited values of an area: imported rows may have values that no form accepts.
#[derive(Serialize)]
struct AuditValues<'a> {
    name: &'a str,
    slack_channel: &'a str,
    sort_order: i64,
}

impl<'a> From<&'a AreaDetails> for AuditValues<'a> {
    fn from(details: &'a AreaDetails) -> Self {
        Self {
            name: details.name.as_str(),
            slack_channel: details.slack_channel.as_ref().map_or("", ChannelRef::as_str),
            sort_order: details.sort_order,
        }
    }
}

fn kept(area: &Area) -> AuditValues<'_> {
    AuditValues { name: &area.name, slack_channel: &area.slack_channel, sort_order: area.sort_order }
}
