//! Generated pictures: with metadata, rotated, animated, damaged, too large.

use super::*;
use image::codecs::webp::WebPEncoder;
use image::{Rgba, RgbaImage};
use std::io::Read;
use std::sync::{Arc, Weak};
use tempfile::tempdir;

/// Wider than high; red on the left, blue on the right.
fn flag() -> DynamicImage {
    let colour = |x, _| if x < 40 { image::Rgb([200, 10, 10]) } else { image::Rgb([10, 10, 200]) };
    RgbImage::from_fn(80, 20, colour).into()
}

/// Exif with an orientation and a position.
fn exif(orientation: u8) -> Vec<u8> {
    let entry = |tag: u16, value: u32| {
        [&tag.to_le_bytes()[..], &3_u16.to_le_bytes(), &1_u32.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let head = b"II*\0\x08\0\0\0\x01\0".to_vec();
    [&head[..], &entry(0x0112, u32::from(orientation)), &[0, 0, 0, 0], b"GPS 52.520008 13.404954"].concat()
}

fn jpeg(image: &DynamicImage, orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_exif_metadata(exif(orientation)).unwrap();
    image.write_with_encoder(encoder).unwrap();
    bytes
}

fn png(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_exif_metadata(exif(1)).unwrap();
    image.write_with_encoder(encoder).unwrap();
    bytes
}

fn prepared(bytes: &[u8], kind: FileKind) -> Result<(FileKind, Vec<u8>, Vec<u8>), PictureError> {
    let directory = tempdir().unwrap();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let request = Arc::new(());
    let made = prepare(file, kind, directory.path(), &Sender(Arc::downgrade(&request)))?;
    let read = |file: NamedTempFile| {
        let mut bytes = Vec::new();
        file.reopen().unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    };
    Ok((made.kind, read(made.content), read(made.thumbnail)))
}

fn holds(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|part| part == words)
}

#[test]
fn photo_is_rotated_upright_without_location() {
    let before = jpeg(&flag(), 6);
    assert!(holds(&before, b"GPS 52.52"));
    let (kind, content, thumbnail) = prepared(&before, FileKind::Jpeg).unwrap();
    assert_eq!(kind, FileKind::Jpeg);
    for bytes in [content, thumbnail] {
        assert!(!holds(&bytes, b"GPS") && !holds(&bytes, b"Exif"));
        let after = image::load_from_memory(&bytes).unwrap().to_rgb8();
        assert_eq!(after.dimensions(), (20, 80), "turned by a quarter");
        assert!(after.get_pixel(10, 5)[0] > 150 && after.get_pixel(10, 75)[2] > 150, "left became top");
    }
}

#[test]
fn png_and_webp_lose_metadata_too() {
    let clear: DynamicImage = RgbaImage::from_pixel(600, 300, Rgba([9, 9, 9, 0])).into();
    let mut webp = Vec::new();
    let mut encoder = WebPEncoder::new_lossless(&mut webp);
    encoder.set_exif_metadata(exif(1)).unwrap();
    clear.write_with_encoder(encoder).unwrap();
    let mut opaque = Vec::new();
    flag().write_with_encoder(WebPEncoder::new_lossless(&mut opaque)).unwrap();
    for (bytes, kind, becomes) in [
        (png(&clear), FileKind::Png, FileKind::Png),
        (webp, FileKind::Webp, FileKind::Png),
        (opaque, FileKind::Webp, FileKind::Jpeg),
    ] {
        let (now, content, thumbnail) = prepared(&bytes, kind).unwrap();
        assert!(now == becomes && !holds(&content, b"GPS"), "{kind:?}");
        let small = image::load_from_memory(&thumbnail).unwrap();
        assert!(small.width().max(small.height()) <= THUMBNAIL);
        if bytes.len() != content.len() && becomes == FileKind::Png {
            assert_eq!((small.width(), small.height()), (480, 240));
            assert!(small.to_rgb8().get_pixel(0, 0)[0] > 250, "white shows through");
        }
    }
}

#[test]
fn work_ends_when_sender_has_left() {
    let directory = tempdir().unwrap();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&png(&flag())).unwrap();
    let left = prepare(file, FileKind::Png, directory.path(), &Sender(Weak::new()));
    assert!(matches!(left, Err(PictureError::Disk(_))));
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
}

