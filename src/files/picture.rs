//! Decodes pictures within limits, turns them upright, re-encodes them without metadata (such as the position), and
//! makes thumbnails. Blocks: `incoming` calls it on a blocking thread.
//!
//! | received | stored |
//! | --- | --- |
//! | JPEG | JPEG |
//! | PNG | PNG, the first picture of an animation |
//! | WebP | JPEG, or PNG if it is transparent: re-encoded as WebP it would be many times larger |
//! | GIF | the same GIF, animated or not, without comments and other metadata ([`super::gif`]) |

mod bounded;
mod decode;

use super::{gif, jpeg, temporary};
use crate::domain::file::FileKind;
pub(super) use bounded::Sender;
use bounded::{Bounded, OverLimit};
use decode::{DecodedImage, decode};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::error::LimitErrorKind;
use image::{DynamicImage, GenericImageView, ImageEncoder, ImageError, RgbImage};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// Longest side of a thumbnail, in pixels.
const THUMBNAIL: u32 = 480;
/// JPEG quality of a re-encoded picture: the difference is not visible.
const QUALITY: u8 = 88;
/// JPEG quality of a thumbnail.
const THUMBNAIL_QUALITY: u8 = 80;

/// Why a picture is not stored.
#[derive(Debug)]
pub(super) enum PictureError {
    /// It cannot be read to its end.
    Damaged,
    /// It would not fit in memory.
    TooManyPixels,
    /// The re-encoded picture would exceed the limit.
    TooLarge,
    Disk(io::Error),
}

impl From<io::Error> for PictureError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => Self::Damaged,
            _ if OverLimit::is(&error) => Self::TooLarge,
            _ => Self::Disk(error),
        }
    }
}

impl From<ImageError> for PictureError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(limit) if !matches!(limit.kind(), LimitErrorKind::Unsupported { .. }) => {
                Self::TooManyPixels
            }
            ImageError::IoError(error) => error.into(),
            _ => Self::Damaged,
        }
    }
}

/// A sanitized picture.
pub(super) struct Prepared {
    pub(super) content: NamedTempFile,
    pub(super) kind: FileKind,
    pub(super) thumbnail: NamedTempFile,
}

/// Sanitizes a picture of that kind; stops if its sender disconnects.
pub(super) fn prepare(
    mut file: File,
    kind: FileKind,
    directory: &Path,
    sender: &Sender,
) -> Result<Prepared, PictureError> {
    file.seek(SeekFrom::Start(0))?;
    let head = match kind {
        FileKind::Jpeg => Some(jpeg::walk(BufReader::new(&file))?),
        _ => None,
    };
    let mut content = temporary(directory)?;
    if kind == FileKind::Gif {
        file.seek(SeekFrom::Start(0))?;
        let mut clean = BufWriter::new(content.as_file_mut());
        gif::copy_without_notes(BufReader::new(&file), &mut clean)?;
        clean.flush()?;
    }
    file.seek(SeekFrom::Start(0))?;
    sender.check()?;
    let decoded = decode(BufReader::new(file), kind, head)?;
    let kept = match kind {
        FileKind::Webp if decoded.image.color().has_alpha() => FileKind::Png,
        FileKind::Webp => FileKind::Jpeg,
        kind => kind,
    };
    match kept {
        FileKind::Gif => {}
        FileKind::Png => write_png(&decoded, Bounded::new(content.as_file_mut(), sender))?,
        _ => write_jpeg(&decoded, QUALITY, Bounded::new(content.as_file_mut(), sender))?,
    }
    sender.check()?;
    let mut thumbnail = temporary(directory)?;
    let to = Bounded::new(thumbnail.as_file_mut(), sender);
    write_jpeg(&small(decoded), THUMBNAIL_QUALITY, to)?;
    Ok(Prepared { content, kind: kept, thumbnail })
}

fn write_png(picture: &DecodedImage, to: impl Write) -> Result<(), PictureError> {
    let mut to = BufWriter::new(to);
    let mut encoder = PngEncoder::new(&mut to);
    if let Some(profile) = &picture.profile {
        // Ignore errors: without its profile the picture is still usable.
        let _ = encoder.set_icc_profile(profile.clone());
    }
    picture.image.write_with_encoder(encoder)?;
    Ok(to.flush()?)
}

/// JPEG has eight bits per channel and no transparency: transparent pixels become white.
fn write_jpeg(picture: &DecodedImage, quality: u8, to: impl Write) -> Result<(), PictureError> {
    let mut to = BufWriter::new(to);
    let mut encoder = JpegEncoder::new_with_quality(&mut to, quality);
    if let Some(profile) = &picture.profile {
        let _ = encoder.set_icc_profile(profile.clone());
    }
    match &picture.image {
        image @ (DynamicImage::ImageLuma8(_) | DynamicImage::ImageRgb8(_)) => {
            image.write_with_encoder(encoder)?;
        }
        image if image.color().has_alpha() => on_white(image).write_with_encoder(encoder)?,
        image if image.color().has_color() => image.to_rgb8().write_with_encoder(encoder)?,
        image => image.to_luma8().write_with_encoder(encoder)?,
    }
    Ok(to.flush()?)
}

fn on_white(image: &DynamicImage) -> RgbImage {
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [red, green, blue, alpha] = image.get_pixel(x, y).0;
        let over = |colour: u8| {
            let (colour, alpha) = (u16::from(colour), u16::from(alpha));
            u8::try_from((colour * alpha + 255 * (255 - alpha)) / 255).unwrap_or(255)
        };
        image::Rgb([over(red), over(green), over(blue)])
    })
}

fn small(picture: DecodedImage) -> DecodedImage {
    let DecodedImage { image, mut profile } = picture;
    let image = match image.width().max(image.height()) > THUMBNAIL {
        true => image.thumbnail(THUMBNAIL, THUMBNAIL),
        false => image,
    };
    // The encoder drops transparency together with the color of a gray picture.
    if image.color().has_alpha() && !image.color().has_color() {
        profile = None;
    }
    DecodedImage { image, profile }
}

#[cfg(test)]
mod tests;
