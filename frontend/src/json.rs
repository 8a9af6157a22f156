//! The server's JSON as values. Pure.
//!
//! `serde_json` does this too and says of each mistake what and where it is, in code for each type that is read: a few hundredths of
//! the page, for texts that nobody sees, since of an answer that cannot be read the page says only that. Here a mistake has no
//! text, and what does not hang on the type is written once, in `scan`.

mod scan;

use scan::{Number, Scan};
use serde::de::value::CowStrDeserializer;
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use std::fmt::Display;

/// A text is not the JSON that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not the JSON that was expected")]
pub struct Unreadable;

/// The value that a text is.
pub fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unreadable> {
    let mut reader = Reader { scan: Scan::new(text) };
    let value = T::deserialize(&mut reader)?;
    reader.scan.end().map(|()| value)
}

/// The value that some bytes are.
pub fn read_bytes<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Unreadable> {
    read(std::str::from_utf8(bytes).map_err(|_no_text| Unreadable)?)
}

/// A value as it was sent, unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'a>(pub &'a str);

/// The name by which [`Raw`] asks a [`Reader`] for the text of a value.
const RAW: &str = "$raw";

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(RAW, RawVisitor).map(Raw)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = &'de str;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<&'de str, E> {
        Ok(text)
    }
}

/// A [`Raw`] that owns its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawText(pub String);

impl<'de> Deserialize<'de> for RawText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Raw::deserialize(deserializer).map(|raw| Self(raw.0.to_owned()))
    }
}

struct Reader<'de> {
    scan: Scan<'de>,
}

impl<'de> Reader<'de> {
    fn text<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.scan.string()? {
            std::borrow::Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            std::borrow::Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.scan.number()? {
            Number::Positive(number) => visitor.visit_u64(number),
            Number::Negative(number) => visitor.visit_i64(number),
            Number::Real(number) => visitor.visit_f64(number),
        }
    }

    fn list<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unreadable> {
        self.scan.open(b'[')?;
        let value = visitor.visit_seq(Members { reader: self, is_first: true })?;
        self.scan.close(b']').map(|()| value)
    }

    fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unreadable> {
        self.scan.open(b'{')?;
        let value = visitor.visit_map(Members { reader: self, is_first: true })?;
        self.scan.close(b'}').map(|()| value)
    }
}

