//! The series of a chart: where each lies, its area, its line.

use super::pen::{Ink, Pen};
use super::{ChartBackend, Drawn, Frame, Lines};
use crate::chart::bounds::Bounds;
use crate::chart::outline::{Pixels, Run, Slice, clip, crossed, dashes, parts_between, speck, visible_runs};
use crate::chart::scale::{TimeScale, ValueScale};
use crate::chart::style::{FEW_SERIES, Fill, Shape, Style};
use crate::chart::theme::{Rgb, dashes_of_slot};
use std::borrow::Cow;

const LIGHT_ALPHA: f64 = 0.12;
/// Above so many series lines are thin.
const MANY_SERIES: usize = 8;
/// What of a series is smaller than this dot is drawn as one, for it would not be seen.
pub(super) const DOT_PX: f64 = 4.0;
/// The dots of a series that is drawn as such.
const POINT_PX: f64 = 3.0;
/// All series together are reduced to no more columns than this.
const MOST_COLUMNS: usize = 200_000;

/// One series, ready to be drawn.
pub(super) struct Plotted {
    /// What is seen of it: places beside values.
    pub(super) runs: Vec<Run>,
    pub(super) style: Style,
    slot: usize,
    width_px: f64,
    has_light_area: bool,
    /// Whether values may lie beyond the axis.
    is_cut: bool,
    /// The screen's columns of pixels.
    pixels: Pixels,
}

/// The series of a panel as they are seen, reduced to pixel columns.
pub(super) fn plotted(frame: &Frame, lines: &Lines, time: &TimeScale) -> Vec<Plotted> {
    let is_many = lines.series.len() > MANY_SERIES;
    let has_light_area = lines.series.len() <= FEW_SERIES;
    let unknown = Bounds::default();
    let wanted = ((time.right() - time.left()) * frame.pixel_ratio).round().clamp(1.0, 100_000.0) as usize;
    let pixels =
        Pixels { left: time.left(), width: (time.right() - time.left()) / wanted as f64, count: wanted };
    let columns = wanted.min(MOST_COLUMNS / lines.series.len().max(1)).max(1);
    let one = |index: usize| {
        let style = lines.style(index);
        // As many dots as there are columns would lie on each other.
        let columns = if style.shape == Shape::Points { (columns / 2).max(1) } else { columns };
        let outline = lines.sums.get(index).unwrap_or(&lines.series[index]);
        let width_px = style.width_px.unwrap_or(if is_many { 1.0 } else { 1.5 });
        let bounds = lines.bounds.get(index).unwrap_or(&unknown);
        let runs = visible_runs(outline, bounds, time, columns, style.shape == Shape::Staircase);
        let side = if style.is_right { &lines.right } else { &lines.left };
        let (slot, is_cut) = (lines.slot(index), side.is_held);
        Plotted { runs, style, slot, width_px, has_light_area, is_cut, pixels }
    };
    (0..lines.series.len()).map(one).collect()
}

impl Plotted {
    fn ink(&self, colour: Rgb) -> Ink {
        Ink { colour, alpha: self.style.alpha, width_px: self.width_px }
    }

    fn dashes(&self) -> Option<(f64, f64)> {
        self.style.dashes.or_else(|| dashes_of_slot(self.slot).filter(|_| self.style.colour.is_none()))
    }
}

