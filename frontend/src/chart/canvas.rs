//! plotters' backend for a canvas, of our own.
//!
//! It divides the drawing's fine units down to the screen's pixels, sets lines of one pixel on whole pixels, draws a
//! polyline with one stroke, and measures text with the canvas itself, so that no label forces a layout.

use crate::size::px;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};
use sonde_shared::chart::crisp::crisp_line;
use sonde_shared::chart::draw::{ChartBackend, Frame, UNITS_PER_PX};
use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::f64::consts::TAU;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

thread_local! {
    /// Widths of texts in CSS px by font and text: `measureText` costs some microseconds a call.
    static WIDTHS: RefCell<HashMap<(String, String), f64>> = RefCell::default();
}

/// Browsers refuse bitmaps that are larger.
const MOST_DEVICE_PX: f64 = 16_384.0;

/// A line up to so wide, in CSS px, has no round corners.
const THIN_PX: f64 = 2.0;

/// So many widths are kept; then the cache starts anew.
const MOST_WIDTHS: usize = 4_096;

/// A canvas as a plotters backend.
pub struct CanvasBackend {
    context: CanvasRenderingContext2d,
    /// The size in units.
    size: (u32, u32),
    /// Device pixels a unit.
    scale: f64,
    /// The font that the context has now: setting it is dear.
    font: String,
}

impl CanvasBackend {
    /// Brings a canvas' bitmap to a size in CSS px, with so many device pixels each, and clears it. None where the browser gives
    /// no context.
    pub(super) fn of(canvas: &HtmlCanvasElement, size_px: (f64, f64), pixel_ratio: f64) -> Option<Self> {
        let device_px = |css_px: f64| (css_px * pixel_ratio).round().clamp(1.0, MOST_DEVICE_PX) as u32;
        let (width, height) = (device_px(size_px.0), device_px(size_px.1));
        // Setting a size throws the bitmap away, also when it is the same.
        if canvas.width() != width {
            canvas.set_width(width);
        }
        if canvas.height() != height {
            canvas.set_height(height);
        }
        let context = canvas.get_context("2d").ok().flatten()?.dyn_into().ok()?;
        Some(Self::new(context, size_px, pixel_ratio))
    }

    fn new(context: CanvasRenderingContext2d, (width_px, height_px): (f64, f64), pixel_ratio: f64) -> Self {
        context.clear_rect(0.0, 0.0, (width_px * pixel_ratio).ceil(), (height_px * pixel_ratio).ceil());
        let size = ((width_px * UNITS_PER_PX) as u32, (height_px * UNITS_PER_PX) as u32);
        Self { context, size, scale: pixel_ratio / UNITS_PER_PX, font: String::new() }
    }

    fn place(&self, (x, y): BackendCoord) -> (f64, f64) {
        (f64::from(x) * self.scale, f64::from(y) * self.scale)
    }

    fn set_stroke(&self, style: &impl BackendStyle) -> f64 {
        let width = line_width(style.stroke_width(), self.scale);
        self.context.set_stroke_style_str(&css_colour(style.color()));
        self.context.set_line_width(width);
        // Of a thin line nobody sees how its corners are made, and round ones take half of its painting.
        let is_thin = f64::from(style.stroke_width()) <= THIN_PX * UNITS_PER_PX;
        self.context.set_line_join(if is_thin { "bevel" } else { "round" });
        width
    }

    fn trace(&self, points: impl Iterator<Item = (f64, f64)>) {
        self.context.begin_path();
        for (index, (x, y)) in points.enumerate() {
            if index == 0 {
                self.context.move_to(x, y);
            } else {
                self.context.line_to(x, y);
            }
        }
    }

    fn fill(&self, colour: BackendColor) {
        self.context.set_fill_style_str(&css_colour(colour));
        self.context.fill();
    }

    fn set_font(&mut self, style: &impl BackendTextStyle) {
        let font = format!("{:.2}px {}", style.size() * self.scale, style.family().as_str());
        if font != self.font {
            self.context.set_font(&font);
            self.font = font;
        }
    }
}

/// A stroke's width in device pixels: thin lines get a whole number of them.
fn line_width(units: u32, scale: f64) -> f64 {
    let width = f64::from(units) * scale;
    if f64::from(units) <= UNITS_PER_PX { width.round().max(1.0) } else { width }
}

fn css_colour(colour: BackendColor) -> String {
    let (red, green, blue) = colour.rgb;
    format!("rgb({red} {green} {blue} / {})", colour.alpha)
}

/// A canvas as a drawing area.
pub type Canvas = DrawingArea<CanvasBackend, Shift>;

/// Brings the canvas' bitmap to the frame's size, clears it and lets `draw` draw on it. The canvas is as large as its bitmap to the
/// pixel, also in a place that is not: a bitmap that is stretched over one more is blurred.
pub fn paint(canvas: &HtmlCanvasElement, frame: &Frame, draw: impl FnOnce(&Canvas)) {
    if let Some(backend) = CanvasBackend::of(canvas, (frame.width_px, frame.height_px), frame.pixel_ratio) {
        for (side, device_px) in [("width", canvas.width()), ("height", canvas.height())] {
            let css_px = f64::from(device_px) / frame.pixel_ratio;
            // No length is refused.
            drop(canvas.style().set_property(side, &px(css_px)));
        }
        draw(&backend.into_drawing_area());
    }
}

