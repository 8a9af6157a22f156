//! Metrics, node by node: of the component that was chosen, or all. One is dragged onto a chart, or added by a menu.

use super::drag::MetricDrag;
use super::rows::{RowAct, RowPlace, Rows};
use super::{Glyph, Icon};
use crate::boxed::{effect, memo};
use crate::feeds::MetricFeed;
use crate::panes::empty::ErrorNote;
use crate::session::use_session;
use crate::state::MetricRow;
use leptos::prelude::*;
use std::sync::Arc;

/// The tree, rooted at the component that was chosen where that has metrics.
#[component]
pub(super) fn MetricRows(open: RwSignal<bool>) -> impl IntoView {
    let session = use_session();
    let feed = MetricFeed::new();
    let wants_all = RwSignal::new(false);
    let chosen = session.part(|state| {
        let one = state.view.components.first().filter(|_| state.view.components.len() == 1);
        one.cloned().unwrap_or_default()
    });
    effect(move || {
        chosen.track();
        wants_all.set(false);
    });
    let asked = memo(move || if wants_all.get() { String::new() } else { chosen.get() });
    effect(move || {
        feed.ask(String::new());
        let asked = asked.get();
        if !asked.is_empty() {
            feed.ask(asked);
        }
    });
    // A component without metrics of its own leads nowhere.
    let root = memo(move || {
        let asked = asked.get();
        if feed.rows(&asked).is_empty() { String::new() } else { asked }
    });
    let rows = memo(move || feed.rows(&root.get()));
    let is_bare = move || rows.with(Vec::is_empty) && feed.tree.with(|tree| tree.knows(""));
    view! {
        {move || {
            let (path, error) = feed.error.get()?;
            let retry = move |()| feed.ask(path.clone());
            Some(view! { <ErrorNote error retry /> })
        }}
        <Show when=move || root.with(|root| !root.is_empty())>
            <p class="tree-note">
                <span class="tree-of">"of "<bdi>{move || root.get()}</bdi></span>
                <button class="control small" on:click=move |_| wants_all.set(true)>"All"</button>
            </p>
        </Show>
        <Show when=is_bare>
            <p class="state faint">"No metrics yet."</p>
        </Show>
        <Show when=move || rows.with(|rows| !rows.is_empty())>
            <MetricList feed rows open />
            <p class="tree-hint faint">"Drag a metric onto a chart, or press Enter on it."</p>
        </Show>
    }
}

#[component]
fn MetricList(feed: MetricFeed, rows: Memo<Vec<MetricRow>>, open: RwSignal<bool>) -> impl IntoView {
    let drag: MetricDrag = expect_context();
    let of = move |at: usize| rows.with(|rows| rows.get(at).cloned()).unwrap_or_default();
    let places = memo(move || {
        let place = |row: &MetricRow| RowPlace {
            path: row.path.clone(),
            depth: row.depth,
            open: row.is_branch.then_some(row.is_open),
        };
        Arc::new(rows.with(|rows| rows.iter().map(place).collect::<Vec<_>>()))
    });
    let act = move |(at, act): (usize, RowAct)| {
        let row = untrack(|| of(at));
        match act {
            RowAct::Fold(open) => feed.open(&row.path, open),
            _ if drag.ended_here() => {}
            RowAct::TakeUpTo => {}
            _ if row.is_metric => {
                drag.offer(row.path);
                open.set(false);
            }
            _ => feed.open(&row.path, !row.is_open),
        }
    };
    let press = move |(at, event): (usize, web_sys::PointerEvent)| {
        let row = untrack(|| of(at));
        if row.is_metric {
            drag.press(row.path, &event);
        }
    };
    let label = move |at: usize| {
        let row = of(at);
        if row.is_metric { row.path + ", metric" } else { row.path }
    };
    let row = move |at: usize, path: String| {
        let is_metric = untrack(|| of(at)).is_metric;
        let name = path.rsplit('.').next().unwrap_or_default().to_owned();
        view! {
            <span class="tree-name" class:metric=is_metric><bdi>{name}</bdi></span>
            {is_metric.then(|| view! { <span class="tree-add" aria-hidden="true"><Glyph icon=Icon::Add /></span> })}
        }
            .into_any()
    };
    view! {
        <Rows
            name="Metrics"
            places
            row=Arc::new(row)
            label
            is_chosen=|_| false
            is_current=|_| false
            on_act=act
            on_press=Callback::new(press)
        />
    }
}
