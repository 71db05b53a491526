//! Datagrams that the kernel dropped because nobody read them in time, as Linux counts them for each socket (`/proc/net/udp`).

use std::net::SocketAddr;

/// Datagrams dropped so far at `address`; `None` where the system does not say.
pub(super) fn dropped(address: SocketAddr) -> Option<u64> {
    let table = if address.is_ipv4() { "/proc/net/udp" } else { "/proc/net/udp6" };
    Some(count(&std::fs::read_to_string(table).ok()?, address.port()))
}

/// The drops of every socket on `port`. Pure.
fn count(table: &str, port: u16) -> u64 {
    let own = format!(":{port:04X}");
    let rows = table.lines().skip(1).map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let rows = rows.filter(|columns| columns.get(1).is_some_and(|local| local.ends_with(&own)));
    rows.filter_map(|columns| columns.last()?.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_column_of_the_sockets_row_counts_its_drops() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  364: 0100007F:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1234 2 0000000000000000 17
  499: 0100007F:1589 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1235 2 0000000000000000 3";
        assert_eq!((count(table, 514), count(table, 5513), count(table, 1)), (17, 3, 0));
    }

    #[test]
    fn a_socket_that_nobody_reads_is_counted_by_this_system() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let Some(before) = dropped(address) else { return };
        let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..20_000 {
            let _ = sender.send_to(&[0; 1024], address);
        }
        assert!(dropped(address).unwrap() > before);
    }
}
