//! What a stored line says of itself: time, component, host and level.
//!
//! A line is read once, without building a document: the few keys that matter are held as slices of the line, all
//! else is checked and passed over. Synonyms are tried in the order of the tables below, wherever they stand in the
//! line; of a key that occurs twice the first counts. A synonym whose value is `null` counts as not given (but for `msg`,
//! which may be anything), and so does, for `level`, `component` and `host`, one that is empty or of a kind that cannot
//! name anything (an object, say). Ingest checks lines with this reader and the index is rebuilt with it, so both agree.

mod members;
mod names;

use names::{read_component, read_name};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use sonde_shared::log::Level;
use sonde_shared::time::{Timestamp, parse_rfc3339, parse_unix_number};
use std::borrow::Cow;
use std::fmt;

/// Keys of the time, first wins.
pub const TS_KEYS: [&str; 5] = ["ts", "timestamp", "time", "@timestamp", "_time"];
/// Keys of the message, first wins.
pub const MSG_KEYS: [&str; 4] = ["msg", "message", "_msg", "body"];
/// Keys of the level, first wins.
pub const LEVEL_KEYS: [&str; 3] = ["level", "severity", "lvl"];
/// Keys of the component, first wins.
pub const COMPONENT_KEYS: [&str; 3] = ["component", "logger", "service"];
/// Keys of the host, first wins.
pub const HOST_KEYS: [&str; 2] = ["host", "hostname"];
/// The component of a line that names none.
pub const UNKNOWN_COMPONENT: &str = "unknown";

/// The columns of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields<'a> {
    /// When it was logged.
    pub ts: Timestamp,
    /// How bad it is; `info` when it says nothing that is known.
    pub level: Level,
    /// The message's raw JSON value: a string with its quotes and escapes, or whatever else stands there.
    pub message: &'a str,
    component: Option<Cow<'a, str>>,
    host: Option<Cow<'a, str>>,
}

impl Fields<'_> {
    /// The component.
    pub fn component(&self) -> &str {
        self.component.as_deref().unwrap_or(UNKNOWN_COMPONENT)
    }

    /// The host; empty when there is none.
    pub fn host(&self) -> &str {
        self.host.as_deref().unwrap_or("")
    }
}

/// Why a text is no line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// Not UTF-8.
    #[error("the line is not UTF-8: bad byte at column {column}")]
    NotUtf8 {
        /// Where, in bytes from 1.
        column: usize,
    },
    /// The first bytes of a packed body.
    #[error("the body is packed; send it with the header Content-Encoding: {encoding}")]
    Packed {
        /// How.
        encoding: &'static str,
    },
    /// Not JSON.
    #[error("the line is not JSON: {why}")]
    NotJson {
        /// What the parser said, with the column.
        why: String,
    },
    /// JSON, but no object.
    #[error(
        "the line is {found}, not an object; write {{\"ts\":\"2026-11-20T09:30:00Z\",\"msg\":\"…\"}}, one a line"
    )]
    NotObject {
        /// What it is.
        found: &'static str,
    },
    /// No time.
    #[error("there is no ts; write \"ts\":\"2026-11-20T09:30:00Z\" or unix seconds, ms, us or ns")]
    NoTs,
    /// A time that cannot be read or lies outside of what can be told.
    #[error("`{text}` is not a time; write 2026-11-20T09:30:00Z or unix seconds, ms, us or ns")]
    BadTs {
        /// What was given, shortened.
        text: String,
    },
    /// A date and time that could be anywhere.
    #[error("`{text}` has no zone; write {text}Z, or the offset from UTC, {text}+01:00")]
    NoZone {
        /// What was given.
        text: String,
    },
    /// No message.
    #[error("there is no msg; write \"msg\":\"what happened\"")]
    NoMsg,
    /// A component or host that cannot be a name.
    #[error("the {what} {why}")]
    BadName {
        /// `component` or `host`.
        what: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl FieldError {
    fn bad_ts(text: &str) -> Self {
        if text.len() < 64 && parse_rfc3339(format!("{text}Z").as_bytes()).is_some() {
            return Self::NoZone { text: text.to_owned() };
        }
        Self::BadTs { text: text.chars().take(64).collect() }
    }
}

/// Checks a line, which has no line end, and reads its columns.
pub fn read(line: &[u8]) -> Result<Fields<'_>, FieldError> {
    let text = std::str::from_utf8(line).map_err(|error| not_utf8(line, error))?;
    let found = Found::read(text)?;
    let message = found.msg.iter().flatten().next().ok_or(FieldError::NoMsg)?;
    let ts = found.ts.iter().flatten().find(|raw| **raw != "null");
    Ok(Fields {
        ts: read_ts(ts.ok_or(FieldError::NoTs)?)?,
        message,
        level: found.level.iter().flatten().find_map(|raw| read_level(raw)).unwrap_or_default(),
        component: read_component(&found.component)?,
        host: read_name("host", &found.host)?,
    })
}

