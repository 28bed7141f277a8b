//! Files to upload: a usual photo, and files that are expensive to decode.

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use std::io::{self, Read, Write};

/// Largest photo that a visitor may send, and some bytes less.
const PHOTO_BYTES: usize = 9_990_000;
/// How often the Exif of the HEIC names the whole file.
const EXTENTS: u16 = 10_000;
/// Unpacked bytes of the PNG's color profile: just below the limit of decoders.
const PROFILE_BYTES: u64 = 390_000_000;

/// A small photo.
pub(super) fn photo() -> Vec<u8> {
    let rows = (0..240_u16).flat_map(|y| {
        let pixels = (0..320_u16).flat_map(move |x| [x, y, x ^ y].map(|colour| colour.to_le_bytes()[0]));
        std::iter::once(0).chain(pixels)
    });
    // Writing to memory cannot fail.
    png((320, 240), &[], &rows.collect::<Vec<u8>>()).unwrap_or_default()
}

/// A small PNG whose color profile unpacks to hundreds of megabytes.
pub(super) fn png_with_profile() -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(b"profile\0\0".to_vec(), Compression::best());
    io::copy(&mut io::repeat(0).take(PROFILE_BYTES), &mut encoder)?;
    let profile = chunk(b"iCCP", &encoder.finish()?);
    png((1, 1), &profile, &[0; 4])
}

fn png((width, height): (u32, u32), notes: &[u8], rows: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(rows)?;
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let pixels = chunk(b"IDAT", &encoder.finish()?);
    let end = chunk(b"IEND", &[]);
    Ok([&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &head), notes, &pixels, &end].concat())
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(content);
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], kind, content, &crc.sum().to_be_bytes()].concat()
}

/// A HEIC whose Exif refers to the whole file thousands of times.
pub(super) fn overlapping_heic() -> anyhow::Result<Vec<u8>> {
    let item = |number: u8, kind: &[u8; 4]| {
        boxed(b"infe", &[&[2, 0, 0, 0, 0, number, 0, 0][..], kind, b"\0"].concat())
    };
    let items = [&b"\0\0\0\0\0\x02"[..], &item(1, b"hvc1")?, &item(2, b"Exif")?].concat();
    let hdlr = boxed(b"hdlr", b"\0\0\0\0\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0")?;
    let whole = [0, u32::try_from(PHOTO_BYTES)?].map(u32::to_be_bytes).concat();
    // Version 1, offsets and lengths of four bytes; one item, the second, in the file itself.
    let located = [&b"\x01\0\0\0\x44\0\0\x01\0\x02\0\0\0\0"[..], &EXTENTS.to_be_bytes()].concat();
    let iloc = boxed(b"iloc", &[located, whole.repeat(usize::from(EXTENTS))].concat())?;
    let meta = boxed(b"meta", &[&[0; 4][..], &hdlr, &boxed(b"iinf", &items)?, &iloc].concat())?;
    let head = [boxed(b"ftyp", b"heic\0\0\0\0mif1heic")?, meta].concat();
    let data = vec![1; PHOTO_BYTES - head.len() - 8];
    Ok([head, boxed(b"mdat", &data)?].concat())
}

fn boxed(kind: &[u8; 4], content: &[u8]) -> anyhow::Result<Vec<u8>> {
    let length = u32::try_from(content.len() + 8)?.to_be_bytes();
    Ok([&length[..], kind, content].concat())
}

/// A GIF of a visitor's largest size that is stored unchanged: its second picture is large.
pub(super) fn large_gif() -> Vec<u8> {
    let head = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff";
    let picture = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02";
    let block = [&[255][..], &[0x5a; 255]].concat();
    let blocks = block.repeat((PHOTO_BYTES - 100) / block.len());
    [&head[..], picture, b"\x02\x44\x01\0", picture, &blocks, b"\0\x3b"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_their_sizes() {
        assert_eq!(overlapping_heic().unwrap().len(), PHOTO_BYTES);
        let gif = large_gif();
        assert!(gif.len() < PHOTO_BYTES && gif.len() > PHOTO_BYTES - 1_000 && gif.ends_with(b"\0\x3b"));
        let photo = photo();
        assert!(photo.starts_with(b"\x89PNG") && photo.len() < 300_000, "{}", photo.len());
    }
}
