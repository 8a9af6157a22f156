//! `format=png` and `format=svg` of `/render`: Graphite's parameters of a picture.
//!
//! A parameter that only Graphite's own drawing knows is passed over, as an unknown one is there; one that is known and cannot be
//! meant is refused.

use super::{ApiError, params::Params, params::clip};
use crate::graphite_time::GraphiteClock;
use crate::picture::{AreaMode, LineMode, Paint, PictureError, Settings, SideLook, Template, Zone};
use sonde_shared::time::TimeRange;

/// The longest side in pixels.
const MOST_PX: f64 = 4_096.0;
/// Graphite's own size.
const DEFAULT_SIZE: (f64, f64) = (330.0, 250.0);
const TEXT_PX: f64 = 11.0;
const MARGIN_PX: f64 = 10.0;
/// Longer titles are cut; no picture has room for them.
const MOST_TITLE_CHARS: usize = 1_000;

/// Reads what a picture of a range is to look like.
pub(super) fn settings(
    params: &Params,
    range: TimeRange,
    clock: &GraphiteClock,
) -> Result<Settings, ApiError> {
    let get = Get(params);
    if let Some(other) = params.get("graphType").filter(|kind| *kind != "line") {
        let detail = format!("there is no graph type `{}`; there is line", clip(other));
        return Err(ApiError::parameter("graphType", detail, "line"));
    }
    let is_bare = get.flag("graphOnly");
    let has_axes = !(is_bare || get.flag("hideAxes"));
    let text = |key: &str| if is_bare { String::new() } else { get.text(key) };
    let size = |key: &str, default: f64| get.within(key, 1.0, MOST_PX).map(|size| size.unwrap_or(default));
    let margin_px = get.within("margin", 0.0, 500.0)?.unwrap_or(if is_bare { 0.0 } else { MARGIN_PX });
    Ok(Settings {
        width: size("width", DEFAULT_SIZE.0)? as u32,
        height: size("height", DEFAULT_SIZE.1)? as u32,
        range,
        zone: Zone::of(clock),
        title: text("title"),
        side_titles: [text("vtitle"), text("vtitleRight")],
        sides: [get.side("", "Left", "left")?, get.side("", "Right", "right")?],
        unit: unit(params.get("yUnitSystem").unwrap_or_default()),
        template: params.get("template").and_then(Template::parse),
        background: get.paint("bgcolor")?,
        foreground: get.paint("fgcolor")?,
        mesh: get.paint("majorGridLineColor")?,
        colours: get.colours()?,
        text_px: get.within("fontSize", 6.0, 48.0)?.unwrap_or(TEXT_PX),
        margin_px,
        area_mode: get.area_mode()?,
        area_alpha: get.within("areaAlpha", 0.0, 1.0)?,
        line_mode: get.line_mode()?,
        line_width: get.line_width("lineWidth")?.or(get.line_width("thickness")?),
        null_is_zero: get.flag("drawNullAsZero"),
        has_legend: !(is_bare || get.flag("hideLegend")),
        is_legend_unique: get.flag("uniqueLegend"),
        hides_empty: get.flag("hideNullFromLegend"),
        has_time_axis: has_axes && !get.flag("hideXAxis"),
        has_value_axis: has_axes && !get.flag("hideYAxis"),
        has_mesh: has_axes && !get.flag("hideGrid"),
    })
}

/// Why a picture is not made: too much to draw is the targets' matter.
pub(super) fn refusal(error: PictureError) -> ApiError {
    match error {
        PictureError::TooMuch(why) => ApiError::parameter("target", why, "sumSeries(shop.checkout.*)"),
        PictureError::Failed(why) => ApiError::Internal(why),
    }
}

/// The unit that one of Graphite's systems stands for; or a unit of panels, by its own name.
fn unit(system: &str) -> String {
    let unit = match system.to_ascii_lowercase().as_str() {
        "sec" => "s",
        "msec" => "ms",
        "binary" => "binary",
        "none" => "none",
        "" | "si" => "",
        _ => system,
    };
    unit.chars().take(20).collect()
}

/// Reads parameters as Graphite does.
struct Get<'a>(&'a Params);