/// The raw values of the keys that matter, each list in the order of its table.
#[derive(Debug, Default)]
struct Found<'a> {
    ts: [Option<&'a str>; 5],
    msg: [Option<&'a str>; 4],
    level: [Option<&'a str>; 3],
    component: [Option<&'a str>; 3],
    host: [Option<&'a str>; 2],
}

impl<'a> Found<'a> {
    fn read(text: &'a str) -> Result<Self, FieldError> {
        let mut found = Self::default();
        let whole = members::each_member(text, |key, value| {
            if let Some(slot @ None) = found.slot(key) {
                *slot = Some(value);
            }
        });
        whole.map_or_else(|| Self::read_by_serde(text), |()| Ok(found))
    }

    /// Reads what is rare, and says of what is no line why.
    fn read_by_serde(text: &'a str) -> Result<Self, FieldError> {
        let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r');
        let first = text.bytes().find(|b| !blank(b));
        let mut json = serde_json::Deserializer::from_str(text);
        if first != Some(b'{') {
            // Well-formed or not decides which of two answers helps.
            let checked = serde::Deserialize::deserialize(&mut json).and_then(|_: IgnoredAny| json.end());
            return Err(checked.map_or_else(
                |error| not_json(&error),
                |()| FieldError::NotObject { found: kind_of(first) },
            ));
        }
        let found = json.deserialize_map(FieldVisitor).map_err(|error| not_json(&error))?;
        json.end().map_err(|error| not_json(&error))?;
        Ok(found)
    }

    fn slot(&mut self, key: &str) -> Option<&mut Option<&'a str>> {
        let at = |keys: &[&str]| keys.iter().position(|name| *name == key);
        match key {
            "ts" | "timestamp" | "time" | "@timestamp" | "_time" => self.ts.get_mut(at(&TS_KEYS)?),
            "msg" | "message" | "_msg" | "body" => self.msg.get_mut(at(&MSG_KEYS)?),
            "level" | "severity" | "lvl" => self.level.get_mut(at(&LEVEL_KEYS)?),
            "component" | "logger" | "service" => self.component.get_mut(at(&COMPONENT_KEYS)?),
            "host" | "hostname" => self.host.get_mut(at(&HOST_KEYS)?),
            _ => None,
        }
    }
}

fn not_utf8(line: &[u8], error: std::str::Utf8Error) -> FieldError {
    // RFC 1952, 2.3.1, and RFC 8878, 3.1.1: who forgets the header sends these as the first bytes of a line.
    let encodings = [(&[0x1F, 0x8B][..], "gzip"), (&[0x28, 0xB5, 0x2F, 0xFD], "zstd")];
    match encodings.into_iter().find(|(magic, _)| line.starts_with(magic)) {
        Some((_, encoding)) => FieldError::Packed { encoding },
        None => FieldError::NotUtf8 { column: error.valid_up_to() + 1 },
    }
}

/// What begins with this byte, given that it is JSON.
fn kind_of(first: Option<u8>) -> &'static str {
    match first {
        Some(b'[') => "a JSON array",
        Some(b'"') => "a JSON string",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

fn not_json(error: &serde_json::Error) -> FieldError {
    // A line is parsed alone, so "at line 1" says nothing; only the column does.
    let why = error.to_string().replacen("line 1 column", "column", 1);
    let why =
        why.replacen("expected ident", "no JSON value", 1).replacen("expected value", "no JSON value", 1);
    let why = why.replacen("trailing characters", "one object a line, but more follows", 1);
    FieldError::NotJson { why: why.chars().take(200).collect() }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found<'de>, A::Error> {
        let mut found = Found::default();
        // Raw keys: JSON's grammar allows lone surrogates (`\ud800`) in them, which no `str` can hold.
        while let Some(key) = map.next_key::<&RawValue>()? {
            let slot = read_string(key.get()).and_then(Result::ok).and_then(|key| found.slot(&key));
            match slot {
                Some(slot @ None) => *slot = Some(map.next_value::<&RawValue>()?.get()),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

/// A raw JSON string as text; `None` for other values. A lone surrogate is an error of its own.
fn read_string(raw: &str) -> Option<Result<Cow<'_, str>, ()>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_some() {
        return Some(serde_json::from_str::<String>(raw).map(Cow::Owned).map_err(|_lone_surrogate| ()));
    }
    Some(Ok(Cow::Borrowed(inner)))
}

fn read_ts(raw: &str) -> Result<Timestamp, FieldError> {
    let text = match read_string(raw) {
        Some(Ok(text)) => text,
        Some(Err(())) => return Err(FieldError::bad_ts(raw)),
        None => Cow::Borrowed(raw),
    };
    parse_rfc3339(text.as_bytes())
        .or_else(|| parse_unix_number(&text))
        .or_else(|| read_exponent(&text))
        .ok_or_else(|| FieldError::bad_ts(&text))
}

/// A number written with an exponent, `1.7636475e9`; it has a double's precision.
fn read_exponent(text: &str) -> Option<Timestamp> {
    let number: f64 = text.contains(['e', 'E']).then(|| text.parse().ok())??;
    (number.abs() < 1e19).then(|| parse_unix_number(&format!("{number:.9}")))?
}

/// A level that is given, `info` when it is none that is known; `None` when none is given.
///
/// Numbers are told apart by size: 0 to 7 are syslog severities, from 10 on they are those of pino and bunyan (10 trace,
/// 20 debug, 30 info, 40 warn, 50 error, 60 fatal; what lies between counts as the lower one).
fn read_level(raw: &str) -> Option<Level> {
    let text = match read_string(raw) {
        Some(text) => text.unwrap_or_default(),
        None if raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => Cow::Borrowed(raw),
        None => return None,
    };
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    Some(Level::parse(text).or_else(|| numbered_level(text.parse().ok()?)).unwrap_or_default())
}

fn numbered_level(number: f64) -> Option<Level> {
    match number {
        0.0..8.0 => Some(Level::from_syslog(number as u8)),
        10.0..=69.0 => Some(Level::from_number((number / 10.0) as u8 - 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(line: &str, expected: (&str, &str, &str, Level)) {
        let fields = read(line.as_bytes()).unwrap();
        let got =
            (fields.ts.to_string(), fields.component().to_owned(), fields.host().to_owned(), fields.level);
        assert_eq!((got.0.as_str(), got.1.as_str(), got.2.as_str(), got.3), expected, "{line}");
    }

    #[track_caller]
    fn refuse(line: impl AsRef<[u8]>, reason: &str) {
        let error = read(line.as_ref()).unwrap_err();
        let got = match &error {
            FieldError::NotUtf8 { .. } | FieldError::Packed { .. } => "not_utf8",
            FieldError::NotJson { .. } | FieldError::NotObject { .. } => "not_json",
            FieldError::NoTs => "no_ts",
            FieldError::BadTs { .. } | FieldError::NoZone { .. } => "bad_ts",
            FieldError::NoMsg => "no_msg",
            FieldError::BadName { .. } => "bad_name",
        };
        assert_eq!(got, reason, "{error}");
    }

    const AT: &str = "2026-11-20T14:05:00Z";

    fn with(rest: &str) -> String {
        format!(r#"{{"ts":"{AT}","msg":"m"{rest}}}"#)
    }

    #[test]
    fn the_named_fields_are_read() {
        check(&with(r#","component":"a.b","host":"n1","level":"warn""#), (AT, "a.b", "n1", Level::Warn));
        check(&with(""), (AT, "unknown", "", Level::Info));
        check(&with(r#","service":"s","hostname":"h","lvl":"ERR""#), (AT, "s", "h", Level::Error));
        check(
            r#" {"time":1763647500.5 ,"body":null}"#,
            ("2025-11-20T14:05:00.500Z", "unknown", "", Level::Info),
        );
        check(
            r#"{"\u0074s":"1763647500123","_msg":{}}"#,
            ("2025-11-20T14:05:00.123Z", "unknown", "", Level::Info),
        );
        check(r#"{"ts":1.7636475e9,"msg":1}"#, ("2025-11-20T14:05:00Z", "unknown", "", Level::Info));
        check(
            r#"{"ts":1763647500000000001,"msg":1}"#,
            ("2025-11-20T14:05:00.000000001Z", "unknown", "", Level::Info),
        );
    }

    #[test]
    fn what_is_often_sent_by_mistake_is_told_the_way_out() {
        let check = |line: &[u8], expected: &str| {
            let said = read(line).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        };
        check(b"\x1f\x8b\x08\x00", "Content-Encoding: gzip");
        check(b"\x28\xb5\x2f\xfd\x04", "Content-Encoding: zstd");
        check(b"{\"ts\":1}\xff", "bad byte at column 9");
        check(br#"[{"ts":1,"msg":"a"}]"#, "a JSON array, not an object");
        check(br#"{"ts":1,"msg":"a"}{"ts":2,"msg":"b"}"#, "one object a line, but more follows at column 19");
        check(b"not json", "no JSON value at column 2");
        check(b"7", "a number, not an object");
    }

    #[test]
    fn synonyms_go_by_rank_and_doubles_by_position() {
        check(
            r#"{"_time":"x","time":"y","ts":0,"ts":5,"message":1,"logger":"l","component":"c"}"#,
            ("1970-01-01T00:00:00Z", "c", "", Level::Info),
        );
        check(&with(r#","component":null,"logger":"","service":"s""#), (AT, "s", "", Level::Info));
        check(
            &with(r#","component":{"name":"x"},"host":["h"],"hostname":"h""#),
            (AT, "unknown", "h", Level::Info),
        );
        check(r#"{"ts":null,"time":0,"msg":""}"#, ("1970-01-01T00:00:00Z", "unknown", "", Level::Info));
    }

    #[test]
    fn levels_are_names_or_numbers() {
        let level = |text: &str, expected| {
            check(&with(&format!(r#","level":{text}"#)), (AT, "unknown", "", expected));
        };
        level("3", Level::Error);
        level("\"3\"", Level::Error);
        level("0", Level::Fatal);
        level("7", Level::Debug);
        level("10", Level::Trace);
        level("35", Level::Info);
        level("60", Level::Fatal);
        level("-1", Level::Info);
        level("1e400", Level::Info);
        level("\"loud\"", Level::Info);
        level("{}", Level::Info);
        level("\"\\ud800\"", Level::Info);
        level("null,\"severity\":\"Warning\"", Level::Warn);
    }

    #[test]
    fn what_is_no_line_is_refused_with_its_reason() {
        refuse(r#"{"msg":"m"}"#, "no_ts");
        refuse(r#"{"ts":null,"msg":"m"}"#, "no_ts");
        refuse(format!(r#"{{"ts":"{AT}"}}"#), "no_msg");
        refuse(r#"{"ts":"yesterday","msg":"m"}"#, "bad_ts");
        refuse(r#"{"ts":"2026-11-20T14:05:00","msg":"m"}"#, "bad_ts");
        refuse(r#"{"ts":true,"msg":"m"}"#, "bad_ts");
        refuse(r#"{"ts":1e999,"msg":"m"}"#, "bad_ts");
        refuse(r#"{"ts":99999999999999999999,"msg":"m"}"#, "bad_ts");
        refuse(r#"{"ts":"9999-01-01T00:00:00Z","msg":"m"}"#, "bad_ts");
        refuse("plain text", "not_json");
        refuse(r#"["ts"]"#, "not_json");
        refuse("", "not_json");
        refuse(with("").trim_end_matches('}'), "not_json");
        refuse(with("") + "}", "not_json");
        refuse(with(r#","x":01"#), "not_json");
        refuse(with(",\"x\":\"\u{0}\""), "not_json");
        refuse([with("").as_bytes(), b"\0"].concat(), "not_json");
        refuse(with(",\"x\0\":1"), "not_json");
        refuse(with(",\"x\t\\n\":1"), "not_json");
        refuse([b"{\"ts\":0,\"msg\":\"", &[0xff][..], b"\"}"].concat(), "not_utf8");
        refuse(with(r#","component":"a..b""#), "bad_name");
        refuse(with(r#","component":"a.""#), "bad_name");
        refuse(with(r#","component":"a\nb""#), "bad_name");
        refuse(with(r#","component":"\ud800""#), "bad_name");
        refuse(with(&format!(r#","host":"{}""#, "h".repeat(256))), "bad_name");
    }

    #[test]
    fn hostile_but_valid_json_is_taken() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let odd = [r#","x":"\ud800""#, r#","\udc00x":1"#, r#","x":1e999999"#, &format!(r#","x":{deep}"#)];
        for rest in odd {
            check(&with(rest), (AT, "unknown", "", Level::Info));
        }
        refuse("[".repeat(100_000), "not_json");
        refuse(with(&format!(r#","x":{}"#, "[".repeat(100_000))), "not_json");
        check(&format!(r#"{{"ts":"{AT}","msg":{deep}}}"#), (AT, "unknown", "", Level::Info));
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            drop(read(&bytes));
        }

        #[test]
        fn broken_lines_never_panic(at in 0_usize..90, byte in any::<u8>()) {
            let mut line = with(r#","component":"a.b","level":30,"host":"h","x":[1,{"y":"\u00e9"}]"#).into_bytes();
            if let Some(slot) = line.get_mut(at) {
                *slot = byte;
            }
            let valid = serde_json::from_slice::<serde_json::Value>(&line).is_ok();
            prop_assert!(valid || read(&line).is_err());
        }
    }

    #[test]
    fn a_time_without_its_zone_is_told_what_is_missing() {
        let why =
            |ts: &str| read(format!(r#"{{"ts":"{ts}","msg":"m"}}"#).as_bytes()).unwrap_err().to_string();
        for ts in ["2026-11-20T14:05:00", "2026-11-20 14:05:00.25"] {
            assert_eq!(
                why(ts),
                format!("`{ts}` has no zone; write {ts}Z, or the offset from UTC, {ts}+01:00")
            );
            assert!(read(format!(r#"{{"ts":"{ts}Z","msg":"m"}}"#).as_bytes()).is_ok());
            assert!(read(format!(r#"{{"ts":"{ts}+01:00","msg":"m"}}"#).as_bytes()).is_ok());
        }
        for ts in ["2026-11-20", "2026-13-20T14:05:00", "14:05"] {
            assert!(why(ts).contains("is not a time; write 2026-11-20T09:30:00Z"), "{ts}");
        }
    }
}
