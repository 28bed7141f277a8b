//! Files that people send: received piece by piece, looked into, made harmless, kept under random names in
//! one directory, handed out, and removed. Knows neither HTTP nor forms nor Slack; whoever has a stream of
//! bytes may bring it. `web`, `jobs` and the worker call it.
//!
//! A file's way: [`Files::receive`] streams it into `incoming-…`, decides its kind by its content, turns
//! pictures upright and frees them of what the camera wrote, and renames the result to its random name. The
//! [`Received`] removes it again when it is dropped. [`Received::entrust`] hands it over to an operation
//! whose transaction names it in a row; [`Files::settle`] then removes what no row names. What a killed
//! process left behind, [`Files::sweep`] removes a day later.

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

use crate::error_chain::ErrorChain;
use crate::clock::Clock;
use crate::domain::file::{Accepts, DiskReserve, FileName, FileRefusal, StoredFile, StoredName};
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

/// Pictures that are worked on at once: each takes up to some 400 MB.
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

/// What is taken of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Which kinds.
    pub accepts: Accepts,
    /// Most bytes; never more than [`Files::limit`].
    pub limit: u64,
}

/// Why a stream did not become a file. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError<E> {
    /// It is not what is taken; the words are for the person, behind the file's name.
    #[error("not taken: {0:?}")]
    Refused(FileRefusal),
    /// The stream failed.
    #[error("the stream broke off")]
    Stream(E),
    /// The directory cannot be written, or its disk has no room: `StorageFull` also when only the reserve is free.
    #[error("the file cannot be kept")]
    Disk(#[source] io::Error),
}

/// A file that came, removed again when this is dropped.
#[derive(Debug)]
pub struct Received {
    file: StoredFile,
    paths: Vec<TempPath>,
}

impl Received {
    /// What came.
    pub const fn file(&self) -> &StoredFile {
        &self.file
    }

    /// Leaves the file to whoever is about to name it in a row: from now on it stays until
    /// [`Files::settle`] or [`Files::sweep`] finds that no row does.
    pub fn entrust(self) -> StoredFile {
        for path in self.paths {
            if let Err(error) = path.keep() {
                tracing::warn!(error = %ErrorChain(&error), "upload could not be stored");
            }
        }
        self.file
    }
}

/// A file to be handed out.
#[derive(Debug)]
pub struct Opened {
    /// The open file, at its beginning.
    pub file: tokio::fs::File,
    /// Bytes.
    pub size: u64,
}

impl Files {
    /// Files in this directory, which is made when the first one comes; each of at most `limit` bytes. None is
    /// taken while less than `reserve` is free on its disk.
    pub fn new(directory: PathBuf, limit: u64, reserve: DiskReserve, store: Store, clock: Clock) -> Self {
        let pictures = Arc::new(Semaphore::new(PICTURES));
        let claimed = OnceCell::new();
        Self(Arc::new(Inner { directory, limit, reserve, store, clock, pictures, claimed }))
    }

    /// Most bytes of any file.
    pub fn limit(&self) -> u64 {
        self.0.limit
    }

    /// Makes the directory, and sees that it can be written: for the start of the program.
    ///
    /// # Errors
    /// It cannot.
    pub async fn prepare(&self) -> io::Result<()> {
        let directory = self.0.directory.clone();
        blocking(move || temporary(&directory).map(drop)).await
    }

    /// Takes a stream in and makes a file of it, or nothing. `original_name` is what whoever sends it calls
    /// it. No more than a few pieces are held in memory, but for pictures, which are worked on one by one.
    ///
    /// # Errors
    /// Refused with words for the person; the stream's; the disk's.
    pub async fn receive<E>(
        &self,
        content: impl Stream<Item = Result<Bytes, E>>,
        wanted: Wanted,
        original_name: &str,
    ) -> Result<Received, ReceiveError<E>> {
        let name = FileName::clean(original_name);
        let wanted = Wanted { limit: wanted.limit.min(self.0.limit), ..wanted };
        let (directory, reserve) = (&self.0.directory, self.0.reserve);
        let incoming = incoming::stream((directory, reserve), content, wanted, &name).await?;
        // Pictures one after the other: waiting costs nothing, the file is on the disk already.
        let place = match incoming.is_picture() {
            true => Arc::clone(&self.0.pictures).acquire_owned().await.ok(),
            false => None,
        };
        self.is_ours().await;
        let directory = self.0.directory.clone();
        // Dropped with the request, which tells the thread that nobody waits for the picture.
        let request = Arc::new(());
        let sender = Sender(Arc::downgrade(&request));
        let made = tokio::task::spawn_blocking(move || {
            // Held to the end of the work, also when whoever sent the picture has gone.
            let _place = place;
            incoming.finish(&directory, wanted.accepts, name, &sender)
        });
        let made = made.await;
        drop(request);
        match made {
            Ok(Ok(received)) => Ok(received),
            Ok(Err(incoming::Unfinished::Refused(refusal))) => Err(ReceiveError::Refused(refusal)),
            Ok(Err(incoming::Unfinished::Disk(error))) => Err(ReceiveError::Disk(error)),
            // A decoder that panics met something that no camera writes.
            Err(_) => Err(ReceiveError::Refused(FileRefusal::Damaged)),
        }
    }

    /// Removes those of entrusted files that no row names: after a submission that was refused, or that had
    /// been accepted before. What cannot be found out now, the sweep does.
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

    /// Removes a file with its small picture, once no row names it any longer.
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

    /// Opens a file.
    ///
    /// # Errors
    /// The disk's; `NotFound` when it is gone.
    pub async fn open(&self, stored: &StoredName) -> io::Result<Opened> {
        self.open_named(stored.as_str()).await
    }

    /// Opens a file's small picture, a JPEG.
    ///
    /// # Errors
    /// As [`Files::open`].
    pub async fn open_thumbnail(&self, stored: &StoredName) -> io::Result<Opened> {
        self.open_named(&stored.thumbnail()).await
    }

    async fn open_named(&self, name: &str) -> io::Result<Opened> {
        let file = tokio::fs::File::open(self.0.directory.join(name)).await?;
        let size = file.metadata().await?.len();
        Ok(Opened { file, size })
    }
}

/// Begins the names of files that are not whole yet.
const INCOMING: &str = "incoming-";

/// A file that goes when it is dropped, in the directory of uploads, so that it can be renamed.
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

/// Does what waits for the disk on a thread that may wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
