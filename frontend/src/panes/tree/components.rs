//! Components with lines in the visible range: how many, how they lie over it, how many are errors. One or several can be chosen.

use super::rows::{RowAct, RowPlace, Rows};
use super::strip::{HEIGHT, WIDTH, bars};
use crate::boxed::{effect, memo};
use crate::feeds::Loaded;
use crate::panes::empty::ErrorNote;
use crate::session::use_session;
use crate::state::{Command, ComponentTree, Folds, MOST_CHOSEN, Pick, TreeNode, picked};
use crate::text;
use leptos::prelude::*;
use sonde_shared::api::Components;
use std::sync::Arc;

/// From so many components on there is a field to find one.
const MANY: usize = 12;

/// The tree with its filter.
#[component]
pub(super) fn ComponentRows(components: Loaded<Components>, open: RwSignal<bool>) -> impl IntoView {
    let folds = RwSignal::new(Folds::default());
    let filter = RwSignal::new(String::new());
    // Another one each time, for comparing costs as much as making it.
    let tree = Memo::new_with_compare(
        move |_| {
            Arc::new(components.value.with(|all| all.as_deref().map(ComponentTree::of)).unwrap_or_default())
        },
        |_, _| true,
    );
    effect(move || tree.with(|tree| folds.update(|folds| folds.begin(tree))));
    let rows = memo(move || {
        tree.with(|tree| folds.with(|folds| filter.with(|filter| tree.rows(folds, filter.trim()))))
    });
    let is_known = move || components.value.with(Option::is_some);
    let is_bare = move || is_known() && tree.with(|tree| tree.nodes.is_empty());
    let finds_none = move || rows.with(Vec::is_empty) && !is_bare() && is_known();
    view! {
        {move || {
            let retry = move |()| components.retry();
            components.error.get().map(|error| view! { <ErrorNote error retry /> })
        }}
        <Show when=move || tree.with(|tree| tree.nodes.len() >= MANY) || filter.with(|filter| !filter.is_empty())>
            <input
                class="field tree-filter"
                type="search"
                aria-label="Find a component"
                placeholder="Find a component"
                spellcheck="false"
                autocomplete="off"
                prop:value=filter
                on:input=move |event| filter.set(event_target_value(&event))
            />
        </Show>
        <Show when=is_bare>
            <p class="state faint">"No lines in this range."</p>
        </Show>
        <Show when=finds_none>
            <p class="state faint">"No component with this name has lines in this range."</p>
        </Show>
        <Show when=move || rows.with(|rows| !rows.is_empty())>
            <TreeList components tree rows folds filter open />
        </Show>
        <ChosenNote />
    }
}

/// How many are chosen, and the way back; below the rows, which stay where they are when it comes.
#[component]
fn ChosenNote() -> impl IntoView {
    let session = use_session();
    let chosen = session.part(|state| if state.view.chosen { state.view.components.len() } else { 0 });
    let label = move || match chosen.get() {
        MOST_CHOSEN.. => format!("{MOST_CHOSEN} chosen; no more fit into a link"),
        count => format!("{count} chosen"),
    };
    view! {
        <Show when=move || { chosen.get() > 1 }>
            <p class="tree-note" role="status">
                <span>{move || label()}</span>
                <button class="control small" on:click=move |_| session.send(Command::Choose(None))>"Clear"</button>
            </p>
        </Show>
    }
}

