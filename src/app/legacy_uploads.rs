//! Reads the Python system's upload directory for the import. Its files go through the same checks as an upload.
//! Must not: write there.

use crate::domain::file::{FileName, FileRefusal, StoredFile};
use crate::files::{Files, ReceiveError, ReceiveOptions};
use crate::ops::import::{LegacyFile, UploadError, Uploads};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, Stream};
use std::io;
use std::path::PathBuf;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

/// Bytes per read.
const CHUNK_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub struct LegacyUploads {
    directory: PathBuf,
    files: Files,
}

impl LegacyUploads {
    /// `files` stores them.
    pub(super) const fn new(directory: PathBuf, files: Files) -> Self {
        Self { directory, files }
    }

    async fn open(&self, old: &LegacyFile) -> Result<File, UploadError> {
        let opened = async {
            let file = File::open(self.directory.join(&old.path)).await?;
            let is_file = file.metadata().await?.is_file();
            if is_file { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
        };
        opened.await.map_err(|error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => UploadError::File("the file is missing".to_owned()),
            _ => UploadError::File(format!("the file cannot be read: {error}")),
        })
    }

    async fn receive(&self, old: &LegacyFile, name: &str) -> Result<StoredFile, ReceiveError<io::Error>> {
        let file = self.open(old).await.map_err(|error| ReceiveError::Stream(io::Error::other(error)))?;
        let wanted = ReceiveOptions { accepts: old.accepts, limit: self.files.limit() };
        Ok(self.files.receive(chunks(file), wanted, name).await?.entrust())
    }
}

fn chunks(file: File) -> impl Stream<Item = Result<Bytes, io::Error>> {
    stream::try_unfold(file, async |mut file| {
        let mut chunk = vec![0; CHUNK_BYTES];
        let read = file.read(&mut chunk).await?;
        chunk.truncate(read);
        Ok((read > 0).then(|| (Bytes::from(chunk), file)))
    })
}

impl Uploads for LegacyUploads {
    fn copy<'a>(&'a self, old: &'a LegacyFile) -> BoxFuture<'a, Result<StoredFile, UploadError>> {
        Box::pin(async move {
            // Opened first, to distinguish a missing file from one that cannot be read to its end.
            self.open(old).await?;
            let received = match self.receive(old, &old.name).await {
                // The Python system trusted file names. Here the content decides.
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
