//! `GET /assets/{hash}/{name}`: styles, scripts and pictures, held in memory, compressed once. The address changes with
//! the content, so browsers may cache forever.

use crate::render::html::AssetUrls;
use crate::web::Web;
use crate::web::kernel::cache_control::REVALIDATE;
use crate::web::kernel::cached::{Cached, Version};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use http::{HeaderMap, HeaderValue};
use rust_embed::Embed;
use std::collections::HashMap;

#[derive(Embed)]
#[folder = "assets/"]
struct Files;

const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Every asset, by name.
#[derive(Debug)]
pub(in crate::web) struct Assets(HashMap<String, Cached>);

impl Assets {
    pub(in crate::web) async fn load() -> Self {
        let mut assets = HashMap::new();
        for name in Files::iter() {
            if let Some(file) = Files::get(&name) {
                let mut hash = hex::encode(file.metadata.sha256_hash());
                hash.truncate(12);
                let cached = Cached::new(Version(hash), media_type(&name), file.data.into_owned()).await;
                assets.insert(name.into_owned(), cached);
            }
        }
        Self(assets)
    }

    /// The addresses that pages use.
    pub(in crate::web) fn urls(&self) -> AssetUrls {
        AssetUrls {
            stylesheet: self.url("esb.css"),
            board_script: self.url("board.js"),
            job_script: self.url("job.js"),
            time_script: self.url("time.js"),
            icon: self.url("icon.svg"),
        }
    }

    /// The asset at `path` within `/assets/`.
    ///
    /// # Errors
    /// `NotFound`.
    pub(in crate::web) fn response(
        &self,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<PageResponse, PageError> {
        let (hash, name) = path.split_once('/').ok_or(PageError::NotFound)?;
        let asset = self.0.get(name).ok_or(PageError::NotFound)?;
        // A page of an older build requests an older hash: it gets the current asset, but must not cache it.
        let keep = if asset.version().0 == hash { KEPT } else { REVALIDATE };
        Ok(asset.response(headers, keep))
    }

    fn url(&self, name: &str) -> String {
        let hash = self.0.get(name).map_or("missing", |asset| asset.version().0.as_str());
        format!("/assets/{hash}/{name}")
    }
}

fn media_type(name: &str) -> HeaderValue {
    HeaderValue::from_static(match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    })
}

pub(super) async fn show(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    web.assets.response(request.param("path")?, &request.headers)
}
