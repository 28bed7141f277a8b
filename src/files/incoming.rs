//! Writes an upload to disk within its limit, and stops as soon as its first bytes show that it is rejected. Then
//! checks, sanitizes and renames it. Called by `Files`.

use super::picture::{self, PictureError, Sender};
use super::sniff::{self, Family, HEAD};
use super::{ReceiveError, ReceiveOptions, ReceivedFile, blocking, disk_space, heic, temporary};
use crate::domain::file::{
    Accepts, DiskReserve, FileGroup, FileKind, FileName, FileRefusal, MB, PICTURE_MAX, StoredFile, StoredName,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use rand::RngExt;
use std::fs::File;
use std::io::{self, Seek};
use std::path::Path;
use std::pin::pin;
use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt;

/// Bytes between two checks of the free disk space.
const CHECK_SPACE_EVERY: u64 = 8 * MB;

/// A complete upload that is not checked yet.
#[derive(Debug)]
pub(super) struct Incoming {
    file: NamedTempFile,
    family: Family,
    size: u64,
}

/// Why a complete upload was not stored.
#[derive(Debug)]
pub(super) enum Unfinished {
    Refused(FileRefusal),
    Disk(io::Error),
}

impl From<io::Error> for Unfinished {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<FileRefusal> for Unfinished {
    fn from(refusal: FileRefusal) -> Self {
        Self::Refused(refusal)
    }
}

pub(super) async fn stream<E>(
    (directory, reserve): (&Path, DiskReserve),
    content: impl Stream<Item = Result<Bytes, E>>,
    wanted: ReceiveOptions,
    name: &FileName,
) -> Result<Incoming, ReceiveError<E>> {
    let directory = directory.to_owned();
    let made = blocking(move || {
        let file = temporary(&directory)?;
        disk_space::check(file.as_file(), reserve)?;
        let writer = file.reopen()?;
        Ok((file, writer))
    });
    let (file, writer) = made.await.map_err(ReceiveError::Disk)?;
    let mut writer = tokio::fs::File::from_std(writer);
    let mut content = pin!(content);
    let (mut head, mut family, mut limit, mut size) = (Vec::new(), None, wanted.limit, 0_u64);
    let mut checked = 0;
    while let Some(piece) = content.next().await {
        let piece = piece.map_err(ReceiveError::Stream)?;
        size += piece.len() as u64;
        if family.is_none() {
            head.extend(piece.iter().take(HEAD - head.len()));
            if head.len() == HEAD {
                family = Some(early(&head, wanted.accepts, name, &mut limit)?);
            }
        }
        if size > limit {
            return Err(ReceiveError::Refused(FileRefusal::TooLarge { limit }));
        }
        writer.write_all(&piece).await.map_err(ReceiveError::Disk)?;
        if size - checked > CHECK_SPACE_EVERY {
            checked = size;
            let opened = file.as_file().try_clone().map_err(ReceiveError::Disk)?;
            let check = blocking(move || disk_space::check(&opened, reserve));
            check.await.map_err(ReceiveError::Disk)?;
        }
    }
    if size == 0 {
        return Err(ReceiveError::Refused(FileRefusal::Empty));
    }
    let family = match family {
        Some(family) => family,
        None => early(&head, wanted.accepts, name, &mut limit)?,
    };
    writer.flush().await.map_err(ReceiveError::Disk)?;
    Ok(Incoming { file, family, size })
}

/// Sniffs the first bytes. Pictures get the limit of pictures.
fn early<E>(
    head: &[u8],
    accepts: Accepts,
    name: &FileName,
    limit: &mut u64,
) -> Result<Family, ReceiveError<E>> {
    let family = sniff::family(head);
    if let Some(kind) = family.kind() {
        sniff::allowed(Some(kind), accepts, name).map_err(ReceiveError::Refused)?;
        if kind.group() == FileGroup::Photo {
            *limit = (*limit).min(PICTURE_MAX);
        }
    } else if family == Family::Unknown || !accepts.takes(FileKind::Txt) {
        // Archives and texts are documents; other unknown content is never accepted.
        return Err(ReceiveError::Refused(sniff::no(accepts, name, None)));
    }
    Ok(family)
}

impl Incoming {
    /// True if it will be decoded or searched for metadata.
    pub(super) fn is_picture(&self) -> bool {
        self.family.kind().is_some_and(|kind| kind.group() == FileGroup::Photo)
    }

    /// Decides the kind, sanitizes the file, and gives it its random name. Blocks. Stops early if the client has
    /// disconnected.
    pub(super) fn finish(
        mut self,
        directory: &Path,
        accepts: Accepts,
        name: FileName,
        sender: &Sender,
    ) -> Result<ReceivedFile, Unfinished> {
        let found = sniff::kind(self.family, self.file.as_file_mut(), &name)?;
        let kind = sniff::allowed(found, accepts, &name)?;
        let made = match kind {
            kind if kind.is_heif() => {
                heic::blank_metadata(self.file.as_file_mut(), self.size)?;
                PendingFile { file: self.file, kind, thumbnail: None }
            }
            kind if kind.group() == FileGroup::Photo => {
                let made = picture::prepare(self.file.reopen()?, kind, directory, sender)?;
                PendingFile { file: made.content, kind: made.kind, thumbnail: Some(made.thumbnail) }
            }
            kind => PendingFile { file: self.file, kind, thumbnail: None },
        };
        made.keep(directory, name)
    }
}

impl From<PictureError> for Unfinished {
    fn from(error: PictureError) -> Self {
        match error {
            PictureError::Damaged => Self::Refused(FileRefusal::Damaged),
            PictureError::TooManyPixels => Self::Refused(FileRefusal::TooManyPixels),
            PictureError::TooLarge => Self::Refused(FileRefusal::TooLarge { limit: PICTURE_MAX }),
            PictureError::Disk(error) => Self::Disk(error),
        }
    }
}

impl From<heic::HeicError> for Unfinished {
    fn from(error: heic::HeicError) -> Self {
        match error {
            heic::HeicError::Odd => Self::Refused(FileRefusal::OddHeic),
            heic::HeicError::Disk(error) => Self::Disk(error),
        }
    }
}

/// A sanitized file before its rename.
struct PendingFile {
    file: NamedTempFile,
    kind: FileKind,
    thumbnail: Option<NamedTempFile>,
}

impl PendingFile {
    /// Renames the file and syncs it to the disk.
    fn keep(mut self, directory: &Path, name: FileName) -> Result<ReceivedFile, Unfinished> {
        let stored = StoredName::from_random(rand::rng().random(), self.kind);
        let size = self.file.as_file_mut().seek(io::SeekFrom::End(0))?;
        let has_thumbnail = self.thumbnail.is_some();
        let mut paths = Vec::new();
        if let Some(thumbnail) = self.thumbnail {
            paths.push(renamed(thumbnail, &directory.join(stored.thumbnail()))?);
        }
        paths.push(renamed(self.file, &directory.join(stored.as_str()))?);
        // Sync the directory too, since it contains the names.
        File::open(directory)?.sync_all()?;
        let name = name.of_kind(self.kind);
        let file = StoredFile { stored, kind: self.kind, name, size, has_thumbnail };
        Ok(ReceivedFile { file, paths })
    }
}

fn renamed(file: NamedTempFile, to: &Path) -> io::Result<TempPath> {
    file.as_file().sync_all()?;
    file.persist_noclobber(to).map_err(|error| error.error)?;
    TempPath::try_from_path(to)
}
