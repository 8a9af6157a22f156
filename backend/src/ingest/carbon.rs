//! Graphite plaintext, `path value timestamp`, as carbon reads it.
//!
//! Follows `lib/carbon/protocols.py`: any run of white space separates, exactly three fields, value and time are
//! Python floats (`1e3`, `+5`, `1_0`, `inf`), NaN is dropped, a time of −1 means now, fractions of a second are cut off.

use super::Clock;
use super::intake::LineParser;
use super::refused::Refused;
use super::series_path::{MAX_PATH_BYTES, normal_form};
use crate::store::batch::{Durability, PointBatch, PointRow};
use crate::store::{Store, StoreError};
use memchr::memchr;
use sonde_shared::time::{TimeRange, Timestamp};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The longest line that is taken, in bytes; Twisted's limit, under which carbon lives.
pub const MAX_LINE_BYTES: usize = 16_384;

/// A parsed line.
#[derive(Clone, Debug, PartialEq)]
pub struct Point<'a> {
    /// The path in normal form.
    pub path: Cow<'a, str>,
    /// Unix seconds.
    pub ts_secs: i64,
    /// The value; may be infinite, never NaN.
    pub value: f64,
}

/// Reads one line, which is not blank and has no line end.
pub fn parse_line(line: &[u8], now: Timestamp, accepts: TimeRange) -> Result<Point<'_>, Refused> {
    if let Some(point) = parse_plainly(line, accepts) {
        return Ok(point);
    }
    let text =
        std::str::from_utf8(line).map_err(|error| Refused::NotUtf8 { column: error.valid_up_to() + 1 })?;
    let mut fields = text.split(is_space).filter(|field| !field.is_empty());
    let (Some(path), Some(value), Some(time), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        let count = text.split(is_space).filter(|field| !field.is_empty()).count();
        return Err(Refused::FieldCount { count });
    };
    let value =
        python_float(value).ok_or_else(|| Refused::BadValue { text: value.chars().take(64).collect() })?;
    let ts_secs = read_time(time, now, accepts)?;
    if value.is_nan() {
        return Err(Refused::Nan);
    }
    Ok(Point { path: normal_form(path)?, ts_secs, value })
}

/// The same for a line as nearly all are: of ASCII, single spaces between its fields, a path in normal form and a time of
/// digits. `None` where the line must be looked at more closely.
fn parse_plainly(line: &[u8], accepts: TimeRange) -> Option<Point<'_>> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let path_len = memchr(b' ', line)?;
    let (path, rest) = (&line[..path_len], &line[path_len + 1..]);
    let value_len = memchr(b' ', rest)?;
    let (value, time) = (&rest[..value_len], &rest[value_len + 1..]);
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b';' | b'}');
    if path.len() > MAX_PATH_BYTES
        || !path.iter().all(is_plain)
        || path.starts_with(b".")
        || path.ends_with(b".")
    {
        return None;
    }
    let ts_secs =
        time.iter().all(u8::is_ascii_digit).then(|| std::str::from_utf8(time).ok()?.parse().ok())??;
    if time.len() > 12 || !accepts.contains(Timestamp::from_secs(ts_secs)) {
        return None;
    }
    let value: f64 = std::str::from_utf8(value).ok()?.parse().ok().filter(|value: &f64| value.is_finite())?;
    let path = std::str::from_utf8(path).ok().filter(|path| !path.contains(".."))?;
    Some(Point { path: Cow::Borrowed(path), ts_secs, value })
}

fn read_time(text: &str, now: Timestamp, accepts: TimeRange) -> Result<i64, Refused> {
    whole_second(python_float(text).unwrap_or(f64::NAN), &text, now, accepts)
}

