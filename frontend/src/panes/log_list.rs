//! The rows that show, out of however many there are. Only these exist as elements.

mod row;
mod rows;

use self::row::{Look, Shown};
use self::rows::Rows;
use super::focus::focus;
use super::list_keys::press;
use super::reading::Reading;
use super::scrollbar::Scrollbar;
use super::tie::{LINES, Tie, is_selecting_text};
use crate::boxed::{effect, memo};
use crate::chart::{ChartContext, Hover};
use crate::feeds::LineFeed;
use crate::lines::{Mark, Row};
use crate::session::{Session, use_session};
use crate::state::Command;
use crate::text::{self, Stamp};
use leptos::html;
use leptos::prelude::*;
use sonde_shared::decimal::parse_decimal;
use sonde_shared::time::{Timestamp, ZoneClock};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// The list's id, for what leads to it.
pub(super) const LIST_ID: &str = "log-list";
/// Gives the list the focus.
pub(super) fn focus_list() {
    focus(&["#", LIST_ID].concat());
}

/// Of so many rows it is kept how high they are with their text wrapped; then of those near by.
const MOST_WRAPPED: usize = 4_000;

/// The list with its scrollbar.
#[component]
pub(super) fn LogList() -> impl IntoView {
    let feed: LineFeed = expect_context();
    let session = use_session();
    let list = NodeRef::<html::Div>::new();
    let Reading { wraps, is_roomy, stamp, .. } = expect_context();
    let charts: ChartContext = expect_context();
    let rows = NodeRef::<html::Div>::new();
    let touch = RwSignal::new(None::<f64>);
    expect_context::<Tie>().mark_cursor(feed.cursor);
    let visible = memo(move || feed.extent().visible(feed.position.get()));
    effect(move || {
        feed.revision.track();
        feed.want(visible.get());
    });
    show_rows(rows, visible, stamp);
    effect(move || {
        if let Some(list) = list.get() {
            watch_size(&list, feed);
        }
    });
    effect(move || {
        is_roomy.track();
        if let Some(list) = list.get() {
            request_animation_frame(move || measure_row(&list, feed));
        }
    });
    effect(move || {
        feed.revision.track();
        visible.track();
        feed.viewport_px.track();
        is_roomy.track();
        match list.get().filter(|_| wraps.get()) {
            Some(list) => request_animation_frame(move || measure_wrapped(&list, feed)),
            None => feed.wrapped.set(Arc::default()),
        }
    });
    let wheel = move |event: web_sys::WheelEvent| {
        if event.ctrl_key() || event.delta_y() == 0.0 {
            return;
        }
        event.prevent_default();
        let unit = if event.delta_mode() == 1 { feed.row_px.get_untracked() } else { 1.0 };
        feed.go(|extent, at| extent.moved(at, event.delta_y() * unit));
    };
    view! {
        <div
            class="log-list"
            class:dimmed=move || feed.dimmed.get()
            class:wraps=move || wraps.get()
            node_ref=list
            id=LIST_ID
            role="treegrid"
            aria-label="Lines"
            aria-rowcount=move || feed.total.get().known().map_or(-1, |lines| lines as i64).to_string()
            aria-busy=move || (feed.state() == "loading").to_string()
            tabindex="0"
            on:wheel=wheel
            on:scroll=move |_| take_scroll(list, feed)
            on:keydown=move |event| press(&event, session, feed)
            on:pointerdown=move |event| touch.set(finger(&event))
            on:pointermove=move |event| {
                drag(&event, feed, touch);
                hover(&event, feed, charts);
            }
            on:pointerleave=move |_| charts.hover.set(None)
            on:click=move |event| click(&event, session, feed)
            on:pointerup=move |_| touch.set(None)
            on:pointercancel=move |_| touch.set(None)
        >
            <div
                class="rows"
                role="rowgroup"
                node_ref=rows
                style:transform=move || format!("translateY({}px)", -feed.position.get().px)
            ></div>
        </div>
        <Scrollbar />
    }
}

/// Keeps in the element the rows that are visible, as they are now.
fn show_rows(holder: NodeRef<html::Div>, visible: Memo<Range<u64>>, stamp: Memo<Stamp>) {
    let feed: LineFeed = expect_context();
    let session = use_session();
    let tie: Tie = expect_context();
    let columns = session.part(|state| state.view.columns.clone());
    let opened = session.part(|state| (state.view.line.clone(), state.is_folded));
    let look = memo(move || Look {
        stamp: stamp.get(),
        zone: session.zone.get(),
        find: feed.find(),
        columns: columns.get(),
    });
    let owner = Owner::current().unwrap_or_default();
    let rows = StoredValue::new_local(None::<Rows>);
    effect(move || {
        let Some(holder) = holder.get() else { return };
        feed.revision.track();
        let (look, marks) = (Rc::new(look.get()), feed.marks.get());
        let (opened, is_folded) = opened.get();
        let (cursor, nearest) = (feed.cursor.get(), tie.nearest.get());
        let shown = |index| {
            let line = feed.row(index);
            let mark = line.as_ref().zip(marks.get(&index));
            let is_open = line.as_ref().is_some_and(|line| opened.as_ref() == Some(&line.id));
            Shown {
                index,
                mark: mark.map(|(line, mark)| mark_text(*mark, line.at, look.zone)),
                is_cursor: cursor == Some(index),
                is_nearest: nearest == Some(index),
                is_open,
                has_fields: is_open && !is_folded,
                line,
            }
        };
        let wanted = visible.get().map(shown).collect();
        let owner = &owner;
        rows.update_value(|rows| {
            let rows = rows.get_or_insert_with(|| Rows::new(holder.into(), owner.clone()));
            rows.show(wanted, &look);
        });
    });
}

