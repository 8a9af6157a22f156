//! A made-up cluster with an incident, for `sonde demo`, tests and benchmarks.
//!
//! A [`Demo`] is a function from time to points and lines, given by a seed and the incident's start: nothing runs, so
//! any range can be made on its own, twice, or in pieces, and is always the same. The story: from 14:05 to 14:07 UTC a
//! client asks again and again for one tree page; each time a `git` command writes 48 MB, `node1` waits for its disk and
//! the page takes 900 ms instead of 80. Beside it stands what must not be blamed: a deploy at 11:00, a nightly backup, the
//! load of the day, a series that is always noisy; and `node1`'s disk, full in about twelve days.
//!
//! Use [`prepare`], [`fill`] and [`keep_going`] for a live demo; [`Demo::lines`] and [`Demo::points`] alone for data.
//! The names in here occur nowhere else in the program.

mod background;
mod command;
mod lines;
mod moment;
mod noise;
mod record;
mod requests;
mod run;
mod series;

pub use command::{Options, serve};
pub use lines::Lines;
pub use run::{DASHBOARDS, DemoPlan, Progress, fill, keep_going, prepare};
pub use series::{Points, STEP_SECS};

use crate::store::events::NewEvent;
use moment::{DAY_SECS, DEPLOY_SEC, INCIDENT_SEC, INCIDENT_SECS};
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};
use std::sync::Arc;

/// The seed of `sonde demo`.
pub const SEED: u64 = 1_405;

/// The cluster. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Demo {
    seed: u64,
    incident: TimeRange,
    load_factor: f64,
    series: Arc<[series::Series]>,
}

/// A line as it is to be stored, without its line feed, beside what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoLine {
    /// Its `ts`, whole milliseconds.
    pub ts: Timestamp,
    /// Its `component`.
    pub component: &'static str,
    /// Its `host`.
    pub host: &'static str,
    /// Its `level`.
    pub level: Level,
    /// The NDJSON.
    pub text: String,
}

impl Demo {
    /// The cluster as seen at `now`: the incident began at the last 14:05 UTC that has passed.
    pub fn new(seed: u64, now: Timestamp) -> Self {
        let days = (now.as_secs() - INCIDENT_SEC).div_euclid(DAY_SECS);
        let from = days * DAY_SECS + INCIDENT_SEC;
        let incident =
            TimeRange { from: Timestamp::from_secs(from), until: Timestamp::from_secs(from + INCIDENT_SECS) };
        Self { seed, incident, load_factor: 1.0, series: series::table(seed).into() }
    }

    /// The same cluster with so many times the requests, and so about as many times the lines: for benchmarks.
    #[must_use]
    pub fn with_load(mut self, factor: f64) -> Self {
        self.load_factor = factor.max(0.0);
        self
    }

    /// When the incident is: two minutes.
    pub fn incident(&self) -> TimeRange {
        self.incident
    }

    /// The lines of a range, by time.
    pub fn lines(&self, range: TimeRange) -> Lines<'_> {
        Lines::new(self, range)
    }

    /// The points of a range, by time: every series once each [`STEP_SECS`]. A point stands at the start of the step
    /// that it tells of, so one is known only when its step has passed.
    pub fn points(&self, range: TimeRange) -> Points<'_> {
        Points::new(self, range)
    }

    /// The paths of all series.
    pub fn series(&self) -> impl Iterator<Item = &str> {
        self.series.iter().map(series::Series::path)
    }

    /// The events of a range: a deploy a day.
    pub fn events(&self, range: TimeRange) -> Vec<NewEvent> {
        let day = |at: Timestamp| at.as_secs().div_euclid(DAY_SECS);
        let deploys = day(range.from)..=day(range.until);
        deploys
            .map(|day| deploy_event(day * DAY_SECS + DEPLOY_SEC))
            .filter(|event| range.contains(Timestamp::from_secs(event.when)))
            .collect()
    }
}

fn deploy_event(when: i64) -> NewEvent {
    NewEvent {
        when,
        what: format!("deploy webapp {}", release_of(when)),
        tags: vec!["deploy".to_owned(), "webapp".to_owned()],
        data: "rolled out to node1, node3 and node4".to_owned(),
    }
}

