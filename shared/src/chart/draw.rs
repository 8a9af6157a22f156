//! A whole chart, drawn over any plotters backend. The only module that knows plotters.
//!
//! plotters counts in whole units, a line wants to be placed finer than a pixel: everything is drawn in
//! [`UNITS_PER_PX`] units a CSS pixel, and a backend for a screen divides. The plot lies between a gutter on the left
//! with the value labels and one on the right with the last values, or those of a second axis; on the page both have one
//! width for all charts.

mod backend;
mod legend;
mod pen;
mod picture;
mod series;

pub use backend::ChartBackend;
pub use picture::{Picture, draw_picture};

use super::bounds::Bounds;
use super::histogram::bars;
use super::outline::{dashes, extent};
use super::reduce::last_value;
use super::scale::{TimeScale, ValueScale};
use super::style::{Fill, Shape, Style};
use super::theme::Theme;
use super::ticks::{ValueAxis, held_axis, value_axis};
use super::units::{format_short, format_value};
use crate::api::{Columns, Event, Histogram};
use crate::dashboard::Threshold;
use crate::time::{TimeRange, Timestamp};
use pen::{Ink, Pen};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::style::text_anchor::HPos;
use plotters_backend::DrawingBackend;
use series::{Plotted, plotted};

/// Units of a drawing area in one CSS pixel.
pub const UNITS_PER_PX: f64 = 8.0;
/// The gutter left of every plot: as wide as the widest label that [`value_axis`] gives, and its margin.
pub const GUTTER_PX: f64 = 76.0;
/// The space right of every plot, for the last values.
pub const RIGHT_PX: f64 = 76.0;
/// The space above a plot, for the flags of events.
pub const TOP_PX: f64 = 8.0;
/// The space below a plot, so that the lowest label is whole.
pub const BOTTOM_PX: f64 = 6.0;

const LABEL_PX: f64 = 11.0;
/// Between a label and its plot.
const LABEL_MARGIN_PX: f64 = 8.0;
/// From the plot to a last value, with its swatch between them.
const LAST_VALUE_PX: f64 = 10.0;
const LABEL_SPACING_PX: f64 = 13.0;
const THRESHOLD_DASHES: (f64, f64) = (6.0, 3.0);
const THRESHOLD_ALPHA: f64 = 0.06;
/// An event's line is fainter than its flag, and than the crosshair.
const EVENT_ALPHA: f64 = 0.5;
/// So many last values are written at the right edge; the legend has all.
const MOST_LAST_VALUES: usize = 4;

/// Where a chart has its plot, and what it has around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    /// The space left of the plot.
    pub left_px: f64,
    /// The space right of the plot.
    pub right_px: f64,
    /// The space above the plot.
    pub top_px: f64,
    /// The space below the plot.
    pub bottom_px: f64,
    /// How large texts are.
    pub text_px: f64,
    /// Whether there is a mesh.
    pub has_mesh: bool,
    /// Whether the axes have labels.
    pub has_labels: bool,
    /// Whether the last values stand at the right edge.
    pub has_last_values: bool,
}

impl Layout {
    /// That of all charts of the page.
    pub const PAGE: Self = Self {
        left_px: GUTTER_PX,
        right_px: RIGHT_PX,
        top_px: TOP_PX,
        bottom_px: BOTTOM_PX,
        text_px: LABEL_PX,
        has_mesh: true,
        has_labels: true,
        has_last_values: true,
    };
}

/// What every chart is drawn for: a size, a range, notes, colours.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The width of the whole chart, gutters included, in CSS px.
    pub width_px: f64,
    /// The height of the whole chart in CSS px.
    pub height_px: f64,
    /// Where the plot lies in it.
    pub layout: Layout,
    /// Device pixels a CSS pixel: how finely series are reduced.
    pub pixel_ratio: f64,
    /// The visible range.
    pub range: TimeRange,
    /// Notes on the time axis.
    pub events: &'a [Event],
    /// The colours.
    pub theme: &'a Theme,
}

impl Frame<'_> {
    /// Where times lie on a chart of this frame.
    pub fn time_scale(&self) -> TimeScale {
        let width = self.width_px - self.layout.left_px - self.layout.right_px;
        TimeScale::new(self.range, self.layout.left_px, width.max(1.0))
    }
}

