//! The bar at the top: which dashboard, which range, live or not, zone, theme, the address to share.

use super::board_menu::BoardMenu;
use super::icons::{Glyph, Icon};
use super::more_menu::MoreMenu;
use super::share::Share;
use super::time_picker::TimePicker;
use crate::chart::ChartContext;
use crate::feeds::LiveFeed;
use crate::session::{Session, use_session};
use crate::state::Command;
use crate::text;
use crate::theme::{Theme, ThemeSignals};
use leptos::prelude::*;
use sonde_shared::view::Zone;

/// The top bar.
#[component]
pub fn TopBar(help: RwSignal<bool>) -> impl IntoView {
    view! {
        <header class="top-bar">
            <a class="name" href="/" aria-label="Sonde, start page">"Sonde"</a>
            <BoardMenu />
            <span class="spring"></span>
            <TimePicker />
            <LiveButton />
            <ZoneButton />
            <ThemeButton />
            <Share />
            <button class="control icon-only wide-only" aria-label="Keys" title="Keys (?)" on:click=move |_| help.set(true)>
                <Glyph icon=Icon::Help />
            </button>
            <MoreMenu help />
        </header>
    }
}

/// Live, or paused with what has come since.
#[component]
fn LiveButton() -> impl IntoView {
    let session = use_session();
    let live = session.part(|state| state.view.live);
    let new_lines = expect_context::<LiveFeed>().since_paused;
    let charts: ChartContext = expect_context();
    // A page whose server is gone would pretend to move, or to be about to show something.
    let is_lost = session.lost;
    // A phone has room for the first part.
    let label = move || match (live.get(), new_lines.get()) {
        _ if is_lost.get() => ("Reconnecting…", String::new()),
        // Time stands still on the charts, so that what is pinned stays where it is.
        (true, _) if charts.pinned.with(Option::is_some) => {
            ("Live", " · held by the crosshair (Esc)".to_owned())
        }
        (true, _) => ("Live", String::new()),
        (false, Some(count)) if count > 0 => {
            let lines = if count == 1 { " new line · Resume (l)" } else { " new lines · Resume (l)" };
            ("Paused", [" · ", &text::count(count), lines].concat())
        }
        (false, Some(_)) => ("Paused", " · Resume (l)".to_owned()),
        (false, None) => ("Go live", String::new()),
    };
    view! {
        <button
            class="control live"
            class:lost=move || is_lost.get()
            title=move || if is_lost.get() { "The server cannot be reached; trying again" } else { "Follow the clock (l)" }
            aria-label=move || [label().0, &label().1].concat()
            aria-pressed=move || live.get().to_string()
            on:click=move |_| session.send(Command::ToggleLive)
        >
            {move || {
                let icon = match (live.get(), is_lost.get()) {
                    (_, true) => Icon::Lost,
                    (true, _) => Icon::Pause,
                    (false, _) => Icon::Play,
                };
                view! { <Glyph icon /> }
            }}
            <span class="live-label">
                {move || label().0}<span class="wide-only">{move || label().1}</span>
            </span>
        </button>
    }
}

#[component]
fn ZoneButton() -> impl IntoView {
    let session = use_session();
    let zone = session.part(|state| state.view.zone.unwrap_or_default());
    let name = move || if zone.get() == Zone::Utc { "UTC" } else { "Local" };
    view! {
        <button
            class="control wide-only"
            aria-label=move || format!("Times in {}", zone_name(zone.get()))
            title="Times in UTC or in your own zone"
            on:click=move |_| toggle_zone(session)
        >
            {move || name()}
        </button>
    }
}

/// `UTC` or `local time`, as in "Times in UTC".
pub(super) const fn zone_name(zone: Zone) -> &'static str {
    match zone {
        Zone::Utc => "UTC",
        Zone::Local => "local time",
    }
}

/// Shows times in the other zone.
pub(super) fn toggle_zone(session: Session) {
    let zone = session.now_part(|state| state.view.zone.unwrap_or_default());
    let next = if zone == Zone::Utc { Zone::Local } else { Zone::Utc };
    session.send(Command::SetZone(next));
}

/// Goes on to the next theme.
pub(super) fn next_theme(theme: RwSignal<Theme>) {
    theme.update(|theme| *theme = theme.next());
}

#[component]
fn ThemeButton() -> impl IntoView {
    let theme = expect_context::<ThemeSignals>().theme;
    let icon = move || match theme.get() {
        Theme::Auto => Icon::Auto,
        Theme::Dark => Icon::Moon,
        Theme::Light => Icon::Sun,
    };
    view! {
        <button
            class="control icon-only wide-only"
            aria-label=move || format!("Theme: {}", theme.get().name())
            title=move || format!("Theme: {}", theme.get().name())
            on:click=move |_| next_theme(theme)
        >
            {move || view! { <Glyph icon=icon() /> }}
        </button>
    }
}
