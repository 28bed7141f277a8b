//! Parses `HTTPS_PROXY` and `NO_PROXY`. Must not: connect; `clients::proxy` does. Called by `parse`.

use http::Uri;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// Remedy for a wrong `HTTPS_PROXY`.
pub(super) const REMEDY: &str = "give http://host:port, or http://user:password@host:port with what is special in \
                                 them percent-encoded (@ is %40); the proxy itself is called without TLS";

/// An HTTP proxy that opens tunnels (CONNECT).
#[derive(Debug, Clone)]
pub struct Proxy {
    /// `http://host:port/`, with user and password if the proxy needs them.
    pub url: SecretString,
    /// Hosts, domains and networks that are called directly, separated by commas; `*`: all.
    pub direct: String,
}

impl Proxy {
    /// `None` for an invalid address.
    pub(super) fn parse(url: &str, no_proxy: &str) -> Option<Self> {
        let rest = match url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some(_) => return None,
            None => url,
        };
        // Text after the first slash could be the rest of a password.
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return None;
        }
        let url = format!("http://{authority}/");
        let uri = url.parse::<Uri>().ok()?;
        let address = without_credentials(uri.authority()?.as_str());
        let host = uri.host().filter(|host| !host.is_empty())?;
        let whole = uri.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        (address == whole).then(|| Self { url: url.into(), direct: direct(no_proxy) })
    }
}

impl fmt::Display for Proxy {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.expose_secret();
        let authority = url.trim_start_matches("http://").trim_end_matches('/');
        write!(f, "http://{}", without_credentials(authority))
    }
}

fn without_credentials(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, address)| address)
}

/// Normalizes `NO_PROXY`: separates entries by commas, removes `*` before `.domain` and brackets around addresses.
fn direct(no_proxy: &str) -> String {
    let entries = no_proxy.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
    let plain = entries.map(|entry| {
        let entry = entry.strip_prefix('*').filter(|domain| domain.starts_with('.')).unwrap_or(entry);
        entry.trim_start_matches('[').trim_end_matches(']')
    });
    plain.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_spellings_are_parsed() {
        for (given, url, shown) in [
            ("http://proxy.lan:3128", "http://proxy.lan:3128/", "http://proxy.lan:3128"),
            ("HTTP://proxy.lan:3128/", "http://proxy.lan:3128/", "http://proxy.lan:3128"),
            ("proxy.lan:3128", "http://proxy.lan:3128/", "http://proxy.lan:3128"),
            ("proxy", "http://proxy/", "http://proxy"),
            (
                "http://esb:hun%40ter2@10.0.0.1:8080",
                "http://esb:hun%40ter2@10.0.0.1:8080/",
                "http://10.0.0.1:8080",
            ),
            ("esb:hunter2@[fd00::1]:8080", "http://esb:hunter2@[fd00::1]:8080/", "http://[fd00::1]:8080"),
        ] {
            let proxy = Proxy::parse(given, "").unwrap();
            assert_eq!((proxy.url.expose_secret(), proxy.to_string().as_str()), (url, shown), "{given}");
            assert!(!format!("{proxy:?}").contains("hun"), "{proxy:?}");
        }
    }

    #[test]
    fn invalid_addresses_are_rejected() {
        for wrong in [
            "https://proxy.lan:3128",
            "socks5://proxy.lan:1080",
            "http://proxy.lan:3128/path",
            "http://esb:hun/ter2@proxy.lan:3128",
            "http://esb:80/hunter2@proxy.lan:3128",
            "http://esb:hun#ter2@proxy.lan",
            "http://proxy.lan:port",
            "http://proxy.lan:99999",
            "http://",
            "http://esb:hunter2@",
            "a b",
        ] {
            assert!(Proxy::parse(wrong, "").is_none(), "{wrong}");
        }
    }

    #[test]
    fn no_proxy_separators_are_normalized() {
        let direct = |given| Proxy::parse("proxy:3128", given).unwrap().direct;
        assert_eq!(
            direct(" a.lan, .b.lan,,*.c.lan 10.0.0.0/8\t[fd00::1] "),
            "a.lan,.b.lan,.c.lan,10.0.0.0/8,fd00::1"
        );
        assert_eq!((direct("*"), direct("")), ("*".to_owned(), String::new()));
    }
}
