//! The route table as data: method, pattern, access rule, body rule and handler.

use super::{Access, PageError, PageRequest, PageResponse};
use crate::web::Web;
use crate::web::upload::UploadRule;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method};
use matchit::{InsertError, Router};

pub type Handler = for<'a> fn(&'a Web, &'a PageRequest) -> BoxFuture<'a, Result<PageResponse, PageError>>;

/// Decides by the request head how many bytes of the body are read.
pub type BodyCheck = fn(&Web, &HeaderMap) -> Result<usize, PageError>;

/// How a request's body is read.
#[derive(Debug, Clone, Copy)]
pub enum BodyRule {
    Ignored,
    /// The raw bytes, up to the limit that its check returns; the page authenticates the sender.
    Raw(BodyCheck),
    /// A form with a CSRF token.
    Form {
        /// In encoded bytes.
        limit: usize,
    },
    /// A form that may have files.
    Upload(UploadRule),
}

/// Whose forms require a CSRF token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CsrfRule {
    Everybody,
    /// Those of signed-in people: visitors may do the same without any cookie, so there is nothing to forge.
    SignedIn,
}

#[derive(Debug)]
pub struct Route {
    /// `GET` answers `HEAD` too.
    pub method: Method,
    /// The path in matchit syntax; also the route's name in logs and metrics.
    pub pattern: &'static str,
    pub access: Access,
    pub body: BodyRule,
    pub csrf: CsrfRule,
    /// Answered even when too many requests are in flight: for health checks.
    pub is_always_answered: bool,
    pub handler: Handler,
}

impl Route {
    pub const fn get(pattern: &'static str, access: Access, handler: Handler) -> Self {
        Self {
            method: Method::GET,
            pattern,
            access,
            body: BodyRule::Ignored,
            csrf: CsrfRule::Everybody,
            is_always_answered: false,
            handler,
        }
    }

    /// A route for monitoring programs.
    pub const fn watch(pattern: &'static str, handler: Handler) -> Self {
        Self {
            method: Method::GET,
            pattern,
            access: Access::Public,
            body: BodyRule::Ignored,
            csrf: CsrfRule::Everybody,
            is_always_answered: true,
            handler,
        }
    }

    /// A form of at most `limit` bytes that changes something.
    pub const fn form(pattern: &'static str, access: Access, limit: usize, handler: Handler) -> Self {
        Self::post(pattern, access, BodyRule::Form { limit }, CsrfRule::Everybody, handler)
    }

    /// A form that everyone may send; visitors need no token.
    pub const fn open_form(pattern: &'static str, limit: usize, handler: Handler) -> Self {
        Self::post(pattern, Access::Anyone, BodyRule::Form { limit }, CsrfRule::SignedIn, handler)
    }

    /// A raw body from an external program, up to the size that `check` allows.
    pub const fn raw(pattern: &'static str, check: BodyCheck, handler: Handler) -> Self {
        Self::post(pattern, Access::Public, BodyRule::Raw(check), CsrfRule::Everybody, handler)
    }

    /// A form that may have files.
    pub const fn upload(pattern: &'static str, access: Access, rule: UploadRule, handler: Handler) -> Self {
        Self::post(pattern, access, BodyRule::Upload(rule), CsrfRule::Everybody, handler)
    }

    /// The same for everyone; visitors need no token.
    pub const fn open_upload(pattern: &'static str, rule: UploadRule, handler: Handler) -> Self {
        Self::post(pattern, Access::Anyone, BodyRule::Upload(rule), CsrfRule::SignedIn, handler)
    }

    const fn post(
        pattern: &'static str,
        access: Access,
        body: BodyRule,
        csrf: CsrfRule,
        handler: Handler,
    ) -> Self {
        Self { method: Method::POST, pattern, access, body, csrf, is_always_answered: false, handler }
    }

    fn accepts(&self, method: &Method) -> bool {
        self.method == *method || (self.method == Method::GET && *method == Method::HEAD)
    }
}

