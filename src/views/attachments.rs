//! Documents, photos and videos as pages list them.

use crate::domain::file::{DocumentCategory, FileKind};
use crate::domain::ids::{DocumentId, PhotoId};

/// A document of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentView {
    /// Its number.
    pub id: DocumentId,
    /// What it is.
    pub category: DocumentCategory,
    /// What it is called.
    pub title: String,
    /// What its file is.
    pub kind: FileKind,
    /// Bytes.
    pub size: u64,
}

/// A photo or video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoView {
    /// Its number.
    pub id: PhotoId,
    /// What its file is.
    pub kind: FileKind,
    /// What whoever sent it called it.
    pub name: String,
    /// True when there is a small picture of it.
    pub has_thumbnail: bool,
    /// Who added it, by the name of that time.
    pub by: String,
}
