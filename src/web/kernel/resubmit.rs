//! Shows a rejected form again on its error page with what was typed, ready to be sent again. Decides when to do so,
//! and with which token; `render::html` lists the fields that are secret.
//!
//! The page does not help a forger: a form that another site sent is not shown again.

use super::body;
use super::browser::{Browser, TOKEN_FIELD};
use super::fields::Fields;
use super::host;
use super::route::BodyRule;
use crate::render::html::{ResubmitFiles, ResubmitForm, is_typed};
use crate::web::Web;
use crate::web::limits::shares::Share;
use crate::web::upload::{self, UploadRule};
use bytes::Bytes;
use http::header::ORIGIN;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use hyper::body::Body;
use std::sync::Arc;

/// The relation of the requesting page to this site.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a form contained, as far as it could be read.
#[derive(Debug, Default)]
pub struct TypedForm {
    pub fields: Fields,
    /// The last field is incomplete.
    pub is_cut: bool,
    /// The form had files.
    pub has_files: bool,
}

/// A form that may be shown again.
#[derive(Debug)]
pub struct Resubmit {
    action: String,
    files: Option<UploadRule>,
    pub typed: TypedForm,
    token: Option<String>,
    /// `Set-Cookie` for the browser that the token is for.
    pub cookie: Option<HeaderValue>,
}

impl Resubmit {
    /// The form of a request; `None` if it is no form, or comes from another site.
    pub fn of(parts: &Parts, rule: BodyRule, base_url: Option<&str>) -> Option<Self> {
        let files = match rule {
            BodyRule::Form { .. } => None,
            BodyRule::Upload(rule) => Some(rule),
            BodyRule::Ignored | BodyRule::Raw(_) => return None,
        };
        if parts.method != Method::POST || is_cross_site(&parts.uri, &parts.headers, base_url) {
            return None;
        }
        let action = parts.uri.path_and_query()?.as_str().to_owned();
        Some(Self { action, files, typed: TypedForm::default(), token: None, cookie: None })
    }

    /// Gives the form a new token for this browser. Otherwise it carries the token that was sent.
    pub fn with_new_token(&mut self, web: &Web, browser: &Browser) {
        self.token = Some(web.browsers.token(browser));
        self.cookie = web.browsers.session_cookie_header(browser).ok().flatten();
    }

    /// True if a person would lose typed text.
    pub fn has_text(&self) -> bool {
        self.typed.has_files || self.typed.fields.iter().any(|(name, value)| is_typed(name, value))
    }

    pub fn form(&self) -> ResubmitForm<'_> {
        let came = || self.typed.fields.iter().find(|(name, _)| *name == TOKEN_FIELD);
        let csrf_token = self.token.as_deref().or_else(|| Some(came()?.1)).unwrap_or_default();
        let files = self.files.map(|rule| ResubmitFiles {
            name: rule.field,
            accept: rule.accepts.offered(),
            several: rule.most > 1,
            were_sent: self.typed.has_files,
        });
        ResubmitForm {
            action: &self.action,
            csrf_token,
            fields: self.typed.fields.iter().collect(),
            is_cut: self.typed.is_cut,
            files,
        }
    }
}

/// True if a page of another site sent the form.
fn is_cross_site(uri: &Uri, headers: &HeaderMap, base_url: Option<&str>) -> bool {
    if let Some(site) = headers.get(FETCH_SITE) {
        return site != "same-origin" && site != "none";
    }
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let host = host::of(uri, headers);
    let origin = origin.to_str().unwrap_or_default();
    let is_host = origin.split_once("://").is_some_and(|(_, of_origin)| Some(of_origin) == host);
    !is_host && base_url != Some(origin)
}

/// Reads the text of a rejected form, counted in `held`. Files are dropped, and the time is short.
pub async fn read_text<B>(rule: BodyRule, headers: &HeaderMap, body: B, held: &Arc<Share>) -> TypedForm
where
    B: Body<Data = Bytes> + Send + 'static,
{
    let mut typed = TypedForm::default();
    match (rule, upload::boundary(headers)) {
        (BodyRule::Upload(rule), Some(boundary)) => {
            upload::read_text(rule, boundary, body, held, &mut typed).await;
        }
        (BodyRule::Form { limit } | BodyRule::Upload(UploadRule { text: limit, .. }), None) => {
            let mut kept = Vec::new();
            typed.is_cut = body::read_into(&mut kept, body, limit, held).await.is_err();
            typed.fields = Fields::parse_lossy(&kept);
        }
        (BodyRule::Form { .. } | BodyRule::Ignored | BodyRule::Raw(_), _) => {}
    }
    typed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_same_site_forms_are_echoed() {
        let foreign = |headers: &[(&'static str, &'static str)]| {
            let pairs =
                headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
            is_cross_site(&Uri::from_static("/e/1/report"), &pairs.collect(), Some("https://esb.example.org"))
        };
        for ours in [
            &[("host", "esb")][..],
            &[("host", "esb"), ("origin", "http://esb")],
            &[("host", "inner:5000"), ("origin", "https://esb.example.org")],
            &[("host", "esb"), ("origin", "https://other"), ("sec-fetch-site", "same-origin")],
        ] {
            assert!(!foreign(ours), "{ours:?}");
        }
        for others in [
            &[("host", "esb"), ("origin", "http://evil.example")][..],
            &[("host", "esb"), ("origin", "null")],
            &[("host", "esb"), ("origin", "http://esb.evil.example")],
            &[("host", "esb"), ("origin", "http://esb"), ("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
        ] {
            assert!(foreign(others), "{others:?}");
        }
        let headers = HeaderMap::from_iter([
            (http::header::HOST, HeaderValue::from_static("evil.example")),
            (ORIGIN, HeaderValue::from_static("http://evil.example")),
        ]);
        assert!(
            is_cross_site(&Uri::from_static("http://esb/e/1/report"), &headers, None),
            "the target counts"
        );
    }
}
