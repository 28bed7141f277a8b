//! `/admin/config`: the settings that staff edit.

use super::form_parser::{csrf_token, hidden, new_request_id, request_id, version, why};
use crate::domain::setting::{Kind, SETTINGS, Setting};
use crate::domain::text::RequestId;
use crate::ops::settings::{SettingInput, change_settings, settings};
use crate::render::html::{Field, FieldError, FormPage, Group, Input};
use crate::views::records::SettingValue;
use crate::web::Web;
use crate::web::kernel::fields::FieldsError;
use crate::web::kernel::response::{html_with_forms, see_other};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use http::StatusCode;

/// The check box that removes a secret.
const FORGET: &str = "wifi_password_forget";

/// A setting as shown to staff: key, label, hint.
type Shown = (&'static str, &'static str, &'static str);

/// The settings by group.
const SHOWN: [(&str, &[Shown]); 5] = [
    (
        "What is announced in Slack",
        &[
            ("notify_new_report", "New reports", "A repair is created."),
            ("notify_resolved", "Closings", "A repair is closed."),
            ("notify_severity_changed", "Severity", "It changes, or a safety risk is noted."),
            ("notify_status_changed", "Status", "It changes while open, or a repair is reopened."),
            ("notify_assignee_changed", "Assignee", "Somebody else is working on it."),
            ("notify_eta_updated", "ETA", "It is set, changed or cleared."),
        ],
    ),
    (
        "How Slack is used",
        &[
            (
                "slack_thread_updates",
                "One card per repair and channel, updates in its thread",
                "If off, each update is a separate message. Existing cards stay up to date.",
            ),
            (
                "slack_reactions",
                "Reactions",
                "Eyes on a card claim its repair, a check mark offers to close it.",
            ),
        ],
    ),
    (
        "What technicians may do",
        &[("tech_doc_edit_enabled", "Edit links, documents and photos of machines", "Staff always may.")],
    ),
    (
        "WiFi on labels",
        &[
            ("wifi_ssid", "Network name", "At most 32 bytes."),
            (
                "wifi_password",
                "Password",
                "8 to 63 characters. It is never shown again; left empty it stays.",
            ),
            ("wifi_info_default", "On a new label", ""),
        ],
    ),
    (
        "Banner and maintenance",
        &[
            ("banner", "Banner", "Begin with “info:” or “warn:”."),
            ("banner_from", "Shown from", ""),
            ("banner_until", "Shown until", ""),
            (
                "maintenance",
                "Maintenance",
                "In Slack, members and technicians see a notice and cannot change anything. Staff can.",
            ),
        ],
    ),
];

pub(super) async fn show(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let view = settings(&web.ctx, &request.actor()).await?;
    let done = if request.query()?.ticked("saved")? { "Saved." } else { "" };
    let seen = PageState { version: view.version, request_id: &new_request_id(), done };
    page(web, request, &view.values, seen, (StatusCode::OK, &[]))
}

struct PageState<'a> {
    version: i64,
    request_id: &'a RequestId,
    done: &'a str,
}

fn page(
    web: &Web,
    request: &PageRequest,
    values: &[SettingValue],
    seen: PageState<'_>,
    (status, errors): (StatusCode, &[FieldError]),
) -> Result<PageResponse, PageError> {
    let groups = SHOWN.map(|(legend, shown)| {
        let fields = shown.iter().flat_map(|shown| fields(values, shown)).collect();
        Group { legend, fields }
    });
    let csrf_token = csrf_token(web, request);
    let form = FormPage {
        title: "Settings",
        lead: "They hold at once. This version heeds what is announced, what technicians may do and, in Slack, maintenance; \
               the others are kept for what is not built yet.",
        back: ("/", "Board"),
        action: "/admin/config",
        hidden: hidden(&csrf_token, seen.request_id),
        version: Some(seen.version),
        groups: &groups,
        errors,
        submit: "Save",
        done: seen.done,
        ..FormPage::EMPTY
    };
    let page = web.html(request).form(&form).map_err(PageError::internal)?;
    html_with_forms(web, request, status, page)
}

/// The field of a setting; a secret that is set also has a check box to remove it.
fn fields(values: &[SettingValue], (key, label, hint): &Shown) -> Vec<Field> {
    let Some(known) = values.iter().find(|value| value.setting.key == *key) else { return Vec::new() };
    let field = |name, label, hint, input, value| Field {
        required: matches!(known.setting.kind, Kind::Choice(_)),
        ..Field::new(name, label, input, value).hint(hint)
    };
    let name = known.setting.key;
    let value = known.value.clone();
    let (input, value) = match known.setting.kind {
        Kind::Switch { .. } => (Input::Tick, if value == "true" { "1".to_owned() } else { String::new() }),
        Kind::Line { .. } | Kind::Banner { .. } => (Input::Line("text"), value),
        Kind::Secret { .. } => (Input::Line("password"), String::new()),
        Kind::Choice(words) => {
            (Input::Choice(words.iter().map(|word| (word.to_string(), word.to_string())).collect()), value)
        }
        Kind::Moment => (Input::Line("datetime-local"), value),
    };
    let mut all = vec![field(name, *label, *hint, input, value)];
    if known.setting.is_secret() && known.is_set {
        all.push(field(FORGET, "Forget the password", "It is set.", Input::Tick, String::new()));
    }
    all
}

/// The typed value of a setting; `None` for a secret that stays unchanged.
fn typed(request: &PageRequest, setting: &'static Setting) -> Result<Option<String>, FieldsError> {
    let typed = request.form.typed(setting.key)?;
    Ok(match setting.kind {
        Kind::Switch { .. } => Some(request.form.ticked(setting.key)?.to_string()),
        Kind::Secret { .. } if request.form.ticked(FORGET)? => Some(String::new()),
        Kind::Secret { .. } if typed.is_empty() => None,
        _ => Some(typed.to_owned()),
    })
}

pub(super) async fn save(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let (version, request_id) = (version(request)?, request_id(request)?);
    let (mut wanted, mut values, mut errors): (Vec<SettingInput>, Vec<SettingValue>, Vec<FieldError>) =
        Default::default();
    for setting in SETTINGS {
        let typed = typed(request, setting)?;
        match typed.as_deref().map(|typed| setting.parse(typed)) {
            Some(Ok(value)) => wanted.push((setting, value)),
            Some(Err(error)) => {
                errors.push(FieldError { field: Some(setting.key), message: error.to_string() });
            }
            None => {}
        }
        values.push(SettingValue { setting, is_set: false, value: typed.unwrap_or_default() });
    }
    if !errors.is_empty() {
        let seen = PageState { version, request_id: &request_id, done: "" };
        return page(web, request, &values, seen, (StatusCode::UNPROCESSABLE_ENTITY, &errors));
    }
    match change_settings(&web.ctx, &request.actor(), version, &wanted, &request_id).await {
        Ok(()) => see_other("/admin/config?saved=1"),
        Err(error) => {
            let (status, errors) = why(error)?;
            let version = settings(&web.ctx, &request.actor()).await?.version;
            let seen = PageState { version, request_id: &request_id, done: "" };
            page(web, request, &values, seen, (status, &errors))
        }
    }
}
