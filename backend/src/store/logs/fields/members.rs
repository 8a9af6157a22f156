//! The members of a JSON object in one pass, of lines as nearly all are.
//!
//! What this reads is what `serde_json` reads too, with the same keys and values; what it does not read `serde_json` judges. So it
//! may give up wherever something is rare or wrong, and need not say why.

use serde_json::value::RawValue;

/// Calls with each key, without its quotes, and its raw value. `None` where the text is no object, has a key with escapes, or is
/// wrong anywhere: what was told until then counts for nothing.
pub(super) fn each_member<'a>(text: &'a str, mut each: impl FnMut(&'a str, &'a str)) -> Option<()> {
    let mut scan = Scan { text, at: 0 };
    scan.take(b'{')?;
    if scan.take(b'}').is_some() {
        return scan.end();
    }
    loop {
        let key = scan.key()?;
        scan.take(b':')?;
        each(key, scan.value()?);
        if scan.take(b',').is_none() {
            scan.take(b'}')?;
            return scan.end();
        }
    }
}

/// A text and how far it was read.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The next byte that is not blank, which stays.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    /// Passes over blanks and this byte.
    #[inline]
    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    /// Nothing but blanks is left.
    fn end(&mut self) -> Option<()> {
        self.peek().is_none().then_some(())
    }

    fn key(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let start = self.at;
        self.at += plain_len(self.rest());
        let key = self.text.get(start..self.at);
        (*self.rest().first()? == b'"').then(|| self.at += 1)?;
        key
    }

    #[inline]
    fn value(&mut self) -> Option<&'a str> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'"' => self.string()?,
            b'-' | b'0'..=b'9' => self.number()?,
            b'[' | b'{' => self.nested()?,
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            b'n' => self.word("null")?,
            _ => return None,
        }
        self.text.get(start..self.at)
    }

    #[inline]
    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            self.at += plain_len(self.rest());
            match *self.rest() {
                [b'"', ..] => {
                    self.at += 1;
                    return Some(());
                }
                [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => self.at += 2,
                [b'\\', b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(u8::is_ascii_hexdigit) => {
                    self.at += 6;
                }
                _ => return None,
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        self.at += usize::from(self.rest().first() == Some(&b'-'));
        match self.digits() {
            0 => return None,
            1 => {}
            digits => (self.text.as_bytes()[self.at - digits] != b'0').then_some(())?,
        }
        if self.rest().first() == Some(&b'.') {
            self.at += 1;
            (self.digits() > 0).then_some(())?;
        }
        if matches!(self.rest().first(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.rest().first(), Some(b'+' | b'-')));
            (self.digits() > 0).then_some(())?;
        }
        Some(())
    }

    /// Passes over digits; how many.
    fn digits(&mut self) -> usize {
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        digits
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.rest().starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    fn nested(&mut self) -> Option<()> {
        let mut values = serde_json::Deserializer::from_str(&self.text[self.at..]).into_iter::<&RawValue>();
        self.at += values.next()?.ok()?.get().len();
        Some(())
    }
}

/// How many bytes stand before the first that ends a string, begins an escape or must not stand in a string: eight are looked at
/// in a word (Mycroft's test for a zero byte, of which the lowest byte that it finds is always right).
#[inline]
fn plain_len(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let mut at = 0;
    while let Some(word) = bytes[at..].first_chunk() {
        let word = u64::from_le_bytes(*word);
        let is_control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = is_zero(word ^ (ONES * u64::from(b'"')));
        let escape = is_zero(word ^ (ONES * u64::from(b'\\')));
        let found = (is_control | quote | escape) & HIGH;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let is_plain = |byte: &&u8| **byte >= 0x20 && !matches!(**byte, b'"' | b'\\');
    at + bytes[at..].iter().take_while(is_plain).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserializer as _;
    use serde::de::{MapAccess, Visitor};
    use std::fmt;

    type Members<'a> = Vec<(&'a str, &'a str)>;

    struct AllMembers;

    impl<'de> Visitor<'de> for AllMembers {
        type Value = Members<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
            let mut members = Vec::new();
            while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                members.push((key.get().trim_matches('"'), value.get()));
            }
            Ok(members)
        }
    }

    fn by_serde(text: &str) -> Option<Members<'_>> {
        let mut json = serde_json::Deserializer::from_str(text);
        let members = json.deserialize_map(AllMembers).ok()?;
        json.end().ok().map(|()| members)
    }

    fn here(text: &str) -> Option<Members<'_>> {
        let mut members = Vec::new();
        each_member(text, |key, value| members.push((key, value)))?;
        Some(members)
    }

    const LINES: [&str; 6] = [
        "{}",
        " {\t\"ts\" : \"2026-11-20T14:05:00Z\",\"msg\":\"caf\u{e9} \\\"x\\\" \\u00e9\\n and more than eight\"}\r",
        r#"{"a":-0.5e+10,"b":10,"c":0,"d":true,"e":false,"f":null,"g":1E2}"#,
        r#"{"deep":{"a":[1,{"b":"}]"}]},"list":[],"msg":"after it","":""}"#,
        r#"{"msg":"12345678\u0041","x":"1234567\\","y":"","z":"日本語 🚧 naïve"}"#,
        r#"{"twice":1,"twice":[[[2]]],"level":"warn"}"#,
    ];

    #[test]
    fn ordinary_lines_are_read_without_serde() {
        for line in LINES {
            assert_eq!(here(line), by_serde(line), "{line}");
            assert!(here(line).is_some(), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_not_read() {
        let values = [
            "01",
            "-01",
            "-",
            "+1",
            "1.",
            ".5",
            "1e",
            "1e+",
            "1.e5",
            "0x1",
            "tru",
            "nul",
            "truefalse",
            "\"a",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u12\"",
            "\"\t\"",
            "\"\u{0}12345678\"",
            "[1,]",
            "{\"a\"}",
            "[",
            "",
            "1 2",
            "'a'",
        ];
        let texts = values.iter().map(|value| format!("{{\"a\":{value}}}"));
        let others = [
            "{",
            "}",
            "{,}",
            "{\"a\" 1}",
            "{\"a\":1,}",
            "{\"a\":1}}",
            "{\"a\":1} x",
            "{a:1}",
            "{\"a\":1 \"b\":2}",
            "[]",
        ];
        for text in texts.chain(others.map(str::to_owned)) {
            assert_eq!((here(&text), by_serde(&text)), (None, None), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        /// Bytes are changed, put in and taken out; whatever comes of it, what is read is what `serde_json` reads.
        #[test]
        fn nothing_else_is_read_than_serde_json_reads(
            line in prop::sample::select(LINES.as_slice()),
            changes in prop::collection::vec((any::<prop::sample::Index>(), 0..3, prop::sample::select(
                b"\"\\{}[]:,0123456789.eE+-tfnu \t\n\x01\x1f\x7fx/".as_slice())), 0..4),
        ) {
            let mut bytes = line.as_bytes().to_vec();
            for (at, how, byte) in changes {
                let at = at.index(bytes.len());
                match how {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    _ if bytes.len() > 1 => drop(bytes.remove(at)),
                    _ => {}
                }
            }
            if let Ok(text) = std::str::from_utf8(&bytes) {
                let found = here(text);
                prop_assert!(found.is_none() || found == by_serde(text), "{}", text);
            }
        }

        #[test]
        fn a_string_is_plain_up_to_the_first_byte_that_is_not(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let plain = bytes.iter().take_while(|byte| **byte >= 0x20 && !b"\"\\".contains(byte)).count();
            prop_assert_eq!(plain_len(&bytes), plain);
        }
    }
}
