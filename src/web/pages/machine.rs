//! `/equipment/{id}`: a machine with its links, notes and history, for technicians and staff.

use super::PHOTOS;
use super::typed::{Typed, csrf_token, hidden, new_request_id, page_number, request_id, why};
use crate::domain::actor::Role;
use crate::domain::file::{Accepts, DocumentCategory, PICTURE_MAX, size_words};
use crate::domain::ids::{EquipmentId, LinkId, NoteId};
use crate::domain::text::{EquipmentNote, LinkTitle, LinkUrl};
use crate::ops::OpError;
use crate::ops::equipment_links::{AddLink, add_link, remove_link};
use crate::ops::equipment_notes::{AddNote, add_note, remove_note};
use crate::ops::registry::machine;
use crate::render::html::{Field, FieldError, Input, MachinePage};
use crate::web::Web;
use crate::web::kernel::answer::{html_with_forms, see_other};
use crate::web::kernel::fields::FieldsError;
use crate::web::kernel::{Answer, Call, PageError};
use http::StatusCode;

pub(super) async fn show(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let page = page_number(&call.query()?)?;
    shown(web, call, page, (StatusCode::OK, &[])).await
}

/// The page; forms on it come back with what was typed into them.
async fn shown(
    web: &Web,
    call: &Call,
    page: u64,
    (status, errors): (StatusCode, &[FieldError]),
) -> Result<Answer, PageError> {
    let view = machine(&web.ctx, &call.actor(), call.id("id")?, page).await?;
    let viewer = call.account()?;
    let (csrf_token, request_id) = (csrf_token(web, call), new_request_id());
    let page = MachinePage {
        machine: &view,
        viewer: viewer.id,
        is_staff: viewer.role == Role::Staff,
        hidden: hidden(&csrf_token, &request_id),
        note: &[note_field(call)?],
        link: &link_fields(call)?,
        document: &document_fields(web, call)?,
        photos: &[photos_field(web)],
        errors,
    };
    let page = web.html(call).machine(&page).map_err(PageError::internal)?;
    html_with_forms(web, call, status, page)
}

fn note_field(call: &Call) -> Result<Field, FieldsError> {
    Ok(Field {
        name: "text",
        label: "New note",
        hint: "What the next person should know. Technicians and staff see it, members do not.".into(),
        input: Input::Lines,
        value: call.form.typed("text")?.to_owned(),
        required: true,
    })
}

fn link_fields(call: &Call) -> Result<[Field; 2], FieldsError> {
    let field = |name, label, input| -> Result<Field, FieldsError> {
        let value = call.form.typed(name)?.to_owned();
        Ok(Field { name, label, hint: "".into(), input: Input::Line(input), value, required: true })
    };
    Ok([field("title", "Title of a new link", "text")?, field("url", "Address", "url")?])
}

fn document_fields(web: &Web, call: &Call) -> Result<[Field; 3], FieldsError> {
    let words =
        DocumentCategory::ALL.map(|category| (category.word().to_owned(), category.word().to_owned()));
    let accepts = Accepts::Documents;
    let category = Field {
        name: "category",
        label: "What it is",
        hint: "".into(),
        input: Input::Choice(words.into()),
        value: call.form.typed("category")?.to_owned(),
        required: true,
    };
    let title = Field {
        name: "document_title",
        label: "Title",
        hint: "Left empty, the name of the file.".into(),
        input: Input::Line("text"),
        value: call.form.typed("document_title")?.to_owned(),
        required: false,
    };
    let file = Field {
        name: "document",
        label: "File",
        hint: format!("{}; up to {}.", accepts.words(), size_words(web.files.limit())).into(),
        input: Input::File { accept: accepts.offered(), several: false },
        value: String::new(),
        required: true,
    };
    Ok([category, title, file])
}

fn photos_field(web: &Web) -> Field {
    let accepts = Accepts::PhotosAndVideos;
    let sizes = (size_words(PICTURE_MAX.min(web.files.limit())), size_words(web.files.limit()));
    Field {
        name: "photos",
        label: "New photos and videos",
        hint: format!("Up to {PHOTOS}: photos up to {}, videos up to {}.", sizes.0, sizes.1).into(),
        input: Input::File { accept: accepts.offered(), several: true },
        value: String::new(),
        required: true,
    }
}

pub(super) async fn write_note(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let (id, request_id): (EquipmentId, _) = (call.id("id")?, request_id(call)?);
    let mut typed = Typed::new(&call.form);
    let text = typed.read("text", EquipmentNote::parse)?;
    let Some(text) = text else { return back(web, call, typed.errors).await };
    let add = AddNote { equipment: id, text, request_id };
    let done = add_note(&web.ctx, &call.actor(), &add).await;
    done_or_back(web, call, (done.map(|_| ()), "notes")).await
}

pub(super) async fn write_link(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let (id, request_id): (EquipmentId, _) = (call.id("id")?, request_id(call)?);
    let mut typed = Typed::new(&call.form);
    let (title, url) = (typed.read("title", LinkTitle::parse)?, typed.read("url", LinkUrl::parse)?);
    let (Some(title), Some(url)) = (title, url) else {
        return back(web, call, typed.errors).await;
    };
    let add = AddLink { equipment: id, title, url, request_id };
    let done = add_link(&web.ctx, &call.actor(), &add).await;
    done_or_back(web, call, (done.map(|_| ()), "links")).await
}

pub(super) async fn remove_one_note(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let (id, note): (EquipmentId, NoteId) = (call.id("id")?, call.id("note")?);
    remove_note(&web.ctx, &call.actor(), (id, note), &request_id(call)?).await?;
    see_other(&format!("/equipment/{id}#notes"))
}

pub(super) async fn remove_one_link(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let (id, link): (EquipmentId, LinkId) = (call.id("id")?, call.id("link")?);
    remove_link(&web.ctx, &call.actor(), (id, link), &request_id(call)?).await?;
    see_other(&format!("/equipment/{id}#links"))
}

async fn back(web: &Web, call: &Call, errors: Vec<FieldError>) -> Result<Answer, PageError> {
    shown(web, call, 1, (StatusCode::UNPROCESSABLE_ENTITY, &errors)).await
}

/// The page again, with what was typed and why it comes back.
pub(super) async fn shown_again(
    web: &Web,
    call: &Call,
    why: (StatusCode, &[FieldError]),
) -> Result<Answer, PageError> {
    shown(web, call, 1, why).await
}

pub(super) async fn done_or_back(
    web: &Web,
    call: &Call,
    (done, part): (Result<(), OpError>, &str),
) -> Result<Answer, PageError> {
    match done {
        Ok(()) => see_other(&format!("/equipment/{}#{part}", call.id::<EquipmentId>("id")?)),
        Err(error) => {
            let (status, errors) = why(error)?;
            shown(web, call, 1, (status, &errors)).await
        }
    }
}
