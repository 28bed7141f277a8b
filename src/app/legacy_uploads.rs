//! The Python system's directory of uploads, for the import: its files go through `files` as if somebody
//! had sent them just now. Nothing there is written.

use crate::domain::file::{FileName, FileRefusal, StoredFile};
use crate::files::{Files, ReceiveError, Wanted};
use crate::ops::import::{LegacyFile, UploadError, Uploads};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, Stream};
use std::io;
use std::path::PathBuf;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;

/// That directory, and where its files go.
#[derive(Debug)]
pub struct LegacyUploads {
    directory: PathBuf,
    files: Files,
}

impl LegacyUploads {
    /// `files` takes them in.
    pub(super) const fn new(directory: PathBuf, files: Files) -> Self {
        Self { directory, files }
    }

    async fn open(&self, old: &LegacyFile) -> Result<File, UploadError> {
        let opened = async {
            let file = File::open(self.directory.join(&old.path)).await?;
            let is_file = file.metadata().await?.is_file();
            if is_file { Ok(file) } else { Err(io::Error::other("it is no file")) }
        };
        opened.await.map_err(|error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => UploadError::File("the file is missing".to_owned()),
            _ => UploadError::File(format!("the file cannot be read: {error}")),
        })
    }

    async fn receive(&self, old: &LegacyFile, name: &str) -> Result<StoredFile, ReceiveError<io::Error>> {
        let file = self.open(old).await.map_err(|error| ReceiveError::Stream(io::Error::other(error)))?;
        let wanted = Wanted { accepts: old.accepts, limit: self.files.limit() };
        Ok(self.files.receive(pieces(file), wanted, name).await?.entrust())
    }
}

fn pieces(file: File) -> impl Stream<Item = Result<Bytes, io::Error>> {
    stream::try_unfold(file, async |mut file| {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok((read > 0).then(|| (Bytes::from(piece), file)))
    })
}

impl Uploads for LegacyUploads {
    fn take<'a>(&'a self, old: &'a LegacyFile) -> BoxFuture<'a, Result<StoredFile, UploadError>> {
        Box::pin(async move {
            // Told apart from a file that breaks off while it is read.
            self.open(old).await?;
            let received = match self.receive(old, &old.name).await {
                // That system believed what names claim. What is inside decides here.
                Err(ReceiveError::Refused(FileRefusal::Mislabelled { kind: Some(kind), .. })) => {
                    let name = FileName::clean(&old.name).of_kind(kind);
                    self.receive(old, name.as_str()).await
                }
                received => received,
            };
            received.map_err(|error| match error {
                ReceiveError::Refused(refusal) => UploadError::File(format!("the file {refusal}")),
                ReceiveError::Stream(error) => UploadError::File(format!("the file cannot be read: {error}")),
                ReceiveError::Disk(error) => UploadError::Disk(error),
            })
        })
    }

    fn check<'a>(&'a self, old: &'a LegacyFile) -> BoxFuture<'a, Result<(), UploadError>> {
        Box::pin(async move { self.open(old).await.map(drop) })
    }
}
