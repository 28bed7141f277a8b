//! Determines the client address that limits count for, with or without proxies. Only hops added by a trusted proxy are
//! used; other forwarded addresses can be forged.

use crate::domain::network::Network;
use http::HeaderMap;
use std::net::IpAddr;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The peer's address or, if the peer is in one of `trusted`, the last hop of `X-Forwarded-For` that is not.
/// IPv4-mapped IPv6 addresses are converted to IPv4.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let mut client = peer.to_canonical();
    let lines: Vec<&str> = headers.get_all(FORWARDED_FOR).iter().filter_map(|v| v.to_str().ok()).collect();
    let hops = lines.iter().flat_map(|line| line.split(',')).rev();
    for hop in hops {
        if !is_proxy(client, trusted) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(address) => client = address.to_canonical(),
            Err(_) => break,
        }
    }
    client
}

/// True if the peer is a trusted proxy, which forwards requests of many clients.
pub fn is_proxy(peer: IpAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|proxies| proxies.contains(peer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    #[track_caller]
    fn check(peer: &str, forwarded: &[&str], trusted: &[&str], client: &str) {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        let trusted: Vec<Network> = trusted.iter().map(|t| t.parse().unwrap()).collect();
        let found = client_address(peer.parse().unwrap(), &headers, &trusted);
        assert_eq!(found, client.parse::<IpAddr>().unwrap());
    }

    #[test]
    fn forwarded_header_is_ignored_without_trusted_proxy() {
        check("203.0.113.9", &[], &[], "203.0.113.9");
        check("203.0.113.9", &["198.51.100.1"], &[], "203.0.113.9");
        check("203.0.113.9", &["198.51.100.1"], &["10.0.0.1"], "203.0.113.9");
    }

    #[test]
    fn last_untrusted_hop_is_the_client() {
        check("10.0.0.1", &["198.51.100.1"], &["10.0.0.1"], "198.51.100.1");
        check("10.0.0.1", &["1.1.1.1, 198.51.100.1"], &["10.0.0.1"], "198.51.100.1");
        check("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"], &["10.0.0.1", "10.0.0.2"], "198.51.100.1");
        check("10.0.0.1", &["1.1.1.1", "198.51.100.1,10.0.0.2"], &["10.0.0.1", "10.0.0.2"], "198.51.100.1");
        check("::ffff:10.0.0.1", &["::ffff:198.51.100.1"], &["10.0.0.1"], "198.51.100.1");
    }

    #[test]
    fn every_proxy_of_a_network_is_trusted() {
        check("10.0.7.1", &["198.51.100.1, 10.9.0.3"], &["10.0.0.0/8"], "198.51.100.1");
        check("::ffff:10.0.7.1", &["198.51.100.1"], &["10.0.0.0/8"], "198.51.100.1");
        check("fd00::7", &["2001:db8::1"], &["fd00::/8", "127.0.0.1"], "2001:db8::1");
        check("11.0.0.1", &["198.51.100.1"], &["10.0.0.0/8"], "11.0.0.1");
    }

    #[test]
    fn invalid_hop_ends_the_forwarded_chain() {
        check("10.0.0.1", &[], &["10.0.0.1"], "10.0.0.1");
        check("10.0.0.1", &["unknown"], &["10.0.0.1"], "10.0.0.1");
        check("10.0.0.1", &["198.51.100.1, , 10.0.0.1"], &["10.0.0.1"], "10.0.0.1");
    }

    /// Arbitrary header content from an untrusted client.
    fn junk() -> impl Strategy<Value = Vec<u8>> {
        let hops = prop::collection::vec("(10\\.0\\.0\\.[12]|198\\.51\\.100\\.1|::1|x|)", 0..5);
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            hops.prop_map(|hops| hops.join(",").into_bytes()),
        ]
    }

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let values = lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok());
        values.map(|value| (FORWARDED_FOR.parse().unwrap(), value)).collect()
    }

    proptest! {
        #[test]
        fn untrusted_peer_keeps_its_own_address(line in junk()) {
            let peer: IpAddr = "203.0.113.9".parse().unwrap();
            let proxy: Network = "10.0.0.1".parse().unwrap();
            prop_assert_eq!(client_address(peer, &headers(&[&line]), &[]), peer);
            prop_assert_eq!(client_address(peer, &headers(&[&line]), &[proxy]), peer);
        }

        #[test]
        fn forwarded_addresses_before_untrusted_hop_are_ignored(line in junk(), ours in 0..3usize) {
            let trusted: [Network; 2] = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
            let seen = ["198.51.100.7", "198.51.100.7, 10.0.0.2", "198.51.100.7,10.0.0.1,10.0.0.2"][ours];
            let client = client_address("10.0.0.1".parse().unwrap(), &headers(&[&line, seen.as_bytes()]), &trusted);
            prop_assert_eq!(client, "198.51.100.7".parse::<IpAddr>().unwrap());
        }
    }
}
