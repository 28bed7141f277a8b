//! Settings: read and changed by staff.

pub mod maintenance;

use crate::domain::actor::{Actor, Role};
use crate::domain::change::AuditRecord;
use crate::domain::setting::{SETTINGS, Setting};
use crate::domain::text::RequestId;
use crate::ops::idempotency::key;
use crate::ops::permission::require;
use crate::ops::submission::{Submission, nothing_is_taken, submit};
use crate::ops::{Ctx, OpError, overtaken};
use crate::store;
use crate::views::records::{SettingValue, SettingsView};
use serde_json::{Map, Value, json};

const NOUN: &str = "settings";
/// The audit treats the settings as one record.
const NOUN_ID: i64 = 0;

/// All current settings; of secret ones only whether they are set.
///
/// # Errors
/// `Forbidden`.
pub async fn settings(ctx: &Ctx, actor: &Actor) -> Result<SettingsView, OpError> {
    let db = ctx.store.read();
    require(db, actor, Role::Staff).await?;
    let stored = store::settings::stored(db).await?;
    let value = |setting: &'static Setting| {
        let value = stored.get(setting.key).unwrap_or_else(|| setting.default());
        SettingValue {
            setting,
            is_set: !value.is_empty(),
            value: if setting.is_secret() { String::new() } else { value.to_owned() },
        }
    };
    Ok(SettingsView { version: stored.version(), values: SETTINGS.iter().map(value).collect() })
}

/// A setting with its new value, as [`Setting::parse`] returned it.
pub type SettingInput = (&'static Setting, String);

/// Sets these settings, which the person saw at `version`.
///
/// # Errors
/// `Forbidden`, `Overtaken`.
pub async fn change_settings(
    ctx: &Ctx,
    actor: &Actor,
    version: i64,
    wanted: &[SettingInput],
    request_id: &RequestId,
) -> Result<(), OpError> {
    let run = |mut submission: Submission| async move {
        let tx = &submission.tx;
        require(tx, actor, Role::Staff).await?;
        let stored = store::settings::stored(tx).await?;
        let (mut old, mut new) = (Map::new(), Map::new());
        for (setting, value) in wanted {
            let before = stored.get(setting.key).unwrap_or_else(|| setting.default());
            if before != value {
                old.insert(setting.key.to_owned(), audit_value(setting, before));
                new.insert(setting.key.to_owned(), audit_value(setting, value));
                store::settings::set(tx, setting.key, value, submission.now).await?;
            }
        }
        if new.is_empty() {
            return submission.answer(());
        }
        if !store::settings::count_on(tx, version, submission.now).await? {
            return Err(overtaken(tx, NOUN, NOUN_ID).await?);
        }
        let (old, new) = (Some(Value::Object(old)), Some(Value::Object(new)));
        // Boards and commands depend on some settings; a new revision makes all readers reload.
        submission.record_visible([AuditRecord {
            action: "settings.changed",
            noun: NOUN,
            noun_id: NOUN_ID,
            old,
            new,
        }]);
        submission.answer(())
    };
    let content: Vec<(&str, &str)> =
        wanted.iter().map(|(setting, value)| (setting.key, value.as_str())).collect();
    submit(ctx, actor, key("settings.change", actor, request_id, &content)?, nothing_is_taken, run).await
}

/// A value for the audit: of a secret only whether it is set.
fn audit_value(setting: &Setting, value: &str) -> Value {
    match (setting.is_secret(), value.is_empty()) {
        (false, _) => json!(value),
        (true, true) => json!("not set"),
        (true, false) => json!("set"),
    }
}
