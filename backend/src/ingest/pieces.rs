//! A stream of text cut into pieces of whole lines, each of which can be parsed by itself, and several at once.

use memchr::{memchr, memrchr};

/// Cuts a stream behind lines.
#[derive(Debug)]
pub(super) struct Pieces {
    text: Vec<u8>,
    /// Where the line begins whose end is yet to come.
    unfinished: usize,
    is_skipping: bool,
    limit_bytes: usize,
}

impl Pieces {
    /// Nothing yet, of lines with at most so many bytes. Of a longer one so much is kept that its parser sees that it is.
    pub(super) fn new(limit_bytes: usize) -> Self {
        Self { text: Vec::new(), unfinished: 0, is_skipping: false, limit_bytes }
    }

    /// Takes what comes next.
    pub(super) fn push(&mut self, mut chunk: &[u8]) {
        if self.is_skipping {
            let Some(end) = memchr(b'\n', chunk) else { return };
            chunk = &chunk[end..];
            self.is_skipping = false;
        }
        let start = self.text.len();
        self.text.extend_from_slice(chunk);
        if let Some(end) = memrchr(b'\n', chunk) {
            self.unfinished = start + end + 1;
        }
        // A line of the limit may have a carriage return behind it.
        let most = self.unfinished + self.limit_bytes + 2;
        if self.text.len() > most {
            self.text.truncate(most);
            self.is_skipping = true;
        }
    }

    /// All whole lines so far, where they are at least so many bytes.
    pub(super) fn take(&mut self, least_bytes: usize) -> Option<Vec<u8>> {
        if self.unfinished < least_bytes.max(1) {
            return None;
        }
        let mut next = Vec::with_capacity(self.text.len());
        next.extend_from_slice(&self.text[self.unfinished..]);
        self.text.truncate(std::mem::take(&mut self.unfinished));
        Some(std::mem::replace(&mut self.text, next))
    }

    /// All that is left; a last line without its end is a line.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        self.unfinished = 0;
        std::mem::take(&mut self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::{Cut, LineCutter};
    use super::*;
    use proptest::prelude::*;

    const LIMIT: usize = 5;

    /// The lines of a text with their numbers; `None` for one that is too long.
    fn cut(text: &[u8], before: u64) -> Vec<(u64, Option<Vec<u8>>)> {
        let (mut cutter, mut lines) = (LineCutter::new(LIMIT), Vec::new());
        let mut take = |number, cut: Cut<'_>| match cut {
            Cut::Line(line) => lines.push((before + number, Some(line.to_vec()))),
            Cut::TooLong => lines.push((before + number, None)),
        };
        cutter.feed(text, &mut take);
        cutter.finish(take);
        lines
    }

    proptest! {
        #[test]
        fn pieces_have_the_lines_of_the_whole(
            body in prop::collection::vec(prop_oneof![1 => Just(b'\n'), 1 => Just(b'\r'), 3 => Just(b'x')], 0..80),
            chunk in 1_usize..12,
            least in 0_usize..12,
        ) {
            let (mut pieces, mut found) = (Pieces::new(LIMIT), Vec::new());
            let mut add = |piece: Vec<u8>| {
                let before = found.len() as u64;
                found.extend(cut(&piece, before));
            };
            for chunk in body.chunks(chunk) {
                pieces.push(chunk);
                let piece = pieces.take(least);
                prop_assert!(piece.as_ref().is_none_or(|piece| piece.len() >= least && piece.ends_with(b"\n")));
                prop_assert!(pieces.text.len() <= least + chunk.len() + LIMIT + 2);
                piece.map(&mut add);
            }
            add(pieces.rest());
            prop_assert_eq!(found, cut(&body, 0));
        }
    }
}
