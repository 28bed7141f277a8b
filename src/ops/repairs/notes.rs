//! Notes on a repair: written, edited, deleted. The first text stays in the timeline; an edit replaces it on every
//! page.

use crate::domain::actor::{Actor, Role};
use crate::domain::change::Change;
use crate::domain::ids::{RepairId, TimelineId};
use crate::domain::text::{Note, RequestId};
use crate::ops::idempotency::key;
use crate::ops::permission::require;
use crate::ops::repairs::update_repair::{apply, locked};
use crate::ops::submission::{Submission, SubmissionResult, nothing_is_taken, submit};
use crate::ops::{Ctx, OpError, Refusal};
use crate::store;
use crate::store::timeline::Entry;
use crate::store::users::User;
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

/// A change of a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum WriteNote {
    Add(Note),
    /// A new text for this note.
    Edit(TimelineId, Note),
    /// Hide this note.
    Delete(TimelineId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteWritten {
    pub repair: RepairId,
    /// False when the note already was as requested.
    pub changed: bool,
}

/// Writes, edits or deletes a note of a repair. Only staff change other people's notes. A repeated submission gets
/// the first answer.
///
/// # Errors
/// `Forbidden`; `NotFound`, also when the note is another repair's.
pub async fn write_note(
    ctx: &Ctx,
    actor: &Actor,
    repair: RepairId,
    write: WriteNote,
    request: &RequestId,
) -> Result<NoteWritten, OpError> {
    let key = key("repair_note.write", actor, request, &(repair, &write))?;
    submit(ctx, actor, key, nothing_is_taken, |submission| change(ctx, actor, repair, &write, submission))
        .await
}

async fn change(
    ctx: &Ctx,
    actor: &Actor,
    id: RepairId,
    write: &WriteNote,
    mut submission: Submission,
) -> SubmissionResult<NoteWritten> {
    let (tx, now) = (&submission.tx, submission.now);
    let user = require(tx, actor, Role::Technician).await?;
    let (repair, fields) = locked(tx, id).await?;
    let change = match write {
        WriteNote::Add(text) => Some(Change::Note { text: Some(text.clone()), supersedes: None }),
        WriteNote::Edit(note, text) => superseding(tx, id, *note, Some(text.clone()), &user).await?,
        WriteNote::Delete(note) => superseding(tx, id, *note, None, &user).await?,
    };
    let changes = change.into_iter().collect();
    let done = apply(ctx, tx, actor, &repair, &fields, changes, now).await?;
    let answer = NoteWritten { repair: id, changed: done.recorded.is_some() };
    submission.record_repair_details(done.recorded);
    submission.answer(answer)
}

/// The timeline entry that replaces a note; `None` if the text is the same.
async fn superseding(
    db: &impl ConnectionTrait,
    repair: RepairId,
    note: TimelineId,
    text: Option<Note>,
    user: &User,
) -> Result<Option<Change>, OpError> {
    let first: Entry = store::timeline::note(db, repair, note).await?.ok_or(OpError::NotFound)?;
    if first.actor_user_id != Some(user.id) && user.role < Role::Staff {
        return Err(OpError::Forbidden);
    }
    let last = store::timeline::edits(db, &[note]).await?.pop().unwrap_or(first);
    if last.new_value.is_none() && text.is_some() {
        let message = "This note was deleted. Please write a new one.".into();
        return Err(OpError::Refused(Refusal { field: Some("note"), message }));
    }
    let same = last.new_value.as_deref() == text.as_ref().map(Note::as_str);
    Ok((!same).then_some(Change::Note { text, supersedes: Some(note) }))
}
