//! A byte stream cut into lines, whatever the chunks it arrives in.
//!
//! A line ends at LF; one CR before it belongs to the line end. Whole lines inside a chunk are handed out from the
//! chunk itself, so only what straddles two chunks is copied, and never more than one line's limit is kept: a longer
//! line is reported once and skipped up to its end.

use memchr::memchr_iter;

/// Cuts chunks into lines.
#[derive(Debug)]
pub struct LineCutter {
    kept: Vec<u8>,
    is_skipping: bool,
    number: u64,
    limit_bytes: usize,
}

/// What was cut off the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut<'a> {
    /// A line without its end.
    Line(&'a [u8]),
    /// A line beyond the limit was passed over.
    TooLong,
}

impl LineCutter {
    /// A cutter whose lines have at most so many bytes, line end not counted.
    pub fn new(limit_bytes: usize) -> Self {
        Self { kept: Vec::new(), is_skipping: false, number: 0, limit_bytes }
    }

    /// The limit of a line.
    pub fn limit_bytes(&self) -> usize {
        self.limit_bytes
    }

    /// The number of the last line that has ended; none has number 0.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Takes a chunk; hands out each line that ends in it with its number, from 1.
    pub fn feed(&mut self, chunk: &[u8], mut take: impl FnMut(u64, Cut<'_>)) {
        let mut start = 0;
        for end in memchr_iter(b'\n', chunk) {
            self.end_line(&chunk[start..end], &mut take);
            start = end + 1;
        }
        self.keep(&chunk[start..]);
    }

    /// Ends the stream; an unterminated last line is a line.
    pub fn finish(&mut self, mut take: impl FnMut(u64, Cut<'_>)) {
        if self.has_unfinished() {
            self.end_line(&[], &mut take);
        }
    }

    /// Whether the stream stands inside a line.
    pub fn has_unfinished(&self) -> bool {
        self.is_skipping || !self.kept.is_empty()
    }

    fn end_line(&mut self, tail: &[u8], take: &mut impl FnMut(u64, Cut<'_>)) {
        self.number += 1;
        if self.is_skipping {
            self.is_skipping = false;
            take(self.number, Cut::TooLong);
        } else if self.kept.is_empty() {
            take(self.number, bounded(tail, self.limit_bytes));
        } else {
            let mut line = std::mem::take(&mut self.kept);
            line.extend_from_slice(tail);
            take(self.number, bounded(&line, self.limit_bytes));
        }
    }

    fn keep(&mut self, part: &[u8]) {
        // One byte more than the limit may still be a carriage return.
        if self.is_skipping || self.kept.len() + part.len() > self.limit_bytes + 1 {
            self.is_skipping |= !part.is_empty();
            self.kept = Vec::new();
        } else {
            self.kept.extend_from_slice(part);
        }
    }
}

fn bounded(line: &[u8], limit_bytes: usize) -> Cut<'_> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > limit_bytes { Cut::TooLong } else { Cut::Line(line) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(chunks: &[&[u8]], limit_bytes: usize) -> Vec<(u64, Option<Vec<u8>>)> {
        let mut cutter = LineCutter::new(limit_bytes);
        let mut out = Vec::new();
        let mut take = |number, cut: Cut<'_>| match cut {
            Cut::Line(line) => out.push((number, Some(line.to_vec()))),
            Cut::TooLong => out.push((number, None)),
        };
        for chunk in chunks {
            cutter.feed(chunk, &mut take);
        }
        cutter.finish(&mut take);
        out
    }

    #[track_caller]
    fn check(body: &[u8], expected: &[Option<&[u8]>]) {
        let expected: Vec<_> = (1..).zip(expected.iter().map(|line| line.map(<[u8]>::to_vec))).collect();
        assert_eq!(cut(&[body], 5), expected);
    }

    #[test]
    fn lines_end_at_lf_and_lose_one_cr() {
        check(b"", &[]);
        check(b"a\nb", &[Some(b"a"), Some(b"b")]);
        check(b"a\r\n\r\r\n\n", &[Some(b"a"), Some(b"\r"), Some(b"")]);
        check(b"12345\n123456\n12345\r\n1", &[Some(b"12345"), None, Some(b"12345"), Some(b"1")]);
        check(b"1234567890", &[None]);
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(body in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'x')], 0..40), at in any::<prop::sample::Index>(), two in any::<prop::sample::Index>()) {
            let (first, second) = (at.index(body.len() + 1), two.index(body.len() + 1));
            let (first, second) = (first.min(second), first.max(second));
            let cut_up = cut(&[&body[..first], &body[first..second], &body[second..]], 5);
            prop_assert_eq!(cut_up, cut(&[&body], 5));
        }
    }
}
