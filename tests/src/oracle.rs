//! What a query must answer, found by a plain scan of the lines: filter, then a stable sort by time. It shares no code
//! with the server, not even the selector.

use crate::corpus::{Corpus, Row};
use sonde_shared::log::Level;
use sonde_shared::query_string::encode;
use sonde_shared::time::{TimeRange, Timestamp};
use std::ops::Range;

/// A query, both for the server and for the scan.
#[derive(Clone, Debug, Default)]
pub struct Query {
    component: Option<String>,
    host: Option<String>,
    level: Option<Level>,
    contains: Option<String>,
    range: Option<TimeRange>,
    descending: bool,
    offset: usize,
    limit: Option<usize>,
}

impl Query {
    /// All lines.
    pub fn all() -> Self {
        Self::default()
    }

    /// Those of a component and of all below it.
    #[must_use]
    pub fn component(mut self, component: &str) -> Self {
        self.component = Some(component.to_owned());
        self
    }

    /// Those of a host.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    /// Those of a level and worse.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Those whose text contains this.
    #[must_use]
    pub fn contains(mut self, text: &str) -> Self {
        self.contains = Some(text.to_owned());
        self
    }

    /// Those in a range.
    #[must_use]
    pub fn range(mut self, range: TimeRange) -> Self {
        self.range = Some(range);
        self
    }

    /// The newest first.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// Without the first so many.
    #[must_use]
    pub fn offset(mut self, offset: usize) -> Self {
        self.offset = offset;
        self
    }

    /// At most so many.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The parameters of `/api/logs`.
    pub fn parameters(&self) -> String {
        let mut pairs = self.filter_pairs();
        pairs.extend(self.descending.then(|| ("order", "desc".to_owned())));
        pairs.extend((self.offset > 0).then(|| ("offset", self.offset.to_string())));
        pairs.extend(self.limit.map(|limit| ("limit", limit.to_string())));
        joined(&pairs)
    }

    /// The parameters that choose lines, without those that choose a window of them.
    pub fn filters(&self) -> String {
        joined(&self.filter_pairs())
    }

    fn filter_pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        pairs.extend(self.component.clone().map(|value| ("component", value)));
        pairs.extend(self.host.clone().map(|value| ("host", value)));
        pairs.extend(self.level.map(|value| ("level", value.name().to_owned())));
        pairs.extend(self.contains.clone().map(|value| ("contains", value)));
        pairs.extend(self.range.map(|range| ("from", range.from.to_string())));
        pairs.extend(self.range.map(|range| ("until", range.until.to_string())));
        pairs
    }

    /// The lines to expect, in order.
    pub fn rows<'a>(&self, corpus: &'a Corpus) -> Vec<&'a Row> {
        let mut rows: Vec<&Row> = corpus.rows.iter().filter(|row| self.takes(corpus, row)).collect();
        rows.sort_by_key(|row| row.ts);
        if self.descending {
            rows.reverse();
        }
        rows.into_iter().skip(self.offset).take(self.limit.unwrap_or(usize::MAX)).collect()
    }

    /// The body to expect.
    pub fn body(&self, corpus: &Corpus) -> Vec<u8> {
        let mut body = Vec::new();
        for row in self.rows(corpus) {
            body.extend_from_slice(corpus.line(row));
            body.push(b'\n');
        }
        body
    }

    /// Whether a line matches.
    pub fn takes(&self, corpus: &Corpus, row: &Row) -> bool {
        let below = |name: &String| {
            row.component
                .strip_prefix(name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let has =
            |text: &String| corpus.line(row).windows(text.len()).any(|window| window == text.as_bytes());
        self.component.as_ref().is_none_or(below)
            && self.host.as_ref().is_none_or(|host| row.host == host)
            && self.level.is_none_or(|level| row.level >= level)
            && self.range.is_none_or(|range| range.from <= row.ts && row.ts < range.until)
            && self.contains.as_ref().is_none_or(has)
    }
}

/// Lines of an answer on their way: those of one corpus after the other, in the order in which they were sent.
#[derive(Debug, Default)]
pub struct Found {
    rows: Vec<(Timestamp, Range<usize>)>,
    text: Vec<u8>,
}

impl Found {
    /// Adds a line.
    pub fn add(&mut self, corpus: &Corpus, row: &Row) {
        let start = self.text.len();
        self.text.extend_from_slice(corpus.line(row));
        self.text.push(b'\n');
        self.rows.push((row.ts, start..self.text.len()));
    }

    /// The body to expect.
    pub fn body(mut self) -> Vec<u8> {
        self.rows.sort_by_key(|(ts, _)| *ts);
        let lines = self.rows.into_iter().map(|(_, place)| &self.text[place]);
        let mut body = Vec::with_capacity(self.text.len());
        lines.for_each(|line| body.extend_from_slice(line));
        body
    }
}

fn joined(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}={}", encode(value))).collect();
    pairs.join("&")
}

/// Fails with the first line that differs, not with a million of them.
///
/// # Panics
/// When the two bodies are not the same bytes.
#[track_caller]
pub fn assert_same_lines(found: &[u8], expected: &[u8], what: &str) {
    if found == expected {
        return;
    }
    let (found, expected) = (crate::http::split_lines(found), crate::http::split_lines(expected));
    let first = found.iter().zip(&expected).take_while(|(a, b)| a == b).count();
    let show = |lines: &[&[u8]]| {
        lines.get(first).map_or("nothing".into(), |line| String::from_utf8_lossy(line).into_owned())
    };
    panic!(
        "{what}: {} lines, {} expected; the first that differs is number {}:\n  found    {}\n  expected {}",
        found.len(),
        expected.len(),
        first + 1,
        show(&found),
        show(&expected)
    );
}
