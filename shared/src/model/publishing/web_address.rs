//! Addresses that users give and Meta downloads from. Leadwire itself requests none of them, and still refuses those
//! of private networks: Meta cannot reach them, and a later reader must be able to trust what is stored.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The longest address that is accepted, in bytes.
pub const MAX_ADDRESS: usize = 2_000;

/// Checks that `text` is an address on the public internet. Returns it in normal form.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub fn parse_public(text: &str) -> Result<Url, &'static str> {
    if text.len() > MAX_ADDRESS {
        return Err("An address of at most 2,000 characters.");
    }
    let url = Url::parse(text.trim()).map_err(|_| "A whole address that begins with https://.")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("An address that begins with https:// or http://.");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("An address without a user name and password.");
    }
    let is_public = match url.host() {
        None => false,
        Some(Host::Domain(name)) => is_public_name(name),
        Some(Host::Ipv4(ip)) => is_public_v4(ip),
        Some(Host::Ipv6(ip)) => is_public_v6(ip),
    };
    if is_public { Ok(url) } else { Err("An address on the public internet, which Meta can reach.") }
}

/// Whether a host name can be one of the public internet. Names of private networks have no dot, or end in a domain
/// that is reserved for them.
fn is_public_name(name: &str) -> bool {
    const PRIVATE: [&str; 8] = ["localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa"];
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name.rsplit_once('.').is_some_and(|(_, top)| !PRIVATE.contains(&top))
}

/// Whether an address is one of the public internet.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_protocol = (a, b, c) == (192, 0, 0);
    let is_benchmark = a == 198 && (18..20).contains(&b);
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast()
        || a == 0
        || a >= 240
        || is_shared
        || is_protocol
        || is_benchmark)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(v4) = ip.to_ipv4() {
        return is_public_v4(v4);
    }
    let [first, second, ..] = ip.segments();
    // Global unicast, without what carries an IPv4 address inside (6to4, NAT64, Teredo) and documentation.
    (0x2000..0x4000).contains(&first) && first != 0x2002 && !(first == 0x2001 && matches!(second, 0 | 0xdb8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_meta_could_not_reach_is_refused() {
        for good in ["https://cdn.example/1.jpg", " http://a.b.example:8080/x?y=z ", "https://93.184.216.34/a.png"] {
            assert!(parse_public(good).is_ok(), "{good}");
        }
        for bad in [
            "a.jpg",
            "",
            "file:///etc/passwd",
            "ftp://a.example/x",
            "data:image/png;base64,AA",
            "https://user:pw@a.example/x",
            "https://localhost/x",
            "https://LOCALHOST./x",
            "http://router/x",
            "http://db.internal/x",
            "http://a.local/x",
            "http://127.0.0.1/x",
            "http://2130706433/x",
            "http://0x7f.1/x",
            "http://017700000001/x",
            "http://0/x",
            "http://10.1.2.3/x",
            "http://172.31.0.1/x",
            "http://192.168.1.1/x",
            "http://169.254.169.254/latest/meta-data",
            "http://100.100.1.1/x",
            "http://[::1]/x",
            "http://[::ffff:10.0.0.1]/x",
            "http://[fd00::1]/x",
            "http://[fe80::1]/x",
            "http://[64:ff9b::7f00:1]/x",
            "http://[2002:7f00:1::]/x",
            "http://224.0.0.1/x",
        ] {
            assert!(parse_public(bad).is_err(), "{bad}");
        }
        assert!(parse_public(&format!("https://a.example/{}", "x".repeat(MAX_ADDRESS))).is_err());
    }
}