impl DrawingBackend for CanvasBackend {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, colour: BackendColor) -> Drawn {
        let (x, y) = self.place(point);
        self.context.set_fill_style_str(&css_colour(colour));
        self.context.fill_rect(x, y, self.scale, self.scale);
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        lower_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let ((left, top), (right, bottom)) = (self.place(upper_left), self.place(lower_right));
        if fill {
            self.context.set_fill_style_str(&css_colour(style.color()));
            self.context.fill_rect(left, top, right - left, bottom - top);
        } else {
            self.set_stroke(style);
            self.context.stroke_rect(left, top, right - left, bottom - top);
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        let width = self.set_stroke(style);
        let is_thin = f64::from(style.stroke_width()) <= UNITS_PER_PX;
        let mut points: Vec<(f64, f64)> = path.into_iter().map(|point| self.place(point)).collect();
        if is_thin {
            crisp_line(&mut points, width);
        }
        self.trace(points.into_iter());
        self.context.stroke();
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        centre: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let (x, y) = self.place(centre);
        self.context.begin_path();
        // An arc fails only for a negative radius, which an unsigned number is not.
        drop(self.context.arc(x, y, f64::from(radius) * self.scale, 0.0, TAU));
        if fill {
            self.fill(style.color());
        } else {
            self.set_stroke(style);
            self.context.stroke();
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Drawn {
        self.trace(corners.into_iter().map(|corner| self.place(corner)));
        self.fill(style.color());
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Drawn {
        self.set_font(style);
        self.context.set_fill_style_str(&css_colour(style.color()));
        self.context.set_text_align(match style.anchor().h_pos {
            HPos::Left => "left",
            HPos::Center => "center",
            HPos::Right => "right",
        });
        self.context.set_text_baseline(match style.anchor().v_pos {
            VPos::Top => "top",
            VPos::Center => "middle",
            VPos::Bottom => "bottom",
        });
        let (x, y) = self.place(at);
        // Text that cannot be drawn leaves a chart without one label, which is no reason to lose the rest.
        drop(self.context.fill_text(text, x, y.round()));
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let font = format!("{:.2}px {}", style.size(), style.family().as_str());
        let width = text_width(&self.context, font, text);
        Ok((width.ceil() as u32, style.size().ceil() as u32))
    }
}

impl ChartBackend for CanvasBackend {
    /// As a line in the middle of each, all with one stroke: that takes a quarter of what filling their outline does.
    fn fill_columns<S: BackendStyle>(&mut self, columns: &[[BackendCoord; 2]], style: &S) -> Drawn {
        self.context.set_stroke_style_str(&css_colour(style.color()));
        self.context.set_line_width(1.0);
        self.context.begin_path();
        let mut middle =
            columns.first().map_or(0.0, |[upper_left, _]| self.place(*upper_left).0.round() + 0.5);
        for [upper_left, lower_right] in columns {
            self.context.move_to(middle, self.place(*upper_left).1);
            self.context.line_to(middle, self.place(*lower_right).1);
            middle += 1.0;
        }
        self.context.stroke();
        Ok(())
    }
}

/// The width of a text in the font's own pixels; from the cache where it was measured before.
fn text_width(context: &CanvasRenderingContext2d, font: String, text: &str) -> f64 {
    WIDTHS.with_borrow_mut(|widths| {
        if widths.len() > MOST_WIDTHS {
            widths.clear();
        }
        *widths.entry((font, text.to_owned())).or_insert_with_key(|(font, text)| {
            context.save();
            context.set_font(font);
            let width = context.measure_text(text).map_or(0.0, |measured| measured.width());
            context.restore();
            width
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::chart::crisp::crisp;

    #[test]
    fn thin_lines_cover_whole_device_pixels() {
        let check = |at: f64, ratio: f64, expected: (f64, f64)| {
            let width = line_width(8, ratio / UNITS_PER_PX);
            assert_eq!((width, crisp(at * ratio, width)), expected, "{at} at ratio {ratio}");
        };
        check(10.3, 1.0, (1.0, 10.5));
        check(10.9, 1.0, (1.0, 10.5));
        check(10.3, 2.0, (2.0, 21.0));
        check(10.0, 1.25, (1.0, 12.5));
        check(10.0, 3.0, (3.0, 30.5));
    }

    #[test]
    fn series_keep_their_width() {
        assert!((line_width(12, 1.0 / UNITS_PER_PX) - 1.5).abs() < 1e-9);
        assert!((line_width(12, 2.0 / UNITS_PER_PX) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn colours_are_css() {
        let colour = BackendColor { alpha: 0.12, rgb: (1, 2, 3) };
        assert_eq!(css_colour(colour), "rgb(1 2 3 / 0.12)");
    }
}
