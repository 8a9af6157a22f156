//! A metric on its way to a chart: dragged by a mouse, or through a menu that fingers and keys reach. On a chart it is one more
//! target of that, in the editor; on the empty place it is a chart of the address' own.

use crate::boxed::effect;
use crate::session::{Session, use_session};
use crate::size::px;
use crate::state::{Command, EditStep, TARGETS_PANEL};
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// A press that moves so far is a drag.
const DRAG_PX: f64 = 6.0;

/// Where a metric may be let go.
#[derive(Clone, Debug, PartialEq)]
enum Drop {
    /// On the chart of this panel, which is called so.
    Panel(String, String),
    /// Where no chart is.
    Empty,
}

/// A metric under the pointer.
#[derive(Clone, Debug, PartialEq)]
struct Moving {
    metric: String,
    at: (f64, f64),
    /// What it would be let go on, and where that is: left, top, width, height.
    over: Option<(Drop, [f64; 4])>,
}

/// What is dragged, and what is offered to be added.
#[derive(Clone, Copy)]
pub struct MetricDrag {
    session: Session,
    /// Pressed, and where.
    pressed: StoredValue<Option<(String, (f64, f64))>>,
    moving: RwSignal<Option<Moving>>,
    /// The metric of the menu.
    offered: RwSignal<Option<String>>,
    just_ended: StoredValue<bool>,
}

impl MetricDrag {
    /// Offers it to the tree; before the page listens to keys.
    pub fn provide() {
        let drag = Self {
            session: use_session(),
            pressed: StoredValue::new(None),
            moving: RwSignal::new(None),
            offered: RwSignal::new(None),
            just_ended: StoredValue::new(false),
        };
        provide_context(drag);
        let moved = window_event_listener(leptos::ev::pointermove, move |event| drag.pointer_moved(&event));
        let up = window_event_listener(leptos::ev::pointerup, move |_| drag.let_go());
        let lost = window_event_listener(leptos::ev::pointercancel, move |_| drag.cancel());
        let escape = window_event_listener(leptos::ev::keydown, move |event| {
            if event.key() == "Escape" && drag.moving.with_untracked(Option::is_some) {
                // The keys of the page leave alone what was answered.
                event.prevent_default();
                drag.cancel();
            }
        });
        on_cleanup(move || {
            moved.remove();
            up.remove();
            lost.remove();
            escape.remove();
        });
    }

    /// A metric's row is pressed.
    pub(super) fn press(self, metric: String, event: &web_sys::PointerEvent) {
        self.just_ended.set_value(false);
        self.pressed.set_value(Some((metric, place(event))));
    }

    /// Whether the press ended a drag, so that its click means nothing.
    pub(super) fn ended_here(self) -> bool {
        self.just_ended.try_update_value(std::mem::take).unwrap_or_default()
    }

    /// Opens the menu for a metric.
    pub(super) fn offer(self, metric: String) {
        self.offered.set(Some(metric));
    }

    fn pointer_moved(self, event: &web_sys::PointerEvent) {
        let Some((metric, (x, y))) = self.pressed.get_value() else { return };
        let at = place(event);
        let is_far = (at.0 - x).hypot(at.1 - y) > DRAG_PX;
        if is_far || self.moving.with_untracked(Option::is_some) {
            event.prevent_default();
            self.moving.set(Some(Moving { metric, at, over: self.under(at) }));
        }
    }

    fn let_go(self) {
        self.pressed.set_value(None);
        let Some(Moving { metric, over, .. }) = self.moving.get_untracked() else { return };
        self.moving.set(None);
        self.just_ended.set_value(true);
        match over {
            Some((Drop::Panel(id, _), _)) => self.add_to(id, metric),
            Some((Drop::Empty, _)) => self.add_to(TARGETS_PANEL.to_owned(), metric),
            None => {}
        }
    }

    fn cancel(self) {
        self.pressed.set_value(None);
        self.moving.set(None);
        self.just_ended.set_value(true);
    }

    fn add_to(self, panel: String, metric: String) {
        self.session.send(Command::Edit(EditStep::AddTarget(panel, metric)));
    }

