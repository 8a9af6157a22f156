//! What one chart shows of its panel's answer: which of the series, in which colours, with what in front, and what is read off them.

use super::canvas::Canvas;
use super::crosshair::{Point, points_at};
use super::legend::{Picked, Row};
use super::readings::{
    Reading, Units, extent_of, highest_share, last_readings, outlines, parted, readings_at, stats_of, styles,
    with_one_in_front,
};
use super::slots::PanelSlots;
use super::surface::Surface;
use crate::boxed::memo;
use leptos::prelude::*;
use sonde_shared::api::Columns;
use sonde_shared::chart::bounds::Bounds;
use sonde_shared::chart::draw::{Frame, Lines, Side, ValueScales, draw_chart};
use sonde_shared::chart::scale::TimeScale;
use sonde_shared::dashboard::Draw;
use sonde_shared::time::{NANOS_PER_MS, TimeRange, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Mean values by series.
pub type Means = BTreeMap<String, f64>;

/// A value is read up to so many px beyond where a series' line has an end.
const REACH_PX: f64 = 12.0;

/// A panel's series, `None` while nothing was loaded yet.
pub(super) type Series = Option<Arc<Vec<Columns>>>;

/// Each part is computed once for all that ask.
#[derive(Clone, Copy)]
pub(super) struct ChartModel {
    surface: Surface,
    /// How the panel wants its series drawn.
    draw: Draw,
    /// All series of the panel.
    all: Signal<Series>,
    /// Which of them are shown.
    is_shown: Memo<Vec<bool>>,
    /// Those.
    shown: Memo<Series>,
    /// How they are drawn.
    how: Memo<Draw>,
    all_slots: Memo<Vec<usize>>,
    slots: Memo<Vec<usize>>,
    /// The series that is looked at, on whichever chart.
    in_front: Memo<Option<String>>,
    /// The least and the highest of all values.
    extent: Memo<Option<(f64, f64)>>,
    bounds: Memo<Vec<Bounds>>,
    units: StoredValue<Units>,
    /// Where values are on the canvas, since it was painted.
    scales: RwSignal<Option<ValueScales>>,
}

impl ChartModel {
    pub(super) fn of(
        surface: Surface,
        all: Signal<Series>,
        draw: Draw,
        units: Units,
        picked: Picked,
    ) -> Self {
        let ctx = surface.ctx;
        let panel_slots = PanelSlots::of(ctx.slots, surface.panel());
        let is_shown = memo(move || {
            let names =
                |all: &Arc<Vec<Columns>>| picked.shown(parted(all, draw).0.iter().map(|one| &one.name));
            all.with(|all| all.as_ref().map(names)).unwrap_or_default()
        });
        // Kept, for it is read at each move of the pointer; and another one each time, for comparing costs more than drawing.
        let shown =
            Memo::new_with_compare(move |_| Some(kept(all.get()?, &is_shown.get(), draw)), |_, _| true);
        // What is taken out of a stack stands by itself.
        let how = memo(move || {
            let is_whole = is_shown.with(|shown| shown.iter().all(|is| *is));
            if is_whole || draw != Draw::Stacked { draw } else { Draw::Area }
        });
        let all_slots = memo(move || {
            all.with(|all| all.as_ref().map(|all| panel_slots.assign(parted(all, draw).0)))
                .unwrap_or_default()
        });
        let slots = memo(move || {
            let (slots, shown) = (all_slots.get(), is_shown.get());
            slots.into_iter().zip(shown).filter(|(_, is)| *is).map(|(slot, _)| slot).collect::<Vec<_>>()
        });
        // Charts that do not have it stay as they are.
        let in_front = memo(move || {
            let name = ctx.looked_at.get()?;
            let has_it = |all: &Arc<Vec<Columns>>| all.iter().any(|one| one.name == name);
            all.with(|all| all.as_ref().is_some_and(has_it)).then_some(name)
        });
        // Looked at again at each move of the pointer: the extremes of all points are not.
        let extent = memo(move || {
            shown.with(|shown| shown.as_ref().and_then(|all| extent_of(outlines(all, how.get()))))
        });
        let bounds = Memo::new_with_compare(
            move |_| {
                shown.with(|shown| shown.as_ref().map(|all| bounds_of(all, how.get()))).unwrap_or_default()
            },
            |_: Option<&Vec<Bounds>>, _| true,
        );
        let (units, scales) = (StoredValue::new(units), RwSignal::new(None));
        Self {
            surface,
            draw,
            all,
            is_shown,
            shown,
            how,
            all_slots,
            slots,
            in_front,
            extent,
            bounds,
            units,
            scales,
        }
    }

    /// Whether there is something to draw; tells of each change of it.
    pub(super) fn is_there(self) -> bool {
        self.in_front.track();
        self.shown.with(Option::is_some)
    }

    /// Paints the series on what a panel shows besides: the axes' own ends and the thresholds of `lines`. Not tracked.
    pub(super) fn paint(self, canvas: &Canvas, frame: &Frame, lines: Lines) {
        let Some(all) = self.shown.get_untracked() else { return };
        let (units, slots, how) =
            (self.units.get_value(), self.slots.get_untracked(), self.how.get_untracked());
        let (series, sums) = parted(&all, how);
        let looked_at = self.in_front.get_untracked();
        let styles = with_one_in_front(styles(series, how), series, looked_at.as_deref());
        let left = Side { unit: &units.left, ..lines.left };
        let right = Side { unit: &units.right, ..lines.right };
        // A canvas cannot fail; an error would leave the plot empty until the next change.
        let scales = self.bounds.with_untracked(|bounds| {
            let lines = Lines { series, sums, styles: &styles, slots: &slots, bounds, left, right, ..lines };
            draw_chart(canvas, frame, &lines).ok()
        });
        if self.scales.get_untracked() != scales {
            self.scales.set(scales);
        }
    }

    /// The values at an instant.
    pub(super) fn readings(self, at: Timestamp) -> Vec<Reading> {
        let (Some(all), slots) = (self.shown.get(), self.slots.get()) else { return Vec::new() };
        let (at_ms, reach_ms) = (at.as_millis_f64(), reach_ms(&self.surface.scale()));
        readings_at(parted(&all, self.how.get()).0, &slots, &self.units(), at_ms, reach_ms)
    }

    /// Where those are on the plot.
    pub(super) fn points(self, at: Timestamp) -> Vec<Point> {
        let (Some(all), Some(values)) = (self.shown.get(), self.scales.get()) else { return Vec::new() };
        let time = self.surface.scale();
        let place = (at.as_millis_f64(), reach_ms(&time));
        self.slots.with(|slots| points_at(&all, self.how.get(), slots, (&time, &values), place))
    }

    /// Whether what is seen of a range reaches into the upper half.
    pub(super) fn is_high(self, range: TimeRange) -> bool {
        let (from, until) = (range.from.as_millis_f64(), range.until.as_millis_f64());
        let share = |all: &Arc<Vec<Columns>>| {
            highest_share(outlines(all, self.how.get()), from, until, self.extent.get()?)
        };
        self.shown.with(|shown| shown.as_ref().and_then(share)).is_some_and(|share| share > 0.5)
    }

    /// The lines of the legend; with what is looked for in all that is seen only while there are `details`, for that takes its time at each
    /// step of a pan.
    pub(super) fn rows(self, means: Option<&Means>, details: bool) -> Vec<Row> {
        let (Some(all), range) = (self.all.get(), self.surface.ctx.range.get()) else { return Vec::new() };
        let series = parted(&all, self.draw).0;
        let units = self.units();
        let last = last_readings(series, &self.all_slots.get(), &units, range);
        let mean = |one: &Columns| means.and_then(|means| means.get(&one.name)).copied();
        let stats = |one: &Columns| details.then(|| stats_of(one, &units, range, mean(one)));
        let row = |((one, last), is_shown): ((&Columns, Reading), bool)| Row {
            name: one.name.clone(),
            last,
            stats: stats(one).unwrap_or_default(),
            is_shown,
        };
        series.iter().zip(last).zip(self.is_shown.get()).map(row).collect()
    }

    /// The units, for values among all that are shown.
    fn units(self) -> Units {
        let spread = self.extent.get().map_or(f64::INFINITY, |(low, high)| high - low);
        Units { spread, ..self.units.get_value() }
    }
}

fn bounds_of(all: &[Columns], draw: Draw) -> Vec<Bounds> {
    outlines(all, draw).iter().map(|one| Bounds::of_long(&one.values)).collect()
}

/// How far beyond the ends of its line a series' value is read.
fn reach_ms(time: &TimeScale) -> f64 {
    time.nanos_per_px() * REACH_PX / NANOS_PER_MS as f64
}

/// The series that are shown; without sums of a stack where not all are.
fn kept(all: Arc<Vec<Columns>>, shown: &[bool], draw: Draw) -> Arc<Vec<Columns>> {
    if shown.iter().all(|is| *is) {
        return all;
    }
    let series = parted(&all, draw).0.iter().zip(shown);
    Arc::new(series.filter(|(_, is)| **is).map(|(one, _)| one.clone()).collect())
}
