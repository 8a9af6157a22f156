//! Charts as pictures, for reports, chats and `<img>`: the page's own drawing, over a backend that writes SVG; a PNG is that same SVG
//! in pixels. Knows neither HTTP nor the store: series and settings come in, bytes go out.

mod colour;
mod png;
mod prepare;
mod svg;
mod theme;
mod zone;

pub use colour::Paint;
pub use theme::Template;
pub use zone::Zone;

use crate::functions::series::Series;
use plotters::drawing::IntoDrawingArea;
use prepare::Prepared;
use sonde_shared::chart::draw::{Lines, Picture, Side, draw_picture};
use sonde_shared::time::{TimeRange, ZoneClock};
use svg::SvgBackend;
use theme::TITLE_FONT;

/// The file's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Shapes and texts.
    Svg,
    /// Pixels.
    Png,
}

/// Which series have their area filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AreaMode {
    /// Nothing was said: lightly, where there are few.
    #[default]
    Unsaid,
    /// None.
    None,
    /// The first.
    First,
    /// All.
    All,
    /// All, on top of each other.
    Stacked,
}

/// How points are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineMode {
    /// By lines from point to point, parted at gaps.
    #[default]
    Slope,
    /// By steps.
    Staircase,
    /// By lines, also over gaps of at most so many nulls.
    Connected(usize),
}

/// How the series of one axis look, where the request says so.
#[derive(Clone, Debug, Default)]
pub struct SideLook {
    /// The lower end of the axis.
    pub min: Option<f64>,
    /// The upper end of the axis.
    pub max: Option<f64>,
    /// The width of its lines.
    pub line_width: Option<f64>,
    /// The length of their dashes.
    pub dash: Option<f64>,
    /// Their colour.
    pub colour: Option<Paint>,
}

/// What a picture shows besides its series: Graphite's parameters.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a parameter of its own")]
pub struct Settings {
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
    /// The visible range.
    pub range: TimeRange,
    /// The zone of its times.
    pub zone: Zone,
    /// The title.
    pub title: String,
    /// Above the axis at the left, and at the right.
    pub side_titles: [String; 2],
    /// The left axis and the right one.
    pub sides: [SideLook; 2],
    /// The values' unit.
    pub unit: String,
    /// Which colours to begin with.
    pub template: Option<Template>,
    /// Colours of what is behind all and before it.
    pub background: Option<Paint>,
    /// Texts and lines.
    pub foreground: Option<Paint>,
    /// The mesh.
    pub mesh: Option<Paint>,
    /// The series' colours, in order.
    pub colours: Vec<Paint>,
    /// How large texts are.
    pub text_px: f64,
    /// What stays free around it.
    pub margin_px: f64,
    /// Which areas are filled.
    pub area_mode: AreaMode,
    /// How opaque they are.
    pub area_alpha: Option<f64>,
    /// How points are joined.
    pub line_mode: LineMode,
    /// The width of lines.
    pub line_width: Option<f64>,
    /// Whether a null is a zero.
    pub null_is_zero: bool,
    /// Whether there is a legend.
    pub has_legend: bool,
    /// Whether it lists each name once.
    pub is_legend_unique: bool,
    /// Whether it leaves out series without a value.
    pub hides_empty: bool,
    /// Whether times are written.
    pub has_time_axis: bool,
    /// Whether values are.
    pub has_value_axis: bool,
    /// Whether it has a mesh.
    pub has_mesh: bool,
}

impl Settings {
    /// The left axis, or the right one.
    fn side(&self, at: usize) -> Side<'_> {
        let SideLook { min, max, .. } = self.sides[at];
        Side { unit: &self.unit, min, max, is_held: min.is_some() || max.is_some() }
    }
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// More would have to be drawn than is bearable.
    #[error("{0}")]
    TooMuch(String),
    /// What was drawn could not be put into a file.
    #[error("a picture could not be made: {0}")]
    Failed(String),
}

/// More series make no picture.
const MOST_SERIES: usize = 1_000;

/// Draws series. Takes some milliseconds, of many series a second.
pub fn draw(series: &[Series], settings: &Settings, form: Form) -> Result<Vec<u8>, PictureError> {
    if series.len() > MOST_SERIES {
        let why = format!("{} series would have to be drawn, more than {MOST_SERIES}", series.len());
        return Err(PictureError::TooMuch(why));
    }
    let prepared = Prepared::of(series, settings)?;
    let text = draw_svg(&prepared, settings, if form == Form::Svg { 2.0 } else { 1.0 })?;
    match form {
        Form::Svg => Ok(text.into_bytes()),
        Form::Png => png::rasterised(&text, settings.width, settings.height),
    }
}

fn draw_svg(prepared: &Prepared, settings: &Settings, pixel_ratio: f64) -> Result<String, PictureError> {
    let (theme, background) = theme::of(settings);
    let [left_title, right_title] = &settings.side_titles;
    let offsets = settings.zone.offsets(settings.range);
    let picture = Picture {
        width_px: f64::from(settings.width),
        height_px: f64::from(settings.height),
        margin_px: settings.margin_px,
        text_px: settings.text_px,
        pixel_ratio,
        range: settings.range,
        clock: ZoneClock::new(&offsets),
        zone: &settings.zone.short_name(settings.range),
        theme: &theme,
        background: (background.rgb, background.alpha),
        title_font: TITLE_FONT,
        title: &settings.title,
        left_title,
        right_title,
        lines: Lines {
            series: &prepared.series,
            sums: &prepared.sums,
            styles: &prepared.styles,
            left: settings.side(0),
            right: settings.side(1),
            ..Lines::default()
        },
        listed: &prepared.listed,
        has_time_axis: settings.has_time_axis,
        has_value_axis: settings.has_value_axis,
        has_mesh: settings.has_mesh,
    };
    let mut text = String::new();
    let backend = SvgBackend::new(&mut text, settings.width, settings.height);
    let drawn = draw_picture(&backend.into_drawing_area(), &picture);
    drawn.map_err(|error| PictureError::Failed(error.to_string()))?;
    Ok(text)
}

#[cfg(test)]
mod tests;
