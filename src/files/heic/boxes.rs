//! Parses and overwrites boxes of ISO media files.

use super::COUNT_MAX;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// A part of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: u64,
    pub(super) length: u64,
}

impl Place {
    const fn end(self) -> u64 {
        self.at.saturating_add(self.length)
    }

    /// A part of this part; none of no length, which would mean "to the end".
    pub(super) fn within(self, offset: u64, length: u64) -> Option<Self> {
        let end = offset.checked_add(length)?;
        (length > 0 && end <= self.length).then(|| Self { at: self.at + offset, length })
    }
}

/// True if a part of one list shares bytes with a part of the other. Parts of the same list may overlap. Sorts instead
/// of comparing all pairs, since a file may have thousands.
pub(super) fn any_overlap(mut some: Vec<Place>, mut others: Vec<Place>) -> bool {
    some.sort_unstable_by_key(|place| place.at);
    others.sort_unstable_by_key(|place| place.at);
    let (mut some, mut others) = (some.into_iter().peekable(), others.into_iter().peekable());
    while let (Some(one), Some(other)) = (some.peek(), others.peek()) {
        // A part that ends before this one begins also ends before all later ones.
        if one.end() <= other.at {
            some.next();
        } else if other.end() <= one.at {
            others.next();
        } else {
            return true;
        }
    }
    false
}

/// True if two parts of the list share bytes. Sorts the list.
pub(super) fn share_bytes(places: &mut [Place]) -> bool {
    places.sort_unstable_by_key(|place| place.at);
    places.windows(2).any(|pair| matches!(pair, [one, next] if one.end() > next.at))
}

/// A range that is overwritten with zeros.
#[derive(Debug)]
pub(super) struct Blank {
    pub(super) place: Place,
    /// Offset of the box type, which becomes `free`; 0 for the content of an item.
    pub(super) kind_at: u64,
}

impl Blank {
    pub(super) const fn of_item(place: Place) -> Self {
        Self { place, kind_at: 0 }
    }

    pub(super) fn apply(&self, file: &mut File) -> io::Result<()> {
        if self.kind_at > 0 {
            file.seek(SeekFrom::Start(self.kind_at))?;
            file.write_all(b"free")?;
        }
        file.seek(SeekFrom::Start(self.place.at))?;
        io::copy(&mut io::repeat(0).take(self.place.length), file).map(drop)
    }
}

/// Type, header length and total length of the box that begins here, of which `there` bytes are available.
pub(super) fn box_head(bytes: &[u8], there: u64) -> Option<([u8; 4], u64, u64)> {
    let kind = bytes.get(4..8)?.try_into().ok()?;
    let (head, whole) = match u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?) {
        0 => (8, there),
        1 => (16, u64::from_be_bytes(bytes.get(8..16)?.try_into().ok()?)),
        whole => (8, u64::from(whole)),
    };
    (head <= whole && whole <= there).then_some((kind, head, whole))
}

/// A box within another.
pub(super) struct FoundBox<'a> {
    pub(super) kind: [u8; 4],
    pub(super) content: &'a [u8],
    /// Offset of the content in the file.
    pub(super) at: u64,
    kind_at: u64,
}

impl FoundBox<'_> {
    pub(super) fn blank(&self) -> Blank {
        Blank { place: Place { at: self.at, length: self.content.len() as u64 }, kind_at: self.kind_at }
    }
}

/// The consecutive boxes at offset `at` of the file.
pub(super) fn boxes(mut bytes: &[u8], mut at: u64) -> Option<Vec<FoundBox<'_>>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (kind, head, whole) = box_head(bytes, bytes.len() as u64)?;
        let (inner, end) = (usize::try_from(head).ok()?, usize::try_from(whole).ok()?);
        found.push(FoundBox { kind, content: bytes.get(inner..end)?, at: at + head, kind_at: at + 4 });
        if found.len() > COUNT_MAX {
            return None;
        }
        bytes = bytes.get(end..)?;
        at += whole;
    }
    Some(found)
}

/// Reads numbers from front to back.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (read, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(read)
    }

    pub(super) fn skip(&mut self, count: usize) -> Option<()> {
        self.bytes(count).map(drop)
    }

    /// A big-endian number of that many bytes. Zero bytes give 0.
    pub(super) fn number(&mut self, width: usize) -> Option<u64> {
        Some(self.bytes(width)?.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }
}
