//! `GET` and `POST /login`, `POST /logout`.

use crate::domain::actor::Role;
use crate::ops::sign_in;
use crate::render::html::LoginPage;
use crate::web::Web;
use crate::web::kernel::access::{local_path, session_begins, session_ends};
use crate::web::kernel::answer::{html_with_forms, see_other};
use crate::web::kernel::{Answer, Call, PageError};
use http::StatusCode;
use http::header::SET_COOKIE;

/// What is said whatever was wrong.
const WRONG: &str = "That username and password do not belong together";

/// Where people go who have just logged in.
const fn home(role: Role) -> &'static str {
    match role {
        Role::Technician | Role::Staff => "/",
    }
}

pub(super) async fn show(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let next = local_path(call.query()?.typed("next")?).unwrap_or_default().to_owned();
    if let Some(person) = call.caller.person() {
        return see_other(if next.is_empty() { home(person.role) } else { &next });
    }
    page(web, call, StatusCode::OK, &next, None)
}

fn page(
    web: &Web,
    call: &Call,
    status: StatusCode,
    next: &str,
    error: Option<&str>,
) -> Result<Answer, PageError> {
    let username = call.form.typed("username")?;
    let page = LoginPage { username, next, error, csrf_token: &web.browsers.token(&call.browser) };
    let page = web.html(call).login(&page).map_err(PageError::internal)?;
    html_with_forms(web, call, status, page)
}

pub(super) async fn log_in(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let next = local_path(call.form.typed("next")?).unwrap_or_default();
    let (username, password) = (call.form.typed("username")?, call.form.typed("password")?);
    let begun = sign_in::log_in(&web.ctx, username, password.into(), call.caller.person()).await?;
    let Some(begun) = begun else {
        return page(web, call, StatusCode::UNPROCESSABLE_ENTITY, next, Some(WRONG));
    };
    let mut answer = see_other(if next.is_empty() { home(begun.role) } else { next })?;
    let cookie = session_begins(&begun.token, web.browsers.is_secure()).map_err(PageError::internal)?;
    answer.headers_mut().insert(SET_COOKIE, cookie);
    Ok(answer)
}

pub(super) async fn log_out(web: &Web, call: &Call) -> Result<Answer, PageError> {
    sign_in::log_out(&web.ctx, call.account()?).await?;
    let mut answer = see_other("/")?;
    let cookie = session_ends(web.browsers.is_secure()).map_err(PageError::internal)?;
    answer.headers_mut().insert(SET_COOKIE, cookie);
    Ok(answer)
}
