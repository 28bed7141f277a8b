//! `/admin/areas`: their order and channels, archiving and restoring.

use super::form_parser::{FormParser, csrf_token, hidden, new_request_id, request_id, version, why};
use crate::domain::area::AreaDetails;
use crate::domain::channel::ChannelRef;
use crate::domain::ids::AreaId;
use crate::domain::text::{AreaName, RequestId};
use crate::ops::equipment::areas::{areas, create_area, edit_area, set_area_archived};
use crate::render::html::{AreasPage, Field, FieldError, FormPage, Group, Input};
use crate::views::records::AreaRow;
use crate::web::Web;
use crate::web::kernel::fields::FieldsError;
use crate::web::kernel::response::{html_with_forms, see_other};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use http::StatusCode;

const LIST: &str = "/admin/areas";
/// Largest absolute value of an area's sort order.
const ORDER_MAX: i64 = 1_000_000;

fn fields(values: [String; 3]) -> Vec<Field> {
    let [name, channel, order] = values;
    vec![
        Field::line("name", "Name", name),
        Field::line("slack_channel", "Slack channel", channel).optional().hint(
            "Such as #woodshop, or the channel's link. Updates for this area are posted there. Invite the bot first.",
        ),
        Field::new("sort_order", "Order", Input::Line("number"), order)
            .optional()
            .hint("A whole number; lower ones come first."),
    ]
}

fn typed_values(request: &PageRequest) -> Result<[String; 3], FieldsError> {
    let value = |name| request.form.typed(name).map(str::to_owned);
    Ok([value("name")?, value("slack_channel")?, value("sort_order")?])
}

fn details(parser: &mut FormParser<'_>) -> Result<Option<AreaDetails>, FieldsError> {
    let order = |text: &str| match text.parse() {
        Ok(order) if (-ORDER_MAX..=ORDER_MAX).contains(&order) => Ok(order),
        _ => Err("Please write a whole number, at most a million."),
    };
    let name = parser.read("name", AreaName::parse)?;
    let slack_channel = parser.read_if_any("slack_channel", ChannelRef::read)?;
    let sort_order = parser.read_if_any("sort_order", order)?;
    let whole = || {
        let sort_order = sort_order?.unwrap_or(0);
        Some(AreaDetails { name: name?, slack_channel: slack_channel?, sort_order })
    };
    Ok(whole())
}

pub(super) async fn show(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    list(web, request, (StatusCode::OK, &[]), &new_request_id()).await
}

async fn list(
    web: &Web,
    request: &PageRequest,
    (status, errors): (StatusCode, &[FieldError]),
    request_id: &RequestId,
) -> Result<PageResponse, PageError> {
    let view = areas(&web.ctx, &request.actor()).await?;
    let csrf_token = csrf_token(web, request);
    let of_each = view.live.iter().chain(&view.archived);
    let request_ids: Vec<String> = of_each.map(|_| new_request_id().as_str().to_owned()).collect();
    let page = AreasPage {
        areas: &view,
        hidden: hidden(&csrf_token, request_id),
        request_ids: &request_ids,
        fields: &fields(typed_values(request)?),
        errors,
    };
    let page = web.html(request).areas(&page).map_err(PageError::internal)?;
    html_with_forms(web, request, status, page)
}

pub(super) async fn create(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let request_id = request_id(request)?;
    let mut parser = FormParser::new(&request.form);
    let (status, errors) = match details(&mut parser)? {
        None => (StatusCode::UNPROCESSABLE_ENTITY, parser.errors),
        Some(new) => match create_area(&web.ctx, &request.actor(), &new, &request_id).await {
            Ok(_) => return see_other(LIST),
            Err(error) => why(error)?,
        },
    };
    list(web, request, (status, &errors), &request_id).await
}

async fn find(web: &Web, request: &PageRequest) -> Result<AreaRow, PageError> {
    let id: AreaId = request.id("id")?;
    let view = areas(&web.ctx, &request.actor()).await?;
    view.live.into_iter().chain(view.archived).find(|area| area.id == id).ok_or(PageError::NotFound)
}

pub(super) async fn edit(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let area = find(web, request).await?;
    let values = [area.name.clone(), area.slack_channel.clone(), area.sort_order.to_string()];
    form(web, request, &area, values, (StatusCode::OK, &[]), &new_request_id())
}

fn form(
    web: &Web,
    request: &PageRequest,
    area: &AreaRow,
    values: [String; 3],
    (status, errors): (StatusCode, &[FieldError]),
    request_id: &RequestId,
) -> Result<PageResponse, PageError> {
    let csrf_token = csrf_token(web, request);
    let form = FormPage {
        title: &format!("Edit {}", area.name),
        back: (LIST, "Areas"),
        action: &format!("{LIST}/{}", area.id),
        hidden: hidden(&csrf_token, request_id),
        version: Some(area.version),
        groups: &[Group { legend: "", fields: fields(values) }],
        errors,
        submit: "Save",
        ..FormPage::EMPTY
    };
    let page = web.html(request).form(&form).map_err(PageError::internal)?;
    html_with_forms(web, request, status, page)
}

pub(super) async fn save(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let (id, version, request_id): (AreaId, _, _) =
        (request.id("id")?, version(request)?, request_id(request)?);
    let mut parser = FormParser::new(&request.form);
    let (status, mut errors) = match details(&mut parser)? {
        None => (StatusCode::UNPROCESSABLE_ENTITY, parser.errors),
        Some(new) => match edit_area(&web.ctx, &request.actor(), (id, version), &new, &request_id).await {
            Ok(_) => return see_other(LIST),
            Err(error) => why(error)?,
        },
    };
    let mut area = find(web, request).await?;
    if status == StatusCode::CONFLICT {
        let channel = if area.slack_channel.is_empty() { "no channel" } else { &area.channel_shown };
        let message = format!("On record now: “{}”, {channel}, order {}.", area.name, area.sort_order);
        errors.push(FieldError { field: None, message });
    } else {
        area.version = version;
    }
    form(web, request, &area, typed_values(request)?, (status, &errors), &request_id)
}

pub(super) async fn archive(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    set_archived(web, request, true).await
}

pub(super) async fn restore(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    set_archived(web, request, false).await
}

async fn set_archived(web: &Web, request: &PageRequest, archived: bool) -> Result<PageResponse, PageError> {
    let (id, version, request_id): (AreaId, _, _) =
        (request.id("id")?, version(request)?, request_id(request)?);
    set_area_archived(&web.ctx, &request.actor(), (id, version), archived, &request_id).await?;
    see_other(LIST)
}
