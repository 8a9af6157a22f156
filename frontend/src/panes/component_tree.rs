//! The components with lines in the visible range, as a tree with counts.

use super::choice::close_on_escape;
use super::empty::ErrorNote;
use super::icons::{Glyph, Icon};
use crate::feeds::Loaded;
use crate::session::use_session;
use crate::state::{Command, TreeRow, component_rows};
use crate::text;
use leptos::prelude::*;
use sonde_shared::api::Components;
use std::collections::BTreeMap;

/// The tree, or on narrow pages the rail it opens from.
#[component]
pub fn ComponentTree(components: Loaded<Components>, open: RwSignal<bool>) -> impl IntoView {
    view! {
        <aside class="tree" class:open=move || open.get() aria-label="Components" on:keydown=move |event| close_on_escape(&event, open)>
            <button
                class="control icon-only rail-button"
                aria-label="Components"
                aria-expanded=move || open.get().to_string()
                on:click=move |_| open.update(|open| *open = !*open)
            >
                <Glyph icon=Icon::Components />
            </button>
            <div class="tree-body">
                <h2>"Components"</h2>
                {move || {
                    let retry = move |()| components.retry();
                    components.error.get().map(|error| view! { <ErrorNote error retry /> })
                }}
                <TreeRows open />
            </div>
        </aside>
    }
}

/// The rows stay the same elements while their numbers change, so that focus and pointer keep theirs.
#[component]
fn TreeRows(open: RwSignal<bool>) -> impl IntoView {
    let session = use_session();
    let rows = session.part(|state| state.components.as_ref().map(component_rows));
    let places = Memo::new(move |_| {
        let place = |row: &TreeRow| (row.path.clone(), row.depth);
        rows.with(|rows| rows.iter().flatten().map(place).collect::<Vec<_>>())
    });
    let counts = Memo::new(move |_| {
        let count = |row: &TreeRow| (row.path.clone(), (row.lines, row.errors));
        rows.with(|rows| rows.iter().flatten().map(count).collect::<BTreeMap<_, _>>())
    });
    view! {
        <Show when=move || rows.with(|rows| rows.as_ref().is_some_and(Vec::is_empty))>
            <p class="state faint">"No lines in this range."</p>
        </Show>
        <ul>
            <For
                each=move || places.get()
                key=Clone::clone
                children=move |(path, depth)| view! { <TreeItem path depth counts open /> }
            />
        </ul>
    }
}

#[component]
fn TreeItem(
    path: String,
    depth: usize,
    counts: Memo<BTreeMap<String, (u64, u64)>>,
    open: RwSignal<bool>,
) -> impl IntoView {
    let session = use_session();
    let count = {
        let path = path.clone();
        Memo::new(move |_| counts.with(|counts| counts.get(&path).copied().unwrap_or_default()))
    };
    let is_chosen = session.part({
        let path = path.clone();
        move |state| state.view.chosen && state.view.components.first() == Some(&path)
    });
    let is_shown = session.part({
        let path = path.clone();
        move |state| state.view.components.contains(&path)
    });
    let name = path.rsplit('.').next().unwrap_or_default().to_owned();
    let label = {
        let path = path.clone();
        move || format!("{path}, {}, {} errors", text::lines(count.get().0), count.get().1)
    };
    let choose = move |_| {
        session.send(Command::Choose((!is_chosen.get_untracked()).then(|| path.clone())));
        open.set(false);
    };
    view! {
        <li>
            <button
                class="item tree-item"
                style:padding-left=format!("{}px", 8 + 12 * depth)
                aria-pressed=move || is_chosen.get().to_string()
                aria-current=move || is_shown.get().then_some("true")
                aria-label=label
                on:click=choose
            >
                <span class="tree-name">{name}</span>
                {move || {
                    let errors = count.get().1;
                    (errors > 0).then(|| view! { <span class="tree-errors">{text::short_count(errors)}</span> })
                }}
                <span class="tree-count">{move || text::short_count(count.get().0)}</span>
            </button>
        </li>
    }
}
