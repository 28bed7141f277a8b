//! Links of machines: added and removed by staff, and by technicians if a setting permits it.

use crate::domain::actor::Actor;
use crate::domain::change::AuditRecord;
use crate::domain::ids::{EquipmentId, LinkId};
use crate::domain::text::{LinkTitle, LinkUrl, RequestId};
use crate::ops::idempotency::key;
use crate::ops::permission::require_editor;
use crate::ops::submission::{Submission, nothing_is_taken, submit};
use crate::ops::{Ctx, OpError};
use crate::store;
use serde::Serialize;

const NOUN: &str = "link";
/// Most links of a machine: all are on one page.
pub const LINKS_MAX: u64 = 50;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddLink {
    pub equipment: EquipmentId,
    pub title: LinkTitle,
    pub url: LinkUrl,
    #[serde(skip)]
    pub request_id: RequestId,
}

#[derive(Serialize)]
struct AuditValues<'a> {
    equipment: EquipmentId,
    title: &'a str,
    url: &'a str,
}

/// # Errors
/// `Forbidden`, `NotFound`; refused when the machine has [`LINKS_MAX`].
pub async fn add_link(ctx: &Ctx, actor: &Actor, add: &AddLink) -> Result<LinkId, OpError> {
    let run = |mut submission: Submission| async move {
        let tx = &submission.tx;
        require_editor(tx, actor).await?;
        store::equipment::row(tx, add.equipment).await?.ok_or(OpError::NotFound)?;
        if store::equipment_links::count(tx, add.equipment).await? >= LINKS_MAX {
            return Err(OpError::refused("url", "It has too many links. Please remove one first."));
        }
        let link = (&add.title, &add.url);
        let id = store::equipment_links::add(tx, add.equipment, link, submission.now).await?;
        let kept = AuditValues { equipment: add.equipment, title: add.title.as_str(), url: add.url.as_str() };
        submission.record([AuditRecord::made("link.added", NOUN, id.0, &kept)?]);
        submission.answer(id)
    };
    submit(ctx, actor, key("link.add", actor, &add.request_id, add)?, nothing_is_taken, run).await
}

/// # Errors
/// `Forbidden`; `NotFound`, also when it is another machine's.
pub async fn remove_link(
    ctx: &Ctx,
    actor: &Actor,
    (equipment, id): (EquipmentId, LinkId),
    request_id: &RequestId,
) -> Result<LinkId, OpError> {
    let run = |mut submission: Submission| async move {
        let tx = &submission.tx;
        require_editor(tx, actor).await?;
        let link = store::equipment_links::find(tx, id).await?.ok_or(OpError::NotFound)?;
        if link.equipment_id != equipment || !store::equipment_links::remove(tx, id).await? {
            return Err(OpError::NotFound);
        }
        let kept = AuditValues { equipment, title: &link.title, url: &link.url };
        submission.record([AuditRecord::removed("link.removed", NOUN, id.0, &kept)?]);
        submission.answer(id)
    };
    submit(ctx, actor, key("link.remove", actor, request_id, &(equipment, id))?, nothing_is_taken, run).await
}
