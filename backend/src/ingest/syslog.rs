//! Syslog messages become lines: parsed once, written once as NDJSON, from then on stored like any other line.
//!
//! Which RFC a message follows is decided by its start. Nothing is refused: what cannot be read stays in `msg`. A stamp
//! that is missing, unreadable or more than 24 hours ahead gives way to the time of arrival, and `ts_from` says so.
//! Unlike NDJSON, text that is not UTF-8 is mended with U+FFFD: the protocol's old form has no encoding at all.

use super::Clock;
use super::component_rule::ComponentRule;
use super::syslog_stamp::is_believable;
use super::zone::Zone;
use super::{syslog_3164, syslog_5424};
use crate::store::batch::{LineBatch, MAX_LINE_BYTES};
use serde::Serialize;
use serde_json::{Map, Value};
use sonde_shared::component::MAX_NAME_BYTES;
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};
use std::borrow::Cow;

/// `user.notice`, which RFC 3164 gives to a message without a priority.
const DEFAULT_PRI: u8 = 13;

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7",
];
const SEVERITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// A message taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record<'a> {
    /// Facility × 8 + severity, at most 191.
    pub pri: u8,
    /// The time in it.
    pub stamp: Stamp<'a>,
    /// The host in it.
    pub host: Option<&'a str>,
    /// The app name or tag.
    pub app: Option<&'a str>,
    /// The process id, which may be any text.
    pub pid: Option<&'a str>,
    /// The message id.
    pub msgid: Option<&'a str>,
    /// Structured data.
    pub sd: Vec<Element<'a>>,
    /// The sequence number that some devices send.
    pub seq: Option<&'a str>,
    /// The message.
    pub msg: &'a str,
}

/// The time in a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamp<'a> {
    /// There is none.
    #[default]
    Missing,
    /// There is one, but it cannot be read.
    Unreadable(&'a str),
    /// There is one.
    Read(Timestamp),
}

/// One element of structured data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// Its id; empty when the sender left it out.
    pub id: &'a str,
    /// Names and values; a name may repeat.
    pub params: Vec<(&'a str, Cow<'a, str>)>,
}

/// How a listener reads messages.
#[derive(Clone, Debug, Default)]
pub struct SyslogRules {
    /// The zone of stamps that name none.
    pub zone: Zone,
    /// How components are made.
    pub component: ComponentRule,
}

/// Takes a message apart.
pub fn parse<'a>(text: &'a str, now: Timestamp, zone: &Zone) -> Record<'a> {
    let text = text.trim_start_matches(['\u{feff}', ' ']).trim_end_matches(['\n', '\r', '\0']);
    let (pri, rest) = split_pri(text);
    let record = pri
        .and_then(|_| syslog_5424::parse(rest, zone))
        .unwrap_or_else(|| syslog_3164::parse(rest, now, zone));
    Record { pri: pri.unwrap_or(DEFAULT_PRI), ..record }
}

fn split_pri(text: &str) -> (Option<u8>, &str) {
    let inside = text.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    let digits = |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    match inside.filter(|(number, _)| digits(number)).map(|(number, rest)| (number.parse::<u8>(), rest)) {
        Some((Ok(pri @ 0..=191), rest)) => (Some(pri), rest),
        _ => (None, text),
    }
}

/// Adds the line of one message, blank ones passed over; whether there was one. `peer` stands in for a missing host.
pub fn push_message(
    batch: &mut LineBatch,
    bytes: &[u8],
    peer: &str,
    clock: &Clock,
    rules: &SyslogRules,
) -> bool {
    if bytes.iter().all(|b| b.is_ascii_whitespace() || *b == 0) {
        return false;
    }
    let text = String::from_utf8_lossy(bytes);
    let record = parse(&text, clock.now, &rules.zone);
    let host = clean_host(record.host.unwrap_or(peer));
    let facility = FACILITIES[usize::from(record.pri >> 3)];
    let component = rules.component.component(record.app, &host, facility);
    let (ts, ts_from, ts_sent) = settle_time(record.stamp, clock.now, clock.accepts_of(&component));
    let severity = record.pri & 7;
    let level = Level::from_syslog(severity);
    let line = Line {
        ts: ts.to_string(),
        component: &component,
        host: &host,
        level: level.name(),
        msg: record.msg,
        facility,
        severity: SEVERITIES[usize::from(severity)],
        app: record.app.map(short),
        pid: record.pid.map(short),
        msgid: record.msgid.map(short),
        sd: structured(&record.sd),
        seq: record.seq,
        ts_from,
        ts_sent,
        truncated: None,
    };
    let pushed = batch.push_line(&line.encode());
    debug_assert!(pushed.is_ok(), "what is written here can be read");
    pushed.is_ok()
}