impl<DB: ChartBackend> Pen<'_, DB> {
    /// The area below a series.
    pub(super) fn fill_below(&self, all: &[Plotted], index: usize, value: &ValueScale) -> Drawn<DB> {
        let one = &all[index];
        match one.style.fill {
            Fill::None => Ok(()),
            Fill::Light if !one.has_light_area || one.style.shape == Shape::Upright => Ok(()),
            Fill::Light => {
                one.runs.iter().try_for_each(|run| self.area_to_ground(one, run, value, LIGHT_ALPHA))
            }
            Fill::Ground(alpha) => {
                one.runs.iter().try_for_each(|run| self.area_to_ground(one, run, value, alpha))
            }
            Fill::DownTo(below, alpha) => match all.get(below) {
                Some(below) => self.area_between(one, below, value, alpha),
                None => Ok(()),
            },
        }
    }

    /// The area between a run and zero, or the edge of the plot nearest to zero.
    fn area_to_ground(&self, one: &Plotted, run: &Run, value: &ValueScale, alpha: f64) -> Drawn<DB> {
        let ground = value.y_from_value(0.0).clamp(value.top(), value.bottom());
        let mut corners = held(run, value);
        let (Some(first), Some(last)) = (corners.first().copied(), corners.last().copied()) else {
            return Ok(());
        };
        if one.pixels.hide(&corners) {
            let slices = slices_to(one.pixels, &corners, Some(ground), 0.0);
            return self.columns(one.pixels, &slices, self.colour_of(one), alpha);
        }
        corners.extend([(last.0, ground), (first.0, ground)]);
        self.polygon(&corners, self.colour_of(one), alpha)
    }

    /// The area between two series, where both are.
    fn area_between(&self, one: &Plotted, below: &Plotted, value: &ValueScale, alpha: f64) -> Drawn<DB> {
        let pairs = one.runs.iter().flat_map(|upper| below.runs.iter().map(move |lower| (upper, lower)));
        for (upper, lower) in pairs {
            let (Some(left), Some(right)) = (upper.first(), upper.last()) else { continue };
            let (Some(other_left), Some(other_right)) = (lower.first(), lower.last()) else { continue };
            let (left, right) = (left.0.max(other_left.0), right.0.min(other_right.0));
            if left < right {
                let [mut upper, lower] = [upper, lower].map(|run| held(&clip(run, left, right), value));
                let colour = self.colour_of(one);
                if one.pixels.hide(&upper) || one.pixels.hide(&lower) {
                    let slices = slices_between(one.pixels, &upper, &lower);
                    self.columns(one.pixels, &slices, colour, alpha)?;
                } else {
                    upper.extend(lower.into_iter().rev());
                    self.polygon(&upper, colour, alpha)?;
                }
            }
        }
        Ok(())
    }

    /// The series itself.
    pub(super) fn series(&self, one: &Plotted, value: &ValueScale) -> Drawn<DB> {
        match one.style.shape {
            Shape::Upright => self.uprights(one, value),
            Shape::Points => self.points(one, value),
            Shape::Line | Shape::Staircase => one.runs.iter().try_for_each(|run| self.line(one, run, value)),
        }
    }

    fn line(&self, one: &Plotted, run: &Run, value: &ValueScale) -> Drawn<DB> {
        let ink = self.ink_of(one);
        let parts = if one.is_cut {
            Cow::from(parts_between(run, value.low(), value.high()))
        } else {
            Cow::from(std::slice::from_ref(run))
        };
        for part in &*parts {
            let path: Run = part.iter().map(|(x, at)| (*x, value.y_from_value(*at))).collect();
            // One point between two gaps has no line, a few that lie close together have hardly one.
            if let Some(middle) = speck(&path, DOT_PX) {
                self.dot(middle, DOT_PX / 2.0, ink.colour, ink.alpha)?;
                continue;
            }
            match one.dashes() {
                // A stroke of some thousand points to and fro takes many times as long as what it looks like.
                None if one.pixels.hide(&path) => {
                    let slices = slices_to(one.pixels, &path, None, ink.width_px / 2.0);
                    self.columns(one.pixels, &slices, ink.colour, ink.alpha)?;
                }
                None => self.path(&path, ink)?,
                Some(lengths) => {
                    dashes(&path, lengths).iter().try_for_each(|piece| self.path(piece, ink))?;
                }
            }
        }
        Ok(())
    }

    fn points(&self, one: &Plotted, value: &ValueScale) -> Drawn<DB> {
        let ink = self.ink_of(one);
        let radius = one.style.width_px.map_or(POINT_PX / 2.0, |width| width.max(1.0));
        let mut before = (f64::NEG_INFINITY, 0.0);
        for (x, at) in one.runs.iter().flatten().filter(|(_, at)| !one.is_cut || value.holds(*at)) {
            let place = (*x, value.y_from_value(*at));
            if (place.0 - before.0).hypot(place.1 - before.1) >= 0.5 {
                self.dot(place, radius, ink.colour, ink.alpha)?;
                before = place;
            }
        }
        Ok(())
    }

    /// A line over the whole height wherever a value is not 0.
    fn uprights(&self, one: &Plotted, value: &ValueScale) -> Drawn<DB> {
        let ink = self.ink_of(one);
        let mut before = f64::NEG_INFINITY;
        for (x, _) in one.runs.iter().flatten().filter(|(_, at)| *at != 0.0) {
            if x - before >= 0.5 {
                self.path(&[(*x, value.top()), (*x, value.bottom())], ink)?;
                before = *x;
            }
        }
        Ok(())
    }

    fn ink_of(&self, one: &Plotted) -> Ink {
        one.ink(self.colour_of(one))
    }

    fn colour_of(&self, one: &Plotted) -> Rgb {
        one.style.colour.unwrap_or_else(|| self.frame.theme.slot(one.slot))
    }
}

