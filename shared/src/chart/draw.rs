//! A whole chart, drawn over any plotters backend. The only file that knows plotters.
//!
//! plotters counts in whole units, a line wants to be placed finer than a pixel: everything is drawn in
//! [`UNITS_PER_PX`] units a CSS pixel, and a backend for a screen divides. The plot lies between a gutter on the left
//! with the value labels and one on the right with the last values, both of one width for all charts.

use super::histogram::bars;
use super::outline::{Pixels, Run, Slice, dashes, extent, speck, visible_runs};
use super::reduce::last_value;
use super::scale::{TimeScale, ValueScale};
use super::theme::{Rgb, Theme, dashes_of_slot};
use super::ticks::{ValueAxis, value_axis};
use super::units::{format_short, format_value};
use crate::api::{Columns, Event, Histogram};
use crate::dashboard::Threshold;
use crate::time::{NANOS_PER_MS, TimeRange, Timestamp};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontFamily, RGBAColor, ShapeStyle, TextStyle};
use plotters_backend::DrawingBackend;

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
const AREA_ALPHA: f64 = 0.12;
const THRESHOLD_ALPHA: f64 = 0.06;
/// Above so many series lines are thin and have no area.
const MANY_SERIES: usize = 8;
/// What of a series is smaller than this dot is drawn as one, for it would not be seen.
const DOT_PX: f64 = 4.0;
/// So many last values are written at the right edge; the legend has all.
const MOST_LAST_VALUES: usize = 4;

/// What every chart is drawn for: a size, a range, notes, colours.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The width of the whole chart, gutters included, in CSS px.
    pub width_px: f64,
    /// The height of the whole chart in CSS px.
    pub height_px: f64,
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
        TimeScale::new(self.range, GUTTER_PX, plot_width(self.width_px))
    }

    /// The plot's columns of device pixels.
    fn pixels(&self) -> Pixels {
        let width_px = plot_width(self.width_px);
        let count = (width_px * self.pixel_ratio).round().clamp(1.0, 100_000.0);
        Pixels { left: GUTTER_PX, width: width_px / count, count: count as usize }
    }
}

/// The width of the plot on a chart of this width.
pub fn plot_width(chart_width_px: f64) -> f64 {
    (chart_width_px - GUTTER_PX - RIGHT_PX).max(1.0)
}

/// What one panel shows.
#[derive(Clone, Copy, Debug)]
pub struct Lines<'a> {
    /// The series.
    pub series: &'a [Columns],
    /// A slot (colour and dashes) a series; a series beyond has its own index.
    pub slots: &'a [usize],
    /// The values' unit.
    pub unit: &'a str,
    /// The lowest value of the axis at most.
    pub min: Option<f64>,
    /// The highest value of the axis at least.
    pub max: Option<f64>,
    /// Values from which on things are bad.
    pub thresholds: &'a [Threshold],
}

/// What drawing on an area may end in.
pub type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// Draws a panel's series with mesh, labels, thresholds and events. The area is `width × height` of the frame in
/// units; its background is left as it is.
pub fn draw_chart<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    frame: &Frame,
    lines: &Lines,
) -> Drawn<DB> {
    let pen = Pen { area, frame };
    let time = frame.time_scale();
    let pixels = frame.pixels();
    let runs: Vec<Vec<Run>> = lines.series.iter().map(|one| visible_runs(one, &time, pixels.count)).collect();
    let axis = value_axis(extent(runs.iter().flatten()), lines.min, lines.max, lines.unit);
    let height = frame.height_px - TOP_PX - BOTTOM_PX;
    let value = ValueScale::new(axis.low, axis.high, TOP_PX, height);
    pen.threshold_bands(&time, &value, lines.thresholds)?;
    pen.mesh(&time, &value, &axis, !runs.iter().all(Vec::is_empty))?;
    let slot_of = |index: usize| lines.slots.get(index).copied().unwrap_or(index);
    if runs.len() <= MANY_SERIES {
        for (index, runs) in runs.iter().enumerate() {
            runs.iter().try_for_each(|run| pen.area_under(run, &value, slot_of(index)))?;
        }
    }
    pen.threshold_lines(&time, &value, lines.thresholds)?;
    let width_px = if runs.len() > MANY_SERIES { 1.0 } else { 1.5 };
    for (index, runs) in runs.iter().enumerate() {
        runs.iter().try_for_each(|run| pen.series_line(run, &value, slot_of(index), width_px))?;
    }
    pen.events(&time)?;
    let last = lines
        .series
        .iter()
        .enumerate()
        .filter_map(|(index, one)| Some((slot_of(index), last_of(one, frame)?)));
    pen.last_values(&time, &value, last.take(MOST_LAST_VALUES).collect(), lines.unit)
}

