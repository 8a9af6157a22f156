//! Dark, light, or as the system has it. The choice is kept in this browser.

use crate::boxed::effect;
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

    /// The choice, or without one what the system has.
    const fn resolved(self, system: Self) -> Self {
        match self {
            Self::Auto => system,
            chosen => chosen,
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

/// Reads the stored choice, applies each change to the document and follows the system's.
pub fn use_theme() -> ThemeSignals {
    let theme = RwSignal::new(prefs::read("theme").map(|name| Theme::parse(&name)).unwrap_or_default());
    let generation = RwSignal::new(0);
    let system = watch_system();
    effect(move || {
        let theme = theme.get();
        prefs::write("theme", theme.name());
        show(theme.resolved(system.get()));
        generation.update(|count| *count += 1);
    });
    ThemeSignals { theme, generation }
}

/// The style sheet has the colours of both under the name in `data-theme`.
fn show(theme: Theme) {
    if let Some(root) = document().document_element() {
        drop(root.set_attribute("data-theme", theme.name()));
    }
}

/// What the system has, dark or light.
fn watch_system() -> RwSignal<Theme> {
    let system = RwSignal::new(Theme::Dark);
    let Ok(Some(query)) = window().match_media("(prefers-color-scheme: light)") else { return system };
    let named = |is_light: bool| if is_light { Theme::Light } else { Theme::Dark };
    system.set(named(query.matches()));
    let watched = query.clone();
    let changed = Closure::<dyn FnMut()>::new(move || system.set(named(watched.matches())));
    query.set_onchange(Some(changed.as_ref().unchecked_ref()));
    // The page's own life is the listener's.
    changed.forget();
    system
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_without_a_choice_the_system_decides() {
        let check = |chosen: Theme, system: Theme, expected: Theme| {
            assert_eq!(chosen.resolved(system), expected);
        };
        check(Theme::Auto, Theme::Light, Theme::Light);
        check(Theme::Auto, Theme::Dark, Theme::Dark);
        check(Theme::Dark, Theme::Light, Theme::Dark);
        check(Theme::Light, Theme::Dark, Theme::Light);
    }
}
