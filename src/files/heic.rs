//! HEIC and AVIF: stored undecoded, with everything overwritten that may contain the position. Exif and XMP are items
//! of the box `meta`: `iinf` lists the items, `iloc` their locations (ISO/IEC 14496-12, 23008-12). Boxes that are not
//! needed to show the picture may contain anything, such as `sefd` and `mpvd` of Samsung phones, or `uuid`: each
//! becomes a `free` box of zeros. A file is rejected if an item's location is ambiguous, or if metadata items share
//! bytes: no byte is overwritten more than twice.

mod boxes;
mod items;
mod movie;

use boxes::{Blank, Place, any_overlap, box_head, boxes};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Most bytes of the boxes `meta` and `moov`: cameras write a few kilobytes.
const HEAD_MAX_BYTES: u64 = 1024 * 1024;
/// Most top-level boxes, items, and extents of all items together.
const COUNT_MAX: usize = 10_000;
/// Top-level boxes that are kept unchanged.
const KEPT: [&[u8; 4]; 2] = [b"ftyp", b"mdat"];
/// Boxes of `meta` that are kept unchanged.
const KEPT_IN_META: [&[u8; 4]; 10] =
    [b"hdlr", b"dinf", b"pitm", b"iinf", b"iref", b"iprp", b"idat", b"iloc", b"grpl", b"ipro"];

/// Why the metadata was not overwritten.
#[derive(Debug)]
pub(super) enum HeicError {
    /// Not encoded as cameras do.
    Odd,
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

/// Overwrites the camera's metadata in a file of that length.
pub(super) fn blank_metadata(file: &mut File, length: u64) -> Result<(), HeicError> {
    let top = top_level(file, length)?;
    let mut blanks = top.blanks;
    let needed = match &top.meta {
        Some(meta) => {
            let found = metadata(&read(file, *meta)?, meta.at, length).ok_or(HeicError::Odd)?;
            blanks.extend(found.blanks);
            found.needed
        }
        None => Vec::new(),
    };
    if let Some(moov) = &top.moov {
        blanks.extend(movie::blanks(&read(file, *moov)?, moov.at).ok_or(HeicError::Odd)?);
    }
    let shown = top.meta.or(top.moov).is_some();
    if !shown || any_overlap(blanks.iter().map(|blank| blank.place).collect(), needed) {
        return Err(HeicError::Odd);
    }
    for blank in blanks {
        blank.apply(file)?;
    }
    Ok(file.flush()?)
}

/// The top-level boxes of the file.
#[derive(Default)]
struct TopLevel {
    meta: Option<Place>,
    moov: Option<Place>,
    blanks: Vec<Blank>,
}

fn top_level(file: &mut File, length: u64) -> Result<TopLevel, HeicError> {
    let mut top = TopLevel::default();
    let mut at = 0;
    for _ in 0..COUNT_MAX {
        if at == length || is_padding(file, at, length)? {
            return Ok(top);
        }
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 16];
        let head = head.get_mut(..if length - at < 16 { 8 } else { 16 }).ok_or(HeicError::Odd)?;
        file.read_exact(head)?;
        let (kind, inner, whole) = box_head(head, length - at).ok_or(HeicError::Odd)?;
        let content = Place { at: at + inner, length: whole - inner };
        match &kind {
            b"meta" if top.meta.is_none() => top.meta = Some(content),
            b"moov" if top.moov.is_none() => top.moov = Some(content),
            // A second one would be ambiguous.
            b"meta" | b"moov" => return Err(HeicError::Odd),
            kind if KEPT.contains(&kind) => {}
            _ => top.blanks.push(Blank { place: content, kind_at: at + 4 }),
        }
        at += whole;
    }
    Err(HeicError::Odd)
}

/// True if only zeros follow, as some phones write after the last box.
fn is_padding(file: &mut File, at: u64, length: u64) -> io::Result<bool> {
    file.seek(SeekFrom::Start(at))?;
    let mut rest = io::BufReader::new(file.take(length - at)).bytes();
    loop {
        match rest.next() {
            None => return Ok(true),
            Some(Ok(0)) => {}
            Some(Ok(_)) => return Ok(false),
            Some(Err(error)) => return Err(error),
        }
    }
}

fn read(file: &mut File, place: Place) -> Result<Vec<u8>, HeicError> {
    if place.length > HEAD_MAX_BYTES {
        return Err(HeicError::Odd);
    }
    file.seek(SeekFrom::Start(place.at))?;
    let mut bytes = vec![0; usize::try_from(place.length).map_err(|_| HeicError::Odd)?];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The parsed box `meta`.
struct Metadata {
    /// Ranges to overwrite.
    blanks: Vec<Blank>,
    /// Ranges of the picture.
    needed: Vec<Place>,
}

/// Parses the content of `meta`, at offset `at` of a file of that length.
fn metadata(meta: &[u8], at: u64, length: u64) -> Option<Metadata> {
    // Version and flags come first.
    let boxes = boxes(meta.get(4..)?, at + 4)?;
    let only = |wanted: &[u8; 4]| {
        let mut found = boxes.iter().filter(|found| &found.kind == wanted);
        let first = found.next();
        found.next().is_none().then_some(first)
    };
    let mut handler = boxes::Reader(only(b"hdlr")??.content);
    handler.skip(8)?;
    if handler.bytes(4)? != b"pict" {
        return None;
    }
    let wanted = items::with_metadata(only(b"iinf")??.content)?;
    let data = only(b"idat")?.map(|data| Place { at: data.at, length: data.content.len() as u64 });
    let extents = items::extents(only(b"iloc")??.content, &wanted, data, length)?;
    let unknown = boxes.iter().filter(|found| !KEPT_IN_META.contains(&&found.kind));
    let mut blanks: Vec<Blank> = unknown.map(boxes::FoundBox::blank).collect();
    blanks.extend(extents.metadata.into_iter().map(Blank::of_item));
    Some(Metadata { blanks, needed: extents.pictures })
}

#[cfg(test)]
mod tests;
