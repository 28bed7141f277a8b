//! HEIC: kept as it is, since nothing here decodes it, with the camera's notes (Exif and XMP, which hold
//! the place) overwritten where they stand. They are items of the box `meta`: `iinf` says which items there
//! are, `iloc` where (ISO/IEC 14496-12, 23008-12). Whatever is not as cameras write it is refused: a note
//! that is not found for sure may be there.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Most bytes of the box `meta`: cameras write some kilobytes.
const META_MAX: u64 = 1024 * 1024;
/// Most boxes of the file, items of it, and places of notes.
const COUNT_MAX: usize = 10_000;
/// Boxes of the file beside `meta`; those that may hold anything are overwritten.
const TOP: [&[u8; 4]; 2] = [b"ftyp", b"mdat"];
/// Boxes that nobody reads.
const EMPTY: [&[u8; 4]; 3] = [b"free", b"skip", b"wide"];
/// Boxes of `meta` that hold no notes.
const WITHIN_META: [&[u8; 4]; 10] =
    [b"hdlr", b"dinf", b"pitm", b"iinf", b"iref", b"iprp", b"idat", b"iloc", b"grpl", b"ipro"];

/// Why the notes were not overwritten.
#[derive(Debug)]
pub(super) enum HeicError {
    /// It is not written as cameras do.
    Odd,
    /// The disk's.
    Disk(io::Error),
}

impl From<io::Error> for HeicError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Odd,
            _ => Self::Disk(error),
        }
    }
}

/// A part of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    at: u64,
    length: u64,
}

/// Overwrites the camera's notes in a file of that length.
pub(super) fn blank_metadata(file: &mut File, length: u64) -> Result<(), HeicError> {
    let mut blank = Vec::new();
    let mut meta = None;
    let mut at = 0;
    for _ in 0..COUNT_MAX {
        if at == length {
            break;
        }
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 16];
        let head = head.get_mut(..if length - at < 16 { 8 } else { 16 }).ok_or(HeicError::Odd)?;
        file.read_exact(head)?;
        let (kind, inner, whole) = box_head(head, length - at).ok_or(HeicError::Odd)?;
        let content = Place { at: at + inner, length: whole - inner };
        match &kind {
            b"meta" if meta.is_none() => meta = Some(content),
            kind if EMPTY.contains(&kind) => blank.push(content),
            kind if TOP.contains(&kind) => {}
            _ => return Err(HeicError::Odd),
        }
        at += whole;
    }
    let meta = meta.filter(|meta| at == length && meta.length <= META_MAX).ok_or(HeicError::Odd)?;
    file.seek(SeekFrom::Start(meta.at))?;
    let mut bytes = vec![0; usize::try_from(meta.length).map_err(|_| HeicError::Odd)?];
    file.read_exact(&mut bytes)?;
    let notes = notes(&bytes, meta.at, length).ok_or(HeicError::Odd)?;
    for place in blank.into_iter().chain(notes) {
        file.seek(SeekFrom::Start(place.at))?;
        io::copy(&mut io::repeat(0).take(place.length), file)?;
    }
    Ok(file.flush()?)
}

/// Type, length of the head, and length of all, of a box that begins here and of which so much is there.
fn box_head(bytes: &[u8], there: u64) -> Option<([u8; 4], u64, u64)> {
    let kind = bytes.get(4..8)?.try_into().ok()?;
    let (head, whole) = match u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?) {
        0 => (8, there),
        1 => (16, u64::from_be_bytes(bytes.get(8..16)?.try_into().ok()?)),
        whole => (8, u64::from(whole)),
    };
    (head <= whole && whole <= there).then_some((kind, head, whole))
}

