//! The panels of the dashboard, stacked over one time axis and the histogram of lines.

use super::empty::{ErrorNote, FirstSteps, NoPanels, PanelSkeletons};
use super::in_sight::in_sight;
use crate::app::ChartSize;
use crate::chart::{Chart, ChartContext, LogHistogram, TimeAxis};
use crate::feeds::{Loaded, PageFeed, range};
use crate::session::use_session;
use crate::state::{AppState, ChartsState};
use leptos::html;
use leptos::prelude::*;
use sonde_shared::api::{Columns, Histogram};
use sonde_shared::chart::reduce::last_value;
use sonde_shared::dashboard::Panel;
use sonde_shared::time::TimeRange;

/// The charts.
#[component]
pub fn Charts(histogram: Loaded<Histogram>) -> impl IntoView {
    let session = use_session();
    let context: ChartContext = expect_context();
    let panels =
        session.part(|state| state.dashboard.as_ref().map(|board| board.panels.clone()).unwrap_or_default());
    let size: ChartSize = expect_context();
    let scrolled = move |_| size.scrolled.update(|count| *count += 1);
    view! {
        <section class="charts" aria-label="Charts" on:scroll=scrolled>
            <div class="panels">
                <For
                    each=move || panels.get()
                    key=|panel| serde_json::to_string(panel).unwrap_or_default()
                    children=move |panel| view! { <ChartPanel panel /> }
                />
                <ChartStates />
            </div>
            <div class="axis">
                <TimeAxis ctx=context />
                <LogHistogram ctx=context data=histogram.value />
            </div>
        </section>
    }
}

/// One panel: its title and its chart.
#[component]
fn ChartPanel(panel: Panel) -> impl IntoView {
    let session = use_session();
    let context: ChartContext = expect_context();
    let size: ChartSize = expect_context();
    let root = NodeRef::<html::Article>::new();
    let loaded = range::load_panel(session, &panel, size.width_px, in_sight(root, size));
    let id = panel.id.clone();
    let active = session.part(move |state| state.view.panel.as_ref() == Some(&id));
    let outside = session.part({
        let id = panel.id.clone();
        move |state| state.view.chosen && state.is_outside_choice(&id)
    });
    let has_targets = !panel.asked().is_empty();
    let missing = move || {
        let range = session.range.get();
        // What could not be asked for is not missing.
        if loaded.error.with(Option::is_some) {
            return false;
        }
        loaded.value.with(|columns| columns.as_ref().is_some_and(|columns| !has_points(columns, range)))
    };
    view! {
        <article
            class="panel"
            node_ref=root
            class:active=move || active.get()
            class:outside=move || outside.get()
            aria-label=panel.title.clone()
        >
            <header class="panel-head">
                <h2>{panel.title.clone()}</h2>
                <span class="unit">{panel.unit.clone()}</span>
                <Show when=missing>
                    <span class="panel-note">"no points in this range"</span>
                </Show>
                {move || {
                    let retry = move |()| loaded.retry();
                    loaded.error.get().map(|error| view! { <PanelError error=error.sentence retry /> })
                }}
            </header>
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
                            height_px=size.plot_px
                        />
                    }
                })}
        </article>
    }
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
