//! Pointers over a chart: mouse, pen and one finger are the brush's, two fingers pan and zoom.

use super::super::Gesture;
use super::super::brush::{Brush, Edge, Hit, Pinch, Press, hit};
use super::{Kind, Surface};
use leptos::ev::PointerEvent;

fn is_touch(event: &PointerEvent) -> bool {
    event.pointer_type() == "touch"
}

impl Surface {
    pub(in crate::chart) fn pointer_down(&self, event: &PointerEvent) {
        if !matches!(event.button(), 0 | 1) {
            return;
        }
        if (is_touch(event) && self.finger_down(event)) || !event.is_primary() {
            return;
        }
        if let Some(node) = self.node.get_untracked() {
            // Without capture a drag would end at the chart's border; failing, it still works inside.
            drop(node.set_pointer_capture(event.pointer_id()));
        }
        let pans = self.kind == Kind::Axis || event.button() == 1 || event.shift_key();
        let press = Press { is_touch: is_touch(event), pans };
        let (x, scene) = (self.x_of(event), self.scene());
        self.hold();
        self.brush.update_value(|brush| brush.press(x, press, &scene));
    }

    /// The axis stands still while anything is pressed.
    fn hold(&self) {
        self.ctx.held.set(true);
        self.ctx.on_gesture.run(Gesture::Freeze);
    }

    /// True when it is the second finger: what the first one dragged is dropped, and time follows both.
    fn finger_down(&self, event: &PointerEvent) -> bool {
        let (x, scale) = (self.x_of(event), self.scene().scale);
        let press = |pinch: &mut Pinch| pinch.press(event.pointer_id(), x, event.is_primary(), scale);
        let begins = self.ctx.pinch.try_update_value(press).unwrap_or(false);
        if begins {
            self.ctx.drop_drag.update(|count| *count += 1);
            self.ctx.hover.set(None);
            self.hold();
        }
        begins
    }

    pub(in crate::chart) fn pointer_move(&self, event: &PointerEvent) {
        let x = self.x_of(event);
        if is_touch(event) {
            let drag = |pinch: &mut Pinch| (pinch.drag_to(event.pointer_id(), x), pinch.is_on());
            let (range, is_on) = self.ctx.pinch.try_update_value(drag).unwrap_or_default();
            if let Some(range) = range {
                self.ctx.on_gesture.run(Gesture::Pan(range));
            }
            if is_on {
                return;
            }
        }
        if event.is_primary() {
            self.primary_move(event, x);
        }
    }

    fn primary_move(&self, event: &PointerEvent, x: f64) {
        let (scene, stops) = (self.scene(), self.stops());
        self.update_brush(|brush| brush.drag_to(x, &stops));
        let is_panning = self.brush.with_value(Brush::is_panning);
        let hovers = self.kind != Kind::Axis && !is_panning;
        self.pointer.set_value(hovers.then_some(x));
        if hovers {
            self.hover(scene.scale.time_from_x(scene.scale.clamp_x(x)));
        }
        if !self.brush.with_value(Brush::is_pressed) {
            self.set_cursor(self.cursor_over(hit(x, is_touch(event), &scene), event.shift_key()));
        } else if is_panning {
            self.set_cursor("grabbing");
        }
    }

    fn cursor_over(&self, hit: Hit, shift: bool) -> &'static str {
        match hit {
            _ if self.kind == Kind::Axis || shift => "grab",
            _ if self.ctx.armed.get_untracked() => "crosshair",
            Hit::Edge(Edge::Start | Edge::End) => "ew-resize",
            Hit::Body => "move",
            Hit::Plot => "crosshair",
        }
    }

    fn set_cursor(&self, cursor: &'static str) {
        if self.cursor.get_untracked() != cursor {
            self.cursor.set(cursor);
        }
    }

    pub(in crate::chart) fn pointer_up(&self, event: &PointerEvent) {
        if self.finger_up(event) {
            self.ctx.on_gesture.run(Gesture::PanEnd);
        } else if event.is_primary() {
            let (x, stops) = (self.x_of(event), self.stops());
            self.ctx.held.set(false);
            // The band's edge lies there now; a crosshair comes with the next move.
            if self.is_source.get_untracked() {
                self.forget_hover();
            }
            self.update_brush(|brush| brush.release(x, &stops));
        }
    }

    /// The browser took the pointer away.
    pub(in crate::chart) fn pointer_lost(&self, event: &PointerEvent) {
        if self.finger_up(event) {
            self.ctx.on_gesture.run(Gesture::PanUndo);
        } else if event.is_primary() {
            self.ctx.held.set(false);
            self.update_brush(Brush::cancel);
        }
    }

    /// True when it ends a pan and zoom by two fingers.
    fn finger_up(&self, event: &PointerEvent) -> bool {
        let release = |pinch: &mut Pinch| pinch.release(event.pointer_id());
        let ends = is_touch(event) && self.ctx.pinch.try_update_value(release).unwrap_or(false);
        if ends {
            self.ctx.held.set(false);
        }
        ends
    }

    pub(in crate::chart) fn pointer_leave(&self) {
        if !self.brush.with_value(Brush::is_pressed) {
            self.wheel_zooms.set_value(self.kind == Kind::Axis);
            self.forget_hover();
        }
    }
}