/// What the mark above a line says.
fn mark_text(mark: Mark, at: Timestamp, zone: ZoneClock<'_>) -> String {
    let day = mark.is_day.then(|| text::date(at, zone));
    let parts = [day, mark.silence.map(text::silence)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The list's height and the height of a row follow the layout.
fn watch_size(list: &web_sys::HtmlElement, feed: LineFeed) {
    let measured = list.clone();
    let measure = Closure::<dyn FnMut()>::new(move || {
        feed.viewport_px.set(f64::from(measured.client_height()));
        measure_row(&measured, feed);
        // Lines that are wrapped break elsewhere in a pane of another width.
        feed.wrapped.set(Arc::default());
        feed.revision.update(|count| *count += 1);
    });
    let Ok(observer) = web_sys::ResizeObserver::new(measure.as_ref().unchecked_ref()) else { return };
    observer.observe(list);
    let held = StoredValue::new_local((observer, measure));
    on_cleanup(move || held.with_value(|(observer, _)| observer.disconnect()));
}

/// The browser scrolls to what gets the focus; the list's own position is the only one.
fn take_scroll(list: NodeRef<html::Div>, feed: LineFeed) {
    let Some(list) = list.get_untracked() else { return };
    let scrolled = list.scroll_top();
    if scrolled != 0 {
        list.set_scroll_top(0);
        feed.go(|extent, at| extent.moved(at, f64::from(scrolled)));
    }
}

/// The height that a row has by the style.
fn measure_row(list: &web_sys::HtmlElement, feed: LineFeed) {
    let style = window().get_computed_style(list).ok().flatten();
    let size = style.and_then(|style| style.get_property_value("--row-size").ok());
    let size = size.and_then(|size| parse_decimal(size.trim().trim_end_matches("px")));
    feed.row_px.set(size.unwrap_or(20.0));
}

/// By how much the rows on show are higher than others, since their text is wrapped.
fn measure_wrapped(list: &web_sys::HtmlElement, feed: LineFeed) {
    let known = feed.wrapped.get_untracked();
    let mut wrapped = BTreeMap::clone(&known);
    let mut next = list.first_element_child().and_then(|rows| rows.first_element_child());
    while let Some(row) = next {
        let index = row.get_attribute("aria-rowindex").and_then(|index| index.parse::<u64>().ok());
        if let (Some(index), Some(height)) = (index, height_of_cells(&row)) {
            let more = height - feed.row_px.get_untracked();
            if more > 0.5 {
                wrapped.insert(index - 1, more);
            } else {
                wrapped.remove(&(index - 1));
            }
        }
        next = row.next_element_sibling();
    }
    if wrapped.len() > MOST_WRAPPED {
        let shown = feed.position.get_untracked().row;
        wrapped.retain(|row, _| row.abs_diff(shown) < MOST_WRAPPED as u64 / 4);
    }
    if wrapped != *known {
        feed.wrapped.set(Arc::new(wrapped));
    }
}

fn height_of_cells(row: &web_sys::Element) -> Option<f64> {
    let mut child = row.first_element_child();
    while let Some(part) = child {
        if part.class_list().contains("cells") {
            return Some(f64::from(part.dyn_into::<web_sys::HtmlElement>().ok()?.offset_height()));
        }
        child = part.next_element_sibling();
    }
    None
}

/// The height of a finger that was put down; a mouse selects text instead.
fn finger(event: &web_sys::PointerEvent) -> Option<f64> {
    (event.pointer_type() == "touch").then(|| f64::from(event.client_y()))
}

fn drag(event: &web_sys::PointerEvent, feed: LineFeed, touch: RwSignal<Option<f64>>) {
    if let (Some(before), Some(now)) = (touch.get_untracked(), finger(event)) {
        touch.set(Some(now));
        feed.go(|extent, at| extent.moved(at, before - now));
    }
}

/// The position of the row that something happened in, and its line where that is there. Rows do not listen: each would be three
/// more closures to be collected.
fn row_at(event: &web_sys::Event, part: &str, feed: LineFeed) -> Option<(u64, Arc<Row>)> {
    let target: web_sys::Element = event.target()?.dyn_into().ok()?;
    let row = target.closest(part).ok()??.closest(".row").ok()??;
    let index = row.get_attribute("aria-rowindex")?.parse::<u64>().ok()?.checked_sub(1)?;
    Some((index, feed.row(index)?))
}

fn hover(event: &web_sys::PointerEvent, feed: LineFeed, charts: ChartContext) {
    let line = |(_, row): (u64, Arc<Row>)| Hover { source: LINES.to_owned(), at: row.at };
    let hovered = row_at(event, ".row", feed).map(line);
    if charts.hover.with_untracked(|hover| *hover != hovered) {
        charts.hover.set(hovered);
    }
}

/// The keys go on from the row of a click; one on its fields does nothing else.
fn click(event: &web_sys::MouseEvent, session: Session, feed: LineFeed) {
    let Some((index, row)) = row_at(event, ".row", feed) else { return };
    feed.cursor.set(Some(index));
    if row_at(event, ".cells", feed).is_some() && !is_selecting_text() {
        toggle(session, &row.id);
    }
}

/// Expands a line into its fields, or closes it.
pub(super) fn toggle(session: Session, id: &str) {
    let open = session.now_part(|state| state.view.line.as_deref() == Some(id) && !state.is_folded);
    session.send(Command::PinLine((!open).then(|| id.to_owned())));
}