/// Where the notes stand that the content of `meta` tells of, which itself stands at `at`.
fn notes(meta: &[u8], at: u64, length: u64) -> Option<Vec<Place>> {
    // Version and flags come first.
    let boxes = boxes(meta.get(4..)?, at + 4)?;
    let only = |wanted: &[u8; 4]| {
        let mut found = boxes.iter().filter(|found| &found.kind == wanted);
        let first = found.next();
        found.next().is_none().then_some(first)
    };
    if boxes.iter().any(|found| !WITHIN_META.contains(&&found.kind) && !EMPTY.contains(&&found.kind)) {
        return None;
    }
    let mut handler = Reader(only(b"hdlr")??.content);
    handler.skip(8)?;
    if handler.bytes(4)? != b"pict" {
        return None;
    }
    let wanted = items_with_notes(only(b"iinf")??.content)?;
    let data = only(b"idat")?.map(|data| Place { at: data.at, length: data.content.len() as u64 });
    let mut places = places(only(b"iloc")??.content, &wanted, data, length)?;
    let empty = boxes.iter().filter(|found| EMPTY.contains(&&found.kind));
    places.extend(empty.map(|found| Place { at: found.at, length: found.content.len() as u64 }));
    Some(places)
}

/// A box within another.
struct Found<'a> {
    kind: [u8; 4],
    content: &'a [u8],
    /// Where the content stands in the file.
    at: u64,
}

fn boxes(mut bytes: &[u8], mut at: u64) -> Option<Vec<Found<'_>>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (kind, head, whole) = box_head(bytes, bytes.len() as u64)?;
        let (inner, end) = (usize::try_from(head).ok()?, usize::try_from(whole).ok()?);
        found.push(Found { kind, content: bytes.get(inner..end)?, at: at + head });
        if found.len() > COUNT_MAX {
            return None;
        }
        bytes = bytes.get(end..)?;
        at += whole;
    }
    Some(found)
}

/// Numbers of the items that hold notes: `Exif`, and `mime`, as which XMP is written.
fn items_with_notes(iinf: &[u8]) -> Option<Vec<u32>> {
    let mut reader = Reader(iinf);
    let version = reader.number(1)?;
    reader.skip(3)?;
    let count = usize::try_from(reader.number(if version == 0 { 2 } else { 4 })?).ok()?;
    let entries = boxes(reader.0, 0)?;
    if entries.len() != count {
        return None;
    }
    let mut wanted = Vec::new();
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
        // `uri ` items may hold anything as well.
        if matches!(reader.bytes(4)?, b"Exif" | b"mime" | b"uri ") {
            wanted.push(number);
        }
    }
    Some(wanted)
}

/// Where these items stand; `data` is the box `idat`. Every one must be found, within the file.
fn places(iloc: &[u8], wanted: &[u32], data: Option<Place>, length: u64) -> Option<Vec<Place>> {
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
    let (mut found, mut places) = (Vec::new(), Vec::new());
    for _ in 0..reader.number(width)? {
        let number = u32::try_from(reader.number(width)?).ok()?;
        let method = if version == 0 { 0 } else { reader.number(2)? & 0xf };
        let elsewhere = reader.number(2)? != 0;
        let base = reader.number(base_size)?;
        let is_wanted = wanted.contains(&number);
        for _ in 0..reader.number(2)? {
            reader.skip(index_size)?;
            let (offset, size) = (reader.number(offset_size)?, reader.number(length_size)?);
            if is_wanted {
                let around = match method {
                    _ if elsewhere => return None,
                    0 => Place { at: 0, length },
                    1 => data?,
                    _ => return None,
                };
                places.push(within(around, base.checked_add(offset)?, size)?);
            }
        }
        if is_wanted {
            found.push(number);
        }
        if places.len() > COUNT_MAX || found.len() > wanted.len() {
            return None;
        }
    }
    let all = reader.0.is_empty() && wanted.iter().all(|number| found.contains(number));
    all.then_some(places)
}

/// A part of a part; none of no length, which would mean "to the end".
fn within(around: Place, offset: u64, length: u64) -> Option<Place> {
    let end = offset.checked_add(length)?;
    (length > 0 && end <= around.length).then(|| Place { at: around.at + offset, length })
}

/// Reads numbers from front to back.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (read, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(read)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.bytes(count).map(drop)
    }

    /// A number of so many bytes, the first the greatest; of none it is zero.
    fn number(&mut self, width: usize) -> Option<u64> {
        Some(self.bytes(width)?.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }
}

#[cfg(test)]
mod tests;
