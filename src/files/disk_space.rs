//! Checks whether the upload disk has room: a reserve stays free, so that the database can still write.

use crate::domain::file::DiskReserve;
use std::fs::File;
use std::io;

/// # Errors
/// `StorageFull` if less than the reserve is free.
pub(super) fn check(file: &File, reserve: DiskReserve) -> io::Result<()> {
    let disk = rustix::fs::fstatvfs(file)?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    if reserve.is_free(bytes(disk.f_bavail), bytes(disk.f_blocks)) {
        Ok(())
    } else {
        Err(io::ErrorKind::StorageFull.into())
    }
}
