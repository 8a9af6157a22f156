//! The page's state and the address that encodes it.
//!
//! ```text
//! /d/cluster?v=1&t=2026-11-20T13:00:00Z..15:00:00Z&s=2026-11-20T14:05:00Z..14:07:00Z&c=webapp.backend.git&panel=tree-view
//! ```
//!
//! Each field is read on its own: a broken one falls back to its default and is named in the problems, the others hold.

use crate::log::Level;
use crate::query_string::{QueryString, decode, encode};
use crate::time::{Day, NANOS_PER_SEC, TimeError, TimeRange, TimeSpec, Timestamp, parse_rfc3339};
use graphite::GraphiteRange;

mod edits;
mod graphite;

use edits::Unread;
pub use edits::{BoardEdits, PanelEdit};

/// The version of the address, `v=`.
pub const VERSION: u32 = 1;

/// The visible range as it was chosen: fixed, or moving with the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeSpec {
    /// Its start.
    pub from: TimeSpec,
    /// Its end.
    pub until: TimeSpec,
}

impl RangeSpec {
    /// The last so many nanoseconds.
    pub const fn last(nanos: i64) -> Self {
        Self { from: TimeSpec::Relative(-nanos), until: TimeSpec::Relative(0) }
    }

    /// A fixed range.
    pub const fn absolute(range: TimeRange) -> Self {
        Self { from: TimeSpec::Absolute(range.from), until: TimeSpec::Absolute(range.until) }
    }

    /// Whether an end moves with the clock.
    pub const fn is_relative(self) -> bool {
        matches!(self.from, TimeSpec::Relative(_)) || matches!(self.until, TimeSpec::Relative(_))
    }

    /// The range this means at `now`.
    pub fn resolve(self, now: Timestamp) -> TimeRange {
        TimeRange::between(self.from.resolve(now), self.until.resolve(now))
    }

    /// Reads `A..B`; `B` may be a clock time of `A`'s day.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, TimeError> {
        let error = || TimeError { text: text.chars().take(64).collect() };
        let (from, until) = text.split_once("..").ok_or_else(error)?;
        let from = TimeSpec::parse(from, now)?;
        let until = match from {
            TimeSpec::Absolute(at) => same_day_clock(until, at.day()).map(TimeSpec::Absolute),
            TimeSpec::Relative(_) => None,
        }
        .map_or_else(|| TimeSpec::parse(until, now), Ok)?;
        let spec = Self { from, until };
        if spec.resolve(now).is_empty() { Err(error()) } else { Ok(spec) }
    }
}

/// `14:07:00Z` on a day.
fn same_day_clock(text: &str, day: Day) -> Option<Timestamp> {
    (text.as_bytes().get(2) == Some(&b':'))
        .then(|| parse_rfc3339(format!("{day}T{text}").as_bytes()))
        .flatten()
}

impl std::fmt::Display for RangeSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.from, self.until) {
            (TimeSpec::Absolute(from), TimeSpec::Absolute(until)) if from.day() == until.day() => {
                let until = until.to_string();
                write!(f, "{from}..{}", until.split_once('T').map_or(until.as_str(), |(_, clock)| clock))
            }
            (from, until) => write!(f, "{}..{}", written(from), written(until)),
        }
    }
}

fn written(spec: TimeSpec) -> String {
    match spec {
        TimeSpec::Absolute(at) => at.to_string(),
        TimeSpec::Relative(0) => "now".to_owned(),
        TimeSpec::Relative(nanos) => {
            let sign = if nanos < 0 { '-' } else { '+' };
            format!("now{sign}{}", compact_duration(nanos.abs())).replacen("now-", "-", 1)
        }
    }
}

/// The shortest exact form with one unit: `90s`, `2h`, `1500ms`.
fn compact_duration(nanos: i64) -> String {
    const UNITS: [(&str, i64); 4] = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    for (name, secs) in UNITS {
        let size = secs * NANOS_PER_SEC;
        if nanos % size == 0 {
            return format!("{}{name}", nanos / size);
        }
    }
    format!("{}ms", nanos / 1_000_000)
}

/// Which of two orders the lines are shown in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    #[default]
    Ascending,
    /// Newest first.
    Descending,
}

/// The zone that times are shown in; addresses are in UTC always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// UTC.
    #[default]
    Utc,
    /// The browser's own.
    Local,
}

