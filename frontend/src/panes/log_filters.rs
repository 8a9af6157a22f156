//! What narrows the lines: level, host, text.

use super::choice::Choice;
use super::icons::{Glyph, Icon};
use crate::rest::Rest;
use crate::session::use_session;
use crate::state::Command;
use crate::text;
use leptos::html;
use leptos::prelude::*;
use sonde_shared::log::Level;
use std::time::Duration;

/// How long a pause in typing counts as done.
const TYPING: Duration = Duration::from_millis(200);

/// The filters.
#[component]
pub(super) fn LogFilters() -> impl IntoView {
    view! {
        <div class="filters" role="toolbar" aria-label="Filters">
            <TextFilter />
            <LevelFilter />
            <HostFilter />
        </div>
    }
}

/// The text filter: it applies as it is typed.
#[component]
fn TextFilter() -> impl IntoView {
    let session = use_session();
    let contains = session.part(|state| state.view.contains.clone());
    let input = NodeRef::<html::Input>::new();
    let rest = Rest::new();
    let apply = move || {
        rest.stop();
        if let Some(input) = input.get_untracked() {
            session.send(Command::SetContains(input.value()));
        }
    };
    let typed = move |_| rest.after(TYPING, apply);
    Effect::new(move |_| {
        if session.text_filter_focus.get() > 0
            && let Some(input) = input.get()
        {
            input.select();
            drop(input.focus());
        }
    });
    let key = move |event: web_sys::KeyboardEvent| match event.key().as_str() {
        "Enter" => apply(),
        "Escape" => {
            event.stop_propagation();
            rest.stop();
            // The text and the field are one layer.
            if let Some(input) = input.get_untracked() {
                input.set_value("");
            }
            session.send(Command::SetContains(String::new()));
            drop(input.get_untracked().map(|input| input.blur()));
        }
        _ => {}
    };
    view! {
        <div class="text-filter" class:on=move || contains.with(|text| !text.is_empty())>
            <Glyph icon=Icon::Search />
            <input
                node_ref=input
                class="field"
                type="text"
                aria-label="Text in the line"
                placeholder="Text in the line  /"
                spellcheck="false"
                autocomplete="off"
                prop:value=move || contains.get()
                on:input=typed
                on:change=move |_| apply()
                on:keydown=key
            />
            <Show when=move || contains.with(|text| !text.is_empty())>
                <button
                    class="control small icon-only"
                    aria-label="Clear the text filter"
                    on:click=move |_| session.send(Command::SetContains(String::new()))
                >
                    <Glyph icon=Icon::Close />
                </button>
            </Show>
        </div>
    }
}

#[component]
fn LevelFilter() -> impl IntoView {
    let session = use_session();
    let open = RwSignal::new(false);
    let level = session.part(|state| state.view.level);
    let label = Memo::new(move |_| level_name(level.get()));
    let item = move |choice: Option<Level>| {
        let name = level_name(choice);
        let class = choice.map_or_else(String::new, |level| format!("level-{}", level.name()));
        let pick = move |_| {
            session.send(Command::SetLevel(choice));
            open.set(false);
        };
        let pressed = move || (level.get() == choice).to_string();
        view! {
            <li>
                <button class="item" aria-pressed=pressed on:click=pick>
                    <span class=format!("tag {class}")>{choice.map_or("", Level::tag)}</span>
                    {name}
                </button>
            </li>
        }
    };
    let choices = move || {
        let levels = [Level::Fatal, Level::Error, Level::Warn, Level::Info, Level::Debug];
        [None].into_iter().chain(levels.map(Some)).map(item).collect_view()
    };
    view! {
        <div class="filter" class:on=move || level.get().is_some()>
            <Choice name="Level" label=label open>
                <ul class="items">{choices}</ul>
            </Choice>
            <Show when=move || level.get().is_some()>
                <ClearButton name="Any level" command=Command::SetLevel(None) />
            </Show>
        </div>
    }
}

/// `warn and worse`; nothing is worse than fatal.
fn level_name(level: Option<Level>) -> String {
    match level {
        None => "Any level".to_owned(),
        Some(Level::Fatal) => Level::Fatal.name().to_owned(),
        Some(level) => format!("{} and worse", level.name()),
    }
}

#[component]
fn HostFilter() -> impl IntoView {
    let session = use_session();
    let open = RwSignal::new(false);
    let host = session.part(|state| state.view.host.clone());
    let hosts =
        session.part(|state| state.components.as_ref().map(|all| all.hosts.clone()).unwrap_or_default());
    let label = Memo::new(move |_| host.get().unwrap_or_else(|| "Any host".to_owned()));
    let choices = move || {
        let item = move |known: sonde_shared::api::HostCount| {
            let pressed = (host.get().as_ref() == Some(&known.name)).to_string();
            let name = known.name.clone();
            let pick = move |_| {
                session.send(Command::SetHost(Some(known.name.clone())));
                open.set(false);
            };
            view! {
                <li>
                    <button class="item" aria-pressed=pressed on:click=pick>
                        <span class="grow">{name}</span>
                        <span class="tree-count">{text::short_count(known.lines)}</span>
                    </button>
                </li>
            }
        };
        hosts.get().into_iter().map(item).collect_view()
    };
    view! {
        <div class="filter" class:on=move || host.get().is_some()>
            <Choice name="Host" label=label open>
                <ul class="items">{choices}</ul>
            </Choice>
            <Show when=move || host.get().is_some()>
                <ClearButton name="Any host" command=Command::SetHost(None) />
            </Show>
        </div>
    }
}

#[component]
fn ClearButton(name: &'static str, command: Command) -> impl IntoView {
    let session = use_session();
    view! {
        <button
            class="control small icon-only"
            aria-label=name
            on:click=move |_| session.send(command.clone())
        >
            <Glyph icon=Icon::Close />
        </button>
    }
}
