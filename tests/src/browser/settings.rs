//! How a browser is set up, and how it is asked for.

use serde_json::{Value, json};
use std::path::Path;

/// How the browser is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The window's width in CSS pixels.
    pub width: u32,
    /// The window's height in CSS pixels.
    pub height: u32,
    /// The zone of the person who looks.
    pub zone: &'static str,
    /// Whether the system asks for dark colours.
    pub dark: bool,
    /// Whether it is a phone: fingers in place of a mouse.
    pub touch: bool,
    /// Device pixels a CSS pixel.
    pub pixel_ratio: f64,
    /// Further switches of the browser's.
    pub switches: &'static [&'static str],
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            width: 1280,
            height: 900,
            zone: "UTC",
            dark: true,
            touch: false,
            pixel_ratio: 1.0,
            switches: &[],
        }
    }
}

/// What the driver is asked for.
pub(super) fn capabilities(settings: &Settings, switches: &[String], profile: &Path) -> Value {
    let window = format!("--window-size={},{}", settings.width, settings.height);
    let profile = format!("--user-data-dir={}", profile.display());
    let args = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--lang=en-US",
        &window,
        &profile,
    ];
    let switches = settings.switches.iter().copied().chain(switches.iter().map(String::as_str));
    let args: Vec<&str> = args.into_iter().chain(switches).collect();
    json!({"browserName": "chrome", "goog:chromeOptions": {"args": args}, "goog:loggingPrefs": {"browser": "ALL"}})
}
