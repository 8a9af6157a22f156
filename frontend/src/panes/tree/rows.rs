//! The rows of a tree, of which only those in sight exist: thousands of components cost no more than thirty. Knows nothing of
//! what a row shows; moves the cursor, and says what was done with a row.

use crate::boxed::memo;
use crate::rest::Rest;
use crate::size::{on_resize, px};
use leptos::html;
use leptos::prelude::*;
use sonde_shared::decimal::parse_decimal;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// So many rows beyond the edges are there, so that a turn of the wheel finds them.
const BEYOND: usize = 6;
/// How long a finger stays for what a mouse does with Ctrl.
const LONG_PRESS: Duration = Duration::from_millis(450);
/// A finger that moves so far scrolls.
const STILL_PX: i32 = 8;

/// What was done with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowAct {
    /// Clicked, or Enter or the space bar pressed.
    Take,
    /// The same with Ctrl, or a finger that stays.
    TakeAlso,
    /// The same with Shift, or Shift and an arrow.
    TakeUpTo,
    /// What is below it is to show, or to hide.
    Fold(bool),
}

/// What a tree shows of a row.
#[derive(Clone, Debug, Default, Hash, PartialEq, Eq)]
pub(super) struct RowPlace {
    /// What it is, for telling rows apart.
    pub path: String,
    /// How many parents it has.
    pub depth: usize,
    /// Whether what is below it shows; `None` where nothing is.
    pub open: Option<bool>,
}

/// The rows. `row` makes what a row of this path at this place shows; the elements stay while only its numbers change.
#[component]
pub(super) fn Rows(
    name: &'static str,
    places: Memo<Arc<Vec<RowPlace>>>,
    row: Arc<dyn Fn(usize, String) -> AnyView + Send + Sync>,
    /// The accessible name of a row; `None` where there is none any more.
    #[prop(into)]
    label: Callback<usize, String>,
    #[prop(into)] is_chosen: Callback<usize, bool>,
    #[prop(into)] is_current: Callback<usize, bool>,
    #[prop(into)] on_act: Callback<(usize, RowAct)>,
    /// A row is pressed with a mouse: a drag may begin.
    #[prop(optional)]
    on_press: Option<Callback<(usize, web_sys::PointerEvent)>>,
) -> impl IntoView {
    let list = List::new(name, places);
    let visible = memo(move || list.visible());
    let items = move || {
        // The places first: an effect that reads something made of them before them, and finds that unchanged, as many rows as
        // before, does not hear that they have changed.
        let (places, range) = (places.get(), visible.get());
        range.filter_map(|at| places.get(at).map(|place| (at, place.clone()))).collect::<Vec<_>>()
    };
    let height = move || px(places.with(|places| places.len()) as f64 * list.row_px.get());
    view! {
        <div
            class="tree-rows"
            node_ref=list.node
            role="tree"
            tabindex="0"
            aria-label=name
            aria-multiselectable="true"
            aria-activedescendant=move || list.cursor_id()
            on:scroll=move |_| list.scrolled()
            on:keydown=move |event| list.key(&event, on_act)
        >
            <div class="tree-space" role="none" style:height=height>
                <Each
                    each=items
                    key=Clone::clone
                    children=move |(at, place)| {
                        let content = row(at, place.path.clone());
                        view! { <Row list at place label is_chosen is_current on_act on_press content /> }
                    }
                />
            </div>
        </div>
    }
}

