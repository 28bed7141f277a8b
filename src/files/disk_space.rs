//! Whether the disk of the uploads has room: part of it is left free, so that the database can still write.

use crate::domain::file::DiskReserve;
use std::fs::File;
use std::io;

/// Checks the disk of that file.
///
/// # Errors
/// `StorageFull` when less is free than the reserve; the disk's.
pub(super) fn check(file: &File, reserve: DiskReserve) -> io::Result<()> {
    let disk = rustix::fs::fstatvfs(file)?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    if reserve.is_free(bytes(disk.f_bavail), bytes(disk.f_blocks)) {
        Ok(())
    } else {
        Err(io::ErrorKind::StorageFull.into())
    }
}
