//! The rows that show, out of however many there are. Only these exist as elements.

use super::line_row::LineRow;
use super::scrollbar::Scrollbar;
use super::tie::Tie;
use crate::feeds::LineFeed;
use crate::lines::{Extent, Position};
use crate::session::{Session, use_session};
use crate::state::Command;
use crate::text::Stamp;
use leptos::html;
use leptos::prelude::*;
use std::ops::Range;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// The list with its scrollbar.
#[component]
pub(super) fn LogList() -> impl IntoView {
    let feed: LineFeed = expect_context();
    let session = use_session();
    let list = NodeRef::<html::Div>::new();
    let cursor = RwSignal::new(None::<u64>);
    let touch = RwSignal::new(None::<f64>);
    expect_context::<Tie>().mark_cursor(cursor);
    let stamp = Memo::new(move |_| {
        let offset = session.offset_minutes.get();
        session.query.with(|query| Stamp::of(query.range, offset))
    });
    let visible = Memo::new(move |_| feed.extent().visible(feed.position.get()));
    Effect::new(move |_| {
        feed.revision.track();
        feed.want(visible.get());
    });
    Effect::new(move |_| {
        if let Some(list) = list.get() {
            watch_size(&list, feed);
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
    let rows = move || {
        feed.revision.track();
        visible.get().map(|index| (index, feed.row(index).map(|row| row.id.clone()))).collect::<Vec<_>>()
    };
    view! {
        <div
            class="log-list"
            class:dimmed=move || feed.dimmed.get()
            class:dated=move || stamp.get() == Stamp::Day
            class:dated-year=move || stamp.get() == Stamp::Year
            node_ref=list
            id="log-list"
            role="grid"
            aria-label="Lines"
            aria-rowcount=move || feed.total.get().known().map_or(-1, |lines| lines as i64).to_string()
            tabindex="0"
            on:wheel=wheel
            on:keydown=move |event| press(&event, session, feed, cursor)
            on:pointerdown=move |event| touch.set(finger(&event))
            on:pointermove=move |event| drag(&event, feed, touch)
            on:pointerup=move |_| touch.set(None)
            on:pointercancel=move |_| touch.set(None)
        >
            <div class="rows" role="rowgroup" style:transform=move || format!("translateY({}px)", -feed.position.get().px)>
                <For each=rows key=|row| row.clone() children=move |(index, _)| view! { <LineRow index cursor stamp /> } />
            </div>
        </div>
        <Scrollbar />
    }
}

/// The list's height and the height of a row follow the layout.
fn watch_size(list: &web_sys::HtmlElement, feed: LineFeed) {
    let measured = list.clone();
    let measure = Closure::<dyn FnMut()>::new(move || {
        feed.viewport_px.set(f64::from(measured.client_height()));
        let style = window().get_computed_style(&measured).ok().flatten();
        let size = style.and_then(|style| style.get_property_value("--row-size").ok());
        let size = size.and_then(|size| size.trim().trim_end_matches("px").parse().ok());
        feed.row_px.set(size.unwrap_or(20.0));
    });
    let Ok(observer) = web_sys::ResizeObserver::new(measure.as_ref().unchecked_ref()) else { return };
    observer.observe(list);
    let held = StoredValue::new_local((observer, measure));
    on_cleanup(move || held.with_value(|(observer, _)| observer.disconnect()));
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

/// Keys act only with the focus in the list.
fn press(event: &web_sys::KeyboardEvent, session: Session, feed: LineFeed, cursor: RwSignal<Option<u64>>) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    let page = |extent: &Extent| (extent.viewport_px - extent.row_px).max(extent.row_px);
    match event.key().as_str() {
        "ArrowDown" => step(feed, cursor, 1),
        "ArrowUp" => step(feed, cursor, -1),
        "PageDown" => feed.go(|extent, at| extent.moved(at, page(&extent))),
        "PageUp" => feed.go(|extent, at| extent.moved(at, -page(&extent))),
        "Home" => jump(feed, cursor, |_| Position::default()),
        "End" => jump(feed, cursor, |extent| extent.end()),
        "Enter" | " " => expand(session, feed, cursor),
        _ => return,
    }
    event.prevent_default();
}

fn step(feed: LineFeed, cursor: RwSignal<Option<u64>>, by: i64) {
    let shown = untrack(|| feed.extent().visible(feed.position.get()));
    let last = feed.total.get_untracked().rows().saturating_sub(1);
    let next = match cursor.get_untracked() {
        Some(row) if in_or_beside(&shown, row) => row.saturating_add_signed(by).min(last),
        _ => shown.start,
    };
    cursor.set(Some(next));
    feed.go(|extent, at| extent.showing(at, next));
}

fn in_or_beside(shown: &Range<u64>, row: u64) -> bool {
    row + 1 >= shown.start && row <= shown.end
}

fn jump(feed: LineFeed, cursor: RwSignal<Option<u64>>, to: impl FnOnce(Extent) -> Position) {
    feed.go(|extent, _| to(extent));
    let at_start = feed.position.get_untracked() == Position::default();
    let last = feed.total.get_untracked().rows().saturating_sub(1);
    cursor.set(Some(if at_start { 0 } else { last }));
}

fn expand(session: Session, feed: LineFeed, cursor: RwSignal<Option<u64>>) {
    if let Some(row) = cursor.get_untracked().and_then(|index| feed.row(index)) {
        toggle(session, &row.id);
    }
}

/// Expands a line into its fields, or closes it.
pub(super) fn toggle(session: Session, id: &str) {
    let open = session.now_part(|state| state.view.line.as_deref() == Some(id));
    session.send(Command::PinLine((!open).then(|| id.to_owned())));
}
