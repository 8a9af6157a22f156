//! The types that cross the wire as JSON, and the binary columns of `/render`.

use crate::links::LinkRule;
use crate::log::Level;
use crate::spread::NumberSpread;
use serde::{Deserialize, Serialize};

/// The answer of an ingest request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestReport {
    /// Lines or points that are on disk.
    pub stored: u64,
    /// What was not taken; at most [`IngestReport::MAX_REFUSED`] are listed.
    pub refused: Vec<Refusal>,
    /// How many were refused, listed or not.
    pub refused_total: u64,
}

impl IngestReport {
    /// How many refusals are listed one by one.
    pub const MAX_REFUSED: usize = 1_000;

    /// Notes a refused line, counted from 1.
    pub fn refuse(&mut self, line: u64, why: impl Into<String>) {
        self.refused_total += 1;
        if self.refused.len() < Self::MAX_REFUSED {
            self.refused.push(Refusal { line, why: why.into() });
        }
    }

    /// Adds what came of later lines of the same request, which are counted by themselves.
    pub fn absorb(&mut self, later: Self, lines_before: u64) {
        self.stored += later.stored;
        self.refused_total += later.refused_total;
        let room = Self::MAX_REFUSED - self.refused.len();
        let refused = later.refused.into_iter().take(room);
        self.refused.extend(refused.map(|Refusal { line, why }| Refusal { line: lines_before + line, why }));
    }
}

/// One line that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The line's number in the request, from 1.
    pub line: u64,
    /// What was wrong with it.
    pub why: String,
}

/// `GET /api/logs/histogram`: counts of lines by level and step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    /// The start of the first bucket, unix ms; a multiple of the step.
    pub from_ms: i64,
    /// The width of a bucket in ms.
    pub step_ms: i64,
    /// The sum of all counts.
    pub total: u64,
    /// Counts a level, one number a bucket; a level without lines has an empty list.
    pub levels: LevelCounts,
}

/// One list of counts a level.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "one list a level, named after it")]
pub struct LevelCounts {
    pub fatal: Vec<u64>,
    pub error: Vec<u64>,
    pub warn: Vec<u64>,
    pub info: Vec<u64>,
    pub debug: Vec<u64>,
    pub trace: Vec<u64>,
}

impl LevelCounts {
    /// The counts of one level.
    pub fn get(&self, level: Level) -> &[u64] {
        match level {
            Level::Fatal => &self.fatal,
            Level::Error => &self.error,
            Level::Warn => &self.warn,
            Level::Info => &self.info,
            Level::Debug => &self.debug,
            Level::Trace => &self.trace,
        }
    }

    /// The counts of one level, to be filled.
    pub fn get_mut(&mut self, level: Level) -> &mut Vec<u64> {
        match level {
            Level::Fatal => &mut self.fatal,
            Level::Error => &mut self.error,
            Level::Warn => &mut self.warn,
            Level::Info => &mut self.info,
            Level::Debug => &mut self.debug,
            Level::Trace => &mut self.trace,
        }
    }
}

/// `GET /api/logs/facets`: what values the matching lines have, each list by falling count, then by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facets {
    /// Matching lines.
    pub total: u64,
    /// Lines of exactly these components, not of those below them.
    pub components: Vec<FacetCount>,
    /// Lines of these hosts; those without a host are in no list.
    pub hosts: Vec<FacetCount>,
    /// Lines of each level that has some.
    pub levels: Vec<FacetCount>,
    /// How many values the limit has left out.
    pub left_out: FacetsLeftOut,
}

/// A value and the lines that have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetCount {
    /// The value.
    pub value: String,
    /// Its lines.
    pub count: u64,
}

/// How many values are not in the lists of [`Facets`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetsLeftOut {
    /// Components.
    pub components: u64,
    /// Hosts.
    pub hosts: u64,
}

/// `GET /api/logs/patterns`: what the matching lines say, by falling count. `L` is a stored line, unparsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patterns<L> {
    /// Matching lines: the sum of all counts, those left out included.
    pub total: u64,
    /// Lines of the baseline, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_total: Option<u64>,
    /// Patterns, or groups of them.
    pub patterns: Vec<PatternCount<L>>,
    /// What the limit has left out.
    pub left_out: PatternsLeftOut,
}

