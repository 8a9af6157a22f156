//! One line of NDJSON, written field by field.

use super::DemoLine;
use sonde_shared::log::Level;
use sonde_shared::time::{Civil, Timestamp};
use std::fmt;

/// A component and the host it runs on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The dotted path.
    pub(super) component: &'static str,
    /// The machine.
    pub(super) host: &'static str,
}

/// A line that is still being written.
#[derive(Debug)]
pub(super) struct Record(DemoLine);

impl Record {
    /// Starts a line: its time to the millisecond, level, place and message.
    pub(super) fn new(ts: Timestamp, level: Level, place: Place, msg: fmt::Arguments<'_>) -> Self {
        let ts = Timestamp::from_millis(ts.as_millis());
        let mut text = String::with_capacity(288);
        let Civil { year, month, day, hour, minute, second, nanos } = Civil::of(ts);
        let millis = nanos / 1_000_000;
        write_all(
            &mut text,
            format_args!(
                "{{\"ts\":\"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z\""
            ),
        );
        let Place { component, host } = place;
        let record = Self(DemoLine { ts, component, host, level, text });
        record
            .text("level", format_args!("{}", level.name()))
            .text("component", format_args!("{component}"))
            .text("host", format_args!("{host}"))
            .text("msg", msg)
    }

    /// Adds a text.
    #[must_use]
    pub(super) fn text(mut self, name: &str, value: fmt::Arguments<'_>) -> Self {
        write_all(&mut self.0.text, format_args!(",\"{name}\":\""));
        write_all(&mut Escaped(&mut self.0.text), value);
        self.0.text.push('"');
        self
    }

    /// Adds a whole number.
    #[must_use]
    pub(super) fn number(mut self, name: &str, value: u64) -> Self {
        write_all(&mut self.0.text, format_args!(",\"{name}\":{value}"));
        self
    }

    /// The finished line.
    pub(super) fn done(mut self) -> DemoLine {
        self.0.text.push('}');
        self.0
    }
}

/// A text inside JSON's quotes.
struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '"' | '\\' => self.0.extend(['\\', c]),
                c if c < ' ' => write!(self.0, "\\u{:04x}", c as u32)?,
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

fn write_all(out: &mut impl fmt::Write, text: fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a string never fails");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_json_whatever_its_message_holds() {
        let place = Place { component: "a.b", host: "h" };
        let line = Record::new(
            Timestamp::from_millis(1_700_000_000_007),
            Level::Warn,
            place,
            format_args!("said \"{}\"\n\\", 'é'),
        )
        .number("n", 3)
        .done();
        assert_eq!(
            line.text,
            r#"{"ts":"2023-11-14T22:13:20.007Z","level":"warn","component":"a.b","host":"h","msg":"said \"é\"\u000a\\","n":3}"#
        );
        assert_eq!(line.ts, Timestamp::from_millis(1_700_000_000_007));
    }
}
