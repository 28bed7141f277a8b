//! Bodies that are rendered once per version and served many times: plain, compressed, or as 304 if the client has the
//! current version.

use super::PageResponse;
use super::response::response;
use super::response_body::ResponseBody;
use crate::revision_cache::LatestCache;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use tower::{ServiceExt, service_fn};
use tower_http::compression::Compression;

const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// The version of a body, as sent in `ETag`: letters, digits and `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub String);

impl Version {
    /// True if the client already has this version. Encodings are ignored (weak comparison).
    pub fn is_held(&self, headers: &HeaderMap) -> bool {
        let lines = headers.get_all(IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).map(str::trim).any(|tag| {
            let tag = tag.strip_prefix("W/").unwrap_or(tag);
            let opaque = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            tag == "*" || opaque == Some(&self.0)
        })
    }

    /// The tag as a page's script sends it back.
    pub fn tag(&self) -> String {
        format!("\"{}\"", self.0)
    }

    fn stamp(&self, headers: &mut HeaderMap, weak: bool) {
        let tag = if weak { format!("W/{}", self.tag()) } else { self.tag() };
        if let Ok(tag) = HeaderValue::try_from(tag) {
            headers.insert(ETAG, tag);
        }
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }

    /// The 304 response.
    pub fn not_modified(&self, cache_control: HeaderValue) -> PageResponse {
        let mut response = Response::new(ResponseBody::default());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        self.stamp(response.headers_mut(), true);
        response.headers_mut().insert(CACHE_CONTROL, cache_control);
        response
    }

    /// Adds an `ETag` to a body that was rendered for this request alone and may be compressed by the server.
    pub fn mark(&self, mut response: PageResponse, cache_control: HeaderValue) -> PageResponse {
        self.stamp(response.headers_mut(), true);
        response.headers_mut().insert(CACHE_CONTROL, cache_control);
        response
    }
}

#[derive(Debug)]
pub struct Cached {
    version: Version,
    media_type: HeaderValue,
    plain: Bytes,
    gzip: Option<Bytes>,
}

impl Cached {
    /// Stores `body` and compresses it once.
    pub async fn new(version: Version, media_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        let plain = body.into();
        let gzip = gzip(&plain, &media_type).await;
        Self { version, media_type, plain, gzip }
    }

    pub const fn version(&self) -> &Version {
        &self.version
    }

    /// The response to a request with these headers: 304 if the client has this version.
    pub fn response(&self, headers: &HeaderMap, cache_control: HeaderValue) -> PageResponse {
        if self.version.is_held(headers) {
            return self.version.not_modified(cache_control);
        }
        let gzip = self.gzip.as_ref().filter(|_| accepts_gzip(headers));
        let compressed = gzip.is_some();
        let body = gzip.unwrap_or(&self.plain).clone();
        let mut response = response(StatusCode::OK, self.media_type.clone(), body);
        // A strong tag identifies the plain bytes; the compressed bytes are only equivalent.
        self.version.stamp(response.headers_mut(), compressed);
        response.headers_mut().insert(CACHE_CONTROL, cache_control);
        if compressed {
            response.headers_mut().insert(CONTENT_ENCODING, GZIP);
        }
        response
    }
}

/// Caches the newest version of one body.
#[derive(Debug, Default)]
pub struct LatestBody(LatestCache<Version, Arc<Cached>>);

impl LatestBody {
    /// The body of `version`: from the cache, else from `make`, called once for all concurrent callers.
    pub async fn get<E>(
        &self,
        version: Version,
        media_type: HeaderValue,
        make: impl FnOnce() -> Result<String, E>,
    ) -> Result<Arc<Cached>, E> {
        let making = async {
            let body = make()?;
            Ok(Arc::new(Cached::new(version.clone(), media_type, body).await))
        };
        self.0.get(&version, making).await
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|choice| {
        let mut parts = choice.split(';').map(str::trim);
        let named = parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"));
        let weight = parts
            .find_map(|part| part.strip_prefix(['q', 'Q'])?.strip_prefix('='))
            .map_or(Ok(1.0), str::parse::<f32>);
        named && weight.is_ok_and(|weight| weight > 0.0)
    })
}

