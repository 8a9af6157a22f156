//! The panels of the dashboard, stacked over one time axis and the histogram of lines.

use super::edited::{EditedMark, EditedNote};
use super::empty::{ErrorNote, FirstSteps, NoPanels, PanelSkeletons};
use super::icons::{Glyph, Icon};
use super::in_sight::in_sight;
use super::reveal::{FormerScroll, follow_reveal};
use crate::app::ChartSize;
use crate::boxed::{effect, memo};
use crate::chart::{Chart, ChartContext, LogHistogram, TimeAxis, unfinished};
use crate::feeds::{LiveFeed, Loaded, PageFeed, range};
use crate::rest::Rest;
use crate::session::{Session, use_session};
use crate::size::on_resize;
use crate::state::{AppState, ChartsState, Command, EditStep, TARGETS_PANEL};
use crate::text;
use leptos::html;
use leptos::prelude::*;
use sonde_shared::api::{Columns, Histogram};
use sonde_shared::chart::reduce::last_value;
use sonde_shared::dashboard::Panel;
use sonde_shared::time::TimeRange;
use std::sync::Arc;
use std::time::Duration;

/// What is above, between and below a plot that fills the charts' place: margins, head, legend, axis and histogram.
const AROUND_PX: f64 = 146.0;
/// A row of a legend's table, and what the table takes at most.
const TABLE_ROW_PX: f64 = 20.0;
const TABLE_PX: f64 = 161.0;

/// What is meant by a chart that is complete up to an instant.
const STILL_TO_COME: &str = "Later points of some series have not come yet: the hatched end of the chart";

/// How soon a range is asked for again that has ended and lacks points.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// Where a panel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    AmongOthers,
    /// It fills the charts' place.
    Alone,
    /// Another one does.
    Hidden,
}

/// What the edited panel showed last: each change makes a new panel, which has it until its own series come, and keeps it where
/// they cannot.
#[derive(Clone, Copy, Default)]
pub struct LastDrawn(StoredValue<Option<(String, Arc<Vec<Columns>>)>>);

impl LastDrawn {
    fn follow(self, id: String, loaded: Loaded<Vec<Columns>>, is_edited: Memo<bool>) {
        let former = self.0.get_value().filter(|(drawn, _)| *drawn == id);
        if former.is_some() {
            loaded.value.set(former.map(|(_, columns)| columns));
        }
        effect(move || {
            if let Some(columns) = loaded.value.get().filter(|_| is_edited.get()) {
                self.0.set_value(Some((id.clone(), columns)));
            }
        });
    }
}

/// The charts.
#[component]
pub fn Charts(
    histogram: Loaded<Histogram>,
    /// Whether that is of former filters.
    is_former: Memo<bool>,
) -> impl IntoView {
    let session = use_session();
    let context: ChartContext = expect_context();
    let panels = session.part(AppState::drawn_panels);
    let size: ChartSize = expect_context();
    let scrolled = move |_| size.scrolled.update(|count| *count += 1);
    let (root, room_px) = (NodeRef::<html::Section>::new(), RwSignal::new(0.0));
    FormerScroll::provide(session, root);
    on_resize(root, move |section| room_px.set(f64::from(section.client_height()) - AROUND_PX));
    let alone = session.part(|state| state.maximized().is_some());
    // What comes into sight has to be asked for.
    effect(move || {
        alone.track();
        request_animation_frame(move || size.scrolled.update(|count| *count += 1));
    });
    view! {
        <section class="charts" class:alone=move || alone.get() node_ref=root aria-label="Charts" on:scroll=scrolled>
            <div class="panels">
                <EditedNote />
                <Each
                    each=move || panels.get()
                    key=|panel| serde_json::to_string(panel).unwrap_or_default()
                    children=move |panel| view! { <ChartPanel panel room_px=room_px.into() /> }
                />
                <ChartStates />
                <AddChart />
            </div>
            <div class="axis">
                <TimeAxis ctx=context />
                <LogHistogram ctx=context data=histogram.value is_former />
            </div>
        </section>
    }
}

