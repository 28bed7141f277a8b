//! `/admin/users` and the pages of one user: for staff.

use super::form_parser::{FormParser, page_number};
use super::forms::{hidden, new_request_id, refused, request_id};
use crate::domain::actor::{Role, SlackUserId};
use crate::domain::ids::UserId;
use crate::domain::text::{EmailAddress, RequestId, SlackHandle, Username};
use crate::ops::accounts::manage_users::{self, CreateUser, EditUser, PAGE_SIZE, UserCreated};
use crate::ops::accounts::slack_link::{self, SlackLinkChange};
use crate::ops::accounts::temporary_password::PasswordHandover;
use crate::ops::{OpError, Refusal};
use crate::render::html::{FieldError, SecretPage, UserForm, UserPage, UsersPage};
use crate::views::account::UserDetails;
use crate::web::Web;
use crate::web::kernel::fields::FieldsError;
use crate::web::kernel::response::{html_with_forms, see_other};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use http::StatusCode;
use secrecy::ExposeSecret;

/// How to hand over a temporary password.
const HAND_OVER: &str = "This is the temporary password. It is shown only now: hand it over in person or in a \
                         private message. At the first log-in it must be changed.";

pub(super) async fn list(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let form = UserForm { role: Role::Technician.word().into(), ..UserForm::default() };
    list_page(web, request, StatusCode::OK, &form, &[], &new_request_id()).await
}

async fn list_page(
    web: &Web,
    request: &PageRequest,
    status: StatusCode,
    form: &UserForm,
    errors: &[FieldError],
    request_id: &RequestId,
) -> Result<PageResponse, PageError> {
    let page = page_number(&request.query()?)?;
    let users = manage_users::users(&web.ctx, &request.actor(), page).await?;
    let pages = users.count.div_ceil(PAGE_SIZE).max(1);
    if !(1..=pages).contains(&page) {
        return Err(PageError::NotFound);
    }
    let csrf_token = web.browsers.token(&request.browser);
    let hidden = hidden(&csrf_token, Some(request_id));
    let page = UsersPage { users: &users, page, pages, form, errors, hidden };
    let page = web.html(request).users(&page).map_err(PageError::internal)?;
    html_with_forms(web, request, status, page)
}