/// The width of the plot on a chart of the page of this width.
pub fn plot_width(chart_width_px: f64) -> f64 {
    (chart_width_px - GUTTER_PX - RIGHT_PX).max(1.0)
}

/// A value axis as it is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Side<'a> {
    /// The values' unit.
    pub unit: &'a str,
    /// The lowest value of the axis at most.
    pub min: Option<f64>,
    /// The highest value of the axis at least.
    pub max: Option<f64>,
    /// Whether the axis ends at these two, and what is beyond them is cut off.
    pub is_held: bool,
}

impl Side<'_> {
    /// The axis for values between two.
    fn axis(&self, extent: Option<(f64, f64)>) -> ValueAxis {
        if self.is_held {
            held_axis(extent, (self.min, self.max), self.unit)
        } else {
            value_axis(extent, self.min, self.max, self.unit)
        }
    }
}

/// What one panel shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lines<'a> {
    /// The series.
    pub series: &'a [Columns],
    /// What is drawn of them where that is not they themselves but, in a stack, each with all below it.
    pub sums: &'a [Columns],
    /// The bounds of what is drawn of each, where it is long and drawn again and again.
    pub bounds: &'a [Bounds],
    /// A slot (colour and dashes) a series; a series beyond has its own index.
    pub slots: &'a [usize],
    /// How each series is drawn; one beyond as a line.
    pub styles: &'a [Style],
    /// The axis at the left.
    pub left: Side<'a>,
    /// The axis at the right, of the series whose style says so.
    pub right: Side<'a>,
    /// Values from which on things are bad.
    pub thresholds: &'a [Threshold],
}

impl Lines<'_> {
    fn slot(&self, index: usize) -> usize {
        self.slots.get(index).copied().unwrap_or(index)
    }

    fn style(&self, index: usize) -> Style {
        self.styles.get(index).copied().unwrap_or_default()
    }
}

/// What drawing on an area may end in.
pub type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// Where values lie on a chart that was drawn, in CSS px from its upper edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueScales {
    /// Those of the axis at the left.
    pub left: ValueScale,
    /// Those of the axis at the right; without one the same.
    pub right: ValueScale,
}

/// Draws a panel's series with mesh, labels, thresholds and events, and says where it put values. The area is
/// `width × height` of the frame in units; its background is left as it is.
pub fn draw_chart<DB: ChartBackend>(
    area: &DrawingArea<DB, Shift>,
    frame: &Frame,
    lines: &Lines,
) -> Result<ValueScales, DrawingAreaErrorKind<DB::ErrorType>> {
    let pen = Pen { area, frame };
    let time = frame.time_scale();
    let all = plotted(frame, lines, &time);
    let (left, right) = axes(lines, &all);
    let height = frame.height_px - frame.layout.top_px - frame.layout.bottom_px;
    let scale = |axis: &ValueAxis| ValueScale::new(axis.low, axis.high, frame.layout.top_px, height);
    let left_scale = scale(&left);
    let right_scale = right.as_ref().map_or(left_scale, scale);
    let scales = ValueScales { left: left_scale, right: right_scale };
    let scale_of = |one: &Plotted| if one.style.is_right { right_scale } else { left_scale };
    pen.threshold_bands(&time, &left_scale, lines.thresholds)?;
    let has_left = all.iter().any(|one| !one.style.is_right && !one.runs.is_empty());
    pen.mesh(&time, &left_scale, &left, has_left)?;
    if let Some(right) = &right {
        pen.right_axis(&time, &right_scale, right)?;
    }
    (0..all.len()).try_for_each(|index| pen.fill_below(&all, index, &scale_of(&all[index])))?;
    pen.threshold_lines(&time, &left_scale, lines.thresholds)?;
    all.iter().try_for_each(|one| pen.series(one, &scale_of(one)))?;
    pen.events(&time)?;
    if right.is_none() && frame.layout.has_last_values {
        pen.last_values(&time, &left_scale, last_values(frame, lines), lines.left.unit)?;
    }
    Ok(scales)
}

