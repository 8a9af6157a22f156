//! Settings that stay in this browser: theme, pane sizes, snapping, keys. Where storage is refused they last as long as the page.

use leptos::prelude::*;

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}

/// The stored value of a setting.
pub fn read(name: &str) -> Option<String> {
    storage()?.get_item(&format!("sonde.{name}")).ok().flatten()
}

/// Stores a setting.
pub fn write(name: &str, value: &str) {
    if let Some(storage) = storage() {
        // A full or forbidden storage only means that the setting is gone with the page.
        drop(storage.set_item(&format!("sonde.{name}"), value));
    }
}

/// A switch that is stored whenever it changes.
pub fn switch(name: &'static str, default: bool) -> RwSignal<bool> {
    let stored = read(name).map(|value| value == "on");
    let switch = RwSignal::new(stored.unwrap_or(default));
    Effect::new(move |before: Option<bool>| {
        let on = switch.get();
        if before.is_some_and(|before| before != on) {
            write(name, if on { "on" } else { "off" });
        }
        on
    });
    switch
}