/// One panel: its title and its chart.
#[component]
fn ChartPanel(panel: Panel, room_px: Signal<f64>) -> impl IntoView {
    let session = use_session();
    let context: ChartContext = expect_context();
    let size: ChartSize = expect_context();
    let root = NodeRef::<html::Article>::new();
    let live: LiveFeed = expect_context();
    let loaded = range::load_panel(session, &panel, size.width_px, in_sight(root, size), live);
    let id = panel.id.clone();
    let is_edited = session.part(move |state| state.edited_panel().is_some_and(|panel| panel.id == id));
    expect_context::<LastDrawn>().follow(panel.id.clone(), loaded, is_edited);
    let id = panel.id.clone();
    let active = session.part(move |state| state.view.panel.as_ref() == Some(&id));
    let outside = session.part({
        let id = panel.id.clone();
        move |state| state.view.chosen && state.is_outside_choice(&id)
    });
    let id = panel.id.clone();
    let place = session.part(move |state| match state.maximized() {
        None => Place::AmongOthers,
        Some(alone) if alone == id => Place::Alone,
        Some(_) => Place::Hidden,
    });
    follow_reveal(session, panel.id.clone(), root, is_edited);
    let details = RwSignal::new(false);
    let wanted = Signal::derive(move || details.get() && place.get() != Place::Hidden);
    let means = range::load_means(session, &panel, wanted);
    let height_px = Signal::derive(move || match place.get() {
        Place::Alone if details.get() => {
            let rows = loaded.value.with(|series| series.as_ref().map_or(0, |series| series.len()));
            (room_px.get() - table_height_px(rows)).max(size.plot_px.get())
        }
        Place::Alone => room_px.get().max(size.plot_px.get()),
        Place::AmongOthers | Place::Hidden => size.plot_px.get(),
    });
    let has_targets = !panel.asked().is_empty();
    let tail = unfinished_of(session, loaded);
    ask_for_the_rest(session, loaded, tail);
    view! {
        <article
            class="panel"
            node_ref=root
            class:active=move || active.get()
            class:outside=move || outside.get()
            class:edited=move || is_edited.get()
            class:hidden=move || place.get() == Place::Hidden
            aria-label=panel.title.clone()
        >
            <PanelHead panel=panel.clone() loaded tail is_edited place />
            {has_targets
                .then(|| {
                    view! {
                        <Chart
                            ctx=context
                            panel=panel.id.clone()
                            title=panel.title.clone()
                            data=loaded.value
                            unit=panel.unit.clone()
                            thresholds=panel.thresholds.clone()
                            min=panel.min
                            max=panel.max
                            draw=panel.draw
                            right_unit=panel.right_unit.clone()
                            height_px
                            details
                            means=means.value
                            tail
                        />
                    }
                })}
        </article>
    }
}

/// A panel's title, what is to be said of its chart, and its buttons.
#[component]
fn PanelHead(
    panel: Panel,
    loaded: Loaded<Vec<Columns>>,
    tail: Memo<Option<TimeRange>>,
    is_edited: Memo<bool>,
    place: Memo<Place>,
) -> impl IntoView {
    let session = use_session();
    let missing = move || {
        let range = session.range.get();
        // What could not be asked for is not missing.
        if loaded.error.with(Option::is_some) {
            return false;
        }
        loaded.value.with(|columns| columns.as_ref().is_some_and(|columns| !has_points(columns, range)))
    };
    view! {
        <header class="panel-head">
            <h2>{panel.title.clone()}</h2>
            <span class="unit">{panel.unit.clone()}</span>
            <Show when=missing>
                <span class="panel-note">"no points in this range"</span>
            </Show>
            {move || {
                // That the server does not answer is told once, in the bar, where what comes is asked for again by itself.
                let error = loaded.error.get().filter(|error| error.status.is_some() || !session.lost.get());
                let retry = move |()| loaded.retry();
                error.map(|error| view! { <PanelError error=error.sentence retry /> })
            }}
            <EditedMark id=panel.id.clone() is_open=is_edited />
            {move || {
                let at = tail.get()?.from;
                let text = text::complete_to(at, session.server_now(), session.zone.get());
                Some(view! { <span class="panel-note complete" title=STILL_TO_COME>{text}</span> })
            }}
            {if panel.id == TARGETS_PANEL {
                view! { <CloseTargets /> }.into_any()
            } else {
                view! { <EditButton id=panel.id.clone() title=panel.title.clone() /> }.into_any()
            }}
            <MaximizeButton id=panel.id.clone() title=panel.title.clone() place />
        </header>
    }
}

#[component]
fn EditButton(id: String, title: String) -> impl IntoView {
    let session = use_session();
    let opens = id.clone();
    let edit = move |_| session.send(Command::Edit(EditStep::Open(id.clone())));
    view! {
        <button
            class="control icon-only small panel-tool"
            aria-label=format!("{title}: edit this chart")
            title="Edit this chart"
            data-edit=opens
            on:click=edit
        >
            <Glyph icon=Icon::Edit />
        </button>
    }
}