/// The two value axes; the right one only where a series has it.
fn axes(lines: &Lines, all: &[Plotted]) -> (ValueAxis, Option<ValueAxis>) {
    let extent_of = |is_right: bool| {
        let on_it = |one: &&Plotted| one.style.is_right == is_right && one.style.shape != Shape::Upright;
        let has_ground = all.iter().filter(on_it).any(|one| matches!(one.style.fill, Fill::Ground(_)));
        let found = extent(all.iter().filter(on_it).flat_map(|one| &one.runs));
        // An area says how much there is from zero on.
        found.map(|(low, high)| if has_ground { (low.min(0.0), high.max(0.0)) } else { (low, high) })
    };
    let has_right = all.iter().any(|one| one.style.is_right);
    (lines.left.axis(extent_of(false)), has_right.then(|| lines.right.axis(extent_of(true))))
}

/// A series' last value beside its slot and its place on the axis, which in a stack is another.
struct LastValue {
    slot: usize,
    value: f64,
    at: f64,
}

/// The first few series' last values.
fn last_values(frame: &Frame, lines: &Lines) -> Vec<LastValue> {
    let one = |(index, one): (usize, &Columns)| {
        let value = last_of(one, frame)?;
        let at = lines.sums.get(index).map_or(Some(value), |sum| last_of(sum, frame))?;
        Some(LastValue { slot: lines.slot(index), value, at })
    };
    lines.series.iter().enumerate().filter_map(one).take(MOST_LAST_VALUES).collect()
}

fn last_of(series: &Columns, frame: &Frame) -> Option<f64> {
    let (from_ms, until_ms) = (frame.range.from.as_millis_f64(), frame.range.until.as_millis_f64());
    last_value(&series.times_ms, &series.values, from_ms, until_ms)
}

/// Draws the lines by level as stacked bars, with the highest bar's count in the gutter.
pub fn draw_histogram<DB: ChartBackend>(
    area: &DrawingArea<DB, Shift>,
    frame: &Frame,
    histogram: &Histogram,
) -> Drawn<DB> {
    let pen = Pen { area, frame };
    let time = frame.time_scale();
    let bottom = frame.height_px - 1.0;
    let (bars, most) = bars(histogram, &time, TOP_PX, bottom);
    for bar in bars {
        pen.rect((bar.left, bar.top), (bar.right, bar.bottom), frame.theme.level(bar.level), 1.0)?;
    }
    pen.path(&[(time.left(), bottom), (time.right(), bottom)], Ink::thin(frame.theme.line))?;
    pen.events(&time)?;
    if most == 0 {
        return Ok(());
    }
    pen.gutter_label(&format_value(most as f64, ""), TOP_PX + LABEL_PX / 2.0)
}

