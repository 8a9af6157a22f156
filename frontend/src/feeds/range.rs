//! Everything that hangs on the visible range: components, events, the histogram of lines, and each panel's series.

use super::{LiveFeed, Loaded};
use crate::api::client;
use crate::boxed::{effect, memo};
use crate::session::Session;
use crate::state::{Command, LogQuery};
use leptos::prelude::*;
use sonde_shared::api::{Columns, ComponentCount, Components, Event, Histogram};
use sonde_shared::dashboard::{Draw, Panel};
use sonde_shared::log::Level;
use sonde_shared::time::TimeRange;
use std::collections::BTreeMap;

/// Widths in ms that a histogram's buckets may have.
const STEPS_MS: [i64; 24] = [
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    15_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    21_600_000,
    43_200_000,
    86_400_000,
    604_800_000,
];
/// The width that a bar of the histogram should have, in pixels.
const BAR_PX: f64 = 5.0;

/// So many buckets at most has a component's strip in the tree.
const STRIP_BUCKETS: u32 = 24;

/// Components and hosts with lines in the visible range.
pub fn load_components(session: Session) -> Loaded<Components> {
    let loaded = Loaded::new();
    effect(move || {
        loaded.track_retries();
        session.indexed_to.track();
        if session.ready.get() {
            let range = session.range_to_ask();
            loaded.load(
                move |signal| client::components(range, STRIP_BUCKETS, signal),
                move |components| session.send(Command::ComponentsLoaded(without_density(components))),
            );
        }
    });
    loaded
}

/// What the state knows of components is compared at each change.
fn without_density(components: &Components) -> Components {
    let plain = |one: &ComponentCount| ComponentCount {
        path: one.path.clone(),
        lines: one.lines,
        ..ComponentCount::default()
    };
    Components {
        components: components.components.iter().map(plain).collect(),
        hosts: components.hosts.clone(),
        buckets: None,
    }
}

/// The notes on the time axis.
pub fn load_events(session: Session) -> Loaded<Vec<Event>> {
    let loaded = Loaded::new();
    effect(move || {
        if session.ready.get() {
            let range = session.range_to_ask();
            loaded.load(move |signal| client::events(range, signal), |_| {});
        }
    });
    loaded
}

/// The lines of the pane's filters over the visible range, by level; `width_px` is that of the plot. And whether what is there is
/// of former filters: a text takes its time, and an expression may be none.
pub fn load_histogram(session: Session, width_px: Signal<f64>) -> (Loaded<Histogram>, Memo<bool>) {
    let loaded = Loaded::new();
    let (filters, counted) = (lasting_filters(session), RwSignal::new(None::<LogQuery>));
    effect(move || {
        loaded.track_retries();
        session.indexed_to.track();
        // Before the charts have a width nobody knows how wide a bar is; a wall has none.
        let width_px = width_px.get();
        if session.ready.get() && width_px > 1.0 {
            let (query, range) = (filters.get(), session.range_to_ask());
            let (step_ms, asked) = (bucket_ms(session.range.get_untracked(), width_px), query.clone());
            let count = move |signal| client::histogram(query, range, step_ms, signal);
            loaded.load(count, move |_| counted.set(Some(asked)));
        }
    });
    let is_former = memo(move || {
        filters.with(|now| counted.with(|counted| counted.as_ref().is_some_and(|one| !one.same_filters(now))))
    });
    (loaded, is_former)
}

/// The pane's filters; their range is of no account.
pub(super) fn lasting_filters(session: Session) -> Memo<LogQuery> {
    Memo::new(move |former: Option<&LogQuery>| {
        let query = session.query.get();
        former.filter(|former| former.same_filters(&query)).cloned().unwrap_or(query)
    })
}

/// A panel's series over the visible range, as long as the panel is in sight.
pub fn load_panel(
    session: Session,
    panel: &Panel,
    width_px: Signal<f64>,
    in_sight: Signal<bool>,
    live: LiveFeed,
) -> Loaded<Vec<Columns>> {
    let id = panel.id.clone();
    let tell = move |columns: &Vec<Columns>| {
        let names = columns.iter().map(|series| series.name.clone()).collect();
        let sought = session.now_part(|state| state.sought_in(&id));
        session.send(Command::SeriesLoaded(id.clone(), names));
        if let Some(series) = sought {
            session.reveal_series(&series);
        }
    };
    load_series(session, panel, width_px, in_sight, live, tell)
}

/// The metrics that a panel's functions are made of, where it calls any: whether these still come, their answers do not always
/// tell.
pub fn load_sources(
    session: Session,
    panel: &Panel,
    width_px: Signal<f64>,
    live: LiveFeed,
) -> Loaded<Vec<Columns>> {
    let targets = if panel.calls_functions() { panel.metrics() } else { Vec::new() };
    if targets.is_empty() {
        return Loaded::new();
    }
    let sources = Panel { targets, ..Panel::default() };
    load_series(session, &sources, width_px, Signal::stored(true), live, |_| {})
}

