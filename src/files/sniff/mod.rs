//! File types by content. The name counts only if the content leaves a choice (a text may be a table). A file whose
//! name claims another kind is refused, except among pictures and among videos, which cameras and messengers often
//! name wrongly.
//!
//! The crate `infer` is not used: it matches signatures only. ESB also has to read the directories of office files
//! (kind, macros), the brands of ISO media (HEIC, AVIF, MOV, MP4), and to tell text from binary data.

mod media;
mod ole;
mod zip;

use crate::domain::file::{Accepts, FileGroup, FileKind, FileName, FileRefusal};
use std::io::{self, Read, Seek, SeekFrom};

/// First bytes that are looked at.
pub(super) const HEAD: usize = 4096;

/// What the first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// A kind, for sure.
    Is(FileKind),
    /// An office file of before 2007: which one, its directory tells.
    Ole,
    /// An archive: its directory tells whether it is an office file.
    Zip,
    /// Nothing but text.
    Text,
    /// None of ours.
    Unknown,
}

impl Family {
    pub(super) const fn kind(self) -> Option<FileKind> {
        if let Self::Is(kind) = self { Some(kind) } else { None }
    }
}

/// What the first bytes tell; a whole file of fewer bytes than [`HEAD`], or as many.
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

/// True for what a text editor shows: no control characters but those of lines and pages.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | b' '..=0x7e | 0x80..))
}

/// What a whole file is; `None` for what is none of ours.
///
/// # Errors
/// The disk's.
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

/// A text is what its name says, as long as that is a text; a page or a script is not taken for one.
fn text_kind(name: &FileName) -> Option<FileKind> {
    match name.ending().as_deref() {
        None | Some("txt") => Some(FileKind::Txt),
        Some("csv") => Some(FileKind::Csv),
        Some(_) => None,
    }
}

/// Lets a kind pass, where it is taken and the name does not claim another.
///
/// # Errors
/// Why it does not pass.
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

/// The no to a content: because of its name, where that claims something that would be taken.
pub(super) fn no(accepts: Accepts, name: &FileName, kind: Option<FileKind>) -> FileRefusal {
    let claimed = name.ending().and_then(|ending| Some((FileKind::of_ending(&ending)?, ending)));
    match claimed {
        Some((claimed, ending)) if accepts.takes(claimed) && kind != Some(claimed) => {
            FileRefusal::Mislabelled { ending, kind }
        }
        _ => FileRefusal::NotTaken(accepts),
    }
}

/// Reads exactly so many bytes at a place; `None` where the file ends before.
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
