//! Marks the upload directory with its installation, so that the sweep of another database, such as an empty one that
//! was configured by mistake, removes nothing. Called before files are stored and swept.

use super::{Files, blocking};
use crate::domain::file::StoredName;
use crate::error_chain::ErrorChain;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Names the installation; other programs and people leave it alone.
const MARK: &str = ".esb-installation";

impl Files {
    /// True if the directory belongs to our database's installation. A directory without uploads is claimed.
    pub(super) async fn is_ours(&self) -> bool {
        match self.0.claimed.get_or_try_init(|| self.claim()).await {
            Ok(ours) => *ours,
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), "owner of the upload directory unknown, will retry");
                false
            }
        }
    }

    async fn claim(&self) -> io::Result<bool> {
        let installation = crate::store::settings::installation(self.0.store.write(), self.0.clock.now());
        let installation = installation.await.map_err(io::Error::other)?;
        let directory = self.0.directory.clone();
        blocking(move || claim(&directory, &installation)).await
    }
}

fn claim(directory: &Path, installation: &str) -> io::Result<bool> {
    let mark = directory.join(MARK);
    match fs::read_to_string(&mark) {
        Ok(there) => return Ok(there.trim() == installation),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    for entry in fs::read_dir(directory)? {
        if entry?.file_name().to_str().is_some_and(|name| StoredName::of_found(name).is_some()) {
            return Ok(false);
        }
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(mark)?;
    file.write_all(installation.as_bytes())?;
    file.sync_all()?;
    Ok(true)
}
