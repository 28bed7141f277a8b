//! Identifies archives that are office files, by the names in their directory. Does not unpack.

use super::{read_at, u16_le, u32_le};
use crate::domain::file::FileKind;
use std::io::{self, Read, Seek, SeekFrom};

/// Longest end of an archive: its record and a comment.
const END_MAX: u64 = 22 + 65_535;
/// Most bytes of a directory that are read. Office files have a few kilobytes.
const DIRECTORY_MAX: usize = 1024 * 1024;
/// Start of an OpenDocument text, after the header of its first file.
const ODT: &[u8] = b"application/vnd.oasis.opendocument.text";

/// `None` for an archive that is not an office file, or that contains macros.
pub(super) fn kind<R: Read + Seek>(file: &mut R) -> io::Result<Option<FileKind>> {
    if is_odt(file)? {
        return Ok(Some(FileKind::Odt));
    }
    let length = file.seek(SeekFrom::End(0))?;
    let tail = usize::try_from(length.min(END_MAX)).unwrap_or_default();
    let Some(end) = read_at(file, length - tail as u64, tail)? else { return Ok(None) };
    let Some(record) = end.windows(4).rposition(|window| window == b"PK\x05\x06") else { return Ok(None) };
    let (Some(size), Some(at)) = (u32_le(&end, record + 12), u32_le(&end, record + 16)) else {
        return Ok(None);
    };
    let size = usize::try_from(size).unwrap_or(usize::MAX).min(DIRECTORY_MAX);
    let Some(directory) = read_at(file, u64::from(at), size)? else { return Ok(None) };
    Ok(of_names(&directory))
}

/// The first file is called `mimetype` and is not compressed.
fn is_odt<R: Read + Seek>(file: &mut R) -> io::Result<bool> {
    let Some(head) = read_at(file, 0, 38 + ODT.len())? else { return Ok(false) };
    let named = u16_le(&head, 26) == Some(8) && head.get(30..38) == Some(b"mimetype");
    let length = u32_le(&head, 22).and_then(|length| usize::try_from(length).ok());
    Ok(named && length == Some(ODT.len()) && head.get(38..) == Some(ODT))
}

fn of_names(directory: &[u8]) -> Option<FileKind> {
    let (mut kind, mut is_office) = (None, false);
    let mut rest = directory;
    while rest.starts_with(b"PK\x01\x02") {
        let lengths = [28, 30, 32].map(|at| u16_le(rest, at).map(usize::from));
        let [Some(name), Some(extra), Some(comment)] = lengths else { break };
        let Some(path) = rest.get(46..46 + name) else { break };
        match path {
            b"[Content_Types].xml" => is_office = true,
            b"word/document.xml" => kind = Some(FileKind::Docx),
            b"xl/workbook.xml" => kind = Some(FileKind::Xlsx),
            b"ppt/presentation.xml" => kind = Some(FileKind::Pptx),
            macros if macros.ends_with(b"vbaProject.bin") => return None,
            _ => {}
        }
        rest = rest.get(46 + name + extra + comment..).unwrap_or_default();
    }
    kind.filter(|_| is_office)
}
