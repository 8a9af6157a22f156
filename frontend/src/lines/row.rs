//! One line as the pane shows it: what the server resolved, the message, and the fields in the order they were sent.

use crate::json::{self, Raw};
use crate::plain::isolated;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
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
/// The most of the message that goes into a row; the fields show all of it.
const MAX_MESSAGE_CHARS: usize = 1_000;
/// The longest value that one can filter by: it stands in the address.
const MAX_FILTER_BYTES: usize = 300;

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
    /// The id of the message's pattern.
    pub pattern: String,
    /// The stored text.
    pub line: String,
}

/// What a row says of its line. Most rows that come are scrolled past, so it is read when it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowText {
    /// The first line of the message, or of the whole line where none is found, cut where a row ends anyway.
    pub message: String,
    /// The further fields of one line, `client=10.0.0.9 pid=77`, cut as well.
    pub rest: String,
    /// How many further lines of text belong to it: of the message, and of fields such as a stack trace.
    pub more_lines: usize,
}

/// One field of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub key: String,
    /// Its value: a string without quotes, anything else as it was sent.
    pub value: String,
    /// Whether lines can be asked for by it: a short text, a number, true, false or null.
    pub is_plain: bool,
}

impl Row {
    /// Reads one line of an `envelope=1` answer; `None` when it is no envelope.
    pub fn parse(envelope: &[u8]) -> Option<Self> {
        json::read_bytes(envelope).ok().map(Self::of)
    }

    /// The row of a line in its envelope.
    pub fn of(envelope: Envelope<Raw<'_>>) -> Self {
        Self {
            at: Timestamp::from_nanos(envelope.t),
            component: envelope.c,
            host: envelope.h,
            level: envelope.l,
            id: envelope.id,
            pattern: envelope.p,
            line: envelope.line.0.to_owned(),
        }
    }

    /// Reads what it says.
    pub fn text(&self) -> RowText {
        let fields = self.fields();
        let message = message(&fields, &self.line);
        let texts = fields.iter().filter(|field| !MESSAGE_KEYS.contains(&field.key.as_str()));
        let further: usize = texts.map(|field| lines_of_text(&field.value)).sum();
        RowText {
            message: cut(first_line(&message), MAX_MESSAGE_CHARS),
            rest: rest(&fields),
            more_lines: further_lines(&message) + further,
        }
    }

    /// The fields in the order they were sent; none where the line is no JSON object.
    pub fn fields(&self) -> Vec<Field> {
        fields(&self.line)
    }
}

fn fields(line: &str) -> Vec<Field> {
    let parsed: Result<Fields<'_>, _> = json::read(line);
    let mut fields = Vec::new();
    for (key, raw) in parsed.map(|fields| fields.0).unwrap_or_default() {
        let texts = texts_within(&key, raw);
        fields.push(Field::read(key, raw));
        fields.extend(texts);
    }
    fields
}

/// The texts of several lines in an object, as `exception.stacktrace`: there is no reading them in the object itself.
fn texts_within(key: &str, raw: Raw<'_>) -> Vec<Field> {
    let is_text = raw.0.starts_with('{') && raw.0.contains("\\n");
    let members: Option<Fields<'_>> = is_text.then(|| json::read(raw.0).ok()).flatten();
    let members = members.into_iter().flat_map(|members| members.0);
    let fields = members.map(|(name, raw)| Field::read([key, ".", &name].concat(), raw));
    fields
        .filter(|field| further_lines(&field.value) > 0)
        .map(|field| Field { is_plain: false, ..field })
        .collect()
}

impl Field {
    /// Whether a row has no place of its own for it.
    pub fn is_further(&self) -> bool {
        !COLUMN_KEYS.contains(&self.key.as_str())
    }

    fn read(key: String, raw: Raw<'_>) -> Self {
        let value = plain(raw);
        let is_short = !value.is_empty() && value.len() <= MAX_FILTER_BYTES && !value.contains('\n');
        Self { key, is_plain: is_short && !raw.0.starts_with(['{', '[']), value }
    }
}

