//! The colours of a picture: those of the page, read from the page's own list of them, and what a request puts in their place.

use super::Settings;
use super::colour::{Paint, blend};
use sonde_shared::chart::theme::{Rgb, Theme};
use sonde_shared::log::Level;
use std::sync::LazyLock;

/// Which of the page's two sets of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Template {
    /// Dark on white.
    Light,
    /// Light on black.
    Dark,
}

impl Template {
    /// By its own name, or that of one of Graphite's templates; one that is not known is as if none was named, as there.
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "light" | "default" | "plain" | "alphas" | "solarized-light" => Some(Self::Light),
            "dark" | "noc" | "classic" | "summary" | "solarized-dark" => Some(Self::Dark),
            _ => None,
        }
    }
}

/// The font of titles, with what stands in where it is missing.
pub(super) const TITLE_FONT: &str = "Inter, system-ui, sans-serif";
/// The font of numbers and names.
const NUMBER_FONT: &str = "JetBrains Mono, ui-monospace, monospace";

const TOKENS: &str = include_str!("../../../frontend/style/tokens.css");

static LIGHT: LazyLock<(Theme, Rgb)> = LazyLock::new(|| read(TOKENS, ":root[data-theme=\"light\"] {"));
static DARK: LazyLock<(Theme, Rgb)> = LazyLock::new(|| read(TOKENS, ":root {\n  color-scheme: dark;"));

/// The theme that stands in a style sheet behind these words, and its background.
fn read(css: &str, head: &str) -> (Theme, Rgb) {
    let block = css.split_once(head).map_or("", |(_, rest)| rest);
    let block = block.split('}').next().unwrap_or_default();
    let colour = |name: &str| {
        let declared = block.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'));
        declared.and_then(|value| Rgb::parse(value.trim_end_matches(';'))).unwrap_or_default()
    };
    let level = |level: Level| match level {
        Level::Fatal => colour("--fatal"),
        Level::Error => colour("--error"),
        Level::Warn => colour("--warn"),
        Level::Info => colour("--info"),
        Level::Debug | Level::Trace => colour("--debug"),
    };
    let theme = Theme {
        line: colour("--line"),
        text: colour("--text"),
        muted: colour("--muted"),
        faint: colour("--faint"),
        series: [1, 2, 3, 4, 5, 6].map(|number| colour(&format!("--series-{number}"))),
        levels: Level::ALL.map(level),
        font: NUMBER_FONT.to_owned(),
    };
    (theme, colour("--panel"))
}

/// The theme of a picture and what it stands on. Where only a background is asked for, what is read on it.
pub(super) fn of(settings: &Settings) -> (Theme, Paint) {
    let fitting = settings
        .background
        .filter(|paint| paint.alpha > 0.5)
        .map(|paint| if paint.is_light() { Template::Light } else { Template::Dark });
    let template = match (settings.background, settings.template) {
        (Some(_), _) => fitting.or(settings.template),
        (None, template) => template,
    };
    let (theme, panel) = match template.unwrap_or(Template::Light) {
        Template::Light => &*LIGHT,
        Template::Dark => &*DARK,
    };
    let (mut theme, background) = (theme.clone(), settings.background.unwrap_or(Paint::opaque(*panel)));
    if let Some(foreground) = settings.foreground {
        let faded = |part: f64| blend(foreground.rgb, background.rgb, part);
        theme.text = foreground.rgb;
        (theme.muted, theme.faint, theme.line) = (faded(0.85), faded(0.7), faded(0.2));
    }
    if let Some(mesh) = settings.mesh {
        theme.line = blend(mesh.rgb, background.rgb, mesh.alpha);
    }
    (theme, background)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_colours_are_found_in_its_style_sheet() {
        for (theme, panel) in [&*LIGHT, &*DARK] {
            let mut all = vec![theme.line, theme.text, theme.muted, theme.faint, *panel];
            all.extend(theme.series.iter().chain(&theme.levels));
            assert!(all.iter().all(|colour| *colour != Rgb::default()), "{theme:?}");
        }
        assert!(Paint::opaque(LIGHT.1).is_light() && !Paint::opaque(DARK.1).is_light());
        assert_ne!(LIGHT.0.series, DARK.0.series);
    }

    #[test]
    fn graphites_templates_are_light_or_dark() {
        let check = |name: &str, expected: Option<Template>| assert_eq!(Template::parse(name), expected);
        check("default", Some(Template::Light));
        check("noc", Some(Template::Dark));
        check("Classic", Some(Template::Dark));
        check("of-our-own", None);
    }
}
