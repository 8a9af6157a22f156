//! Answers about a day of ten million lines, in both of its forms.

use crate::peer::Peer;
use crate::report::{Report, median, megabytes_a_second, millis, time_of, timed};
use sonde_shared::api::{Facets, Histogram, Patterns};
use sonde_shared::log::Level;
use sonde_shared::time::{NANOS_PER_SEC, TimeRange, Timestamp};
use sonde_tests::big_day;
use sonde_tests::corpus::{Corpus, Row, range};
use sonde_tests::grep::count_in_files;
use sonde_tests::http::{Client, split_lines};
use sonde_tests::oracle::{Found, Query, assert_same_lines};
use sonde_tests::process::cpu_time;
use sonde_tests::server::TestServer;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// Longest wait for the first byte of any answer.
const FIRST_BYTE: &str = "5 ms";

/// What is promised of a day in one of its forms, against the file server.
pub(crate) struct Form {
    name: &'static str,
    /// So many times as long, and as many half milliseconds.
    times: f64,
    rate: &'static str,
    scan: &'static str,
    stream: &'static str,
}

/// Lines as they came.
pub(crate) const OPEN: Form = Form { name: "open", times: 1.0, rate: "0.5", scan: "2 GB/s", stream: "3" };
/// Compressed lines.
pub(crate) const SEALED: Form =
    Form { name: "sealed", times: 2.0, rate: "0.33", scan: "0.8 GB/s", stream: "5" };

/// A query and the answer to expect.
pub(crate) struct Asked {
    what: &'static str,
    query: Query,
    /// Where its range begins.
    pub(crate) from: Timestamp,
    /// The answer.
    pub(crate) body: Vec<u8>,
}

/// What a plain scan finds in the day's lines.
pub(crate) struct Truth {
    /// Two minutes of a component.
    pub(crate) two_minutes: Asked,
    subtree_minutes: Asked,
    component_day: Asked,
    hour: Asked,
    errors: Asked,
    substring: Asked,
    /// Text of the lines that the search for the substring must look at.
    searched_bytes: u64,
    /// Lines of the subtree by minute of the day and level.
    by_minute: Vec<[u64; Level::COUNT]>,
    by_component: Vec<(&'static str, u64)>,
    whole: Digest,
}

const SUBTREE: &str = "webapp";
/// What is searched for.
const SUBSTRING: &str = "took 42";

fn day() -> TimeRange {
    range("2025-03-10T00:00:00Z", "2025-03-11T00:00:00Z")
}

impl Truth {
    /// Scans the whole day once.
    pub(crate) fn of_the_day() -> Self {
        let minutes = range("2025-03-10T14:05:00Z", "2025-03-10T14:07:00Z");
        let hour = range("2025-03-10T14:00:00Z", "2025-03-10T15:00:00Z");
        let (git, subtree) =
            (|| Query::all().component("webapp.backend.git"), || Query::all().component(SUBTREE));
        let queries = [
            git().range(minutes),
            subtree().range(minutes),
            git().range(day()),
            Query::all().range(hour),
            subtree().range(day()).level(Level::Error),
            subtree().range(hour).contains(SUBSTRING),
        ];
        let mut found = queries.each_ref().map(|_| Found::default());
        let mut rest =
            Rest { searched: subtree().range(hour), subtree: subtree().range(day()), ..Rest::default() };
        for corpus in big_day::parts() {
            for row in &corpus.rows {
                queries
                    .iter()
                    .zip(&mut found)
                    .filter(|(query, _)| query.takes(&corpus, row))
                    .for_each(|(_, found)| found.add(&corpus, row));
                rest.add(&corpus, row);
            }
        }
        let names = [
            "two minutes of a component",
            "two minutes of a subtree",
            "a component's day",
            "everything, an hour",
            "a subtree's errors, a day",
            "a substring in a subtree's hour",
        ];
        let starts = [minutes, minutes, day(), hour, day(), hour].map(|range| range.from);
        let mut asked = queries
            .into_iter()
            .zip(found)
            .zip(names)
            .zip(starts)
            .map(|(((query, found), what), from)| Asked { what, query, from, body: found.body() });
        let mut next = || asked.next().expect("each has an answer");
        Self {
            two_minutes: next(),
            subtree_minutes: next(),
            component_day: next(),
            hour: next(),
            errors: next(),
            substring: next(),
            searched_bytes: rest.searched_bytes,
            by_minute: rest.by_minute,
            by_component: rest.by_component.into_iter().collect(),
            whole: rest.whole,
        }
    }

