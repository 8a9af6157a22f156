//! Made-up lines, the same from the same seed, and what is known about each without reading it back.
//!
//! They are what a store gets wrong: times out of order and equal, siblings whose names begin alike, unicode, text that
//! looks like a field of another line. In the [`Style::Mixed`] the same facts are written in every form that a sender may
//! use (offsets, unix numbers, synonyms of the fields, spaces); in the [`Style::Plain`] in one, so that `grep` and `sort` can
//! answer queries too.

mod names;

pub use names::{COMPONENTS, Names};
use sonde_shared::log::Level;
use sonde_shared::time::{Civil, NANOS_PER_SEC, TimeRange, Timestamp, parse_rfc3339};
use std::fmt::Write as _;
use std::ops::Range;

const HOSTS: [&str; 5] = ["node1", "node2", "node3", "node10", "knoten-ä"];

/// Texts as they stand in JSON, so with escapes; `#` becomes a number.
const MESSAGES: [&str; 10] = [
    "GET /alice/engine/tree/main took # ms for 203.0.113.7",
    "git upload-pack finished in # ms, 48 MB sent",
    "connection # closed by peer",
    "slow rendering of a tree view: # entries",
    "Übertragung # abgebrochen – naïve café 日本語 🚧",
    r#"the other said {\"component\":\"webapp.backend.git\",\"level\":\"error\"} # times"#,
    r"path C:\\repos\\#\tand a bell \u0007 and a zero \u0000",
    "SELECT * FROM trees WHERE id = # /* } ] \\\" */",
    "retry # of the mail queue",
    "#",
];

/// In which form the lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// One form: `{"ts":"…Z","component":…,"host":…,"level":…,"msg":…}`, stamps with nine digits.
    Plain,
    /// Every form that is understood, one after the other.
    Mixed,
}

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// Another seed makes other lines.
    pub seed: u64,
    /// How many.
    pub lines: usize,
    /// Where their times lie, except for a few stragglers of up to a minute before it.
    pub range: TimeRange,
    /// In which form.
    pub style: Style,
    /// Of which components.
    pub names: Names,
}

/// What is known about a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When.
    pub ts: Timestamp,
    /// Which component.
    pub component: &'static str,
    /// Which host.
    pub host: &'static str,
    /// How bad.
    pub level: Level,
    /// Where its text lies, without the line feed.
    pub text: Range<usize>,
}

/// The lines, in the order in which they are sent.
#[derive(Debug)]
pub struct Corpus {
    /// The lines, each with a line feed.
    pub text: Vec<u8>,
    /// What is known about them.
    pub rows: Vec<Row>,
}

/// An instant from its RFC 3339 text.
///
/// # Panics
/// When it is none.
#[track_caller]
pub fn at(text: &str) -> Timestamp {
    parse_rfc3339(text.as_bytes()).expect("the test names a time")
}

/// A range from two RFC 3339 texts.
#[track_caller]
pub fn range(from: &str, until: &str) -> TimeRange {
    TimeRange::between(at(from), at(until))
}

impl Corpus {
    /// Makes lines.
    pub fn make(recipe: Recipe) -> Self {
        let mut dice = Dice::new(recipe.seed);
        let mut corpus =
            Self { text: Vec::with_capacity(recipe.lines * 200), rows: Vec::with_capacity(recipe.lines) };
        let step = recipe.range.nanos() / recipe.lines.max(1) as i64;
        let mut ts = recipe.range.from;
        for number in 0..recipe.lines {
            ts = next_time(&mut dice, ts, recipe.range.from.plus_nanos(step * number as i64));
            corpus.push(&mut dice, &recipe, ts, number);
        }
        corpus
    }

    /// The same lines sent in another order: so many of a hundred change places with one of the next `reach` lines.
    #[must_use]
    pub fn out_of_order(self, percent: usize, reach: usize) -> Self {
        let (mut dice, mut rows) = (Dice::new(self.rows.len() as u64), self.rows.clone());
        for at in 0..rows.len() {
            // Two lines are out of their places each time.
            if dice.below(200) < percent {
                let other = (at + 1 + dice.below(reach)).min(rows.len() - 1);
                rows.swap(at, other);
            }
        }
        let mut text = Vec::with_capacity(self.text.len());
        for row in &mut rows {
            let start = text.len();
            text.extend_from_slice(&self.text[row.text.start..=row.text.end]);
            row.text = start..text.len() - 1;
        }
        Self { text, rows }
    }

