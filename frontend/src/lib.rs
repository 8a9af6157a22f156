//! Sonde's page: charts and the lines behind them, in WebAssembly.
//!
//! `app → panes → {chart, feeds, session} → {state, lines, api}`. What decides is in `state` and `lines`, pure and tested
//! on the host; `feeds` ask the server and hand on what comes; panes show and send commands.

#![expect(unreachable_pub, reason = "#[component] makes its function pub whatever was asked for")]
#![expect(
    clippy::large_types_passed_by_value,
    reason = "feeds and surfaces are bundles of handles, copied like signals"
)]
#![expect(clippy::needless_pass_by_value, reason = "a component owns what it is given")]

/// The only modules that talk to the network.
pub mod api;
/// The page's root: what is where.
pub mod app;
/// Effects and memos, boxed.
pub mod boxed;
/// Charts on canvas, with their brush and crosshair.
pub mod chart;
/// What keeps the page supplied: one feed for each kind of data.
pub mod feeds;
/// What the charts share, and what their gestures mean.
pub mod gestures;
/// The server's JSON as values.
pub mod json;
/// The keys that act everywhere.
pub mod keys;
/// Following for a short time what lives long.
pub mod leaving;
/// Log lines as pure data: rows, windows of them, scrolling.
pub mod lines;
/// The visible parts, one file each.
pub mod panes;
/// Texts of others as they are shown.
pub mod plain;
/// Settings that stay in this browser and are no part of the address.
pub mod prefs;
/// Waiting until a burst is over.
pub mod rest;
/// The one state as signals, and the way to change it.
pub mod session;
/// How large elements are.
pub mod size;
/// What the page knows and shows, and how commands change it.
pub mod state;
/// Times and counts as people read them.
pub mod text;
/// Dark, light, or as the system has it.
pub mod theme;
/// The address bar.
pub mod url;

/// Puts the page into the document.
///
/// At a panic the page stops. A page in the making says why on the console; the one that is shipped has no such texts.
pub fn start() {
    #[cfg(debug_assertions)]
    std::panic::set_hook(Box::new(|panic| web_sys::console::error_1(&panic.to_string().into())));
    leptos::mount::mount_to_body(app::App);
}
