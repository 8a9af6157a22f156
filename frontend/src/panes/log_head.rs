//! One line that says what is shown: how many lines, of what, when.

use super::baseline_control::BaselineControl;
use super::icons::{Glyph, Icon};
use super::reading::ReadingMenu;
use super::tie::FollowToggle;
use crate::feeds::{LineFeed, PageFeed, Phase, Saving, add_link};
use crate::lines::Total;
use crate::session::{Session, use_session};
use crate::state::{AppState, Command, LogQuery};
use crate::text;
use leptos::prelude::*;
use sonde_shared::links::LinkRule;
use sonde_shared::view::{Order, Tab};

/// So many components are named; of the others it is said how many.
const NAMED: usize = 3;

/// The head of the log pane.
#[component]
pub(super) fn LogHead() -> impl IntoView {
    let feed: LineFeed = expect_context();
    let session = use_session();
    let busy = move || feed.phase.with(|phase| *phase == Phase::Streaming || *phase == Phase::Loading);
    let when = move || {
        let range = session.query.with(|query| query.range);
        text::range(range, session.server_now(), session.zone.get())
    };
    let newer = move || match feed.newer.get() {
        None | Some(0) => "Newer lines".to_owned(),
        Some(1) => "1 newer line".to_owned(),
        Some(count) => format!("{} newer lines", text::count(count)),
    };
    let is_list = session.part(|state| state.view.tab == Tab::Lines);
    let has_selection = move || session.selection.get().is_some();
    let kind = move || if has_selection() { "Selection" } else { "Visible range" };
    view! {
        <header class="log-head">
            <Tabs />
            <h2 class="total">{move || total_text(feed.total.get())}</h2>
            <IndexedTo />
            <Breadcrumb />
            <KeepLink />
            <span class="shown">
                <span class="when"><span class="faint kind">{move || kind()}</span>" "{move || when()}</span>
                <Show when=has_selection>
                    <button
                        class="control small icon-only"
                        aria-label="Clear the selection"
                        title="Clear the selection (Esc)"
                        on:click=move |_| session.send(Command::ClearSelection)
                    >
                        <Glyph icon=Icon::Close />
                    </button>
                </Show>
            </span>
            <Show when=has_selection>
                <BaselineControl />
            </Show>
            <Said />
            <span class="log-tools">
                <Show when=move || feed.held.get()>
                    <button class="control small" on:click=move |_| to_newest(session, feed)>{move || newer()}</button>
                </Show>
                <Show when=busy>
                    <button class="control small" on:click=move |_| feed.stop()>"Stop"</button>
                </Show>
                <Show when=move || is_list.get()>
                    <FollowToggle />
                    <OrderButton />
                </Show>
                <Download />
                <Show when=move || is_list.get()>
                    <ReadingMenu />
                </Show>
            </span>
        </header>
    }
}

/// Lines or their patterns.
#[component]
fn Tabs() -> impl IntoView {
    let session = use_session();
    let tab = session.part(|state| state.view.tab);
    let one = move |which: Tab, name: &'static str| {
        let pressed = move || (tab.get() == which).to_string();
        view! {
            <button role="tab" class="tab" aria-selected=pressed on:click=move |_| session.send(Command::SetTab(which))>
                {name}
            </button>
        }
    };
    view! {
        <div class="tabs" role="tablist" aria-label="What is shown of the lines">
            {one(Tab::Lines, "Lines")} {one(Tab::Patterns, "Patterns")}
        </div>
    }
}

/// What is said for a moment.
#[component]
fn Said() -> impl IntoView {
    let feed: LineFeed = expect_context();
    view! { <span class="said muted" role="status">{move || feed.said.get()}</span> }
}

/// All lines of the pane as a file, which the browser takes as they come.
#[component]
fn Download() -> impl IntoView {
    let session = use_session();
    let href = move || session.query.with(LogQuery::download);
    let name = move || session.query.with(LogQuery::file_name);
    view! {
        <a
            class="control small icon-only framed"
            aria-label="Download these lines as NDJSON"
            title="Download these lines as NDJSON"
            href=href
            download=name
        >
            <Glyph icon=Icon::Download />
        </a>
    }
}

