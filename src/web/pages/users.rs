//! `/admin/users` and the pages of one user: for staff.

use super::forms::{hidden, kept, new_request_id, optional, refused, request_id};
use crate::domain::actor::{Role, SlackUserId};
use crate::domain::ids::UserId;
use crate::domain::text::{EmailAddress, RequestId, SlackHandle, Username};
use crate::ops::manage_users::{self, CreateUser, EditUser, PAGE_SIZE, UserCreated};
use crate::ops::slack_link::{self, SlackLinkChange};
use crate::ops::temporary_password::HandedOver;
use crate::ops::{OpError, Refusal};
use crate::render::html::{FieldError, SecretPage, UserForm, UserPage, UsersPage};
use crate::views::account::UserDetails;
use crate::web::Web;
use crate::web::kernel::answer::{html_with_forms, see_other};
use crate::web::kernel::{Answer, Call, PageError};
use http::StatusCode;
use secrecy::ExposeSecret;

/// What to do with a temporary password.
const HAND_OVER: &str = "This is the temporary password. It is shown only now: hand it over in person or in a \
                         private message. At the first log-in it must be changed.";

pub(super) async fn list(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let form = UserForm { role: Role::Technician.word().into(), ..UserForm::default() };
    list_page(web, call, StatusCode::OK, &form, &[], &new_request_id()).await
}

async fn list_page(
    web: &Web,
    call: &Call,
    status: StatusCode,
    form: &UserForm,
    errors: &[FieldError],
    request_id: &RequestId,
) -> Result<Answer, PageError> {
    let page = match call.query()?.typed("page")? {
        "" => 1,
        page => page.parse().map_err(|_| PageError::NotFound)?,
    };
    let users = manage_users::users(&web.ctx, &call.actor(), page).await?;
    let pages = users.count.div_ceil(PAGE_SIZE).max(1);
    if !(1..=pages).contains(&page) {
        return Err(PageError::NotFound);
    }
    let csrf_token = web.browsers.token(&call.browser);
    let hidden = hidden(&csrf_token, Some(request_id));
    let page = UsersPage { users: &users, page, pages, form, errors, hidden };
    let page = web.html(call).users(&page).map_err(PageError::internal)?;
    html_with_forms(web, call, status, page)
}

