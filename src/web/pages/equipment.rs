//! `/equipment/{id}`: equipment with its links, notes and history, for technicians and staff.

use super::PHOTOS;
use super::form_parser::{FormParser, csrf_token, hidden, new_request_id, page_number, request_id, why};
use crate::domain::actor::Role;
use crate::domain::file::{Accepts, DocumentCategory, PICTURE_MAX, size_words};
use crate::domain::ids::{EquipmentId, LinkId, NoteId};
use crate::domain::text::{EquipmentNote, LinkTitle, LinkUrl};
use crate::ops::OpError;
use crate::ops::equipment::links::{AddLink, add_link, remove_link};
use crate::ops::equipment::list::equipment;
use crate::ops::equipment::notes::{AddNote, add_note, remove_note};
use crate::render::html::{EquipmentPage, Field, FieldError, Input};
use crate::web::Web;
use crate::web::kernel::fields::FieldsError;
use crate::web::kernel::response::{html_with_forms, see_other};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use http::StatusCode;

pub(super) async fn show(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let page = page_number(&request.query()?)?;
    shown(web, request, page, (StatusCode::OK, &[])).await
}

/// Renders the page; a rejected form on it is shown again with its text.
async fn shown(
    web: &Web,
    request: &PageRequest,
    page: u64,
    (status, errors): (StatusCode, &[FieldError]),
) -> Result<PageResponse, PageError> {
    let view = equipment(&web.ctx, &request.actor(), request.id("id")?, page).await?;
    let viewer = request.account()?;
    let (csrf_token, request_id) = (csrf_token(web, request), new_request_id());
    let page = EquipmentPage {
        equipment: &view,
        viewer: viewer.id,
        is_staff: viewer.role == Role::Staff,
        hidden: hidden(&csrf_token, &request_id),
        note: &[note_field(request)?],
        link: &link_fields(request)?,
        document: &document_fields(web, request)?,
        photos: &[photos_field(web)],
        errors,
    };
    let page = web.html(request).equipment(&page).map_err(PageError::internal)?;
    html_with_forms(web, request, status, page)
}

fn note_field(request: &PageRequest) -> Result<Field, FieldsError> {
    Ok(Field::lines("text", "New note", request.form.typed("text")?)
        .hint("What the next person should know. Technicians and staff see it, members do not."))
}

fn link_fields(request: &PageRequest) -> Result<[Field; 2], FieldsError> {
    let title = Field::line("title", "Title of a new link", request.form.typed("title")?);
    Ok([title, Field::new("url", "Address", Input::Line("url"), request.form.typed("url")?).verbatim()])
}

fn document_fields(web: &Web, request: &PageRequest) -> Result<[Field; 3], FieldsError> {
    let accepts = Accepts::Documents;
    let categories = DocumentCategory::ALL.map(DocumentCategory::word);
    let category = Field::choice("category", "What it is", categories, request.form.typed("category")?);
    let title = Field::line("document_title", "Title", request.form.typed("document_title")?)
        .optional()
        .hint("If empty, the file's name.");
    let input = Input::File { accept: accepts.offered(), several: false };
    let hint = format!("{}; up to {}.", accepts.words(), size_words(web.files.limit()));
    let file = Field::new("document", "File", input, "").hint(hint);
    Ok([category, title, file])
}

fn photos_field(web: &Web) -> Field {
    let accepts = Accepts::PhotosAndVideos;
    let sizes = (size_words(PICTURE_MAX.min(web.files.limit())), size_words(web.files.limit()));
    let input = Input::File { accept: accepts.offered(), several: true };
    let hint = format!("Up to {PHOTOS}: photos up to {}, videos up to {}.", sizes.0, sizes.1);
    Field::new("photos", "New photos and videos", input, "").hint(hint)
}

pub(super) async fn write_note(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let (id, request_id): (EquipmentId, _) = (request.id("id")?, request_id(request)?);
    let mut parser = FormParser::new(&request.form);
    let text = parser.read("text", EquipmentNote::parse)?;
    let Some(text) = text else { return back(web, request, parser.errors).await };
    let add = AddNote { equipment: id, text, request_id };
    let done = add_note(&web.ctx, &request.actor(), &add).await;
    done_or_back(web, request, (done.map(|_| ()), "notes")).await
}

pub(super) async fn write_link(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let (id, request_id): (EquipmentId, _) = (request.id("id")?, request_id(request)?);
    let mut parser = FormParser::new(&request.form);
    let (title, url) = (parser.read("title", LinkTitle::parse)?, parser.read("url", LinkUrl::parse)?);
    let (Some(title), Some(url)) = (title, url) else {
        return back(web, request, parser.errors).await;
    };
    let add = AddLink { equipment: id, title, url, request_id };
    let done = add_link(&web.ctx, &request.actor(), &add).await;
    done_or_back(web, request, (done.map(|_| ()), "links")).await
}

pub(super) async fn remove_one_note(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let (id, note): (EquipmentId, NoteId) = (request.id("id")?, request.id("note")?);
    remove_note(&web.ctx, &request.actor(), (id, note), &request_id(request)?).await?;
    see_other(&format!("/equipment/{id}#notes"))
}

pub(super) async fn remove_one_link(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let (id, link): (EquipmentId, LinkId) = (request.id("id")?, request.id("link")?);
    remove_link(&web.ctx, &request.actor(), (id, link), &request_id(request)?).await?;
    see_other(&format!("/equipment/{id}#links"))
}

async fn back(web: &Web, request: &PageRequest, errors: Vec<FieldError>) -> Result<PageResponse, PageError> {
    shown(web, request, 1, (StatusCode::UNPROCESSABLE_ENTITY, &errors)).await
}

/// The page with a rejected form: what was typed, and the error.
pub(super) async fn shown_again(
    web: &Web,
    request: &PageRequest,
    why: (StatusCode, &[FieldError]),
) -> Result<PageResponse, PageError> {
    shown(web, request, 1, why).await
}

pub(super) async fn done_or_back(
    web: &Web,
    request: &PageRequest,
    (done, part): (Result<(), OpError>, &str),
) -> Result<PageResponse, PageError> {
    match done {
        Ok(()) => see_other(&format!("/equipment/{}#{part}", request.id::<EquipmentId>("id")?)),
        Err(error) => {
            let (status, errors) = why(error)?;
            shown(web, request, 1, (status, &errors)).await
        }
    }
}