/// The routes, looked up by path and then by method.
#[derive(Debug)]
pub struct RouteTable(Router<Vec<&'static Route>>);

/// A path that has routes.
#[derive(Debug)]
pub struct RouteMatch {
    pub pattern: &'static str,
    /// The route, or the value of `Allow` if none handles the method.
    pub route: Result<&'static Route, String>,
    /// Names and raw values of the pattern's parameters.
    pub params: Vec<(String, String)>,
}

impl RouteTable {
    /// # Errors
    /// Two patterns match the same paths, or a pattern is invalid.
    pub fn new(routes: &'static [Route]) -> Result<Self, InsertError> {
        let mut table = Router::new();
        let mut seen: Vec<&str> = Vec::new();
        for route in routes {
            if seen.contains(&route.pattern) {
                continue;
            }
            seen.push(route.pattern);
            let of_pattern = routes.iter().filter(|other| other.pattern == route.pattern).collect();
            table.insert(route.pattern, of_pattern)?;
        }
        Ok(Self(table))
    }

    /// The route of a request; `None` for an unknown path.
    pub fn find(&self, method: &Method, path: &str) -> Option<RouteMatch> {
        let at = self.0.at(path).ok()?;
        let params = at.params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let route = at.value.iter().find(|route| route.accepts(method)).copied();
        let pattern = at.value.first()?.pattern;
        Some(RouteMatch { pattern, route: route.ok_or_else(|| allowed(at.value)), params })
    }

    /// The canonical path and pattern for a path with capitals or trailing slashes: people type addresses from printed
    /// labels. `None` if no page is there.
    pub fn canonical(&self, path: &str) -> Option<(&'static str, String)> {
        let typed = path.trim_end_matches('/');
        let lower = typed.to_ascii_lowercase();
        let routes = self.0.at(&lower).ok()?.value;
        let pattern = routes.iter().find(|route| route.accepts(&Method::GET))?.pattern;
        // Only the pattern's literal segments are lowercased: parameter values may be case-sensitive.
        let mut words = pattern.split('/').map(|word| (word, word.starts_with('{') && word.ends_with('}')));
        let segments = typed.split('/').zip(lower.split('/')).map(|(typed, lower)| match words.next() {
            Some((_, true)) | None => typed,
            Some((_, false)) => lower,
        });
        let canonical = segments.collect::<Vec<_>>().join("/");
        (canonical != path).then_some((pattern, canonical))
    }
}

fn allowed(routes: &[&Route]) -> String {
    let mut methods: Vec<&str> = routes.iter().map(|route| route.method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nowhere<'a>(_: &'a Web, _: &'a PageRequest) -> BoxFuture<'a, Result<PageResponse, PageError>> {
        Box::pin(async { Err(PageError::NotFound) })
    }

    static ROUTES: &[Route] = &[
        Route::get("/e/{id}", Access::Anyone, nowhere),
        Route::get("/e/{id}.json", Access::Anyone, nowhere),
        Route::form("/e/{id}/report", Access::Anyone, 9, nowhere),
        Route::get("/e/{id}/report", Access::Anyone, nowhere),
        Route::get("/assets/{*path}", Access::Public, nowhere),
    ];

    #[track_caller]
    fn check(method: &str, path: &str, expected: Option<(&str, &[&str])>) {
        let table = RouteTable::new(ROUTES).unwrap();
        let found = table.find(&method.parse().unwrap(), path);
        let found = found.as_ref().map(|found| {
            assert!(found.route.is_ok(), "{method} {path}");
            (found.pattern, found.params.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>())
        });
        assert_eq!(found, expected.map(|(pattern, params)| (pattern, params.to_vec())), "{method} {path}");
    }

    #[test]
    fn path_has_one_pattern() {
        check("GET", "/e/7", Some(("/e/{id}", &["7"])));
        check("HEAD", "/e/7", Some(("/e/{id}", &["7"])));
        check("GET", "/e/7.json", Some(("/e/{id}.json", &["7"])));
        check("POST", "/e/7/report", Some(("/e/{id}/report", &["7"])));
        check("GET", "/assets/a/b.css", Some(("/assets/{*path}", &["a/b.css"])));
        check("GET", "/e/%2e%2e", Some(("/e/{id}", &["%2e%2e"])));
        for nowhere in ["", "/", "/e/", "/e/7/", "/e/7/report/8", "/E/7", "*", "//", "/assets/"] {
            check("GET", nowhere, None);
        }
    }

    #[track_caller]
    fn leads(path: &str, expected: Option<&str>) {
        let canonical = RouteTable::new(ROUTES).unwrap().canonical(path);
        assert_eq!(canonical.as_ref().map(|(_, path)| path.as_str()), expected, "{path}");
    }

    #[test]
    fn capitals_and_slashes_lead_to_page() {
        leads("/e/7/", Some("/e/7"));
        leads("/e/7//", Some("/e/7"));
        leads("/E/7", Some("/e/7"));
        leads("/E/7.JSON", Some("/e/7.json"));
        leads("/E/7/Report/", Some("/e/7/report"));
        leads("/E/aB", Some("/e/aB"));
        leads("/Assets/A/b.CSS", Some("/assets/A/b.CSS"));
        for nowhere in
            ["/e/7", "/e", "/E/", "/", "", "//", "//e/7", "/e//7", "//evil.example/", "*", "/e/7/x/"]
        {
            leads(nowhere, None);
        }
    }

    #[test]
    fn wrong_method_lists_allowed_methods() {
        let table = RouteTable::new(ROUTES).unwrap();
        let allow = |method: Method, path| table.find(&method, path).unwrap().route.unwrap_err();
        assert_eq!(allow(Method::POST, "/e/7"), "GET, HEAD");
        assert_eq!(allow(Method::DELETE, "/e/7/report"), "POST, GET, HEAD");
    }
}