/// The time to store, the mark for it, and what the sender wrote when that is not it.
fn settle_time(
    stamp: Stamp<'_>,
    now: Timestamp,
    accepts: TimeRange,
) -> (Timestamp, Option<&'static str>, Option<Cow<'_, str>>) {
    const RECEIVED: Option<&str> = Some("received");
    match stamp {
        Stamp::Read(at) if is_believable(at, now, accepts) => (at, None, None),
        Stamp::Read(at) => (now, RECEIVED, Some(Cow::Owned(at.to_string()))),
        Stamp::Unreadable(text) => (now, RECEIVED, Some(Cow::Borrowed(short(text)))),
        Stamp::Missing => (now, RECEIVED, None),
    }
}

fn clean_host(host: &str) -> String {
    let end = host.floor_char_boundary(MAX_NAME_BYTES);
    host[..end].chars().map(|c| if c.is_control() { '_' } else { c }).collect()
}

/// RFC 5424 allows at most 255 bytes in a header field; a hostile sender may not make the index of a line large.
fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_NAME_BYTES)]
}

/// Elements by id, parameters by name; a name that repeats has a list. Parameters without an id stand beside the ids.
fn structured(elements: &[Element<'_>]) -> Option<Map<String, Value>> {
    let mut all = Map::new();
    for element in elements {
        if element.id.is_empty() {
            element.params.iter().for_each(|(name, value)| add_param(&mut all, name, value));
        } else if let Value::Object(params) =
            all.entry(element.id).or_insert_with(|| Value::Object(Map::new()))
        {
            element.params.iter().for_each(|(name, value)| add_param(params, name, value));
        }
    }
    (!all.is_empty()).then_some(all)
}

fn add_param(params: &mut Map<String, Value>, name: &str, value: &str) {
    match params.get_mut(name) {
        None => {
            params.insert(name.to_owned(), value.into());
        }
        Some(Value::Array(values)) => values.push(value.into()),
        Some(first) => *first = Value::Array(vec![first.take(), value.into()]),
    }
}

/// The stored line. The keys that the store reads come first and under the names that rank first.
#[derive(Serialize)]
struct Line<'a> {
    ts: String,
    component: &'a str,
    host: &'a str,
    level: &'a str,
    msg: &'a str,
    facility: &'a str,
    severity: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msgid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sd: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts_from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts_sent: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<bool>,
}

