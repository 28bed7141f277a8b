//! Checks which site a request is for (RFC 9112, section 3.2). An ambiguous request is rejected first, since a proxy in
//! front of us may have understood another site.

use super::PageError;
use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Uri, Version};

/// Requires exactly one valid `Host`; HTTP/1.0 may omit it.
///
/// # Errors
/// `NoHost`.
pub fn check(parts: &Parts) -> Result<(), PageError> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let is_fit = match (hosts.next(), hosts.next()) {
        (Some(host), None) => is_host(host),
        (None, _) => parts.version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    };
    if is_fit { Ok(()) } else { Err(PageError::NoHost) }
}

/// The requested site: an absolute request target overrides `Host`.
pub fn of<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let in_target = uri.authority().map(Authority::as_str);
    in_target.or_else(|| headers.get(HOST)?.to_str().ok())
}

/// A name or address with an optional port. The grammar allows an empty one, but no http address has it. The grammar
/// also allows a comma, but that is how two combined `Host` headers look.
fn is_host(value: &HeaderValue) -> bool {
    let Ok(authority) = Authority::try_from(value.as_bytes()) else { return false };
    let (host, text) = (authority.host(), authority.as_str());
    let port = text.strip_prefix(host).map(|rest| rest.strip_prefix(':').unwrap_or(rest));
    let is_port = |port: &str| port.is_empty() || port.parse::<u16>().is_ok() && !port.starts_with('+');
    !host.is_empty() && !text.contains(['@', ',']) && port.is_some_and(is_port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use proptest::prelude::*;

    fn checked(version: Version, hosts: &[&[u8]]) -> bool {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.version = version;
        for host in hosts {
            parts.headers.append(HOST, HeaderValue::from_bytes(host).unwrap());
        }
        check(&parts).is_ok()
    }

    #[test]
    fn one_valid_host_is_needed() {
        for host in [
            "esb",
            "esb.example.org",
            "esb.example.org:443",
            "esb:",
            "192.0.2.1",
            "[2001:db8::1]",
            "[::1]:5000",
            "my_esb",
        ] {
            assert!(checked(Version::HTTP_11, &[host.as_bytes()]), "{host}");
            assert!(checked(Version::HTTP_10, &[host.as_bytes()]), "{host}");
        }
        for host in [
            "",
            "esb/",
            "a b",
            "user@esb",
            "esb:port",
            "esb:65536",
            "esb:+80",
            "a,b",
            "[::1",
            "::1",
            "[::1]x",
            "esb:80:80",
            "http://esb",
            "es\u{e9}b",
            "esb?",
            "esb#",
            "\\",
            "<esb>",
        ] {
            assert!(!checked(Version::HTTP_11, &[host.as_bytes()]), "{host}");
            assert!(!checked(Version::HTTP_10, &[host.as_bytes()]), "{host}");
        }
        for version in [Version::HTTP_10, Version::HTTP_11] {
            assert!(!checked(version, &[b"esb", b"esb"]), "two are one too many, also when they agree");
        }
        assert!(checked(Version::HTTP_10, &[]) && !checked(Version::HTTP_11, &[]));
    }

    #[test]
    fn absolute_uri_overrides_host_header() {
        let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("other"))]);
        assert_eq!(of(&Uri::from_static("http://esb:5000/e/1"), &headers), Some("esb:5000"));
        assert_eq!(of(&Uri::from_static("/e/1"), &headers), Some("other"));
        assert_eq!(of(&Uri::from_static("/e/1"), &HeaderMap::new()), None);
    }

    proptest! {
        #[test]
        fn arbitrary_host_is_checked_without_panic(host in prop::collection::vec(0x20..=0xffu8, 0..40)) {
            if let Ok(value) = HeaderValue::from_bytes(&host) && is_host(&value) {
                prop_assert!(value.to_str().is_ok_and(|text| !text.contains([' ', '/', '@', ','])));
            }
        }
    }
}