#[component]
fn Row(
    list: List,
    at: usize,
    place: RowPlace,
    label: Callback<usize, String>,
    is_chosen: Callback<usize, bool>,
    is_current: Callback<usize, bool>,
    on_act: Callback<(usize, RowAct)>,
    on_press: Option<Callback<(usize, web_sys::PointerEvent)>>,
    content: AnyView,
) -> impl IntoView {
    let press = move |event: web_sys::PointerEvent| {
        if event.pointer_type() == "touch" {
            list.held.begin(&event, move || on_act.run((at, RowAct::TakeAlso)));
        } else if let Some(on_press) = on_press.filter(|_| event.button() == 0) {
            on_press.run((at, event));
        }
    };
    let held = list.held;
    let click = move |event: web_sys::MouseEvent| {
        if held.took() {
            return;
        }
        list.cursor.set(Some(at));
        let act = match (event.ctrl_key() || event.meta_key(), event.shift_key()) {
            (_, true) => RowAct::TakeUpTo,
            (true, false) => RowAct::TakeAlso,
            (false, false) => RowAct::Take,
        };
        on_act.run((at, act));
    };
    let fold = move |event: web_sys::MouseEvent| {
        event.stop_propagation();
        list.cursor.set(Some(at));
        on_act.run((at, RowAct::Fold(place.open != Some(true))));
    };
    view! {
        <div
            class="tree-row"
            class:cursor=move || list.cursor.get() == Some(at)
            id=list.id_of(at)
            role="treeitem"
            aria-level=(place.depth + 1).to_string()
            aria-expanded=place.open.map(|open| open.to_string())
            aria-selected=move || is_chosen.run(at).to_string()
            aria-current=move || is_current.run(at).then_some("true")
            aria-label=move || label.run(at)
            data-path=place.path.clone()
            title=place.path.clone()
            style:transform=move || format!("translateY({}px)", at as f64 * list.row_px.get())
            style:padding-left=px(indent_px(place.depth) as f64)
            on:pointerdown=press
            on:pointermove=move |event| held.moved(&event)
            on:pointerup=move |_| held.end()
            on:pointercancel=move |_| held.end()
            on:click=click
        >
            <span class="tree-fold" class:open=place.open == Some(true) class:leaf=place.open.is_none() on:click=fold>
                <super::Glyph icon=super::Icon::Chevron />
            </span>
            {content}
        </div>
    }
}

/// The list as signals.
#[derive(Clone, Copy)]
struct List {
    name: &'static str,
    node: NodeRef<html::Div>,
    places: Memo<Arc<Vec<RowPlace>>>,
    cursor: RwSignal<Option<usize>>,
    top_px: RwSignal<f64>,
    height_px: RwSignal<f64>,
    row_px: RwSignal<f64>,
    held: Held,
}

impl List {
    fn new(name: &'static str, places: Memo<Arc<Vec<RowPlace>>>) -> Self {
        let list = Self {
            name,
            node: NodeRef::new(),
            places,
            cursor: RwSignal::new(None),
            top_px: RwSignal::new(0.0),
            height_px: RwSignal::new(0.0),
            row_px: RwSignal::new(24.0),
            held: Held::new(),
        };
        on_resize(list.node, move |element| {
            list.height_px.set(f64::from(element.client_height()));
            let style = window().get_computed_style(element).ok().flatten();
            let size = style.and_then(|style| style.get_property_value("--tree-row").ok());
            list.row_px
                .set(size.and_then(|size| parse_decimal(size.trim().trim_end_matches("px"))).unwrap_or(24.0));
        });
        list
    }

    fn visible(self) -> Range<usize> {
        let (top, row) = (self.top_px.get(), self.row_px.get());
        let first = (top / row) as usize;
        let rows = (self.height_px.get() / row).ceil() as usize + 1;
        let all = self.places.with(|places| places.len());
        first.saturating_sub(BEYOND).min(all)..(first + rows + BEYOND).min(all)
    }

    fn scrolled(self) {
        if let Some(node) = self.node.get_untracked() {
            self.top_px.set(f64::from(node.scroll_top()));
        }
    }

    fn id_of(self, at: usize) -> String {
        [self.name, "-row-", &at.to_string()].concat()
    }

    /// Only what exists can be pointed to.
    fn cursor_id(self) -> Option<String> {
        let visible = self.visible();
        self.cursor.get().filter(|at| visible.contains(at)).map(|at| self.id_of(at))
    }

