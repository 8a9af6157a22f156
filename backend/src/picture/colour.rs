//! Colours as Graphite's parameters and functions name them.

use sonde_shared::chart::theme::Rgb;

/// A colour and its opacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paint {
    /// The colour.
    pub rgb: Rgb,
    /// From 0, which is not seen, to 1.
    pub alpha: f64,
}

/// What Graphite means by these names (`colorAliases` in its `glyph.py`), which is not always what style sheets do.
const NAMES: [(&str, (u8, u8, u8)); 22] = [
    ("black", (0, 0, 0)),
    ("white", (255, 255, 255)),
    ("blue", (100, 100, 255)),
    ("green", (0, 200, 0)),
    ("red", (200, 0, 50)),
    ("yellow", (255, 255, 0)),
    ("orange", (255, 165, 0)),
    ("purple", (200, 100, 255)),
    ("brown", (150, 100, 50)),
    ("cyan", (0, 255, 255)),
    ("aqua", (0, 150, 150)),
    ("gray", (175, 175, 175)),
    ("grey", (175, 175, 175)),
    ("magenta", (255, 0, 255)),
    ("pink", (255, 100, 100)),
    ("gold", (200, 200, 0)),
    ("rose", (200, 150, 200)),
    ("darkblue", (0, 0, 255)),
    ("darkgreen", (0, 255, 0)),
    ("darkred", (255, 0, 0)),
    ("darkgray", (111, 111, 111)),
    ("darkgrey", (111, 111, 111)),
];

impl Paint {
    /// An opaque colour.
    pub fn opaque(rgb: Rgb) -> Self {
        Self { rgb, alpha: 1.0 }
    }

    /// Reads `red`, `ff0000`, `#ff0000`, `#f00`, and `ff000080`, whose last two digits are the opacity.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if let Some((_, (red, green, blue))) = NAMES.iter().find(|(name, _)| *name == text) {
            return Some(Self::opaque(Rgb(*red, *green, *blue)));
        }
        if text == "transparent" {
            return Some(Self { rgb: Rgb(0, 0, 0), alpha: 0.0 });
        }
        let hex = text.strip_prefix('#').or_else(|| text.strip_prefix("%23")).unwrap_or(&text);
        let (colour, alpha) = match hex.len() {
            8 => (hex.get(..6)?, f64::from(u8::from_str_radix(hex.get(6..)?, 16).ok()?) / 255.0),
            _ => (hex, 1.0),
        };
        Some(Self { rgb: Rgb::parse(&format!("#{colour}"))?, alpha })
    }

    /// Whether dark text is read on it.
    pub fn is_light(self) -> bool {
        let Rgb(red, green, blue) = self.rgb;
        let brightness = 0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue);
        brightness > 140.0
    }
}

/// A colour between two: so much of the first.
pub(super) fn blend(first: Rgb, second: Rgb, part: f64) -> Rgb {
    let mix = |a: u8, b: u8| (f64::from(a) * part + f64::from(b) * (1.0 - part)).round() as u8;
    Rgb(mix(first.0, second.0), mix(first.1, second.1), mix(first.2, second.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_as_graphite_writes_them() {
        let check = |text: &str, expected: Option<(u8, u8, u8, u8)>| {
            let found = Paint::parse(text).map(|paint| {
                let Rgb(red, green, blue) = paint.rgb;
                (red, green, blue, (paint.alpha * 255.0).round() as u8)
            });
            assert_eq!(found, expected, "{text}");
        };
        check("red", Some((200, 0, 50, 255)));
        check("Rose", Some((200, 150, 200, 255)));
        check("ff0000", Some((255, 0, 0, 255)));
        check("#0f0", Some((0, 255, 0, 255)));
        check("%23123456", Some((18, 52, 86, 255)));
        check("12345680", Some((18, 52, 86, 128)));
        check("transparent", Some((0, 0, 0, 0)));
        check("nothing", None);
        check("ü12345", None);
        check("", None);
    }
}
