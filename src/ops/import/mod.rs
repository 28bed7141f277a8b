//! Copies what the Python system has into this installation: numbers stay, so that printed labels stay
//! right; whatever does not fit is told. Every page of a table is a transaction of its own, and a run that
//! was cut off is made whole by the next: a row that has its copy is left as it is.

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

mod files;
mod convert;
mod histories;
mod equipment;
mod repairs;
mod run;
mod settings;
mod users;

/// Key under which the settings keep how much of the audit is copied; it is there once an import has begun.
const AUDIT_COPIED: &str = "legacy_audit";

/// Key under which the settings keep which old user is which of ours, as JSON: names and addresses change.
const USERS_KNOWN: &str = "legacy_users";

/// What became of the rows of a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// The table, as the Python system calls it.
    pub table: &'static str,
    /// Its rows there.
    pub there: u64,
    /// Rows copied.
    pub copied: u64,
    /// Rows that have their copy or counterpart from before.
    pub here: u64,
    /// Rows left out.
    pub left_out: u64,
}

/// What is told while the import works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A page is done.
    Progress(Tally),
    /// A table is done.
    Table(Tally),
    /// Something did not fit, or is to be known.
    Odd(&'a str),
}

/// Copies everything, or with `dry` only tells what would become of it; files where `uploads` has them.
/// `tell` hears of it meanwhile.
///
/// # Errors
/// Refused where machines are registered that no import has brought; either database's.
pub async fn import_legacy(
    ctx: &Ctx,
    actor: &Actor,
    old: &Legacy,
    (dry, uploads): (bool, Option<&dyn Uploads>),
    tell: &mut (dyn FnMut(Event<'_>) + Send),
) -> Result<(), OpError> {
    begin(ctx, dry).await?;
    for (what, rows) in old.unread().await? {
        tell(Event::Finding(&format!("{what}: not copied, there is no place for it here ({rows} rows)")));
    }
    let mut run = Run::new(ctx, old, dry, tell);
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

/// Lets the import begin where nothing stands in its way, and keeps in mind that it has.
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
            "There are {areas} areas, {equipment} machines and {repairs} repairs here that no import has \
             brought: their numbers would clash with the old ones. Set DATABASE_URL to a new database. \
             Users may be there."
        );
        return Err(OpError::refused("database", message));
    }
    if !dry {
        stored_settings::set(&tx, AUDIT_COPIED, "0", ctx.clock.now()).await?;
        tx.commit().await?;
    }
    Ok(())
}
