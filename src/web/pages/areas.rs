//! `/admin/areas`: their order and channels, archiving and restoring.

use super::typed::{Typed, csrf_token, hidden, new_request_id, request_id, version, why};
use crate::domain::area::AreaDetails;
use crate::domain::channel::ChannelRef;
use crate::domain::ids::AreaId;
use crate::domain::text::{AreaName, RequestId};
use crate::ops::areas::{areas, create_area, edit_area, set_area_archived};
use crate::render::html::{AreasPage, Field, FieldError, FormPage, Group, Input};
use crate::views::registry::AreaRow;
use crate::web::Web;
use crate::web::kernel::answer::{html_with_forms, see_other};
use crate::web::kernel::fields::FieldsError;
use crate::web::kernel::{Answer, Call, PageError};
use http::StatusCode;
use std::borrow::Cow;

const LIST: &str = "/admin/areas";
/// Furthest place on the board, either way.
const ORDER_MAX: i64 = 1_000_000;

fn fields(values: [String; 3]) -> Vec<Field> {
    let [name, channel, order] = values;
    let field = |name, label, hint, input, value| Field {
        name,
        label,
        hint: Cow::Borrowed(hint),
        input: Input::Line(input),
        value,
        required: name == "name",
    };
    vec![
        field("name", "Name", "", "text", name),
        field(
            "slack_channel",
            "Slack channel",
            "Such as #woodshop, or the channel's link. Updates for this area are posted there. Invite the bot first.",
            "text",
            channel,
        ),
        field("sort_order", "Order", "A whole number; lower ones come first.", "number", order),
    ]
}

fn typed_values(call: &Call) -> Result<[String; 3], FieldsError> {
    let value = |name| call.form.typed(name).map(str::to_owned);
    Ok([value("name")?, value("slack_channel")?, value("sort_order")?])
}

fn details(typed: &mut Typed<'_>) -> Result<Option<AreaDetails>, FieldsError> {
    let order = |text: &str| match text.parse() {
        Ok(order) if (-ORDER_MAX..=ORDER_MAX).contains(&order) => Ok(order),
        _ => Err("Please write a whole number, at most a million."),
    };
    let name = typed.read("name", AreaName::parse)?;
    let slack_channel = typed.read_if_any("slack_channel", ChannelRef::read)?;
    let sort_order = typed.read_if_any("sort_order", order)?;
    let whole = || {
        let sort_order = sort_order?.unwrap_or(0);
        Some(AreaDetails { name: name?, slack_channel: slack_channel?, sort_order })
    };
    Ok(whole())
}

pub(super) async fn show(web: &Web, call: &Call) -> Result<Answer, PageError> {
    list(web, call, (StatusCode::OK, &[]), &new_request_id()).await
}

async fn list(
    web: &Web,
    call: &Call,
    (status, errors): (StatusCode, &[FieldError]),
    request_id: &RequestId,
) -> Result<Answer, PageError> {
    let view = areas(&web.ctx, &call.actor()).await?;
    let csrf_token = csrf_token(web, call);
    let of_each = view.live.iter().chain(&view.archived);
    let request_ids: Vec<String> = of_each.map(|_| new_request_id().as_str().to_owned()).collect();
    let page = AreasPage {
        areas: &view,
        hidden: hidden(&csrf_token, request_id),
        request_ids: &request_ids,
        fields: &fields(typed_values(call)?),
        errors,
    };
    let page = web.html(call).areas(&page).map_err(PageError::internal)?;
    html_with_forms(web, call, status, page)
}

pub(super) async fn create(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let request_id = request_id(call)?;
    let mut typed = Typed::new(&call.form);
    let (status, errors) = match details(&mut typed)? {
        None => (StatusCode::UNPROCESSABLE_ENTITY, typed.errors),
        Some(new) => match create_area(&web.ctx, &call.actor(), &new, &request_id).await {
            Ok(_) => return see_other(LIST),
            Err(error) => why(error)?,
        },
    };
    list(web, call, (status, &errors), &request_id).await
}

async fn find(web: &Web, call: &Call) -> Result<AreaRow, PageError> {
    let id: AreaId = call.id("id")?;
    let view = areas(&web.ctx, &call.actor()).await?;
    view.live.into_iter().chain(view.archived).find(|area| area.id == id).ok_or(PageError::NotFound)
}

pub(super) async fn edit(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let area = find(web, call).await?;
    let values = [area.name.clone(), area.slack_channel.clone(), area.sort_order.to_string()];
    form(web, call, &area, values, (StatusCode::OK, &[]), &new_request_id())
}

fn form(
    web: &Web,
    call: &Call,
    area: &AreaRow,
    values: [String; 3],
    (status, errors): (StatusCode, &[FieldError]),
    request_id: &RequestId,
) -> Result<Answer, PageError> {
    let csrf_token = csrf_token(web, call);
    let form = FormPage {
        title: &format!("Edit {}", area.name),
        lead: "",
        back: (LIST, "Areas"),
        action: &format!("{LIST}/{}", area.id),
        hidden: hidden(&csrf_token, request_id),
        version: Some(area.version),
        groups: &[Group { legend: "", fields: fields(values) }],
        errors,
        submit: "Save",
        done: "",
    };
    let page = web.html(call).form(&form).map_err(PageError::internal)?;
    html_with_forms(web, call, status, page)
}

pub(super) async fn save(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let (id, version, request_id): (AreaId, _, _) = (call.id("id")?, version(call)?, request_id(call)?);
    let mut typed = Typed::new(&call.form);
    let (status, mut errors) = match details(&mut typed)? {
        None => (StatusCode::UNPROCESSABLE_ENTITY, typed.errors),
        Some(new) => match edit_area(&web.ctx, &call.actor(), (id, version), &new, &request_id).await {
            Ok(_) => return see_other(LIST),
            Err(error) => why(error)?,
        },
    };
    let mut area = find(web, call).await?;
    if status == StatusCode::CONFLICT {
        let channel = if area.slack_channel.is_empty() { "no channel" } else { &area.channel_shown };
        let message = format!("On record now: “{}”, {channel}, order {}.", area.name, area.sort_order);
        errors.push(FieldError { field: None, message });
    } else {
        area.version = version;
    }
    form(web, call, &area, typed_values(call)?, (status, &errors), &request_id)
}

pub(super) async fn archive(web: &Web, call: &Call) -> Result<Answer, PageError> {
    set_archived(web, call, true).await
}

pub(super) async fn restore(web: &Web, call: &Call) -> Result<Answer, PageError> {
    set_archived(web, call, false).await
}

async fn set_archived(web: &Web, call: &Call, archived: bool) -> Result<Answer, PageError> {
    let (id, version, request_id): (AreaId, _, _) = (call.id("id")?, version(call)?, request_id(call)?);
    set_area_archived(&web.ctx, &call.actor(), (id, version), archived, &request_id).await?;
    see_other(LIST)
}
