//! plotters' backend for SVG, of our own.
//!
//! As the page's canvas it divides the drawing's fine units down to pixels, sets lines of one pixel on whole pixels and joins
//! lines roundly, which plotters' own does not: a pointed join reaches beyond the highest value. Texts stand on a base line that
//! is computed, for not every reader knows how to centre one.

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
};
use sonde_shared::chart::crisp::crisp_line;
use sonde_shared::chart::draw::{ChartBackend, UNITS_PER_PX};
use std::convert::Infallible;
use std::fmt::Write;

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// Writes SVG into a text, which is whole when this is dropped.
pub(super) struct SvgBackend<'a> {
    text: &'a mut String,
    size: (u32, u32),
    /// How the path looks that is being written: lines that look the same and come one after the other, as dashes do, are one
    /// element.
    path: Option<String>,
}

impl<'a> SvgBackend<'a> {
    /// Begins a picture of this size in pixels.
    pub(super) fn new(text: &'a mut String, width: u32, height: u32) -> Self {
        let size = (width * UNITS_PER_PX as u32, height * UNITS_PER_PX as u32);
        let mut svg = Self { text, size, path: None };
        svg.push(format_args!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" "#
        ));
        svg.push(format_args!(r#"stroke-linejoin="round" fill="none">"#));
        svg
    }

    fn push(&mut self, what: std::fmt::Arguments<'_>) {
        self.text.write_fmt(what).expect("a String takes every write");
    }

    /// Ends the path that is being written.
    fn end_path(&mut self) {
        if let Some(look) = self.path.take() {
            self.push(format_args!("\"{look}/>"));
        }
    }

    fn push_points(&mut self, points: &[(f64, f64)]) {
        for (index, (x, y)) in points.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            self.push(format_args!("{space}{},{}", Short(*x), Short(*y)));
        }
    }

    fn push_fill(&mut self, colour: BackendColor) {
        self.push(format_args!("{}", paint("fill", colour)));
    }

    /// A shape's look, and its end.
    fn end_shape(&mut self, style: &impl BackendStyle, fill: bool) {
        if fill {
            self.push_fill(style.color());
        } else {
            self.push(format_args!("{}", stroke(style)));
        }
        self.end();
    }

    /// Without a line's end, which would be a text of its own to whoever reads it.
    fn end(&mut self) {
        self.text.push_str("/>");
    }
}