/// Compresses through the layer that compresses all other responses. `None` if compression is not worth it (tiny
/// bodies, pictures).
async fn gzip(plain: &Bytes, media_type: &HeaderValue) -> Option<Bytes> {
    let layer = Compression::new(service_fn(|_: Request<()>| -> Ready<Result<PageResponse, Infallible>> {
        ready(Ok(response(StatusCode::OK, media_type.clone(), plain.clone())))
    }));
    let mut request = Request::new(());
    request.headers_mut().insert(ACCEPT_ENCODING, GZIP);
    let Ok(response) = layer.oneshot(request).await;
    let compressed = response.headers().contains_key(CONTENT_ENCODING);
    let body = response.into_body().collect().await.ok()?;
    compressed.then(|| body.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::kernel::cache_control::REVALIDATE;
    use crate::web::kernel::response::HTML;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn etag_matches_in_any_encoding() {
        let version = Version("17-a".into());
        for held in ["\"17-a\"", "W/\"17-a\"", "\"1\", W/\"17-a\"", "*"] {
            assert!(version.is_held(&headers(&[("if-none-match", held)])), "{held}");
        }
        for other in ["17-a", "\"17\"", "W/17-a", "\"", ""] {
            assert!(!version.is_held(&headers(&[("if-none-match", other)])), "{other}");
        }
    }

    #[test]
    fn gzip_requires_accept_encoding() {
        for yes in ["gzip", "br, gzip;q=0.5", "GZIP", "gzip; q=1.0"] {
            assert!(accepts_gzip(&headers(&[("accept-encoding", yes)])), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip;q=0.0", "gzip;q=x", "gzip;Q=0", "identity"] {
            assert!(!accepts_gzip(&headers(&[("accept-encoding", no)])), "{no}");
        }
    }

    #[tokio::test]
    async fn cached_body_is_plain_gzip_or_304() {
        let cached = Cached::new(Version("17".into()), HTML, "a board ".repeat(100)).await;
        let plain = cached.response(&HeaderMap::new(), REVALIDATE);
        assert_eq!(plain.headers()[ETAG], "\"17\"");
        assert_eq!(plain.into_body().collect().await.unwrap().to_bytes().len(), 800);
        let gzip = cached.response(&headers(&[("accept-encoding", "gzip")]), REVALIDATE);
        assert_eq!(
            (&gzip.headers()[ETAG], &gzip.headers()[CONTENT_ENCODING]),
            (&"W/\"17\"".parse().unwrap(), &GZIP)
        );
        let body = gzip.into_body().collect().await.unwrap().to_bytes();
        assert!(body.starts_with(&[0x1f, 0x8b]) && body.len() < 100);
        let held = cached.response(&headers(&[("if-none-match", "W/\"17\"")]), REVALIDATE);
        assert_eq!(held.status(), StatusCode::NOT_MODIFIED);
        let tiny = Cached::new(Version("1".into()), HTML, "x").await;
        assert!(
            !tiny
                .response(&headers(&[("accept-encoding", "gzip")]), REVALIDATE)
                .headers()
                .contains_key(CONTENT_ENCODING)
        );
    }

    #[tokio::test]
    async fn body_of_a_version_is_rendered_once() {
        let newest = LatestBody::default();
        let get = async |n: &str| {
            let make = || Ok::<_, Infallible>(n.to_owned());
            newest.get(Version(n.into()), HTML, make).await.unwrap()
        };
        let first = get("1").await;
        assert!(Arc::ptr_eq(&first, &get("1").await));
        assert_eq!(get("2").await.version(), &Version("2".into()));
    }
}