/// A pattern of messages, or a group of patterns that are shown as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternCount<L> {
    /// Its id, 16 hexadecimal digits; that of the most frequent member of a group.
    pub id: String,
    /// The message with `<*>` for what varies.
    pub pattern: String,
    /// Its lines.
    pub count: u64,
    /// Its lines of each level that has some, the worst first; nothing where the index does not tell them apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<FacetCount>,
    /// Its lines in the baseline, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_count: Option<u64>,
    /// The ids of all patterns of a group, the most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// One of its lines.
    pub example: Envelope<L>,
}

/// What is not in the list of [`Patterns`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternsLeftOut {
    /// How many patterns or groups.
    pub patterns: u64,
    /// Their lines.
    pub lines: u64,
}

/// `GET /api/logs/patterns/{id}/values` and `GET /api/logs/fields/{name}/values`: what stands in the variable parts of a pattern, or in
/// a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PatternValues {
    /// Lines of the selection.
    pub lines: ScannedLines,
    /// Lines of the baseline, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<ScannedLines>,
    /// The variable parts, in the order of the pattern; the field alone, and nothing where no line that was read has it.
    pub slots: Vec<SlotValues>,
}

/// How many lines there are and how many of them were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannedLines {
    /// Lines that match by all but their text.
    pub total: u64,
    /// Those that were read: all, or every n-th of too many.
    pub scanned: u64,
    /// Those of them whose text matches, too.
    pub matched: u64,
}

/// The values of one variable part or of a field, as far as lines were read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SlotValues {
    /// Which `<*>` of the pattern, from 0.
    pub slot: usize,
    /// Lines with a value there.
    pub lines: u64,
    /// Different values; others may be among the `rest`.
    pub distinct: u64,
    /// Lines whose value came when there were too many to keep, or was too long.
    pub rest: u64,
    /// As `rest`, in the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_rest: Option<u64>,
    /// The most frequent values by falling count, then by value.
    pub values: Vec<ValueCount>,
    /// How they are spread, where most are numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<NumberSpread>,
}

/// A value and the lines that have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueCount {
    /// The value.
    pub value: String,
    /// Its lines.
    pub count: u64,
    /// Its lines in the baseline, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_count: Option<u64>,
}

/// `GET /api/components`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Components {
    /// Every component with lines in the range, by path; a parent without lines of its own is not listed.
    pub components: Vec<ComponentCount>,
    /// Where the buckets of [`ComponentCount::density`] lie; only where they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<DensityBuckets>,
    /// Every host with lines in the range, by name.
    #[serde(default)]
    pub hosts: Vec<HostCount>,
}

/// How much a component logged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentCount {
    /// The dotted path.
    pub path: String,
    /// Lines of exactly this component, not of those below it.
    pub lines: u64,
    /// How many of them are `error` or `fatal`.
    pub errors: u64,
    /// Its lines by bucket of time, where these were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub density: Vec<u64>,
}

/// Buckets of equal width that cover a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DensityBuckets {
    /// Where the first one begins, unix milliseconds: a multiple of the width, at or before the range's start.
    pub from_ms: i64,
    /// The width, milliseconds.
    pub step_ms: i64,
    /// How many there are.
    pub count: usize,
}

/// How much a host logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostCount {
    /// The host's name.
    pub name: String,
    /// Its lines.
    pub lines: u64,
}

/// One node of `/metrics/find?format=treejson`, as Graphite answers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FindNode {
    /// The last node of the path.
    pub text: String,
    /// The path, with the query's wildcards replaced.
    pub id: String,
    /// 1 when it is a metric.
    pub leaf: u8,
    /// 1 when there are paths below it.
    pub expandable: u8,
    /// The same as `expandable`.
    pub allow_children: u8,
}

/// A note on the time axis: a deploy, a maintenance step. Graphite's event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Unique within the store.
    pub id: u64,
    /// The title.
    pub what: String,
    /// When, unix seconds.
    pub when: i64,
    /// Its tags.
    pub tags: Vec<String>,
    /// Free text.
    #[serde(default)]
    pub data: String,
}

/// One line as `envelope=1` sends it. `line` is the stored text, unparsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope<L> {
    /// Unix nanoseconds.
    pub t: i64,
    /// The component.
    pub c: String,
    /// The host; empty when none is known.
    pub h: String,
    /// The level.
    pub l: Level,
    /// The id of its message's pattern, 16 hexadecimal digits; empty from a server that does not tell it.
    #[serde(default)]
    pub p: String,
    /// `day~segment~row`, stable for the life of the line.
    pub id: String,
    /// The line itself.
    pub line: L,
}

