//! Which dashboard, and what is done with one: new, another title, a copy, one less.

use super::choice::Choice;
use crate::boxed::{effect, memo};
use crate::feeds::{BoardChange, Boards, PageFeed, Saving};
use crate::session::use_session;
use crate::state::Command;
use leptos::html;
use leptos::prelude::*;
use sonde_shared::api::DashboardName;

/// What a title is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    New,
    Rename,
    Copy,
}

impl Asked {
    const fn action(self) -> &'static str {
        match self {
            Self::New => "Make it",
            Self::Rename => "Rename",
            Self::Copy => "Copy",
        }
    }

    fn change(self, title: String) -> BoardChange {
        match self {
            Self::New => BoardChange::New(title),
            Self::Rename => BoardChange::Rename(title),
            Self::Copy => BoardChange::Copy(title),
        }
    }
}

/// The menu.
#[component]
pub(super) fn BoardMenu() -> impl IntoView {
    let session = use_session();
    let boards: Boards = expect_context();
    let feed: PageFeed = expect_context();
    let open = RwSignal::new(false);
    let listed =
        session.part(|state| state.page.as_ref().map(|page| page.dashboards.clone()).unwrap_or_default());
    let current = session.part(|state| state.view.dashboard.clone());
    let title = memo(move || {
        let name = current.get()?;
        Some(listed.with(|boards| boards.iter().find(|board| board.name == name).map_or(name, title_of)))
    });
    let label = Signal::derive(move || title.get().unwrap_or_else(|| "Dashboards".to_owned()));
    let asked = RwSignal::new(None::<Asked>);
    effect(move || {
        if !open.get() {
            asked.set(None);
            boards.saving.set(Saving::Idle);
        }
    });
    view! {
        <Show when=move || listed.with(|boards| !boards.is_empty())>
            <Choice name="Dashboard" label=label open>
                <ul class="items">{move || list(listed.get(), current.get().as_deref(), open)}</ul>
                <ul class="items board-actions">
                    <li><AskButton asked asks=Asked::New label="New dashboard…" /></li>
                    <Show when=move || title.with(Option::is_some)>
                        <li><AskButton asked asks=Asked::Rename label="Rename this one…" /></li>
                        <li><AskButton asked asks=Asked::Copy label="Copy this one…" /></li>
                        <li>
                            <button
                                class="item danger"
                                disabled=move || feed.has_no_file()
                                title=move || if feed.has_no_file() { "It is made from the metrics there are, and no file" } else { "" }
                                on:click=move |_| {
                                    asked.set(None);
                                    boards.change(BoardChange::Delete, move || open.set(false));
                                }
                            >
                                "Delete this one"
                            </button>
                        </li>
                    </Show>
                </ul>
                {move || asked.get().map(|asks| {
                    let value = match (asks, untrack(|| title.get())) {
                        (Asked::New, _) | (_, None) => String::new(),
                        (Asked::Rename, Some(title)) => title,
                        (Asked::Copy, Some(title)) => [&title, " (copy)"].concat(),
                    };
                    view! { <TitleForm asks value open /> }
                })}
                {move || boards.saving.get().refusal().map(|why| {
                    view! { <p class="problem board-problem" role="alert">{why}</p> }
                })}
            </Choice>
        </Show>
    }
}

fn list(boards: Vec<DashboardName>, current: Option<&str>, open: RwSignal<bool>) -> impl IntoView + use<> {
    let session = use_session();
    let item = |board: DashboardName| {
        let pressed = (current == Some(board.name.as_str())).to_string();
        let name = board.name.clone();
        let pick = move |_| {
            session.send(Command::OpenDashboard(name.clone()));
            open.set(false);
        };
        let title = title_of(&board);
        let error = board.error.map(|why| view! { <pre class="mono problem board-error">{why}</pre> });
        view! { <li><button class="item" aria-pressed=pressed on:click=pick>{title}</button>{error}</li> }
    };
    boards.into_iter().map(item).collect_view()
}

#[component]
fn AskButton(asked: RwSignal<Option<Asked>>, asks: Asked, label: &'static str) -> impl IntoView {
    let boards: Boards = expect_context();
    view! {
        <button
            class="item"
            aria-expanded=move || (asked.get() == Some(asks)).to_string()
            on:click=move |_| {
                boards.saving.set(Saving::Idle);
                asked.set(Some(asks));
            }
        >
            {label}
        </button>
    }
}

/// Asks for a title.
#[component]
fn TitleForm(asks: Asked, value: String, open: RwSignal<bool>) -> impl IntoView {
    let boards: Boards = expect_context();
    let input = NodeRef::<html::Input>::new();
    effect(move || {
        if let Some(input) = input.get() {
            input.select();
            drop(input.focus());
        }
    });
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let title = input.get_untracked().map(|input| input.value()).unwrap_or_default();
        boards.change(asks.change(title.trim().to_owned()), move || open.set(false));
    };
    view! {
        <form class="board-form" on:submit=submit>
            <label for="board-title">"Its title"</label>
            <input id="board-title" node_ref=input class="field" autocomplete="off" maxlength="200" value=value />
            <button class="control primary" type="submit" disabled=move || boards.saving.get() == Saving::Busy>
                {asks.action()}
            </button>
        </form>
    }
}

/// What a dashboard is called; one whose file cannot be read has no title but its name.
fn title_of(board: &DashboardName) -> String {
    match &board.error {
        Some(_) => [&board.name, " · cannot be read"].concat(),
        None => board.title.clone(),
    }
}