/// Each kind of value has few visitors, so each is asked for what the text must be, not for what the text happens to be.
macro_rules! as_what_it_must_be {
    ($($wanted:ident => $how:ident,)*) => {
        $(fn $wanted<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            self.$how(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Unreadable;

    as_what_it_must_be! {
        deserialize_i64 => number,
        deserialize_u64 => number,
        deserialize_f64 => number,
        deserialize_i32 => number,
        deserialize_u32 => number,
        deserialize_u16 => number,
        deserialize_u8 => number,
        deserialize_str => text,
        deserialize_string => text,
        deserialize_identifier => text,
        deserialize_seq => list,
        deserialize_map => object,
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        let is_true = self.scan.boolean()?;
        visitor.visit_bool(is_true)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        if self.scan.null()? { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        if name == RAW {
            return visitor.visit_borrowed_str(self.scan.raw()?);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unreadable> {
        self.list(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        self.object(visitor)
    }

    /// One of some names; none of ours comes with a value.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        let name: CowStrDeserializer<'_, Unreadable> = self.scan.string()?.into_deserializer();
        visitor.visit_enum(name)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.scan.raw()?;
        visitor.visit_unit()
    }

    /// No type of ours takes what comes.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unreadable> {
        Err(Unreadable)
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u128 f32 char bytes byte_buf unit unit_struct tuple_struct
    }
}

/// What stands in a list or an object, one after the other.
struct Members<'r, 'de> {
    reader: &'r mut Reader<'de>,
    is_first: bool,
}

impl Members<'_, '_> {
    fn is_at_next(&mut self, end: u8) -> Result<bool, Unreadable> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        self.reader.scan.next_member(is_first, end)
    }
}

impl<'de> SeqAccess<'de> for Members<'_, 'de> {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unreadable> {
        if !self.is_at_next(b']')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unreadable> {
        if !self.is_at_next(b'}')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unreadable> {
        self.reader.scan.open(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

/// None of these says anything, so that the code which would is left out.
impl Error for Unreadable {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }

    fn invalid_type(_: serde::de::Unexpected<'_>, _: &dyn serde::de::Expected) -> Self {
        Self
    }

    fn invalid_value(_: serde::de::Unexpected<'_>, _: &dyn serde::de::Expected) -> Self {
        Self
    }

    fn invalid_length(_: usize, _: &dyn serde::de::Expected) -> Self {
        Self
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn missing_field(_: &'static str) -> Self {
        Self
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::value::RawValue;
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Up,
        Down,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Sample {
        id: u64,
        #[serde(default)]
        at: Option<i64>,
        kind: Kind,
        points: Vec<(f64, Option<f64>)>,
        by_name: BTreeMap<String, bool>,
        range: [i32; 2],
    }

    /// Both readers say the same of a text.
    fn check<T: for<'de> Deserialize<'de> + PartialEq + std::fmt::Debug>(text: &str) {
        assert_eq!(read::<T>(text).ok(), serde_json::from_str(text).ok(), "{text}");
    }

    #[test]
    fn values_are_those_that_serde_json_reads() {
        let whole = r#"{"id":1,"kind":"up","points":[[1.5,null],[2,-3e2]],"by_name":{"a":true,"ü":false},"range":[-1,2],"new":{"x":[1]}}"#;
        assert_eq!(read::<Sample>(whole).map(|sample| sample.kind), Ok(Kind::Up));
        check::<Sample>(whole);
        for (part, others) in [
            ("\"id\":1", [r#""id":-1"#, r#""id":1.0"#, r#""id":18446744073709551616"#, r#""id":01"#, ""]),
            ("\"up\"", ["\"down\"", "\"sideways\"", "null", "[\"up\"]", "7"]),
            ("[1.5,null]", ["[]", "[1]", "[1,2,3]", "[1,2", r#"["1",2]"#]),
            ("[-1,2]", ["[1]", "[1,2,3]", "[1,2,]", "null", "[2147483648,0]"]),
            ("\"new\"", ["\"at\"", "\"id\"", "\"\\u0061t\"", "new", "\"new\" "]),
            ("{\"x\":[1]}", ["{\"x\":[1}", "5", "null", "1 2", "{}, "]),
            ("true", ["True", "1", "tru", "null", " true "]),
        ] {
            for other in others {
                check::<Sample>(&whole.replacen(part, other, 1));
            }
        }
        (0..whole.len())
            .filter(|at| whole.is_char_boundary(*at))
            .for_each(|at| check::<Sample>(&whole[..at]));
    }

    #[test]
    fn numbers_are_those_that_were_written() {
        ["0", "-0", "-0.0", "1e3", "0.1", "1E-2", "+1", ".5", "1.", "1e", "-", "00", "0x1", "NaN", "1e999"]
            .into_iter()
            .for_each(check::<f64>);
        ["0", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1.0"]
            .into_iter()
            .for_each(check::<i64>);
        ["255", "256", "-1", "1e0"].into_iter().for_each(check::<u8>);
    }

    #[test]
    fn what_is_nested_deep_does_not_exhaust_the_stack() {
        let deep = ["[".repeat(1_000_000), "]".repeat(1_000_000)].concat();
        assert_eq!(read(&deep), Ok(Raw(&deep)));
        assert_eq!(read::<Raw<'_>>(&deep[1..]), Err(Unreadable));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert_eq!(read_bytes::<String>(b"\"a\xff\""), Err(Unreadable));
        assert_eq!(read_bytes::<String>("\"ü\"".as_bytes()), Ok("ü".to_owned()));
    }

    const PIECES: [&str; 24] = [
        "{", "}", "[", "]", ",", ":", "{}", "[1]", "\"a\"", "\"a\":", "{\"a\":", "\"", "\\", "0", "-1.5e3",
        "1", ".", "e", "null", "true", "fals", "e", " ", "\n",
    ];
    const TEXT: [&str; 19] = [
        "a",
        "ü",
        "\\n",
        "\\\"",
        "\\\\",
        "\\/",
        "\\u0041",
        "\\u00e9",
        "\\ud83d",
        "\\ude00",
        "\\ud83d\\ude00",
        "\\u00g0",
        "\\x",
        "\\",
        "\t",
        "\u{1f}",
        "\u{7f}",
        "\\b\\f\\r\\t",
        "\\u12",
    ];

    proptest! {
        #[test]
        fn what_is_no_json_is_refused(pieces in prop::collection::vec(prop::sample::select(PIECES.as_slice()), 0..12)) {
            let text = pieces.concat();
            let expected = serde_json::from_str::<&RawValue>(&text).ok().map(RawValue::get);
            prop_assert_eq!(read::<Raw<'_>>(&text).ok().map(|raw| raw.0), expected, "{}", text);
        }

        #[test]
        fn texts_are_those_that_were_written(pieces in prop::collection::vec(prop::sample::select(TEXT.as_slice()), 0..8)) {
            let text = ["\"", &pieces.concat(), "\""].concat();
            prop_assert_eq!(read::<String>(&text).ok(), serde_json::from_str::<String>(&text).ok(), "{}", text);
        }
    }
}
