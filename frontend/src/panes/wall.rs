//! The page on a wall: charts alone, in large type, to be read from across a room. What is not of now says so instead of
//! showing a number that was true once. Escape, or the button that a moved pointer brings, leaves it.

use super::charts::unfinished_of;
use super::icons::{Glyph, Icon};
use crate::boxed::memo;
use crate::chart::{Chart, ChartContext};
use crate::feeds::{LiveFeed, Loaded, range};
use crate::rest::Rest;
use crate::session::use_session;
use crate::size::on_resize;
use crate::state::{Command, LastValue, MOST_PANELS, grid, verdict};
use crate::text;
use leptos::html;
use leptos::prelude::*;
use sonde_shared::api::Columns;
use sonde_shared::chart::units::format_value;
use sonde_shared::dashboard::Panel;
use sonde_shared::log::Level;
use sonde_shared::time::Timestamp;
use std::time::Duration;

/// The pointer is out of sight once it has stood still for so long.
const POINTER_REST: Duration = Duration::from_secs(3);
const SECOND: Duration = Duration::from_secs(1);
/// What title, value, verdict and margins take of a panel's height.
const AROUND_PX: f64 = 180.0;

/// The wall.
#[component]
pub fn Wall() -> impl IntoView {
    let session = use_session();
    let now = RwSignal::new(session.server_now());
    if let Ok(handle) = set_interval_with_handle(move || now.set(session.server_now()), SECOND) {
        on_cleanup(move || handle.clear());
    }
    let is_still = pointer_stands_still();
    let panels = session.part(|state| state.panels().take(MOST_PANELS).cloned().collect::<Vec<_>>());
    let left_out = session.part(|state| state.panels().count().saturating_sub(MOST_PANELS));
    let columns = move || panels.with(|panels| grid(panels.len()));
    view! {
        <main class="wall" class:still=move || is_still.get()>
            <WallHead now left_out is_still />
            <section
                class="wall-grid"
                aria-label="Charts"
                style:grid-template-columns=move || format!("repeat({}, minmax(0, 1fr))", columns().0)
                style:grid-template-rows=move || format!("repeat({}, minmax(0, 1fr))", columns().1)
            >
                <Each
                    each=move || panels.get()
                    key=|panel| serde_json::to_string(panel).unwrap_or_default()
                    children=move |panel| view! { <WallPanel panel now /> }
                />
            </section>
            <Show when=move || panels.with(Vec::is_empty)>
                <p class="state wall-empty">"This dashboard has no charts yet."</p>
            </Show>
        </main>
    }
}

/// What is shown, whether the server answers, the time.
#[component]
fn WallHead(now: RwSignal<Timestamp>, left_out: Memo<usize>, is_still: RwSignal<bool>) -> impl IntoView {
    let session = use_session();
    let title =
        session.part(|state| state.dashboard.as_ref().map(|board| board.title.clone()).unwrap_or_default());
    let spec = session.part(|state| state.view.range);
    let live = session.part(|state| state.view.live);
    let shown = move || {
        let label =
            spec.get().map(|spec| text::range_label(spec, now.get(), session.zone.get())).unwrap_or_default();
        match left_out.get() {
            0 => label,
            more => format!("{label} · {more} more charts"),
        }
    };
    let leave = move |_| session.send(Command::SetWall(false));
    view! {
        <header class="wall-head">
            <h1><bdi>{title}</bdi></h1>
            <span class="muted">{move || shown()}</span>
            <Show when=move || !live.get()>
                <span class="wall-note"><Glyph icon=Icon::Pause />"Not live"</span>
            </Show>
            <Show when=move || session.lost.get()>
                <span class="wall-note problem" role="status"><Glyph icon=Icon::Lost />"Reconnecting…"</span>
            </Show>
            <span class="spring"></span>
            <button class="control wall-leave" class:seen=move || !is_still.get() on:click=leave>"Leave the wall (Esc)"</button>
            <time class="wall-clock">{move || text::clock(now.get(), session.zone.get())}</time>
        </header>
    }
}

