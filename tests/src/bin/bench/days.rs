//! What many days cost: counts over all of them, a short query of one, memory, the first answers after a start.

use crate::report::{Report, millis, tenths_of_megabytes, time_of, timed};
use sonde_shared::api::{Components, Facets, Histogram, Patterns};
use sonde_shared::log::Level;
use sonde_shared::time::{NANOS_PER_MS, NANOS_PER_SEC, TimeRange};
use sonde_tests::corpus::{Corpus, Row};
use sonde_tests::many_days::Extent;
use sonde_tests::oracle::{Query, assert_same_lines};
use sonde_tests::process::{MemoryWatch, anonymous_bytes};
use sonde_tests::server::TestServer;
use std::collections::BTreeMap;
use std::time::Instant;

const SUBTREE: &str = "webapp";
/// What a count over all days may take.
const GOAL: &str = "500 ms";

/// What a plain scan of the first day finds; all other days have the same lines.
struct Truth {
    /// Lines of the subtree by minute and level.
    subtree: Vec<[u64; Level::COUNT]>,
    /// All lines by minute and level.
    all: Vec<[u64; Level::COUNT]>,
    by_component: BTreeMap<&'static str, u64>,
    /// Lines by message without its digits: all of them, and those of the subtree.
    by_message: [BTreeMap<Vec<u8>, u64>; 2],
    lines: u64,
    two_minutes: Vec<u8>,
}

fn minutes(extent: Extent, day: usize) -> TimeRange {
    let from = extent.day(day).start().plus_nanos((14 * 60 + 5) * 60 * NANOS_PER_SEC);
    TimeRange { from, until: from.plus_nanos(120 * NANOS_PER_SEC) }
}

fn short_query(extent: Extent, day: usize) -> Query {
    Query::all().component("webapp.backend.git").range(minutes(extent, day))
}

impl Truth {
    fn of(extent: Extent) -> Self {
        let (none, start) = (vec![[0; Level::COUNT]; 24 * 60], extent.day(0).start());
        let mut truth = Self {
            subtree: none.clone(),
            all: none,
            by_component: BTreeMap::new(),
            by_message: [BTreeMap::new(), BTreeMap::new()],
            lines: 0,
            two_minutes: Vec::new(),
        };
        let (subtree, query) = (Query::all().component(SUBTREE), short_query(extent, 0));
        let mut found = sonde_tests::oracle::Found::default();
        for corpus in extent.hours() {
            for row in &corpus.rows {
                // A line just behind midnight gets the day's own date like all others.
                let minute = (row.ts.nanos_since(start) / (60 * NANOS_PER_SEC)) as usize % (24 * 60);
                truth.add(&corpus, row, minute, subtree.takes(&corpus, row));
                if query.takes(&corpus, row) {
                    found.add(&corpus, row);
                }
            }
        }
        truth.two_minutes = found.body();
        truth
    }

    fn add(&mut self, corpus: &Corpus, row: &Row, minute: usize, is_of_subtree: bool) {
        self.all[minute][row.level as usize] += 1;
        *self.by_component.entry(row.component).or_default() += 1;
        self.lines += 1;
        let message = without_digits(corpus.line(row));
        if is_of_subtree {
            self.subtree[minute][row.level as usize] += 1;
            *self.by_message[1].entry(message.clone()).or_default() += 1;
        }
        *self.by_message[0].entry(message).or_default() += 1;
    }
}

/// A line's message without its digits, which alone tell messages of one kind apart.
fn without_digits(line: &[u8]) -> Vec<u8> {
    let message = line.windows(7).position(|part| part == br#","msg":"#).map_or(line, |at| &line[at..]);
    message.iter().copied().filter(|byte| !byte.is_ascii_digit()).collect()
}

/// Measures days that are made first if they are not there yet.
pub(crate) fn compare(report: &mut Report, extent: Extent) {
    let folder = extent.ready(&mut |step| println!("{step}"));
    println!("making the answers to expect, by a plain scan");
    let truth = Truth::of(extent);
    let begin = Instant::now();
    let server = TestServer::on(&folder);
    let started = begin.elapsed();
    let mut bench = Bench { report, server: &server, extent, truth: &truth };
    let first = timed(|| bench.ask_two_minutes(extent.days / 2));
    bench.report.row(
        "from the start of the server to its addresses",
        millis(started.as_secs_f64()),
        "",
        "",
        "",
    );
    bench.report.row(
        "then the first answer, two minutes of one day",
        millis(first.as_secs_f64()),
        "",
        "",
        "",
    );
    let before = anonymous_bytes(server.pid());
    bench.short("one day open");
    let all = format!("/api/logs/histogram?step=1d&{}", range_of(extent.range()));
    let first = timed(|| drop(server.get(&all).ok()));
    bench.report.row("the first count over all days", millis(first.as_secs_f64()), "", "", "");
    bench.short("all days open");
    let grown = anonymous_bytes(server.pid()).saturating_sub(before);
    bench.report.row("memory that all days take once open", tenths_of_megabytes(grown), "", "", "");
    let watch = MemoryWatch::of(server.pid());
    bench.histograms();
    bench.names();
    bench.patterns();
    let peak = tenths_of_megabytes(watch.peak_bytes());
    bench.report.row("anonymous memory at most, all of it", peak, "", "", "200 MB");
}

fn range_of(range: TimeRange) -> String {
    format!("from={}&until={}", range.from, range.until)
}

struct Bench<'a> {
    report: &'a mut Report,
    server: &'a TestServer,
    extent: Extent,
    truth: &'a Truth,
}