/// Up to where no line is missing, while some are still to be indexed.
#[component]
fn IndexedTo() -> impl IntoView {
    let session = use_session();
    let label = move |at| {
        let label = text::indexed_to(at, session.server_now(), session.zone.get());
        let title = "The server makes an index again; later lines come when it is done";
        view! { <span class="indexed-to" role="status" title=title>{label}</span> }
    };
    move || session.indexed_to.get().map(label)
}

fn to_newest(session: Session, feed: LineFeed) {
    let descending = session.query.with_untracked(|query| query.order == Order::Descending);
    feed.go(|extent, _| if descending { crate::lines::Position::default() } else { extent.end() });
}

fn total_text(total: Total) -> String {
    match total {
        Total::Unknown => String::new(),
        Total::Known(lines) => text::lines(lines),
        Total::AtLeast { lines, scanned } => {
            format!("at least {} · scanned {:.0} %", text::lines(lines), (scanned * 100.0).floor())
        }
    }
}

/// The components, step by step; each step widens to itself.
#[component]
fn Breadcrumb() -> impl IntoView {
    let session = use_session();
    let components = session.part(|state| state.view.components.clone());
    let host = session.part(|state| state.view.host.clone());
    let chosen = session.part(|state| state.view.chosen);
    let undo = move || {
        chosen.get().then(|| {
            view! {
                <button
                    class="control small icon-only"
                    aria-label="Undo the choice of component"
                    on:click=move |_| session.send(Command::Choose(None))
                >
                    <Glyph icon=Icon::Close />
                </button>
            }
        })
    };
    let paths = move || {
        let paths = components.get();
        if paths.is_empty() {
            let all = if host.get().is_some() { "all of the host" } else { "all components" };
            return view! { <span class="faint">{all}</span> }.into_any();
        }
        let rest = paths.get(NAMED..).unwrap_or_default().join("\n");
        let more = paths.len().saturating_sub(NAMED);
        let more = (more > 0).then(|| view! { <span class="faint" title=rest>{["and ", &more.to_string(), " more"].concat()}</span> });
        let named = paths.into_iter().take(NAMED).map(|path| view! { <Steps path /> }).collect_view();
        view! { {named} {more} }.into_any()
    };
    view! {
        <nav class="breadcrumb" class:chip=move || chosen.get() aria-label="Component">{move || paths()} {move || undo()}</nav>
    }
}

/// Makes the chosen component that of the active chart's metrics for good, for everybody.
#[component]
fn KeepLink() -> impl IntoView {
    let session = use_session();
    let feed: PageFeed = expect_context();
    let rule = session.part(AppState::rule_to_keep);
    let saving = RwSignal::new(Saving::Idle);
    let refused =
        move || saving.get().refusal().map(|why| view! { <span class="problem" role="alert">{why}</span> });
    let button = move |rule: LinkRule| {
        let LinkRule { metric, component } = rule.clone();
        view! {
            <button
                class="control small"
                title=format!("Show the lines of {component} for {metric}.* from now on; kept in links.toml")
                on:click=move |_| add_link(feed, rule.clone(), saving)
            >
                {format!("Always for {metric}")}
            </button>
            {refused}
        }
    };
    move || rule.get().map(button)
}

#[component]
fn Steps(path: String) -> impl IntoView {
    let session = use_session();
    let ends: Vec<usize> = path.match_indices('.').map(|(at, _)| at).chain([path.len()]).collect();
    let step = move |end: usize| {
        let prefix = path[..end].to_owned();
        let name = prefix.rsplit('.').next().unwrap_or_default().to_owned();
        let title = format!("Lines of {prefix} and below");
        let choose = move |_| session.send(Command::Choose(Some(prefix.clone())));
        view! { <button class="step" title=title on:click=choose>{name}</button> }
    };
    view! { <span class="steps">{ends.into_iter().map(step).collect_view()}</span> }
}

#[component]
fn OrderButton() -> impl IntoView {
    let session = use_session();
    let order = session.part(|state| state.view.order);
    let toggle = move |_| {
        let next =
            if order.get_untracked() == Order::Ascending { Order::Descending } else { Order::Ascending };
        session.send(Command::SetOrder(next));
    };
    view! {
        <button class="control small" title="Order of the lines" on:click=toggle>
            {move || if order.get() == Order::Ascending { "Oldest first" } else { "Newest first" }}
        </button>
    }
}
