//! Repairs, their timeline and "me too"s, their cards in Slack and the replies in the cards' threads.

use crate::columns::{count, flag, id, optional_string, reference, string, text, time};
use crate::create::foreign_key;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

#[expect(clippy::too_many_lines, reason = "one table after the other")]
pub(super) fn tables(backend: DatabaseBackend) -> [TableCreateStatement; 5] {
    let repairs = Table::create()
        .table("repairs")
        .col(id())
        .col(reference("equipment_id").not_null())
        .col(text(backend, "description").not_null())
        .col(optional_string("severity", 16))
        .col(string("status", 32))
        // Follows from the status; a separate column so that every database can index it.
        .col(flag("open"))
        .col(string("reporter_name", 200))
        .col(optional_string("reporter_email", 254))
        .col(optional_string("reporter_slack_id", 32))
        .col(reference("assignee_id"))
        .col(ColumnDef::new("eta").date())
        .col(text(backend, "specialist_description").not_null())
        .col(reference("duplicate_of"))
        .col(flag("safety_risk"))
        .col(flag("consumable"))
        .col(count("version"))
        .col(time(backend, "created_at").not_null())
        .col(time(backend, "closed_at"))
        .foreign_key(&mut foreign_key("repairs", "equipment_id", "equipment"))
        .foreign_key(&mut foreign_key("repairs", "assignee_id", "users"))
        .foreign_key(&mut foreign_key("repairs", "duplicate_of", "repairs"))
        .take();
    let timeline = Table::create()
        .table("timeline")
        .col(id())
        .col(reference("repair_id").not_null())
        .col(string("kind", 32))
        .col(string("actor_name", 200))
        .col(reference("actor_user_id"))
        .col(count("version"))
        .col(text(backend, "old_value"))
        .col(text(backend, "new_value"))
        .col(reference("old_user_id"))
        .col(reference("new_user_id"))
        .col(reference("supersedes"))
        .col(time(backend, "created_at").not_null())
        .foreign_key(&mut foreign_key("timeline", "repair_id", "repairs"))
        .take();
    let me_toos = Table::create()
        .table("me_toos")
        .col(id())
        .col(reference("repair_id").not_null())
        .col(string("person_key", 80))
        .col(time(backend, "created_at").not_null())
        .foreign_key(&mut foreign_key("me_toos", "repair_id", "repairs"))
        .take();
    let cards = Table::create()
        .table("cards")
        .col(id())
        .col(reference("repair_id").not_null())
        .col(string("target", 80))
        .col(optional_string("channel", 32))
        .col(optional_string("ts", 32))
        .col(count("desired_version"))
        .col(count("rendered_version"))
        .foreign_key(&mut foreign_key("cards", "repair_id", "repairs"))
        .take();
    let thread_replies = Table::create()
        .table("thread_replies")
        .col(id())
        .col(reference("repair_id").not_null())
        .col(string("channel", 32))
        .col(string("ts", 32))
        .col(string("seen", 32))
        .col(reference("note_id"))
        .foreign_key(&mut foreign_key("thread_replies", "repair_id", "repairs"))
        .take();
    [repairs, timeline, me_toos, cards, thread_replies]
}
