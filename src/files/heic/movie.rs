//! The box `moov` of a live picture: what playback needs is kept; everything else may contain the position (`udta`,
//! `meta`, `uuid`) and is overwritten.

use super::boxes::{Blank, FoundBox, Reader, boxes};

/// The ranges to overwrite in the content of `moov`, which is at `at`; `None` if a track may contain metadata.
pub(super) fn blanks(moov: &[u8], at: u64) -> Option<Vec<Blank>> {
    let mut blanks = Vec::new();
    for track in kept(moov, at, &[b"mvhd", b"trak"], &mut blanks)? {
        if &track.kind != b"trak" {
            continue;
        }
        let wanted: [&[u8; 4]; 4] = [b"tkhd", b"edts", b"tref", b"mdia"];
        for media in kept(track.content, track.at, &wanted, &mut blanks)? {
            if &media.kind == b"mdia" {
                media_blanks(&media, &mut blanks)?;
            }
        }
    }
    Some(blanks)
}

fn media_blanks(media: &FoundBox<'_>, blanks: &mut Vec<Blank>) -> Option<()> {
    let within = kept(media.content, media.at, &[b"mdhd", b"hdlr", b"minf", b"elng"], blanks)?;
    let mut handler = Reader(within.iter().find(|found| &found.kind == b"hdlr")?.content);
    handler.skip(8)?;
    // A track of another kind, such as `meta`, may be a list of positions.
    matches!(handler.bytes(4)?, b"pict" | b"vide" | b"auxv" | b"soun").then_some(())
}

/// The boxes to keep. The others are added to `blanks`.
fn kept<'a>(
    bytes: &'a [u8],
    at: u64,
    wanted: &[&[u8; 4]],
    blanks: &mut Vec<Blank>,
) -> Option<Vec<FoundBox<'a>>> {
    let (kept, others): (Vec<_>, Vec<_>) =
        boxes(bytes, at)?.into_iter().partition(|found| wanted.contains(&&found.kind));
    blanks.extend(others.iter().map(FoundBox::blank));
    Some(kept)
}
