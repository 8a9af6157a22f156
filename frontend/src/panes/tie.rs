//! What ties charts and lines together, besides the selection: the instant under the pointer.
//!
//! The hover instant carries its source, and nobody answers its own. A line marks its instant on every chart, always. The other
//! way is a switch, off at first: the pane scrolls to the line nearest to the crosshair, once that rests, and not while the
//! reader is at work in the pane. A hairline in the scrollbar tells where that line is in any case.

use super::icons::{Glyph, Icon};
use crate::boxed::{effect, memo};
use crate::chart::{ChartContext, Hover};
use crate::feeds::{LineFeed, Loaded};
use crate::lines::share_before;
use crate::prefs;
use crate::rest::Rest;
use crate::session::Session;
use leptos::prelude::*;
use sonde_shared::api::Histogram;
use sonde_shared::time::Timestamp;
use sonde_shared::view::Order;
use std::time::Duration;
use wasm_bindgen::JsCast;

/// The source of an instant that a line marks.
pub(super) const LINES: &str = "log";
/// How long the crosshair stands still before the pane follows it.
const REST: Duration = Duration::from_millis(80);
/// How long the pane stays where the reader put it.
const OWN_MS: f64 = 2_000.0;

/// The tie as signals.
#[derive(Clone, Copy)]
pub struct Tie {
    /// Whether the pane follows the crosshair.
    pub follows: RwSignal<bool>,
    session: Session,
    charts: ChartContext,
    feed: LineFeed,
    histogram: Loaded<Histogram>,
    /// Until when the pane is the reader's own, in the browser's milliseconds.
    own_until: StoredValue<f64>,
    /// Waits until the crosshair stands still, and until the pane is not the reader's any more.
    rest: Rest,
    /// The instant that a chart's crosshair is at.
    crosshair: Memo<Option<Timestamp>>,
    /// The row that is marked as nearest to it.
    pub nearest: Memo<Option<u64>>,
}

impl Tie {
    /// Ties the two together, and offers the tie to the panes.
    pub fn provide(
        session: Session,
        charts: ChartContext,
        feed: LineFeed,
        histogram: Loaded<Histogram>,
    ) -> Self {
        let follows = prefs::switch("follow", false);
        let crosshair = memo(move || match charts.hover.get() {
            Some(hover) => (hover.source != LINES).then_some(hover.at),
            None => charts.pinned.get(),
        });
        let nearest =
            memo(move || crosshair.get().filter(|_| follows.get()).and_then(|at| feed.row_near(at)));
        let own_until = StoredValue::new(0.0);
        let rest = Rest::new();
        let tie = Self { follows, session, charts, feed, histogram, own_until, rest, crosshair, nearest };
        tie.follow_the_crosshair();
        tie.notice_the_reader();
        provide_context(tie);
        tie
    }

    fn follow_the_crosshair(self) {
        effect(move || {
            let at = self.crosshair.get().filter(|_| self.follows.get());
            match at {
                Some(at) => self.rest.after(REST, move || {
                    request_animation_frame(move || self.scroll_to(at));
                }),
                None => self.rest.stop(),
            }
        });
    }

    /// Now, or once the reader has left the pane alone.
    fn scroll_to(self, at: Timestamp) {
        let is_in_range = self.session.query.try_with_untracked(|query| query.range.contains(at));
        let own_ms = self.own_until.try_get_value().map_or(0.0, |until| until - js_sys::Date::now());
        if is_in_range != Some(true) || is_selecting_text() {
            return;
        }
        if own_ms > 0.0 {
            self.rest.after(Duration::from_millis(own_ms.ceil() as u64), move || self.scroll_to(at));
        } else {
            self.feed.show_instant(at);
        }
    }

    /// Wheel, key or press in the pane: it is the reader's for a while.
    fn notice_the_reader(self) {
        let own = move |event: &web_sys::Event| {
            // The row under the pointer may be gone by now; the way that the event took is not.
            let path = event.composed_path();
            let mut way = path.iter().filter_map(|target| target.dyn_into::<web_sys::Element>().ok());
            if way.any(|element| element.class_list().contains("log-pane")) {
                self.own_until.set_value(js_sys::Date::now() + OWN_MS);
            }
        };
        let wheel = window_event_listener(leptos::ev::wheel, move |event| own(&event));
        let key = window_event_listener(leptos::ev::keydown, move |event| own(&event));
        let press = window_event_listener(leptos::ev::pointerdown, move |event| own(&event));
        on_cleanup(move || {
            wheel.remove();
            key.remove();
            press.remove();
        });
    }

    /// The line that the keys came to marks its instant on every chart, as the one under the pointer does.
    pub(super) fn mark_cursor(self, cursor: RwSignal<Option<u64>>) {
        let hover = self.charts.hover;
        // What was the cursor, and whether its instant is yet to be marked.
        Effect::new(move |before: Option<(Option<u64>, bool)>| {
            let cursor = cursor.get();
            let (former, was_due) = before.unwrap_or((cursor, false));
            let is_due = former != cursor || (was_due && hover.with_untracked(Option::is_none));
            let Some(index) = cursor.filter(|_| is_due) else { return (cursor, false) };
            // After a long way the row is yet to come. Until then no other instant passes for its own.
            self.feed.revision.track();
            let row = self.feed.row(index);
            hover.set(row.as_ref().map(|row| Hover { source: LINES.to_owned(), at: row.at }));
            (cursor, row.is_none())
        });
    }

    /// Where in all lines the crosshair's instant is, from 0 at the first to 1.
    fn share(self) -> Option<f64> {
        let at = self.crosshair.get()?;
        let (range, order) = self.session.query.with(|query| (query.range, query.order));
        let share = self.histogram.value.with(|counts| share_before(counts.as_ref()?, range, at))?;
        Some(if order == Order::Descending { 1.0 - share } else { share })
    }
}

/// Where the line nearest to the crosshair is in the scrollbar.
#[component]
pub(super) fn Hairline() -> impl IntoView {
    let tie: Tie = expect_context();
    let place = memo(move || tie.share().map(|share| (share * tie.feed.viewport_px.get()).round()));
    move || {
        let y = place.get()?;
        Some(view! { <div class="hairline" style:transform=format!("translateY({y}px)")></div> })
    }
}

/// The switch in the pane's head.
#[component]
pub(super) fn FollowToggle() -> impl IntoView {
    let follows = expect_context::<Tie>().follows;
    view! {
        <button
            class="control small follow-toggle"
            aria-label="Follow the crosshair"
            title="Scroll the lines to where the crosshair is on a chart (f)"
            aria-pressed=move || follows.get().to_string()
            on:click=move |_| follows.update(|on| *on = !*on)
        >
            <Glyph icon=Icon::Crosshair />
            <span class="wide-only">"Follow"</span>
        </button>
    }
}

/// Whether text is selected: the click or the crosshair that ends there is no wish to move it.
pub(super) fn is_selecting_text() -> bool {
    window().get_selection().ok().flatten().is_some_and(|selection| !selection.is_collapsed())
}
