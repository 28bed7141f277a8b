//! Documents, photos and videos as pages list them.

use crate::domain::file::{DocumentCategory, FileKind};
use crate::domain::ids::{DocumentId, PhotoId};

/// A document of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentView {
    pub id: DocumentId,
    pub category: DocumentCategory,
    /// What it is called.
    pub title: String,
    pub kind: FileKind,
    /// Bytes.
    pub size: u64,
}

/// A photo or video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoView {
    pub id: PhotoId,
    pub kind: FileKind,
    /// The sender's name for it.
    pub name: String,
    /// True when there is a small picture of it.
    pub has_thumbnail: bool,
    /// Who added it, by the name of that time.
    pub by: String,
}