impl<DB: ChartBackend> Pen<'_, DB> {
    /// The mesh; without data its labels would be made up.
    fn mesh(&self, time: &TimeScale, value: &ValueScale, axis: &ValueAxis, is_labelled: bool) -> Drawn<DB> {
        for (y, label) in self.ticks(value, axis) {
            if self.frame.layout.has_mesh {
                self.path(&[(time.left(), y), (time.right(), y)], Ink::thin(self.frame.theme.line))?;
            }
            if is_labelled && self.frame.layout.has_labels {
                self.gutter_label(label, y)?;
            }
        }
        Ok(())
    }

    /// The ticks of an axis, where each lies; in a low chart only as many as have room for their labels.
    fn ticks<'b>(&self, value: &ValueScale, axis: &'b ValueAxis) -> Vec<(f64, &'b str)> {
        let mut ticks: Vec<(f64, &str)> = Vec::new();
        for (at, label) in &axis.ticks {
            let y = value.y_from_value(*at);
            if ticks.last().is_none_or(|(below, _)| below - y >= self.frame.layout.text_px * 1.2) {
                ticks.push((y, label));
            }
        }
        ticks
    }

    fn gutter_label(&self, label: &str, y: f64) -> Drawn<DB> {
        let x = self.frame.layout.left_px - LABEL_MARGIN_PX;
        self.text(label, (x, y), HPos::Right, self.frame.theme.muted)
    }

    /// The labels of the axis at the right, each with a short tick: the mesh is that of the left one.
    fn right_axis(&self, time: &TimeScale, value: &ValueScale, axis: &ValueAxis) -> Drawn<DB> {
        if !self.frame.layout.has_labels {
            return Ok(());
        }
        let x = time.right();
        for (y, label) in self.ticks(value, axis) {
            self.path(&[(x, y), (x + LABEL_MARGIN_PX / 2.0, y)], Ink::thin(self.frame.theme.faint))?;
            self.text(label, (x + LABEL_MARGIN_PX, y), HPos::Left, self.frame.theme.muted)?;
        }
        Ok(())
    }

    /// From each threshold up to the next one its level's colour, lightly.
    fn threshold_bands(&self, time: &TimeScale, value: &ValueScale, thresholds: &[Threshold]) -> Drawn<DB> {
        for threshold in thresholds {
            let next = thresholds.iter().map(|other| other.at).filter(|at| *at > threshold.at);
            let upper = value.y_from_value(next.fold(f64::MAX, f64::min)).max(value.top());
            let lower = value.y_from_value(threshold.at).min(value.bottom());
            if lower > upper {
                let colour = self.frame.theme.level(threshold.level);
                self.rect((time.left(), upper), (time.right(), lower), colour, THRESHOLD_ALPHA)?;
            }
        }
        Ok(())
    }

    fn threshold_lines(&self, time: &TimeScale, value: &ValueScale, thresholds: &[Threshold]) -> Drawn<DB> {
        for threshold in thresholds {
            let y = value.y_from_value(threshold.at);
            if (value.top()..=value.bottom()).contains(&y) {
                let colour = self.frame.theme.level(threshold.level);
                let line = [(time.left(), y), (time.right(), y)];
                dashes(&line, THRESHOLD_DASHES)
                    .iter()
                    .try_for_each(|piece| self.path(piece, Ink::thin(colour)))?;
            }
        }
        Ok(())
    }

    fn events(&self, time: &TimeScale) -> Drawn<DB> {
        let colour = self.frame.theme.faint;
        let top = self.frame.layout.top_px - TOP_PX;
        let bottom = self.frame.height_px - self.frame.layout.bottom_px + BOTTOM_PX;
        for event in self.frame.events {
            let at = Timestamp::from_secs(event.when);
            if !self.frame.range.contains(at) {
                continue;
            }
            let x = time.x_from_time(at);
            self.path(&[(x, top), (x, bottom)], Ink { alpha: EVENT_ALPHA, ..Ink::thin(colour) })?;
            self.polygon(&[(x, top), (x + 7.0, top + 3.0), (x, top + 6.0)], colour, 1.0)?;
        }
        Ok(())
    }

    /// The series' last values right of the plot, each at its height, pushed apart where they would overlap.
    fn last_values(
        &self,
        time: &TimeScale,
        value: &ValueScale,
        last: Vec<LastValue>,
        unit: &str,
    ) -> Drawn<DB> {
        let mut labels: Vec<(f64, usize, f64)> =
            last.into_iter().map(|last| (value.y_from_value(last.at), last.slot, last.value)).collect();
        let spread = value.value_from_y(value.top()) - value.value_from_y(value.bottom());
        labels.sort_by(|a, b| a.0.total_cmp(&b.0));
        push_apart(&mut labels, value.top(), value.bottom());
        for (y, slot, at) in labels {
            let x = time.right() + 4.0;
            self.rect((x, y - 4.0), (x + 3.0, y + 4.0), self.frame.theme.slot(slot), 1.0)?;
            self.text(
                &format_short(at, unit, spread),
                (time.right() + LAST_VALUE_PX, y),
                HPos::Left,
                self.frame.theme.text,
            )?;
        }
        Ok(())
    }
}

/// Moves labels that are sorted by height so that each has its space, first downwards, then back up from the bottom.
fn push_apart(labels: &mut [(f64, usize, f64)], top: f64, bottom: f64) {
    let mut free_from = top;
    for label in labels.iter_mut() {
        label.0 = label.0.max(free_from);
        free_from = label.0 + LABEL_SPACING_PX;
    }
    let mut free_to = bottom;
    for label in labels.iter_mut().rev() {
        label.0 = label.0.min(free_to);
        free_to = label.0 - LABEL_SPACING_PX;
    }
}

#[cfg(test)]
mod tests;