    /// The path of the query for two minutes.
    pub(crate) fn two_minutes_url(&self) -> String {
        format!("/api/logs?{}", self.two_minutes.query.parameters())
    }
}

/// What is counted beside the answers.
#[derive(Default)]
struct Rest {
    searched: Query,
    searched_bytes: u64,
    subtree: Query,
    by_minute: Vec<[u64; Level::COUNT]>,
    by_component: BTreeMap<&'static str, u64>,
    whole: Digest,
}

impl Rest {
    fn add(&mut self, corpus: &Corpus, row: &Row) {
        // The first lines of a day may have stamps of the day before.
        if !day().contains(row.ts) {
            return;
        }
        if self.searched.takes(corpus, row) {
            self.searched_bytes += row.text.len() as u64 + 1;
        }
        if self.subtree.takes(corpus, row) {
            let minute = (row.ts.nanos_since(day().from) / (60 * NANOS_PER_SEC)) as usize;
            self.by_minute.resize(self.by_minute.len().max(minute + 1), [0; Level::COUNT]);
            self.by_minute[minute][row.level as usize] += 1;
        }
        *self.by_component.entry(row.component).or_default() += 1;
        self.whole.add(corpus.line(row));
    }
}

/// Lines and a sum over them that is the same in each order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Digest {
    lines: u64,
    sum: u64,
}

impl Digest {
    fn add(&mut self, line: &[u8]) {
        let mut hasher = DefaultHasher::new();
        line.hash(&mut hasher);
        self.sum = self.sum.wrapping_add(hasher.finish());
        self.lines += 1;
    }
}

/// All queries against one form of the day.
pub(crate) fn compare(report: &mut Report, server: &TestServer, form: &Form, truth: &Truth) {
    println!(
        "asking the {} day of {} lines, and a file server for the same bytes",
        form.name,
        big_day::LINES
    );
    let mut bench = Bench { report, server, form, peer: Peer::start(), first_byte: (Duration::ZERO, "") };
    bench.latency(&truth.two_minutes, 300);
    bench.latency(&truth.subtree_minutes, 100);
    bench.throughput(&truth.component_day, 7);
    bench.throughput(&truth.hour, 7);
    bench.errors(&truth.errors);
    bench.substring(truth);
    bench.counts(truth);
    bench.everything(truth);
    let (first, slowest) = (millis(bench.first_byte.0.as_secs_f64()), bench.first_byte.1);
    let what = format!("the first byte of any of these answers, the slowest median ({slowest})");
    let what = bench.named(&what);
    bench.report.row(what, first, "", "", FIRST_BYTE);
}

/// What `grep` takes for the whole day's open files, for scale.
pub(crate) fn grep(report: &mut Report, folder: &Path) {
    let day = folder.join(day().from.day().to_string());
    let files = std::fs::read_dir(&day).expect("the day has a folder").map(|entry| entry.expect("an entry"));
    let texts = files.filter(|file| file.path().extension().is_some_and(|kind| kind == "ndjson"));
    let bytes: u64 = texts.map(|file| file.metadata().expect("a file").len()).sum();
    let mut found = 0;
    let times = (0..3).map(|_| timed(|| found = count_in_files(&day, SUBSTRING))).collect();
    let rate = format!("{:.2} GB/s", bytes as f64 / 1e9 / median(times));
    let what =
        format!("for scale: grep -F over the day's files, {:.0} MB, {found} lines", bytes as f64 / 1e6);
    report.row(what, "", rate, "", "");
}

