//! Whether a TCP connection to a port for lines begins with an HTTP request.
//!
//! A page in a browser can make it send `POST` to any port of this machine, and the body could hold points or messages. No
//! browser can leave out the request line, so that a connection which begins with one is not read any further.

use memchr::memchr2;

/// The longest end of a request line, with its line end.
const TAIL_BYTES: usize = b" HTTP/1.1\r".len();

/// Watches the start of a stream. However long the first line is, only its last bytes are kept.
#[derive(Debug, Default)]
pub(super) struct FirstLine {
    state: State,
    tail: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing came yet.
    #[default]
    Empty,
    /// Capital letters so far.
    Method,
    /// Inside a line that began with a method and a space.
    Target,
    /// Known: a request or none.
    Known(bool),
}

impl FirstLine {
    /// Takes the next piece of the stream; whether the first line is an HTTP request's. As long as this is not known no
    /// message has ended, so that none of it was stored.
    pub(super) fn is_request(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while let (State::Empty | State::Method, [byte, after @ ..]) = (self.state, rest) {
            self.state = match (self.state, byte) {
                (_, b'A'..=b'Z') => State::Method,
                (State::Method, b' ') => State::Target,
                _ => State::Known(false),
            };
            rest = after;
        }
        if self.state == State::Target {
            self.look_for_end(rest);
        }
        self.state == State::Known(true)
    }

    /// A syslog message ends at NUL as well.
    fn look_for_end(&mut self, bytes: &[u8]) {
        let end = memchr2(b'\n', 0, bytes);
        let line = &bytes[..end.unwrap_or(bytes.len())];
        self.tail.extend_from_slice(&line[line.len().saturating_sub(TAIL_BYTES)..]);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL_BYTES));
        if end.is_some() {
            let line = self.tail.strip_suffix(b"\r").unwrap_or(&self.tail);
            self.state = State::Known(line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole, byte by byte, and cut in two anywhere.
    #[track_caller]
    fn check(stream: &str, expected: bool) {
        let bytes = stream.as_bytes();
        let mut single = FirstLine::default();
        assert_eq!(bytes.chunks(1).any(|byte| single.is_request(byte)), expected, "{stream:?}");
        for at in 0..=bytes.len() {
            let mut halves = FirstLine::default();
            let was_request = halves.is_request(&bytes[..at]);
            assert_eq!(halves.is_request(&bytes[at..]), expected, "{stream:?} cut at {at}");
            assert!(expected || !was_request, "{stream:?} cut at {at}");
        }
    }

    #[test]
    fn request_lines_are_told_from_all_others() {
        check("GET / HTTP/1.1\r\n", true);
        check("POST /a?b=c HTTP/1.0\na.b 1 5\n", true);
        check("OPTIONS * HTTP/1.1\r\n", true);
        check(&format!("POST /{} HTTP/1.1\r\na 1 5\n", "x".repeat(300)), true);
        for other in [
            "",
            "GET / HTTP/1.1",
            "GET / HTTP/1.1 \r\n",
            "GET / HTTP/2.0\r\n",
            "GET HTTP/1.1\n",
            "get / HTTP/1.1\r\n",
            " GET / HTTP/1.1\r\n",
            "GET1 / HTTP/1.1\r\n",
            "GET\n / HTTP/1.1\n",
            "GET /\0 HTTP/1.1\n",
            "GET /\nGET / HTTP/1.1\n",
            "a.b 1 5\nGET / HTTP/1.1\n",
            "CPU 1 1763647500\n",
            "<13>a: GET / HTTP/1.1\n",
            "\nGET / HTTP/1.1\n",
        ] {
            check(other, false);
        }
    }
}