    fn under(self, (x, y): (f64, f64)) -> Option<(Drop, [f64; 4])> {
        let element = document().element_from_point(x as f32, y as f32)?;
        if let Some(panel) = element.closest(".panel").ok()? {
            let id = panel.query_selector("[data-panel]").ok()??.get_attribute("data-panel")?;
            let title = self.session.now_part(|state| state.panel(&id).map(|panel| panel.title.clone()))?;
            return Some((Drop::Panel(id, title), bounds(&panel)));
        }
        let charts = element.closest(".charts").ok()??;
        Some((Drop::Empty, bounds(&charts)))
    }
}

fn place(event: &web_sys::PointerEvent) -> (f64, f64) {
    (f64::from(event.client_x()), f64::from(event.client_y()))
}

fn bounds(element: &web_sys::Element) -> [f64; 4] {
    let bounds = element.get_bounding_client_rect();
    [bounds.left(), bounds.top(), bounds.width(), bounds.height()]
}

/// What shows of a metric on its way.
#[component]
pub fn AddMetric() -> impl IntoView {
    view! {
        <Dragged />
        <AddMenu />
    }
}

/// The metric under the pointer, and a frame about what it would be let go on.
#[component]
fn Dragged() -> impl IntoView {
    let drag: MetricDrag = expect_context();
    let frame = move |moving: &Moving| {
        let (_, [left, top, width, height]) = moving.over.clone()?;
        Some(view! {
            <div
                class="drop-frame"
                style:left=px(left)
                style:top=px(top)
                style:width=px(width)
                style:height=px(height)
            ></div>
        })
    };
    let what = |moving: &Moving| match &moving.over {
        Some((Drop::Panel(_, title), _)) => format!("Add to {title}"),
        Some((Drop::Empty, _)) => "A new chart".to_owned(),
        None => "Drag onto a chart".to_owned(),
    };
    move || {
        let moving = drag.moving.get()?;
        let (x, y) = moving.at;
        Some(view! {
            {frame(&moving)}
            <div class="dragged" style:transform=format!("translate({:.0}px, {:.0}px)", x + 12.0, y + 12.0)>
                <span class="mono"><bdi>{moving.metric.clone()}</bdi></span>
                <span class="faint">{what(&moving)}</span>
            </div>
        })
    }
}

/// Where a metric may be added, as a list.
#[component]
fn AddMenu() -> impl IntoView {
    let drag: MetricDrag = expect_context();
    move || drag.offered.get().map(|metric| view! { <AddDialog drag metric /> })
}

/// Closed, not taken away: the focus goes back to where it was.
fn close(dialog: NodeRef<html::Dialog>) {
    if let Some(dialog) = dialog.get_untracked() {
        dialog.close();
    }
}

#[component]
fn AddDialog(drag: MetricDrag, metric: String) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    effect(move || {
        if let Some(dialog) = dialog.get().filter(|dialog| !dialog.open()) {
            drop(dialog.show_modal());
        }
    });
    let panels = drag.session.now_part(|state| {
        let named = state.panels().filter(|panel| panel.id != TARGETS_PANEL);
        named.map(|panel| (panel.id.clone(), panel.title.clone())).collect::<Vec<_>>()
    });
    let item = |id: String, name: String| {
        let metric = metric.clone();
        let add = move |_| {
            close(dialog);
            drag.add_to(id.clone(), metric.clone());
        };
        view! { <li><button class="item" on:click=add><bdi>{name}</bdi></button></li> }
    };
    let new = item(TARGETS_PANEL.to_owned(), "A new chart".to_owned());
    let items = panels.into_iter().map(|(id, title)| item(id, title)).collect_view();
    let close_outside = move |event: web_sys::MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        if target.is_some_and(|target| target.tag_name() == "DIALOG") {
            close(dialog);
        }
    };
    view! {
        <dialog
            class="add-menu"
            node_ref=dialog
            aria-label=format!("Add {metric} to")
            on:close=move |_| drag.offered.set(None)
            on:keydown=move |event: web_sys::KeyboardEvent| {
                // The page's keys have no say in here; Escape is the dialog's own.
                event.stop_propagation();
            }
            on:click=close_outside
        >
            <p class="mono"><bdi>{metric.clone()}</bdi></p>
            <p class="faint">"Add to"</p>
            <ul class="items">{new}{items}</ul>
        </dialog>
    }
}
