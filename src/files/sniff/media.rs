//! Pictures and videos in containers, identified by their brands and types.

use crate::domain::file::FileKind;

/// Brands of HEIC: pictures coded as HEVC. `mif1` alone may be another coding, such as AVIF.
const HEIC: [&[u8]; 8] = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"];
/// Brands of AVIF, still and moving.
const AVIF: [&[u8]; 2] = [b"avif", b"avis"];
/// Brands of MP4.
const MP4: [&[u8]; 10] =
    [b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"dash"];
/// Brands of audio files.
const SOUND: [&[u8]; 2] = [b"M4A ", b"M4B "];
/// First box of QuickTime files without a brand.
const QUICKTIME: [&[u8]; 4] = [b"moov", b"mdat", b"wide", b"pnot"];

pub(super) fn kind(head: &[u8]) -> Option<FileKind> {
    match (head.get(..4)?, head.get(4..8)?) {
        (b"RIFF", _) => match head.get(8..12)? {
            b"WEBP" => Some(FileKind::Webp),
            b"AVI " => Some(FileKind::Avi),
            _ => None,
        },
        (b"\x1a\x45\xdf\xa3", _) => is_webm(head).then_some(FileKind::Webm),
        (_, b"ftyp") => of_brand(head),
        // Distinguishes it from text: a length has a zero byte, unless the film is longer than 16 MB.
        (length, kind) if QUICKTIME.contains(&kind) && (length[0] == 0 || length[3] < b' ') => {
            Some(FileKind::Mov)
        }
        _ => None,
    }
}

fn of_brand(head: &[u8]) -> Option<FileKind> {
    let length = usize::try_from(u32::from_be_bytes(head.get(..4)?.try_into().ok()?)).ok()?;
    let major = head.get(8..12)?;
    let others = head.get(16..length.min(head.len())).unwrap_or_default();
    let mut brands = std::iter::once(major).chain(others.chunks_exact(4));
    match major {
        b"qt  " => return Some(FileKind::Mov),
        sound if SOUND.contains(&sound) => return None,
        _ => {}
    }
    if brands.clone().any(|brand| HEIC.contains(&brand)) {
        return Some(FileKind::Heic);
    }
    if brands.clone().any(|brand| AVIF.contains(&brand)) {
        return Some(FileKind::Avif);
    }
    brands.any(|brand| MP4.contains(&brand)).then_some(FileKind::Mp4)
}

/// Matroska's header says whether the file is WebM (element 0x4282, "DocType").
fn is_webm(head: &[u8]) -> bool {
    let head = head.get(..head.len().min(64)).unwrap_or_default();
    head.windows(7).any(|window| window == b"\x42\x82\x84webm")
}
