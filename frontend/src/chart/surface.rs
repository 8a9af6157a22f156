//! What pointer, touch, wheel and keys on a chart do: events in, the brush decides, signals and gestures out.

use super::brush::{Brush, Key, Modifiers, Outcome, Scene, Stops, Wheel};
use super::readings::Reading;
use super::size::watch_size;
use super::{ChartContext, Gesture, Hover};
use crate::boxed::effect;
use leptos::ev;
use leptos::html::Div;
use leptos::prelude::*;
use sonde_shared::chart::draw::{GUTTER_PX, plot_width};
use sonde_shared::chart::scale::TimeScale;
use sonde_shared::time::{TimeRange, Timestamp};
use std::time::Duration;

mod pointer;

/// The page's other name for a wheel's line and page, in px.
const LINE_PX: f64 = 16.0;
const PAGE_PX: f64 = 400.0;
/// Announcements wait until the keys rest.
const ANNOUNCE_AFTER: Duration = Duration::from_millis(400);

/// What kind of thing takes the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A panel's chart.
    Chart,
    /// The lines by level: brushes like a chart, but is no panel that could be active.
    Histogram,
    /// The time axis: dragging it pans, the wheel zooms.
    Axis,
}

/// The element that takes a chart's events, and what is known about it.
#[derive(Clone, Copy)]
pub(super) struct Surface {
    pub(super) ctx: ChartContext,
    pub(super) node: NodeRef<Div>,
    /// Its width in CSS px.
    pub(super) width: RwSignal<f64>,
    /// Its height.
    pub(super) height: RwSignal<f64>,
    /// Whether the band that is being dragged is dragged here.
    pub(super) is_source: RwSignal<bool>,
    /// The CSS cursor over it.
    pub(super) cursor: RwSignal<&'static str>,
    /// What is read out.
    pub(super) announcement: RwSignal<String>,
    kind: Kind,
    panel: StoredValue<String>,
    brush: StoredValue<Brush>,
    /// Where a pointer rests over the plot: the crosshair stays there while time moves on.
    pointer: StoredValue<Option<f64>>,
    /// Whether a plain wheel zooms: after a click, until the pointer leaves.
    wheel_zooms: StoredValue<bool>,
    announced: StoredValue<u32>,
}

impl Surface {
    pub(super) fn new(ctx: ChartContext, panel: String, kind: Kind) -> Self {
        let node = NodeRef::new();
        let [width, height] = watch_size(node);
        let surface = Self {
            ctx,
            node,
            width,
            height,
            is_source: RwSignal::new(false),
            cursor: RwSignal::new(if kind == Kind::Axis { "grab" } else { "crosshair" }),
            announcement: RwSignal::new(String::new()),
            kind,
            panel: StoredValue::new(panel),
            brush: StoredValue::new(Brush::default()),
            pointer: StoredValue::new(None),
            wheel_zooms: StoredValue::new(kind == Kind::Axis),
            announced: StoredValue::new(0),
        };
        on_cleanup(move || surface.give_up());
        surface.follow_page();
        surface.follow_time();
        surface
    }

    /// The panel's id.
    pub(super) fn panel(&self) -> String {
        self.panel.get_value()
    }

    /// Whether a value needs its name beside it: levels are never told by colour alone.
    pub(super) fn names_values(&self) -> bool {
        self.kind == Kind::Histogram
    }

    /// Where times lie now; tracked.
    pub(super) fn scale(&self) -> TimeScale {
        TimeScale::new(self.ctx.range.get(), GUTTER_PX, plot_width(self.width.get()))
    }

    /// The plot's width in CSS px once the browser has laid it out; tracked.
    pub(super) fn laid_out_width(&self) -> Option<f64> {
        let width = self.width.get();
        (width > 0.0).then(|| plot_width(width))
    }

    /// Whether the band that is being dragged here is a new one.
    pub(super) fn makes_band(&self) -> bool {
        self.brush.with_value(Brush::makes_band)
    }