/// The second of a point, from its time and how that is told.
fn whole_second(
    secs: f64,
    told: &dyn fmt::Display,
    now: Timestamp,
    accepts: TimeRange,
) -> Result<i64, Refused> {
    if !secs.is_finite() {
        return Err(Refused::bad_ts(&told.to_string()));
    }
    let secs = secs.trunc() as i64;
    if secs == -1 {
        return Ok(now.as_secs());
    }
    let ts = Timestamp::from_secs(secs);
    Refused::check_time(ts, accepts).map_err(|refused| match refused {
        // It would be told as the last instant that there is, which nobody has sent.
        Refused::Future { .. } if ts.as_secs() != secs => {
            Refused::FarAway { text: told.to_string().chars().take(64).collect() }
        }
        refused => refused,
    })?;
    Ok(secs)
}

/// Checks a point that came apart already, as its line would be.
pub(super) fn check_point(
    path: &str,
    secs: f64,
    value: f64,
    now: Timestamp,
    accepts: TimeRange,
) -> Result<Point<'_>, Refused> {
    let ts_secs = whole_second(secs, &secs, now, accepts)?;
    if value.is_nan() {
        return Err(Refused::Nan);
    }
    if path.contains(is_space) {
        return Err(Refused::BadPath { why: "has white space" });
    }
    Ok(Point { path: normal_form(path)?, ts_secs, value })
}

/// What Python's `str.split()` separates at: Unicode white space and the four information separators.
fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// What Python's `float()` takes. Beyond Rust's grammar that is a single underscore between two digits.
pub fn python_float(text: &str) -> Option<f64> {
    if !text.contains('_') {
        return text.parse().ok();
    }
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let joins = |(at, _): (usize, &str)| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1));
    text.match_indices('_').all(joins).then(|| text.replace('_', "").parse().ok())?
}

/// Parses plaintext lines into a [`PointBatch`].
#[derive(Clone, Copy, Debug)]
pub struct Plaintext {
    /// What a time of −1 means.
    pub now: Timestamp,
    /// The stamps that are taken.
    pub accepts: TimeRange,
}

impl LineParser for Plaintext {
    type Batch = PointBatch;
    const LIMIT_BYTES: usize = MAX_LINE_BYTES;

    fn at(clock: Clock) -> Self {
        Self { now: clock.now, accepts: clock.accepts() }
    }

    fn parse(&self, line: &[u8], batch: &mut PointBatch) -> Result<(), Refused> {
        let point = parse_line(line, self.now, self.accepts)?;
        batch.push(&point.path, point.ts_secs, point.value);
        Ok(())
    }

    fn rows(batch: &PointBatch) -> usize {
        batch.len()
    }

    fn size_bytes(batch: &PointBatch) -> usize {
        // Names are the store's, and bounded there.
        batch.rows.len() * size_of::<PointRow>()
    }

    fn take(batch: &mut PointBatch) -> PointBatch {
        let next = PointBatch::of(Arc::clone(&batch.series));
        std::mem::replace(batch, next)
    }

    async fn append(store: &Store, batch: PointBatch, durability: Durability) -> Result<(), StoreError> {
        store.append_points(batch, durability).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_secs(1_763_647_500);

    fn parse(line: &[u8]) -> Result<Point<'_>, Refused> {
        parse_line(line, NOW, Clock { now: NOW, earliest: Timestamp::MIN, lines: None }.accepts())
    }

    #[track_caller]
    fn check(line: &str, path: &str, value: f64, ts_secs: i64) {
        assert_eq!(parse(line.as_bytes()), Ok(Point { path: path.into(), ts_secs, value }), "{line:?}");
    }

    #[track_caller]
    fn refuse(line: impl AsRef<[u8]>, reason: &str) {
        let error = parse(line.as_ref()).unwrap_err();
        assert_eq!(error.reason(), reason, "{error}");
    }

    #[test]
    fn three_fields_between_any_white_space() {
        check("a.b 1.5 1763647500", "a.b", 1.5, 1_763_647_500);
        check(" \ta.b\u{a0}\u{1f}1.5\u{2003}1763647500 \r", "a.b", 1.5, 1_763_647_500);
        check("m;b=2;a=1 3 5", "m;a=1;b=2", 3.0, 5);
        refuse("a.b 1.5", "bad_line");
        refuse("a b 1 2", "bad_line");
        refuse(b"a\xff 1 2", "not_utf8");
    }

