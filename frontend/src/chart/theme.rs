//! The canvas' colours, read from the page's CSS variables.

use super::readings::level_variable;
use sonde_shared::chart::draw::Layout;
use sonde_shared::chart::theme::{Rgb, Theme};
use sonde_shared::decimal::parse_decimal;
use sonde_shared::log::Level;
use web_sys::{CssStyleDeclaration, Element};

/// The theme of the page.
pub fn page_theme() -> Theme {
    leptos::prelude::document().document_element().map(|root| read_theme(&root)).unwrap_or_default()
}

/// The theme as it is on an element. A variable that is missing or no plain colour reads as black.
pub fn read_theme(element: &Element) -> Theme {
    let Ok(Some(style)) = leptos::prelude::window().get_computed_style(element) else {
        return Theme::default();
    };
    let colour = |name: &str| Rgb::parse(&variable(&style, name)).unwrap_or_default();
    Theme {
        line: colour("--line"),
        text: colour("--text"),
        muted: colour("--muted"),
        faint: colour("--faint"),
        series: [1, 2, 3, 4, 5, 6].map(|number| colour(&format!("--series-{number}"))),
        levels: Level::ALL.map(|level| colour(level_variable(level))),
        font: variable(&style, "--font-mono"),
    }
}

/// How large a chart's texts are: larger on a wall.
pub(super) fn read_text_px(element: &Element) -> f64 {
    let style = leptos::prelude::window().get_computed_style(element).ok().flatten();
    let size = style.map(|style| variable(&style, "--chart-text")).unwrap_or_default();
    parse_decimal(size.trim_end_matches("px")).unwrap_or(Layout::PAGE.text_px)
}

fn variable(style: &CssStyleDeclaration, name: &str) -> String {
    style.get_property_value(name).unwrap_or_default().trim().to_owned()
}