/// What the log pane shows of the lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// The lines themselves.
    #[default]
    Lines,
    /// Their patterns, with counts.
    Patterns,
}

/// By what the patterns of the lines are in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PatternSort {
    /// The most frequent first.
    #[default]
    Count,
    /// What is new against the baseline first, then what grew most.
    Change,
    /// The worst level first.
    Level,
    /// By what they say.
    Text,
}

impl PatternSort {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Count, Self::Change, Self::Level, Self::Text];

    /// What it is called in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Change => "change",
            Self::Level => "level",
            Self::Text => "text",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// A field of lines and a value that they are to have, or not to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFilter {
    /// The field's name; that of a nested one with dots.
    pub name: String,
    /// The value, as text.
    pub value: String,
    /// Whether lines with the value are left out.
    pub excluded: bool,
}

/// All that shapes the page. What is not in here is not in the address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the address by itself")]
pub struct ViewState {
    /// The dashboard's name; `None` for the first there is.
    pub dashboard: Option<String>,
    /// The visible range.
    pub range: Option<RangeSpec>,
    /// The brushed range.
    pub selection: Option<TimeRange>,
    /// What the selection is compared with, where it was marked by hand; without a selection there is none.
    pub baseline: Option<TimeRange>,
    /// Whether the pane shows the lines from baseline to selection; only with a selection.
    pub with_baseline: bool,
    /// The components that findings are to be close to (none for any), where the pane shows others'.
    pub near: Option<Vec<String>>,
    /// The resolved components of the log pane; empty for all.
    pub components: Vec<String>,
    /// Whether `components` was chosen in the tree, and so holds whichever panel is active.
    pub chosen: bool,
    /// Only lines of this host.
    pub host: Option<String>,
    /// Only lines of this level and worse.
    pub level: Option<Level>,
    /// Only lines that contain this text.
    pub contains: String,
    /// Whether that text is a regular expression.
    pub is_regex: bool,
    /// Only lines of this pattern, by its id.
    pub pattern: Option<String>,
    /// Only lines with these values, or without them.
    pub fields: Vec<FieldFilter>,
    /// Fields that have columns of their own, in their order.
    pub columns: Vec<String>,
    /// What the log pane shows.
    pub tab: Tab,
    /// The order of their patterns.
    pub sort: PatternSort,
    /// The pattern whose values are listed, by its id.
    pub values: Option<String>,
    /// The order of the lines.
    pub order: Order,
    /// The active panel.
    pub panel: Option<String>,
    /// The panel that fills the charts' place.
    pub maximized: Option<String>,
    /// The expanded line's id.
    pub line: Option<String>,
    /// Graphite's targets of one more panel, below the dashboard's; without a dashboard's name the only one.
    pub targets: Vec<String>,
    /// What was changed in the dashboard and is not saved.
    pub edits: BoardEdits,
    /// Whether the view follows the clock.
    pub live: bool,
    /// Whether it hangs on a wall: charts alone, in large type.
    pub wall: bool,
    /// The zone, where it was set by hand.
    pub zone: Option<Zone>,
}

impl Default for ViewState {
    fn default() -> Self {
        Self {
            dashboard: None,
            range: None,
            selection: None,
            baseline: None,
            with_baseline: false,
            near: None,
            components: Vec::new(),
            chosen: false,
            host: None,
            level: None,
            contains: String::new(),
            is_regex: false,
            pattern: None,
            fields: Vec::new(),
            columns: Vec::new(),
            tab: Tab::Lines,
            sort: PatternSort::Count,
            values: None,
            order: Order::Ascending,
            panel: None,
            maximized: None,
            line: None,
            targets: Vec::new(),
            edits: BoardEdits::default(),
            live: false,
            wall: false,
            zone: None,
        }
    }
}

