//! Identifies the browser, and verifies that a form came from one of this site's pages (CSRF).
//!
//! The browser cookie contains a signed random id. A form carries `csrf_token`: the same id, signed for another
//! purpose. Another site can make a browser send the cookie but cannot read the token. The cookie crate compares
//! signatures in constant time.

use super::cookies::Cookies;
use cookie::{Cookie, CookieJar, Key};
use http::header::InvalidHeaderValue;
use http::{HeaderMap, HeaderValue};
use rand::RngExt;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// Base name of the cookie; [`Cookies`] adds a prefix and a suffix.
pub const COOKIE_NAME: &str = "esb_browser";
pub const TOKEN_FIELD: &str = "csrf_token";
/// Lifetime of the browser cookie, so that one browser counts "me too" once: a year.
const REMEMBERED: cookie::time::Duration = cookie::time::Duration::days(365);
/// Purpose of a signature: one made for a cookie is not valid as a token.
const AS_COOKIE: &str = "browser.";
const AS_TOKEN: &str = "csrf.";

/// One browser, identified by its cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Browser {
    id: String,
    is_new: bool,
    /// True if it sent our cookie, valid or not.
    sent_cookie: bool,
    session: Option<String>,
}

impl Browser {
    fn new() -> Self {
        Self {
            id: hex::encode(rand::rng().random::<[u8; 16]>()),
            is_new: true,
            sent_cookie: false,
            session: None,
        }
    }

    /// True if its forms are bound to a session.
    pub const fn is_signed_in(&self) -> bool {
        self.session.is_some()
    }

    /// True if the browser sent neither our cookie nor a session cookie: it blocks cookies, or uses http where the
    /// cookies require https.
    pub const fn sends_no_cookies(&self) -> bool {
        !self.sent_cookie && self.session.is_none()
    }

    /// Binds the browser's forms to this session: their tokens are invalid before and after it.
    pub fn bind(&mut self, session: &str) {
        self.session = Some(session.to_owned());
    }

    /// What a form token is bound to: the session or the browser id.
    fn subject(&self) -> &str {
        self.session.as_ref().unwrap_or(&self.id)
    }

    /// 32 hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// Signs and verifies browser ids.
pub struct Browsers {
    key: Key,
    previous: Option<Key>,
    cookies: Cookies,
}

impl fmt::Debug for Browsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browsers").field("cookies", &self.cookies).finish_non_exhaustive()
    }
}

impl Browsers {
    /// Signs with a key derived from `secret`; also accepts signatures of a key derived from `previous`.
    pub fn new(secret: &SecretString, previous: Option<&SecretString>, cookies: Cookies) -> Self {
        Self { key: key(secret), previous: previous.map(key), cookies }
    }

    /// The browser that sent the request: a new one if it has no cookie of ours.
    pub fn recognise(&self, headers: &HeaderMap) -> Browser {
        let ours = || self.cookies.find(headers, COOKIE_NAME);
        match ours().find_map(|cookie| self.verified(cookie, AS_COOKIE)) {
            Some(id) => Browser { id, is_new: false, sent_cookie: true, session: None },
            None => Browser { sent_cookie: ours().next().is_some(), ..Browser::new() },
        }
    }

    /// The CSRF token for forms of a page shown to `browser`.
    pub fn token(&self, browser: &Browser) -> String {
        self.signed(AS_TOKEN, browser.subject()).value().to_owned()
    }

    /// True if we made `token` for `browser` and its current session.
    pub fn verify_csrf_token(&self, browser: &Browser, token: &str) -> bool {
        let subject = self.verified(Cookie::new(COOKIE_NAME, token.to_owned()), AS_TOKEN);
        let is_known = !browser.is_new || browser.session.is_some();
        is_known && subject.as_deref() == Some(browser.subject())
    }

    /// True if browsers return cookies over https only.
    pub const fn is_secure(&self) -> bool {
        self.cookies.is_secure()
    }

    pub const fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    /// The `Set-Cookie` header for a new browser; `None` if the browser already has an id.
    pub fn session_cookie_header(
        &self,
        browser: &Browser,
    ) -> Result<Option<HeaderValue>, InvalidHeaderValue> {
        if !browser.is_new {
            return Ok(None);
        }
        let cookie = self.signed(AS_COOKIE, &browser.id);
        self.cookies.set(COOKIE_NAME, cookie.value(), REMEMBERED).map(Some)
    }

    /// Signs a subject for a purpose: the value of a cookie or a token.
    pub(in crate::web) fn signed(&self, purpose: &str, subject: &str) -> Cookie<'static> {
        let cookie = Cookie::new(COOKIE_NAME, format!("{purpose}{subject}"));
        let mut jar = CookieJar::new();
        jar.signed_mut(&self.key).add(cookie.clone());
        jar.get(COOKIE_NAME).cloned().unwrap_or(cookie)
    }

    /// The subject, if we signed it for that purpose.
    pub(in crate::web) fn verified(&self, cookie: Cookie<'static>, purpose: &str) -> Option<String> {
        let by = |key: &Key| CookieJar::new().signed(key).verify(cookie.clone());
        let verified = by(&self.key).or_else(|| self.previous.as_ref().and_then(by))?;
        verified.value().strip_prefix(purpose).map(str::to_owned)
    }
}

