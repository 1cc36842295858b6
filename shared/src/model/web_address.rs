//! Addresses that users give: of what Meta downloads, and of endpoints, to which Leadwire itself sends. Those of private
//! networks are refused: Meta cannot reach them, and through Leadwire a user would reach what only its functions can.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::tr;

/// The longest address that is accepted, in bytes.
pub const MAX_ADDRESS: usize = 2_000;

/// Checks that `text` is an address on the public internet. Returns it in normal form.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub fn parse_public(text: &str) -> Result<Url, Cow<'static, str>> {
    let url = parse_web(text)?;
    if !has_public_host(&url) {
        return Err(tr!("An address on the public internet, which Meta can reach."));
    }
    Ok(url)
}

fn parse_web(text: &str) -> Result<Url, Cow<'static, str>> {
    if text.len() > MAX_ADDRESS {
        return Err(tr!("An address of at most 2,000 characters."));
    }
    let url = Url::parse(text.trim()).map_err(|_| tr!("A complete address that begins with https://."))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(tr!("An address that begins with https:// or http://."));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(tr!("An address without a user name and password."));
    }
    Ok(url)
}

fn has_public_host(url: &Url) -> bool {
    match url.host() {
        None => false,
        Some(Host::Domain(name)) => is_public_name(name),
        Some(Host::Ipv4(ip)) => is_public_v4(ip),
        Some(Host::Ipv6(ip)) => is_public_v6(ip),
    }
}

/// What an org may enter as the address of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointAddresses {
    /// HTTPS on the public internet.
    Public,
    /// And HTTP to this machine, where CRM and Leadwire both run on it.
    OrThisMachine,
}

impl EndpointAddresses {
    /// What is allowed, given whether endpoints may be on this machine.
    #[must_use]
    pub fn new(or_this_machine: bool) -> Self {
        if or_this_machine { Self::OrThisMachine } else { Self::Public }
    }
}

/// Checks that `text` is an address to which events may be sent. A name's own address is checked at each connection.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub fn parse_endpoint(text: &str, allowed: EndpointAddresses) -> Result<Url, Cow<'static, str>> {
    let text = text.trim();
    if allowed == EndpointAddresses::OrThisMachine
        && let Ok(url) = Url::parse(text)
        && is_this_machine(&url)
    {
        return Ok(url);
    }
    let url = parse_web(text)?;
    if !has_public_host(&url) {
        return Err(tr!("An address on the public internet."));
    }
    if url.scheme() != "https" {
        return Err(tr!("An address that begins with https://."));
    }
    // Lower ports belong to mail, name servers and the like.
    if url.port().is_some_and(|port| port < 1024) {
        return Err(tr!("The port 443, or one from 1024 on."));
    }
    if url.fragment().is_some() {
        return Err(tr!("An address without a part after #, which is never sent."));
    }
    Ok(url)
}

fn is_this_machine(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    is_loopback && matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
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
    let is_protocol = (a, b, c) == (192, 0, 0) || (a, b, c) == (192, 88, 99);
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
    // Global unicast, without what carries an IPv4 address inside (6to4, NAT64, Teredo), protocols and documentation.
    let is_protocol = first == 0x2001 && second < 0x200;
    let is_documentation = first == 0x2001 && second == 0xdb8 || first == 0x3fff && second < 0x1000;
    (0x2000..0x4000).contains(&first) && first != 0x2002 && !is_protocol && !is_documentation
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

    #[test]
    fn an_endpoint_is_on_https_and_on_the_public_internet() {
        use EndpointAddresses::{OrThisMachine, Public};
        for good in ["https://crm.example/hook?x=y", " https://crm.example:8443/ ", "https://93.184.216.34/a"] {
            assert!(parse_endpoint(good, Public).is_ok(), "{good}");
        }
        for bad in [
            "http://crm.example/",
            "https://crm.example:25/",
            "https://u@crm.example/",
            "https://crm.example/#a",
            "https://169.254.169.254/latest",
            "https://[fd00:ec2::254]/",
            "https://[::ffff:169.254.169.254]/",
            "https://[2001:20::1]/",
            "https://[3fff::1]/",
            "https://192.88.99.1/",
            "https://crm.internal/",
            "crm.example",
        ] {
            assert!(parse_endpoint(bad, Public).is_err(), "{bad}");
            assert!(parse_endpoint(bad, OrThisMachine).is_err(), "{bad}");
        }
        for here in ["http://127.0.0.1:9000/", "http://localhost:1/x", "http://[::1]:80/"] {
            assert!(parse_endpoint(here, Public).is_err(), "{here}");
            assert!(parse_endpoint(here, OrThisMachine).is_ok(), "{here}");
        }
        assert!(parse_endpoint("http://u:p@127.0.0.1/", OrThisMachine).is_err());
        assert!(parse_endpoint("http://10.0.0.1/", OrThisMachine).is_err());
    }
}
