//! Copies a GIF block by block, so that it stays animated, without comments and application data (XMP may contain the
//! position). A GIF without its trailer is damaged.

use std::io::{self, Read, Write};

/// Application blocks that set how often the animation repeats.
const REPEATING: [&[u8]; 2] = [b"NETSCAPE2.0", b"ANIMEXTS1.0"];
/// Most frames of one GIF.
const PICTURES_MAX: usize = 5_000;

/// Copies a GIF up to its trailer, without metadata.
///
/// # Errors
/// `UnexpectedEof` or `InvalidData` for a damaged GIF.
pub(super) fn copy_without_notes(mut from: impl Read, to: &mut impl Write) -> io::Result<()> {
    let head: [u8; 13] = read(&mut from)?;
    if !matches!(head.get(..6), Some(b"GIF87a" | b"GIF89a")) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    to.write_all(&head)?;
    copy_colours(&mut from, to, head[10])?;
    let mut pictures = 0;
    loop {
        match read::<1>(&mut from)? {
            [0x21] => copy_extension(&mut from, to)?,
            [0x2c] => {
                let place: [u8; 9] = read(&mut from)?;
                to.write_all(&[0x2c])?;
                to.write_all(&place)?;
                copy_colours(&mut from, to, place[8])?;
                to.write_all(&read::<1>(&mut from)?)?;
                copy_blocks(&mut from, to)?;
                pictures += 1;
            }
            [0x3b] if pictures > 0 => return to.write_all(&[0x3b]),
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
        if pictures > PICTURES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

/// A color table, if the flags say that there is one.
fn copy_colours(from: &mut impl Read, to: &mut impl Write, flags: u8) -> io::Result<()> {
    if flags & 0x80 == 0 {
        return Ok(());
    }
    let mut colours = vec![0; 3 << ((flags & 7) + 1)];
    from.read_exact(&mut colours)?;
    to.write_all(&colours)
}

/// Copies graphic control and repeat extensions, and skips all others as metadata.
fn copy_extension(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let [label] = read(from)?;
    match label {
        0xf9 => {
            to.write_all(&[0x21, label])?;
            copy_blocks(from, to)
        }
        0xff => {
            let program = block(from)?;
            if !REPEATING.contains(&program.as_slice()) {
                return copy_blocks(from, &mut io::sink());
            }
            to.write_all(&[0x21, label, 11])?;
            to.write_all(&program)?;
            copy_blocks(from, to)
        }
        _ => copy_blocks(from, &mut io::sink()),
    }
}

/// Sub-blocks up to the empty one.
fn copy_blocks(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    loop {
        let block = block(from)?;
        let length = u8::try_from(block.len()).map_err(|_| io::ErrorKind::InvalidData)?;
        to.write_all(&[length])?;
        to.write_all(&block)?;
        if block.is_empty() {
            return Ok(());
        }
    }
}

fn block(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let [length] = read(from)?;
    let mut block = vec![0; usize::from(length)];
    from.read_exact(&mut block)?;
    Ok(block)
}

fn read<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::gif::{GifDecoder, GifEncoder, Repeat};
    use image::{AnimationDecoder, Frame, RgbaImage};
    use proptest::prelude::*;

    fn moving() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new(&mut bytes);
        encoder.set_repeat(Repeat::Infinite).unwrap();
        for shade in [0, 120, 240] {
            let picture = RgbaImage::from_pixel(20, 10, image::Rgba([shade, 9, 9, 255]));
            encoder.encode_frame(Frame::new(picture)).unwrap();
        }
        drop(encoder);
        bytes
    }

    fn copied(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut copy = Vec::new();
        copy_without_notes(bytes, &mut copy).map(|()| copy)
    }

    #[test]
    fn animation_survives_and_metadata_is_removed() {
        let plain = moving();
        assert_eq!(copied(&plain).unwrap(), plain, "without notes it is the same");
        let comment = b"\x21\xfe\x0952.5,13.4\x00".as_slice();
        let xmp = b"\x21\xff\x0bXMP DataXMP\x04<x/>\x00".as_slice();
        // After the header and its color table.
        let at = 13 + if plain[10] & 0x80 == 0 { 0 } else { 3 << ((plain[10] & 7) + 1) };
        let noted = [&plain[..at], comment, xmp, &plain[at..], b"and more"].concat();
        assert_eq!(copied(&noted).unwrap(), plain);
        let decoder = GifDecoder::new(io::Cursor::new(copied(&noted).unwrap())).unwrap();
        assert_eq!(decoder.into_frames().count(), 3);
    }

    #[test]
    fn truncated_gif_is_damaged() {
        let whole = moving();
        for length in 0..whole.len() {
            assert!(copied(&whole[..length]).is_err(), "{length} of {}", whole.len());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_parse_without_panic(bytes in any::<Vec<u8>>()) {
            let begun = [b"GIF89a\x01\x00\x01\x00\x00\x00\x00".as_slice(), &bytes].concat();
            for bytes in [bytes, begun] {
                if let Ok(copy) = copied(&bytes) {
                    prop_assert_eq!(copied(&copy).unwrap(), copy);
                }
            }
        }
    }
}
