//! The page's root: what is where, what the charts' gestures mean, and the keys that act everywhere.

use crate::chart::{ChartContext, Gesture};
use crate::feeds::{LineFeed, Loaded, PageFeed, clock, range};
use crate::panes::{
    Announcer, Charts, ComponentTree, HelpDialog, LogPane, Notes, Splitter, TopBar, stored_split,
};
use crate::rest::Rest;
use crate::session::Session;
use crate::state::Command;
use crate::theme::{ThemeSignals, use_theme};
use leptos::html;
use leptos::prelude::*;
use sonde_shared::api::Histogram;
use sonde_shared::time::TimeRange;
use std::time::Duration;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// What the charts' gutters take of their width, for asking for no more points than can be told apart.
const GUTTER_PX: f64 = 80.0;

/// How long a wheel must stand still for its burst to be over.
const ZOOM_REST: Duration = Duration::from_millis(400);

/// How large the charts are.
#[derive(Clone, Copy)]
pub struct ChartSize {
    /// The width of a plot in device pixels.
    pub width_px: Signal<f64>,
    /// The height of a plot.
    pub plot_px: Signal<f64>,
    /// Rises when the charts are scrolled.
    pub scrolled: RwSignal<u32>,
}

/// The page.
#[component]
pub fn App() -> impl IntoView {
    let session = Session::provide();
    let theme = use_theme();
    provide_context(theme);
    provide_context(PageFeed::start(session));
    clock::start_clock(session);
    let centre = NodeRef::<html::Main>::new();
    let size = watch_centre(centre);
    provide_context(size);
    let histogram = range::load_histogram(session, size.width_px);
    let charts = provide_charts(session, theme, histogram);
    provide_context(LineFeed::start(session));
    let components = range::load_components(session);
    let help = RwSignal::new(false);
    let tree_open = RwSignal::new(false);
    let sheet_open = RwSignal::new(false);
    let split = RwSignal::new(stored_split());
    listen_to_keys(session, charts, help, tree_open);
    follow_title(session);
    let span = move |range: TimeRange| format!("{}..{}", range.from.as_millis(), range.until.as_millis());
    view! {
        <div
            class="page"
            class:sheet-open=move || sheet_open.get()
            data-range=move || span(session.range.get())
            data-selection=move || session.selection.get().map(span)
        >
            <TopBar help />
            <Notes />
            <div class="columns">
                <ComponentTree components open=tree_open />
                <main
                    class="centre"
                    node_ref=centre
                    style:grid-template-rows=move || format!("minmax(0, {0}fr) 9px minmax(0, {1}fr)", split.get(), 100.0 - split.get())
                >
                    <Charts histogram />
                    <Splitter split />
                    <SheetTabs sheet_open tree_open />
                    <LogPane />
                </main>
            </div>
            <HelpDialog open=help />
            <Announcer />
        </div>
    }
}

/// On a phone, lines and components come up from the bottom.
#[component]
fn SheetTabs(sheet_open: RwSignal<bool>, tree_open: RwSignal<bool>) -> impl IntoView {
    let lines = move |_| {
        tree_open.set(false);
        sheet_open.update(|open| *open = !*open);
    };
    let components = move |_| {
        sheet_open.set(false);
        tree_open.update(|open| *open = !*open);
    };
    view! {
        <div class="sheet-tabs" role="group" aria-label="Bottom sheet">
            <button class="tab" aria-pressed=move || sheet_open.get().to_string() on:click=lines>"Lines"</button>
            <button class="tab" aria-pressed=move || tree_open.get().to_string() on:click=components>"Components"</button>
        </div>
    }
}

fn provide_charts(session: Session, theme: ThemeSignals, histogram: Loaded<Histogram>) -> ChartContext {
    let count_lines = move |range| {
        histogram
            .value
            .with_untracked(|counts| counts.as_ref().and_then(|counts| range::count_in(counts, range)))
    };
    let rest = Rest::new();
    let charts = ChartContext {
        range: session.range.into(),
        selection: session.selection.into(),
        draft: RwSignal::new(None),
        hover: RwSignal::new(None),
        pinned: RwSignal::new(None),
        active: session.part(|state| state.view.panel.clone()).into(),
        utc_offset_minutes: session.offset_minutes.into(),
        count_lines: Callback::new(count_lines),
        on_gesture: Callback::new(move |gesture| {
            if matches!(gesture, Gesture::Show(_)) {
                rest.after(ZOOM_REST, move || session.send(Command::Rested));
            }
            session.send(command_of(gesture));
        }),
        theme_generation: theme.generation.into(),
    };
    thaw_after_gestures(session, charts);
    provide_context(charts);
    charts
}

