//! Serves stored files: whole, a range (RFC 9110 "Range Requests"), or 304 if the client has the file. Files cannot
//! execute: no scripts, no frames, no content sniffing.

use super::cached::Version;
use super::response::PageResponse;
use super::response_body::{BrokenOff, ResponseBody};
use super::{PageError, PageRequest};
use crate::domain::file::{FileKind, FileName};
use crate::error_chain::ErrorChain;
use crate::files::OpenedFile;
use bytes::Bytes;
use futures_util::{Stream, stream};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use std::io::SeekFrom;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// Bytes per read.
const PIECE: usize = 64 * 1024;
/// Policy for files that are shown in the browser: only the file itself.
const SHOWN: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; img-src 'self'; media-src 'self'; object-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);
const SAVED: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; sandbox");

/// How a file is served.
#[derive(Debug)]
pub struct ServedFile<'a> {
    /// Changes with the content.
    pub version: Version,
    pub kind: FileKind,
    /// File name for saving.
    pub name: &'a FileName,
    pub cache_control: HeaderValue,
}

/// The response with the file. `open` is called only if the client does not already have the file.
pub async fn serve_file(
    request: &PageRequest,
    file: ServedFile<'_>,
    open: impl Future<Output = Result<OpenedFile, PageError>>,
) -> Result<PageResponse, PageError> {
    if file.version.is_held(&request.headers) {
        return Ok(file.version.not_modified(file.cache_control));
    }
    let OpenedFile { file: mut opened, size } = open.await?;
    let part = part(&request.headers, &file.version, size);
    let (from, to) = match part {
        Part::Whole => (0, size),
        Part::Of(from, to) => (from, to),
        Part::Beyond => (0, 0),
    };
    opened.seek(SeekFrom::Start(from)).await.map_err(PageError::internal)?;
    let mut response = Response::new(ResponseBody::pieces(pieces(opened, to - from)));
    *response.status_mut() = match part {
        Part::Whole => StatusCode::OK,
        Part::Of(..) => StatusCode::PARTIAL_CONTENT,
        Part::Beyond => StatusCode::RANGE_NOT_SATISFIABLE,
    };
    let headers = response.headers_mut();
    let range = match part {
        Part::Whole => None,
        Part::Of(from, to) => Some(format!("bytes {from}-{}/{size}", to - 1)),
        Part::Beyond => Some(format!("bytes */{size}")),
    };
    if let Some(range) = range {
        headers.insert(CONTENT_RANGE, HeaderValue::try_from(range).map_err(PageError::internal)?);
    }
    let shown = file.kind.is_shown();
    headers.insert(CONTENT_LENGTH, (to - from).into());
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.kind.media_type()));
    headers.insert(CONTENT_DISPOSITION, disposition(shown, file.name).map_err(PageError::internal)?);
    headers.insert(CONTENT_SECURITY_POLICY, if shown { SHOWN } else { SAVED });
    headers.insert(CACHE_CONTROL, file.cache_control);
    headers.insert(ETAG, HeaderValue::try_from(file.version.tag()).map_err(PageError::internal)?);
    Ok(response)
}

/// Streams `left` bytes of an open file, piece by piece.
fn pieces(file: tokio::fs::File, left: u64) -> impl Stream<Item = Result<Bytes, BrokenOff>> {
    stream::try_unfold((file, left), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; wanted];
        if let Err(error) = file.read_exact(&mut piece).await {
            tracing::error!(error = %ErrorChain(&error), "stored file broke off while sending");
            return Err(BrokenOff);
        }
        Ok(Some((Bytes::from(piece), (file, left - wanted as u64))))
    })
}

/// The requested range of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    /// From the first offset up to, not including, the second.
    Of(u64, u64),
    /// The range lies outside the file.
    Beyond,
}

/// A single range is served; several ranges or an invalid one are answered with the whole file (RFC 9110, 14.2).
fn part(headers: &HeaderMap, version: &Version, size: u64) -> Part {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let same = headers.get(IF_RANGE).is_none() || text(IF_RANGE) == Some(version.tag().as_str());
    let asked = text(RANGE).filter(|_| same).and_then(|range| range.strip_prefix("bytes="));
    let Some((first, last)) = asked.and_then(|range| range.trim().split_once('-')) else {
        return Part::Whole;
    };
    let number = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => digits.parse::<u64>().ok(),
        false => None,
    };
    let (from, to) = match (number(first), number(last)) {
        (None, Some(count)) if first.is_empty() => (size.saturating_sub(count), size),
        (Some(from), None) if last.is_empty() => (from, size),
        (Some(from), Some(last)) if from <= last => (from, last.saturating_add(1).min(size)),
        _ => return Part::Whole,
    };
    if from < to { Part::Of(from, to) } else { Part::Beyond }
}

/// `Content-Disposition` with the name twice: as ASCII, and as UTF-8 (RFC 6266).
fn disposition(shown: bool, name: &FileName) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let how = if shown { "inline" } else { "attachment" };
    let keep = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
    let plain: String = name.as_str().chars().map(|c| if keep(c) { c } else { '_' }).collect();
    let encoded: String = name.as_str().bytes().map(percent).collect();
    HeaderValue::try_from(format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"))
}

fn percent(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asked(range: &str, if_range: Option<&str>) -> Part {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::try_from(range).unwrap());
        if let Some(tag) = if_range {
            headers.insert(IF_RANGE, HeaderValue::try_from(tag).unwrap());
        }
        part(&headers, &Version("v1".into()), 100)
    }

    #[test]
    fn range_header_selects_part_of_file() {
        for (range, expected) in [
            ("bytes=0-", Part::Of(0, 100)),
            ("bytes=10-19", Part::Of(10, 20)),
            ("bytes=10-1000", Part::Of(10, 100)),
            ("bytes=-30", Part::Of(70, 100)),
            ("bytes=-300", Part::Of(0, 100)),
            ("bytes=100-", Part::Beyond),
            ("bytes=-0", Part::Beyond),
            ("bytes=20-10", Part::Whole),
            ("bytes=0-1,5-6", Part::Whole),
            ("bytes=+1-5", Part::Whole),
            ("bytes=-", Part::Whole),
            ("lines=1-2", Part::Whole),
        ] {
            assert_eq!(asked(range, None), expected, "{range}");
        }
        assert_eq!(asked("bytes=0-9", Some("\"v1\"")), Part::Of(0, 10));
        assert_eq!(asked("bytes=0-9", Some("\"v0\"")), Part::Whole);
    }

    #[test]
    fn names_cannot_end_their_header() {
        let header = disposition(true, &FileName::clean("Säge\"; x=\"1.pdf")).unwrap();
        let expected = "inline; filename=\"S_ge__ x__1.pdf\"; \
                        filename*=UTF-8''S%C3%A4ge%22%3B%20x%3D%221.pdf";
        assert_eq!(header.to_str().unwrap(), expected);
    }

    proptest! {
        #[test]
        fn any_name_fits_into_the_header(name in any::<String>()) {
            let header = disposition(false, &FileName::clean(&name)).unwrap();
            prop_assert!(header.to_str().unwrap().starts_with("attachment; filename=\""));
            prop_assert_eq!(header.to_str().unwrap().matches('"').count(), 2);
        }

        #[test]
        fn any_range_stays_within_the_file(range in "(bytes=)?[0-9,-]{0,50}") {
            if let Part::Of(from, to) = asked(&range, None) {
                prop_assert!(from < to && to <= 100);
            }
        }
    }
}
