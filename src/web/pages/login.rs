//! `GET` and `POST /login`, `/setup`, and `POST /logout`.

use super::form_parser::FormParser;
use super::forms::{hidden, refused, too_often};
use crate::domain::password::{OUTER_SPACE_HINT, has_outer_space};
use crate::domain::text::{EmailAddress, Username};
use crate::ops::OpError;
use crate::ops::accounts::setup::{self, SetUp};
use crate::ops::accounts::sign_in::{self, StartedSession};
use crate::render::html::{Field, FieldError, FormPage, Group, Html};
use crate::web::Web;
use crate::web::kernel::access::{local_path, session_begins, session_ends};
use crate::web::kernel::response::{html_with_forms, see_other};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use crate::web::limits::known_browser::KnownBrowser;
use http::StatusCode;
use http::header::SET_COOKIE;

/// The same text for a wrong name and a wrong password.
const WRONG: &str = "Wrong username or password.";

/// Where people are redirected after login.
pub(super) const HOME: &str = "/repairs";

pub(super) async fn show(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let query = request.query()?;
    let next = local_path(query.typed("next")?).unwrap_or_default();
    match request.caller.person() {
        Some(_) => see_other(if next.is_empty() { HOME } else { next }),
        None => {
            let html = web.html_offering_setup(request, web.offers_setup().await);
            login_page(web, request, &html, StatusCode::OK, next, &[])
        }
    }
}

fn login_page(
    web: &Web,
    request: &PageRequest,
    html: &Html,
    status: StatusCode,
    next: &str,
    errors: &[FieldError],
) -> Result<PageResponse, PageError> {
    let csrf_token = web.browsers.token(&request.browser);
    let fields = vec![
        Field::line("username", "Username", request.form.typed("username")?).autocomplete("username"),
        Field::password("password", "Password", "current-password"),
    ];
    let page = FormPage {
        title: "Log in",
        lead: "For technicians and staff. Nobody needs this to report a problem.",
        action: "/login",
        hidden: hidden(&csrf_token, None),
        next,
        groups: &[Group { legend: "", fields }],
        errors,
        submit: "Log in",
        note: "Forgot your password? Staff can give you a new one.",
        ..FormPage::EMPTY
    };
    let page = html.form(&page).map_err(PageError::internal)?;
    html_with_forms(web, request, status, page)
}

pub(super) async fn log_in(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let next = local_path(request.form.typed("next")?).unwrap_or_default();
    let (username, password) = (request.form.typed("username")?, request.form.typed("password")?);
    let html = web.html_offering_setup(request, web.offers_setup().await);
    let known = counted_as(web, request, username).await?;
    let counted = match web.count_log_in(request.client, username, known) {
        Ok(counted) => counted,
        Err(wait) => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            return too_often(wait, |errors| login_page(web, request, &html, status, next, errors));
        }
    };
    let begun = sign_in::log_in(&web.ctx, username, password.into(), request.caller.person()).await?;
    let Some(begun) = begun else {
        tracing::info!(client = %request.client, "log-in refused");
        let mut errors = vec![FieldError { field: None, message: WRONG.into() }];
        if has_outer_space(password) {
            errors.push(FieldError { field: Some("password"), message: OUTER_SPACE_HINT.into() });
        }
        return login_page(web, request, &html, StatusCode::UNPROCESSABLE_ENTITY, next, &errors);
    };
    web.give_back_log_in(counted);
    check_access(web, request, &begun, next)
}

/// The key for this browser's own count of wrong passwords, if it has logged in under this name before.
async fn counted_as(web: &Web, request: &PageRequest, username: &str) -> Result<Option<String>, PageError> {
    let known = KnownBrowser::of(&web.browsers, &request.headers);
    if known.is_new() {
        return Ok(None);
    }
    let account = sign_in::account_mark(&web.ctx, username).await?;
    Ok(account.and_then(|account| known.counted_as(&account)))
}

/// Redirects to the requested page, with the cookies of the new session and of the browser.
pub(super) fn check_access(
    web: &Web,
    request: &PageRequest,
    begun: &StartedSession,
    next: &str,
) -> Result<PageResponse, PageError> {
    let mut response = see_other(if next.is_empty() { HOME } else { next })?;
    let session = session_begins(&begun.token, web.browsers.cookies()).map_err(PageError::internal)?;
    let known = KnownBrowser::of(&web.browsers, &request.headers).remembering(&web.browsers, begun);
    response.headers_mut().append(SET_COOKIE, session);
    response.headers_mut().append(SET_COOKIE, known.map_err(PageError::internal)?);
    Ok(response)
}

pub(super) async fn log_out(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    sign_in::log_out(&web.ctx, request.account()?).await?;
    let mut response = see_other("/")?;
    let cookie = session_ends(web.browsers.cookies()).map_err(PageError::internal)?;
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

pub(super) async fn show_setup(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    if !setup::is_wanted(&web.ctx).await? {
        return Err(PageError::NotFound);
    }
    setup_page(web, request, StatusCode::OK, &[])
}

fn setup_page(
    web: &Web,
    request: &PageRequest,
    status: StatusCode,
    errors: &[FieldError],
) -> Result<PageResponse, PageError> {
    let csrf_token = web.browsers.token(&request.browser);
    let typed = |name| request.form.typed(name);
    let fields = vec![
        Field::line("code", "Code", typed("code")?)
            .hint("ESB wrote it to its log when it started.")
            .verbatim(),
        Field::line("username", "Username", typed("username")?).autocomplete("username"),
        Field::email(typed("email")?)
            .autocomplete("email")
            .hint("The address of your Slack account, so that you can work in Slack too."),
        Field::password("password", "Password", "new-password").hint("At least 10 characters."),
    ];
    let page = FormPage {
        title: "Set up this installation",
        lead: "You become its first staff user, and can then add the others.",
        action: "/setup",
        hidden: hidden(&csrf_token, None),
        groups: &[Group { legend: "", fields }],
        errors,
        submit: "Begin",
        ..FormPage::EMPTY
    };
    let page = web.html(request).form(&page).map_err(PageError::internal)?;
    html_with_forms(web, request, status, page)
}

pub(super) async fn set_up(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    if let Err(wait) = web.log_ins.count(request.client) {
        return too_often(wait, |errors| setup_page(web, request, StatusCode::TOO_MANY_REQUESTS, errors));
    }
    let mut parser = FormParser::new(&request.form);
    let username = parser.read("username", Username::parse)?;
    let email = parser.read("email", EmailAddress::parse)?;
    let (Some(username), Some(email)) = (username, email) else {
        return match setup::is_wanted(&web.ctx).await? {
            true => setup_page(web, request, StatusCode::UNPROCESSABLE_ENTITY, &parser.errors),
            false => Err(PageError::NotFound),
        };
    };
    let (code, password) = (request.form.typed("code")?.to_owned(), request.form.typed("password")?);
    let name = username.clone();
    let wanted = SetUp { code, username, email, password: password.into() };
    match setup::set_up(&web.ctx, &request.actor(), &web.setup_code, wanted).await {
        Ok(()) => {}
        Err(OpError::Refused(refusal)) => {
            return setup_page(web, request, StatusCode::UNPROCESSABLE_ENTITY, &[refused(refusal)]);
        }
        Err(error) => return Err(error.into()),
    }
    let begun = sign_in::log_in(&web.ctx, name.as_str(), password.into(), None).await?;
    check_access(web, request, &begun.ok_or(PageError::NotSignedIn { next: None })?, "")
}
