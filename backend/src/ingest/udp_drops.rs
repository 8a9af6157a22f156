//! Datagrams that the kernel threw away because a socket's buffer was full, as Linux counts them for each socket.

use std::fs;
use std::os::fd::AsRawFd;

/// The number under which the kernel's tables list a socket; `None` where there is no `/proc`.
pub(super) fn inode_of(socket: &impl AsRawFd) -> Option<u64> {
    let link = fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).ok()?;
    link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// How many datagrams the sockets lost since they were opened; 0 where the kernel does not say.
pub(super) fn dropped(inodes: &[u64]) -> u64 {
    let tables = ["/proc/self/net/udp", "/proc/self/net/udp6"]
        .map(|path| fs::read_to_string(path).unwrap_or_default());
    tables.iter().map(|table| sum_drops(table, inodes)).sum()
}

/// Columns of the table: the tenth is the inode, the last the drops.
fn sum_drops(table: &str, inodes: &[u64]) -> u64 {
    let drops = |row: &str| -> Option<u64> {
        let inode = row.split_ascii_whitespace().nth(9)?.parse().ok()?;
        let is_ours = inodes.contains(&inode);
        is_ours.then(|| row.split_ascii_whitespace().last()?.parse().ok())?
    };
    table.lines().skip(1).filter_map(drops).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    #[test]
    fn drops_are_summed_for_our_sockets_alone() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
            \x20 10: 0100007F:07D3 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 111 2 0000000000000000 5\n\
            \x20 11: 0100007F:07D4 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 222 2 0000000000000000 7\n";
        assert_eq!(sum_drops(table, &[111]), 5);
        assert_eq!(sum_drops(table, &[222, 333]), 7);
        assert_eq!(sum_drops("", &[1]), 0);
    }

    #[test]
    fn a_socket_that_is_not_read_loses_datagrams_that_are_counted() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let inode = inode_of(&socket).unwrap();
        assert_eq!(dropped(&[inode]), 0);
        for _ in 0..2_000 {
            sender.send_to(&[0; 8_192], socket.local_addr().unwrap()).unwrap();
        }
        assert!(dropped(&[inode]) > 0);
    }
}
