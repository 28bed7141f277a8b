//! The mutation log: every change as one flat JSON line, for alerts. The line is written after the commit,
//! regardless of the log format and filter (see `crate::logging`).

use crate::domain::actor::Actor;
use crate::domain::change::AuditRecord;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

/// `tracing` target of these lines.
pub const TARGET: &str = "esb.mutations";

/// Writes one line per record.
pub fn changes(records: &[AuditRecord], actor: &Actor, now: DateTime<Utc>) {
    for record in records {
        let data = json!({ "id": record.noun_id, "old": record.old, "new": record.new });
        write(record.action, &actor.name, &data, now);
    }
}

pub fn write(event: &str, user: &str, data: &Value, now: DateTime<Utc>) {
    let timestamp = now.to_rfc3339_opts(SecondsFormat::Millis, true);
    let line = json!({ "timestamp": timestamp, "event": event, "user": user, "data": data });
    tracing::info!(target: TARGET, line = %line);
}
