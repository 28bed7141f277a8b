//! Handmade HEICs with metadata in all places, and malformed ones.

use super::*;
use proptest::prelude::*;

fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap();
    [&length.to_be_bytes()[..], kind, content].concat()
}

fn item(number: u16, kind: &[u8; 4]) -> Vec<u8> {
    boxed(b"infe", &[&[2, 0, 0, 0][..], &number.to_be_bytes(), &[0, 0], kind, b"\0"].concat())
}

/// Item id, method (0 the file, 1 `idat`), offset, length.
type Located = (u16, u16, u32, u32);

fn iloc(located: &[Located]) -> Vec<u8> {
    let mut content = vec![1, 0, 0, 0, 0x44, 0x00];
    content.extend(u16::try_from(located.len()).unwrap().to_be_bytes());
    for (number, method, at, length) in located {
        content.extend([number.to_be_bytes(), method.to_be_bytes(), [0, 0], [0, 1]].concat());
        content.extend([at.to_be_bytes(), length.to_be_bytes()].concat());
    }
    boxed(b"iloc", &content)
}

fn meta(items: &[Vec<u8>], located: &[Located], more: &[u8]) -> Vec<u8> {
    let hdlr = boxed(b"hdlr", b"\0\0\0\0\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let count = u16::try_from(items.len()).unwrap().to_be_bytes();
    let iinf = boxed(b"iinf", &[&[0, 0, 0, 0][..], &count, &items.concat()].concat());
    boxed(b"meta", &[&[0, 0, 0, 0][..], &hdlr, &iinf, &iloc(located), more].concat())
}

const EXIF: &[u8] = b"\0\0\0\x06Exif\0\0MM\0*GPS 52.5 13.4";
const XMP: &[u8] = b"<x:xmpmeta>place</x:xmpmeta>";

/// A HEIC with a picture and two metadata items, and the offset of `mdat`'s content.
fn heic() -> Vec<u8> {
    let ftyp = boxed(b"ftyp", b"heic\0\0\0\0mif1heic");
    let items = [item(1, b"hvc1"), item(2, b"Exif"), item(3, b"mime")];
    let lengths = [7, EXIF.len() as u32, XMP.len() as u32];
    let made = |from: u32| {
        let located = [(1, 0, from, lengths[0]), (2, 0, from + 7, lengths[1]), (3, 1, 0, lengths[2])];
        meta(&items, &located, &boxed(b"idat", XMP))
    };
    let from = ftyp.len() + made(0).len() + 8;
    let mdat = boxed(b"mdat", &[b"picture", EXIF].concat());
    [ftyp, made(from as u32), mdat].concat()
}

fn blanked(bytes: &[u8]) -> Result<Vec<u8>, HeicError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    blank_metadata(&mut file, bytes.len() as u64)?;
    let mut left = Vec::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_end(&mut left).unwrap();
    Ok(left)
}

#[track_caller]
fn odd(bytes: &[u8]) {
    assert!(matches!(blanked(bytes), Err(HeicError::Odd)));
}

#[test]
fn metadata_is_zeroed_and_nothing_else_changes() {
    let before = heic();
    let after = blanked(&before).unwrap();
    assert_eq!(after.len(), before.len());
    for note in [EXIF, XMP] {
        let at = before.windows(note.len()).position(|part| part == note).unwrap();
        assert!(after[at..at + note.len()].iter().all(|byte| *byte == 0));
    }
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    let zeros = [EXIF, XMP].concat().iter().filter(|byte| **byte == 0).count();
    assert_eq!(changed, EXIF.len() + XMP.len() - zeros);
}

#[test]
fn file_without_metadata_is_unchanged() {
    let items = [item(1, b"hvc1")];
    let bytes = [boxed(b"ftyp", b"heic\0\0\0\0"), meta(&items, &[(1, 0, 0, 4)], &[])].concat();
    assert_eq!(blanked(&bytes).unwrap(), bytes);
}

#[test]
fn free_boxes_are_overwritten_too() {
    let bytes = [heic(), boxed(b"free", b"52.5,13.4")].concat();
    assert!(blanked(&bytes).unwrap().ends_with(&boxed(b"free", &[0; 9])));
}

const POSITION: &[u8] = b"+52.5200+013.4049/";

/// A track of that kind, with the position next to it and in it.
fn moov(handler: &[u8; 4], position: &[u8]) -> Vec<u8> {
    let udta = boxed(b"udta", &boxed(b"\xa9xyz", position));
    let hdlr = boxed(b"hdlr", &[&[0; 8][..], handler, &[0; 13]].concat());
    let minf = boxed(b"minf", &boxed(b"stbl", b"samples"));
    let mdia = boxed(b"mdia", &[boxed(b"mdhd", &[0; 24]), hdlr, minf].concat());
    let trak = boxed(b"trak", &[boxed(b"tkhd", &[0; 84]), boxed(b"meta", position), mdia].concat());
    boxed(b"moov", &[boxed(b"mvhd", &[0; 100]), trak, udta].concat())
}

