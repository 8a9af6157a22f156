//! Lines out of a body that arrives in pieces of any size.

/// Cuts chunks into lines; what follows the last line feed waits for the next chunk.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    rest: Vec<u8>,
}

impl Splitter {
    /// Hands on each line that is complete with this chunk.
    pub(super) fn push(&mut self, chunk: &[u8], mut on_line: impl FnMut(&[u8])) {
        let mut pieces = chunk.split(|byte| *byte == b'\n');
        let Some(mut piece) = pieces.next() else { return };
        for next in pieces {
            self.rest.extend_from_slice(piece);
            emit(&self.rest, &mut on_line);
            self.rest.clear();
            piece = next;
        }
        self.rest.extend_from_slice(piece);
    }

    /// The end of the body; false when it ends within a line, so was cut off.
    pub(super) fn is_at_line_end(&self) -> bool {
        self.rest.is_empty()
    }
}

fn emit(line: &[u8], on_line: &mut impl FnMut(&[u8])) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !line.is_empty() {
        on_line(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_same_however_the_body_is_cut() {
        let body = "{\"a\":1}\n{\"ü\":2}\r\n\n{\"c\":3}\n".as_bytes();
        for first in 0..=body.len() {
            for second in first..=body.len() {
                let mut splitter = Splitter::default();
                let mut lines = Vec::new();
                for chunk in [&body[..first], &body[first..second], &body[second..]] {
                    splitter.push(chunk, |line| lines.push(String::from_utf8(line.to_vec()).unwrap()));
                }
                assert_eq!(lines, ["{\"a\":1}", "{\"ü\":2}", "{\"c\":3}"], "cut at {first} and {second}");
                assert!(splitter.is_at_line_end());
            }
        }
    }

    #[test]
    fn an_unfinished_line_is_noticed() {
        let mut splitter = Splitter::default();
        splitter.push(b"{\"a\":1}\n{\"b", |_| {});
        assert!(!splitter.is_at_line_end());
    }
}
