//! One row: level, time, component, host, message; its fields below it while it is expanded.

use super::highlight::marked;
use super::line_fields::LineFields;
use super::tie::Tie;
use crate::boxed::memo;
use crate::feeds::LineFeed;
use crate::leaving::leaving;
use crate::lines::{Find, Mark, Row};
use crate::plain::plain;
use crate::session::Session;
use crate::text::{self, Stamp};
use leptos::prelude::*;
use sonde_shared::time::Timestamp;
use std::sync::Arc;

/// The most of a value that is put into a column.
const MAX_CELL_CHARS: usize = 100;

/// What all rows share, so that a row follows as little as it can: it is made by the thousand while one scrolls.
#[derive(Clone, Copy)]
pub(super) struct Shared {
    /// Which times they show; since the start of a range that follows the clock they change each second.
    stamp: Memo<Stamp>,
    /// How they are written else. Rows that are there are made anew when it changes, and do not follow it.
    written: Memo<Written>,
    /// Rises with each change of it.
    pub(super) version: Memo<u32>,
    /// The fields that have columns of their own.
    columns: Memo<Vec<String>>,
    /// The id of the expanded line.
    opened: Memo<Option<String>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Written {
    offset_minutes: i32,
    find: Option<Find>,
}

impl Shared {
    pub(super) fn new(session: Session, feed: LineFeed, stamp: Memo<Stamp>) -> Self {
        let written =
            memo(move || Written { offset_minutes: session.offset_minutes.get(), find: feed.find() });
        let version = Memo::new(move |former: Option<&u32>| {
            written.track();
            former.map_or(0, |former| former + 1)
        });
        Self {
            stamp,
            written,
            version,
            columns: session.part(|state| state.view.columns.clone()),
            opened: session.part(|state| state.view.line.clone()),
        }
    }
}

/// The row at a position, or its place while it is not there yet.
#[component]
pub(super) fn LineRow(index: u64, shared: Shared) -> impl IntoView {
    let feed: LineFeed = expect_context();
    match feed.row(index) {
        Some(row) => view! { <PresentRow index row shared /> }.into_any(),
        None => view! { <div class="row waiting" role="row" aria-rowindex=(index + 1).to_string()></div> }
            .into_any(),
    }
}

#[component]
fn PresentRow(index: u64, row: Arc<Row>, shared: Shared) -> impl IntoView {
    let feed: LineFeed = expect_context();
    let tie: Tie = expect_context();
    let id = row.id.clone();
    let open = memo(move || leaving(shared.opened).with(|line| line.as_ref() == Some(&id)));
    let at = row.at;
    let written = shared.written.get_untracked();
    let offset_minutes = written.offset_minutes;
    let mark = move || {
        let mark = leaving(feed.marks).with(|marks| marks.get(&index).copied())?;
        Some(view! { <div class="mark">{mark_text(mark, at, offset_minutes)}</div> })
    };
    let level = row.level.name();
    let class = move || {
        let named = |is: bool, name| if is { name } else { "" };
        let cursor = named(leaving(feed.cursor).get() == Some(index), " cursor");
        let nearest = named(leaving(tie.nearest).get() == Some(index), " nearest");
        ["row level-", level, cursor, named(open.get(), " open"), nearest].concat()
    };
    let (cells, fields) = (row.clone(), row.clone());
    view! {
        <div
            class=class
            role="row"
            aria-rowindex=(index + 1).to_string()
            aria-expanded=move || open.get().to_string()
            data-line=row.id.clone()
        >
            {mark}
            <div class="cells" role="presentation">
                <Cells row=cells written shared />
            </div>
            {move || open.get().then(|| view! { <LineFields index row=fields.clone() /> })}
        </div>
    }
}

#[component]
fn Cells(row: Arc<Row>, written: Written, shared: Shared) -> impl IntoView {
    let Written { offset_minutes, find } = written;
    let at = row.at;
    let (component, host) = (plain(&row.component), plain(&row.host));
    let (prefix, name) = split_component(&component);
    let more = (row.more_lines > 0).then(|| {
        let more = ["+", &text::lines(row.more_lines as u64)].concat();
        view! { <span class="more-lines">{more}</span> }
    });
    let message = marked(&row.message, find.as_ref());
    let rest = (!row.rest.is_empty())
        .then(|| view! { <span class="rest">" " {marked(&row.rest, find.as_ref())}</span> });
    view! {
        <span class="level-bar" aria-hidden="true"></span>
        <span class="time" role="gridcell" title=Stamp::Year.write(at, offset_minutes)>
            {move || leaving(shared.stamp).get().write(at, offset_minutes)}
        </span>
        <span class="tag" role="gridcell">{row.level.tag()}</span>
        <span class="component" role="gridcell" title=component>
            <span class="path"><span class="faint">{prefix}</span>{name}</span>
        </span>
        <span class="host" role="gridcell" title=host.clone()>{host.clone()}</span>
        {move || column_cells(&row, &leaving(shared.columns).get())}
        <span class="message" role="gridcell">{message}{more}{rest}</span>
    }
}

/// The fields that have columns of their own.
fn column_cells(row: &Row, columns: &[String]) -> Option<Vec<AnyView>> {
    if columns.is_empty() {
        return None;
    }
    let fields = row.fields();
    let cell = |name: &String| {
        let field = fields.iter().find(|field| field.key == *name);
        let value: String =
            field.map(|field| plain(&field.value).chars().take(MAX_CELL_CHARS).collect()).unwrap_or_default();
        view! { <span class="column" role="gridcell" title=value.clone()>{value.clone()}</span> }.into_any()
    };
    Some(columns.iter().map(cell).collect())
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