    /// An instant's place from the plot's left edge, where it is in view; tracked.
    pub(super) fn x_in_view(&self, at: Timestamp) -> Option<f64> {
        let scale = self.scale();
        let x = scale.x_from_time(at);
        (scale.left()..=scale.right()).contains(&x).then_some(x - GUTTER_PX)
    }

    /// What the page says in the midst of a drag: drop it, or snapping was switched.
    fn follow_page(self) {
        let ctx = self.ctx;
        Effect::new(move |before: Option<u32>| {
            let now = ctx.drop_drag.get();
            if before.is_some_and(|before| before != now) {
                self.update_brush(Brush::cancel);
            }
            now
        });
        Effect::new(move |before: Option<bool>| {
            let now = ctx.snaps.get();
            if before.is_some_and(|before| before != now) {
                let stops = self.stops();
                self.update_brush(|brush| brush.snap_again(&stops));
            }
            now
        });
    }

    /// The instant under a pointer that rests is another one with each that passes.
    fn follow_time(self) {
        effect(move || {
            self.ctx.range.track();
            if let Some(x) = self.pointer.get_value()
                && self.is_hovered()
            {
                let scale = self.scene().scale;
                self.hover(scale.time_from_x(scale.clamp_x(x)));
            }
        });
    }

    /// What edges snap to now.
    fn stops(&self) -> Stops {
        if !self.ctx.snaps.get_untracked() {
            return Stops::default();
        }
        let (scale, zone) = (self.scene().scale, self.ctx.zone.get_untracked());
        self.ctx.events.with_untracked(|events| Stops::new(&scale, zone, events))
    }

    fn scene(&self) -> Scene {
        let width = plot_width(self.width.get_untracked());
        Scene {
            scale: TimeScale::new(self.ctx.range.get_untracked(), GUTTER_PX, width),
            selection: self.ctx.selection.get_untracked(),
            baseline: self.ctx.baseline.get_untracked(),
            is_armed: self.ctx.armed.get_untracked(),
            zone: self.ctx.zone.get_untracked(),
        }
    }

    fn x_of(&self, event: &ev::MouseEvent) -> f64 {
        let left = self.node.get_untracked().map_or(0.0, |node| node.get_bounding_client_rect().left());
        // web-sys cuts it to a whole pixel, which on a day's chart is a minute.
        let client_x = js_sys::Reflect::get(event, &"clientX".into()).ok().and_then(|x| x.as_f64());
        client_x.unwrap_or_else(|| f64::from(event.client_x())) - left
    }

    fn update_brush(&self, change: impl FnOnce(&mut Brush) -> Vec<Outcome>) -> bool {
        let outcomes = self.brush.try_update_value(change).unwrap_or_default();
        let has_meaning = !outcomes.is_empty();
        for outcome in outcomes {
            self.perform(outcome);
        }
        has_meaning
    }

    fn perform(&self, outcome: Outcome) {
        let gesture = match outcome {
            Outcome::Draft(band) => return self.show_draft(band),
            Outcome::Unpin => return self.ctx.pinned.set(None),
            Outcome::Cursor(at) => return self.hover(at),
            Outcome::Click(at) => return self.click(at),
            Outcome::Select(range) => Gesture::Select { panel: self.panel(), range },
            Outcome::Adjust(range) => Gesture::Adjust(range),
            Outcome::Baseline(range) => {
                self.ctx.armed.set(false);
                Gesture::Baseline(range)
            }
            Outcome::Show(range) => Gesture::Show(range),
            Outcome::Pan(range) => Gesture::Pan(range),
            Outcome::PanEnd => Gesture::PanEnd,
            Outcome::PanUndo => Gesture::PanUndo,
            Outcome::ZoomBack => Gesture::ZoomBack,
            Outcome::Freeze => Gesture::Freeze,
        };
        self.ctx.on_gesture.run(gesture);
    }

    fn show_draft(&self, band: Option<TimeRange>) {
        if band.is_some() {
            let is_armed = self.ctx.armed.get_untracked();
            self.ctx.drafts_baseline.set(self.brush.with_value(|brush| brush.marks_baseline(is_armed)));
        }
        self.ctx.draft.set(band);
        self.is_source.set(band.is_some());
    }

