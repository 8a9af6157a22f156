//! RFC 6587: messages on a TCP stream, each framed in its own way.
//!
//! A message that starts with `N <` is octet-counted, N bytes from the `<`; any other ends at LF or NUL, a CR before it
//! stripped. (That the counted message must start with its priority keeps a text line that starts with a number whole.)
//! A message beyond the limit is reported and skipped; the ones behind it are not lost.

use super::lines::Cut;
use crate::store::batch::MAX_LINE_BYTES;
use memchr::memchr2;

/// Cuts a stream into syslog messages.
#[derive(Debug, Default)]
pub struct Framer {
    kept: Vec<u8>,
    /// How far the line at the start of `kept` was searched for its end, so that drops of bytes are not searched anew.
    searched: usize,
    skip: Skip,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Skip {
    #[default]
    No,
    /// So many bytes of an octet-counted message.
    Bytes(u64),
    /// Up to the end of a line.
    Line,
}

/// What stands at the start of the bytes at hand.
enum Head {
    /// A counted message: where it starts and how long it is.
    Counted(usize, u64),
    Line,
    /// Too few bytes to tell.
    Unclear,
}

impl Framer {
    /// Takes a chunk; hands out each message that ends in it.
    pub fn feed(&mut self, chunk: &[u8], mut take: impl FnMut(Cut<'_>)) {
        if self.kept.is_empty() {
            let used = self.cut(chunk, &mut take);
            self.kept.extend_from_slice(&chunk[used..]);
            return;
        }
        let mut bytes = std::mem::take(&mut self.kept);
        bytes.extend_from_slice(chunk);
        let used = self.cut(&bytes, &mut take);
        bytes.drain(..used);
        // What one long message left allocated is not held for the life of the connection.
        if bytes.is_empty() {
            bytes = Vec::new();
        }
        self.kept = bytes;
    }

    /// Ends the stream. What is left of a message that was cut short is handed out too.
    pub fn finish(&mut self, mut take: impl FnMut(Cut<'_>)) {
        let bytes = std::mem::take(&mut self.kept);
        let start = match head(&bytes) {
            Head::Counted(start, _) => start,
            Head::Line | Head::Unclear => 0,
        };
        if start < bytes.len() && self.skip == Skip::No {
            take(Cut::Line(&bytes[start..]));
        }
        self.skip = Skip::No;
    }

    /// Cuts what it can; the number of bytes that are done with.
    fn cut(&mut self, bytes: &[u8], take: &mut impl FnMut(Cut<'_>)) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            let Some(used) = self.cut_one(&bytes[at..], take) else { break };
            at += used;
        }
        at
    }

    /// Cuts one message or skips a part; `None` when more bytes are needed.
    fn cut_one(&mut self, bytes: &[u8], take: &mut impl FnMut(Cut<'_>)) -> Option<usize> {
        match self.skip {
            Skip::Bytes(left) => {
                let used = left.min(bytes.len() as u64);
                self.skip = if used == left { Skip::No } else { Skip::Bytes(left - used) };
                return Some(used as usize);
            }
            Skip::Line => {
                let end = memchr2(b'\n', 0, bytes);
                self.skip = if end.is_some() { Skip::No } else { Skip::Line };
                return Some(end.map_or(bytes.len(), |end| end + 1));
            }
            Skip::No => {}
        }
        match head(bytes) {
            Head::Unclear => None,
            Head::Line => self.cut_line(bytes, take),
            Head::Counted(start, len) if len > MAX_LINE_BYTES as u64 => {
                take(Cut::TooLong);
                self.skip = Skip::Bytes(len);
                Some(start)
            }
            Head::Counted(start, len) => {
                let message = bytes.get(start..start + len as usize)?;
                take(Cut::Line(message));
                Some(start + message.len())
            }
        }
    }

    fn cut_line(&mut self, bytes: &[u8], take: &mut impl FnMut(Cut<'_>)) -> Option<usize> {
        let from = std::mem::take(&mut self.searched).min(bytes.len());
        let Some(end) = memchr2(b'\n', 0, &bytes[from..]).map(|end| from + end) else {
            self.searched = bytes.len();
            if bytes.len() <= MAX_LINE_BYTES + 1 {
                return None;
            }
            take(Cut::TooLong);
            self.searched = 0;
            self.skip = Skip::Line;
            return Some(bytes.len());
        };
        let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
        match line.len() {
            0 => {}
            len if len > MAX_LINE_BYTES => take(Cut::TooLong),
            _ => take(Cut::Line(line)),
        }
        Some(end + 1)
    }
}

/// Counts have at most ten digits; a longer number is text.
fn head(bytes: &[u8]) -> Head {
    let digits = bytes.iter().take(11).take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || digits > 10 || bytes[0] == b'0' {
        return Head::Line;
    }
    match bytes.get(digits..) {
        Some([b' ', b'<', ..]) => {
            let count = bytes[..digits].iter().fold(0, |sum, b| sum * 10 + u64::from(b - b'0'));
            Head::Counted(digits + 1, count)
        }
        Some([] | [b' ']) => Head::Unclear,
        _ => Head::Line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames(chunks: &[&[u8]]) -> Vec<String> {
        let mut framer = Framer::default();
        let mut out = Vec::new();
        let mut take = |cut: Cut<'_>| match cut {
            Cut::Line(message) => out.push(String::from_utf8_lossy(message).into_owned()),
            Cut::TooLong => out.push("TOO LONG".to_owned()),
        };
        for chunk in chunks {
            framer.feed(chunk, &mut take);
        }
        framer.finish(&mut take);
        out
    }

    #[track_caller]
    fn check(stream: &str, expected: &[&str]) {
        assert_eq!(frames(&[stream.as_bytes()]), expected, "{stream:?}");
    }

    #[test]
    fn each_message_is_framed_in_its_own_way() {
        check(
            "5 <1>ab6 <1>a\nb<2>line\r\n<3>nul\0\n\n4 <4>x<5>last",
            &["<1>ab", "<1>a\nb", "<2>line", "<3>nul", "<4>x", "<5>last"],
        );
        check("12 bottles of beer\n2026-11-20 x\n", &["12 bottles of beer", "2026-11-20 x"]);
        check("0 <1>a\n12345678901 <1>a\n", &["0 <1>a", "12345678901 <1>a"]);
        check("9 <1>short", &["<1>short"]);
        check("9 <1>cut", &["<1>cut"]);
        check("12", &["12"]);
        check("", &[]);
    }

    #[test]
    fn an_oversize_message_is_skipped_alone_and_costs_no_memory() {
        let long = "x".repeat(3 << 20);
        let counted = format!("<1>{long}");
        let stream = format!("5 <1>ab{} {counted}<2>b\n<3>{long}\n4 <4>c", counted.len());
        assert_eq!(frames(&[stream.as_bytes()]), ["<1>ab", "TOO LONG", "<2>b", "TOO LONG", "<4>c"]);
        let mut framer = Framer::default();
        let mut seen = 0;
        for chunk in stream.as_bytes().chunks(4_096) {
            framer.feed(chunk, |_| seen += 1);
            assert!(framer.kept.capacity() <= 3 << 20, "{}", framer.kept.capacity());
        }
        framer.finish(|_| seen += 1);
        assert_eq!(seen, 5);
        let fits = "y".repeat(MAX_LINE_BYTES);
        assert_eq!(frames(&[format!("{fits}\r\n{fits}y\n").as_bytes()]), [fits.as_str(), "TOO LONG"]);
    }

    proptest! {
        #[test]
        fn a_stream_cut_anywhere_gives_the_same_messages(
            messages in proptest::collection::vec(("<[0-9]{1,3}>[a-z0-9 \u{e9}]{0,6}", 0..4_u8), 0..6),
            size in 1_usize..9,
        ) {
            let frame = |(message, form): &(String, u8)| match form {
                0 => format!("{} {message}", message.len()),
                1 => format!("{message}\r\n"),
                2 => format!("{message}\0"),
                _ => format!("{message}\n"),
            };
            let stream: String = messages.iter().map(frame).collect();
            let whole = frames(&[stream.as_bytes()]);
            let expected: Vec<&String> = messages.iter().map(|(message, _)| message).collect();
            prop_assert_eq!(whole.iter().collect::<Vec<_>>(), expected);
            let chunks: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
            prop_assert_eq!(frames(&chunks), whole);
        }

        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), size in 1_usize..9) {
            let chunks: Vec<&[u8]> = bytes.chunks(size).collect();
            prop_assert_eq!(frames(&chunks), frames(&[&bytes]));
        }
    }
}
