//! The page's root: what is where.

use crate::boxed::effect;
use crate::feeds::{
    BoardSaving, Boards, LineFeed, LiveFeed, Loaded, PageFeed, Saving, clock, load_why, range, watch_contact,
};
use crate::gestures::provide_charts;
use crate::keys::{KeyTargets, listen_to_keys, provide_key_choice};
use crate::panes::{
    AddMetric, Announcer, Charts, HelpDialog, LastDrawn, LogPane, MetricDrag, Notes, PanelEditor,
    SelectionBar, SideTree, Splitter, Tie, TopBar, Wall, WhyPane, WhyPlace, stored_split,
};
use crate::plain::isolated;
use crate::session::Session;
use crate::size::{is_phone, on_resize};
use crate::text;
use crate::theme::use_theme;
use leptos::html;
use leptos::prelude::*;
use sonde_shared::time::TimeRange;
use sonde_shared::why::Why;

/// What the charts' gutters take of their width, for asking for no more points than can be told apart.
const GUTTER_PX: f64 = 80.0;

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
    let feed = PageFeed::start(session);
    provide_context(feed);
    provide_context(Boards::new(session, feed));
    provide_context(BoardSaving(RwSignal::new(Saving::Idle)));
    provide_context(LastDrawn::default());
    clock::start_clock(session);
    let centre = NodeRef::<html::Main>::new();
    let size = watch_centre(centre);
    provide_context(size);
    let (histogram, is_former) = range::load_histogram(session, size.width_px);
    let charts = provide_charts(session, theme, histogram, range::load_events(session));
    let lines = LineFeed::start(session);
    provide_context(lines);
    let components = range::load_components(session);
    provide_context(LiveFeed::start(session, lines, histogram, components, size.width_px));
    watch_contact(session, lines);
    let Tie { follows, .. } = Tie::provide(session, charts, lines, histogram);
    let why = load_why(session);
    let why_place = WhyPlace::stored();
    let help = RwSignal::new(false);
    let tree_open = RwSignal::new(false);
    let sheet_open = why_place.lines;
    let split = RwSignal::new(stored_split());
    let letters = provide_key_choice();
    MetricDrag::provide();
    listen_to_keys(KeyTargets { session, charts, letters, follows, help, tree_open, why: why_place });
    follow_title(session);
    let wall = session.part(|state| state.view.wall);
    let editing = session.part(|state| state.editor.is_some());
    let span = move |range: TimeRange| format!("{}..{}", range.from.as_millis(), range.until.as_millis());
    view! {
        <div
            class="page"
            class:sheet-open=move || sheet_open.get()
            class:editing=move || editing.get()
            class:explained=move || why_place.open.get()
            data-range=move || span(session.range.get())
            data-selection=move || session.selection.get().map(span)
            data-baseline=move || session.baseline.get().map(span)
            data-fed=move || session.fed.get().then(|| "true".to_owned())
        >
            <Show
                when=move || wall.get()
                fallback=move || view! {
                    <TopBar help />
                    <Notes />
                    <div class="columns">
                        <SideTree components open=tree_open />
                        <main
                            class="centre"
                            node_ref=centre
                            style:grid-template-rows=move || format!("minmax(0, {0}fr) 9px minmax(0, {1}fr)", split.get(), 100.0 - split.get())
                        >
                            <Charts histogram is_former />
                            <Splitter split />
                            <SheetTabs sheet_open tree_open why why_over=why_place.over />
                            <LogPane />
                        </main>
                        <WhyPane why place=why_place />
                        <PanelEditor />
                    </div>
                    <SelectionBar />
                }
            >
                <Wall />
            </Show>
            <HelpDialog open=help />
            <AddMetric />
            <Announcer />
        </div>
    }
}

/// On a phone, lines and components come up from the bottom.
#[component]
fn SheetTabs(
    sheet_open: RwSignal<bool>,
    tree_open: RwSignal<bool>,
    why: Loaded<Why>,
    why_over: RwSignal<bool>,
) -> impl IntoView {
    let lines = move |_| {
        tree_open.set(false);
        why_over.set(false);
        sheet_open.update(|open| *open = !*open);
    };
    let feed: LineFeed = expect_context();
    let count = move || match feed.total.get().known() {
        Some(lines) => format!("Lines · {}", text::count(lines)),
        None => "Lines".to_owned(),
    };
    let explain = move |_| {
        sheet_open.set(false);
        tree_open.set(false);
        why_over.update(|open| *open = !*open);
    };
    let why_label = move || match why.value.get() {
        Some(why) => format!("Why · {}", why.findings.len()),
        None => "Why".to_owned(),
    };
    let components = move |_| {
        sheet_open.set(false);
        why_over.set(false);
        tree_open.update(|open| *open = !*open);
    };
    view! {
        <div class="sheet-tabs" role="group" aria-label="Bottom sheet">
            <button class="tab" aria-pressed=move || sheet_open.get().to_string() on:click=lines>{move || count()}</button>
            <button class="tab why-sheet" aria-pressed=move || why_over.get().to_string() on:click=explain>{move || why_label()}</button>
            <button class="tab" aria-pressed=move || tree_open.get().to_string() on:click=components>"Components"</button>
        </div>
    }
}

fn watch_centre(centre: NodeRef<html::Main>) -> ChartSize {
    let width = RwSignal::new(0.0);
    let narrow = RwSignal::new(false);
    on_resize(centre, move |centre| {
        let css_px = f64::from(centre.client_width());
        width.set((css_px - GUTTER_PX).max(100.0) * window().device_pixel_ratio());
        narrow.set(is_phone());
    });
    ChartSize {
        scrolled: RwSignal::new(0),
        width_px: width.into(),
        plot_px: Signal::derive(move || if narrow.get() { 128.0 } else { 168.0 }),
    }
}

fn follow_title(session: Session) {
    let title = session.part(|state| state.dashboard.as_ref().map(|board| board.title.clone()));
    effect(move || {
        let title = title.get().filter(|title| !title.is_empty());
        document()
            .set_title(&title.map_or_else(|| "Sonde".to_owned(), |title| isolated(&title) + " · Sonde"));
    });
}