struct Bench<'a> {
    report: &'a mut Report,
    server: &'a TestServer,
    form: &'a Form,
    peer: Peer,
    /// The slowest of the queries' medians.
    /// The longest wait for a first byte, and of which answer.
    first_byte: (Duration, &'static str),
}

/// Medians for the same answer, in seconds.
struct Pair {
    sonde: f64,
    cpu: f64,
    file: f64,
}

impl Pair {
    fn sonde(&self) -> String {
        format!("{} (CPU {})", millis(self.sonde), millis(self.cpu))
    }

    fn ratio(&self) -> String {
        format!("{:.2}", self.sonde / self.file)
    }
}

impl Bench<'_> {
    fn named(&self, what: &str) -> String {
        format!("{}: {what}", self.form.name)
    }

    fn sized(&self, asked: &Asked) -> String {
        let lines = split_lines(&asked.body).len();
        format!("{}: {}, {lines} lines, {:.1} MB", self.form.name, asked.what, asked.body.len() as f64 / 1e6)
    }

    fn latency(&mut self, asked: &Asked, rounds: usize) {
        let pair = self.pair(asked, rounds);
        let goal = millis((pair.file * 3.0 + 0.000_5) * self.form.times);
        self.report.row(self.sized(asked), pair.sonde(), millis(pair.file), pair.ratio(), goal);
    }

    fn throughput(&mut self, asked: &Asked, rounds: usize) {
        let pair = self.pair(asked, rounds);
        let rate = |seconds: f64| megabytes_a_second(asked.body.len(), seconds);
        let sonde = format!("{} ({})", rate(pair.sonde), pair.sonde());
        let ratio = format!("{:.2} of its rate", pair.file / pair.sonde);
        self.report.row(self.sized(asked), sonde, rate(pair.file), ratio, self.form.rate);
    }

    fn errors(&mut self, asked: &Asked) {
        let pair = self.pair(asked, 11);
        self.report.row(self.sized(asked), pair.sonde(), millis(pair.file), pair.ratio(), "120 ms");
    }

    fn substring(&mut self, truth: &Truth) {
        let pair = self.pair(&truth.substring, 21);
        let rate = format!("{:.2} GB/s", truth.searched_bytes as f64 / 1e9 / pair.sonde);
        let sonde = format!("{rate} ({})", pair.sonde());
        self.report.row(self.sized(&truth.substring), sonde, "", "", self.form.scan);
    }

    /// Histogram, facets and patterns of the whole day.
    fn counts(&mut self, truth: &Truth) {
        let path = format!("/api/logs/histogram?step=1min&component={SUBTREE}&{}", range_of(day()));
        let answer: Histogram = self.server.get(&path).ok().json();
        assert_eq!(answer.from_ms, day().from.as_millis());
        for (at, expected) in truth.by_minute.iter().enumerate() {
            let found = Level::ALL.map(|level| answer.levels.get(level).get(at).copied().unwrap_or(0));
            assert_eq!(&found, expected, "minute {at} of the day");
        }
        self.time("histogram by minute and level, a subtree's day", &path, "50 ms");
        let path = format!("/api/logs/facets?limit=1000&{}", range_of(day()));
        let facets: Facets = self.server.get(&path).ok().json();
        assert_eq!(facets.total, truth.whole.lines);
        for (name, lines) in &truth.by_component {
            let told = facets.components.iter().find(|value| value.value == *name);
            assert_eq!(told.map(|value| value.count), Some(*lines), "{name}");
        }
        self.time("facets of the day", &path, "150 ms");
        let path = format!("/api/logs/patterns?{}", range_of(day()));
        let patterns: Patterns<serde::de::IgnoredAny> = self.server.get(&path).ok().json();
        let shown: u64 = patterns.patterns.iter().map(|pattern| pattern.count).sum();
        assert_eq!((patterns.total, shown + patterns.left_out.lines), (facets.total, facets.total));
        self.time("patterns of the day", &path, "150 ms");
    }

    fn time(&mut self, what: &str, path: &str, goal: &str) {
        let sonde = time_of(self.server, path, 21).to_string();
        self.report.row(self.named(what), sonde, "", "", goal);
    }

    /// Median times of both for the same answer, asked for in turns.
    fn pair(&mut self, asked: &Asked, rounds: usize) -> Pair {
        let (own, other) = (format!("/api/logs?{}", asked.query.parameters()), "/answer.ndjson");
        self.peer.file("answer.ndjson").write_all(&asked.body).expect("a file can be written");
        assert_same_lines(&self.server.get(&own).ok().body, &asked.body, asked.what);
        assert_same_lines(&self.peer.client.get(other).ok().body, &asked.body, "the file server's answer");
        let (mut first, mut sonde, mut cpu, mut file) = (Vec::new(), Vec::new(), 0.0, Vec::new());
        for _ in 0..rounds {
            let before = cpu_time(self.server.pid());
            let (begun, ended) = read(self.server.http(), &own, asked.body.len());
            cpu += cpu_time(self.server.pid()).saturating_sub(before).as_secs_f64();
            first.push(begun);
            sonde.push(ended);
            file.push(read(&self.peer.client, other, asked.body.len()).1);
        }
        self.note_first(Duration::from_secs_f64(median(first)), asked.what);
        Pair { sonde: median(sonde), cpu: cpu / rounds as f64, file: median(file) }
    }

    fn note_first(&mut self, first: Duration, what: &'static str) {
        if first > self.first_byte.0 {
            self.first_byte = (first, what);
        }
    }

    /// The whole day in order: checked line by line, then read once more for the time it takes.
    fn everything(&mut self, truth: &Truth) {
        let mut file = self.peer.file("day.ndjson");
        let (mut check, mut bytes) = (InOrder::default(), 0);
        let path = format!("/api/logs?{}", range_of(day()));
        self.server.http().read(&path, |piece| {
            check.read(piece);
            bytes += piece.len();
            file.write_all(piece).expect("a file can be written");
        });
        assert_eq!(check.digest, truth.whole, "the whole day, each line once");
        file.sync_all().expect("a file can be synced");
        drop(file);
        read(&self.peer.client, "/day.ndjson", bytes);
        let (first, sonde) = read(self.server.http(), &path, bytes);
        let (_, file) = read(&self.peer.client, "/day.ndjson", bytes);
        self.note_first(first, "everything, the day");
        let (sonde, file) = (sonde.as_secs_f64(), file.as_secs_f64());
        let what = self.named(&format!(
            "everything, the day, {} lines, {} MB",
            truth.whole.lines,
            bytes / 1_000_000
        ));
        self.report.row(
            what,
            format!("{sonde:.2} s"),
            format!("{file:.2} s"),
            format!("{:.2}", sonde / file),
            self.form.stream,
        );
    }
}

