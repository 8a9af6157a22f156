//! Settings that stay in this browser: theme and pane sizes. Where storage is refused they last as long as the page.

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
