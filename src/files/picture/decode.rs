//! Decodes pictures into memory, upright. The decoders' own limits are not sufficient: PNG decompresses its metadata
//! before checking it, and JPEG and WebP are unlimited. So the size is read first, and the picture is rejected if
//! pixels and working memory together exceed the limit. Called by `picture`.

use super::super::jpeg::JpegHead;
use super::PictureError;
use crate::domain::file::{FileKind, PIXELS_MAX};
use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, Limits};
use std::fs::File;
use std::io::BufReader;

/// Most bytes of the pixels of one picture.
const PIXEL_BYTES_MAX: u64 = 4 * PIXELS_MAX;
/// Most bytes of a decoder in total.
pub(super) const DECODER_BYTES_MAX: u64 = 2 * PIXEL_BYTES_MAX;
/// Longest side: the maximum of JPEG and GIF; PNG decoders buffer several lines.
const SIDE_MAX: u32 = 65_535;
/// Most bytes of decompressed PNG metadata. The decoder counts a chunk up to three times.
const PNG_NOTES_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Largest color profile that is kept, in bytes.
const PROFILE_MAX: usize = 1024 * 1024;
/// Prefix of Exif in JPEG.
const EXIF_MARK: &[u8] = b"Exif\0\0";

/// A picture in memory, upright.
pub(super) struct DecodedImage {
    pub(super) image: DynamicImage,
    /// The color profile.
    pub(super) profile: Option<Vec<u8>>,
}

/// Decodes a picture of that kind; `head` is the result of walking a JPEG.
pub(super) fn decode(
    file: BufReader<File>,
    kind: FileKind,
    head: Option<JpegHead>,
) -> Result<DecodedImage, PictureError> {
    match kind {
        FileKind::Png => read(PngDecoder::with_limits(file, limits(PNG_NOTES_BYTES_MAX))?, 0),
        FileKind::Gif => read(GifDecoder::new(file)?, 0),
        FileKind::Webp => {
            let decoder = WebPDecoder::new(file)?;
            let working = match (decoder.has_animation(), decoder.color_type().has_alpha()) {
                // The canvas, and the first picture on it.
                (true, _) => 8,
                (false, true) => 0,
                // It is decoded with an alpha channel, which is then dropped.
                (false, false) => 4,
            };
            read(decoder, working)
        }
        _ => read(JpegDecoder::new(file)?, head.map_or(0, JpegHead::working_bytes_a_pixel)),
    }
}

fn limits(bytes: u64) -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(bytes);
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits
}

/// Reads the pixels. `working` is the decoder's extra memory, in bytes per pixel.
fn read(mut decoder: impl ImageDecoder, working: u64) -> Result<DecodedImage, PictureError> {
    // The header suffices to reject a small file that decompresses to gigabytes.
    let (width, height) = decoder.dimensions();
    let (pixels, bytes) = (u64::from(width) * u64::from(height), decoder.total_bytes());
    let left = DECODER_BYTES_MAX.checked_sub(bytes.saturating_add(pixels.saturating_mul(working)));
    if pixels > PIXELS_MAX || bytes > PIXEL_BYTES_MAX {
        return Err(PictureError::TooManyPixels);
    }
    decoder.set_limits(limits(left.ok_or(PictureError::TooManyPixels)?))?;
    let orientation = orientation(decoder.exif_metadata()?.as_deref());
    let profile = decoder.icc_profile()?.filter(|profile| profile.len() <= PROFILE_MAX);
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    let space: &[u8] = if image.color().has_color() { b"RGB " } else { b"GRAY" };
    let profile = profile.filter(|profile| profile.get(16..20) == Some(space));
    Ok(DecodedImage { image, profile })
}

/// The camera's orientation. In JPEG, Exif has a prefix; some programs write the prefix in other formats too.
fn orientation(exif: Option<&[u8]>) -> Orientation {
    let tiff = exif.map(|exif| exif.strip_prefix(EXIF_MARK).unwrap_or(exif));
    tiff.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms)
}