fn key(secret: &SecretString) -> Key {
    let mut master = secret.expose_secret().as_bytes().to_vec();
    // The derivation requires 32 bytes; the padding of a shorter secret need not be secret.
    master.resize(master.len().max(32), 0);
    Key::derive_from(&master)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::COOKIE;
    use proptest::prelude::*;

    fn cookies(secure: bool) -> Cookies {
        Cookies::new(Some(if secure { "https://esb.org" } else { "http://esb.org" }), &"".into())
    }

    fn browsers(secret: &str) -> Browsers {
        Browsers::new(&secret.into(), None, cookies(true))
    }

    /// The headers that the browser sends after it received its cookie.
    fn returning(browsers: &Browsers, browser: &Browser) -> HeaderMap {
        let session_cookie_header = browsers.session_cookie_header(browser).unwrap().unwrap();
        let pair = session_cookie_header.to_str().unwrap().split(';').next().unwrap().to_owned();
        HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(format!("theme=dark; {pair}")).unwrap())])
    }

    #[test]
    fn returning_browser_is_recognized_by_cookie() {
        let browsers = browsers("0123456789abcdef");
        let new = browsers.recognise(&HeaderMap::new());
        let back = browsers.recognise(&returning(&browsers, &new));
        assert_eq!(back.id(), new.id());
        assert!(browsers.session_cookie_header(&back).unwrap().is_none());
        assert!(browsers.verify_csrf_token(&back, &browsers.token(&new)));
    }

    #[test]
    fn cookie_is_http_only_same_site_and_secure() {
        let session_cookie_header = |secure: bool| {
            let browsers = Browsers::new(&"0123456789abcdef".into(), None, cookies(secure));
            let header = browsers.session_cookie_header(&Browser::new()).unwrap().unwrap();
            header.to_str().unwrap().to_owned()
        };
        let cookie = session_cookie_header(true);
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Secure", "Max-Age=31536000"] {
            assert!(cookie.contains(attribute), "{attribute} in {cookie}");
        }
        assert!(!session_cookie_header(false).contains("Secure"));
    }

    #[test]
    fn forged_tokens_and_cookies_are_rejected() {
        let (ours, theirs) = (browsers("0123456789abcdef"), browsers("fedcba9876543210"));
        let new = Browser::new();
        let mut headers = returning(&ours, &new);
        let back = ours.recognise(&headers);
        let cookie = ours.signed(AS_COOKIE, &new.id).value().to_owned();
        let other = ours.token(&Browser::new());
        for token in ["", "x", "ä", cookie.as_str(), other.as_str(), &theirs.token(&back), back.id()] {
            assert!(!ours.verify_csrf_token(&back, token), "{token}");
        }
        assert!(!ours.verify_csrf_token(&new, &ours.token(&new)), "a browser without the cookie");
        headers = returning(&theirs, &new);
        assert_ne!(ours.recognise(&headers).id(), new.id(), "a cookie of another secret");
        let token = ours.token(&new);
        headers.insert(
            COOKIE,
            HeaderValue::try_from(format!("{}={token}", ours.cookies.cookie_name(COOKIE_NAME))).unwrap(),
        );
        assert_ne!(ours.recognise(&headers).id(), new.id(), "a token is no cookie");
    }

    #[test]
    fn old_signatures_verify_after_key_rotation() {
        let (before, other) = (browsers("0123456789abcdef"), browsers("fedcba9876543210"));
        let after =
            Browsers::new(&"fedcba9876543210".into(), Some(&"0123456789abcdef".into()), cookies(true));
        let headers = returning(&before, &Browser::new());
        let known = before.recognise(&headers);
        assert_eq!(after.recognise(&headers).id(), known.id());
        assert!(
            after.verify_csrf_token(&known, &before.token(&known))
                && !before.verify_csrf_token(&known, &after.token(&known))
        );
        assert!(other.verify_csrf_token(&known, &after.token(&known)), "it signs with the new one");
        assert!(!other.verify_csrf_token(&known, &before.token(&known)));
    }

    #[test]
    fn form_belongs_to_its_session() {
        let browsers = browsers("0123456789abcdef");
        let known = browsers.recognise(&returning(&browsers, &Browser::new()));
        let (mut one, mut other) = (known.clone(), known.clone());
        one.bind("one");
        other.bind("other");
        let (before, within) = (browsers.token(&known), browsers.token(&one));
        assert!(browsers.verify_csrf_token(&one, &within));
        assert!(!browsers.verify_csrf_token(&one, &before), "a form of before logging in");
        assert!(!browsers.verify_csrf_token(&other, &within) && !browsers.verify_csrf_token(&known, &within));
        let mut new = Browser::new();
        new.bind("one");
        assert!(browsers.verify_csrf_token(&new, &within), "the session is what counts");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn our_cookie_is_found_among_any_others(
            before in prop::collection::vec(any::<u8>(), 0..60),
            after in "[ -~]{0,60}",
        ) {
            let browsers = browsers("0123456789abcdef");
            let coming_back = returning(&browsers, &Browser::new());
            let known = browsers.recognise(&coming_back);
            let mut headers = HeaderMap::new();
            // Skip bytes that are not a valid header value.
            if let Ok(junk) = HeaderValue::from_bytes(&before) {
                headers.append(COOKIE, junk);
            }
            prop_assert!(browsers.recognise(&headers).is_new, "nobody is known by junk");
            let ours = coming_back[COOKIE].to_str().unwrap();
            headers.append(COOKIE, HeaderValue::try_from(format!("{ours}; {after}")).unwrap());
            prop_assert_eq!(browsers.recognise(&headers), known);
        }

        #[test]
        fn altered_token_is_rejected(at in any::<prop::sample::Index>(), letter in "[ -~]") {
            let browsers = browsers("0123456789abcdef");
            let known = browsers.recognise(&returning(&browsers, &Browser::new()));
            let token = browsers.token(&known);
            prop_assert!(browsers.verify_csrf_token(&known, &token));
            let at = at.index(token.len());
            let forged = format!("{}{letter}{}", &token[..at], &token[at + 1..]);
            prop_assert_eq!(browsers.verify_csrf_token(&known, &forged), forged == token, "{}", forged);
        }
    }
}
