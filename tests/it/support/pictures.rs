//! Generated pictures and documents.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageEncoder, Rgb, RgbImage};
use std::path::Path;

/// The place in the Exif data of [`jpeg`].
pub const PLACE: &[u8] = b"GPS 52.520008 13.404954";

fn picture() -> DynamicImage {
    RgbImage::from_fn(64, 16, |x, y| Rgb([x as u8 * 3, y as u8 * 9, 90])).into()
}

/// A photo with Exif data: encoded as 64 by 16 pixels, to be rotated by 90 degrees.
pub fn jpeg() -> Vec<u8> {
    let head = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new(&mut bytes);
    encoder.set_exif_metadata([&head[..], PLACE].concat()).unwrap();
    picture().write_with_encoder(encoder).unwrap();
    bytes
}

pub fn png() -> Vec<u8> {
    let mut bytes = Vec::new();
    picture().write_with_encoder(PngEncoder::new(&mut bytes)).unwrap();
    bytes
}

/// The parts of a HEIC or AVIF that our code reads, with Exif and a trailing box as Samsung's phones write
/// it.
pub fn heif(brand: &[u8; 4]) -> Vec<u8> {
    let boxed = |kind: &[u8; 4], content: &[u8]| {
        let length = u32::try_from(content.len() + 8).unwrap();
        [&length.to_be_bytes()[..], kind, content].concat()
    };
    let item = |number: u8, kind: &[u8; 4]| {
        boxed(b"infe", &[&[2, 0, 0, 0, 0, number, 0, 0][..], kind, b"\0"].concat())
    };
    let ftyp = boxed(b"ftyp", &[&brand[..], b"\0\0\0\0mif1", brand].concat());
    let mdat = boxed(b"mdat", &[b"picture", PLACE].concat());
    let (at, exif) = (u32::try_from(ftyp.len() + 8).unwrap(), u32::try_from(PLACE.len()).unwrap());
    let located = |number: u8, at: u32, length: u32| {
        [&[0, number, 0, 0, 0, 1][..], &at.to_be_bytes(), &length.to_be_bytes()].concat()
    };
    let iloc = [&b"\0\0\0\0\x44\0\0\x02"[..], &located(1, at, 7), &located(2, at + 7, exif)].concat();
    let iinf = [&b"\0\0\0\0\0\x02"[..], &item(1, b"av01"), &item(2, b"Exif")].concat();
    let hdlr = boxed(b"hdlr", b"\0\0\0\0\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let meta = [&[0; 4][..], &hdlr, &boxed(b"iinf", &iinf), &boxed(b"iloc", &iloc)].concat();
    [ftyp, mdat, boxed(b"meta", &meta), boxed(b"sefd", PLACE), vec![0; 24]].concat()
}

/// The parts of a PDF that our code reads.
pub fn pdf() -> Vec<u8> {
    [&b"%PDF-1.7\n"[..], &[b'x'; 5000], b"\n%%EOF\n"].concat()
}

/// The parts of a video that our code reads.
pub fn mp4(length: usize) -> Vec<u8> {
    let mut bytes = b"\0\0\0\x18ftypisom\0\0\x02\0isommp41".to_vec();
    bytes.resize(length, 7);
    bytes
}

pub fn contains_bytes(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|part| part == words)
}

/// Sorted names of the files of a directory except its marker; empty if the directory does not exist.
pub fn names(directory: &Path) -> Vec<String> {
    let Ok(listing) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<String> =
        listing.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != ".esb-installation");
    names.sort();
    names
}