    fn push(&mut self, dice: &mut Dice, recipe: &Recipe, ts: Timestamp, number: usize) {
        let component = recipe.names.pick(dice);
        let host = HOSTS[dice.below(HOSTS.len())];
        let level = Level::ALL[[2, 2, 2, 2, 1, 1, 3, 0, 4, 5][dice.skewed(10)]];
        let message =
            MESSAGES[dice.skewed(MESSAGES.len())].replacen('#', &dice.below(100_000).to_string(), 1);
        let facts = Facts { ts, component, host, level, message: &message, number };
        let start = self.text.len();
        let line = match recipe.style {
            Style::Plain => facts.plain(),
            Style::Mixed => facts.mixed(dice.below(8)),
        };
        self.text.extend_from_slice(line.as_bytes());
        self.text.push(b'\n');
        self.rows.push(Row { ts, component, host, level, text: start..start + line.len() });
    }

    /// A line's text.
    pub fn line(&self, row: &Row) -> &[u8] {
        &self.text[row.text.clone()]
    }

    /// The text in pieces of so many lines, as a sender posts them.
    pub fn batches(&self, lines: usize) -> impl Iterator<Item = &[u8]> {
        self.rows.chunks(lines).map(|rows| &self.text[rows[0].text.start..=rows[rows.len() - 1].text.end])
    }
}

/// Mostly forward, now and then the same time again, sometimes back by up to a minute; whole milliseconds more often than not.
fn next_time(dice: &mut Dice, last: Timestamp, base: Timestamp) -> Timestamp {
    match dice.below(10) {
        0..=2 => last,
        3 => base.plus_nanos(-(dice.below(60_000) as i64) * 1_000_000),
        4 => base.plus_nanos(dice.below(NANOS_PER_SEC as usize) as i64),
        _ => Timestamp::from_millis(base.as_millis()),
    }
}

struct Facts<'a> {
    ts: Timestamp,
    component: &'a str,
    host: &'a str,
    level: Level,
    message: &'a str,
    number: usize,
}

impl Facts<'_> {
    fn plain(&self) -> String {
        let Self { component, host, message, number, .. } = self;
        let (ts, level) = (nine_digits(self.ts), self.level.name());
        format!(
            r#"{{"ts":"{ts}","component":"{component}","host":"{host}","level":"{level}","msg":"{message}","n":{number}}}"#
        )
    }

    fn mixed(&self, form: usize) -> String {
        let Self { component, host, message, number, ts, .. } = self;
        let level = self.level.name();
        match form {
            0 => format!(
                r#"{{"timestamp":{},"logger":"{component}","host":"{host}","severity":"{level}","message":"{message}"}}"#,
                ts.as_nanos()
            ),
            1 => format!(
                r#" {{ "msg" : "{message}" , "n":{number}, "LEVEL":"none", "level":"{}", "host":"{host}","component":"{component}","ts":"{ts}" }} "#,
                level.to_uppercase()
            ),
            2 => format!(
                r#"{{"@timestamp":"{}","service":"{component}","host":"{host}","lvl":"{level}","_msg":"{message}","tags":["a",{{"ts":1,"msg":"x"}}]}}"#,
                two_hours_east(*ts)
            ),
            3 => format!(
                r#"{{"_time":"{}","component":"{}","host":"{host}","level":"{level}","body":"{message}","deep":[[[[[{{"level":"fatal"}}]]]]]}}"#,
                nine_digits(*ts),
                escaped(component)
            ),
            _ => self.plain(),
        }
    }
}

fn nine_digits(ts: Timestamp) -> String {
    let Civil { year, month, day, hour, minute, second, nanos } = Civil::of(ts);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
}

fn two_hours_east(ts: Timestamp) -> String {
    let there = nine_digits(ts.plus_nanos(7_200 * NANOS_PER_SEC));
    there.replace('Z', "+02:00")
}

/// Every character as a JSON escape, surrogate pairs included: the same name to whoever reads JSON, other bytes.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for unit in text.encode_utf16() {
        write!(out, "\\u{unit:04x}").expect("a String takes every write");
    }
    out
}

/// Numbers that look random, the same from the same seed (`SplitMix64`).
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice with a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below the limit, each as likely.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.roll() % limit as u64) as usize
    }

    /// A number below the limit, small ones more likely.
    pub fn skewed(&mut self, limit: usize) -> usize {
        let first = self.below(limit);
        first.min(self.below(limit))
    }
}
