//! Dark, light, or as the system has it. The choice is kept in this browser.

use crate::prefs;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// What was chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    #[default]
    Auto,
    /// Dark.
    Dark,
    /// Light.
    Light,
}

impl Theme {
    /// Its name, shown and stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }

    /// The one that the toggle goes to.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Auto => Self::Dark,
            Self::Dark => Self::Light,
            Self::Light => Self::Auto,
        }
    }

    fn parse(name: &str) -> Self {
        [Self::Dark, Self::Light].into_iter().find(|theme| theme.name() == name).unwrap_or_default()
    }
}

/// The theme as signals.
#[derive(Clone, Copy)]
pub struct ThemeSignals {
    /// The choice.
    pub theme: RwSignal<Theme>,
    /// Rises when the colours change, so that canvases draw again.
    pub generation: RwSignal<u32>,
}

/// Reads the stored choice, applies each change to the document and watches the system's.
pub fn use_theme() -> ThemeSignals {
    let theme = RwSignal::new(prefs::read("theme").map(|name| Theme::parse(&name)).unwrap_or_default());
    let generation = RwSignal::new(0);
    Effect::new(move |_| {
        let theme = theme.get();
        prefs::write("theme", theme.name());
        show(theme);
        generation.update(|count| *count += 1);
    });
    watch_system(generation);
    ThemeSignals { theme, generation }
}

fn show(theme: Theme) {
    let Some(root) = document().document_element() else { return };
    let shown = match theme {
        Theme::Auto => root.remove_attribute("data-theme"),
        chosen => root.set_attribute("data-theme", chosen.name()),
    };
    drop(shown);
}

fn watch_system(generation: RwSignal<u32>) {
    let Ok(Some(query)) = window().match_media("(prefers-color-scheme: light)") else { return };
    let changed = Closure::<dyn FnMut()>::new(move || generation.update(|count| *count += 1));
    query.set_onchange(Some(changed.as_ref().unchecked_ref()));
    // The page's own life is the listener's.
    changed.forget();
}