/// Below the last panel: one more.
#[component]
fn AddChart() -> impl IntoView {
    let session = use_session();
    let can = session.part(|state| state.dashboard.is_some() && state.maximized().is_none());
    let add = move |_| session.send(Command::Edit(EditStep::Add(Vec::new())));
    view! {
        <Show when=move || can.get()>
            <button class="control add-chart" on:click=add>
                <Glyph icon=Icon::Add />
                "Add a chart"
            </button>
        </Show>
    }
}

/// Takes the panel of the address' own targets away.
#[component]
fn CloseTargets() -> impl IntoView {
    let session = use_session();
    let close = move |_| session.send(Command::SetTargets(Vec::new()));
    view! {
        <button
            class="control icon-only small panel-tool"
            aria-label="Close this chart"
            title="This chart is in the address alone: close it"
            on:click=close
        >
            <Glyph icon=Icon::Close />
        </button>
    }
}

/// What a legend's table of so many series takes, with its head and its line.
fn table_height_px(rows: usize) -> f64 {
    (rows as f64).mul_add(TABLE_ROW_PX, TABLE_ROW_PX + 2.0).min(TABLE_PX)
}

#[component]
fn MaximizeButton(id: String, title: String, place: Memo<Place>) -> impl IntoView {
    let session = use_session();
    let is_alone = move || place.get() == Place::Alone;
    let name = move || {
        if is_alone() {
            "All charts again (m)".to_owned()
        } else {
            format!("{title}: show this chart alone (m)")
        }
    };
    let toggle = move |_| {
        let next = (place.get_untracked() != Place::Alone).then(|| id.clone());
        session.send(Command::Maximize(next));
    };
    view! {
        <button
            class="control icon-only small panel-tool"
            aria-label=name.clone()
            title=name
            aria-pressed=move || is_alone().to_string()
            on:click=toggle
        >
            {move || view! { <Glyph icon=if is_alone() { Icon::Shrink } else { Icon::Grow } /> }}
        </button>
    }
}

/// From when on a panel's points are still to come.
pub fn unfinished_of(session: Session, loaded: Loaded<Vec<Columns>>) -> Memo<Option<TimeRange>> {
    let clock = session.part(|state| (state.view.live, state.now));
    memo(move || {
        let (range, (live, now)) = (session.range.get(), clock.get());
        // The page's clock stands still unless it is live.
        let now = if live { now } else { session.server_now() };
        loaded.value.with(|columns| unfinished(columns.as_ref()?, range, now))
    })
}

/// A range that has just ended, as a selection's in a paused page, gets the points that it is owed by being asked for again.
fn ask_for_the_rest(session: Session, loaded: Loaded<Vec<Columns>>, tail: Memo<Option<TimeRange>>) {
    let (rest, live) = (Rest::new(), session.part(|state| state.view.live));
    effect(move || {
        loaded.value.track();
        let has_ended = !live.get() && session.range.get().until <= session.server_now();
        if has_ended && tail.with(Option::is_some) {
            rest.after(ASK_AGAIN, move || loaded.retry());
        } else {
            rest.stop();
        }
    });
}

/// Whether any series has a point in the range.
fn has_points(columns: &[Columns], range: TimeRange) -> bool {
    let (from, until) = (range.from.as_millis() as f64, range.until.as_millis() as f64);
    columns.iter().any(|one| last_value(&one.times_ms, &one.values, from, until).is_some())
}

#[component]
fn PanelError(error: String, #[prop(into)] retry: Callback<()>) -> impl IntoView {
    view! {
        <span class="panel-note problem" role="alert" title=error.clone()>{error.clone()}</span>
        <button class="control small" on:click=move |_| retry.run(())>"Retry"</button>
    }
}

/// No dashboard, or none that could be loaded, or none yet.
#[component]
fn ChartStates() -> impl IntoView {
    let session = use_session();
    let feed: PageFeed = expect_context();
    let charts = session.part(AppState::charts);
    move || {
        if let Some(error) = feed.info.error.get() {
            let retry = move |()| feed.info.retry();
            return view! { <ErrorNote error retry /> }.into_any();
        }
        if charts.get() == ChartsState::NoData {
            return view! { <FirstSteps /> }.into_any();
        }
        if let Some(error) = feed.dashboard.error.get() {
            let retry = move |()| feed.dashboard.retry();
            return view! { <ErrorNote error retry /> }.into_any();
        }
        match charts.get() {
            ChartsState::NoPanels => view! { <NoPanels /> }.into_any(),
            ChartsState::Waiting => view! { <PanelSkeletons /> }.into_any(),
            ChartsState::NoData | ChartsState::Panels => ().into_any(),
        }
    }
}
