//! Copies the data of the Python system into this installation. Ids stay the same, so printed labels stay right.
//! Values that do not fit are reported. Each page of a table is one transaction. The next run completes an interrupted
//! one: a row that was copied before stays unchanged.

use super::{Ctx, OpError};
use crate::domain::actor::Actor;
use crate::domain::change::AuditRecord;
use crate::store::areas::Area;
use crate::store::equipment::Equipment;
use crate::store::repairs::Repair;
use crate::store::{import as store, settings as stored_settings};
use run::Run;
use serde_json::{Map, Value, json};

pub use crate::store::legacy::Legacy;
pub use files::{LegacyFile, UploadError, Uploads};

mod convert;
mod equipment;
mod files;
mod histories;
mod repairs;
mod run;
mod settings;
mod users;

/// Setting: the id of the last audit entry that was copied. It exists once an import has started.
const AUDIT_COPIED: &str = "legacy_audit";

/// Setting: our user ids by old user ids, as JSON, since names and addresses change.
const USERS_KNOWN: &str = "legacy_users";

/// The counts of a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Its name in the Python system.
    pub table: &'static str,
    /// Rows in the Python system.
    pub there: u64,
    pub copied: u64,
    /// Rows that were copied before or have a counterpart here.
    pub here: u64,
    pub left_out: u64,
}

/// What the import reports as it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// After each page.
    Progress(Tally),
    /// After each table.
    Table(Tally),
    /// A row or value that did not fit or needs attention.
    Finding(&'a str),
}

/// Copies everything; with `dry`, only reports what would be copied. Copies files if `uploads` is given.
///
/// # Errors
/// Refused if the database has equipment that no import has copied.
pub async fn import_legacy(
    ctx: &Ctx,
    actor: &Actor,
    old: &Legacy,
    (dry, uploads): (bool, Option<&dyn Uploads>),
    on_event: &mut (dyn FnMut(Event<'_>) + Send),
) -> Result<(), OpError> {
    begin(ctx, dry).await?;
    for (name, rows) in old.unread().await? {
        on_event(Event::Finding(&format!("{name}: not copied, there is no place for it here ({rows} rows)")));
    }
    let mut run = Run::new(ctx, old, dry, on_event);
    let tallies = [
        users::copy(&mut run).await?,
        equipment::areas(&mut run).await?,
        equipment::equipment(&mut run).await?,
        equipment::links(&mut run).await?,
        equipment::notes(&mut run).await?,
        repairs::copy(&mut run).await?,
        files::copy(&mut run, uploads).await?,
        histories::timeline(&mut run).await?,
        settings::copy(&mut run).await?,
        histories::audit(&mut run).await?,
    ];
    if dry {
        return Ok(());
    }
    let copied: Map<String, Value> =
        tallies.iter().map(|tally| (tally.table.to_owned(), json!(tally.copied))).collect();
    let (action, noun) = ("legacy.imported", "installation");
    let record = AuditRecord { action, noun, noun_id: 0, old: None, new: Some(copied.into()) };
    ctx.commit_recorded(ctx.store.begin().await?, actor, record).await
}

/// Refuses a database with other data. Records that an import has started.
async fn begin(ctx: &Ctx, dry: bool) -> Result<(), OpError> {
    let tx = ctx.store.begin().await?;
    if stored_settings::stored(&tx).await?.get(AUDIT_COPIED).is_some() {
        return Ok(());
    }
    let areas = store::count::<Area>(&tx).await?;
    let equipment = store::count::<Equipment>(&tx).await?;
    let repairs = store::count::<Repair>(&tx).await?;
    if areas + equipment + repairs > 0 {
        let message = format!(
            "This database already has {areas} areas, {equipment} machines and {repairs} repairs of its own. Their \
             numbers would clash with the old ones. Set DATABASE_URL to a new database; it may have users."
        );
        return Err(OpError::refused("database", message));
    }
    if !dry {
        stored_settings::set(&tx, AUDIT_COPIED, "0", ctx.clock.now()).await?;
        tx.commit().await?;
    }
    Ok(())
}
