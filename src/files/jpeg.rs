//! Checks that a JPEG is complete, since decoders silently fill missing parts with gray, and computes how much memory
//! decoding needs.

use std::io::{self, BufRead, Read};

/// What the markers of a JPEG say about its decoding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct JpegHead {
    is_progressive: bool,
    components: u8,
    scans: usize,
}

impl JpegHead {
    /// Bytes a pixel that a decoder holds until all scans have come, at most: two for each component.
    pub(super) const fn working_bytes_a_pixel(self) -> u64 {
        if self.is_progressive || self.scans > 1 { 2 * self.components as u64 } else { 0 }
    }
}

/// Reads up to the end marker. Data after it is ignored.
///
/// # Errors
/// `UnexpectedEof` or `InvalidData` if there is no end marker.
pub(super) fn walk(mut file: impl BufRead) -> io::Result<JpegHead> {
    let mut head = JpegHead::default();
    follow_marks(&mut file, &mut head)?;
    Ok(head)
}

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
/// Frame markers, without those of tables (0xc4, 0xcc) and the reserved one (0xc8).
const FRAMES: std::ops::RangeInclusive<u8> = 0xc0..=0xcf;
const NO_FRAMES: [u8; 3] = [0xc4, 0xc8, 0xcc];
/// The frame marker of a progressive JPEG.
const PROGRESSIVE: u8 = 0xc2;

/// Walks the markers: skips segments by their length and scans byte by byte.
fn follow_marks(file: &mut impl BufRead, head: &mut JpegHead) -> io::Result<()> {
    if [byte(file)?, byte(file)?] != [0xff, START] {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut mark = next_mark(file, false)?;
    loop {
        match mark {
            END if head.scans > 0 => return Ok(()),
            END | START => return Err(io::ErrorKind::InvalidData.into()),
            _ => {}
        }
        let length = u64::from(u16::from_be_bytes([byte(file)?, byte(file)?]));
        let mut content = length.checked_sub(2).ok_or(io::ErrorKind::InvalidData)?;
        if FRAMES.contains(&mark) && !NO_FRAMES.contains(&mark) && content >= 6 {
            head.is_progressive |= mark == PROGRESSIVE;
            head.components = head.components.max(components(file)?);
            content -= 6;
        }
        if io::copy(&mut file.by_ref().take(content), &mut io::sink())? != content {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.scans += usize::from(mark == SCAN);
        mark = next_mark(file, mark == SCAN)?;
    }
}

/// The number of components of a frame. It follows precision, height and width.
fn components(file: &mut impl BufRead) -> io::Result<u8> {
    let mut fields = [0; 6];
    file.read_exact(&mut fields)?;
    Ok(fields[5])
}

/// The next marker. Within a scan, 0xff 0x00 and restart markers are data.
fn next_mark(file: &mut impl BufRead, in_scan: bool) -> io::Result<u8> {
    loop {
        if byte(file)? != 0xff {
            if in_scan {
                continue;
            }
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut mark = byte(file)?;
        while mark == 0xff {
            mark = byte(file)?;
        }
        if !(in_scan && matches!(mark, 0 | 0xd0..=0xd7)) {
            return Ok(mark);
        }
    }
}

fn byte(file: &mut impl BufRead) -> io::Result<u8> {
    let Some(byte) = file.fill_buf()?.first().copied() else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    file.consume(1);
    Ok(byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::jpeg::JpegEncoder;
    use image::{DynamicImage, RgbImage};
    use proptest::prelude::*;

    fn picture() -> Vec<u8> {
        let image = RgbImage::from_fn(90, 70, |x, y| image::Rgb([x as u8, y as u8, (x * y) as u8]));
        let mut bytes = Vec::new();
        DynamicImage::from(image).write_with_encoder(JpegEncoder::new(&mut bytes)).unwrap();
        bytes
    }

    #[test]
    fn truncated_jpeg_is_rejected() {
        let whole = picture();
        assert!(walk(&whole[..]).is_ok());
        assert!(walk(&[&whole[..], b"notes of the phone"].concat()[..]).is_ok());
        for length in 0..whole.len() {
            assert!(walk(&whole[..length]).is_err(), "{length} of {}", whole.len());
        }
        assert!(walk(&b"\xff\xd8\xff\xd9"[..]).is_err(), "nothing in it");
    }

    #[test]
    fn progressive_and_multi_scan_jpegs_need_memory() {
        let baseline = walk(&picture()[..]).unwrap();
        assert_eq!(baseline, JpegHead { is_progressive: false, components: 3, scans: 1 });
        assert_eq!(baseline.working_bytes_a_pixel(), 0);
        let mut bytes = picture();
        let at = bytes.windows(2).position(|part| part == b"\xff\xc0").unwrap();
        bytes[at + 1] = PROGRESSIVE;
        assert_eq!(walk(&bytes[..]).unwrap().working_bytes_a_pixel(), 6);
        assert_eq!(JpegHead { scans: 2, ..baseline }.working_bytes_a_pixel(), 6);
    }

    proptest! {
        #[test]
        fn any_bytes_parse_without_panic(bytes in any::<Vec<u8>>(), from_start in any::<bool>()) {
            let begun = [b"\xff\xd8\xff".as_slice(), &bytes].concat();
            let bytes = if from_start { begun } else { bytes };
            let _ = walk(&bytes[..]);
        }
    }
}
