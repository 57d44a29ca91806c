//! Which addresses may be spoken to for what certificates, CRLs and other strangers name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where clouds tell a machine its own credentials, as far as no wider range below covers it: Azure's fabric (with Azure's
/// own DNS), Alibaba, Oracle.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];

/// The same of Amazon and Google.
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// Whether an address that a stranger named may be spoken to: a host of its own, in the company or outside.
///
/// Loopback only where it is allowed; link-local, unspecified, multicast, broadcast and reserved addresses and the clouds'
/// metadata services never. Private networks (RFC 1918) are where a company publishes its CRLs.
pub fn is_allowed(address: IpAddr, allow_loopback: bool) -> bool {
    match address {
        IpAddr::V4(address) => is_allowed_v4(address, allow_loopback),
        IpAddr::V6(address) => is_allowed_v6(address, allow_loopback),
    }
}

/// The addresses of a name that may be spoken to.
pub fn allowed(addresses: impl IntoIterator<Item = SocketAddr>, allow_loopback: bool) -> Vec<SocketAddr> {
    addresses.into_iter().filter(|address| is_allowed(address.ip(), allow_loopback)).collect()
}

fn is_allowed_v4(address: Ipv4Addr, allow_loopback: bool) -> bool {
    let [first, ..] = address.octets();
    match first {
        // this network (RFC 1122 3.2.1.3), which some systems take for loopback
        0 => false,
        127 => allow_loopback,
        // multicast, reserved, broadcast
        224.. => false,
        _ => !address.is_link_local() && !METADATA_V4.contains(&address),
    }
}

fn is_allowed_v6(address: Ipv6Addr, allow_loopback: bool) -> bool {
    if address.is_loopback() {
        return allow_loopback;
    }
    if address.is_unspecified()
        || address.is_multicast()
        || address.is_unicast_link_local()
        || METADATA_V6.contains(&address)
    {
        return false;
    }
    let octets = address.octets();
    let at = |start: usize| {
        let mut found = [0; 4];
        found.copy_from_slice(&octets[start..start + 4]);
        Ipv4Addr::from(found)
    };
    match address.segments() {
        // NAT64 by a prefix of its own (RFC 8215): where the IPv4 address stands is not known
        [0x64, 0xff9b, 1, ..] => false,
        // IPv4-mapped, IPv4-compatible, NAT64 (RFC 6052)
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => is_allowed_v4(at(12), allow_loopback),
        // 6to4 (RFC 3056)
        [0x2002, ..] => is_allowed_v4(at(2), allow_loopback),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, allow_loopback: bool) -> bool {
        is_allowed(text.parse().unwrap(), allow_loopback)
    }

    #[test]
    fn hosts_of_the_company_and_of_the_internet_may_be_spoken_to() {
        for address in ["10.1.2.3", "172.16.0.9", "192.168.1.1", "93.184.216.34", "100.64.0.1", "192.0.0.9"] {
            assert!(check(address, false), "{address}");
        }
        for address in
            ["2606:2800:220:1::1", "fd12:3456::1", "64:ff9b::5db8:d822", "::ffff:10.1.2.3", "2002:a01:203::1"]
        {
            assert!(check(address, false), "{address}");
        }
    }

    #[test]
    fn the_machine_and_its_surroundings_may_not_in_any_writing() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "169.254.1.1",
            "169.254.169.254",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "100.100.100.200",
            "192.0.0.192",
            "::",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "::ffff:169.254.169.254",
            "::ffff:0.0.0.0",
            "::169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
        ] {
            assert!(!check(address, false) && !check(address, true), "{address}");
        }
    }

    #[test]
    fn loopback_only_where_it_is_allowed() {
        for address in ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"] {
            assert!(!check(address, false) && check(address, true), "{address}");
        }
    }
}
