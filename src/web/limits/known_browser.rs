//! Browsers at which somebody has logged in before. Each of them has its own count of wrong passwords, so that the
//! guesses of others cannot lock anyone out.
//!
//! The cookie contains a mark for each of the last people who logged in there: the user's id, a random number of the
//! browser, and a digest of the password's hash; all signed. The cookie does not authenticate anyone.
//!
//! - It is signed like the other cookies: after a rotation of `SECRET_KEY` signatures of the previous key are still
//!   valid, and the next login signs it with the new key. Without the previous key the browser counts as unknown.
//! - After the password was changed elsewhere, a mark counts together with all the user's marks of former passwords:
//!   anyone who knew such a password could have made any number of them. A stranger's guesses do not count there.
//! - It remains valid after a deactivation, but has no effect: the password of an inactive user is always wrong.

use crate::domain::ids::UserId;
use crate::ops::accounts::sign_in::{AccountMark, StartedSession};
use crate::web::kernel::browser::Browsers;
use cookie::time::Duration;
use http::header::InvalidHeaderValue;
use http::{HeaderMap, HeaderValue};
use rand::RngExt;

/// Purpose of the signature: one made for another cookie is not valid here.
const PURPOSE: &str = "known.";
/// Most users remembered per browser.
const MARKS_MAX: usize = 8;
/// How long a browser is remembered: a year.
const REMEMBERED: Duration = Duration::days(365);
/// Characters of a random number, and of a digest.
const PART: usize = 16;

/// Base name of the cookie; [`crate::web::kernel::cookies::Cookies`] adds a prefix and a suffix.
pub const COOKIE_NAME: &str = "esb_known";

/// The shared count of all browsers at which somebody has logged in with a former password.
const FORMER: &str = "former";

/// True for the count that all browsers with a former password of its user share.
pub fn is_shared(count: &str) -> bool {
    count.ends_with(FORMER)
}

/// Records one login at a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    user: UserId,
    browser: String,
    password: String,
}

impl Mark {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (user, browser, password) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
        let is_whole = browser.len() == PART && password.len() == PART && parts.next().is_none();
        is_whole.then(|| Self { user, browser: browser.to_owned(), password: password.to_owned() })
    }

    fn text(&self) -> String {
        format!("{}-{}-{}", self.user, self.browser, self.password)
    }
}

/// The users who have logged in at a browser, latest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownBrowser(Vec<Mark>);

impl KnownBrowser {
    /// The verified marks of the browser's cookie; none if there is no valid cookie.
    pub fn of(browsers: &Browsers, headers: &HeaderMap) -> Self {
        let ours = browsers.cookies().find(headers, COOKIE_NAME);
        let signed = ours.filter_map(|cookie| browsers.verified(cookie, PURPOSE)).next().unwrap_or_default();
        Self(signed.split('.').filter_map(Mark::read).take(MARKS_MAX).collect())
    }

