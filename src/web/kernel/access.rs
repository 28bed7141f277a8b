//! Authentication and authorization: looks up the caller in the database at every request, and checks the caller
//! against the route's [`Access`]. The kernel calls it before the page.

use super::PageError;
use super::cookies::Cookies;
use crate::domain::actor::{Account, Actor, Edge, Role};
use crate::ops::attachments::may_edit_attachments;
use crate::ops::{OpError, accounts::sign_in};
use crate::views::account::{SignedIn, TokenBearer};
use crate::web::Web;
use http::header::{AUTHORIZATION, InvalidHeaderValue};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// Who may use a route. Every route declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everyone; the caller is not looked up. For programs and assets. The page has no frame.
    Public,
    /// Everyone; a signed-in caller is recognized if the database answers in time.
    Anyone,
    /// Signed-in people, also with a temporary password: `/password` and `/logout`.
    SignedIn,
    Technician,
    /// Staff, and technicians if a setting lets them edit documents and photos of equipment.
    Editor,
    Staff,
    /// Staff, and programs with an API token.
    StaffOrToken,
}

/// Who sent the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Not authenticated.
    Nobody,
    /// A person with a session.
    Person(SignedIn),
    /// A program with an API token.
    Program(TokenBearer),
}

/// Base name of the session cookie; [`Cookies`] adds a prefix and a suffix.
pub const SESSION_COOKIE: &str = "esb_session";
/// Programs may send their API token in this header instead of `Authorization: Bearer`.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// How long the database may take to identify the caller.
const KNOWN_WITHIN: Duration = Duration::from_secs(5);
/// The same where the caller's identity is optional.
const GUESSED_WITHIN: Duration = Duration::from_secs(1);
/// Longest `next=`, in characters.
const NEXT_MAX: usize = 2_000;

impl Caller {
    pub const fn person(&self) -> Option<&SignedIn> {
        if let Self::Person(person) = self { Some(person) } else { None }
    }

    /// The actor for operations and the audit log.
    pub fn actor(&self) -> Actor {
        match self {
            Self::Nobody => Actor::visitor(Edge::Web, "A visitor"),
            Self::Person(person) => {
                let account = Account { id: person.id, role: person.role };
                Actor::of_account(Edge::Web, &person.username, account)
            }
            Self::Program(token) => {
                let account = Account { id: token.maker, role: Role::Staff };
                Actor::of_account(Edge::Web, &format!("API token “{}”", token.name), account)
            }
        }
    }
}

/// Looks up the caller as far as the route requires.
///
/// # Errors
/// `WrongToken`, on every route. Database errors are ignored where everyone is allowed anyway.
pub async fn caller(web: &Web, access: Access, headers: &HeaderMap) -> Result<Caller, PageError> {
    if let Some(token) = api_token(headers) {
        let token = token.ok_or(PageError::WrongToken)?;
        let bearer = within(KNOWN_WITHIN, sign_in::by_token(&web.ctx, &token)).await?;
        return bearer.map(Caller::Program).ok_or(PageError::WrongToken);
    }
    let session = match session_token(web, headers) {
        Some(session) if access != Access::Public => session,
        _ => return Ok(Caller::Nobody),
    };
    let asking = sign_in::by_session(&web.ctx, &session);
    let person = match access {
        Access::Anyone => within(GUESSED_WITHIN, asking).await.unwrap_or_default(),
        _ => within(KNOWN_WITHIN, asking).await?,
    };
    Ok(person.map_or(Caller::Nobody, Caller::Person))
}

async fn within<T>(
    limit: Duration,
    asking: impl Future<Output = Result<T, OpError>>,
) -> Result<T, PageError> {
    let asked = tokio::time::timeout(limit, asking).await;
    Ok(asked.map_err(|_| PageError::Unavailable(super::error::TimedOut(limit).into()))??)
}

/// Checks the caller against the route's access rule.
///
/// # Errors
/// `NotSignedIn`, `Forbidden`, or `MustChangePassword`.
pub fn authorize(access: Access, caller: &Caller, parts: &Parts) -> Result<(), PageError> {
    match caller {
        Caller::Person(person) if person.must_change_password => match access {
            Access::Public | Access::SignedIn => Ok(()),
            _ => Err(PageError::MustChangePassword),
        },
        Caller::Person(person) => {
            let least = match access {
                Access::Public | Access::Anyone | Access::SignedIn => return Ok(()),
                Access::Technician | Access::Editor => Role::Technician,
                Access::Staff | Access::StaffOrToken => Role::Staff,
            };
            if person.role >= least { Ok(()) } else { Err(PageError::Forbidden) }
        }
        Caller::Program(_) => match access {
            Access::Public | Access::Anyone | Access::StaffOrToken => Ok(()),
            _ => Err(PageError::Forbidden),
        },
        Caller::Nobody => match access {
            Access::Public | Access::Anyone => Ok(()),
            _ => Err(PageError::NotSignedIn { next: next_of(parts) }),
        },
    }
}

