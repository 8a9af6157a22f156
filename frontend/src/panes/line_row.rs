//! One row: level, time, component, host, message; its fields below it while it is expanded.

use super::highlight::marked;
use super::line_fields::LineFields;
use super::log_list::toggle;
use super::tie::{LINES, Tie, is_selecting_text};
use crate::boxed::{Show, handler, memo};
use crate::chart::{ChartContext, Hover};
use crate::feeds::LineFeed;
use crate::leaving::leaving;
use crate::lines::{Mark, Row};
use crate::plain::plain;
use crate::session::{Session, use_session};
use crate::text::{self, Stamp};
use leptos::prelude::*;
use sonde_shared::time::Timestamp;
use std::sync::Arc;

/// The most of a value that is put into a column.
const MAX_CELL_CHARS: usize = 100;

/// The row at a position, or its place while it is not there yet.
#[component]
pub(super) fn LineRow(index: u64, stamp: Memo<Stamp>) -> impl IntoView {
    let feed: LineFeed = expect_context();
    match feed.row(index) {
        Some(row) => view! { <PresentRow index row stamp /> }.into_any(),
        None => view! { <div class="row waiting" role="row" aria-rowindex=(index + 1).to_string()></div> }
            .into_any(),
    }
}

#[component]
fn PresentRow(index: u64, row: Arc<Row>, stamp: Memo<Stamp>) -> impl IntoView {
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
        feed.cursor.set(Some(index));
        if !is_selecting_text() {
            toggle(session, &id);
        }
    };
    let mark = memo(move || {
        let mark = leaving(feed.marks).with(|marks| marks.get(&index).copied())?;
        Some(mark_text(mark, at, leaving(session.offset_minutes).get()))
    });
    let (fields, cells) = (row.clone(), row.clone());
    view! {
        <div
            class=format!("row level-{}", row.level.name())
            class:cursor=move || leaving(feed.cursor).get() == Some(index)
            class:open=move || open.get()
            class:nearest=move || tie.nearest.get() == Some(index)
            role="row"
            aria-rowindex=(index + 1).to_string()
            aria-expanded=move || open.get().to_string()
            data-line=row.id.clone()
            on:pointermove=handler(hover)
            on:pointerleave=handler(move |_| context.hover.set(None))
        >
            {move || mark.get().map(|mark| view! { <div class="mark">{mark}</div> })}
            <div class="cells" role="presentation" on:click=handler(click)>
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
    let (at, host) = (row.at, plain(&row.host));
    let time = move || leaving(stamp).get().write(at, leaving(session.offset_minutes).get());
    let (prefix, name) = split_component(&plain(&row.component));
    let (message, rest) = (row.message.clone(), row.rest.clone());
    let feed: LineFeed = expect_context();
    let find = memo(move || feed.find());
    let whole = move || Stamp::Year.write(at, leaving(session.offset_minutes).get());
    let more = (row.more_lines > 0).then(|| {
        let more = ["+", &text::lines(row.more_lines as u64)].concat();
        view! { <span class="more-lines">{more}</span> }
    });
    view! {
        <span class="level-bar" aria-hidden="true"></span>
        <span class="time" role="gridcell" title=whole>{move || time()}</span>
        <span class="tag" role="gridcell">{row.level.tag()}</span>
        <span class="component" role="gridcell" title=plain(&row.component)>
            <span class="path"><span class="faint">{prefix}</span>{name}</span>
        </span>
        <span class="host" role="gridcell" title=host.clone()>{host.clone()}</span>
        <ColumnCells row session />
        <span class="message" role="gridcell">
            {move || marked(&message, find.get().as_ref())}
            {more}
            {move || (!rest.is_empty()).then(|| view! { <span class="rest">" " {marked(&rest, find.get().as_ref())}</span> })}
        </span>
    }
}

/// The fields that have columns of their own.
#[component]
fn ColumnCells(row: Arc<Row>, session: Session) -> impl IntoView {
    let columns = session.part(|state| state.view.columns.clone());
    move || {
        let columns = columns.get();
        if columns.is_empty() {
            return None;
        }
        let fields = row.fields();
        let cell = |name: String| {
            let field = fields.iter().find(|field| field.key == name);
            let value: String = field
                .map(|field| plain(&field.value).chars().take(MAX_CELL_CHARS).collect())
                .unwrap_or_default();
            view! { <span class="column" role="gridcell" title=value.clone()>{value.clone()}</span> }
        };
        Some(columns.into_iter().map(cell).collect_view())
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