impl Get<'_> {
    /// Anything but these is a yes.
    fn flag(&self, key: &str) -> bool {
        let is_no = |text: &str| ["false", "0", "default"].contains(&text.to_ascii_lowercase().as_str());
        self.0.get(key).is_some_and(|text| !is_no(text))
    }

    fn text(&self, key: &str) -> String {
        self.0.get(key).unwrap_or_default().chars().take(MOST_TITLE_CHARS).collect()
    }

    fn number(&self, key: &str) -> Result<Option<f64>, ApiError> {
        let parse = |text: &str| {
            let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
            let detail = || format!("`{}` is not a number", clip(text));
            number.ok_or_else(|| ApiError::parameter(key, detail(), "100"))
        };
        // Graphite's words for what is chosen by itself.
        let said =
            self.0.get(key).filter(|text| !["max", "default"].contains(&text.to_ascii_lowercase().as_str()));
        said.map(parse).transpose()
    }

    fn within(&self, key: &str, least: f64, most: f64) -> Result<Option<f64>, ApiError> {
        match self.number(key)? {
            Some(number) if !(least..=most).contains(&number) => {
                let detail = format!("{number} is not between {least} and {most}");
                Err(ApiError::parameter(key, detail, &f64::midpoint(least, most).floor().to_string()))
            }
            number => Ok(number),
        }
    }

    fn line_width(&self, key: &str) -> Result<Option<f64>, ApiError> {
        self.within(key, 0.0, 100.0)
    }

    fn paint(&self, key: &str) -> Result<Option<Paint>, ApiError> {
        self.0.get(key).map(|text| paint(key, text)).transpose()
    }

    fn colours(&self) -> Result<Vec<Paint>, ApiError> {
        let list = self.0.get("colorList").unwrap_or_default();
        list.split(',').filter(|text| !text.trim().is_empty()).map(|text| paint("colorList", text)).collect()
    }

    /// The ends of one axis and what its lines look like: `yMax` is of both, `yMaxRight` of one.
    fn side(&self, both: &str, side: &str, prefix: &str) -> Result<SideLook, ApiError> {
        let end = |name: &str| {
            Ok::<_, ApiError>(
                self.number(&format!("y{name}{side}"))?.or(self.number(&format!("y{name}{both}"))?),
            )
        };
        let own = |what: &str| format!("{prefix}{what}");
        Ok(SideLook {
            min: end("Min")?,
            max: end("Max")?,
            line_width: self.line_width(&own("Width"))?,
            dash: self.dash(&own("Dashed"))?,
            colour: self.paint(&own("Color"))?,
        })
    }

    /// The length of dashes: a number, or a yes.
    fn dash(&self, key: &str) -> Result<Option<f64>, ApiError> {
        match self.0.get(key) {
            Some(text) if text.parse::<f64>().is_ok() => self.within(key, 0.0, 1_000.0),
            _ => Ok(self.flag(key).then_some(5.0)),
        }
    }

    fn area_mode(&self) -> Result<AreaMode, ApiError> {
        let modes = [
            ("none", AreaMode::None),
            ("first", AreaMode::First),
            ("all", AreaMode::All),
            ("stacked", AreaMode::Stacked),
        ];
        Ok(self.one_of("areaMode", &modes)?.unwrap_or_default())
    }

    fn line_mode(&self) -> Result<LineMode, ApiError> {
        let limit = self.0.number("connectedLimit")?.map_or(usize::MAX, |limit| limit as usize);
        let modes = [
            ("slope", LineMode::Slope),
            ("staircase", LineMode::Staircase),
            ("connected", LineMode::Connected(limit)),
        ];
        Ok(self.one_of("lineMode", &modes)?.unwrap_or_default())
    }

    fn one_of<T: Copy>(&self, key: &str, all: &[(&str, T)]) -> Result<Option<T>, ApiError> {
        let Some(text) = self.0.get(key) else { return Ok(None) };
        let found = all.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, one)| *one);
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        let detail = || format!("there is no `{}`; there are {}", clip(text), names.join(", "));
        found.map(Some).ok_or_else(|| ApiError::parameter(key, detail(), names[0]))
    }
}

fn paint(key: &str, text: &str) -> Result<Paint, ApiError> {
    let detail = || format!("`{}` is no colour; write a name, or six hexadecimal digits", clip(text));
    Paint::parse(text).ok_or_else(|| ApiError::parameter(key, detail(), "ff8800"))
}
