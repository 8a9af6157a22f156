//! The part of an address behind its `?`: `name=value` pairs with `&` between them, percent-encoded (WHATWG URL, section
//! 5.1). What reads well is left as it is, for people read addresses.

use crate::time::TimeRange;

/// Such a text while it is put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryString {
    text: String,
}

impl QueryString {
    /// One more pair.
    pub fn push(&mut self, key: &str, value: &str) {
        let between = if self.text.is_empty() { "" } else { "&" };
        self.text.extend([between, &encode(key), "=", &encode(value)]);
    }

    /// One more pair, if there is a value.
    pub fn push_some(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.push(key, value);
        }
    }

    /// A pair for each value, none for none.
    pub fn push_all<'a>(&mut self, key: &str, values: impl IntoIterator<Item = &'a String>) {
        for value in values {
            self.push(key, value);
        }
    }

    /// The two ends of a range, by names of their own.
    pub fn push_range(&mut self, [from, until]: [&str; 2], range: TimeRange) {
        self.push(from, &range.from.to_string());
        self.push(until, &range.until.to_string());
    }

    /// All pairs, in the order in which they came.
    pub fn into_text(self) -> String {
        self.text
    }
}

/// Percent-encodes all but what reads well in a query: letters, digits and `-._~:,*/@!()`.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:,*/@!()".contains(&byte) {
            out.push(byte as char);
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            let digit = |of: u8| DIGITS[usize::from(of)] as char;
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

/// Undoes percent-encoding and `+` for a space; a broken escape stays as it is, broken UTF-8 is replaced.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        if let Some(byte) = escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            out.push(byte);
            at += 3;
        } else {
            out.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn pairs_stand_in_the_order_in_which_they_came_and_read_back() {
        let mut query = QueryString::default();
        query.push("a b", "ä&=%+");
        query.push_some("none", None);
        query.push_all("c", &["x.*".to_owned(), "{y,z}".to_owned()]);
        let range = TimeRange::between(Timestamp::from_secs(0), Timestamp::from_secs(1));
        query.push_range(["from", "until"], range);
        let text = query.into_text();
        assert_eq!(
            text,
            "a%20b=%C3%A4%26%3D%25%2B&c=x.*&c=%7By,z%7D&from=1970-01-01T00:00:00Z&until=1970-01-01T00:00:01Z"
        );
        let pairs: Vec<_> = text.split('&').filter_map(|pair| pair.split_once('=')).collect();
        assert_eq!((decode(pairs[0].0), decode(pairs[0].1)), ("a b".to_owned(), "ä&=%+".to_owned()));
    }

    #[test]
    fn broken_escapes_stay_and_broken_letters_are_replaced() {
        assert_eq!(decode("100%+%4"), "100% %4");
        assert_eq!(decode("%zz%c3"), "%zz\u{fffd}");
    }
}
