//! Networks as administrators write them: one address, or CIDR. An IPv4-mapped IPv6 address counts as the IPv4
//! address.

use ipnet::{IpNet, Ipv4Net};
use std::net::IpAddr;
use std::str::FromStr;

/// Leading bits of `::ffff:0:0/96`, the IPv4-mapped addresses.
const MAPPED_BITS: u8 = 96;

/// One address or a network of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is neither an address nor a network")]
pub struct NotANetwork;

impl Network {
    /// True for an address within it.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(|network| Self(canonical(network))).map_err(|_| NotANetwork)
    }
}

fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let bits = v6.prefix_len().checked_sub(MAPPED_BITS);
    let mapped = v6.addr().to_ipv4_mapped().zip(bits);
    let v4 = mapped.and_then(|(address, bits)| Ipv4Net::new(address, bits).ok());
    v4.map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_exactly_their_addresses() {
        for (network, inside, outside) in [
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("10.1.2.3/8", "10.200.0.1", "11.0.0.1"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("::1", "::1", "::2"),
            ("2001:db8::/32", "2001:db8:7::1", "2001:db9::1"),
            ("10.0.0.0/8", "::ffff:10.0.0.7", "::ffff:11.0.0.7"),
            ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"),
            ("::ffff:172.16.0.0/108", "172.31.0.1", "172.32.0.1"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{inside} in {network:?}");
            assert!(!network.contains(outside.parse().unwrap()), "{outside} not in {network:?}");
        }
    }

    #[test]
    fn invalid_networks_are_rejected() {
        for junk in
            ["", "proxy", "10.0.0.0/33", "10.0.0/8", "::1/129", "10.0.0.1/", "10.0.0.1-9", "1.2.3.4:80"]
        {
            assert_eq!(junk.parse::<Network>(), Err(NotANetwork), "{junk}");
        }
    }
}
