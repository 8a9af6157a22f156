//! One line as the pane shows it: what the server resolved, the message, and the fields in the order they were sent.

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use sonde_shared::api::Envelope;
use sonde_shared::log::Level;
use sonde_shared::time::Timestamp;

/// The names under which a line carries its message, the first that is there wins.
const MESSAGE_KEYS: [&str; 4] = ["msg", "message", "_msg", "body"];

/// Fields that a row shows in columns of their own; the usual names of time, level, component and host.
const COLUMN_KEYS: [&str; 18] = [
    "ts",
    "timestamp",
    "time",
    "@timestamp",
    "_time",
    "level",
    "severity",
    "lvl",
    "component",
    "logger",
    "service",
    "host",
    "hostname",
    "msg",
    "message",
    "_msg",
    "body",
    "date",
];
/// The most of the further fields that goes into a row.
const MAX_REST_CHARS: usize = 400;

/// A line of the pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When.
    pub at: Timestamp,
    /// Its component.
    pub component: String,
    /// Its host; empty when none is known.
    pub host: String,
    /// How bad.
    pub level: Level,
    /// The stable id.
    pub id: String,
    /// The message, or the whole line where none is found.
    pub message: String,
    /// The further fields, `client=10.0.0.9 pid=77`, cut where a row ends anyway.
    pub rest: String,
    /// The stored text.
    pub line: String,
}

/// One field of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub key: String,
    /// Its value: a string without quotes, anything else as it was sent.
    pub value: String,
}

impl Row {
    /// Reads one line of an `envelope=1` answer; `None` when it is no envelope.
    pub fn parse(envelope: &[u8]) -> Option<Self> {
        let envelope: Envelope<&RawValue> = serde_json::from_slice(envelope).ok()?;
        let line = envelope.line.get();
        let fields = fields(line);
        Some(Self {
            at: Timestamp::from_nanos(envelope.t),
            component: envelope.c,
            host: envelope.h,
            level: envelope.l,
            id: envelope.id,
            message: message(&fields, line),
            rest: rest(&fields),
            line: line.to_owned(),
        })
    }

    /// The fields in the order they were sent; none where the line is no JSON object.
    pub fn fields(&self) -> Vec<Field> {
        fields(&self.line)
    }
}

fn fields(line: &str) -> Vec<Field> {
    let parsed: Result<Fields<'_>, _> = serde_json::from_str(line);
    parsed
        .map(|fields| fields.0.into_iter().map(|(key, raw)| Field { key, value: plain(raw) }).collect())
        .unwrap_or_default()
}

fn message(fields: &[Field], line: &str) -> String {
    let named = |name: &&str| fields.iter().find(|field| field.key == *name).map(|field| field.value.clone());
    MESSAGE_KEYS.iter().find_map(named).unwrap_or_else(|| line.to_owned())
}

/// The further fields on one line; none where the message is the whole line.
fn rest(fields: &[Field]) -> String {
    if !fields.iter().any(|field| MESSAGE_KEYS.contains(&field.key.as_str())) {
        return String::new();
    }
    let further = fields.iter().filter(|field| !COLUMN_KEYS.contains(&field.key.as_str()));
    let pairs: Vec<String> = further.map(|field| format!("{}={}", field.key, field.value)).collect();
    pairs.join(" ").chars().take(MAX_REST_CHARS).collect()
}

fn plain(raw: &RawValue) -> String {
    serde_json::from_str::<String>(raw.get()).unwrap_or_else(|_| raw.get().to_owned())
}

/// The members of an object, unparsed: numbers keep their digits, doubled names both stay.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Members).map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_found_under_its_usual_names() {
        let check = |line: &str, expected: &str| assert_eq!(message(&fields(line), line), expected);
        check(r#"{"ts":1,"msg":"a \"b\""}"#, r#"a "b""#);
        check(r#"{"_msg":"x","body":"y"}"#, "x");
        check(r#"{"body":{"a": 1}}"#, r#"{"a": 1}"#);
        check(r#"{"level":"info"}"#, r#"{"level":"info"}"#);
        check(r#""text""#, r#""text""#);
        check("<b>not JSON</b>", "<b>not JSON</b>");
    }

    #[test]
    fn a_row_tells_the_further_fields_on_one_line() {
        let check = |line: &str, expected: &str| assert_eq!(rest(&fields(line)), expected);
        check(
            r#"{"ts":1,"msg":"hi","client":"10.0.0.9","pid":77,"level":"info","tags":["a"]}"#,
            r#"client=10.0.0.9 pid=77 tags=["a"]"#,
        );
        check(r#"{"ts":1,"msg":"hi"}"#, "");
        check(r#"{"client":"10.0.0.9"}"#, "");
        check("no object", "");
    }

    #[test]
    fn fields_keep_their_order_and_their_digits() {
        let found = fields(r#"{"z":"1","n":1.50,"big":12345678901234567890123,"a":{"b":[1,2]},"z":null}"#);
        let found: Vec<(&str, &str)> = found.iter().map(|f| (f.key.as_str(), f.value.as_str())).collect();
        let expected = [
            ("z", "1"),
            ("n", "1.50"),
            ("big", "12345678901234567890123"),
            ("a", r#"{"b":[1,2]}"#),
            ("z", "null"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_envelope_becomes_a_row() {
        let text = br#"{"t":1700000000120000000,"c":"a.b","h":"","l":"warn","id":"2023-11-14~1~2","line":{"msg":"hi","n":7}}"#;
        let row = Row::parse(text).unwrap();
        assert_eq!((row.message.as_str(), row.level, row.id.as_str()), ("hi", Level::Warn, "2023-11-14~1~2"));
        assert_eq!(row.line, r#"{"msg":"hi","n":7}"#);
        assert_eq!(Row::parse(b"{\"t\":1"), None);
    }
}
