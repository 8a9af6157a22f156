//! The components with lines in the visible range, as a tree with counts.

use super::empty::ErrorNote;
use super::icons::{Glyph, Icon};
use crate::feeds::Loaded;
use crate::session::use_session;
use crate::state::{Command, TreeNode, component_tree};
use crate::text;
use leptos::prelude::*;
use sonde_shared::api::Components;

/// The tree, or on narrow pages the rail it opens from.
#[component]
pub fn ComponentTree(components: Loaded<Components>, open: RwSignal<bool>) -> impl IntoView {
    let session = use_session();
    let nodes = session.part(|state| state.components.as_ref().map(component_tree));
    let chosen =
        session.part(|state| if state.view.chosen { state.view.components.first().cloned() } else { None });
    let close_on_escape = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Escape" && open.get_untracked() {
            event.stop_propagation();
            open.set(false);
        }
    };
    view! {
        <aside class="tree" class:open=move || open.get() aria-label="Components" on:keydown=close_on_escape>
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
                {move || match nodes.get() {
                    Some(nodes) if nodes.is_empty() => {
                        view! { <p class="state faint">"No lines in this range."</p> }.into_any()
                    }
                    Some(nodes) => view! { <TreeLevel nodes chosen open /> }.into_any(),
                    None => ().into_any(),
                }}
            </div>
        </aside>
    }
}

#[component]
fn TreeLevel(nodes: Vec<TreeNode>, chosen: Memo<Option<String>>, open: RwSignal<bool>) -> impl IntoView {
    view! {
        <ul>
            {nodes.into_iter().map(|node| view! { <TreeItem node chosen open /> }).collect_view()}
        </ul>
    }
}

#[component]
fn TreeItem(node: TreeNode, chosen: Memo<Option<String>>, open: RwSignal<bool>) -> AnyView {
    let session = use_session();
    let TreeNode { name, path, lines, errors, children } = node;
    let label = format!("{path}, {}, {errors} errors", text::lines(lines));
    let is_chosen = {
        let path = path.clone();
        move || chosen.get().as_ref() == Some(&path)
    };
    let pressed = is_chosen.clone();
    let choose = move |_| {
        let next = if is_chosen() { None } else { Some(path.clone()) };
        session.send(Command::Choose(next));
        open.set(false);
    };
    view! {
        <li>
            <button class="item tree-item" aria-pressed=move || pressed().to_string() aria-label=label on:click=choose>
                <span class="tree-name">{name}</span>
                {(errors > 0).then(|| view! { <span class="tree-errors">{text::short_count(errors)}</span> })}
                <span class="tree-count">{text::short_count(lines)}</span>
            </button>
            {(!children.is_empty()).then(|| view! { <TreeLevel nodes=children chosen open /> })}
        </li>
    }
    .into_any()
}