fn count(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).filter(|window| *window == part).count()
}

#[test]
fn samsung_boxes_become_free_zeros() {
    let sefd = [b"\0\0\x01\0MCC_Data262", POSITION].concat();
    let clean = blanked(&heic()).unwrap();
    for kind in [b"sefd", b"mpvd", b"uuid", b"xyz1"] {
        let left = blanked(&[heic(), boxed(kind, &sefd)].concat()).unwrap();
        assert_eq!(left, [clean.clone(), boxed(b"free", &vec![0; sefd.len()])].concat());
    }
    // Inserted before the picture, which moves by its length.
    let ftyp = boxed(b"ftyp", b"heic\0\0\0\0");
    let sefd = boxed(b"sefd", POSITION);
    let mdat = boxed(b"mdat", b"picture");
    let at = u32::try_from(ftyp.len() + sefd.len() + 8).unwrap();
    let meta = meta(&[item(1, b"hvc1")], &[(1, 0, at, 7)], &[]);
    let left = blanked(&[ftyp, sefd, mdat, meta].concat()).unwrap();
    assert!(count(&left, POSITION) == 0 && count(&left, b"picture") == 1);
}

#[test]
fn padding_after_last_box_is_accepted() {
    let clean = blanked(&heic()).unwrap();
    for zeros in [1, 7, 8, 9, 4096, 100_000] {
        let padded = [heic(), vec![0; zeros]].concat();
        assert_eq!(blanked(&padded).unwrap(), [clean.clone(), vec![0; zeros]].concat());
    }
    let hidden = [heic(), vec![0; 20], POSITION.to_vec()].concat();
    assert_eq!(count(&blanked(&hidden).unwrap(), POSITION), 0);
}

#[test]
fn unknown_boxes_of_meta_are_overwritten() {
    let exif = [item(2, b"Exif")];
    let ftyp = boxed(b"ftyp", b"heic\0\0\0\0");
    for kind in [b"xml ", b"bxml", b"uuid", b"udta"] {
        let bytes = [ftyp.clone(), meta(&exif, &[(2, 0, 0, 1)], &boxed(kind, POSITION))].concat();
        let left = blanked(&bytes).unwrap();
        assert!(count(&left, POSITION) == 0 && left.ends_with(&boxed(b"free", &vec![0; POSITION.len()])));
    }
}

#[test]
fn moving_picture_loses_position_only() {
    let avis = |moov: Vec<u8>| [boxed(b"ftyp", b"avis\0\0\0\0"), boxed(b"mdat", b"pictures"), moov].concat();
    for bytes in [avis(moov(b"pict", POSITION)), [heic(), moov(b"vide", POSITION)].concat()] {
        assert_eq!(count(&bytes, POSITION), 2);
        let left = blanked(&bytes).unwrap();
        assert_eq!((count(&left, POSITION), count(&left, b"samples")), (0, 1));
        assert_eq!((count(&left, b"udta"), count(&left, b"free")), (0, 2));
    }
    odd(&avis(moov(b"mett", POSITION)));
}

#[test]
fn malformed_files_are_refused() {
    let ftyp = boxed(b"ftyp", b"heic\0\0\0\0");
    let with = |meta: Vec<u8>| [ftyp.clone(), meta].concat();
    let exif = [item(2, b"Exif")];
    odd(&ftyp);
    odd(&with(meta(&exif, &[], &[])));
    odd(&with(meta(&exif, &[(2, 0, 0, 100_000)], &[])));
    odd(&with(meta(&exif, &[(2, 0, u32::MAX, 1)], &[])));
    odd(&with(meta(&exif, &[(2, 0, 0, 0)], &[])));
    odd(&with(meta(&exif, &[(2, 1, 0, 1)], &[])));
    odd(&with(meta(&exif, &[(2, 2, 0, 1)], &[])));
    odd(&with(meta(&exif, &[(2, 0, 0, 1), (2, 0, 0, 1)], &[])));
    odd(&[heic(), heic()].concat());
    odd(&[heic(), b"trailing".to_vec()].concat());
    odd(&[heic(), moov(b"meta", b""), moov(b"pict", b"")].concat());
    // A picture within a box that would be overwritten.
    let ftyp_and_sefd = [ftyp.clone(), boxed(b"sefd", b"the picture")].concat();
    let at = u32::try_from(ftyp.len() + 8).unwrap();
    odd(&[ftyp_and_sefd, meta(&[item(1, b"hvc1")], &[(1, 0, at, 11)], &[])].concat());
    let whole = heic();
    for length in 0..whole.len() {
        assert!(blanked(&whole[..length]).is_err(), "{length}");
    }
}