/// What a panel asks for over the visible range, as long as it is in sight; told of each time that it was loaded.
fn load_series(
    session: Session,
    panel: &Panel,
    width_px: Signal<f64>,
    in_sight: Signal<bool>,
    live: LiveFeed,
    tell: impl Fn(&Vec<Columns>) + Clone + 'static,
) -> Loaded<Vec<Columns>> {
    let loaded = Loaded::new();
    let fed = live.feed(panel, loaded, in_sight);
    let (targets, stacked) = (panel.asked(), panel.draw == Draw::Stacked);
    effect(move || {
        loaded.track_retries();
        let width = width_px.get().max(1.0) as u32;
        if session.ready.get() && width > 1 && in_sight.get() && !targets.is_empty() {
            let (range, targets) = (session.range_to_ask(), targets.clone());
            loaded.load(
                move |signal| {
                    let columns = client::columns(targets, range, width, stacked, signal);
                    Box::pin(async move {
                        let mut columns = columns.await?;
                        fed.catch_up(&mut columns, range);
                        Ok(columns)
                    })
                },
                tell.clone(),
            );
        }
    });
    loaded
}

/// The mean of each of a panel's series over the visible range, while somebody wants to know.
pub fn load_means(session: Session, panel: &Panel, wanted: Signal<bool>) -> Loaded<BTreeMap<String, f64>> {
    let loaded = Loaded::new();
    let targets = panel.asked();
    effect(move || {
        if session.ready.get() && wanted.get() && !targets.is_empty() {
            let (range, targets) = (session.range_to_ask(), targets.clone());
            loaded.load(move |signal| client::means(targets, range, signal), |_| {});
        }
    });
    loaded
}

/// The narrowest step that leaves each bar its width.
pub(super) fn bucket_ms(range: TimeRange, width_px: f64) -> i64 {
    let bars = (width_px / BAR_PX).max(10.0);
    let wanted = range.nanos() as f64 / 1e6 / bars;
    let widest = STEPS_MS[STEPS_MS.len() - 1];
    STEPS_MS
        .into_iter()
        .find(|step| *step as f64 >= wanted)
        .unwrap_or_else(|| (wanted as i64 / widest + 1) * widest)
}

/// How many lines lie in a range, and whether that is exact: of a bucket that it cuts it has as large a part of the lines as of the
/// time. `None` where the histogram does not reach.
pub fn count_in(histogram: &Histogram, range: TimeRange) -> Option<(u64, bool)> {
    let step = histogram.step_ms.max(1);
    let buckets = Level::ALL.iter().map(|level| histogram.levels.get(*level).len()).max()? as i64;
    let (from, until) =
        (range.from.as_millis() - histogram.from_ms, range.until.as_millis() - histogram.from_ms);
    if from < 0 || until > buckets * step {
        return None;
    }
    let lines_in = |bucket: i64| {
        let of_level =
            |level: &Level| histogram.levels.get(*level).get(bucket as usize).copied().unwrap_or(0);
        let share = (until.min((bucket + 1) * step) - from.max(bucket * step)) as f64 / step as f64;
        Level::ALL.iter().map(of_level).sum::<u64>() as f64 * share
    };
    let lines: f64 = (from / step..(until + step - 1) / step).map(lines_in).sum();
    Some((lines.round() as u64, from % step == 0 && until % step == 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::time::Timestamp;

    fn seconds(from: i64, until: i64) -> TimeRange {
        TimeRange::between(Timestamp::from_secs(from), Timestamp::from_secs(until))
    }

    #[test]
    fn bars_have_a_round_step_and_their_width() {
        let check =
            |secs: i64, width: f64, expected: i64| assert_eq!(bucket_ms(seconds(0, secs), width), expected);
        check(3_600, 1_000.0, 30_000);
        check(120, 1_000.0, 1_000);
        check(400 * 86_400 * 52, 100.0, 149 * 604_800_000);
    }

    #[test]
    fn lines_are_counted_where_the_histogram_reaches() {
        let mut histogram = Histogram { from_ms: 10_000, step_ms: 1_000, total: 6, ..Histogram::default() };
        *histogram.levels.get_mut(Level::Info) = vec![1, 2, 3];
        *histogram.levels.get_mut(Level::Warn) = vec![0, 5];
        assert_eq!(count_in(&histogram, seconds(11, 13)), Some((10, true)));
        assert_eq!(count_in(&histogram, seconds(10, 11)), Some((1, true)));
        let half = |from: i64, until: i64| TimeRange {
            from: Timestamp::from_millis(from),
            until: Timestamp::from_millis(until),
        };
        assert_eq!(count_in(&histogram, half(10_000, 11_500)), Some((5, false)), "1 and half of 7");
        assert_eq!(count_in(&histogram, half(11_250, 11_500)), Some((2, false)), "a quarter of 7");
        assert_eq!(count_in(&histogram, seconds(9, 11)), None);
    }
}