/// From the request to the first byte, and to the last.
fn read(client: &Client, path: &str, expected: usize) -> (Duration, Duration) {
    let (start, mut first, mut bytes) = (Instant::now(), None, 0);
    client.read(path, |piece| {
        first.get_or_insert_with(|| start.elapsed());
        bytes += piece.len();
    });
    assert_eq!(bytes, expected, "{path}");
    (first.unwrap_or_default(), start.elapsed())
}

fn range_of(range: TimeRange) -> String {
    format!("from={}&until={}", range.from, range.until)
}

/// Lines as they come, whose stamps, all of one form, must not fall.
#[derive(Default)]
struct InOrder {
    partial: Vec<u8>,
    last: Vec<u8>,
    digest: Digest,
}

impl InOrder {
    fn read(&mut self, piece: &[u8]) {
        self.partial.extend_from_slice(piece);
        let partial = std::mem::take(&mut self.partial);
        let mut rest = partial.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.line(&rest[..end]);
            rest = &rest[end + 1..];
        }
        self.partial = rest.to_vec();
    }

    fn line(&mut self, line: &[u8]) {
        let stamp = &line[..r#"{"ts":"2025-03-10T00:00:00.000000000Z"#.len()];
        assert!(self.last.as_slice() <= stamp, "{}", String::from_utf8_lossy(line));
        self.last.clear();
        self.last.extend_from_slice(stamp);
        self.digest.add(line);
    }
}
