//! Documents and photos: served to authorized callers, added to equipment and removed.

use super::equipment::{done_or_back, shown_again};
use super::form_parser::{FormParser, request_id};
use crate::domain::file::{DocumentCategory, FileKind, StoredFile, StoredName};
use crate::domain::ids::{DocumentId, EquipmentId, PhotoId};
use crate::domain::text::DocumentTitle;
use crate::files::OpenedFile;
use crate::ops::attachments;
use crate::ops::equipment::documents::{AddDocument, add_document, remove_document};
use crate::ops::equipment::photos::{add_equipment_photos, remove_equipment_photo};
use crate::render::html::FieldError;
use crate::web::Web;
use crate::web::kernel::cache_control::{REVALIDATE, REVALIDATE_PRIVATE};
use crate::web::kernel::cached::Version;
use crate::web::kernel::file_response::{ServedFile, serve_file};
use crate::web::kernel::response::see_other;
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use crate::web::upload::settled;
use http::StatusCode;
use std::io;

pub(super) async fn document(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let id: DocumentId = request.id("id")?;
    let (file, is_public) = attachments::document(&web.ctx, &request.actor(), id).await?;
    whole(web, request, &file, is_public).await
}

pub(super) async fn photo(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let id: PhotoId = request.id("id")?;
    let (file, is_public) = attachments::photo(&web.ctx, &request.actor(), id).await?;
    whole(web, request, &file, is_public).await
}

pub(super) async fn thumbnail(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let id: PhotoId = request.id("id")?;
    let (file, is_public) = attachments::photo(&web.ctx, &request.actor(), id).await?;
    if !file.has_thumbnail {
        return Err(PageError::NotFound);
    }
    let version = version(&file.stored, "-small");
    let name = file.name.clone().of_kind(FileKind::Jpeg);
    let cache_control = if is_public { REVALIDATE } else { REVALIDATE_PRIVATE };
    let handed_out = ServedFile { version, kind: FileKind::Jpeg, name: &name, cache_control };
    serve_file(request, handed_out, async { opened(web.files.open_thumbnail(&file.stored).await) }).await
}

async fn whole(
    web: &Web,
    request: &PageRequest,
    file: &StoredFile,
    is_public: bool,
) -> Result<PageResponse, PageError> {
    let cache_control = if is_public { REVALIDATE } else { REVALIDATE_PRIVATE };
    let version = version(&file.stored, "");
    let handed_out = ServedFile { version, kind: file.kind, name: &file.name, cache_control };
    serve_file(request, handed_out, async { opened(web.files.open(&file.stored).await) }).await
}

/// A stored file never changes, so its random name is its version.
fn version(stored: &StoredName, part: &str) -> Version {
    Version(format!("{}{part}", stored.as_str().replace('.', "-")))
}

/// A file that has a row but is missing on disk is `NotFound`.
fn opened(opened: io::Result<OpenedFile>) -> Result<OpenedFile, PageError> {
    opened.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => PageError::NotFound,
        _ => PageError::internal(error),
    })
}

pub(super) async fn add_one_document(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let (id, request_id): (EquipmentId, _) = (request.id("id")?, request_id(request)?);
    let mut parser = FormParser::new(&request.form);
    let category = parser.read("category", str::parse::<DocumentCategory>)?;
    let title = parser.read_if_any("document_title", DocumentTitle::parse)?;
    let mut files = Vec::new();
    let status = match request.uploads.refused() {
        Some((status, error)) => {
            parser.errors.push(error.clone());
            *status
        }
        None => StatusCode::UNPROCESSABLE_ENTITY,
    };
    if parser.errors.is_empty() {
        files = request.uploads.entrust();
    }
    let (Some(category), Some(title), Some(file)) = (category, title, files.first()) else {
        if parser.errors.is_empty() {
            let message = "Please choose a file.".into();
            parser.errors.push(FieldError { field: Some("document"), message });
        }
        return shown_again(web, request, (status, &parser.errors)).await;
    };
    let title = match title {
        Some(title) => title,
        None => DocumentTitle::parse(file.name.as_str()).map_err(PageError::internal)?,
    };
    let add = AddDocument { equipment: id, category, title, file: file.clone(), request_id };
    let done = settled(web, &files, add_document(&web.ctx, &request.actor(), &add).await).await;
    done_or_back(web, request, (done.map(|_| ()), "documents")).await
}

pub(super) async fn add_photos(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let (id, request_id): (EquipmentId, _) = (request.id("id")?, request_id(request)?);
    if let Some((status, error)) = request.uploads.refused() {
        return shown_again(web, request, (*status, std::slice::from_ref(error))).await;
    }
    let files = request.uploads.entrust();
    if files.is_empty() {
        let error = FieldError { field: Some("photos"), message: "Please choose a photo or video.".into() };
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return shown_again(web, request, (status, &[error])).await;
    }
    let done = add_equipment_photos(&web.ctx, &request.actor(), (id, &files), &request_id).await;
    let done = settled(web, &files, done).await;
    done_or_back(web, request, (done.map(|_| ()), "pictures")).await
}

pub(super) async fn remove_one_document(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let (id, document): (EquipmentId, DocumentId) = (request.id("id")?, request.id("document")?);
    let gone = remove_document(&web.ctx, &request.actor(), (id, document), &request_id(request)?).await?;
    if let Some(stored) = gone.stored() {
        web.files.remove(&stored).await;
    }
    see_other(&format!("/equipment/{id}#documents"))
}

pub(super) async fn remove_one_photo(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let (id, photo): (EquipmentId, PhotoId) = (request.id("id")?, request.id("photo")?);
    let gone = remove_equipment_photo(&web.ctx, &request.actor(), (id, photo), &request_id(request)?).await?;
    if let Some(stored) = gone.stored() {
        web.files.remove(&stored).await;
    }
    see_other(&format!("/equipment/{id}#pictures"))
}
