//! Directories that ESB must be able to write. A start waits until the owner of the data directory is corrected:
//! a program that ended instead would be started again and again by a container's restart policy.

use super::check::{can_hold_database, can_hold_files};
use crate::config::Config;
use crate::worker::Heartbeat;
use rustix::process::{getegid, geteuid};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

const RETRY: Duration = Duration::from_secs(1);

/// Waits while the data directory or the SQLite file belongs to another user or is on a read-only file system.
/// Other errors are left to the code that uses the path.
pub(super) async fn wait_for_data(config: &Config) {
    let heartbeat = Heartbeat::new(config.worker_heartbeat.clone());
    let mut is_logged = false;
    while let Some((path, error)) = unwritable(config) {
        if !is_logged {
            let (path, remedy) = (path.display(), remedy(&path, &error));
            tracing::error!(%path, %error, "the data directory is not writable, waiting until it is: {remedy}");
            is_logged = true;
        }
        // Waiting is not being stuck.
        heartbeat.touch();
        tokio::time::sleep(RETRY).await;
    }
    if is_logged {
        tracing::info!("the data directory is writable");
    }
}

fn unwritable(config: &Config) -> Option<(PathBuf, io::Error)> {
    let generates_key = config.secret_key.is_none() && !config.data_dir.join("secret_key").exists();
    let data = generates_key.then(|| (config.data_dir.clone(), can_hold_files(&config.data_dir)));
    let database = config.database_file().map(|file| {
        let result = can_hold_database(&file);
        (file.parent().unwrap_or(&file).to_owned(), result)
    });
    let tried = data.into_iter().chain(database);
    tried.filter_map(|(path, result)| Some((path, result.err()?))).find(|(_, error)| is_permission(error))
}

fn is_permission(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

/// What to do about a directory that cannot be written: the owner that it needs, and the command.
pub(super) fn remedy(path: &Path, error: &io::Error) -> String {
    let owner = format!("{}:{}", geteuid().as_raw(), getegid().as_raw());
    remedy_for(path, path.exists(), error.kind(), &owner)
}

fn remedy_for(path: &Path, exists: bool, error: ErrorKind, owner: &str) -> String {
    let (user, group) = owner.split_once(':').unwrap_or((owner, owner));
    let path = path.display();
    match error {
        ErrorKind::PermissionDenied if exists => format!(
            "its owner must be {owner}; run: sudo chown -R {owner} {path} (in a container: the directory of the \
             host that is mounted there)"
        ),
        ErrorKind::PermissionDenied => format!(
            "ESB must not create it; run: sudo install -d -o {user} -g {group} {path} (in a container: mount a \
             directory of {owner} there)"
        ),
        ErrorKind::ReadOnlyFilesystem => "mount it writable, or set another path".into(),
        _ => "set another path".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remedy_names_owner_path_and_command() {
        let of = |exists, kind| remedy_for(Path::new("/app/data"), exists, kind, "1000:1001");
        assert!(of(true, ErrorKind::PermissionDenied).contains("run: sudo chown -R 1000:1001 /app/data ("));
        let missing = of(false, ErrorKind::PermissionDenied);
        assert!(missing.contains("run: sudo install -d -o 1000 -g 1001 /app/data ("), "{missing}");
        assert!(!of(true, ErrorKind::ReadOnlyFilesystem).contains("chown"));
    }

    #[test]
    fn only_permissions_are_waited_for() {
        for (kind, is_waited_for) in [
            (ErrorKind::PermissionDenied, true),
            (ErrorKind::ReadOnlyFilesystem, true),
            (ErrorKind::NotADirectory, false),
            (ErrorKind::StorageFull, false),
        ] {
            assert_eq!(is_permission(&kind.into()), is_waited_for, "{kind:?}");
        }
    }
}
