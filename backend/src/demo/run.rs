//! Fills a store with the demo's last 24 hours, then keeps it going from the clock.

use super::{Demo, SEED, STEP_SECS};
use crate::dashboards::BuiltIn;
use crate::store::batch::{Durability, LineBatch, PointBatch};
use crate::store::{Store, StoreError};
use sonde_shared::time::{NANOS_PER_DAY, NANOS_PER_SEC, TimeRange, Timestamp};
use sonde_shared::view::{RangeSpec, ViewState};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

/// Lines in a batch.
const BATCH_LINES: usize = 20_000;
/// Points in a batch.
const BATCH_POINTS: usize = 50_000;

/// What a demo that starts at a given time will show.
#[derive(Clone, Debug)]
pub struct DemoPlan {
    /// The cluster.
    pub demo: Demo,
    /// The history to fill: the 24 hours before the start.
    pub history: TimeRange,
}

impl DemoPlan {
    /// The path and query of the page that shows the incident: the demo's own dashboard, half an hour on both sides as
    /// far as it has passed.
    pub fn page(&self) -> String {
        let incident = self.demo.incident();
        let half_hour = 1_800 * NANOS_PER_SEC;
        let passed = self.history.until.as_nanos() / NANOS_PER_SEC * NANOS_PER_SEC;
        let until =
            incident.until.plus_nanos(half_hour).min(Timestamp::from_nanos(passed).max(incident.until));
        let range = TimeRange { from: incident.from.plus_nanos(-half_hour), until };
        let dashboard = Some(DASHBOARDS[0].name.to_owned());
        ViewState { dashboard, range: Some(RangeSpec::absolute(range)), ..ViewState::default() }.to_url()
    }
}

/// The dashboards that `sonde demo` offers beside those of a folder.
pub const DASHBOARDS: [BuiltIn; 1] =
    [BuiltIn { name: "cluster", toml: include_str!("dashboards/cluster.toml") }];

/// How far [`fill`] has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Lines stored.
    pub lines: u64,
    /// Points stored.
    pub points: u64,
    /// The part of the history that is done, in percent.
    pub percent: u8,
}

/// Plans a demo that starts now.
pub fn prepare(now: Timestamp) -> DemoPlan {
    DemoPlan {
        demo: Demo::new(SEED, now),
        history: TimeRange { from: now.plus_nanos(-NANOS_PER_DAY), until: now },
    }
}

/// Stores the history, durably, and tells after each batch how far it is.
pub async fn fill(
    store: &Arc<Store>,
    plan: &DemoPlan,
    mut tell: impl FnMut(Progress),
) -> Result<(), StoreError> {
    let mut progress = Progress::default();
    let mut lines = plan.demo.lines(plan.history);
    loop {
        let batch = line_batch(&mut lines);
        let Some(last) = batch.rows.last() else { break };
        let reached = last.ts.nanos_since(plan.history.from);
        progress.percent = (reached as f64 / plan.history.nanos() as f64 * 100.0) as u8;
        progress.lines += batch.len() as u64;
        store.append_lines(batch, Durability::Acknowledged).await?;
        tell(progress);
    }
    progress.points = append_points(store, &plan.demo, plan.history).await?;
    append_events(store, &plan.demo, plan.history).await?;
    progress.percent = 100;
    tell(progress);
    Ok(())
}

/// Adds what happens from the end of the history on, once a second by the clock, for as long as it is polled. It may be
/// dropped at any time; what it then had not stored is missing, nothing else.
pub async fn keep_going(
    store: Arc<Store>,
    plan: DemoPlan,
    clock: impl Fn() -> Timestamp,
) -> Result<(), StoreError> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut done_until = plan.history.until;
    loop {
        ticks.tick().await;
        let now = clock();
        // A clock that was set back says nothing new until it has caught up.
        if now > done_until {
            append(&store, &plan.demo, TimeRange { from: done_until, until: now }).await?;
            done_until = now;
        }
    }
}

/// Stores all of a range: after a long sleep of the machine that may be hours, so it goes in batches too.
async fn append(store: &Arc<Store>, demo: &Demo, range: TimeRange) -> Result<(), StoreError> {
    let mut lines = demo.lines(range);
    loop {
        let batch = line_batch(&mut lines);
        if batch.is_empty() {
            break;
        }
        store.append_lines(batch, Durability::Acknowledged).await?;
    }
    append_points(store, demo, range).await?;
    append_events(store, demo, range).await
}

async fn append_events(store: &Arc<Store>, demo: &Demo, range: TimeRange) -> Result<(), StoreError> {
    for event in demo.events(range) {
        let store = store.clone();
        let append = move || store.append_event(event);
        tokio::task::spawn_blocking(append).await.unwrap_or_else(|died| resume_unwind(died.into_panic()))?;
    }
    Ok(())
}

fn line_batch(lines: &mut super::Lines<'_>) -> LineBatch {
    let mut batch = LineBatch::default();
    for line in lines.take(BATCH_LINES) {
        batch.push_line(line.text.as_bytes()).expect("the demo writes whole lines");
    }
    batch
}

async fn append_points(store: &Store, demo: &Demo, range: TimeRange) -> Result<u64, StoreError> {
    let mut points = demo.points(steps_ended_in(range));
    let mut count = 0;
    loop {
        let mut batch = PointBatch::default();
        for (path, ts_secs, value) in points.by_ref().take(BATCH_POINTS) {
            batch.push(path, ts_secs, value);
        }
        if batch.is_empty() {
            return Ok(count);
        }
        count += batch.len() as u64;
        store.append_points(batch, Durability::Acknowledged).await?;
    }
}