/// A HEIC whose Exif has these extents, with `mdat` of that length.
fn with_extents(extents: &[(u32, u32)], data: usize) -> Vec<u8> {
    let mut content = [&b"\x01\0\0\0\x44\0\0\x01\0\x02\0\0\0\0"[..]].concat();
    content.extend(u16::try_from(extents.len()).unwrap().to_be_bytes());
    content.extend(extents.iter().flat_map(|(at, length)| [at.to_be_bytes(), length.to_be_bytes()].concat()));
    let hdlr = boxed(b"hdlr", b"\0\0\0\0\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let iinf = boxed(b"iinf", &[&[0, 0, 0, 0, 0, 1][..], &item(2, b"Exif")].concat());
    let meta = boxed(b"meta", &[&[0; 4][..], &hdlr, &iinf, &boxed(b"iloc", &content)].concat());
    [boxed(b"mdat", &vec![1; data]), meta].concat()
}

#[test]
fn overlapping_notes_are_refused() {
    let zeros = |bytes: Vec<u8>| bytes[8..108].iter().filter(|byte| **byte == 0).count();
    assert_eq!(zeros(blanked(&with_extents(&[(8, 10), (18, 5), (60, 1)], 100)).unwrap()), 16);
    for extents in [[(8, 10), (17, 5)], [(8, 10), (8, 10)], [(20, 2), (8, 100)], [(8, 100), (50, 1)]] {
        odd(&with_extents(&extents, 100));
    }
    // An extent within a box that is overwritten anyway is harmless.
    let bytes = [with_extents(&[(8, 1)], 100), boxed(b"free", b"52.5,13.4")].concat();
    blanked(&bytes).unwrap();
}

#[test]
fn too_many_extents_are_refused_early() {
    let most = u32::try_from(COUNT_MAX).unwrap();
    let extents: Vec<(u32, u32)> = (0..=most).map(|n| (8 + n, 1)).collect();
    assert!(blanked(&with_extents(&extents[1..], COUNT_MAX + 8)).is_ok());
    odd(&with_extents(&extents, COUNT_MAX + 8));
    // Extents without offset and length take no byte of the list.
    let listed = b"\0\x01\0\x01\0\0\xff\xff".repeat(65_000);
    let iloc = boxed(b"iloc", &[&b"\x01\0\0\0\0\0\xfd\xe8"[..], &listed].concat());
    let hdlr = boxed(b"hdlr", b"\0\0\0\0\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let iinf = boxed(b"iinf", &[&[0, 0, 0, 0, 0, 1][..], &item(1, b"hvc1")].concat());
    odd(&boxed(b"meta", &[&[0; 4][..], &hdlr, &iinf, &iloc].concat()));
}

proptest! {
    #[test]
    fn overlaps_are_found_as_by_comparing_each(
        some in prop::collection::vec((0..60_u64, 0..9_u64), 0..9),
        others in prop::collection::vec((0..60_u64, 0..9_u64), 0..9),
    ) {
        let places = |list: Vec<(u64, u64)>| -> Vec<Place> {
            list.into_iter().map(|(at, length)| Place { at, length: length + 1 }).collect()
        };
        let (some, others) = (places(some), places(others));
        let share = |a: &Place, b: &Place| a.at < b.at + b.length && b.at < a.at + a.length;
        let expected = some.iter().any(|one| others.iter().any(|other| share(one, other)));
        prop_assert_eq!(any_overlap(some.clone(), others), expected);
        let within = (1..some.len()).any(|n| some[..n].iter().any(|one| share(one, &some[n])));
        prop_assert_eq!(boxes::share_bytes(&mut some.clone()), within);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_bytes_panic_the_parser(bytes in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let _ = metadata(&bytes, 8, bytes.len() as u64);
        let _ = movie::blanks(&bytes, 8);
        let mut changed = [heic(), moov(b"pict", POSITION)].concat();
        let at = at.index(changed.len());
        changed[at] = byte;
        if let Ok(left) = blanked(&changed) {
            prop_assert_eq!(left.len(), changed.len());
        }
        if let Some(found) = metadata(&bytes, 8, bytes.len() as u64) {
            let overwritten: u64 = found.blanks.iter().map(|blank| blank.place.length).sum();
            prop_assert!(overwritten <= 2 * bytes.len() as u64);
        }
    }
}
