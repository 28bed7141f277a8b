//! Uploads: receives, checks, sanitizes, stores, opens and removes files. All are in one directory under random names.
//! Independent of HTTP, forms and Slack. Called by `web`, `jobs` and the worker with a stream of bytes.
//!
//! [`Files::receive`] streams a file into `incoming-…`, decides its kind by its content, turns pictures upright,
//! removes the camera's metadata, and renames the result to its random name. Dropping the [`ReceivedFile`] deletes it.
//! [`ReceivedFile::entrust`] passes it to an operation whose transaction stores its name in a row. [`Files::settle`]
//! then removes files without a row. [`Files::sweep`] removes a killed process's leftovers a day later.

mod claim;
mod disk_space;
mod gif;
mod heic;
mod incoming;
mod jpeg;
mod picture;
mod sniff;
mod sweep;

pub use sweep::SweepError;

use crate::clock::Clock;
use crate::domain::file::{Accepts, DiskReserve, FileName, FileRefusal, StoredFile, StoredName};
use crate::error_chain::ErrorChain;
use crate::store::Store;
use bytes::Bytes;
use futures_util::Stream;
use picture::Sender;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::{NamedTempFile, TempPath};
use tokio::sync::{OnceCell, Semaphore};

/// Pictures processed at the same time. Each takes up to about 400 MB.
const PICTURES: usize = 1;

/// The directory of uploads; cheap to clone.
#[derive(Debug, Clone)]
pub struct Files(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    limit: u64,
    reserve: DiskReserve,
    store: Store,
    clock: Clock,
    pictures: Arc<Semaphore>,
    claimed: OnceCell<bool>,
}

/// Which files are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiveOptions {
    pub accepts: Accepts,
    /// In bytes; never more than [`Files::limit`].
    pub limit: u64,
}

/// Why a stream did not become a file. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError<E> {
    /// The person reads the refusal after the file's name.
    #[error("file refused: {0:?}")]
    Refused(FileRefusal),
    #[error("the stream ended early")]
    Stream(E),
    /// The directory cannot be written, or its disk has no room: `StorageFull` also when only the reserve is free.
    #[error("the file cannot be stored")]
    Disk(#[source] io::Error),
}

/// A received file, deleted when this is dropped.
#[derive(Debug)]
pub struct ReceivedFile {
    file: StoredFile,
    paths: Vec<TempPath>,
}

impl ReceivedFile {
    pub const fn file(&self) -> &StoredFile {
        &self.file
    }

    /// Passes the file to a caller that is about to name it in a row. It stays until [`Files::settle`] or
    /// [`Files::sweep`] finds no such row.
    pub fn entrust(self) -> StoredFile {
        for path in self.paths {
            if let Err(error) = path.keep() {
                tracing::warn!(error = %ErrorChain(&error), "upload could not be stored");
            }
        }
        self.file
    }
}

#[derive(Debug)]
pub struct OpenedFile {
    pub file: tokio::fs::File,
    /// In bytes.
    pub size: u64,
}

impl Files {
    /// The first file creates the directory. Each has at most `limit` bytes. Files are refused while less than
    /// `reserve` is free on the disk.
    pub fn new(directory: PathBuf, limit: u64, reserve: DiskReserve, store: Store, clock: Clock) -> Self {
        let pictures = Arc::new(Semaphore::new(PICTURES));
        let claimed = OnceCell::new();
        Self(Arc::new(Inner { directory, limit, reserve, store, clock, pictures, claimed }))
    }

    /// The size limit of any file, in bytes.
    pub fn limit(&self) -> u64 {
        self.0.limit
    }

    /// Creates the directory and checks that it can be written. Called at the start of the program.
    pub async fn prepare(&self) -> io::Result<()> {
        let directory = self.0.directory.clone();
        blocking(move || temporary(&directory).map(drop)).await
    }