impl ViewState {
    /// The address: path and query.
    pub fn to_url(&self) -> String {
        let mut query = QueryString::default();
        query.push("v", &VERSION.to_string());
        query.push_some("t", self.range.map(|range| range.to_string()).as_deref());
        let absolute = |range| RangeSpec::absolute(range).to_string();
        query.push_some("s", self.selection.map(absolute).as_deref());
        query.push_some("b", self.baseline.map(absolute).as_deref());
        query.push_some("lines", self.with_baseline.then_some("both"));
        match self.near.as_deref() {
            Some([]) => query.push("near", ANY),
            near => query.push_all("near", near.into_iter().flatten()),
        }
        query.push_all("c", &self.components);
        query.push_some("chosen", self.chosen.then_some("1"));
        query.push_some("host", self.host.as_deref());
        query.push_some("level", self.level.map(Level::name));
        query.push_some("q", (!self.contains.is_empty()).then_some(self.contains.as_str()));
        query.push_some("re", self.is_regex.then_some("1"));
        query.push_some("pattern", self.pattern.as_deref());
        self.fields.iter().for_each(|field| query.push(&field.key(), &field.value));
        query.push_all("col", &self.columns);
        query.push_some("tab", (self.tab == Tab::Patterns).then_some("patterns"));
        query.push_some("sort", Some(self.sort.name()).filter(|_| self.sort != PatternSort::Count));
        query.push_some("values", self.values.as_deref());
        query.push_some("order", (self.order == Order::Descending).then_some("desc"));
        query.push_some("panel", self.panel.as_deref());
        query.push_some("max", self.maximized.as_deref());
        query.push_some("line", self.line.as_deref());
        query.push_all("target", &self.targets);
        self.edits.values.iter().for_each(|edit| query.push(&edit.name(), &edit.value));
        query.push_some(
            "panels",
            (!self.edits.order.is_empty()).then(|| self.edits.order.join(",")).as_deref(),
        );
        query.push_some("live", self.live.then_some("1"));
        query.push_some("wall", self.wall.then_some("1"));
        query.push_some("zone", self.zone.map(|zone| if zone == Zone::Utc { "utc" } else { "local" }));
        let path =
            self.dashboard.as_deref().map_or_else(|| "/".to_owned(), |name| format!("/d/{}", encode(name)));
        [&path, "?", &query.into_text()].concat()
    }

