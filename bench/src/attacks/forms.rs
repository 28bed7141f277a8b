//! Requests as browsers send them: forms, with and without files.

use super::Target;

/// The boundary of a multipart form.
const BOUNDARY: &str = "----esb-bench";

pub(super) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\n\r\n").into_bytes()
}

/// "Me too", with `X-Forwarded-For` if given.
pub(super) fn me_too(target: Target, forwarded_for: Option<&str>) -> Vec<u8> {
    let forwarded =
        forwarded_for.map(|address| format!("x-forwarded-for: {address}\r\n")).unwrap_or_default();
    format!(
        "POST /e/{}/me-too/{} HTTP/1.1\r\nhost: bench\r\n{forwarded}\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: 0\r\n\r\n",
        target.equipment, target.repair
    )
    .into_bytes()
}

/// A report with photos. `number` makes it unique.
pub(super) fn report(target: Target, number: u64, photos: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = report_text(target, number);
    for (name, content) in photos {
        body.extend(photo_head(name).into_bytes());
        body.extend_from_slice(content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    [report_head(target, body.len()), body].concat()
}

/// The head of a report of that many bytes.
pub(super) fn report_head(target: Target, length: usize) -> Vec<u8> {
    format!(
        "POST /e/{}/report HTTP/1.1\r\nhost: bench\r\ncontent-length: {length}\r\n\
         content-type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n",
        target.equipment
    )
    .into_bytes()
}

/// The texts of a report, which come before its photos.
pub(super) fn report_text(target: Target, number: u64) -> Vec<u8> {
    let field = |name: &str, value: &str| {
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let request_id = format!("{:016x}{number:016x}", target.round);
    let texts = [("request_id", &*request_id), ("reporter_name", "Bench"), ("description", "It rattles")];
    texts.iter().map(|(name, value)| field(name, value)).collect::<String>().into_bytes()
}

/// The part header of a photo.
pub(super) fn photo_head(name: &str) -> String {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"{name}\"\r\n\r\n")
}
