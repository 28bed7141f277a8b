//! Office files from before 2007: a small file system, whose directory contains the main stream ([MS-CFB]).

use super::{read_at, u16_le, u32_le};
use crate::domain::file::FileKind;
use std::io::{self, Read, Seek};

/// Directory sectors that are read. The main stream is among the first.
const SECTORS_MAX: usize = 64;
/// Bytes per directory entry.
const ENTRY: usize = 128;
/// Sectors of the sector table that are listed in the header itself.
const IN_HEADER: usize = 109;
/// Sector numbers above this have special meanings.
const LAST_SECTOR: u32 = 0xffff_fffa;

/// The kind of the file, by the streams in its directory.
pub(super) fn kind<R: Read + Seek>(file: &mut R) -> io::Result<Option<FileKind>> {
    let Some(header) = read_at(file, 0, 512)? else { return Ok(None) };
    let Some(shift) = u16_le(&header, 30).filter(|shift| matches!(shift, 9 | 12)) else { return Ok(None) };
    let size = 1_usize << shift;
    let mut sector = u32_le(&header, 48).unwrap_or(u32::MAX);
    for _ in 0..SECTORS_MAX {
        if sector > LAST_SECTOR {
            break;
        }
        let Some(entries) = read_at(file, place(sector, shift), size)? else { return Ok(None) };
        if let Some(kind) = entries.chunks_exact(ENTRY).find_map(main_stream) {
            return Ok(Some(kind));
        }
        let Some(next) = next_sector(file, &header, sector, shift)? else { return Ok(None) };
        sector = next;
    }
    Ok(None)
}

const fn place(sector: u32, shift: u16) -> u64 {
    (sector as u64 + 1) << shift
}

/// The next sector of the chain.
fn next_sector<R: Read + Seek>(
    file: &mut R,
    header: &[u8],
    sector: u32,
    shift: u16,
) -> io::Result<Option<u32>> {
    let per_sector = 1_u32 << (shift - 2);
    let Ok(table) = usize::try_from(sector / per_sector) else { return Ok(None) };
    if table >= IN_HEADER {
        return Ok(None);
    }
    let Some(table) = u32_le(header, 76 + 4 * table).filter(|table| *table <= LAST_SECTOR) else {
        return Ok(None);
    };
    let at = place(table, shift) + u64::from(sector % per_sector) * 4;
    Ok(read_at(file, at, 4)?.and_then(|bytes| u32_le(&bytes, 0)))
}

/// The kind that a directory entry indicates.
fn main_stream(entry: &[u8]) -> Option<FileKind> {
    // The length includes the terminating zero.
    let length = usize::from(u16_le(entry, 64)?).checked_sub(2)?;
    let name: Vec<u16> = entry.get(..length.min(64))?.chunks_exact(2).filter_map(|c| u16_le(c, 0)).collect();
    match String::from_utf16(&name).ok()?.as_str() {
        "WordDocument" => Some(FileKind::Doc),
        "Workbook" | "Book" => Some(FileKind::Xls),
        "PowerPoint Document" => Some(FileKind::Ppt),
        _ => None,
    }
}