#[component]
fn TreeList(
    components: Loaded<Components>,
    tree: Memo<Arc<ComponentTree>>,
    rows: Memo<Vec<usize>>,
    folds: RwSignal<Folds>,
    filter: RwSignal<String>,
    open: RwSignal<bool>,
) -> impl IntoView {
    let session = use_session();
    let chosen =
        session.part(|state| if state.view.chosen { state.view.components.clone() } else { Vec::new() });
    let shown = session.part(|state| state.view.components.clone());
    let anchor = StoredValue::new(None::<String>);
    let node = move |at: usize| {
        tree.with(|tree| rows.with(|rows| rows.get(at).and_then(|node| tree.nodes.get(*node)).cloned()))
            .unwrap_or_default()
    };
    let path_of = move |at: usize| {
        tree.with(|tree| {
            rows.with(|rows| {
                rows.get(at).and_then(|node| tree.nodes.get(*node)).map(|node| node.path.clone())
            })
        })
    };
    let places = memo(move || {
        let is_filtered = filter.with(|filter| !filter.trim().is_empty());
        tree.with(|tree| {
            let place = |at: &usize| {
                let node = &tree.nodes[*at];
                let open =
                    node.has_children.then(|| is_filtered || folds.with(|folds| folds.is_open(&node.path)));
                RowPlace { path: node.path.clone(), depth: node.depth, open }
            };
            Arc::new(rows.with(|rows| rows.iter().map(place).collect::<Vec<_>>()))
        })
    });
    let act = move |(at, act): (usize, RowAct)| {
        let Some(path) = untrack(|| path_of(at)) else { return };
        let pick = match act {
            RowAct::Fold(open) => return folds.update(|folds| folds.set(&path, open)),
            RowAct::Take => Pick::Alone,
            RowAct::TakeAlso => Pick::Also,
            RowAct::TakeUpTo => {
                let anchor = anchor.get_value();
                let from = places.with_untracked(|places| {
                    places.iter().position(|place| Some(&place.path) == anchor.as_ref())
                });
                Pick::UpTo(from.unwrap_or(at))
            }
        };
        if !matches!(pick, Pick::UpTo(_)) {
            anchor.set_value(Some(path));
        }
        let next = places.with_untracked(|places| {
            let paths: Vec<&str> = places.iter().map(|place| place.path.as_str()).collect();
            chosen.with_untracked(|chosen| picked(chosen, &paths, at, pick))
        });
        session.send(Command::ChooseSome(next));
        if pick == Pick::Alone {
            open.set(false);
        }
    };
    let label = move |at: usize| {
        let TreeNode { path, lines, errors, .. } = node(at);
        format!("{path}, {}, {errors} errors", text::lines(lines))
    };
    let row = move |at: usize, _path: String| {
        let numbers = memo(move || node(at));
        view! { <Numbers components numbers /> }.into_any()
    };
    view! {
        <Rows
            name="Components"
            places
            row=Arc::new(row)
            label
            is_chosen=move |at| path_of(at).is_some_and(|path| chosen.with(|chosen| chosen.contains(&path)))
            is_current=move |at| path_of(at).is_some_and(|path| shown.with(|shown| shown.contains(&path)))
            on_act=act
        />
    }
}

/// A row's name, strip, count and share of errors.
#[component]
fn Numbers(components: Loaded<Components>, numbers: Memo<TreeNode>) -> impl IntoView {
    let session = use_session();
    let path = move || {
        let buckets = components.value.with(|all| all.as_ref().and_then(|all| all.buckets))?;
        // The strip is of the range that was asked for, not of the one that is being dragged.
        Some(numbers.with(|node| bars(&node.density, buckets, session.range.get_untracked())))
    };
    let share = move || numbers.with(|node| (node.errors > 0).then(|| error_share(node.errors, node.lines)));
    let name = move || numbers.with(|node| node.path.rsplit('.').next().unwrap_or_default().to_owned());
    view! {
        <span class="tree-name"><bdi>{move || name()}</bdi></span>
        <svg class="tree-strip" viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
            <path d=path></path>
        </svg>
        <span class="tree-count">{move || text::short_count(numbers.with(|node| node.lines))}</span>
        <span class="tree-share">
            {move || share().map(|(text, percent)| view! {
                {text}
                <span class="share-track"><i class="share-bar" style:width=format!("{percent}%")></i></span>
            })}
        </span>
    }
}

/// The share of errors as it is written, and whole percents for its bar.
fn error_share(errors: u64, lines: u64) -> (String, u64) {
    let percent = (u128::from(errors) * 100 / u128::from(lines.max(1))) as u64;
    let text = if percent == 0 { "<1%".to_owned() } else { format!("{percent}%") };
    (text, percent.max(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_errors_is_never_written_as_none() {
        let check = |errors, lines, expected: (&str, u64)| {
            assert_eq!(error_share(errors, lines), (expected.0.to_owned(), expected.1));
        };
        check(1, 1_000, ("<1%", 4));
        check(12, 100, ("12%", 12));
        check(7, 7, ("100%", 100));
        check(u64::MAX, u64::MAX, ("100%", 100));
    }
}
