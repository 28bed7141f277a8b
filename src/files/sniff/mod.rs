//! File types by content. The name counts only if the content leaves a choice (a text may be a table). A file whose
//! name claims another kind is refused, except among pictures and among videos, which cameras and messengers often
//! name wrongly.
//!
//! The crate `infer` is not used: it matches signatures only. ESB also has to read the directories of office files
//! (kind, macros) and the brands of ISO media (HEIC, AVIF, MOV, MP4), and to distinguish text from binary data.

mod media;
mod ole;
mod zip;

use crate::domain::file::{Accepts, FileGroup, FileKind, FileName, FileRefusal};
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes read from the start of a file.
pub(super) const HEAD: usize = 4096;

/// What the first bytes show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// The kind is certain.
    Is(FileKind),
    /// An office file from before 2007. Its directory shows which one.
    Ole,
    /// An archive. Its directory shows whether it is an office file.
    Zip,
    /// Only text.
    Text,
    /// Not an accepted kind.
    Unknown,
}

impl Family {
    pub(super) const fn kind(self) -> Option<FileKind> {
        if let Self::Is(kind) = self { Some(kind) } else { None }
    }
}

/// `head` is the first [`HEAD`] bytes, or the whole file if it is shorter.
pub(super) fn family(head: &[u8]) -> Family {
    const SIGNATURES: [(&[u8], Family); 10] = [
        (b"%PDF-", Family::Is(FileKind::Pdf)),
        (b"{\\rtf", Family::Is(FileKind::Rtf)),
        (b"\xff\xd8\xff", Family::Is(FileKind::Jpeg)),
        (b"\x89PNG\r\n\x1a\n", Family::Is(FileKind::Png)),
        (b"GIF87a", Family::Is(FileKind::Gif)),
        (b"GIF89a", Family::Is(FileKind::Gif)),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Family::Ole),
        (b"PK\x03\x04", Family::Zip),
        (b"PK\x05\x06", Family::Unknown),
        (b"MZ", Family::Unknown),
    ];
    if let Some((_, family)) = SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature)) {
        return *family;
    }
    match media::kind(head) {
        Some(kind) => Family::Is(kind),
        None if is_text(head) => Family::Text,
        None => Family::Unknown,
    }
}

/// True for text without control characters, except for line and page breaks.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | b' '..=0x7e | 0x80..))
}

/// The kind of a complete file. `None` if it is not accepted.
pub(super) fn kind<R: Read + Seek>(
    family: Family,
    file: &mut R,
    name: &FileName,
) -> io::Result<Option<FileKind>> {
    file.seek(SeekFrom::Start(0))?;
    match family {
        Family::Is(kind) => Ok(Some(kind)),
        Family::Ole => ole::kind(file),
        Family::Zip => zip::kind(file),
        Family::Text if is_text_throughout(file)? => Ok(text_kind(name)),
        Family::Text | Family::Unknown => Ok(None),
    }
}

fn is_text_throughout(file: &mut impl Read) -> io::Result<bool> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(true),
            read if !is_text(buffer.get(..read).unwrap_or_default()) => return Ok(false),
            _ => {}
        }
    }
}

/// The name decides the kind of a text, if it names a text. Web pages and scripts are not texts.
fn text_kind(name: &FileName) -> Option<FileKind> {
    match name.ending().as_deref() {
        None | Some("txt") => Some(FileKind::Txt),
        Some("csv") => Some(FileKind::Csv),
        Some(_) => None,
    }
}

/// Accepts a kind if `accepts` contains it and the name does not claim another.
pub(super) fn allowed(
    kind: Option<FileKind>,
    accepts: Accepts,
    name: &FileName,
) -> Result<FileKind, FileRefusal> {
    let Some(kind) = kind.filter(|kind| accepts.takes(*kind)) else { return Err(no(accepts, name, kind)) };
    let claimed = name.ending().and_then(|ending| FileKind::of_ending(&ending));
    let alike = |claimed: FileKind| {
        claimed == kind || (kind.group() != FileGroup::Document && claimed.group() == kind.group())
    };
    if claimed.is_none_or(alike) { Ok(kind) } else { Err(no(accepts, name, Some(kind))) }
}

/// The refusal of a file. It names the ending if that claims an accepted kind.
pub(super) fn no(accepts: Accepts, name: &FileName, kind: Option<FileKind>) -> FileRefusal {
    let claimed = name.ending().and_then(|ending| Some((FileKind::of_ending(&ending)?, ending)));
    match claimed {
        Some((claimed, ending)) if accepts.takes(claimed) && kind != Some(claimed) => {
            FileRefusal::Mislabelled { ending, kind }
        }
        _ => FileRefusal::NotTaken(accepts),
    }
}

/// Reads exactly `length` bytes at an offset. `None` if the file ends before.
fn read_at<R: Read + Seek>(file: &mut R, at: u64, length: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; length];
    file.seek(SeekFrom::Start(at))?;
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn u16_le(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests;
