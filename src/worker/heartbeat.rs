//! The file that shows that the worker's loop goes round. Touched by the loop itself, never by a timer:
//! a stuck loop must look stuck.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

/// The heartbeat file (`WORKER_HEARTBEAT_PATH`).
#[derive(Debug)]
pub struct Heartbeat {
    path: PathBuf,
    failing: AtomicBool,
}

impl Heartbeat {
    /// Touches nothing yet.
    pub const fn new(path: PathBuf) -> Self {
        Self { path, failing: AtomicBool::new(false) }
    }

    /// Sets the file's time to now; makes the file where it is missing. The first failure in a row is
    /// logged: a worker without its file still works.
    pub fn touch(&self) {
        let file = fs::OpenOptions::new().create(true).append(true).open(&self.path);
        match file.and_then(|file| file.set_modified(SystemTime::now())) {
            Ok(()) => self.failing.store(false, Ordering::Relaxed),
            Err(error) => {
                if !self.failing.swap(true, Ordering::Relaxed) {
                    // The default is in a directory that all users share, so another one may have made it.
                    tracing::error!(
                        "Failed to update worker heartbeat at {}: {error}: set WORKER_HEARTBEAT_PATH to a file \
                         that only this program's user writes, or remove this one",
                        self.path.display()
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_made_and_its_time_moves() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("beat");
        let heartbeat = Heartbeat::new(path.clone());
        heartbeat.touch();
        fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH)
            .unwrap();
        heartbeat.touch();
        let age = fs::metadata(&path).unwrap().modified().unwrap().elapsed().unwrap();
        assert!(age.as_secs() < 60);
    }

    #[test]
    fn a_missing_directory_is_no_disaster() {
        let heartbeat = Heartbeat::new("/nonexistent/dir/beat".into());
        heartbeat.touch();
        assert!(heartbeat.failing.load(Ordering::Relaxed));
    }
}
