//! What each byte can be part of, as a table that is made once by the compiler: the scan looks every byte up here.

/// `0` to `9`.
pub(super) const DIGIT: u8 = 1;
/// `a` to `f`, `A` to `F`.
pub(super) const HEX_LETTER: u8 = 2;
/// The other ASCII letters.
pub(super) const LETTER: u8 = 4;
/// `_` and the bytes of what is not ASCII.
pub(super) const OTHER: u8 = 8;
/// What words consist of.
pub(super) const WORD: u8 = DIGIT | HEX_LETTER | LETTER | OTHER;
/// What holds the parts of a name together, beside words: `web-1.example.com`, `first.last+box`.
pub(super) const NAME: u8 = 16;
/// What paths and addresses of the web may have beside words.
pub(super) const PATH: u8 = 32;
/// What joins the parts of one value: `10:20:30`, `1.5`, `2025-03-10`, `7,000`, `10/12`, `3@5`.
pub(super) const JOINER: u8 = 64;
/// White space.
pub(super) const SPACE: u8 = 128;

const CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'f' | b'A'..=b'F' => HEX_LETTER,
            b'g'..=b'z' | b'G'..=b'Z' => LETTER,
            b'_' | 0x80.. => OTHER,
            b'.' | b'-' | b'+' | b'%' => NAME | PATH | JOINER,
            b'~' | b'@' => PATH | JOINER,
            b':' | b'/' | b',' | b'#' => JOINER,
            b' ' | b'\t'..=b'\r' => SPACE,
            _ => 0,
        };
        byte += 1;
    }
    table
}

/// Whether a byte is of one of these classes.
#[inline]
pub(super) fn is(byte: u8, classes: u8) -> bool {
    CLASS[byte as usize] & classes != 0
}

/// Whether there is a byte at a place, of one of these classes.
#[inline]
pub(super) fn is_at(text: &[u8], at: usize, classes: u8) -> bool {
    text.get(at).is_some_and(|&byte| is(byte, classes))
}

/// Where the run of bytes of these classes that begins at `from` ends, and which classes it has.
#[inline]
pub(super) fn run(text: &[u8], from: usize, classes: u8) -> (usize, u8) {
    let mut seen = 0;
    let mut at = from;
    while let Some(&byte) = text.get(at) {
        let class = CLASS[byte as usize];
        if class & classes == 0 {
            break;
        }
        seen |= class;
        at += 1;
    }
    (at, seen)
}
