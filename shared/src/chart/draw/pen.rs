//! What is drawn of single things: lines, areas, texts. In CSS pixels, onto an area counted in units.

use super::backend::{ChartBackend, Columns};
use super::{Drawn, Frame, UNITS_PER_PX};
use crate::chart::outline::{Pixels, Slice};
use crate::chart::theme::Rgb;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontFamily, FontStyle, RGBAColor, ShapeStyle, TextStyle};

/// Draws in CSS pixels onto an area counted in units.
pub(super) struct Pen<'a, DB: ChartBackend> {
    pub(super) area: &'a DrawingArea<DB, Shift>,
    pub(super) frame: &'a Frame<'a>,
}

/// A colour, how much of it, and how wide the line is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ink {
    pub(super) colour: Rgb,
    pub(super) alpha: f64,
    pub(super) width_px: f64,
}

impl Ink {
    /// A hairline.
    pub(super) fn thin(colour: Rgb) -> Self {
        Self { colour, alpha: 1.0, width_px: 1.0 }
    }
}

impl<DB: ChartBackend> Pen<'_, DB> {
    pub(super) fn path(&self, points: &[(f64, f64)], ink: Ink) -> Drawn<DB> {
        let points: Vec<(i32, i32)> = points.iter().copied().map(units).collect();
        let stroke_width = (ink.width_px * UNITS_PER_PX).round() as u32;
        let style = ShapeStyle { color: rgba(ink.colour, ink.alpha), filled: false, stroke_width };
        self.area.draw(&PathElement::new(points, style))
    }

    pub(super) fn polygon(&self, corners: &[(f64, f64)], colour: Rgb, alpha: f64) -> Drawn<DB> {
        let corners: Vec<(i32, i32)> = corners.iter().copied().map(units).collect();
        self.area.draw(&Polygon::new(corners, fill(colour, alpha)))
    }

    /// Slices of columns of pixels side by side.
    pub(super) fn columns(&self, pixels: Pixels, slices: &[Slice], colour: Rgb, alpha: f64) -> Drawn<DB> {
        let corners = |one: &Slice| [(one.left, one.top), (one.left + pixels.width, one.bottom)].map(units);
        let corners = slices.iter().flat_map(corners).collect();
        self.area.draw(&Columns { corners, style: fill(colour, alpha) })
    }

    pub(super) fn dot(&self, at: (f64, f64), radius_px: f64, colour: Rgb, alpha: f64) -> Drawn<DB> {
        self.area.draw(&Circle::new(units(at), radius_px * UNITS_PER_PX, fill(colour, alpha)))
    }

    pub(super) fn rect(
        &self,
        upper_left: (f64, f64),
        lower_right: (f64, f64),
        colour: Rgb,
        alpha: f64,
    ) -> Drawn<DB> {
        self.area.draw(&Rectangle::new([units(upper_left), units(lower_right)], fill(colour, alpha)))
    }

    /// Text in the font of numbers, as large as the frame has it.
    pub(super) fn text(&self, text: &str, at: (f64, f64), anchor: HPos, colour: Rgb) -> Drawn<DB> {
        let family = FontFamily::Name(&self.frame.theme.font);
        self.text_in(family, FontStyle::Normal, self.frame.layout.text_px, (text, at, anchor), colour)
    }

    pub(super) fn text_in(
        &self,
        family: FontFamily,
        style: FontStyle,
        size_px: f64,
        (text, at, anchor): (&str, (f64, f64), HPos),
        colour: Rgb,
    ) -> Drawn<DB> {
        let colour = rgba(colour, 1.0);
        let style = TextStyle::from((family, size_px * UNITS_PER_PX, style))
            .color(&colour)
            .pos(Pos::new(anchor, VPos::Center));
        self.area.draw(&Text::new(text, units(at), style))
    }
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