pub(super) async fn create(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let request_id = request_id(call)?;
    let (form, mut errors) = (typed(call)?, Vec::new());
    let username = kept(Username::parse(&form.username), "username", &mut errors);
    let (email, role, slack_handle) = checked(&form, &mut errors);
    let (Some(username), Some(email), Some(role), Some(slack_handle)) = (username, email, role, slack_handle)
    else {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return list_page(web, call, status, &form, &errors, &request_id).await;
    };
    let (show_here, request) = (form.show_here, request_id.clone());
    let wanted = CreateUser { username, email, role, slack_handle, show_here, request_id: request };
    match manage_users::create_user(&web.ctx, &call.actor(), wanted).await {
        Ok(UserCreated::Now(id, handed_over)) => {
            let heading = format!("{} is added", form.username.trim());
            handed_over_page(web, call, &heading, &handed_over, id)
        }
        Ok(UserCreated::Before(id)) => {
            let advice =
                "The temporary password was shown or sent then. If nobody has it, give the user a new one.";
            secret_page(web, call, "The user was added before", None, advice, &format!("/admin/users/{id}"))
        }
        Err(OpError::Refused(refusal)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            list_page(web, call, status, &form, &[refused(refusal)], &request_id).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Says how a temporary password was handed over; leads to the user's page.
fn handed_over_page(
    web: &Web,
    call: &Call,
    heading: &str,
    how: &HandedOver,
    id: UserId,
) -> Result<Answer, PageError> {
    let back = format!("/admin/users/{id}");
    match how {
        HandedOver::Here(password) => {
            secret_page(web, call, heading, Some(password.expose_secret()), HAND_OVER, &back)
        }
        HandedOver::InSlack { name } => {
            let advice = format!(
                "The temporary password is sent to {name} by direct message in Slack and shown nowhere else. At \
                 the first log-in it must be changed. The user’s page says whether it has arrived."
            );
            secret_page(web, call, heading, None, &advice, &back)
        }
    }
}

/// Shows a secret, or says that it was shown.
pub(super) fn secret_page(
    web: &Web,
    call: &Call,
    heading: &str,
    secret: Option<&str>,
    advice: &str,
    back: &str,
) -> Result<Answer, PageError> {
    let page = web.html(call).secret(&SecretPage { heading, secret, advice, back });
    html_with_forms(web, call, StatusCode::OK, page.map_err(PageError::internal)?)
}

/// The form as it came.
fn typed(call: &Call) -> Result<UserForm, PageError> {
    Ok(UserForm {
        username: call.form.typed("username")?.to_owned(),
        email: call.form.typed("email")?.to_owned(),
        role: call.form.typed("role")?.to_owned(),
        slack_handle: call.form.typed("slack_handle")?.to_owned(),
        show_here: shows_here(call)?,
    })
}

/// Whether a temporary password is to be shown, also where Slack knows its user.
fn shows_here(call: &Call) -> Result<bool, PageError> {
    Ok(!call.form.typed("show_here")?.is_empty())
}

type Checked = (Option<EmailAddress>, Option<Role>, Option<Option<SlackHandle>>);

/// What of the form can be used; adds why not to `errors`.
fn checked(form: &UserForm, errors: &mut Vec<FieldError>) -> Checked {
    let email = kept(EmailAddress::parse(&form.email), "email", errors);
    let role = Role::of_word(&form.role);
    if role.is_none() {
        errors.push(FieldError { field: Some("role"), message: "Please choose one of the two.".into() });
    }
    (email, role, optional(SlackHandle::parse(&form.slack_handle), "slack_handle", errors))
}

pub(super) async fn show(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let details = manage_users::user(&web.ctx, &call.actor(), call.id("id")?).await?;
    let user = &details.user;
    let form = UserForm {
        email: user.email.clone(),
        role: user.role.word().into(),
        slack_handle: user.slack_handle.clone(),
        ..UserForm::default()
    };
    page(web, call, StatusCode::OK, &details, &form, &[])
}

fn page(
    web: &Web,
    call: &Call,
    status: StatusCode,
    details: &UserDetails,
    form: &UserForm,
    errors: &[FieldError],
) -> Result<Answer, PageError> {
    let csrf_token = web.browsers.token(&call.browser);
    let request_id = new_request_id();
    let page = UserPage { details, form, errors, hidden: hidden(&csrf_token, Some(&request_id)) };
    let page = web.html(call).user(&page).map_err(PageError::internal)?;
    html_with_forms(web, call, status, page)
}

pub(super) async fn edit(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let details = manage_users::user(&web.ctx, &call.actor(), call.id("id")?).await?;
    let (form, mut errors) = (typed(call)?, Vec::new());
    let (Some(email), Some(role), Some(slack_handle)) = checked(&form, &mut errors) else {
        return page(web, call, StatusCode::UNPROCESSABLE_ENTITY, &details, &form, &errors);
    };
    let wanted = EditUser { id: details.user.id, email, role, slack_handle };
    match manage_users::edit_user(&web.ctx, &call.actor(), wanted, &call.account()?.session).await {
        Ok(()) => see_other("/admin/users"),
        Err(OpError::Refused(refusal)) => {
            page(web, call, StatusCode::UNPROCESSABLE_ENTITY, &details, &form, &[refused(refusal)])
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn activate(web: &Web, call: &Call) -> Result<Answer, PageError> {
    set_active(web, call, true).await
}

pub(super) async fn deactivate(web: &Web, call: &Call) -> Result<Answer, PageError> {
    set_active(web, call, false).await
}

async fn set_active(web: &Web, call: &Call, active: bool) -> Result<Answer, PageError> {
    let id: UserId = call.id("id")?;
    back_to_user(manage_users::set_active(&web.ctx, &call.actor(), id, active).await, id)
}

pub(super) async fn unlink_slack(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let change = slack_link_change(call)?;
    let unlinked = slack_link::unlink(&web.ctx, &call.actor(), &change).await;
    back_to_user(unlinked, change.user)
}

pub(super) async fn allow_slack(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let change = slack_link_change(call)?;
    let allowed = slack_link::allow_link(&web.ctx, &call.actor(), &change).await;
    back_to_user(allowed, change.user)
}

fn slack_link_change(call: &Call) -> Result<SlackLinkChange, PageError> {
    let person = SlackUserId(call.form.required("person")?.to_owned());
    Ok(SlackLinkChange { user: call.id("id")?, person, request_id: request_id(call)? })
}

/// Leads back to the page of the user, or says why nothing was changed.
fn back_to_user(done: Result<(), OpError>, id: UserId) -> Result<Answer, PageError> {
    match done {
        Ok(()) => see_other(&format!("/admin/users/{id}")),
        Err(OpError::Refused(Refusal { message, .. })) => Err(PageError::Refused { message }),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn reset_password(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let (id, actor): (UserId, _) = (call.id("id")?, call.actor());
    let user = manage_users::user(&web.ctx, &actor, id).await?.user;
    let (show_here, kept) = (shows_here(call)?, &call.account()?.session);
    let handed_over = manage_users::reset_password(&web.ctx, &actor, id, show_here, kept).await?;
    let heading = format!("{} has a new password", user.username);
    handed_over_page(web, call, &heading, &handed_over, id)
}