    fn key(self, event: &web_sys::KeyboardEvent, on_act: Callback<(usize, RowAct)>) {
        let all = self.places.with_untracked(|places| places.len());
        let at = self.cursor.get_untracked().filter(|at| *at < all);
        let page = (self.height_px.get_untracked() / self.row_px.get_untracked()) as isize;
        let (ctrl, shift) = (event.ctrl_key() || event.meta_key(), event.shift_key());
        if all == 0 || event.alt_key() {
            return;
        }
        match (event.key().as_str(), at) {
            ("ArrowDown", at) => self.step(at, 1, shift, on_act),
            ("ArrowUp", at) => self.step(at, -1, shift, on_act),
            ("PageDown", at) => self.step(at, page, shift, on_act),
            ("PageUp", at) => self.step(at, -page, shift, on_act),
            ("Home", at) => self.step(at, -(all as isize), shift, on_act),
            ("End", at) => self.step(at.or(Some(0)), all as isize, shift, on_act),
            ("ArrowRight", Some(at)) => self.go_in(at, on_act),
            ("ArrowLeft", Some(at)) => self.go_out(at, on_act),
            ("Enter" | " " | "+", Some(at)) => {
                let act = if shift && event.key() != "+" {
                    RowAct::TakeUpTo
                } else if ctrl {
                    RowAct::TakeAlso
                } else {
                    RowAct::Take
                };
                on_act.run((at, act));
            }
            _ => return,
        }
        event.prevent_default();
    }

    /// The first step of who comes in by the keyboard is to the first row.
    fn step(self, at: Option<usize>, by: isize, extends: bool, on_act: Callback<(usize, RowAct)>) {
        let last = self.places.with_untracked(|places| places.len()) - 1;
        let next = at.map_or(0, |at| at.saturating_add_signed(by).min(last));
        self.go_to(next);
        if extends {
            on_act.run((next, RowAct::TakeUpTo));
        }
    }

    fn go_in(self, at: usize, on_act: Callback<(usize, RowAct)>) {
        match self.places.with_untracked(|places| places[at].open) {
            Some(false) => on_act.run((at, RowAct::Fold(true))),
            Some(true) => self.go_to(at + 1),
            None => {}
        }
    }

    fn go_out(self, at: usize, on_act: Callback<(usize, RowAct)>) {
        let (is_open, parent) = self.places.with_untracked(|places| {
            let depth = places[at].depth;
            (places[at].open == Some(true), places[..at].iter().rposition(|place| place.depth < depth))
        });
        if is_open {
            on_act.run((at, RowAct::Fold(false)));
        } else if let Some(parent) = parent {
            self.go_to(parent);
        }
    }

    /// Moves the cursor, and the row into sight.
    fn go_to(self, at: usize) {
        self.cursor.set(Some(at));
        let Some(node) = self.node.get_untracked() else { return };
        let (row, height) = (self.row_px.get_untracked(), self.height_px.get_untracked());
        let (top, shown) = (at as f64 * row, f64::from(node.scroll_top()));
        if top < shown {
            node.set_scroll_top(top as i32);
        } else if top + row > shown + height {
            node.set_scroll_top((top + row - height).ceil() as i32);
        }
    }
}

/// A finger that stays on a row; one for all rows, since another one may be under it when it goes.
#[derive(Clone, Copy)]
struct Held {
    rest: Rest,
    start: StoredValue<(i32, i32)>,
    took: StoredValue<bool>,
}

impl Held {
    fn new() -> Self {
        Self { rest: Rest::new(), start: StoredValue::new((0, 0)), took: StoredValue::new(false) }
    }

    fn begin(self, event: &web_sys::PointerEvent, act: impl FnOnce() + 'static) {
        self.start.set_value((event.client_x(), event.client_y()));
        self.took.set_value(false);
        self.rest.after(LONG_PRESS, move || {
            self.took.set_value(true);
            act();
        });
    }

    fn moved(self, event: &web_sys::PointerEvent) {
        let (x, y) = self.start.get_value();
        if (event.client_x() - x).abs().max((event.client_y() - y).abs()) > STILL_PX {
            self.end();
        }
    }

    fn end(self) {
        self.rest.stop();
    }

    /// Whether the press was taken for a long one; its click means nothing more.
    fn took(self) -> bool {
        self.took.try_update_value(std::mem::take).unwrap_or_default()
    }
}

/// How far a row stands in. Far down it is less a level, so that names keep some room.
fn indent_px(depth: usize) -> usize {
    4 + 12 * depth.min(3) + 4 * (depth.clamp(3, 9) - 3)
}