impl Line<'_> {
    /// The JSON. A message near the limit may grow beyond a line's limit by its escapes; it is then cut and marked.
    fn encode(mut self) -> Vec<u8> {
        loop {
            let json = serde_json::to_vec(&self).expect("text and maps of text always serialise");
            if json.len() <= MAX_LINE_BYTES {
                return json;
            }
            self.truncated = Some(true);
            if self.msg.is_empty() {
                self.sd = None;
            }
            let keep = self.msg.len() * (MAX_LINE_BYTES - MAX_LINE_BYTES / 64) / json.len();
            self.msg = &self.msg[..self.msg.floor_char_boundary(keep)];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::logs::fields;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_secs(1_763_647_500); // 2025-11-20T14:05:00Z

    fn lines(messages: &[&[u8]]) -> LineBatch {
        let mut batch = LineBatch::default();
        let clock = Clock { now: NOW, earliest: Timestamp::from_secs(946_684_800), lines: None };
        for message in messages {
            push_message(&mut batch, message, "192.0.2.1", &clock, &SyslogRules::default());
        }
        batch
    }

    #[track_caller]
    fn check(message: impl AsRef<[u8]>, expected: &str) {
        assert_eq!(String::from_utf8_lossy(&lines(&[message.as_ref()]).text).trim_end(), expected);
    }

    #[test]
    fn a_message_becomes_one_line() {
        check(
            "<165>1 2025-11-20T14:04:59.123456Z n1 webapp.backend.git 77 ID47 [x@1 a=\"b\" a=\"c\"][y z=\"\"] \u{feff}slow\nview\n",
            r#"{"ts":"2025-11-20T14:04:59.123456Z","component":"webapp.backend.git","host":"n1","level":"info","msg":"slow\nview","facility":"local4","severity":"notice","app":"webapp.backend.git","pid":"77","msgid":"ID47","sd":{"x@1":{"a":["b","c"]},"y":{"z":""}}}"#,
        );
        check(
            "<34>Nov 20 14:04:59 n1 su[9]: failed",
            r#"{"ts":"2025-11-20T14:04:59Z","component":"syslog.su","host":"n1","level":"fatal","msg":"failed","facility":"auth","severity":"crit","app":"su","pid":"9"}"#,
        );
        check(
            "caf\u{e9} \u{1}".as_bytes(),
            "{\"ts\":\"2025-11-20T14:05:00Z\",\"component\":\"syslog.unknown\",\"host\":\"192.0.2.1\",\"level\":\"info\",\"msg\":\"caf\u{e9} \\u0001\",\"facility\":\"user\",\"severity\":\"notice\",\"ts_from\":\"received\"}",
        );
        check(
            b"<11>a: \xff",
            "{\"ts\":\"2025-11-20T14:05:00Z\",\"component\":\"syslog.a\",\"host\":\"192.0.2.1\",\"level\":\"error\",\"msg\":\"\u{fffd}\",\"facility\":\"user\",\"severity\":\"err\",\"app\":\"a\",\"ts_from\":\"received\"}",
        );
        assert!(lines(&[b"", b" \r\n", b"\0"]).is_empty());
    }

    #[test]
    fn a_stamp_that_cannot_be_kept_gives_way_to_the_arrival() {
        let check = |stamp: &str, ts: &str, sent: &str| {
            let batch = lines(&[format!("<13>1 {stamp} h a - - - m").as_bytes()]);
            let line: Value = serde_json::from_slice(batch.text.trim_ascii_end()).unwrap();
            let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
            assert_eq!((text("ts").as_str(), text("ts_sent").as_str()), (ts, sent), "{stamp}");
            assert_eq!(
                text("ts_from"),
                if sent.is_empty() && stamp != "-" { "" } else { "received" },
                "{stamp}"
            );
            assert_eq!((text("host").as_str(), text("msg").as_str()), ("h", "m"));
        };
        check("2025-11-21T14:05:00Z", "2025-11-21T14:05:00Z", "");
        check("2025-11-21T14:05:01Z", "2025-11-20T14:05:00Z", "2025-11-21T14:05:01Z");
        check("2000-01-01T00:00:00Z", "2000-01-01T00:00:00Z", "");
        check("1999-12-31T23:59:59Z", "2025-11-20T14:05:00Z", "1999-12-31T23:59:59Z");
        check("2025-02-30T14:05:01Z", "2025-11-20T14:05:00Z", "2025-02-30T14:05:01Z");
        check("-", "2025-11-20T14:05:00Z", "");
    }

    #[test]
    fn a_line_never_grows_beyond_its_limit() {
        for filler in ["\u{1}", "x", "\u{e9}", "\""] {
            let message = format!("<13>1 - h a - - - {}", filler.repeat(MAX_LINE_BYTES / filler.len()));
            let batch = lines(&[message.as_bytes()]);
            assert!(batch.text.len() <= MAX_LINE_BYTES + 1);
            assert!(
                batch.text.len() > MAX_LINE_BYTES / 2,
                "not more is cut than must be: {}",
                batch.text.len()
            );
            assert!(batch.text.ends_with(b"\"truncated\":true}\n"));
        }
        let wide = format!("<13>1 - h a - - [x {}] m", "k=\"\u{1}\u{1}\u{1}\u{1}\" ".repeat(60_000));
        assert!(lines(&[wide.as_bytes()]).text.len() <= MAX_LINE_BYTES + 1);
        let seq = format!(
            "<13>1 - {} {} {} {} - m",
            "h".repeat(2_000),
            "a".repeat(2_000),
            "p".repeat(2_000),
            "i".repeat(2_000)
        );
        assert!(lines(&[seq.as_bytes()]).text.len() < 2_000);
    }

    proptest! {
        /// The line that is written is read back with the same columns: the index can be rebuilt from it.
        #[test]
        fn the_line_says_what_its_row_says(message in proptest::collection::vec(any::<u8>(), 0..120)) {
            row_agrees(&message)?;
        }

        #[test]
        fn near_misses_of_both_forms_keep_their_columns(
            message in "(<[0-9]{1,3}>)?(1 )?(-|2025-11-[0-3]\\dT14:0[0-9]:00(\\.[0-9]{1,10})?Z|Nov [ 0-9]?[0-9] 14:05:00) ?[-a-z.\\[\\]:\" =\\\\\u{e9}\u{7f}]{0,40}"
        ) {
            row_agrees(message.as_bytes())?;
        }
    }

    fn row_agrees(message: &[u8]) -> Result<(), TestCaseError> {
        let batch = lines(&[message]);
        let Some(row) = batch.rows.first() else { return Ok(()) };
        let line = batch.text.strip_suffix(b"\n").unwrap();
        let fields = fields::read(line).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(fields.ts, row.ts);
        prop_assert_eq!(fields.component(), &*batch.components.list()[0]);
        prop_assert_eq!(fields.host(), &*batch.hosts.list()[0]);
        prop_assert_eq!(fields.level, row.level);
        Ok(())
    }
}