    /// Reads an address' path and query (without `?`). What cannot be read falls back and is told in the second value.
    pub fn from_url(path: &str, query: &str, now: Timestamp) -> (Self, Vec<String>) {
        let mut view = Self {
            dashboard: path.strip_prefix("/d/").filter(|name| !name.is_empty()).map(decode),
            ..Self::default()
        };
        let mut problems = Vec::new();
        let mut graphite = GraphiteRange::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decode(key), decode(value));
            let read = match key.as_str() {
                "from" => graphite.set_from(&value, now),
                "until" => graphite.set_until(&value, now),
                key => view.set(key, value, now),
            };
            problems.extend(read.err());
        }
        if view.range.is_none() {
            view.range = graphite.range(now);
        }
        if view.selection.is_some() {
            view.live = false;
            return (view, problems);
        }
        view.with_baseline = false;
        view.near = None;
        if view.baseline.take().is_some() {
            problems.push("the baseline in the address has no selection that is compared with it".to_owned());
        }
        (view, problems)
    }

    fn set(&mut self, key: &str, value: String, now: Timestamp) -> Result<(), String> {
        let bad = |what: &str| Err(unreadable(what, &value));
        let range = || RangeSpec::parse(&value, now).ok();
        let switch = |what: &str| match value.as_str() {
            "0" | "1" => Ok(value == "1"),
            _ => Err(unreadable(what, &value)),
        };
        match key {
            "v" if value.parse::<u32>().is_ok_and(|version| version <= VERSION) => {}
            "v" => return bad("the version"),
            "t" => match range() {
                Some(range) => self.range = Some(range),
                None => return bad("the range"),
            },
            "s" => match range() {
                Some(range) => self.selection = Some(range.resolve(now)),
                None => return bad("the selection"),
            },
            "b" => match range() {
                Some(range) => self.baseline = Some(range.resolve(now)),
                None => return bad("the baseline"),
            },
            "c" => match crate::component::Selector::parse(&value) {
                Ok(_) if !value.contains(char::REPLACEMENT_CHARACTER) => self.components.push(value),
                _ => return bad("the component"),
            },
            "near" if value == ANY || value.is_empty() => drop(self.near.get_or_insert_default()),
            "near" if crate::component::Selector::parse(&value).is_ok() => {
                self.near.get_or_insert_default().push(value);
            }
            "near" => return bad("the component that findings are close to"),
            "lines" if value == "both" => self.with_baseline = true,
            "lines" => return bad("which lines are shown"),
            "level" => match Level::parse(&value) {
                Some(level) => self.level = Some(level),
                None => return bad("the level"),
            },
            "order" if value == "desc" => self.order = Order::Descending,
            "order" if value == "asc" => self.order = Order::Ascending,
            "order" => return bad("the order"),
            "zone" if value == "utc" => self.zone = Some(Zone::Utc),
            "zone" if value == "local" => self.zone = Some(Zone::Local),
            "zone" => return bad("the zone"),
            "pattern" if is_pattern(&value) => self.pattern = Some(value),
            "values" if is_pattern(&value) => self.values = Some(value),
            "pattern" | "values" => return bad("the pattern"),
            "tab" if value == "lines" => self.tab = Tab::Lines,
            "tab" if value == "patterns" => self.tab = Tab::Patterns,
            "tab" => return bad("the tab"),
            "sort" => match PatternSort::parse(&value) {
                Some(sort) => self.sort = sort,
                None => return bad("the order of the patterns"),
            },
            "col" if !value.is_empty() => self.columns.push(value),
            "re" => self.is_regex = switch("whether the filter is a regular expression")?,
            // `?wall` alone will do.
            "wall" => self.wall = value != "0",
            "chosen" => self.chosen = switch("whether the components were chosen")?,
            "live" => self.live = switch("whether the view is live")?,
            // Graphite's; a day of the calendar begins elsewhere there.
            "tz" if !["", "UTC", "Etc/UTC", "GMT"].contains(&value.as_str()) => {
                return Err(format!(
                    "the zone `{}` in the address is not followed: its times are read as UTC",
                    clip(&value)
                ));
            }
            "target" | "target[]" if !value.trim().is_empty() => self.targets.push(value),
            "q" => self.contains = value,
            "host" => self.host = Some(value),
            "panel" => self.panel = Some(value),
            "max" => self.maximized = Some(value),
            "line" if is_line(&value) => self.line = Some(value),
            "line" => return bad("the line"),
            "panels" => self.edits.order = value.split(',').map(str::to_owned).collect(),
            key => match PanelEdit::read(key, value) {
                Ok(edit) => self.edits.values.push(edit),
                Err(Unread::Wrong(value)) => {
                    return Err(unreadable(&["the change `", key, "`"].concat(), &value));
                }
                // Others are of a later version, or of whoever passed the link on.
                Err(Unread::Another(value)) => self.fields.extend(FieldFilter::read(key, value)),
            },
        }
        Ok(())
    }
}

/// What the name of a field stands behind that is to have a value, and of one that is not to.
const FIELD: &str = "field.";
const NOT: &str = "not.";

/// What lines are left out by that is no field of theirs but what the server knows of them.
const COLUMNS: [&str; 4] = ["component", "host", "level", "pattern"];

impl FieldFilter {
    /// Whether it is answered without reading the text of lines.
    pub fn is_of_columns(&self) -> bool {
        self.excluded && COLUMNS.contains(&self.name.as_str())
    }

    /// The parameter that asks for it: `field.NAME`, or `not.NAME` to leave the value out.
    pub fn key(&self) -> String {
        [if self.excluded { NOT } else { FIELD }, &self.name].concat()
    }

    fn read(key: &str, value: String) -> Option<Self> {
        let excluded = key.starts_with(NOT);
        let name = key.strip_prefix(if excluded { NOT } else { FIELD }).filter(|name| !name.is_empty())?;
        Some(Self { name: name.to_owned(), value, excluded })
    }
}

/// What `near` says where findings are to be close to nothing.
const ANY: &str = "*";

/// Whether a text is a pattern's id.
fn is_pattern(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a text is a line's id, `2026-11-20~0003~17`.
fn is_line(text: &str) -> bool {
    let mut parts = text.split('~');
    let is_day = parts.next().is_some_and(|day| Day::parse(day).is_some());
    let are_numbers = parts.clone().all(|number| number.parse::<u32>().is_ok());
    is_day && parts.count() == 2 && are_numbers
}

fn unreadable(what: &str, value: &str) -> String {
    format!("{what} `{}` in the address could not be read", clip(value))
}

fn clip(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests;
