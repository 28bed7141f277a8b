//! A small disk that can be filled: a file system in memory. Only root can mount it; otherwise the test is
//! skipped with a message, or fails with `ESB_TEST_REQUIRE=all`.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A mounted disk; dropping it unmounts it.
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// A disk of that many megabytes, if this user may mount one.
    pub fn mount(megabytes: u32) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let size = format!("size={megabytes}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(directory.path());
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(directory));
        }
        assert!(std::env::var("ESB_TEST_REQUIRE").as_deref() != Ok("all"), "no disk can be mounted");
        eprintln!("skipped: no disk can be mounted");
        None
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Fills the disk.
    pub fn fill(&self) {
        let mut ballast = File::options().append(true).create(true).open(self.ballast()).unwrap();
        loop {
            match ballast.write_all(&[1; 4096]) {
                Err(error) if error.kind() == ErrorKind::StorageFull => return,
                written => written.unwrap(),
            }
        }
    }

    /// Frees the space again.
    pub fn clear(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