    fn hover(&self, at: Timestamp) {
        self.ctx.hover.set(Some(Hover { source: self.panel(), at }));
    }

    fn click(&self, at: Timestamp) {
        if self.kind == Kind::Axis {
            return;
        }
        self.ctx.pinned.set(Some(at));
        self.wheel_zooms.set_value(true);
        self.ctx.on_gesture.run(Gesture::Freeze);
        if self.kind == Kind::Chart {
            self.ctx.on_gesture.run(Gesture::Activate(self.panel()));
        }
    }

    /// The chart goes away: what it was dragging goes with it.
    fn give_up(&self) {
        if self.is_source.try_get_untracked() == Some(true) {
            self.ctx.draft.try_set(None);
        }
        if self.brush.try_with_value(Brush::is_pressed) == Some(true) {
            self.ctx.held.try_set(false);
        }
        self.forget_hover();
    }

    /// Whether the crosshair is led from here.
    fn is_hovered(&self) -> bool {
        let Some(panel) = self.panel.try_get_value() else { return false };
        let is_ours = |hover: &Option<Hover>| hover.as_ref().is_some_and(|hover| hover.source == panel);
        self.ctx.hover.try_with_untracked(is_ours) == Some(true)
    }

    fn forget_hover(&self) {
        self.pointer.try_set_value(None);
        if self.is_hovered() {
            self.ctx.hover.try_set(None);
        }
    }

    pub(super) fn double_click(&self, event: &ev::MouseEvent) {
        let (x, scene) = (self.x_of(event), self.scene());
        self.update_brush(|brush| brush.double_click(x, &scene));
    }

    pub(super) fn wheel(&self, event: &ev::WheelEvent) {
        let unit = match event.delta_mode() {
            0 => 1.0,
            1 => LINE_PX,
            _ => PAGE_PX,
        };
        let is_alone = self.kind == Kind::Chart && self.ctx.is_alone.get_untracked();
        let zooms = event.ctrl_key() || event.meta_key() || is_alone || self.wheel_zooms.get_value();
        // Shift turns an upright wheel into a level one where the browser has not done so already.
        let (mut delta_x, mut delta_y) = (event.delta_x() * unit, event.delta_y() * unit);
        if event.shift_key() && delta_x == 0.0 {
            (delta_x, delta_y) = (delta_y, 0.0);
        }
        if let Some(range) = (Wheel { delta_x, delta_y, zooms }).range(self.x_of(event), &self.scene().scale)
        {
            event.prevent_default();
            self.perform(Outcome::Show(range));
        }
    }

    /// `read` says what the chart shows at an instant.
    pub(super) fn key_down(&self, event: &ev::KeyboardEvent, read: Callback<Timestamp, Vec<Reading>>) {
        let Some(key) = Key::parse(&event.key()).filter(|_| !event.alt_key()) else { return };
        let held = Modifiers { shift: event.shift_key(), ctrl: event.ctrl_key() || event.meta_key() };
        // Ctrl and + is the browser's own zoom.
        if held.ctrl && !matches!(key, Key::Left | Key::Right) {
            return;
        }
        self.pointer.set_value(None);
        let scene = self.scene();
        if self.update_brush(|brush| brush.key(key, held, &scene)) {
            event.prevent_default();
            event.stop_propagation();
            self.announce_soon(read);
        }
    }

    pub(super) fn blur(&self) {
        self.update_brush(Brush::blur);
        self.forget_hover();
    }

    /// Reads out where the cursor is and what is there, or the band, once the keys rest.
    fn announce_soon(&self, read: Callback<Timestamp, Vec<Reading>>) {
        self.announced.update_value(|count| *count += 1);
        let (surface, now) = (*self, self.announced.get_value());
        set_timeout(
            move || {
                if surface.announced.try_get_value() == Some(now) {
                    let is_new = surface.makes_band() && !surface.ctx.armed.get_untracked();
                    let whose = is_new.then(|| surface.ctx.counted_instead.run(surface.panel())).flatten();
                    surface.announcement.set(super::overlay::spoken(surface, whose.as_deref(), read));
                }
            },
            ANNOUNCE_AFTER,
        );
    }
}