#[test]
fn orientation_is_read_with_and_without_mark() {
    let marked = |orientation| [b"Exif\0\0".as_slice(), &exif(orientation)].concat();
    let webp = |exif: Vec<u8>| {
        let mut bytes = Vec::new();
        let mut encoder = WebPEncoder::new_lossless(&mut bytes);
        encoder.set_exif_metadata(exif).unwrap();
        flag().write_with_encoder(encoder).unwrap();
        bytes
    };
    let png = |exif: Vec<u8>| {
        let mut bytes = Vec::new();
        let mut encoder = PngEncoder::new(&mut bytes);
        encoder.set_exif_metadata(exif).unwrap();
        flag().write_with_encoder(encoder).unwrap();
        bytes
    };
    let twice_marked = |orientation| {
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new(&mut bytes);
        encoder.set_exif_metadata(marked(orientation)).unwrap();
        flag().write_with_encoder(encoder).unwrap();
        bytes
    };
    for (bytes, kind) in [
        (webp(exif(6)), FileKind::Webp),
        (webp(marked(6)), FileKind::Webp),
        (png(exif(6)), FileKind::Png),
        (png(marked(6)), FileKind::Png),
        (jpeg(&flag(), 6), FileKind::Jpeg),
        (twice_marked(6), FileKind::Jpeg),
    ] {
        let (_, content, _) = prepared(&bytes, kind).unwrap();
        let upright = image::load_from_memory(&content).unwrap();
        assert_eq!((upright.width(), upright.height()), (20, 80), "{kind:?}");
        assert!(!holds(&content, b"GPS") && !holds(&content, b"Exif"), "{kind:?}");
    }
}

#[test]
fn truncated_or_foreign_data_is_damaged() {
    let (jpeg, png) = (jpeg(&flag(), 1), png(&flag()));
    for (bytes, kind) in [
        (&jpeg[..jpeg.len() * 2 / 3], FileKind::Jpeg),
        (&jpeg[..jpeg.len() - 2], FileKind::Jpeg),
        (&png[..png.len() / 2], FileKind::Png),
        (b"\xff\xd8\xff\xe0 nothing", FileKind::Jpeg),
        (b"\x89PNG\r\n\x1a\n", FileKind::Png),
        (b"GIF89a", FileKind::Gif),
        (b"RIFF\x10\0\0\0WEBPVP8 ", FileKind::Webp),
    ] {
        assert!(matches!(prepared(bytes, kind), Err(PictureError::Damaged)), "{kind:?}");
    }
}

/// A PNG whose header claims this many pixels.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], content: &[u8]| {
        let named = [&kind[..], content].concat();
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&length[..], &named, &crc(&named).to_be_bytes()].concat()
    };
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &head), &chunk(b"IDAT", &[0; 9]), &chunk(b"IEND", &[])]
        .concat()
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn decompression_bomb_is_refused_by_header() {
    for (width, height) in [(30_000, 30_000), (u32::MAX >> 1, 1), (50_000_001, 1)] {
        let bytes = claiming(width, height);
        assert!(bytes.len() < 100);
        assert!(matches!(prepared(&bytes, FileKind::Png), Err(PictureError::TooManyPixels)), "{width}");
    }
    let mut huge = jpeg(&flag(), 1);
    let head = huge.windows(4).position(|part| part == b"\xff\xc0\0\x11").unwrap() + 5;
    huge[head..head + 4].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    assert!(matches!(prepared(&huge, FileKind::Jpeg), Err(PictureError::TooManyPixels)));
}