#[component]
fn WallPanel(panel: Panel, now: RwSignal<Timestamp>) -> impl IntoView {
    let session = use_session();
    let context: ChartContext = expect_context();
    let live: LiveFeed = expect_context();
    let root = NodeRef::<html::Article>::new();
    let (width_px, room_px) = (RwSignal::new(0.0), RwSignal::new(0.0));
    on_resize(root, move |article| {
        width_px.set(f64::from(article.client_width()) * window().device_pixel_ratio());
        room_px.set(f64::from(article.client_height()));
    });
    let loaded = range::load_panel(session, &panel, width_px.into(), Signal::stored(true), live);
    let sources = range::load_sources(session, &panel, width_px.into(), live);
    let last = last_of(panel.clone(), loaded, sources, now);
    let (unit, thresholds) = (panel.unit.clone(), panel.thresholds.clone());
    let judged = {
        let (unit, thresholds) = (unit.clone(), thresholds.clone());
        memo(move || {
            let last = last.get();
            last.value
                .filter(|_| last.stale_secs.is_none() && !last.is_right)
                .and_then(|value| verdict(value, &thresholds, &unit))
        })
    };
    let level = move || judged.with(|judged| judged.as_ref().map_or("", |(level, _)| level.name()));
    let value = {
        let (unit, right_unit) = (unit.clone(), panel.right_unit.clone());
        memo(move || match last.get() {
            LastValue { stale_secs: Some(secs), .. } => ["stale ", &age(secs)].concat(),
            LastValue { value: Some(value), is_right, .. } => {
                format_value(value, if is_right { &right_unit } else { &unit })
            }
            LastValue { value: None, .. } => "no points".to_owned(),
        })
    };
    let letters = move || value.with(|value| value.chars().count().to_string());
    let of = move || {
        let LastValue { of, at, .. } = last.get();
        let at = at.map(|at| text::at(at, now.get(), session.zone.get()));
        [at, Some(of)].into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    };
    let is_past = move || last.with(|last| last.at.is_some());
    let is_old = move || last.with(|last| last.stale_secs.is_some() || last.value.is_none());
    let error = move || loaded.error.get().filter(|_| !session.lost.get()).map(|error| error.sentence);
    view! {
        <article
            class=move || ["wall-panel level-", level()].concat()
            class:judged=move || judged.with(Option::is_some)
            node_ref=root
            aria-label=panel.title.clone()
            data-stale=move || is_old().then_some("1")
        >
            <h2><bdi>{panel.title.clone()}</bdi></h2>
            <p class="wall-value" class:old=is_old class:past=is_past style=("--letters", letters)>{value}</p>
            <p class="wall-verdict">
                {move || judged.get().map(|(level, words)| view! {
                    <Glyph icon=verdict_icon(level) />
                    {words}
                })}
                <span class="muted"><bdi>{move || of()}</bdi></span>
                <span class="problem">{move || error()}</span>
            </p>
            <Chart
                ctx=context
                panel=panel.id.clone()
                title=panel.title.clone()
                data=loaded.value
                unit
                thresholds
                min=panel.min
                max=panel.max
                draw=panel.draw
                right_unit=panel.right_unit.clone()
                height_px=Signal::derive(move || (room_px.get() - AROUND_PX).max(60.0))
                details=RwSignal::new(false)
                means=Signal::stored(None)
                tail=unfinished_of(session, loaded)
            />
        </article>
    }
}

const fn verdict_icon(level: Level) -> Icon {
    match level {
        Level::Warn | Level::Error | Level::Fatal => Icon::Warning,
        _ => Icon::Check,
    }
}

/// `40 s`, `3 min`, `2 h`.
fn age(secs: i64) -> String {
    match secs {
        ..=119 => format!("{secs} s"),
        120..=7_199 => format!("{} min", secs / 60),
        _ => format!("{} h", secs / 3_600),
    }
}

/// What the panel's answer says of now.
fn last_of(
    panel: Panel,
    loaded: Loaded<Vec<Columns>>,
    sources: Loaded<Vec<Columns>>,
    now: RwSignal<Timestamp>,
) -> Memo<LastValue> {
    let session = use_session();
    let live = session.part(|state| state.view.live);
    memo(move || {
        let (range, now, live) = (session.range.get(), now.get(), live.get());
        let now = live.then_some(now);
        loaded.value.with(|all| {
            let Some(all) = all else { return LastValue::default() };
            sources.value.with(|sources| {
                let sources = sources.as_ref().map_or(&[][..], |sources| sources.as_slice());
                LastValue::of(&panel, all, sources, range, now)
            })
        })
    })
}

/// Whether the pointer has stood still for a while.
fn pointer_stands_still() -> RwSignal<bool> {
    let (is_still, rest) = (RwSignal::new(false), Rest::new());
    let wake = move || {
        if is_still.get_untracked() {
            is_still.set(false);
        }
        rest.after(POINTER_REST, move || is_still.set(true));
    };
    wake();
    let moved = window_event_listener(leptos::ev::pointermove, move |_| wake());
    on_cleanup(move || moved.remove());
    is_still
}