impl Bench<'_> {
    fn time(&mut self, what: &str, path: &str, goal: &str) {
        self.report.row(what, time_of(self.server, path, 7).to_string(), "", "", goal);
    }

    /// The first day's lines have the first day's dates; those of other days differ by these alone.
    fn ask_two_minutes(&self, day: usize) {
        let [date, first] = [day, 0].map(|day| self.extent.day(day).to_string());
        let text = String::from_utf8(self.truth.two_minutes.clone()).expect("lines are text");
        let expected = text.replace(&format!(r#"{{"ts":"{first}"#), &format!(r#"{{"ts":"{date}"#));
        let found = self.server.logs(&short_query(self.extent, day).parameters());
        assert_same_lines(&found, expected.as_bytes(), "two minutes of a day");
    }

    fn short(&mut self, when: &str) {
        let day = self.extent.days / 2;
        self.ask_two_minutes(day);
        let path = format!("/api/logs?{}", short_query(self.extent, day).parameters());
        self.time(&format!("two minutes of a component, {when}"), &path, "");
    }

    /// Histograms of all days in steps that are whole days, hours and minutes, and none of these.
    fn histograms(&mut self) {
        let least = self.extent.range().nanos() / 20_000 / (60 * NANOS_PER_SEC) + 1;
        let odd = self.extent.range().nanos() / 200 / NANOS_PER_MS + 7;
        let steps = [
            "1d".to_owned(),
            "6h".into(),
            "1h".into(),
            "10min".into(),
            format!("{least}min"),
            format!("{odd}ms"),
        ];
        for step in steps {
            for (what, filter) in [
                ("all lines", ""),
                ("a subtree", "&component=webapp"),
                ("its errors", "&component=webapp&level=error"),
            ] {
                let path =
                    format!("/api/logs/histogram?step={step}{filter}&{}", range_of(self.extent.range()));
                self.check_histogram(&path, filter);
                self.time(&format!("histogram in steps of {step}, {what}"), &path, GOAL);
            }
        }
    }

    fn check_histogram(&self, path: &str, filter: &str) {
        let answer: Histogram = self.server.get(path).ok().json();
        let by_minute = if filter.is_empty() { &self.truth.all } else { &self.truth.subtree };
        let least = if filter.contains("level") { Level::Error } else { Level::Trace };
        let step = answer.step_ms * NANOS_PER_MS;
        for level in Level::ALL {
            let found = answer.levels.get(level);
            let wanted = |level: Level| level >= least;
            let sum: u64 = by_minute.iter().map(|levels| levels[level as usize]).sum();
            let expected = if wanted(level) { sum * self.extent.days as u64 } else { 0 };
            assert_eq!(found.iter().sum::<u64>(), expected, "{path}: {level:?}");
            if step % (60 * NANOS_PER_SEC) != 0 || !wanted(level) {
                continue;
            }
            let mut buckets = vec![0; found.len()];
            for minute in 0..self.extent.days * 24 * 60 {
                let at = self.extent.range().from.plus_nanos(minute as i64 * 60 * NANOS_PER_SEC);
                let bucket = (at.as_millis() - answer.from_ms) / answer.step_ms;
                if let Some(count) = buckets.get_mut(bucket as usize) {
                    *count += by_minute[minute % (24 * 60)][level as usize];
                }
            }
            assert_eq!(found, buckets.as_slice(), "{path}: {level:?}");
        }
    }

    fn names(&mut self) {
        let path = format!("/api/logs/facets?limit=1000&{}", range_of(self.extent.range()));
        let facets: Facets = self.server.get(&path).ok().json();
        let days = self.extent.days as u64;
        assert_eq!(facets.total, self.truth.lines * days);
        for (name, lines) in &self.truth.by_component {
            let told = facets.components.iter().find(|value| value.value == *name);
            assert_eq!(told.map(|value| value.count), Some(lines * days), "{name}");
        }
        self.time("facets of all days", &path, GOAL);
        self.time(
            "facets of all days, a subtree's errors",
            &format!("{path}&component={SUBTREE}&level=error"),
            GOAL,
        );
        let path = format!("/api/components?{}", range_of(self.extent.range()));
        let told: Components = self.server.get(&path).ok().json();
        assert_eq!(told.components.iter().map(|one| one.lines).sum::<u64>(), self.truth.lines * days);
        self.time("components of all days", &path, GOAL);
    }

    /// Each kind of message has a pattern of its own.
    fn patterns(&mut self) {
        let range = self.extent.range();
        let filters = [("all lines", String::new()), ("a subtree", format!("&component={SUBTREE}"))];
        for ((what, filter), truth) in filters.into_iter().zip(&self.truth.by_message) {
            let path = format!("/api/logs/patterns?{}{filter}", range_of(range));
            let told: Patterns<serde::de::IgnoredAny> = self.server.get(&path).ok().json();
            let mut told: Vec<u64> = told.patterns.iter().map(|one| one.count).collect();
            let mut expected: Vec<u64> =
                truth.values().map(|lines| lines * self.extent.days as u64).collect();
            assert_eq!((told.sort_unstable(), told), (expected.sort_unstable(), expected), "{path}");
            self.time(&format!("patterns of all days, {what}"), &path, GOAL);
            let (half, quarter) =
                (self.extent.day(self.extent.days / 2), self.extent.day(self.extent.days / 4));
            let path = format!(
                "/api/logs/patterns?from={}&until={}&baseline_from={}&baseline_until={}{filter}",
                quarter.start().plus_nanos(777 * NANOS_PER_SEC),
                range.until,
                range.from,
                half.start().plus_nanos(12_345 * NANOS_PER_SEC)
            );
            self.time(&format!("patterns of three quarters with a baseline of half, {what}"), &path, GOAL);
        }
    }
}