    /// True if nobody has logged in at this browser before.
    pub const fn is_new(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that counts wrong passwords for this account at this browser; `None` if its user has not logged in here.
    pub fn counted_as(&self, account: &AccountMark) -> Option<String> {
        let mark = self.0.iter().find(|mark| mark.user == account.user)?;
        let is_present = mark.password == account.password;
        Some(format!("{}-{}", mark.user, if is_present { mark.browser.as_str() } else { FORMER }))
    }

    /// The `Set-Cookie` header that adds the user who has just logged in.
    pub fn remembering(
        mut self,
        browsers: &Browsers,
        begun: &StartedSession,
    ) -> Result<HeaderValue, InvalidHeaderValue> {
        let AccountMark { user, password } = begun.account.clone();
        let before = self.0.iter().position(|mark| mark.user == user).map(|at| self.0.remove(at));
        let browser =
            before.map_or_else(|| hex::encode(rand::rng().random::<[u8; PART / 2]>()), |mark| mark.browser);
        self.0.insert(0, Mark { user, browser, password });
        self.0.truncate(MARKS_MAX);
        let marks: Vec<String> = self.0.iter().map(Mark::text).collect();
        let signed = browsers.signed(PURPOSE, &marks.join("."));
        browsers.cookies().set(COOKIE_NAME, signed.value(), REMEMBERED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::actor::Role;
    use crate::web::kernel::cookies::Cookies;
    use http::header::COOKIE;
    use proptest::prelude::*;

    fn cookies() -> Cookies {
        Cookies::new(Some("https://esb.org"), &"".into())
    }

    fn browsers(secret: &str) -> Browsers {
        Browsers::new(&secret.into(), None, cookies())
    }

    fn account(user: i64, password: &str) -> AccountMark {
        AccountMark { user: UserId(user), password: password.repeat(PART) }
    }

    fn begun(user: i64, password: &str) -> StartedSession {
        let account = account(user, password);
        StartedSession { token: "x".into(), role: Role::Staff, must_change_password: false, account }
    }

    /// The same browser after these users have logged in.
    fn after(browsers: &Browsers, people: &[(i64, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (user, password) in people {
            let known = KnownBrowser::of(browsers, &headers);
            let header = known.remembering(browsers, &begun(*user, password)).unwrap();
            let pair = header.to_str().unwrap().split(';').next().unwrap().to_owned();
            headers.insert(COOKIE, HeaderValue::try_from(pair).unwrap());
        }
        headers
    }

    fn counted(browsers: &Browsers, headers: &HeaderMap, account: &AccountMark) -> Option<String> {
        KnownBrowser::of(browsers, headers).counted_as(account)
    }

    #[test]
    fn each_browser_counts_by_itself() {
        let ours = browsers("0123456789abcdef");
        let (one, other) = (after(&ours, &[(7, "a")]), after(&ours, &[(7, "a")]));
        let counted = |headers: &HeaderMap| counted(&ours, headers, &account(7, "a"));
        assert!(counted(&one).is_some() && counted(&other).is_some() && counted(&one) != counted(&other));
        assert_eq!(counted(&HeaderMap::new()), None);
    }

    #[test]
    fn several_people_share_one_browser() {
        let ours = browsers("0123456789abcdef");
        let headers = after(&ours, &[(1, "a"), (2, "b"), (1, "a")]);
        for (user, password) in [(1, "a"), (2, "b")] {
            assert!(counted(&ours, &headers, &account(user, password)).is_some(), "{user}");
        }
        assert_eq!(counted(&ours, &headers, &account(3, "a")), None);
        let many: Vec<(i64, &str)> = (1..=20).map(|user| (user, "a")).collect();
        let headers = after(&ours, &many);
        assert_eq!(counted(&ours, &headers, &account(12, "a")), None, "the first are forgotten");
        assert!(counted(&ours, &headers, &account(13, "a")).is_some());
    }

    #[test]
    fn number_of_browser_stays_at_next_log_in() {
        let ours = browsers("0123456789abcdef");
        let (once, twice) = (after(&ours, &[(7, "a")]), after(&ours, &[(7, "a"), (7, "b")]));
        assert_ne!(counted(&ours, &once, &account(7, "a")), None);
        let known = KnownBrowser::of(&ours, &twice);
        assert_eq!(known.0.len(), 1);
        assert!(known.counted_as(&account(7, "b")).unwrap().ends_with(&known.0[0].browser));
    }

    #[test]
    fn former_passwords_share_one_count() {
        let ours = browsers("0123456789abcdef");
        let now = account(7, "b");
        for headers in [after(&ours, &[(7, "a")]), after(&ours, &[(7, "c")])] {
            assert_eq!(counted(&ours, &headers, &now).as_deref(), Some("7-former"));
        }
    }

    #[test]
    fn only_cookies_signed_for_this_purpose_count() {
        let (ours, theirs) = (browsers("0123456789abcdef"), browsers("fedcba9876543210"));
        let now = account(7, "a");
        let headers = after(&theirs, &[(7, "a")]);
        assert_eq!(counted(&ours, &headers, &now), None);
        let rotated = Browsers::new(&"0123456789abcdef".into(), Some(&"fedcba9876543210".into()), cookies());
        assert!(counted(&rotated, &headers, &now).is_some(), "signed before a rotation");
        let mark = Mark { user: UserId(7), browser: "a".repeat(PART), password: "a".repeat(PART) }.text();
        let as_browser = ours.signed("browser.", &mark).value().to_owned();
        for value in [mark.clone(), format!("{PURPOSE}{mark}"), as_browser] {
            let pair = format!("{}={value}", cookies().cookie_name(COOKIE_NAME));
            let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(pair).unwrap())]);
            assert_eq!(counted(&ours, &headers, &now), None, "{value}");
        }
    }

    #[test]
    fn cookie_is_kept_from_scripts_and_plain_http() {
        let ours = browsers("0123456789abcdef");
        let header = KnownBrowser::default().remembering(&ours, &begun(7, "a")).unwrap();
        let header = header.to_str().unwrap();
        for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=31536000"] {
            assert!(header.contains(attribute), "{attribute} in {header}");
        }
    }

    proptest! {
        #[test]
        fn any_cookie_is_read_or_ignored(value in "[ -~]{0,80}") {
            let pair = format!("{}={value}", cookies().cookie_name(COOKIE_NAME));
            if let Ok(pair) = HeaderValue::try_from(pair) {
                let headers = HeaderMap::from_iter([(COOKIE, pair)]);
                prop_assert!(KnownBrowser::of(&browsers("0123456789abcdef"), &headers).is_new());
            }
        }
    }
}
