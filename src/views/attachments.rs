//! Documents, photos and videos as pages list them.

use crate::domain::file::{DocumentCategory, FileKind};
use crate::domain::ids::{DocumentId, PhotoId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentView {
    pub id: DocumentId,
    pub category: DocumentCategory,
    pub title: String,
    pub kind: FileKind,
    /// In bytes.
    pub size: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoView {
    pub id: PhotoId,
    pub kind: FileKind,
    /// The uploader's file name.
    pub name: String,
    pub has_thumbnail: bool,
    /// Name of the person who added it, as of that time.
    pub by: String,
}
