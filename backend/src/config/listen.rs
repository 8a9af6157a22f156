//! Addresses to listen on, and why one cannot be had.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

/// An address to listen on, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub Option<SocketAddr>);

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let host = text
            .rsplit_once(':')
            .filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
            .map(|(host, _)| host)
            .ok_or("write HOST:PORT, such as 127.0.0.1:8080, or off")?;
        let unknown = |why: String| format!("the name `{host}` has no address: {why}");
        let addresses = text.to_socket_addrs().map_err(|error| unknown(error.to_string()))?;
        let addresses: Vec<SocketAddr> = addresses.collect();
        // Of a name's addresses the IPv4 one is what most senders try first.
        let address = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
        address.map(|address| Self(Some(*address))).ok_or_else(|| unknown("none was found".to_owned()))
    }
}

/// What to tell whoever started the server when an address could not be listened on, with the way out.
pub fn listen_problem(flag: &str, address: SocketAddr, error: &io::Error) -> String {
    let free = SocketAddr::new(address.ip(), 0);
    let off = if flag == "--listen" { String::new() } else { format!(", or {flag} off") };
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("another program has this port; `{flag} {free}` takes any that is free{off}")
        }
        io::ErrorKind::PermissionDenied => {
            format!("this user may not have this port; take one from 1024 on{off}")
        }
        io::ErrorKind::AddrNotAvailable => {
            format!(
                "this machine does not have this address; `{flag} 127.0.0.1:{}` is there always",
                address.port()
            )
        }
        _ => error.to_string(),
    };
    format!("{flag} {address}: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_an_address_is_told() {
        let check = |text: &str, expected: &str| {
            let why = text.parse::<Listen>().unwrap_err();
            assert!(why.contains(expected), "{text}: {why}");
        };
        check("nowhere", "write HOST:PORT");
        check("localhost:http", "write HOST:PORT");
        check("127.0.0.1:99999", "write HOST:PORT");
        check(":8080", "write HOST:PORT");
        check("no-such-name.invalid:80", "the name `no-such-name.invalid` has no address");
        assert_eq!("[::1]:80".parse(), Ok(Listen(Some("[::1]:80".parse().unwrap()))));
        assert_eq!("off".parse(), Ok(Listen(None)));
    }

    #[test]
    fn a_port_that_cannot_be_had_comes_with_a_way_out() {
        let check = |flag: &str, kind: io::ErrorKind, expected: &str| {
            let said = listen_problem(flag, "127.0.0.1:80".parse().unwrap(), &kind.into());
            assert!(said.starts_with(&format!("{flag} 127.0.0.1:80: ")), "{said}");
            assert!(said.ends_with(expected), "{said}");
        };
        check("--listen", io::ErrorKind::AddrInUse, "`--listen 127.0.0.1:0` takes any that is free");
        check("--carbon", io::ErrorKind::AddrInUse, "takes any that is free, or --carbon off");
        check("--syslog", io::ErrorKind::PermissionDenied, "from 1024 on, or --syslog off");
        check("--listen", io::ErrorKind::AddrNotAvailable, "`--listen 127.0.0.1:80` is there always");
    }
}
