//! Defines one client for every limit: an IPv4 address, or a 64-bit IPv6 network, which is what one line gets. A 48-bit
//! IPv6 network, which is what one site gets, contains 65,536 of those; so sites are counted too, with a wider limit.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// Bits of the IPv6 network that counts as one client.
const CLIENT_BITS: u32 = 64;
/// Bits of the IPv6 network that counts as one site.
const SITE_BITS: u32 = 48;

/// A site's limit as a multiple of a client's: enough for a house with a network for members, one for guests and one
/// for machines.
pub const SITE_FACTOR: u32 = 4;

/// Addresses that are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientNetwork {
    address: IpAddr,
    bits: u32,
}

impl ClientNetwork {
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => Self::v6(v6, CLIENT_BITS),
            v4 @ IpAddr::V4(_) => Self { address: v4, bits: u32::MAX },
        }
    }

    /// The site that an address belongs to; `None` for IPv4, where neighboring addresses are unrelated.
    pub fn site_of(address: IpAddr) -> Option<Self> {
        match address.to_canonical() {
            IpAddr::V6(v6) => Some(Self::v6(v6, SITE_BITS)),
            IpAddr::V4(_) => None,
        }
    }

    fn v6(address: Ipv6Addr, bits: u32) -> Self {
        let host_bits = Ipv6Addr::BITS - bits;
        Self { address: Ipv6Addr::from_bits(address.to_bits() >> host_bits << host_bits).into(), bits }
    }
}

impl fmt::Display for ClientNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(address) => write!(f, "{address}/{}", self.bits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_addresses_are_grouped_by_64_and_48() {
        for (address, client, site) in [
            ("198.51.100.1", "198.51.100.1", None),
            ("::ffff:198.51.100.1", "198.51.100.1", None),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", Some("2001:db8:1::/48")),
            ("::1", "::/64", Some("::/48")),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(ClientNetwork::of(address).to_string(), client);
            assert_eq!(ClientNetwork::site_of(address).map(|site| site.to_string()).as_deref(), site);
        }
        let [one, other] = ["2001:db8:1:2::1", "2001:db8:1:3::1"].map(|text| text.parse::<IpAddr>().unwrap());
        assert_ne!(ClientNetwork::of(one), ClientNetwork::of(other));
        assert_eq!(ClientNetwork::site_of(one), ClientNetwork::site_of(other));
        assert_ne!(Some(ClientNetwork::of(one)), ClientNetwork::site_of(one), "a line is not its site");
    }
}