/// An error as RFC 9457 (`application/problem+json`) puts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `about:blank`: the status says the kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong, in a sentence.
    pub detail: String,
    /// The parameter it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// A value that would be right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// The number under which the server's own log has more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// What the page asks first: `GET /api/page`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageInfo {
    /// The server's version.
    pub version: String,
    /// The server's clock, unix ms.
    pub now_ms: i64,
    /// The dashboards, the one to open first first.
    pub dashboards: Vec<DashboardName>,
    /// The latest line's and point's time, unix ms; `None` while there is none.
    pub last_line_ms: Option<i64>,
    /// As `last_line_ms`, for points.
    pub last_point_ms: Option<i64>,
    /// Whose lines belong to which metrics, as rules say.
    #[serde(default)]
    pub links: Vec<LinkRule>,
    /// The port that takes Graphite plaintext; `None` where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carbon_port: Option<u16>,
    /// The port that takes syslog; `None` where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub syslog_port: Option<u16>,
}

/// A dashboard's name in addresses and its title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardName {
    /// The file's name without `.toml`.
    pub name: String,
    /// The title to show.
    pub title: String,
    /// What is wrong with its file, where it cannot be read; may have several lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One series as columns: times in unix ms (rising) beside values; a gap is a NaN.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// The series' name.
    pub name: String,
    /// Unix ms, rising.
    pub times_ms: Vec<f64>,
    /// One value a time.
    pub values: Vec<f64>,
}

/// The first bytes of a columns body.
pub const COLUMNS_MAGIC: &[u8; 8] = b"SNDCOL01";

/// Writes series as little-endian columns: the magic, the number of series (u32), then for each its name's length (u32),
/// its number of points (u32), the name (UTF-8), the times (f64 ms) and the values (f64).
pub fn encode_columns(series: &[Columns]) -> Vec<u8> {
    let size: usize = series.iter().map(|s| 8 + s.name.len() + 16 * s.times_ms.len()).sum();
    let mut out = Vec::with_capacity(12 + size);
    out.extend_from_slice(COLUMNS_MAGIC);
    out.extend_from_slice(&(series.len() as u32).to_le_bytes());
    for one in series {
        out.extend_from_slice(&(one.name.len() as u32).to_le_bytes());
        out.extend_from_slice(&(one.times_ms.len() as u32).to_le_bytes());
        out.extend_from_slice(one.name.as_bytes());
        out.extend(one.times_ms.iter().chain(&one.values).flat_map(|number| number.to_le_bytes()));
    }
    out
}

/// Reads what [`encode_columns`] wrote; `None` when it is cut short or something else.
pub fn decode_columns(bytes: &[u8]) -> Option<Vec<Columns>> {
    let mut rest = bytes.strip_prefix(COLUMNS_MAGIC)?;
    let count = take_u32(&mut rest)?;
    let mut out = Vec::new();
    for _ in 0..count {
        let name_len = take_u32(&mut rest)? as usize;
        let points = take_u32(&mut rest)? as usize;
        let name = std::str::from_utf8(rest.split_off(..name_len)?).ok()?.to_owned();
        let times_ms = take_f64s(&mut rest, points)?;
        let values = take_f64s(&mut rest, points)?;
        out.push(Columns { name, times_ms, values });
    }
    rest.is_empty().then_some(out)
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    rest.split_off(..4)?.try_into().ok().map(u32::from_le_bytes)
}

fn take_f64s(rest: &mut &[u8], count: usize) -> Option<Vec<f64>> {
    let bytes = rest.split_off(..count.checked_mul(8)?)?;
    Some(bytes.as_chunks::<8>().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_back_and_cut_ones_are_refused() {
        let series = vec![
            Columns { name: "a.b".into(), times_ms: vec![1.0, 2.0], values: vec![0.5, -3.0] },
            Columns { name: "ü".into(), ..Columns::default() },
        ];
        let bytes = encode_columns(&series);
        assert_eq!(decode_columns(&bytes), Some(series));
        for len in 0..bytes.len() {
            assert_eq!(decode_columns(&bytes[..len]), None, "cut to {len} bytes");
        }
    }

    #[test]
    fn a_report_lists_only_so_many_refusals() {
        let mut report = IngestReport::default();
        (1..=2_000).for_each(|line| report.refuse(line, "no"));
        assert_eq!((report.refused.len(), report.refused_total), (IngestReport::MAX_REFUSED, 2_000));
    }
}
