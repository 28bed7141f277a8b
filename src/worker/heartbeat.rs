//! The heartbeat file. The worker's loop touches it, never a timer: a stuck loop must look stuck.

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
    pub const fn new(path: PathBuf) -> Self {
        Self { path, failing: AtomicBool::new(false) }
    }

    /// Sets the file's time to now and creates a missing file. Logs the first failure in a row; the worker
    /// continues.
    pub fn touch(&self) {
        let file = fs::OpenOptions::new().create(true).append(true).open(&self.path);
        match file.and_then(|file| file.set_modified(SystemTime::now())) {
            Ok(()) => self.failing.store(false, Ordering::Relaxed),
            Err(error) => {
                if !self.failing.swap(true, Ordering::Relaxed) {
                    // The default is in a directory that all users share, so another user may own the file.
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
    fn touch_creates_file_and_updates_its_time() {
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
    fn missing_directory_is_tolerated() {
        let heartbeat = Heartbeat::new("/nonexistent/dir/beat".into());
        heartbeat.touch();
        assert!(heartbeat.failing.load(Ordering::Relaxed));
    }
}
