//! Documents, photos and videos as listed on the pages of equipment and repairs.

use crate::domain::file::{DocumentCategory, FileGroup, FileKind, size_words};
use crate::domain::ids::{DocumentId, PhotoId};
use crate::views::attachments::{DocumentView, PhotoView};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct DocumentsShown<'a> {
    category: &'static str,
    documents: Vec<DocumentShown<'a>>,
}

#[derive(Serialize)]
struct DocumentShown<'a> {
    id: DocumentId,
    title: &'a str,
    /// "PDF, 3 MB".
    about: String,
    removable: bool,
}

/// The documents by category, in the order of the categories; empty categories are omitted.
pub(super) fn documents_shown(documents: &[DocumentView], removable: bool) -> Vec<DocumentsShown<'_>> {
    let of = |category: DocumentCategory| DocumentsShown {
        category: category.word(),
        documents: documents
            .iter()
            .filter(|document| document.category == category)
            .map(|document| DocumentShown {
                id: document.id,
                title: &document.title,
                about: format!("{}, {}", word(document.kind), size_words(document.size)),
                removable,
            })
            .collect(),
    };
    DocumentCategory::ALL.into_iter().map(of).filter(|group| !group.documents.is_empty()).collect()
}

#[derive(Serialize)]
pub(super) struct PhotoShown<'a> {
    id: PhotoId,
    name: &'a str,
    /// Who added it, if the reader may see that.
    by: Option<&'a str>,
    has_thumbnail: bool,
    /// "Video, MP4": shown instead of a thumbnail.
    about: String,
    removable: bool,
}

/// The photos in their order; only technicians see who added them.
pub(super) fn photos_shown(photos: &[PhotoView], named: bool, removable: bool) -> Vec<PhotoShown<'_>> {
    let shown = |photo: &'_ PhotoView| {
        let what = if photo.kind.group() == FileGroup::Video { "Video" } else { "Photo" };
        let saved = if photo.kind.is_shown() { "" } else { ", to download" };
        format!("{what}, {}{saved}", word(photo.kind))
    };
    let photo = |photo| PhotoShown {
        about: shown(photo),
        id: photo.id,
        name: &photo.name,
        by: named.then_some(photo.by.as_str()),
        has_thumbnail: photo.has_thumbnail,
        removable,
    };
    photos.iter().map(photo).collect()
}

fn word(kind: FileKind) -> String {
    kind.ending().to_uppercase()
}