fn command_of(gesture: Gesture) -> Command {
    match gesture {
        Gesture::Select { panel, range } => Command::Select(panel, range),
        Gesture::Adjust(range) => Command::Adjust(range),
        Gesture::Clear => Command::ClearSelection,
        Gesture::Activate(panel) => Command::Activate(panel),
        Gesture::Show(range) => Command::Show(range),
        Gesture::ZoomBack => Command::ZoomBack,
        Gesture::Freeze => Command::Freeze(true),
    }
}

/// The axis moves again once nothing is dragged and no crosshair is pinned.
fn thaw_after_gestures(session: Session, charts: ChartContext) {
    let thaw = move || {
        let held =
            charts.draft.with_untracked(Option::is_some) || charts.pinned.with_untracked(Option::is_some);
        if !held {
            session.send(Command::Freeze(false));
        }
    };
    Effect::new(move |_| {
        charts.draft.track();
        charts.pinned.track();
        thaw();
    });
    let soon = move || set_timeout(thaw, Duration::ZERO);
    drop(window_event_listener(leptos::ev::pointerup, move |_| soon()));
    drop(window_event_listener(leptos::ev::pointercancel, move |_| soon()));
    drop(window_event_listener(leptos::ev::keyup, move |_| soon()));
}

fn watch_centre(centre: NodeRef<html::Main>) -> ChartSize {
    let width = RwSignal::new(0.0);
    let narrow = RwSignal::new(false);
    Effect::new(move |_| {
        let Some(centre) = centre.get() else { return };
        let measured = centre.clone();
        let measure = Closure::<dyn FnMut()>::new(move || {
            let css_px = f64::from(measured.client_width());
            width.set((css_px - GUTTER_PX).max(100.0) * window().device_pixel_ratio());
            narrow.set(
                window()
                    .inner_width()
                    .ok()
                    .and_then(|width| width.as_f64())
                    .is_some_and(|width| width < 600.0),
            );
        });
        let Ok(observer) = web_sys::ResizeObserver::new(measure.as_ref().unchecked_ref()) else { return };
        observer.observe(&centre);
        let held = StoredValue::new_local((observer, measure));
        on_cleanup(move || held.with_value(|(observer, _)| observer.disconnect()));
    });
    ChartSize {
        scrolled: RwSignal::new(0),
        width_px: width.into(),
        plot_px: Signal::derive(move || if narrow.get() { 128.0 } else { 168.0 }),
    }
}

/// Letters act everywhere but in inputs; Escape undoes one layer at a time.
fn listen_to_keys(session: Session, charts: ChartContext, help: RwSignal<bool>, tree_open: RwSignal<bool>) {
    let listener = window_event_listener(leptos::ev::keydown, move |event| {
        let modified = event.ctrl_key() || event.meta_key() || event.alt_key();
        if modified || event.default_prevented() || is_in_input(&event) || help.get_untracked() {
            return;
        }
        match event.key().as_str() {
            "?" => help.set(true),
            "l" => session.send(Command::ToggleLive),
            "/" => session.text_filter_focus.update(|count| *count += 1),
            "Escape" => undo_a_layer(session, charts, tree_open),
            _ => return,
        }
        event.prevent_default();
    });
    on_cleanup(move || listener.remove());
}

fn undo_a_layer(session: Session, charts: ChartContext, tree_open: RwSignal<bool>) {
    if charts.draft.with_untracked(Option::is_some) {
        return;
    }
    if tree_open.get_untracked() {
        tree_open.set(false);
    } else if session.now_part(|state| state.view.line.is_some()) {
        session.send(Command::PinLine(None));
    } else if charts.pinned.with_untracked(Option::is_some) {
        charts.pinned.set(None);
    } else {
        session.send(Command::ClearSelection);
    }
}

fn is_in_input(event: &web_sys::KeyboardEvent) -> bool {
    let element = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    element.is_some_and(|element| matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"))
}

fn follow_title(session: Session) {
    let title = session.part(|state| state.dashboard.as_ref().map(|board| board.title.clone()));
    Effect::new(move |_| {
        let title = title.get().filter(|title| !title.is_empty());
        document().set_title(&title.map_or_else(|| "Sonde".to_owned(), |title| format!("{title} · Sonde")));
    });
}
