//! RFC 5424, read as far as it goes: what does not parse becomes part of the message.

use super::syslog::{Element, Record, Stamp};
use super::syslog_stamp::{iso_at_start, read_iso};
use super::zone::Zone;
use std::borrow::Cow;

/// Reads what follows `<PRI>`. `None` when it is not of this form: no version, or no stamp where one belongs.
pub fn parse<'a>(text: &'a str, zone: &Zone) -> Option<Record<'a>> {
    let mut rest = text.strip_prefix(|c: char| ('1'..='9').contains(&c))?.strip_prefix(' ')?;
    let stamp = read_stamp(&mut rest, zone)?;
    let mut record = Record { stamp, ..Record::default() };
    record.host = nil_field(&mut rest);
    record.app = nil_field(&mut rest);
    record.pid = nil_field(&mut rest);
    record.msgid = nil_field(&mut rest);
    if let Some((elements, after)) = structured_data(rest) {
        record.sd = elements;
        rest = after;
    }
    let msg = rest.strip_prefix(' ').unwrap_or(rest);
    record.msg = msg.strip_prefix('\u{feff}').unwrap_or(msg);
    Some(record)
}

fn read_stamp<'a>(rest: &mut &'a str, zone: &Zone) -> Option<Stamp<'a>> {
    let text = *rest;
    if let Some((at, used)) = iso_at_start(text, zone) {
        *rest = text[used..].strip_prefix(' ').unwrap_or(&text[used..]);
        return Some(Stamp::Read(at));
    }
    let field = field(rest);
    if field == "-" {
        return Some(Stamp::Missing);
    }
    let looks_like_date = field.len() >= 10
        && field.as_bytes()[..4].iter().all(u8::is_ascii_digit)
        && field.as_bytes()[4] == b'-';
    debug_assert!(read_iso(field, zone).is_none(), "the whole field was tried above");
    looks_like_date.then_some(Stamp::Unreadable(field))
}

/// The text up to the next space, which is passed over.
fn field<'a>(rest: &mut &'a str) -> &'a str {
    let (field, after) = rest.split_once(' ').unwrap_or((*rest, ""));
    *rest = after;
    field
}

fn nil_field<'a>(rest: &mut &'a str) -> Option<&'a str> {
    Some(field(rest)).filter(|field| !matches!(*field, "" | "-"))
}

/// The elements and what follows them; `None` when there is no structured data that can be read.
fn structured_data(text: &str) -> Option<(Vec<Element<'_>>, &str)> {
    if let Some(after) = text.strip_prefix('-') {
        return (after.is_empty() || after.starts_with(' ')).then_some((Vec::new(), after));
    }
    let mut elements = Vec::new();
    let mut rest = text;
    while let Some(inside) = rest.strip_prefix('[') {
        let (element, after) = element(inside)?;
        elements.push(element);
        rest = after;
    }
    (!elements.is_empty()).then_some((elements, rest))
}

/// One element after its opening bracket. One that starts with a `key=value` has no id.
fn element(text: &str) -> Option<(Element<'_>, &str)> {
    let end = text.find([' ', ']', '=', '"'])?;
    let (id, mut rest) = match text.as_bytes()[end] {
        b'=' => ("", text),
        b'"' => return None,
        _ => text.split_at(end),
    };
    let mut params = Vec::new();
    loop {
        rest = rest.trim_start_matches(' ');
        if let Some(after) = rest.strip_prefix(']') {
            return Some((Element { id, params }, after));
        }
        let (name, value) = rest.split_once('=')?;
        if name.is_empty() || name.contains([' ', ']', '"']) {
            return None;
        }
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => bare(value)?,
        };
        params.push((name, value));
        rest = after;
    }
}

/// A value without quotes, as some senders write it: up to a space or the bracket.
fn bare(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let end = text.find([' ', ']'])?;
    Some((Cow::Borrowed(&text[..end]), &text[end..]))
}