/// The attributes of a colour, as that of a `fill` or a `stroke`.
fn paint(what: &str, colour: BackendColor) -> String {
    let (red, green, blue) = colour.rgb;
    let opaque = format!(r##" {what}="#{red:02x}{green:02x}{blue:02x}""##);
    let opacity = Short(colour.alpha.max(0.0));
    if colour.alpha < 1.0 { format!(r#"{opaque} {what}-opacity="{opacity}""#) } else { opaque }
}

/// The attributes of a line.
fn stroke(style: &impl BackendStyle) -> String {
    let width = Short(px(style.stroke_width() as i32));
    format!(r#"{} stroke-width="{width}""#, paint("stroke", style.color()))
}

fn px(units: i32) -> f64 {
    f64::from(units) / UNITS_PER_PX
}

fn place((x, y): BackendCoord) -> (f64, f64) {
    (px(x), px(y))
}

/// A number with at most three decimals, as short as it is written.
struct Short(f64);

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rounded = (self.0 * 1e3).round() / 1e3;
        // No "-0".
        write!(f, "{}", if rounded == 0.0 { 0.0 } else { rounded })
    }
}

/// A text as it may stand in XML, which has no room for control characters.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

impl ChartBackend for SvgBackend<'_> {}

impl DrawingBackend for SvgBackend<'_> {
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
        self.end_path();
        let (x, y) = place(point);
        let side = 1.0 / UNITS_PER_PX;
        self.push(format_args!(r#"<rect x="{}" y="{}" width="{side}" height="{side}""#, Short(x), Short(y)));
        self.push_fill(colour);
        self.end();
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
        self.end_path();
        let ((left, top), (right, bottom)) = (place(upper_left), place(lower_right));
        let (width, height) = (Short(right - left), Short(bottom - top));
        self.push(format_args!(
            r#"<rect x="{}" y="{}" width="{width}" height="{height}""#,
            Short(left),
            Short(top)
        ));
        self.end_shape(style, fill);
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        let mut points: Vec<(f64, f64)> = path.into_iter().map(place).collect();
        if f64::from(style.stroke_width()) <= UNITS_PER_PX {
            crisp_line(&mut points, px(style.stroke_width() as i32));
        }
        let look = stroke(style);
        if self.path.as_ref() != Some(&look) {
            self.end_path();
            self.text.push_str("<path d=\"");
            self.path = Some(look);
        }
        self.text.push('M');
        self.push_points(&points);
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        centre: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        self.end_path();
        let (x, y) = place(centre);
        let radius = Short(px(radius as i32));
        self.push(format_args!(r#"<circle cx="{}" cy="{}" r="{radius}""#, Short(x), Short(y)));
        self.end_shape(style, fill);
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Drawn {
        self.end_path();
        let points: Vec<(f64, f64)> = corners.into_iter().map(place).collect();
        self.text.push_str("<polygon points=\"");
        self.push_points(&points);
        self.text.push('"');
        self.push_fill(style.color());
        self.end();
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Drawn {
        self.end_path();
        let (x, y) = place(at);
        let size = style.size() / UNITS_PER_PX;
        // Digits and capitals are about seven tenths as high as the font is large.
        let base = match style.anchor().v_pos {
            VPos::Top => y + size * 0.8,
            VPos::Center => (y + size * 0.36).round(),
            VPos::Bottom => y - size * 0.2,
        };
        let anchor = match style.anchor().h_pos {
            HPos::Left => "",
            HPos::Center => r#" text-anchor="middle""#,
            HPos::Right => r#" text-anchor="end""#,
        };
        let weight = match style.style() {
            FontStyle::Bold => r#" font-weight="600""#,
            _ => "",
        };
        self.push(format_args!(
            r#"<text x="{}" y="{}" font-size="{}" font-family="{}"{weight}{anchor}"#,
            Short(x),
            Short(base),
            Short(size),
            escaped(style.family().as_str())
        ));
        self.push_fill(style.color());
        self.push(format_args!(">{}</text>", escaped(text)));
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let width = text.chars().count() as f64 * style.size() * 0.6;
        Ok((width.ceil() as u32, style.size().ceil() as u32))
    }
}

impl Drop for SvgBackend<'_> {
    fn drop(&mut self) {
        self.end_path();
        self.text.push_str("</svg>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_has_no_room_for_is_written_otherwise() {
        assert_eq!(escaped("a<b>&\"c\"\u{1}"), "a&lt;b&gt;&amp;&quot;c&quot;\u{fffd}");
    }

    #[test]
    fn numbers_are_short() {
        let check = |number: f64, text: &str| assert_eq!(Short(number).to_string(), text);
        check(1.0, "1");
        check(0.125, "0.125");
        check(1.0 / 3.0, "0.333");
        check(-1e-9, "0");
    }

    #[test]
    fn lines_that_look_the_same_are_one_element() {
        use plotters::prelude::{BLACK, Color, IntoDrawingArea, PathElement, RED};
        let mut text = String::new();
        let area = SvgBackend::new(&mut text, 20, 10).into_drawing_area();
        for (from, colour) in [(0, BLACK), (16, BLACK), (32, RED)] {
            area.draw(&PathElement::new([(from, 0), (from + 8, 8)], Color::stroke_width(&colour, 16)))
                .unwrap();
        }
        drop(area);
        let expected = [
            r##"<path d="M0,0 1,1M2,0 3,1" stroke="#000000" stroke-width="2"/>"##,
            r##"<path d="M4,0 5,1" stroke="#ff0000" stroke-width="2"/>"##,
            "</svg>\n",
        ];
        assert!(text.ends_with(&expected.concat()), "{text}");
    }

    #[test]
    fn hairlines_cover_whole_pixels() {
        let mut level = [(1.0, 10.2), (5.0, 10.2)];
        crisp_line(&mut level, 1.0);
        assert_eq!(level, [(1.0, 10.5), (5.0, 10.5)]);
        let mut slanted = [(1.0, 1.2), (2.0, 3.4)];
        crisp_line(&mut slanted, 1.0);
        assert_eq!(slanted, [(1.0, 1.2), (2.0, 3.4)]);
    }
}
