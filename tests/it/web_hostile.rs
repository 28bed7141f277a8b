//! Requests that no browser sends cause no internal error and change nothing without a token.

use crate::support::ops::with_saw;
use crate::support::web::config;
use bytes::Bytes;
use esb::metrics::Metrics;
use esb::ops::board::equipment;
use esb::web::Web;
use esb::web::kernel::PageResponse;
use esb::web::kernel::cache_control::REVALIDATE;
use esb::web::kernel::cached::{Cached, Version};
use esb::web::kernel::response::HTML;
use esb::web::kernel::service::Kernel;
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HOST, HeaderName, HeaderValue, IF_NONE_MATCH,
};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Headers that something reads.
static READ: [HeaderName; 6] = [
    ACCEPT_ENCODING,
    IF_NONE_MATCH,
    COOKIE,
    CONTENT_TYPE,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("content-length"),
];

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn any_path() -> impl Strategy<Value = String> {
    let number = "(1|0|2|-1|007|99999999999999999999|%31|x|)";
    let query = r"(\?(area|q|page|broken|thanks)=([0-9]{1,20}|%[0-9a-f]{2}|[!-~]{0,12}|)(&q=[!-~]{0,9})?)?";
    let of_equipment =
        format!("/(e|area)/{number}(/report|\\.json|/me-too/1|/reported/[a-z0-9]{{0,20}})?{query}");
    let rest = "/(status.json|health|health/live|metrics|assets/[a-z0-9./%]{0,20}|[!-~]{0,40})";
    let text = |regex: &str| prop::string::string_regex(regex).unwrap();
    prop_oneof![text(&of_equipment), text(&format!("/{query}")), text(rest)]
}

fn any_headers() -> impl Strategy<Value = HeaderMap> {
    let value = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        r#"(gzip|\*|W/|"1-|"|,|;q=|=|__Host-esb_browser_42788142|application/x-www-form-urlencoded|::1|10\.0\.0\.1| ){0,9}"#
            .prop_map(String::into_bytes),
    ];
    let header = (prop::sample::select(&READ[..]), value);
    prop::collection::vec(header, 0..5).prop_map(|headers| {
        let valid =
            |(name, value): (HeaderName, Vec<u8>)| Some((name, HeaderValue::from_bytes(&value).ok()?));
        headers.into_iter().filter_map(valid).collect()
    })
}

/// Never a whole report, which a visitor may send without a token: none names its reporter.
fn any_body() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from),
        r"((csrf_token|request_id|description|severity|reporter_email)=([!-~]{0,40}|%[0-9a-f]{2})&){0,6}"
            .prop_map(Bytes::from),
    ]
}

/// The values that a label has in the metrics.
fn labels(metrics: &Metrics, label: &str) -> BTreeSet<String> {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, metrics.registry()).unwrap();
    let start = format!("{label}=\"");
    let values = text.split(&start).skip(1).filter_map(|rest| rest.split('"').next());
    values.map(str::to_owned).collect()
}