    #[test]
    fn numbers_are_pythons() {
        check("a 1e3 5", "a", 1_000.0, 5);
        check("a +5 5", "a", 5.0, 5);
        check("a 1_0 5_0", "a", 10.0, 50);
        check("a .5 5.", "a", 0.5, 5);
        check("a -Infinity 5", "a", f64::NEG_INFINITY, 5);
        check("a INF 5", "a", f64::INFINITY, 5);
        check("a 1e999 5", "a", f64::INFINITY, 5);
        for value in ["1__0", "_1", "1_", "1_.0", "0x10", "1,5", "-", "1e", "in_f"] {
            refuse(format!("a {value} 5"), "bad_line");
        }
        refuse("a NaN 5", "nan");
        refuse("a -nan 5", "nan");
    }

    #[test]
    fn times_are_whole_seconds_and_minus_one_is_now() {
        check("a 1 1763647500.9", "a", 1.0, 1_763_647_500);
        check("a 1 1.7636475e9", "a", 1.0, 1_763_647_500);
        check("a 1 -1", "a", 1.0, NOW.as_secs());
        check("a 1 -1.5", "a", 1.0, NOW.as_secs());
        check("a 1 -0.5", "a", 1.0, 0);
        check("a 1 1763733900", "a", 1.0, 1_763_733_900);
        refuse("a 1 1763733901", "future");
        refuse("a 1 1763647500000", "future");
        refuse("a 1 1e300", "future");
        refuse("a 1 -1e300", "past");
        refuse("a 1 inf", "bad_ts");
        refuse("a 1 nan", "bad_ts");
        refuse("a 1 now", "bad_ts");
    }

    /// A plain line says the same when it is read the long way, by another space.
    #[track_caller]
    fn check_plain(line: &str) {
        let plainly = parse_plainly(
            line.as_bytes(),
            Clock { now: NOW, earliest: Timestamp::MIN, lines: None }.accepts(),
        );
        assert!(plainly.is_some(), "{line:?}");
        assert_eq!(plainly.as_ref(), parse(format!(" {line}").as_bytes()).as_ref().ok(), "{line:?}");
    }

    #[test]
    fn plain_lines_say_the_same_the_short_way() {
        for line in ["a.b 1.5 1763647500", "a -0.0 5", "a 1e3 0\r", "a~b{c:d 10 1763733900", "a +5 007"] {
            check_plain(line);
        }
        let accepts = Clock { now: NOW, earliest: Timestamp::MIN, lines: None }.accepts();
        for line in [
            "a  1 5",
            "a 1 5 ",
            "a;b=c 1 5",
            ".a 1 5",
            "a. 1 5",
            "a..b 1 5",
            "a 1 -1",
            "a 1 5.0",
            "a nan 5",
            "a inf 5",
            "a 1_0 5",
            "é 1 5",
            "a 1",
            "a 1 1763733901",
            "a 1 99999999999999999999",
            r#"a{b="c"} 1 5"#,
            "a\t1 5",
            "",
        ] {
            assert_eq!(parse_plainly(line.as_bytes(), accepts), None, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn any_plain_line_says_the_same_the_short_way(
            path in "[a-z.~%{-]{1,12}", value in "[-+.e0-9]{1,8}", time in "[0-9.]{1,11}",
        ) {
            let line = format!("{path} {value} {time}");
            let accepts = Clock { now: NOW, earliest: Timestamp::MIN, lines: None }.accepts();
            if let Some(point) = parse_plainly(line.as_bytes(), accepts) {
                let long_way = format!(" {line}");
                prop_assert_eq!(Ok(point), parse(long_way.as_bytes()));
            }
        }

        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            drop(parse(&bytes));
        }

        #[test]
        fn every_float_comes_back(value in any::<f64>()) {
            prop_assume!(!value.is_nan());
            prop_assert_eq!(python_float(&format!("{value:?}")), Some(value));
        }
    }
}
