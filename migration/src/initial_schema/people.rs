//! Accounts, sessions, API tokens, what Slack says about people, settings, and the audit.

use crate::columns::{flag, id, key, optional_string, reference, string, text, time};
use crate::create::foreign_key;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

/// Hexadecimal digits of a token's hash.
const TOKEN_HASH: u32 = 64;

#[expect(clippy::too_many_lines, reason = "one table after the other")]
pub(super) fn tables(backend: DatabaseBackend) -> [TableCreateStatement; 7] {
    let users = Table::create()
        .table("users")
        .col(id())
        .col(string("username", 80))
        .col(key(backend, "username_key").not_null().unique_key())
        .col(string("email", 254))
        .col(key(backend, "email_key").not_null().unique_key())
        .col(string("role", 16))
        .col(flag("active"))
        .col(string("slack_handle", 80))
        .col(optional_string("slack_user_id", 32).unique_key())
        .col(string("password_hash", 255))
        .col(flag("must_change_password"))
        .col(time(backend, "created_at").not_null())
        .col(time(backend, "updated_at").not_null())
        .take();
    let sessions = Table::create()
        .table("sessions")
        .col(string("token_hash", TOKEN_HASH).primary_key())
        .col(reference("user_id").not_null())
        .col(time(backend, "created_at").not_null())
        .col(time(backend, "expires_at").not_null())
        .foreign_key(&mut foreign_key("sessions", "user_id", "users"))
        .take();
    let api_tokens = Table::create()
        .table("api_tokens")
        .col(id())
        .col(string("name", 80))
        .col(string("token_hash", TOKEN_HASH).unique_key())
        .col(reference("created_by").not_null())
        .col(time(backend, "created_at").not_null())
        .col(time(backend, "revoked_at"))
        .foreign_key(&mut foreign_key("api_tokens", "created_by", "users"))
        .take();
    let slack_people = Table::create()
        .table("slack_people")
        .col(string("slack_user_id", 32).primary_key())
        .col(string("name", 200))
        .col(key(backend, "email_key"))
        .col(ColumnDef::new("is_member").boolean())
        .col(time(backend, "asked_at").not_null())
        .take();
    // Pairs that staff unlinked: the shared e-mail address does not link them again.
    let slack_unlinks = Table::create()
        .table("slack_unlinks")
        .col(id())
        .col(reference("user_id").not_null())
        .col(string("slack_user_id", 32))
        .col(time(backend, "created_at").not_null())
        .foreign_key(&mut foreign_key("slack_unlinks", "user_id", "users"))
        .take();
    let settings = Table::create()
        .table("settings")
        .col(string("key", 64).primary_key())
        .col(text(backend, "value").not_null())
        .col(time(backend, "updated_at").not_null())
        .take();
    let audit = Table::create()
        .table("audit")
        .col(id())
        .col(string("action", 64))
        .col(string("noun", 32))
        .col(reference("noun_id").not_null())
        .col(string("edge", 8))
        .col(string("actor_name", 200))
        .col(reference("actor_user_id"))
        .col(text(backend, "old_value"))
        .col(text(backend, "new_value"))
        .col(time(backend, "created_at").not_null())
        .take();
    [users, sessions, api_tokens, slack_people, slack_unlinks, settings, audit]
}