    /// Stores a stream as a file. `original_name` is the sender's name for it. Only a few chunks are in memory at a
    /// time, except for pictures, which are processed one by one.
    pub async fn receive<E>(
        &self,
        content: impl Stream<Item = Result<Bytes, E>>,
        wanted: ReceiveOptions,
        original_name: &str,
    ) -> Result<ReceivedFile, ReceiveError<E>> {
        let name = FileName::clean(original_name);
        let wanted = ReceiveOptions { limit: wanted.limit.min(self.0.limit), ..wanted };
        let (directory, reserve) = (&self.0.directory, self.0.reserve);
        let incoming = incoming::stream((directory, reserve), content, wanted, &name).await?;
        // Pictures wait in a queue. Waiting needs no memory, since the file is on the disk.
        let place = match incoming.is_picture() {
            true => Arc::clone(&self.0.pictures).acquire_owned().await.ok(),
            false => None,
        };
        self.is_ours().await;
        let directory = self.0.directory.clone();
        // Dropped with the request, so that the thread stops when the client has disconnected.
        let request = Arc::new(());
        let sender = Sender(Arc::downgrade(&request));
        let made = tokio::task::spawn_blocking(move || {
            // Dropped when the work ends, even if the client has disconnected.
            let _place = place;
            incoming.finish(&directory, wanted.accepts, name, &sender)
        });
        let made = made.await;
        drop(request);
        match made {
            Ok(Ok(received)) => Ok(received),
            Ok(Err(incoming::Unfinished::Refused(refusal))) => Err(ReceiveError::Refused(refusal)),
            Ok(Err(incoming::Unfinished::Disk(error))) => Err(ReceiveError::Disk(error)),
            // A decoder panicked: no camera writes such a file.
            Err(_) => Err(ReceiveError::Refused(FileRefusal::Damaged)),
        }
    }

    /// Removes entrusted files without a row, after a submission that was rejected or was a replay. If the database
    /// does not answer, the sweep removes them.
    pub async fn settle(&self, files: &[StoredFile]) {
        let names: Vec<String> = files.iter().map(|file| file.stored.to_string()).collect();
        match crate::store::photos::named(self.0.store.read(), &names).await {
            Ok(named) => {
                for file in files.iter().filter(|file| !named.contains(file.stored.as_str())) {
                    self.remove(&file.stored).await;
                }
            }
            Err(error) => tracing::warn!(error = %ErrorChain(&error), "uploads left to the sweep"),
        }
    }

    /// Removes a file and its thumbnail. Call it once no row names the file.
    pub async fn remove(&self, stored: &StoredName) {
        for name in [stored.to_string(), stored.thumbnail()] {
            match tokio::fs::remove_file(self.0.directory.join(name)).await {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    tracing::warn!(file = %stored, error = %ErrorChain(&error), "upload left to the sweep");
                }
                _ => {}
            }
        }
    }

    /// # Errors
    /// `NotFound` when the file is gone.
    pub async fn open(&self, stored: &StoredName) -> io::Result<OpenedFile> {
        self.open_named(stored.as_str()).await
    }

    /// The thumbnail is a JPEG.
    pub async fn open_thumbnail(&self, stored: &StoredName) -> io::Result<OpenedFile> {
        self.open_named(&stored.thumbnail()).await
    }

    async fn open_named(&self, name: &str) -> io::Result<OpenedFile> {
        let file = tokio::fs::File::open(self.0.directory.join(name)).await?;
        let size = file.metadata().await?.len();
        Ok(OpenedFile { file, size })
    }
}

/// The prefix of files that are not complete.
const INCOMING: &str = "incoming-";

/// Creates a temporary file in the upload directory, so that it can be renamed there.
fn temporary(directory: &Path) -> io::Result<NamedTempFile> {
    let make = || tempfile::Builder::new().prefix(INCOMING).rand_bytes(16).tempfile_in(directory);
    match make() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(directory)?;
            make()
        }
        made => made,
    }
}

/// Runs disk work on a thread that may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