/// A value up to its closing quote. `\"`, `\\` and `\]` are escapes; another backslash stands for itself.
fn unquote(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let end = text.find(['"', '\\'])?;
    if text.as_bytes()[end] == b'"' {
        return Some((Cow::Borrowed(&text[..end]), &text[end + 1..]));
    }
    let mut value = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (c, chars.peek()) {
            ('"', _) => return Some((Cow::Owned(value), &text[at + 1..])),
            ('\\', Some((_, escaped @ ('"' | '\\' | ']')))) => {
                value.push(*escaped);
                chars.next();
            }
            _ => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stamp, host, app, pid, msgid, number of elements and message; `-` for what is missing.
    #[track_caller]
    fn check(text: &str, expected: (&str, &str, &str, &str, &str, usize, &str)) {
        let record = parse(text, &Zone::default()).unwrap();
        let stamp = match record.stamp {
            Stamp::Missing => "-".to_owned(),
            Stamp::Unreadable(text) => format!("?{text}"),
            Stamp::Read(at) => at.to_string(),
        };
        let dash = |field: Option<&'static str>| field.unwrap_or("-");
        let owned = |field: Option<&str>| field.map(|text| &*Box::leak(text.to_owned().into_boxed_str()));
        let got = [record.host, record.app, record.pid, record.msgid].map(|field| dash(owned(field)));
        assert_eq!(
            (stamp.as_str(), got[0], got[1], got[2], got[3], record.sd.len(), record.msg),
            expected,
            "{text}"
        );
    }

    #[test]
    fn whole_messages() {
        const AT: &str = "2003-10-11T22:14:15.003Z";
        check(
            "1 2003-10-11T22:14:15.003Z h su - ID47 - \u{feff}'su' failed",
            (AT, "h", "su", "-", "ID47", 0, "'su' failed"),
        );
        check(
            "1 2003-08-24t05:14:15.000003-07:00 h p 8 - - %% x",
            ("2003-08-24T12:14:15.000003Z", "h", "p", "8", "-", 0, "%% x"),
        );
        check("1 2003-10-11 22:14:15.003z h su - - [a b=\"c\"][d] m", (AT, "h", "su", "-", "-", 2, "m"));
        check("1 - - - - - -", ("-", "-", "-", "-", "-", 0, ""));
        check("1 - h a p m [x@1 k=\"v\"]", ("-", "h", "a", "p", "m", 1, ""));
    }

    #[test]
    fn what_does_not_parse_stays_in_the_message() {
        check("1 2003-13-45T00:00:00Z h a p m - x", ("?2003-13-45T00:00:00Z", "h", "a", "p", "m", 0, "x"));
        check("1 - h", ("-", "h", "-", "-", "-", 0, ""));
        check("1 - h a p m no structured data", ("-", "h", "a", "p", "m", 0, "no structured data"));
        check("1 - h a p m [x k=\"v] open", ("-", "h", "a", "p", "m", 0, "[x k=\"v] open"));
        check("1 - h a p m [x", ("-", "h", "a", "p", "m", 0, "[x"));
        check("1 - h a p m [x k=\"v\"]m", ("-", "h", "a", "p", "m", 1, "m"));
        check("1 - h a p m -x", ("-", "h", "a", "p", "m", 0, "-x"));
        for text in ["", "1", "2x", "1 ", "1 word", "Oct 11 22:14:15 h a: b", "11: x"] {
            assert_eq!(parse(text, &Zone::default()), None, "{text}");
        }
    }

    #[test]
    fn structured_data_in_the_forms_that_are_seen() {
        let check = |text: &str, expected: &[(&str, &[(&str, &str)])]| {
            let elements = structured_data(text).map(|(elements, _)| elements).unwrap_or_default();
            let expected: Vec<Element<'_>> = expected
                .iter()
                .map(|(id, params)| Element {
                    id,
                    params: params.iter().map(|(k, v)| (*k, Cow::Borrowed(*v))).collect(),
                })
                .collect();
            assert_eq!(elements, expected, "{text}");
        };
        check(r#"[x a="1" b="q\"\\\]\n"]"#, &[("x", &[("a", "1"), ("b", "q\"\\]\\n")])]);
        check("[x a=1 b=two]", &[("x", &[("a", "1"), ("b", "two")])]);
        check("[key=value]", &[("", &[("key", "value")])]);
        check("[x][y  a=\"\"]", &[("x", &[]), ("y", &[("a", "")])]);
    }
}