fn last_of(series: &Columns, frame: &Frame) -> Option<f64> {
    let ms = |at: Timestamp| at.as_nanos() as f64 / NANOS_PER_MS as f64;
    last_value(&series.times_ms, &series.values, ms(frame.range.from), ms(frame.range.until))
}

/// Draws the lines by level as stacked bars, with the highest bar's count in the gutter.
pub fn draw_histogram<DB: DrawingBackend>(
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
    pen.path(&[(time.left(), bottom), (time.right(), bottom)], frame.theme.line, 1.0)?;
    pen.events(&time)?;
    if most == 0 {
        return Ok(());
    }
    pen.gutter_label(&format_value(most as f64, ""), TOP_PX + LABEL_PX / 2.0)
}

/// Draws in CSS pixels onto an area counted in units.
struct Pen<'a, DB: DrawingBackend> {
    area: &'a DrawingArea<DB, Shift>,
    frame: &'a Frame<'a>,
}

impl<DB: DrawingBackend> Pen<'_, DB> {
    /// The mesh; without data its labels would be made up.
    fn mesh(&self, time: &TimeScale, value: &ValueScale, axis: &ValueAxis, is_labelled: bool) -> Drawn<DB> {
        for (at, label) in &axis.ticks {
            let y = value.y_from_value(*at);
            self.path(&[(time.left(), y), (time.right(), y)], self.frame.theme.line, 1.0)?;
            if is_labelled {
                self.gutter_label(label, y)?;
            }
        }
        Ok(())
    }

    fn gutter_label(&self, label: &str, y: f64) -> Drawn<DB> {
        self.text(label, (GUTTER_PX - LABEL_MARGIN_PX, y), HPos::Right, self.frame.theme.muted)
    }

    fn series_line(&self, run: &Run, value: &ValueScale, slot: usize, width_px: f64) -> Drawn<DB> {
        let colour = self.frame.theme.slot(slot);
        let path: Run = run.iter().map(|(x, at)| (*x, value.y_from_value(*at))).collect();
        // One point between two gaps has no line, a few that lie close together have hardly one.
        if let Some(middle) = speck(&path, DOT_PX) {
            return self.dot(middle, DOT_PX / 2.0, colour);
        }
        match dashes_of_slot(slot) {
            // A stroke of some thousand points to and fro takes many times as long as what it looks like.
            None if self.frame.pixels().hide(&path) => self.band(&path, None, width_px / 2.0, colour, 1.0),
            None => self.path(&path, colour, width_px),
            Some(lengths) => {
                dashes(&path, lengths).iter().try_for_each(|piece| self.path(piece, colour, width_px))
            }
        }
    }

    /// The area between a run and zero, or the edge of the plot nearest to zero.
    fn area_under(&self, run: &Run, value: &ValueScale, slot: usize) -> Drawn<DB> {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return Ok(()) };
        let ground = value.y_from_value(0.0).clamp(value.top(), value.bottom());
        let mut corners: Run = run.iter().map(|(x, at)| (*x, value.y_from_value(*at))).collect();
        if self.frame.pixels().hide(&corners) {
            return self.band(&corners, Some(ground), 0.0, self.frame.theme.slot(slot), AREA_ALPHA);
        }
        corners.extend([(last.0, ground), (first.0, ground)]);
        let corners: Vec<(i32, i32)> = corners.into_iter().map(units).collect();
        self.area.draw(&Polygon::new(corners, fill(self.frame.theme.slot(slot), AREA_ALPHA)))
    }

    /// What a path covers of each column of pixels, and `margin` px above and below it; with a ground also all from there on.
    fn band(
        &self,
        path: &[(f64, f64)],
        ground: Option<f64>,
        margin: f64,
        colour: Rgb,
        alpha: f64,
    ) -> Drawn<DB> {
        let corners = band_corners(self.frame.pixels(), path, ground, margin);
        self.area.draw(&Polygon::new(corners, fill(colour, alpha)))
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
                dashes(&line, THRESHOLD_DASHES).iter().try_for_each(|piece| self.path(piece, colour, 1.0))?;
            }
        }
        Ok(())
    }

    fn events(&self, time: &TimeScale) -> Drawn<DB> {
        let colour = self.frame.theme.faint;
        for event in self.frame.events {
            let at = Timestamp::from_secs(event.when);
            if !self.frame.range.contains(at) {
                continue;
            }
            let x = time.x_from_time(at);
            self.path(&[(x, 0.0), (x, self.frame.height_px)], colour, 1.0)?;
            let flag = [(x, 0.0), (x + 7.0, 3.0), (x, 6.0)].map(units).to_vec();
            self.area.draw(&Polygon::new(flag, fill(colour, 1.0)))?;
        }
        Ok(())
    }

    /// The series' last values right of the plot, each at its height, pushed apart where they would overlap.
    fn last_values(
        &self,
        time: &TimeScale,
        value: &ValueScale,
        last: Vec<(usize, f64)>,
        unit: &str,
    ) -> Drawn<DB> {
        let mut labels: Vec<(f64, usize, f64)> =
            last.into_iter().map(|(slot, at)| (value.y_from_value(at), slot, at)).collect();
        labels.sort_by(|a, b| a.0.total_cmp(&b.0));
        push_apart(&mut labels, value.top(), value.bottom());
        for (y, slot, at) in labels {
            let x = time.right() + 4.0;
            self.rect((x, y - 4.0), (x + 3.0, y + 4.0), self.frame.theme.slot(slot), 1.0)?;
            self.text(
                &format_short(at, unit),
                (time.right() + LAST_VALUE_PX, y),
                HPos::Left,
                self.frame.theme.text,
            )?;
        }
        Ok(())
    }

    fn path(&self, points: &[(f64, f64)], colour: Rgb, width_px: f64) -> Drawn<DB> {
        let points: Vec<(i32, i32)> = points.iter().copied().map(units).collect();
        self.area.draw(&PathElement::new(points, stroke(colour, width_px)))
    }

    fn dot(&self, at: (f64, f64), radius_px: f64, colour: Rgb) -> Drawn<DB> {
        self.area.draw(&Circle::new(units(at), radius_px * UNITS_PER_PX, fill(colour, 1.0)))
    }

    fn rect(&self, upper_left: (f64, f64), lower_right: (f64, f64), colour: Rgb, alpha: f64) -> Drawn<DB> {
        self.area.draw(&Rectangle::new([units(upper_left), units(lower_right)], fill(colour, alpha)))
    }

    fn text(&self, text: &str, at: (f64, f64), anchor: HPos, colour: Rgb) -> Drawn<DB> {
        let family = FontFamily::Name(&self.frame.theme.font);
        let colour = rgba(colour, 1.0);
        let style = TextStyle::from((family, LABEL_PX * UNITS_PER_PX))
            .color(&colour)
            .pos(Pos::new(anchor, VPos::Center));
        self.area.draw(&Text::new(text, units(at), style))
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

/// The outline of a band, in units. Not part of the pen: what is generic is compiled for size with the page's own code.
#[inline(never)]
fn band_corners(pixels: Pixels, path: &[(f64, f64)], ground: Option<f64>, margin: f64) -> Vec<(i32, i32)> {
    let slices = pixels.slices(path).into_iter();
    let slices: Vec<Slice> = slices.map(|slice| ground.map_or(slice, |y| slice.with(y))).collect();
    let over = |slice: &Slice, y: f64| [units((slice.left, y)), units((slice.left + pixels.width, y))];
    let upper = slices.iter().flat_map(|slice| over(slice, slice.top - margin));
    let lower = slices.iter().rev().flat_map(|slice| {
        let [left, right] = over(slice, slice.bottom + margin);
        [right, left]
    });
    let mut corners: Vec<(i32, i32)> = Vec::with_capacity(4 * slices.len());
    for corner in upper.chain(lower) {
        // On a level stretch its ends are enough, and each corner is a call.
        if let [.., (_, earlier), last] = corners.as_mut_slice()
            && *earlier == last.1
            && last.1 == corner.1
        {
            last.0 = corner.0;
        } else {
            corners.push(corner);
        }
    }
    corners
}

fn units((x, y): (f64, f64)) -> (i32, i32) {
    // `as` holds what is beyond at the ends; far less is far outside of any screen and keeps sums from overflowing.
    let unit = |px: f64| (px * UNITS_PER_PX).round().clamp(-1e7, 1e7) as i32;
    (unit(x), unit(y))
}

fn rgba(Rgb(red, green, blue): Rgb, alpha: f64) -> RGBAColor {
    RGBAColor(red, green, blue, alpha)
}

fn fill(colour: Rgb, alpha: f64) -> ShapeStyle {
    ShapeStyle { color: rgba(colour, alpha), filled: true, stroke_width: 0 }
}

fn stroke(colour: Rgb, width_px: f64) -> ShapeStyle {
    ShapeStyle { color: rgba(colour, 1.0), filled: false, stroke_width: (width_px * UNITS_PER_PX) as u32 }
}

#[cfg(test)]
mod tests;