/// So many characters of a text at most; where there are more it says so.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => [&text[..end], "…"].concat(),
        None => text.to_owned(),
    }
}

fn first_line(text: &str) -> &str {
    text.trim_start_matches(['\r', '\n']).lines().next().unwrap_or_default()
}

/// How many lines a text has behind its first.
fn further_lines(text: &str) -> usize {
    text.trim_matches(['\r', '\n']).lines().count().saturating_sub(1)
}

/// How many lines a text has that is one of several lines; else none, for it stands in the row.
fn lines_of_text(text: &str) -> usize {
    match further_lines(text) {
        0 => 0,
        further => further + 1,
    }
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
    let is_further = |field: &&Field| field.is_further() && further_lines(&field.value) == 0;
    let further = fields.iter().filter(is_further);
    let pairs: Vec<String> =
        further.map(|field| isolated(&[&field.key, "=", &field.value].concat())).collect();
    cut(&pairs.join(" "), MAX_REST_CHARS)
}

fn plain(raw: Raw<'_>) -> String {
    json::read(raw.0).unwrap_or_else(|_| raw.0.to_owned())
}

/// The members of an object, unparsed: numbers keep their digits, doubled names both stay.
struct Fields<'a>(Vec<(String, Raw<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(String, Raw<'de>)>;

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
        check(r#"{"msg":"hi","stack":"a\nb","pid":7}"#, "pid=7");
        check(
            r#"{"msg":"hi","user":"a\u202eb","note":"\u001b]0;x","n":1}"#,
            "\u{2068}user=a\u{202e}b\u{2069} note=␛]0;x n=1",
        );
    }

    #[test]
    fn what_is_cut_off_is_told() {
        let check = |text: &str, expected: &str| assert_eq!(cut(text, 3), expected);
        check("añb", "añb");
        check("añbc", "añb…");
    }

    #[test]
    fn a_stack_trace_belongs_to_its_line() {
        let check = |line: &str, message: &str, more_lines: usize| {
            let envelope = format!(r#"{{"t":1,"c":"a","h":"","l":"info","id":"x","line":{line}}}"#);
            let text = Row::parse(envelope.as_bytes()).unwrap().text();
            assert_eq!((text.message.as_str(), text.more_lines), (message, more_lines), "{line}");
        };
        check(r#"{"msg":"one line","n":1}"#, "one line", 0);
        check(r#"{"msg":"panic: no\n  at a\n  at b\n"}"#, "panic: no", 2);
        check(r#"{"msg":"\r\npanic\r\n  at a"}"#, "panic", 1);
        check(r#"{"msg":"failed","stack":"E: no\n at a\n at b","exception.stacktrace":"x"}"#, "failed", 3);
        check(r#"{"msg":"failed","error":{"kind":"E","stack":"a\nb"}}"#, "failed", 2);
        check(r#"{"msg":"failed","error":{"stack":"a\\nb"}}"#, "failed", 0);
    }

    #[test]
    fn one_can_filter_by_short_plain_values() {
        let found =
            fields(r#"{"s":"a b","n":1.5,"ok":true,"none":null,"o":{"a":1},"l":[1],"e":"","t":"a\nb"}"#);
        let plain: Vec<&str> = found.iter().filter(|field| field.is_plain).map(|field| &*field.key).collect();
        assert_eq!(plain, ["s", "n", "ok", "none"]);
        assert!(!fields(&format!(r#"{{"s":"{}"}}"#, "x".repeat(301)))[0].is_plain);
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
        assert_eq!(
            (row.level, row.id.as_str(), row.text().message.as_str()),
            (Level::Warn, "2023-11-14~1~2", "hi")
        );
        assert_eq!(row.line, r#"{"msg":"hi","n":7}"#);
        assert_eq!(Row::parse(b"{\"t\":1"), None);
    }
}
