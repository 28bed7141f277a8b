//! Tables of handmade file heads and whole files.

use super::*;
use crate::domain::file::Accepts::{Documents, Photos, PhotosAndVideos};
use proptest::prelude::*;
use std::io::Cursor;

#[test]
fn file_family_is_detected_from_first_bytes() {
    let is = Family::Is;
    for (head, expected) in [
        (&b"%PDF-1.7\n%\xe2\xe3"[..], is(FileKind::Pdf)),
        (b"{\\rtf1\\ansi", is(FileKind::Rtf)),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", is(FileKind::Jpeg)),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", is(FileKind::Png)),
        (b"GIF89a\x01\0", is(FileKind::Gif)),
        (b"RIFF\x10\0\0\0WEBPVP8 ", is(FileKind::Webp)),
        (b"RIFF\x10\0\0\0AVI LIST", is(FileKind::Avi)),
        (b"RIFF\x10\0\0\0WAVEfmt ", Family::Unknown),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", is(FileKind::Heic)),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", is(FileKind::Heic)),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1miaf", is(FileKind::Avif)),
        (b"\0\0\0\x18ftypavis\0\0\0\0msf1iso8", is(FileKind::Avif)),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", is(FileKind::Avif)),
        (b"\0\0\0\x18ftypisom\0\0\x02\0isommp41", is(FileKind::Mp4)),
        (b"\0\0\0\x18ftypM4A \0\0\0\0isommp42", Family::Unknown),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", is(FileKind::Mov)),
        (b"\0\0\0\x08wide\0\0\0\0mdat", is(FileKind::Mov)),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", is(FileKind::Webm)),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x88matroska", Family::Unknown),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", Family::Ole),
        (b"PK\x03\x04\x14\0", Family::Zip),
        (b"name,area\r\nSaw,Wood\r\n", Family::Text),
        ("Säge\n".as_bytes(), Family::Text),
        (b"S\xe4ge\n", Family::Text),
        (b"MZ\x90\0\x03", Family::Unknown),
        (b"\x7fELF\x02\x01", Family::Unknown),
        (b"a\0b", Family::Unknown),
    ] {
        assert_eq!(family(head), expected, "{:?}", String::from_utf8_lossy(head));
    }
}

fn entry(path: &str) -> Vec<u8> {
    let mut entry = b"PK\x01\x02".to_vec();
    entry.resize(28, 0);
    entry.extend(u16::try_from(path.len()).unwrap().to_le_bytes());
    entry.resize(46, 0);
    entry.extend(path.bytes());
    entry
}

/// An archive with these file names, of which only the directory is valid.
fn archive(paths: &[&str]) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.resize(100, 7);
    let directory: Vec<u8> = paths.iter().flat_map(|path| entry(path)).collect();
    let size = u32::try_from(directory.len()).unwrap();
    let end = [&b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..], &size.to_le_bytes(), &100_u32.to_le_bytes(), b"\0\0"];
    [bytes, directory, end.concat()].concat()
}

fn odt() -> Vec<u8> {
    let text = b"application/vnd.oasis.opendocument.text";
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.resize(22, 0);
    bytes.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
    bytes.extend([8, 0, 0, 0]);
    [&bytes[..], b"mimetype", text, b"PK"].concat()
}

