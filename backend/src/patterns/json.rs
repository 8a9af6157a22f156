//! The text inside a JSON string: escapes become what they stand for (RFC 8259, 7). What is no valid escape stays.

/// Writes the text that an escaped string stands for, up to about `most` bytes.
pub(super) fn unescape(body: &[u8], most: usize, text: &mut Vec<u8>) {
    text.clear();
    let mut rest = body;
    while text.len() < most && !rest.is_empty() {
        let plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len()).min(most);
        text.extend_from_slice(&rest[..plain]);
        rest = &rest[plain..];
        if rest.first() == Some(&b'\\') {
            rest = &rest[unescape_one(rest, text)..];
        }
    }
}

/// Takes the escape that `rest` begins with and answers how long it is.
fn unescape_one(rest: &[u8], text: &mut Vec<u8>) -> usize {
    let byte = match rest.get(1) {
        Some(&byte @ (b'"' | b'\\' | b'/')) => byte,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'b') => 0x08,
        Some(b'f') => 0x0c,
        Some(b'u') => return unescape_unicode(rest, text),
        _ => {
            text.push(b'\\');
            return 1;
        }
    };
    text.push(byte);
    2
}

/// `\u00e9`, or two of them for a character beyond the first 65,536.
fn unescape_unicode(rest: &[u8], text: &mut Vec<u8>) -> usize {
    let Some(first) = code_unit(rest) else {
        text.push(b'\\');
        return 1;
    };
    let second = code_unit(&rest[6..]);
    let pair = char::decode_utf16([first].into_iter().chain(second)).next();
    let (character, length) = match pair {
        Some(Ok(character)) => (character, 6 * character.len_utf16()),
        _ => (char::REPLACEMENT_CHARACTER, 6),
    };
    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    length
}

fn code_unit(rest: &[u8]) -> Option<u16> {
    let digits = rest.strip_prefix(b"\\u")?.get(..4)?;
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &str) {
        let mut text = Vec::new();
        unescape(body.as_bytes(), 100, &mut text);
        assert_eq!(String::from_utf8_lossy(&text), expected, "{body}");
    }

    #[test]
    fn escapes_become_what_they_stand_for() {
        check("plain", "plain");
        check(r#"say \"hi\" \\ \/"#, r#"say "hi" \ /"#);
        check(r"a\nb\tc\rd\be\f", "a\nb\tc\rd\u{8}e\u{c}");
        check(r"caf\u00e9 \ud83d\ude00!", "café 😀!");
    }

    #[test]
    fn what_is_no_escape_stays() {
        check(r"\x \u12 \", r"\x \u12 \");
        check(r"\u+123", r"\u+123");
        check(r"\ud83d alone, \ude00\u0041", "\u{fffd} alone, \u{fffd}A");
    }

    #[test]
    fn a_long_string_is_cut() {
        let mut text = Vec::new();
        unescape("ab\\n".repeat(1000).as_bytes(), 100, &mut text);
        assert!((100..110).contains(&text.len()), "{}", text.len());
    }
}
