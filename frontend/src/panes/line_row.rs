//! One row: level, time, component, host, message; its fields below it while it is expanded.

use super::line_fields::LineFields;
use super::log_list::toggle;
use super::tie::{LINES, Tie, is_selecting_text};
use crate::chart::{ChartContext, Hover};
use crate::feeds::LineFeed;
use crate::lines::{Mark, Row};
use crate::session::{Session, use_session};
use crate::text::{self, Stamp};
use leptos::prelude::*;
use sonde_shared::time::Timestamp;
use std::sync::Arc;

/// The longest message that is put into a row; the fields show all of it.
const MAX_MESSAGE_CHARS: usize = 1_000;
/// The row at a position, or its place while it is not there yet.
#[component]
pub(super) fn LineRow(index: u64, cursor: RwSignal<Option<u64>>, stamp: Memo<Stamp>) -> impl IntoView {
    let feed: LineFeed = expect_context();
    match feed.row(index) {
        Some(row) => view! { <PresentRow index row cursor stamp /> }.into_any(),
        None => view! { <div class="row waiting" role="row" aria-rowindex=(index + 1).to_string()></div> }
            .into_any(),
    }
}

#[component]
fn PresentRow(index: u64, row: Arc<Row>, cursor: RwSignal<Option<u64>>, stamp: Memo<Stamp>) -> impl IntoView {
    let session = use_session();
    let feed: LineFeed = expect_context();
    let context: ChartContext = expect_context();
    let tie: Tie = expect_context();
    let id = row.id.clone();
    let open = session.part(move |state| state.view.line.as_deref() == Some(id.as_str()));
    let at = row.at;
    let hover = move |_| context.hover.set(Some(Hover { source: LINES.to_owned(), at }));
    let id = row.id.clone();
    let click = move |_| {
        cursor.set(Some(index));
        if !is_selecting_text() {
            toggle(session, &id);
        }
    };
    let mark = Memo::new(move |_| {
        let mark = feed.marks.with(|marks| marks.get(&index).copied())?;
        Some(mark_text(mark, at, session.offset_minutes.get()))
    });
    let (fields, cells) = (row.clone(), row.clone());
    view! {
        <div
            class=format!("row level-{}", row.level.name())
            class:cursor=move || cursor.get() == Some(index)
            class:open=move || open.get()
            class:nearest=move || tie.nearest.get() == Some(index)
            role="row"
            aria-rowindex=(index + 1).to_string()
            aria-expanded=move || open.get().to_string()
            data-line=row.id.clone()
            on:pointermove=hover
            on:pointerleave=move |_| context.hover.set(None)
        >
            {move || mark.get().map(|mark| view! { <div class="mark">{mark}</div> })}
            <div class="cells" role="presentation" on:click=click>
                <Cells row=cells session stamp />
            </div>
            <Show when=move || open.get()>
                <LineFields index row=fields.clone() />
            </Show>
        </div>
    }
}

#[component]
fn Cells(row: Arc<Row>, session: Session, stamp: Memo<Stamp>) -> impl IntoView {
    let (at, host) = (row.at, row.host.clone());
    let time = move || stamp.get().write(at, session.offset_minutes.get());
    let (prefix, name) = split_component(&row.component);
    let message: String = row.message.chars().take(MAX_MESSAGE_CHARS).collect();
    let rest = row.rest.clone();
    let contains = session.part(|state| state.view.contains.clone());
    let whole = move || Stamp::Year.write(at, session.offset_minutes.get());
    view! {
        <span class="level-bar" aria-hidden="true"></span>
        <span class="time" role="gridcell" title=whole>{time}</span>
        <span class="tag" role="gridcell">{row.level.tag()}</span>
        <span class="component" role="gridcell" title=row.component.clone()>
            <span class="path"><span class="faint">{prefix}</span>{name}</span>
        </span>
        <span class="host" role="gridcell" title=host.clone()>{host.clone()}</span>
        <span class="message" role="gridcell">
            {move || marked(&message, &contains.get())}
            {move || (!rest.is_empty()).then(|| view! { <span class="rest">" " {marked(&rest, &contains.get())}</span> })}
        </span>
    }
}

/// What the mark above a line says.
fn mark_text(mark: Mark, at: Timestamp, offset_minutes: i32) -> String {
    let day = mark.is_day.then(|| text::date(at, offset_minutes));
    let parts = [day, mark.silence.map(text::silence)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The path up to the last name, and the last name.
fn split_component(component: &str) -> (String, String) {
    let at = component.rfind('.').map_or(0, |at| at + 1);
    (component[..at].to_owned(), component[at..].to_owned())
}

/// The message with each match of the text filter marked. Always text, never markup.
fn marked(message: &str, contains: &str) -> AnyView {
    if contains.is_empty() {
        return message.to_owned().into_any();
    }
    let mut parts = Vec::new();
    let mut rest = message;
    while let Some((before, after)) = rest.split_once(contains) {
        parts.push(before.to_owned().into_any());
        parts.push(view! { <mark>{contains.to_owned()}</mark> }.into_any());
        rest = after;
    }
    parts.push(rest.to_owned().into_any());
    parts.into_any()
}