/// An OLE file whose directory is in its second sector and continues in its fourth, which has the stream.
fn ole(stream: &str) -> Vec<u8> {
    let mut bytes = vec![0; 512 * 5];
    bytes[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    bytes[30..32].copy_from_slice(&9_u16.to_le_bytes());
    bytes[48..52].copy_from_slice(&1_u32.to_le_bytes());
    // The sector table is the first sector: 1 is followed by 3, then by the end mark.
    bytes[512 + 4..512 + 8].copy_from_slice(&3_u32.to_le_bytes());
    bytes[512 + 12..512 + 16].copy_from_slice(&0xffff_fffe_u32.to_le_bytes());
    let name: Vec<u8> = stream.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let entry = 512 * 4 + 128;
    bytes[entry..entry + name.len()].copy_from_slice(&name);
    let length = u16::try_from(name.len() + 2).unwrap();
    bytes[entry + 64..entry + 66].copy_from_slice(&length.to_le_bytes());
    bytes
}

fn known(bytes: &[u8], name: &str) -> Option<FileKind> {
    let head = &bytes[..bytes.len().min(HEAD)];
    kind(family(head), &mut Cursor::new(bytes), &FileName::clean(name)).unwrap()
}

#[test]
fn office_files_are_known_by_their_directories() {
    let types = "[Content_Types].xml";
    for (bytes, expected) in [
        (archive(&[types, "word/document.xml"]), Some(FileKind::Docx)),
        (archive(&["xl/workbook.xml", types]), Some(FileKind::Xlsx)),
        (archive(&[types, "ppt/presentation.xml"]), Some(FileKind::Pptx)),
        (archive(&[types, "word/document.xml", "word/vbaProject.bin"]), None),
        (archive(&["word/document.xml"]), None),
        (archive(&["setup.exe"]), None),
        (odt(), Some(FileKind::Odt)),
        (ole("WordDocument"), Some(FileKind::Doc)),
        (ole("Workbook"), Some(FileKind::Xls)),
        (ole("PowerPoint Document"), Some(FileKind::Ppt)),
        (ole("__properties"), None),
    ] {
        assert_eq!(known(&bytes, "x"), expected);
    }
}

#[test]
fn text_type_follows_file_name() {
    for (name, expected) in [
        ("a.txt", Some(FileKind::Txt)),
        ("a.csv", Some(FileKind::Csv)),
        ("README", Some(FileKind::Txt)),
        ("a.html", None),
        ("a.pdf", None),
    ] {
        assert_eq!(known(b"<script>alert(1)</script>", name), expected, "{name}");
    }
    let late = [vec![b'a'; 2 * HEAD], vec![0]].concat();
    assert_eq!(known(&late, "a.txt"), None, "it is no text to its end");
}

#[test]
fn names_that_claim_something_else_are_refused() {
    let named = |name: &str| FileName::clean(name);
    for (kind, accepts, name, passes) in [
        (FileKind::Jpeg, Photos, "saw.jpg", true),
        (FileKind::Jpeg, Photos, "saw.png", true),
        (FileKind::Jpeg, Photos, "saw", true),
        (FileKind::Jpeg, Photos, "saw.pdf", false),
        (FileKind::Mp4, Photos, "saw.mp4", false),
        (FileKind::Mp4, PhotosAndVideos, "saw.mov", true),
        (FileKind::Mp4, PhotosAndVideos, "saw.jpg", false),
        (FileKind::Pdf, Documents, "manual.pdf", true),
        (FileKind::Pdf, Documents, "manual.v2", true),
        (FileKind::Pdf, Documents, "manual.docx", false),
        (FileKind::Png, Documents, "manual.pdf", false),
    ] {
        assert_eq!(allowed(Some(kind), accepts, &named(name)).is_ok(), passes, "{kind:?} {name}");
    }
    let refusal = |accepts, name, kind| no(accepts, &named(name), kind);
    let claims = |ending: &str, kind| FileRefusal::Mislabelled { ending: ending.into(), kind };
    assert_eq!(refusal(Photos, "a.png", None), claims("png", None));
    assert_eq!(refusal(Documents, "a.pdf", Some(FileKind::Png)), claims("pdf", Some(FileKind::Png)));
    assert_eq!(refusal(Photos, "a.exe", None), FileRefusal::NotTaken(Photos));
    assert_eq!(refusal(Photos, "a.mp4", Some(FileKind::Mp4)), FileRefusal::NotTaken(Photos));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in any::<Vec<u8>>(), which in 0..8_usize, at in any::<prop::sample::Index>()) {
        let begun = match which {
            0 => b"PK\x03\x04".to_vec(),
            1 => archive(&["[Content_Types].xml", "word/document.xml"]),
            2 => ole("WordDocument"),
            3 => b"\0\0\0\x18ftyp".to_vec(),
            4 => b"RIFF".to_vec(),
            5 => b"\x1a\x45\xdf\xa3".to_vec(),
            6 => odt(),
            _ => Vec::new(),
        };
        let mut changed = begun.clone();
        if let (false, Some(byte)) = (changed.is_empty(), bytes.first()) {
            let at = at.index(changed.len());
            changed[at] = *byte;
        }
        for bytes in [[begun, bytes].concat(), changed] {
            let _ = known(&bytes, "a.txt");
        }
    }
}
