//! What a top-level field of a stored line is, as text.

use memchr::memmem;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A field of the line equals one of some texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFilter {
    /// The field's name.
    pub name: String,
    /// What it may be: the text of a string, a number or another plain value as it is written.
    pub values: Vec<String>,
}

impl FieldFilter {
    /// Whether a line has such a field. Of a name that occurs twice the first counts.
    pub fn matches(&self, line: &[u8]) -> bool {
        self.may_match(line) && self.find(line).is_some_and(|raw| self.is_meant(raw))
    }

    /// Where nothing is escaped, the value stands in the line as it is.
    fn may_match(&self, line: &[u8]) -> bool {
        let has = |value: &String| memmem::find(line, value.as_bytes()).is_some();
        self.values.iter().any(has) || memchr::memchr(b'\\', line).is_some()
    }

    fn find<'a>(&self, line: &'a [u8]) -> Option<&'a str> {
        raw_in(line, &self.name)
    }

    fn is_meant(&self, raw: &str) -> bool {
        plain_text(raw).is_some_and(|text| self.values.iter().any(|value| *value == text))
    }
}

/// What a line's field is, as [`FieldFilter`] compares it; of a name that occurs twice the first.
pub fn value_in<'a>(line: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    raw_in(line, name).and_then(plain_text)
}

fn raw_in<'a>(line: &'a [u8], name: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(line).ok()?;
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(FieldVisitor(name)).ok().flatten()
}

struct FieldVisitor<'a>(&'a str);

impl<'de> Visitor<'de> for FieldVisitor<'_> {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<&'de str>, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<&RawValue>()? {
            if found.is_none() && read_string(key.get()).is_some_and(|key| key == self.0) {
                found = Some(map.next_value::<&RawValue>()?.get());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// A raw JSON value as `field.NAME=` asks for it: a string's text, another plain value as it is written; `None` of objects and lists.
pub fn plain_text(raw: &str) -> Option<Cow<'_, str>> {
    match raw.as_bytes().first() {
        Some(b'"') => read_string(raw),
        Some(b'{' | b'[') | None => None,
        Some(_) => Some(Cow::Borrowed(raw)),
    }
}

/// A raw JSON string as text; `None` where no text can hold it.
pub fn read_string(raw: &str) -> Option<Cow<'_, str>> {
    if raw.contains('\\') {
        return serde_json::from_str::<String>(raw).ok().map(Cow::Owned);
    }
    raw.strip_prefix('"')?.strip_suffix('"').map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_equals_a_value_by_its_text() {
        let line = r#"{"user":"a\u006en \"x\"","n":5e2,"ok":true,"none":null,"deep":{"n":1},"n":7,"k\u0065y":"v","k":"5e2"}"#;
        let check = |name: &str, value: &str, expected: bool| {
            let filter =
                FieldFilter { name: name.to_owned(), values: vec!["?".to_owned(), value.to_owned()] };
            assert_eq!(filter.matches(line.as_bytes()), expected, "{name}={value}");
        };
        check("user", "ann \"x\"", true);
        check("user", "ann", false);
        check("n", "5e2", true);
        check("n", "500", false);
        check("n", "7", false);
        check("ok", "true", true);
        check("none", "null", true);
        check("deep", r#"{"n":1}"#, false);
        check("key", "v", true);
        check("k", "5e2", true);
        check("missing", "v", false);
        assert!(!FieldFilter { name: "a".into(), values: vec!["b".into()] }.matches(b"no object"));
    }
}
