//! Items of a picture file: which ones contain metadata (`iinf`), and their locations (`iloc`).

use super::COUNT_MAX;
use super::boxes::{Place, Reader, boxes, share_bytes};
use std::collections::HashSet;

/// Locations of items in the file.
#[derive(Default)]
pub(super) struct Extents {
    pub(super) metadata: Vec<Place>,
    pub(super) pictures: Vec<Place>,
}

/// Ids of the items with metadata: `Exif`, and `mime`, which contains XMP.
pub(super) fn with_metadata(iinf: &[u8]) -> Option<HashSet<u32>> {
    let mut reader = Reader(iinf);
    let version = reader.number(1)?;
    reader.skip(3)?;
    let count = usize::try_from(reader.number(if version == 0 { 2 } else { 4 })?).ok()?;
    let entries = boxes(reader.0, 0)?;
    if entries.len() != count {
        return None;
    }
    let mut wanted = HashSet::new();
    for entry in entries {
        let mut reader = Reader(entry.content);
        let version = reader.number(1)?;
        reader.skip(3)?;
        let width = match (&entry.kind, version) {
            (b"infe", 2) => 2,
            (b"infe", 3) => 4,
            _ => return None,
        };
        let number = u32::try_from(reader.number(width)?).ok()?;
        reader.skip(2)?;
        // `uri ` items may contain anything, too.
        if matches!(reader.bytes(4)?, b"Exif" | b"mime" | b"uri ") {
            wanted.insert(number);
        }
    }
    Some(wanted)
}

/// The locations of all items; `wanted` are the metadata items, `data` is the box `idat`. All metadata must be found
/// within the file, without a byte that is listed twice, so that at most the whole file is overwritten.
pub(super) fn extents(
    iloc: &[u8],
    wanted: &HashSet<u32>,
    data: Option<Place>,
    length: u64,
) -> Option<Extents> {
    let mut reader = Reader(iloc);
    let version = reader.number(1)?;
    reader.skip(3)?;
    let sizes = reader.number(2)?;
    let size = |shift: u32| usize::try_from((sizes >> shift) & 0xf).ok().filter(|s| matches!(s, 0 | 4 | 8));
    let (offset_size, length_size, base_size) = (size(12)?, size(8)?, size(4)?);
    let index_size = if version == 0 { 0 } else { size(0)? };
    let width = match version {
        0 | 1 => 2,
        2 => 4,
        _ => return None,
    };
    let (mut found, mut extents) = (HashSet::new(), Extents::default());
    let mut allowed = COUNT_MAX;
    for _ in 0..reader.number(width)? {
        let number = u32::try_from(reader.number(width)?).ok()?;
        let method = if version == 0 { 0 } else { reader.number(2)? & 0xf };
        let elsewhere = reader.number(2)? != 0;
        let base = reader.number(base_size)?;
        let is_metadata = wanted.contains(&number);
        let count = usize::try_from(reader.number(2)?).ok()?;
        // Extents may take zero bytes in the box, so their number is checked first.
        allowed = allowed.checked_sub(count.max(1))?;
        for _ in 0..count {
            reader.skip(index_size)?;
            let (offset, size) = (reader.number(offset_size)?, reader.number(length_size)?);
            let offset = base.checked_add(offset)?;
            if !is_metadata {
                // Data within `idat` or another item is never overwritten as a box.
                let is_of_file = method == 0 && !elsewhere;
                extents.pictures.extend(is_of_file.then_some(Place { at: offset, length: size }));
                continue;
            }
            let around = match method {
                _ if elsewhere => return None,
                0 => Place { at: 0, length },
                1 => data?,
                _ => return None,
            };
            extents.metadata.push(around.within(offset, size)?);
        }
        // An item that is listed twice is ambiguous.
        if is_metadata && !found.insert(number) {
            return None;
        }
    }
    let is_certain =
        reader.0.is_empty() && found.len() == wanted.len() && !share_bytes(&mut extents.metadata);
    is_certain.then_some(extents)
}
