//! Whose address a request counts for, behind proxies or not. Nothing a stranger writes into a
//! header is believed: only hops that a trusted proxy itself has seen.

use http::HeaderMap;
use std::net::IpAddr;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The peer's address or, where the peer is one of `trusted`, the last hop of `X-Forwarded-For`
/// that is not. IPv4 addresses in IPv6 clothing are undressed.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let mut client = peer.to_canonical();
    let lines: Vec<&str> = headers.get_all(FORWARDED_FOR).iter().filter_map(|v| v.to_str().ok()).collect();
    let hops = lines.iter().flat_map(|line| line.split(',')).rev();
    for hop in hops {
        if !trusted.iter().any(|proxy| proxy.to_canonical() == client) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(address) => client = address.to_canonical(),
            Err(_) => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[track_caller]
    fn check(peer: &str, forwarded: &[&str], trusted: &[&str], client: &str) {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        let trusted: Vec<IpAddr> = trusted.iter().map(|t| t.parse().unwrap()).collect();
        let found = client_address(peer.parse().unwrap(), &headers, &trusted);
        assert_eq!(found, client.parse::<IpAddr>().unwrap());
    }

    #[test]
    fn nobody_is_believed_without_a_trusted_proxy() {
        check("203.0.113.9", &[], &[], "203.0.113.9");
        check("203.0.113.9", &["198.51.100.1"], &[], "203.0.113.9");
        check("203.0.113.9", &["198.51.100.1"], &["10.0.0.1"], "203.0.113.9");
    }

    #[test]
    fn the_last_hop_that_is_not_ours_counts() {
        check("10.0.0.1", &["198.51.100.1"], &["10.0.0.1"], "198.51.100.1");
        check("10.0.0.1", &["1.1.1.1, 198.51.100.1"], &["10.0.0.1"], "198.51.100.1");
        check("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"], &["10.0.0.1", "10.0.0.2"], "198.51.100.1");
        check("10.0.0.1", &["1.1.1.1", "198.51.100.1,10.0.0.2"], &["10.0.0.1", "10.0.0.2"], "198.51.100.1");
        check("::ffff:10.0.0.1", &["::ffff:198.51.100.1"], &["10.0.0.1"], "198.51.100.1");
    }

    #[test]
    fn junk_ends_the_walk() {
        check("10.0.0.1", &[], &["10.0.0.1"], "10.0.0.1");
        check("10.0.0.1", &["unknown"], &["10.0.0.1"], "10.0.0.1");
        check("10.0.0.1", &["198.51.100.1, , 10.0.0.1"], &["10.0.0.1"], "10.0.0.1");
    }
}
