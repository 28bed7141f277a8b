//! Names and attributes of our cookies. Browsers store cookies by host, not by port, so each installation has its own
//! cookie names: two installations on one host do not overwrite each other's cookies. Called by `access` and `browser`.

use cookie::{Cookie, SameSite, time};
use http::header::{COOKIE, InvalidHeaderValue};
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// Bytes of the digest that distinguishes installations.
const MARK_BYTES: usize = 4;

#[derive(Debug, Clone)]
pub struct Cookies {
    /// With `__Host-`, browsers accept a cookie only over https and from this exact host.
    prefix: &'static str,
    mark: String,
    secure: bool,
}

impl Cookies {
    /// Derives the names from `base_url`, or from the secret if the base URL is not configured. All processes of an
    /// installation share both, and a restart changes neither.
    pub fn new(base_url: Option<&str>, secret: &SecretString) -> Self {
        let secure = base_url.is_some_and(|url| url.starts_with("https:"));
        let of_secret = || format!("cookies of {}", secret.expose_secret());
        let digest = Sha256::digest(base_url.map_or_else(of_secret, str::to_owned));
        let mark = hex::encode(&digest[..MARK_BYTES]);
        Self { prefix: if secure { "__Host-" } else { "" }, mark, secure }
    }

    /// The full name of the cookie `what`, such as `esb_session`.
    pub fn cookie_name(&self, what: &str) -> String {
        format!("{}{what}_{}", self.prefix, self.mark)
    }

    /// True if browsers return cookies over https only.
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The request's cookies named `what`: one, unless others were planted.
    pub fn find(&self, headers: &HeaderMap, what: &str) -> impl Iterator<Item = Cookie<'static>> {
        let name = self.cookie_name(what);
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let all = lines.flat_map(|line| Cookie::split_parse(line.to_owned())).filter_map(Result::ok);
        all.filter(move |cookie| cookie.name() == name)
    }

    /// `Set-Cookie`, which hides the cookie from scripts, from other sites, and from http where members use https.
    pub fn set(
        &self,
        what: &str,
        value: &str,
        max_age: time::Duration,
    ) -> Result<HeaderValue, InvalidHeaderValue> {
        let cookie = Cookie::build((self.cookie_name(what), value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .max_age(max_age);
        HeaderValue::try_from(cookie.build().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn name(base_url: Option<&str>, secret: &str) -> String {
        Cookies::new(base_url, &secret.into()).cookie_name("esb_session")
    }

    #[test]
    fn installations_have_separate_cookie_names() {
        let names = BTreeSet::from([
            name(Some("https://tools.example.org"), "one secret of two"),
            name(Some("https://tools.example.org:8443"), "one secret of two"),
            name(Some("http://tools.example.org:5000"), "one secret of two"),
            name(Some("http://tools.example.org:5001"), "one secret of two"),
            name(None, "one secret of two"),
            name(None, "the other secret"),
        ]);
        assert_eq!(names.len(), 6, "{names:?}");
    }

    #[test]
    fn cookie_names_survive_new_secret_with_base_url() {
        let address = Some("https://tools.example.org");
        assert_eq!(name(address, "one secret of two"), name(address, "the other secret"));
        assert_eq!(name(None, "one secret of two"), name(None, "one secret of two"));
    }

    #[test]
    fn names_show_https_and_no_secret() {
        let (secure, plain) =
            (name(Some("https://a.org"), "hunter2hunter2hunter2"), name(None, "hunter2hunter2hunter2"));
        assert!(secure.starts_with("__Host-esb_session_"), "{secure}");
        assert!(plain.starts_with("esb_session_") && !plain.contains("hunter2"), "{plain}");
        assert_eq!(plain.len(), "esb_session_".len() + 2 * MARK_BYTES);
    }

    #[test]
    fn only_the_named_cookie_is_found() {
        let (ours, theirs) = (
            Cookies::new(Some("http://a.org:1"), &"".into()),
            Cookies::new(Some("http://a.org:2"), &"".into()),
        );
        let line = format!(
            "{}=a; {}=b; esb_session=c",
            ours.cookie_name("esb_session"),
            theirs.cookie_name("esb_session")
        );
        let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(line).unwrap())]);
        let found: Vec<_> =
            ours.find(&headers, "esb_session").map(|cookie| cookie.value().to_owned()).collect();
        assert_eq!(found, ["a"]);
    }
}