/// What a path covers of each column of pixels, and `margin` px above and below it; with a ground also all from there on. Not part
/// of the pen: what is generic is compiled for size with the page's own code.
#[inline(never)]
fn slices_to(pixels: Pixels, path: &[(f64, f64)], ground: Option<f64>, margin: f64) -> Vec<Slice> {
    let mut slices = pixels.slices(path);
    for slice in &mut slices {
        *slice = ground.map_or(*slice, |y| slice.with(y));
        (slice.top, slice.bottom) = (slice.top - margin, slice.bottom + margin);
    }
    slices
}

/// What lies between two paths from one place to another. Where one area ends the next begins: each reaches from its highest place
/// to that of the one below it, or, where it hangs from that, from the lowest to its own.
#[inline(never)]
fn slices_between(pixels: Pixels, path: &[(f64, f64)], below: &[(f64, f64)]) -> Vec<Slice> {
    let mut slices = pixels.slices(path);
    for (slice, below) in slices.iter_mut().zip(pixels.slices(below)) {
        if slice.top > below.top {
            (slice.top, slice.bottom) = (below.bottom, slice.bottom.max(below.bottom));
        } else {
            slice.bottom = below.top;
        }
    }
    slices
}

/// A run as places, held within the plot.
fn held(run: &Run, value: &ValueScale) -> Run {
    let inside = |at: f64| value.y_from_value(at).clamp(value.top(), value.bottom());
    crossed(run, value.low(), value.high()).into_iter().map(|(x, at)| (x, inside(at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path with so many points in each of four columns, to and fro between two heights.
    fn to_and_fro(high: f64, low: f64) -> Run {
        (0..17).map(|at| (f64::from(at) / 4.0, if at % 2 == 0 { high } else { low })).collect()
    }

    #[test]
    fn each_dense_area_of_a_stack_begins_where_the_one_above_it_ends() {
        let pixels = Pixels { left: 0.0, width: 1.0, count: 4 };
        let [ground, lower, upper] =
            [(90.0, 90.0), (40.0, 60.0), (20.0, 50.0)].map(|(a, b)| to_and_fro(a, b));
        let ends = |path: &Run, below: &Run| {
            slices_between(pixels, path, below).iter().map(|one| (one.top, one.bottom)).collect::<Vec<_>>()
        };
        assert_eq!(ends(&lower, &ground), [(40.0, 90.0); 4]);
        assert_eq!(ends(&upper, &lower), [(20.0, 40.0); 4], "though they cross");
        assert_eq!(ends(&to_and_fro(120.0, 100.0), &ground), [(90.0, 120.0); 4], "it hangs");
    }
}