/// Allows callers who may edit documents and photos of equipment, before a large file is read.
///
/// # Errors
/// `Forbidden`.
pub async fn authorize_editor(web: &Web, caller: &Caller) -> Result<(), PageError> {
    if within(KNOWN_WITHIN, may_edit_attachments(&web.ctx, &caller.actor())).await? {
        Ok(())
    } else {
        Err(PageError::Forbidden)
    }
}

/// Where to go after login: back to the requested page, if the request was a GET.
fn next_of(parts: &Parts) -> Option<String> {
    let path = parts.uri.path_and_query()?.as_str();
    (parts.method == Method::GET).then(|| local_path(path)).flatten().map(str::to_owned)
}

/// The path, if it is a path of this site and nothing else.
pub fn local_path(path: &str) -> Option<&str> {
    let local = path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= NEXT_MAX
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    local.then_some(path)
}

/// The API token of a request: `None` without one, `Some(None)` if it cannot be read.
fn api_token(headers: &HeaderMap) -> Option<Option<SecretString>> {
    let key = headers.get(API_KEY).map(|key| key.to_str().ok().map(|key| key.trim().to_owned().into()));
    let bearer = headers.get(AUTHORIZATION).and_then(|value| {
        let mut words = value.as_bytes().splitn(2, |&byte| byte == b' ');
        let (scheme, token) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let token = || str::from_utf8(token).ok().map(|token| token.trim().to_owned().into());
        scheme.eq_ignore_ascii_case(b"bearer").then(token)
    });
    bearer.or(key)
}

/// True if the request carries an API token, valid or not.
pub fn shows_api_token(headers: &HeaderMap) -> bool {
    api_token(headers).is_some()
}

/// True if the request carries a session token, valid or expired.
pub fn shows_session(web: &Web, headers: &HeaderMap) -> bool {
    session_token(web, headers).is_some_and(|token| !token.expose_secret().is_empty())
}

fn session_token(web: &Web, headers: &HeaderMap) -> Option<SecretString> {
    let cookie = web.browsers.cookies().find(headers, SESSION_COOKIE).next()?;
    Some(cookie.value().to_owned().into())
}

/// The `Set-Cookie` header that stores a session token for as long as the session lasts.
pub fn session_begins(token: &SecretString, cookies: &Cookies) -> Result<HeaderValue, InvalidHeaderValue> {
    let lasts = cookie::time::Duration::seconds(sign_in::SESSION.num_seconds());
    cookies.set(SESSION_COOKIE, token.expose_secret(), lasts)
}

/// The `Set-Cookie` header that removes the session token.
pub fn session_ends(cookies: &Cookies) -> Result<HeaderValue, InvalidHeaderValue> {
    cookies.set(SESSION_COOKIE, "", cookie::time::Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_ours_are_local() {
        for path in ["/", "/repairs?area=1&q=a%20b", "/e/7#report", "/login"] {
            assert_eq!(local_path(path), Some(path));
        }
        for elsewhere in [
            "",
            "x",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            " /",
            "/a b",
            "/\t/evil.example",
            "/\r\nset-cookie: a=b",
            "/\u{85}",
            "/ä",
            "/\0",
        ] {
            assert_eq!(local_path(elsewhere), None, "{elsewhere:?}");
        }
        assert_eq!(local_path(&"/".repeat(NEXT_MAX + 1)), None);
    }

    #[test]
    fn token_is_read_from_either_header() {
        let read = |name: &str, value: &[u8]| {
            let name: HeaderName = name.parse().unwrap();
            let headers = HeaderMap::from_iter([(name, HeaderValue::from_bytes(value).unwrap())]);
            api_token(&headers).map(|token| token.map(|token| token.expose_secret().to_owned()))
        };
        assert_eq!(read("authorization", b"Bearer abc"), Some(Some("abc".into())));
        assert_eq!(read("authorization", b"bearer  abc "), Some(Some("abc".into())));
        assert_eq!(read("x-api-key", b"abc"), Some(Some("abc".into())));
        assert_eq!(read("authorization", b"Bearer \xff"), Some(None));
        assert_eq!(read("x-api-key", b"\xff"), Some(None));
        assert_eq!(read("authorization", b"Basic abc"), None, "that is somebody else's");
        assert_eq!(read("authorization", b"Bearer"), Some(Some(String::new())));
        assert_eq!(read("authorization", b"Bearers abc"), None);
    }
}
