//! The colours a chart is drawn with.
//!
//! The page reads them from its CSS variables, so that a canvas and the elements around it never differ; no colour
//! is written down here.

use crate::decimal::parse_decimal;
use crate::log::Level;

/// A colour by its red, green and blue parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// Reads the forms in which style sheets and browsers write opaque colours: `#rgb`, `#rrggbb` and `rgb(r, g, b)`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(hex) = text.strip_prefix('#') {
            return Self::parse_hex(hex);
        }
        let inner = text.strip_prefix("rgb(").or_else(|| text.strip_prefix("rgba("))?.strip_suffix(')')?;
        let mut parts = inner.split([',', ' ', '/']).filter(|part| !part.is_empty());
        let mut part = || parts.next().and_then(parse_decimal).map(|number| number.round() as u8);
        Some(Self(part()?, part()?, part()?))
    }

    fn parse_hex(hex: &str) -> Option<Self> {
        let digit = |at: usize| hex.get(at..=at).and_then(|d| u8::from_str_radix(d, 16).ok());
        let pair = |at: usize| Some(digit(at)? * 16 + digit(at + 1)?);
        match hex.len() {
            3 => Some(Self(digit(0)? * 17, digit(1)? * 17, digit(2)? * 17)),
            6 => Some(Self(pair(0)?, pair(2)?, pair(4)?)),
            _ => None,
        }
    }
}

/// All colours and the font of a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// The mesh.
    pub line: Rgb,
    /// Values.
    pub text: Rgb,
    /// Axis labels.
    pub muted: Rgb,
    /// Events.
    pub faint: Rgb,
    /// The series, in order of their slots.
    pub series: [Rgb; 6],
    /// A colour a level, by the level's number.
    pub levels: [Rgb; Level::COUNT],
    /// The font family of numbers.
    pub font: String,
}

impl Theme {
    /// The colour of a level.
    pub fn level(&self, level: Level) -> Rgb {
        self.levels[level as usize]
    }

    /// The colour of the series in a slot; the seventh has the first's again, and dashes.
    pub fn slot(&self, slot: usize) -> Rgb {
        self.series[slot % self.series.len()]
    }
}

/// The dashes of the series in a slot, as lengths of line and gap in px: solid, then 6-3, then 2-2.
pub const fn dashes_of_slot(slot: usize) -> Option<(f64, f64)> {
    match slot / 6 {
        0 => None,
        1 => Some((6.0, 3.0)),
        _ => Some((2.0, 2.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_as_browsers_write_them() {
        let check = |text: &str, expected: Option<Rgb>| assert_eq!(Rgb::parse(text), expected, "{text}");
        check(" #0e1116", Some(Rgb(14, 17, 22)));
        check("#fff", Some(Rgb(255, 255, 255)));
        check("rgb(1, 2, 3)", Some(Rgb(1, 2, 3)));
        check("rgba(1, 2, 3, 0.5)", Some(Rgb(1, 2, 3)));
        check("rgb(1 2 3 / 50%)", Some(Rgb(1, 2, 3)));
        check("#12345", None);
        check("#ü1", None);
        check("blue", None);
        check("rgb(1, 2)", None);
        check("", None);
    }

    #[test]
    fn the_seventh_series_has_the_firsts_colour_with_dashes() {
        let theme = Theme { series: [1, 2, 3, 4, 5, 6].map(|n| Rgb(n, n, n)), ..Theme::default() };
        assert_eq!((theme.slot(6), dashes_of_slot(6)), (theme.slot(0), Some((6.0, 3.0))));
        assert_eq!((dashes_of_slot(5), dashes_of_slot(12)), (None, Some((2.0, 2.0))));
    }
}