/// Where the points stand whose steps ended after the range's start and not after its end: a step still running has no
/// value yet. Ranges that touch give ranges that touch, so no step is sent twice or left out.
fn steps_ended_in(range: TimeRange) -> TimeRange {
    let shift = 1 - STEP_SECS * NANOS_PER_SEC;
    TimeRange { from: range.from.plus_nanos(shift), until: range.until.plus_nanos(shift) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::time::parse_rfc3339;

    #[test]
    fn the_link_opens_on_the_incident_as_far_as_it_has_passed() {
        let page = |now: &str| prepare(parse_rfc3339(now.as_bytes()).unwrap()).page();
        let at = |range: &str| format!("/d/cluster?v=1&t=2026-03-01T13:35:00Z..{range}");
        assert_eq!(page("2026-03-01T20:00:00Z"), at("14:37:00Z"));
        assert_eq!(page("2026-03-02T14:00:00Z"), at("14:37:00Z"));
        assert_eq!(page("2026-03-01T14:20:00.123456789Z"), at("14:20:00Z"));
        assert_eq!(page("2026-03-01T14:05:30Z"), at("14:07:00Z"));
    }

    #[test]
    fn every_panel_of_the_dashboards_has_series() {
        let demo = prepare(Timestamp::from_secs(1_763_640_000)).demo;
        for built_in in DASHBOARDS {
            let board: sonde_shared::dashboard::Dashboard = toml::from_str(built_in.toml).unwrap();
            assert!((10..=12).contains(&board.panels.len()));
            for target in board.panels.iter().flat_map(|panel| &panel.targets) {
                let glob = sonde_shared::glob::Glob::parse(target).unwrap();
                assert!(demo.series().any(|path| glob.matches(path)), "{target} names no series");
            }
        }
    }

    #[test]
    fn a_point_is_sent_when_its_step_has_passed_and_once() {
        let start = Timestamp::from_secs(1_763_640_000);
        let demo = Demo::new(SEED, start);
        let sent = |from: i64, until: i64| -> Vec<i64> {
            let range = TimeRange {
                from: start.plus_nanos(from * NANOS_PER_SEC),
                until: start.plus_nanos(until * NANOS_PER_SEC),
            };
            let mut times: Vec<i64> =
                demo.points(steps_ended_in(range)).map(|(_, ts, _)| ts - start.as_secs()).collect();
            times.dedup();
            times
        };
        assert_eq!(sent(0, 9), [0; 0]);
        assert_eq!(sent(-1, 0), [-10]);
        assert_eq!(sent(1, 10), [0]);
        assert_eq!((10..40).flat_map(|sec| sent(sec, sec + 1)).collect::<Vec<_>>(), sent(10, 40));
    }

    /// An hour about the deploy, in a store of its own.
    fn hour() -> (tempfile::TempDir, Arc<Store>, DemoPlan) {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path()).unwrap());
        let mut plan = prepare(parse_rfc3339(b"2026-03-01T11:30:00Z").unwrap());
        plan.history.from = plan.history.until.plus_nanos(-3_600 * NANOS_PER_SEC);
        (dir, store, plan)
    }

    #[tokio::test]
    async fn the_history_is_stored_whole_with_its_events() {
        let (_dir, store, plan) = hour();
        let mut told = Vec::new();
        fill(&store, &plan, |progress| told.push(progress)).await.unwrap();
        let last = told.last().unwrap();
        assert_eq!((last.percent, last.points), (100, plan.demo.series().count() as u64 * 360));
        assert_eq!(last.lines, plan.demo.lines(plan.history).count() as u64);
        assert_eq!(
            store.logs().last_time().unwrap(),
            plan.demo.lines(plan.history).last().map(|line| line.ts)
        );
        assert_eq!(
            store.metrics().last_point().unwrap(),
            Some(plan.history.until.plus_nanos(-10 * NANOS_PER_SEC))
        );
        let events = store.events().read(0, i64::MAX / 2, 1 << 20).unwrap().unwrap();
        assert!(events.len() == 1 && events[0].what.starts_with("deploy webapp 4."), "{events:?}");
    }

    #[tokio::test]
    async fn it_goes_on_where_the_history_ends() {
        let (_dir, store, mut plan) = hour();
        // The history ended just before the deploy; now is a while later, as after a long sleep of the machine.
        plan.history.until = parse_rfc3339(b"2026-03-01T10:59:59.500Z").unwrap();
        let now = plan.history.until.plus_nanos(600 * NANOS_PER_SEC);
        let until_stored = async {
            while store.events().read(0, i64::MAX / 2, 1 << 20).unwrap().unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            ended = keep_going(store.clone(), plan.clone(), || now) => panic!("{ended:?}"),
            stored = tokio::time::timeout(Duration::from_secs(20), until_stored) => stored.unwrap(),
        }
        let range = TimeRange { from: plan.history.until, until: now };
        assert_eq!(store.logs().last_time().unwrap(), plan.demo.lines(range).last().map(|line| line.ts));
        assert_eq!(store.metrics().last_point().unwrap(), parse_rfc3339(b"2026-03-01T11:09:40Z"));
    }
}