/// The release that the deploy of this time's day rolls out.
fn release_of(secs: i64) -> String {
    let day = secs.div_euclid(DAY_SECS);
    format!("4.{}.{}", day.div_euclid(30).rem_euclid(100), day.rem_euclid(30))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Six hours after the incident of 2025-11-20.
    fn evening() -> Timestamp {
        Timestamp::from_secs(1_763_596_800 + INCIDENT_SEC + 6 * 3_600)
    }

    fn demo() -> Demo {
        Demo::new(SEED, evening())
    }

    fn last_day() -> TimeRange {
        TimeRange { from: evening().plus_nanos(-86_400_000_000_000), until: evening() }
    }

    fn values(path: &str, range: TimeRange) -> Vec<f64> {
        let demo = demo();
        demo.points(range).filter(|(own, ..)| *own == path).map(|(_, _, value)| value).collect()
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// The hour before the incident.
    fn before() -> TimeRange {
        let from = demo().incident().from;
        TimeRange { from: from.plus_nanos(-3_600_000_000_000), until: from }
    }

    #[track_caller]
    fn check_means(path: &str, calm: f64, disturbed: f64) {
        let (outside, inside) = (mean(&values(path, before())), mean(&values(path, demo().incident())));
        assert!((outside / calm - 1.0).abs() < 0.04, "{path} is {outside} outside");
        assert!((inside / disturbed - 1.0).abs() < 0.04, "{path} is {inside} inside");
    }

    #[test]
    fn the_incident_is_the_last_1405_that_has_passed() {
        let at = |clock: &str| {
            sonde_shared::time::parse_rfc3339(format!("2026-03-01T{clock}Z").as_bytes()).unwrap()
        };
        let check = |now: &str, from: &str| {
            assert_eq!(
                Demo::new(SEED, at(now)).incident().from.to_string(),
                format!("{from}T14:05:00Z"),
                "at {now}"
            );
        };
        check("14:05:00", "2026-03-01");
        check("14:06:10", "2026-03-01");
        check("23:59:59", "2026-03-01");
        check("14:04:59", "2026-02-28");
        check("00:00:00", "2026-02-28");
    }

    #[test]
    fn pages_get_slow_and_the_disk_is_waited_for() {
        check_means("webapp.backend.git.tree.render_ms", 80.0, 900.0);
        check_means("node1.io.wait", 3.0, 60.0);
    }

    #[test]
    fn it_is_over_half_a_minute_later_and_did_not_begin_early() {
        let range = demo().incident();
        let step =
            |from: Timestamp, steps: i64| TimeRange { from, until: from.plus_nanos(steps * 10_000_000_000) };
        let calm =
            values("webapp.backend.git.tree.render_ms", step(range.until.plus_nanos(30_000_000_000), 6));
        assert!(calm.iter().all(|value| *value < 110.0), "{calm:?}");
        let recovering = values("webapp.backend.git.tree.render_ms", step(range.until, 1));
        assert!((150.0..800.0).contains(&recovering[0]), "{recovering:?}");
        let early =
            values("webapp.backend.git.tree.render_ms", step(range.from.plus_nanos(-60_000_000_000), 6));
        assert!(early.iter().all(|value| *value < 110.0), "{early:?}");
    }

    #[test]
    fn one_client_asks_for_one_page_and_is_most_of_what_git_says() {
        let demo = demo();
        let git: Vec<DemoLine> =
            demo.lines(demo.incident()).filter(|line| line.component == "webapp.backend.git").collect();
        let greedy = git.iter().filter(|line| line.text.contains("203.0.113.7")).count();
        assert!((400..1_000).contains(&greedy), "{greedy} lines");
        let share = greedy as f64 / git.len() as f64;
        assert!((0.78..0.90).contains(&share), "{share} of the lines");
        let big = git.iter().filter(|line| {
            line.text.contains("\"output_bytes\":48213504") && line.text.contains("git ls-tree wrote 48.2 MB")
        });
        assert!(big.count() > 100);
    }

    #[test]
    fn slow_rendering_was_never_warned_of_before_and_the_client_never_seen() {
        let demo = demo();
        let incident = demo.incident();
        let echo = TimeRange { from: incident.from, until: incident.until.plus_nanos(60_000_000_000) };
        let mut inside = 0;
        for line in demo.lines(last_day()) {
            let told = line.text.contains("slow rendering") || line.text.contains("203.0.113.7");
            assert!(!told || echo.contains(line.ts), "outside: {}", line.text);
            inside += usize::from(told && line.text.contains("\"level\":\"warn\""));
        }
        assert!(inside > 100, "{inside} warnings");
    }

    #[test]
    fn a_day_has_about_200_000_lines_and_60_series() {
        let lines = demo().lines(last_day()).count();
        assert!((190_000..215_000).contains(&lines), "{lines} lines");
        let paths: BTreeSet<String> = demo().series().map(str::to_owned).collect();
        assert!((55..=65).contains(&paths.len()), "{} series", paths.len());
        assert!((paths.len() * 8_640).abs_diff(demo().points(last_day()).count()) == 0);
    }

    #[test]
    fn the_load_follows_the_day() {
        let at = |hour: i64| {
            let from = last_day().from.day().next().start().plus_nanos(hour * 3_600_000_000_000);
            TimeRange { from, until: from.plus_nanos(1_800_000_000_000) }
        };
        let (night, day) =
            (values("webapp.frontend.requests", at(3)), values("webapp.frontend.requests", at(13)));
        assert!(mean(&day) > 3.0 * mean(&night));
        assert!(demo().lines(at(13)).count() > 2 * demo().lines(at(3)).count());
    }

    #[test]
    fn charts_count_what_the_lines_tell() {
        let range = before();
        let asked = demo().lines(range).filter(|line| line.text.contains("\"status\":")).count();
        let counted: f64 = values("webapp.frontend.requests", range).iter().sum();
        assert!((counted / asked as f64 - 1.0).abs() < 0.01, "{counted} counted, {asked} told");
    }

    #[test]
    fn one_series_is_always_noisy() {
        let spread = |range| {
            let values = values("webapp.backend.mail.smtp.rtt_ms", range);
            values.iter().copied().fold(0.0, f64::max) / mean(&values)
        };
        assert!(spread(before()) > 5.0 && spread(demo().incident()) > 1.5);
    }

    #[test]
    fn the_backup_is_seen_at_its_node_only() {
        let night = last_day().from.day().next().start().plus_nanos((2 * 60 + 5) * 60_000_000_000);
        let range = TimeRange { from: night, until: night.plus_nanos(1_800_000_000_000) };
        assert!(mean(&values("node2.io.wait", range)) > 25.0);
        assert!(mean(&values("node1.io.wait", range)) < 4.0);
    }

    #[test]
    fn the_disk_is_full_in_about_twelve_days() {
        let used = values("node1.disk.used_percent", last_day());
        let gained_a_day = mean(&used[used.len() - 360..]) - mean(&used[..360]);
        let days_left = (100.0 - used[used.len() - 1]) / gained_a_day;
        assert!((11.0..13.0).contains(&days_left), "{days_left} days");
    }

    #[test]
    fn every_line_says_of_itself_what_is_said_of_it() {
        for line in demo().lines(demo().incident()) {
            let json: serde_json::Value = serde_json::from_str(&line.text).expect(&line.text);
            assert_eq!(json["component"], line.component);
            assert_eq!(json["host"], line.host);
            assert_eq!(json["level"], line.level.name());
            let ts = json["ts"].as_str().and_then(|ts| sonde_shared::time::parse_rfc3339(ts.as_bytes()));
            assert_eq!(ts, Some(line.ts));
        }
    }

    #[test]
    fn points_of_a_range_are_the_sum_of_its_pieces() {
        let all: Vec<_> =
            demo().points(before()).map(|(path, ts, value)| (path.to_owned(), ts, value.to_bits())).collect();
        for cut_ms in [0, 1, 9_999, 10_000, 1_234_567, 3_600_000] {
            let cut = before().from.plus_nanos(cut_ms * 1_000_000);
            let (demo, range) = (demo(), before());
            let pieces = demo
                .points(TimeRange { until: cut, ..range })
                .chain(demo.points(TimeRange { from: cut, ..range }));
            assert!(
                pieces
                    .map(|(path, ts, value)| (path.to_owned(), ts, value.to_bits()))
                    .eq(all.iter().cloned()),
                "cut at {cut_ms} ms"
            );
        }
    }

    #[test]
    fn more_load_is_more_lines() {
        let range = before();
        let (one, ten) = (demo().lines(range).count(), demo().with_load(10.0).lines(range).count());
        assert!(ten > 8 * one, "{one} and {ten}");
    }
}
