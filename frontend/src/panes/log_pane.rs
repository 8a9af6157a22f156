//! The lines: what they are, filters, the list.

use super::empty::ErrorNote;
use super::log_filters::LogFilters;
use super::log_head::LogHead;
use super::log_list::LogList;
use super::patterns::PatternsPane;
use super::reading::{ColumnHeads, Reading};
use super::text_filter::{CASE_COUNTS, wrong_expression};
use crate::boxed::memo;
use crate::feeds::{LineFeed, Phase, nearest_line};
use crate::plain::listed;
use crate::session::use_session;
use crate::state::{Command, LogQuery};
use crate::text::{self, Stamp};
use leptos::prelude::*;
use sonde_shared::chart::scale::readable;
use sonde_shared::time::{NANOS_PER_SEC, TimeRange, Timestamp};
use sonde_shared::view::{RangeSpec, Tab};

/// The log pane.
#[component]
pub fn LogPane() -> impl IntoView {
    let feed: LineFeed = expect_context();
    let state = memo(move || feed.state());
    let total = move || feed.total.get().known().map_or_else(String::new, |lines| lines.to_string());
    let session = use_session();
    let reading = Reading::stored(session);
    provide_context(reading);
    let tab = session.part(|state| state.view.tab);
    let columns = session.part(|state| state.view.columns.len());
    let indexed_to = move || session.indexed_to.get().map(Timestamp::as_millis);
    view! {
        <section
            class="log-pane"
            class:roomy=move || reading.is_roomy.get()
            class:dated=move || reading.stamp.get() == Stamp::Day
            class:dated-year=move || reading.stamp.get() == Stamp::Year
            style=("--columns", move || columns_of(columns.get()))
            aria-label="Log lines"
            data-state=move || state.get()
            data-total=total
            data-indexed-to=indexed_to
        >
            <LogHead />
            <LogFilters />
            <Progress state />
            {move || match tab.get() {
                Tab::Lines => view! {
                    <ColumnHeads />
                    <div class="log-body"><LogList /><PaneState /></div>
                }.into_any(),
                Tab::Patterns => view! { <div class="log-body"><PatternsPane /></div> }.into_any(),
            }}
        </section>
    }
}

/// The widths of the fields' own columns.
fn columns_of(count: usize) -> String {
    if count == 0 { String::new() } else { ["repeat(", &count.to_string(), ", minmax(0, 16ch))"].concat() }
}

/// The line under the head that shows that lines are coming.
#[component]
fn Progress(state: Memo<&'static str>) -> impl IntoView {
    let busy = move || matches!(state.get(), "loading" | "streaming");
    view! { <div class="progress" class:busy=busy aria-hidden="true"></div> }
}

/// Skeleton, nothing found, or what went wrong.
#[component]
fn PaneState() -> impl IntoView {
    let feed: LineFeed = expect_context();
    // A state that is said again is the same element still.
    let phase = memo(move || feed.phase.get());
    move || {
        match phase.get() {
            Phase::Loading if feed.total.get().rows() == 0 && !feed.dimmed.get() => {
                view! { <Skeleton /> }.into_any()
            }
            Phase::Empty => view! { <NoLines /> }.into_any(),
            // What is wrong with it is told at the field, over the upper part of the list.
            phase if wrong_expression(&phase).is_some() => {
                view! { <div class="cover state beneath"><p>"Nothing is searched: the expression cannot be read."</p></div> }
                    .into_any()
            }
            Phase::Failed(error) => {
                let retry = move |()| feed.retry();
                let class = if feed.total.get().rows() == 0 { "cover" } else { "cover strip" };
                view! { <div class=class><ErrorNote error retry /></div> }.into_any()
            }
            _ => ().into_any(),
        }
    }
}

#[component]
fn Skeleton() -> impl IntoView {
    let rows = (0..8).map(|_| view! { <div class="skeleton-row"></div> }).collect_view();
    view! { <div class="skeleton" aria-hidden="true">{rows}</div> }
}

/// Says where there would be lines.
#[component]
fn NoLines() -> impl IntoView {
    let session = use_session();
    let nearest = nearest_line(session);
    let sentence = move || {
        let query = session.query.get();
        let zone = session.zone.get();
        let what =
            if query.components.is_empty() { "any component".to_owned() } else { listed(&query.components) };
        format!("No lines of {what} in {}", text::range(query.range, session.server_now(), zone))
    };
    let reads_text = move || session.query.with(LogQuery::reads_text);
    let narrowed = move || {
        session.query.with(|query| LogQuery { contains: String::new(), ..query.clone() }.is_narrowed())
    };
    let clear_text = move |_| session.send(Command::SetContains(String::new()));
    let widen = move |_| session.send(Command::ClearFilters);
    let filtered = move || (reads_text() || narrowed()).then_some(", with these filters");
    view! {
        <div class="cover state" tabindex="0">
            <p>{move || sentence()}{move || filtered()}"."</p>
            {move || reads_text().then(|| view! { <p class="muted">{CASE_COUNTS}"."</p> })}
            <div class="state-actions">
                <Show when=reads_text>
                    <button class="control" on:click=clear_text>"Clear the text filter"</button>
                </Show>
                <Show when=narrowed>
                    <button class="control" on:click=widen>"Clear the filters"</button>
                </Show>
                {move || nearest.get().filter(|_| !reads_text()).map(|at| view! { <JumpTo at /> })}
            </div>
        </div>
    }
}

/// Leads to the nearest line of what was asked for.
#[component]
fn JumpTo(at: Timestamp) -> impl IntoView {
    let session = use_session();
    let label = move || {
        let is_later = session.query.with(|query| at >= query.range.until);
        let which = if is_later { "Next line" } else { "Last line" };
        format!("{which} {} · jump", text::date_clock(at, session.zone.get()))
    };
    let jump = move |_| {
        let length = session.range.get_untracked().nanos().max(NANOS_PER_SEC);
        let around = TimeRange::between(at.plus_nanos(-length), at.plus_nanos(length / 20 + NANOS_PER_SEC));
        session.send(Command::ClearSelection);
        session.send(Command::SetRange(RangeSpec::absolute(readable(around))));
    };
    view! { <button class="control" on:click=jump>{move || label()}</button> }
}