pub(super) async fn create(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let request_id = request_id(request)?;
    let (form, mut parser) = (typed(request)?, FormParser::new(&request.form));
    let username = parser.read("username", Username::parse)?;
    let (email, role, slack_handle) = details(&mut parser)?;
    let (Some(username), Some(email), Some(role), Some(slack_handle)) = (username, email, role, slack_handle)
    else {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return list_page(web, request, status, &form, &parser.errors, &request_id).await;
    };
    let (show_here, for_user) = (form.show_here, request_id.clone());
    let create = CreateUser { username, email, role, slack_handle, show_here, request_id: for_user };
    match manage_users::create_user(&web.ctx, &request.actor(), create).await {
        Ok(UserCreated::Now(id, handed_over)) => {
            let heading = format!("{} is added", form.username.trim());
            handed_over_page(web, request, &heading, &handed_over, id)
        }
        Ok(UserCreated::Before(id)) => {
            let advice = "The temporary password was shown or sent then. If nobody has it, create a new one.";
            secret_page(
                web,
                request,
                "The user was added before",
                None,
                advice,
                &format!("/admin/users/{id}"),
            )
        }
        Err(OpError::Refused(refusal)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            list_page(web, request, status, &form, &[refused(refusal)], &request_id).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Says how a temporary password was handed over, with a link to the user's page.
fn handed_over_page(
    web: &Web,
    request: &PageRequest,
    heading: &str,
    how: &PasswordHandover,
    id: UserId,
) -> Result<PageResponse, PageError> {
    let back = format!("/admin/users/{id}");
    match how {
        PasswordHandover::Here(password) => {
            secret_page(web, request, heading, Some(password.expose_secret()), HAND_OVER, &back)
        }
        PasswordHandover::InSlack { name } => {
            let advice = format!(
                "The temporary password is sent to {name} by direct message in Slack and shown nowhere else. At \
                 the first log-in it must be changed. The user’s page says whether it has arrived."
            );
            secret_page(web, request, heading, None, &advice, &back)
        }
    }
}

/// Shows a secret once; later says that it was shown.
pub(super) fn secret_page(
    web: &Web,
    request: &PageRequest,
    heading: &str,
    secret: Option<&str>,
    advice: &str,
    back: &str,
) -> Result<PageResponse, PageError> {
    let page = web.html(request).secret(&SecretPage { heading, secret, advice, back });
    html_with_forms(web, request, StatusCode::OK, page.map_err(PageError::internal)?)
}

fn typed(request: &PageRequest) -> Result<UserForm, PageError> {
    Ok(UserForm {
        username: request.form.typed("username")?.to_owned(),
        email: request.form.typed("email")?.to_owned(),
        role: request.form.typed("role")?.to_owned(),
        slack_handle: request.form.typed("slack_handle")?.to_owned(),
        show_here: shows_here(request)?,
    })
}

/// Whether to show a temporary password here, even if Slack could deliver it.
fn shows_here(request: &PageRequest) -> Result<bool, PageError> {
    Ok(!request.form.typed("show_here")?.is_empty())
}

/// The shared fields of the forms for new and existing users.
type Details = (Option<EmailAddress>, Option<Role>, Option<Option<SlackHandle>>);

fn details(parser: &mut FormParser<'_>) -> Result<Details, FieldsError> {
    let email = parser.read("email", EmailAddress::parse)?;
    let role = parser.read("role", |word| Role::of_word(word).ok_or("Please choose one of the two."))?;
    Ok((email, role, parser.read_optional_text("slack_handle", SlackHandle::parse)?))
}

pub(super) async fn show(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let details = manage_users::user(&web.ctx, &request.actor(), request.id("id")?).await?;
    let user = &details.user;
    let form = UserForm {
        email: user.email.clone(),
        role: user.role.word().into(),
        slack_handle: user.slack_handle.clone(),
        ..UserForm::default()
    };
    page(web, request, StatusCode::OK, &details, &form, &[])
}

fn page(
    web: &Web,
    request: &PageRequest,
    status: StatusCode,
    details: &UserDetails,
    form: &UserForm,
    errors: &[FieldError],
) -> Result<PageResponse, PageError> {
    let csrf_token = web.browsers.token(&request.browser);
    let request_id = new_request_id();
    let page = UserPage { details, form, errors, hidden: hidden(&csrf_token, Some(&request_id)) };
    let page = web.html(request).user(&page).map_err(PageError::internal)?;
    html_with_forms(web, request, status, page)
}

pub(super) async fn edit(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let details = manage_users::user(&web.ctx, &request.actor(), request.id("id")?).await?;
    let (form, mut parser) = (typed(request)?, FormParser::new(&request.form));
    let (Some(email), Some(role), Some(slack_handle)) = self::details(&mut parser)? else {
        return page(web, request, StatusCode::UNPROCESSABLE_ENTITY, &details, &form, &parser.errors);
    };
    let wanted = EditUser { id: details.user.id, email, role, slack_handle };
    match manage_users::edit_user(&web.ctx, &request.actor(), wanted, &request.account()?.session).await {
        Ok(()) => see_other("/admin/users"),
        Err(OpError::Refused(refusal)) => {
            page(web, request, StatusCode::UNPROCESSABLE_ENTITY, &details, &form, &[refused(refusal)])
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn activate(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    set_active(web, request, true).await
}

pub(super) async fn deactivate(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    set_active(web, request, false).await
}

async fn set_active(web: &Web, request: &PageRequest, active: bool) -> Result<PageResponse, PageError> {
    let id: UserId = request.id("id")?;
    back_to_user(manage_users::set_active(&web.ctx, &request.actor(), id, active).await, id)
}

pub(super) async fn unlink_slack(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let change = slack_link_change(request)?;
    let unlinked = slack_link::unlink(&web.ctx, &request.actor(), &change).await;
    back_to_user(unlinked, change.user)
}

pub(super) async fn allow_slack(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let change = slack_link_change(request)?;
    let allowed = slack_link::allow_link(&web.ctx, &request.actor(), &change).await;
    back_to_user(allowed, change.user)
}

fn slack_link_change(request: &PageRequest) -> Result<SlackLinkChange, PageError> {
    let person = SlackUserId(request.form.required("person")?.to_owned());
    Ok(SlackLinkChange { user: request.id("id")?, person, request_id: request_id(request)? })
}

/// Redirects to the user's page, or shows why nothing changed.
fn back_to_user(done: Result<(), OpError>, id: UserId) -> Result<PageResponse, PageError> {
    match done {
        Ok(()) => see_other(&format!("/admin/users/{id}")),
        Err(OpError::Refused(Refusal { message, .. })) => Err(PageError::Refused { message }),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn reset_password(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let (id, actor): (UserId, _) = (request.id("id")?, request.actor());
    let user = manage_users::user(&web.ctx, &actor, id).await?.user;
    let (show_here, kept) = (shows_here(request)?, &request.account()?.session);
    let handed_over = manage_users::reset_password(&web.ctx, &actor, id, show_here, kept).await?;
    let heading = format!("{} has a new password", user.username);
    handed_over_page(web, request, &heading, &handed_over, id)
}