#[test]
fn hostile_requests_change_nothing_without_token() {
    let runtime = runtime();
    let (ops, saw) = runtime.block_on(with_saw());
    let metrics = Metrics::new();
    let web = runtime.block_on(Web::new(ops.ctx.clone(), config(), metrics.clone(), ops.files())).unwrap();
    // Cancelled: answers without an end have one.
    let ended = CancellationToken::new();
    ended.cancel();
    let kernel = Kernel::new(Arc::new(web), ended);
    let methods = prop_oneof![4 => "(GET|HEAD|POST)", 1 => "[!-~]{1,9}"];
    let cases = ProptestConfig::with_cases(128);
    proptest!(cases, |(method in methods, path in any_path(), headers in any_headers(), body in any_body())| {
        let mut request = Request::builder().method(method.as_str()).uri(&path);
        request.headers_mut().into_iter().for_each(|into| into.clone_from(&headers));
        request = request.header(HOST, "esb");
        // What is no request does not get past hyper.
        let Ok(request) = request.body(Full::new(body)) else { return Ok(()) };
        let Ok(answer) = runtime.block_on(kernel.clone().oneshot(request));
        let (head, body) = answer.into_parts();
        prop_assert!(head.status.as_u16() < 500, "{} {} is {}", method, path, head.status);
        for name in ["content-security-policy", "x-content-type-options", "cache-control", "x-request-id"] {
            prop_assert!(head.headers.contains_key(name), "{} of {}", name, path);
        }
        let body = runtime.block_on(body.collect()).unwrap();
        prop_assert!(body.to_bytes().len() < 300_000);
        prop_assert!(method != "POST" || !(head.status.is_success() || head.status.is_redirection()));
    });
    assert_eq!(runtime.block_on(equipment(&ops.ctx, saw)).unwrap().open_count, 0);
    let methods = labels(&metrics, "method");
    assert!(methods.iter().all(|method| ["GET", "HEAD", "POST", "other"].contains(&method.as_str())));
    let routes = labels(&metrics, "route");
    assert!((2..=13).contains(&routes.len()), "{routes:?}");
}

fn answer_to(cached: &Cached, name: HeaderName, lines: &[String]) -> PageResponse {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(name.clone(), HeaderValue::try_from(line).unwrap());
    }
    cached.response(&headers, REVALIDATE)
}

/// A list of a header, split over one or two lines with any spacing.
fn spread(items: &[String], split: usize, blank: &str) -> Vec<String> {
    let (first, second) = items.split_at(split.min(items.len()));
    let lines = [first, second].map(|part| part.join(&format!("{blank},{blank}")));
    lines.into_iter().filter(|line| !line.is_empty()).collect()
}

#[test]
fn cached_pages_are_compressed_on_request() {
    let cached = runtime().block_on(Cached::new(Version("17-a".into()), HTML, "a board ".repeat(100)));
    let coding = ("(gzip|GZip|br|deflate|identity|gzip2|x)", prop::option::of(0..=1000u32), "( ?)");
    let list = prop::collection::vec(coding, 0..5);
    proptest!(|(list in list, split in 0..5usize, blank in " {0,2}")| {
        let gzips: Vec<_> = list.iter().filter(|(name, ..)| name.eq_ignore_ascii_case("gzip")).collect();
        prop_assume!(gzips.len() <= 1);
        let wanted = gzips.first().is_some_and(|(_, weight, _)| weight.is_none_or(|weight| weight > 0));
        let written: Vec<String> = list
            .iter()
            .map(|(name, weight, gap)| match weight {
                Some(weight) => format!("{name};{gap}q={}", f64::from(*weight) / 1000.0),
                None => name.clone(),
            })
            .collect();
        let answer = answer_to(&cached, ACCEPT_ENCODING, &spread(&written, split, &blank));
        prop_assert_eq!(answer.status(), StatusCode::OK);
        prop_assert_eq!(answer.headers().contains_key(CONTENT_ENCODING), wanted, "{:?}", written);
    });
}

#[test]
fn matching_etag_gets_304() {
    let cached = runtime().block_on(Cached::new(Version("17-a".into()), HTML, "a board"));
    let tag = ("(17-a|17-b|17|17-aa||\\*)", any::<bool>());
    proptest!(|(tags in prop::collection::vec(tag, 0..5), split in 0..5usize, blank in " {0,2}")| {
        let held = tags.iter().any(|(opaque, _)| opaque == "17-a");
        let weak = |weak: bool| if weak { "W/" } else { "" };
        let written: Vec<String> = tags.iter().map(|(opaque, w)| format!("{}\"{opaque}\"", weak(*w))).collect();
        let answer = answer_to(&cached, IF_NONE_MATCH, &spread(&written, split, &blank));
        let expected = if held { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        prop_assert_eq!(answer.status(), expected, "{:?}", written);
    });
}
