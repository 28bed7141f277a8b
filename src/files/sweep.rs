//! Removes files without a row: leftovers of a killed process, a lost connection or a transaction of unknown outcome.
//! Keeps files whose names are not ours. The worker calls it once a day.

use super::{Files, INCOMING, blocking};
use crate::domain::file::StoredName;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::fs::{self, DirEntry, ReadDir};
use std::io::{self, ErrorKind};
use std::path::PathBuf;

/// How long a file may be there without a row: longer than any upload takes.
const ABANDONED: TimeDelta = TimeDelta::days(1);
/// Files per database query.
const BATCH: usize = 500;
/// Most files that one sweep removes. The next sweep continues.
const REMOVED_MAX: u64 = 100_000;

/// Why a sweep ended early; what was removed until then stays removed.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The directory has files and is not marked with this installation.
    #[error(
        "the directory of uploads belongs to another database, so nothing in it is removed: is DATABASE_URL \
         right? If the files are this installation's, remove .esb-installation from the directory, and each \
         file that nothing names"
    )]
    NotOurs,
    /// The directory cannot be read.
    #[error("the directory of uploads cannot be read")]
    Disk(#[from] io::Error),
    /// The database query for rows failed.
    #[error("the database does not say which uploads are named")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[derive(Default)]
struct Batch {
    /// Incomplete uploads.
    incoming: Vec<PathBuf>,
    /// Files that a row may refer to, each with its thumbnail.
    kept: BTreeMap<StoredName, Vec<PathBuf>>,
}

impl Files {
    /// Removes files older than a day without a row. Returns how many.
    pub async fn sweep(&self) -> Result<u64, SweepError> {
        let (directory, before) = (self.0.directory.clone(), self.0.clock.now() - ABANDONED);
        let listed = blocking(move || fs::read_dir(directory)).await;
        let mut listing = match listed {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            listed => listed?,
        };
        if !self.is_ours().await {
            return Err(SweepError::NotOurs);
        }
        let mut removed = 0;
        loop {
            let (rest, batch) = blocking(move || next_batch(listing, before)).await?;
            let names: Vec<String> = batch.kept.keys().map(ToString::to_string).collect();
            let named = crate::store::photos::named(self.0.store.read(), &names).await;
            let named = named.map_err(|error| SweepError::Database(error.into()))?;
            let orphans = batch.kept.into_iter().filter(|(name, _)| !named.contains(name.as_str()));
            let orphans = orphans.flat_map(|(_, paths)| paths);
            let gone: Vec<PathBuf> = batch.incoming.into_iter().chain(orphans).collect();
            removed += blocking(move || gone.iter().map(remove).sum::<io::Result<u64>>()).await?;
            match rest {
                Some(rest) if removed < REMOVED_MAX => listing = rest,
                _ => return Ok(removed),
            }
        }
    }
}

fn remove(path: &PathBuf) -> io::Result<u64> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        gone => Ok(u64::from(gone.is_ok())),
    }
}

/// The next files that are old enough, and the rest of the directory where there is one.
fn next_batch(mut listing: ReadDir, before: DateTime<Utc>) -> io::Result<(Option<ReadDir>, Batch)> {
    let mut batch = Batch::default();
    while batch.kept.len() + batch.incoming.len() < BATCH {
        let Some(entry) = listing.next() else { return Ok((None, batch)) };
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let stored = StoredName::of_found(name);
        if (stored.is_none() && !name.starts_with(INCOMING)) || !is_older(&entry, before) {
            continue;
        }
        match stored {
            Some(stored) => batch.kept.entry(stored).or_default().push(entry.path()),
            None => batch.incoming.push(entry.path()),
        }
    }
    Ok((Some(listing), batch))
}

/// False for a file that was removed since it was listed.
fn is_older(entry: &DirEntry, before: DateTime<Utc>) -> bool {
    let changed = entry.metadata().and_then(|metadata| metadata.modified());
    changed.is_ok_and(|changed| DateTime::<Utc>::from(changed) < before)
}
