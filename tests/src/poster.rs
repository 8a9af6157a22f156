//! A sender that costs next to nothing itself: where it shares the cores with the server that is measured, what it takes would be
//! measured too.
//!
//! It keeps one connection, sends a short request in one piece and looks at no more of an answer than its status and length.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// Longer bodies are sent from where they lie.
const ONE_PIECE_BYTES: usize = 64 << 10;

/// A connection on which bodies are posted to one address.
#[derive(Debug)]
pub struct Poster {
    stream: TcpStream,
    head: String,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Poster {
    /// Connects to a server.
    ///
    /// # Panics
    /// When it takes no connection.
    pub fn to(address: SocketAddr, path: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the server takes connections");
        stream.set_nodelay(true).expect("a connection can do without Nagle's algorithm");
        let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: ");
        Self { stream, head, request: Vec::new(), answer: Vec::new() }
    }

    /// Posts a body and waits for the answer; its status.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub fn post(&mut self, body: &[u8]) -> std::io::Result<u16> {
        self.request.clear();
        write!(self.request, "{}{}\r\n\r\n", self.head, body.len())?;
        if body.len() <= ONE_PIECE_BYTES {
            self.request.extend_from_slice(body);
            self.stream.write_all(&self.request)?;
        } else {
            self.stream.write_all(&self.request)?;
            self.stream.write_all(body)?;
        }
        self.read_answer()
    }

    fn read_answer(&mut self) -> std::io::Result<u16> {
        self.answer.clear();
        let mut piece = [0; 4_096];
        loop {
            if let Some((status, len)) = whole_answer(&self.answer)
                && self.answer.len() >= len
            {
                return Ok(status);
            }
            match self.stream.read(&mut piece)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                read => self.answer.extend_from_slice(&piece[..read]),
            }
        }
    }
}

/// The status of an answer and its length, head and body, once its head is there.
fn whole_answer(bytes: &[u8]) -> Option<(u16, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    Some((status, end + length?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_head_and_its_body_are_there() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: a\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(whole_answer(answer), Some((200, answer.len())));
        assert_eq!(whole_answer(&answer[..20]), None);
        assert_eq!(whole_answer(b"HTTP/1.1 200 OK\r\n\r\n"), None);
    }
}
