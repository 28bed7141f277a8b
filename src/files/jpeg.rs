//! Whether a JPEG is there to its end: decoders fill in grey for what is missing, people would not know.

use std::io::{self, BufRead, Read};

/// True when the picture's end mark comes, however much else follows it.
///
/// # Errors
/// The disk's.
pub(super) fn is_whole(mut file: impl BufRead) -> io::Result<bool> {
    match walk(&mut file) {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;

/// Goes from mark to mark, over each segment by its length and over each scan by its bytes.
fn walk(file: &mut impl BufRead) -> io::Result<()> {
    if [byte(file)?, byte(file)?] != [0xff, START] {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut mark = next_mark(file, false)?;
    let mut scans = 0;
    loop {
        match mark {
            END if scans > 0 => return Ok(()),
            END | START => return Err(io::ErrorKind::InvalidData.into()),
            _ => {}
        }
        let length = u64::from(u16::from_be_bytes([byte(file)?, byte(file)?]));
        let content = length.checked_sub(2).ok_or(io::ErrorKind::InvalidData)?;
        if io::copy(&mut file.by_ref().take(content), &mut io::sink())? != content {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        scans += usize::from(mark == SCAN);
        mark = next_mark(file, mark == SCAN)?;
    }
}

/// The next mark; within a scan a zero behind 0xff, or a mark to begin anew, is part of it.
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
    fn only_what_has_its_end_is_whole() {
        let whole = picture();
        assert!(is_whole(&whole[..]).unwrap());
        assert!(is_whole(&[&whole[..], b"notes of the phone"].concat()[..]).unwrap());
        for length in 0..whole.len() {
            assert!(!is_whole(&whole[..length]).unwrap(), "{length} of {}", whole.len());
        }
        assert!(!is_whole(&b"\xff\xd8\xff\xd9"[..]).unwrap(), "nothing in it");
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in any::<Vec<u8>>(), from_start in any::<bool>()) {
            let begun = [b"\xff\xd8\xff".as_slice(), &bytes].concat();
            let bytes = if from_start { begun } else { bytes };
            is_whole(&bytes[..]).unwrap();
        }
    }
}
