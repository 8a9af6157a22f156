//! The brush: what pointer and keys on a chart mean. Pure: values in, values out.
//!
//! A press becomes a drag after 4 px. What is dragged is decided where it was pressed: an edge of the band resizes it
//! and may cross the other, its body moves it, any other place makes a new band; with shift or the middle button the
//! time moves instead. Times, not pixels, are kept, and the scale of the press holds until its end, so that a chart
//! that moves on under the pointer changes nothing.

use sonde_shared::chart::scale::TimeScale;
use sonde_shared::time::{NANOS_PER_MS, TimeRange, Timestamp};

mod keys;
mod zoom;

pub(super) use keys::{Key, Modifiers};
pub(super) use zoom::{Wheel, with_margin};

/// A drag starts after so many pixels.
const DRAG_PX: f64 = 4.0;
/// How wide an edge's hit area is.
const HIT_PX: f64 = 8.0;
/// The same for fingers.
const TOUCH_HIT_PX: f64 = 24.0;
/// Bands narrower than this have their grips outside.
pub(super) const NARROW_PX: f64 = 16.0;

/// What there is on the chart when something happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    /// Where times lie.
    pub(super) scale: TimeScale,
    /// The committed selection.
    pub(super) selection: Option<TimeRange>,
    /// Whether a crosshair is pinned.
    pub(super) is_pinned: bool,
    /// Minutes east of UTC, for moving from tick to tick.
    pub(super) offset_minutes: i32,
}

/// How something was pressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Press {
    /// A finger: hit areas are wider.
    pub(super) is_touch: bool,
    /// Shift or the middle button: the drag pans.
    pub(super) pans: bool,
}

/// What the page is to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    /// Show this band as being dragged, or none.
    Draft(Option<TimeRange>),
    /// A new band was made.
    Select(TimeRange),
    /// The band was changed.
    Adjust(TimeRange),
    /// The selection is to go.
    Clear,
    /// The chart was clicked: make it active and pin the crosshair here.
    Click(Timestamp),
    /// The pinned crosshair is to go.
    Unpin,
    /// Show this range.
    Show(TimeRange),
    /// Go back one zoom.
    ZoomBack,
    /// Hold the axis while this goes on.
    Freeze,
    /// The keyboard's cursor stands here.
    Cursor(Timestamp),
}

/// What lies under a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hit {
    /// The start or the end of the band.
    Edge(Edge),
    /// The band between its edges.
    Body,
    /// Any other place.
    Plot,
}

/// One end of the band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// Its start.
    Start,
    /// Its end.
    End,
}

impl Edge {
    const fn of(self, range: TimeRange) -> Timestamp {
        match self {
            Self::Start => range.from,
            Self::End => range.until,
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Start => Self::End,
            Self::End => Self::Start,
        }
    }
}

/// The brush of one chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Brush {
    pointer: Pointer,
    keyboard: keys::Keyboard,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Pointer {
    #[default]
    Idle,
    /// Pressed, but not moved far enough to be a drag.
    Pressed { x: f64, scale: TimeScale, drag: Drag },
    /// Being dragged.
    Dragging { x: f64, scale: TimeScale, drag: Drag },
}

/// What a drag does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Drag {
    /// Makes a band from the place of the press.
    New,
    /// Moves the band, which was here.
    Move(TimeRange),
    /// Moves one end, which was at `moving`; the other stays.
    Resize { moving: Timestamp, fixed: Timestamp },
    /// Moves the time, of which this was visible.
    Pan(TimeRange),
}

impl Brush {
    /// Whether a button or finger is down.
    pub(super) const fn is_pressed(&self) -> bool {
        !matches!(self.pointer, Pointer::Idle)
    }

    /// Whether time itself is being dragged.
    pub(super) const fn is_panning(&self) -> bool {
        matches!(self.pointer, Pointer::Dragging { drag: Drag::Pan(_), .. })
    }

    /// A button or a finger goes down. A second one while one is down means nothing.
    pub(super) fn press(&mut self, x: f64, press: Press, scene: &Scene) {
        if self.is_pressed() {
            return;
        }
        let drag = match (press.pans, scene.selection, hit(x, press.is_touch, scene)) {
            (true, ..) => Drag::Pan(scene.scale.range()),
            (false, Some(band), Hit::Edge(edge)) => {
                Drag::Resize { moving: edge.of(band), fixed: edge.other().of(band) }
            }
            (false, Some(band), Hit::Body) => Drag::Move(band),
            _ => Drag::New,
        };
        self.pointer = Pointer::Pressed { x, scale: scene.scale, drag };
    }

    /// The pointer moves.
    pub(super) fn drag_to(&mut self, to_x: f64) -> Vec<Outcome> {
        match self.pointer {
            Pointer::Idle => Vec::new(),
            Pointer::Pressed { x, .. } if (to_x - x).abs() < DRAG_PX => Vec::new(),
            Pointer::Pressed { x, scale, drag } => {
                let mut outcomes = self.drop_draft();
                self.pointer = Pointer::Dragging { x, scale, drag };
                outcomes.extend([Outcome::Freeze, preview(drag, x, to_x, &scale)]);
                outcomes
            }
            Pointer::Dragging { x, scale, drag } => vec![preview(drag, x, to_x, &scale)],
        }
    }

    /// The button or finger goes up.
    pub(super) fn release(&mut self, to_x: f64) -> Vec<Outcome> {
        match std::mem::take(&mut self.pointer) {
            Pointer::Idle => Vec::new(),
            Pointer::Pressed { x, scale, .. } => vec![Outcome::Click(scale.time_from_x(scale.clamp_x(x)))],
            Pointer::Dragging { x, scale, drag } => commit(drag, x, to_x, &scale),
        }
    }

    /// The drag is taken away: by the browser, by a second finger, by Escape. All is as it was before it.
    pub(super) fn cancel(&mut self) -> Vec<Outcome> {
        match std::mem::take(&mut self.pointer) {
            Pointer::Dragging { drag: Drag::Pan(before), .. } => vec![Outcome::Show(before)],
            Pointer::Dragging { .. } => vec![Outcome::Draft(None)],
            Pointer::Idle | Pointer::Pressed { .. } => Vec::new(),
        }
    }

    /// Two clicks in one place: into the band zooms to it, elsewhere goes back.
    pub(super) fn double_click(&mut self, x: f64, scene: &Scene) -> Vec<Outcome> {
        let mut outcomes = self.cancel();
        let at = scene.scale.time_from_x(x);
        let zoom = match scene.selection.filter(|band| band.contains(at)) {
            Some(band) => Outcome::Show(with_margin(band)),
            None => Outcome::ZoomBack,
        };
        outcomes.extend([Outcome::Unpin, zoom]);
        outcomes
    }
}

/// What is shown while the pointer is at `to_x`.
fn preview(drag: Drag, from_x: f64, to_x: f64, scale: &TimeScale) -> Outcome {
    match drag {
        Drag::Pan(before) => Outcome::Show(zoom::panned(before, from_x - to_x, scale)),
        _ => Outcome::Draft(Some(band_of(drag, from_x, to_x, scale))),
    }
}

/// The band that a drag gives.
fn band_of(drag: Drag, from_x: f64, to_x: f64, scale: &TimeScale) -> TimeRange {
    let moved = rounded((to_x - from_x) * scale.nanos_per_px(), scale);
    match drag {
        Drag::New => {
            let end = |x: f64| rounded_time(scale.time_from_x(scale.clamp_x(x)), scale);
            TimeRange::between(end(from_x), end(to_x))
        }
        Drag::Move(band) => {
            TimeRange { from: band.from.plus_nanos(moved), until: band.until.plus_nanos(moved) }
        }
        Drag::Resize { moving, fixed } => {
            let visible = scale.range();
            // Held within the plot only by the pointer: an edge that was outside may stay there.
            let (first, last) = (visible.from.min(moving), visible.until.max(moving));
            TimeRange::between(fixed, rounded_time(moving.plus_nanos(moved), scale).clamp(first, last))
        }
        Drag::Pan(before) => before,
    }
}

/// Rounded to whole seconds, or as much less as a screen can tell apart: an address is read by people.
fn rounded(nanos: f64, scale: &TimeScale) -> i64 {
    let grain = [1_000, 100, 10, 1].map(|ms| (ms * NANOS_PER_MS) as f64);
    let grain = grain.into_iter().find(|grain| *grain <= scale.nanos_per_px() / 2.0).unwrap_or(1.0);
    ((nanos / grain).round() * grain) as i64
}

fn rounded_time(at: Timestamp, scale: &TimeScale) -> Timestamp {
    // From the whole second on: an f64 cannot hold the nanoseconds of our century.
    let second = Timestamp::from_secs(at.as_secs());
    second.plus_nanos(rounded(at.nanos_since(second) as f64, scale))
}

/// What the end of a drag means. A band without any width is none, and leaves what was.
fn commit(drag: Drag, from_x: f64, to_x: f64, scale: &TimeScale) -> Vec<Outcome> {
    if let Drag::Pan(_) = drag {
        return vec![preview(drag, from_x, to_x, scale)];
    }
    let band = band_of(drag, from_x, to_x, scale);
    let result = match drag {
        _ if band.is_empty() => return vec![Outcome::Draft(None)],
        Drag::New => Outcome::Select(band),
        _ => Outcome::Adjust(band),
    };
    vec![Outcome::Draft(None), result]
}

/// What lies at `x`. A narrow band's edges are hit outside of it, so that its body can still be caught.
pub(super) fn hit(x: f64, is_touch: bool, scene: &Scene) -> Hit {
    let Some(band) = scene.selection else { return Hit::Plot };
    let (left, right) = (scene.scale.x_from_time(band.from), scene.scale.x_from_time(band.until));
    let reach = if is_touch { TOUCH_HIT_PX } else { HIT_PX };
    let is_narrow = right - left < NARROW_PX.max(reach * 2.0);
    let (start, end) = if is_narrow {
        (left - reach..left, right..right + reach)
    } else {
        (left - reach / 2.0..left + reach / 2.0, right - reach / 2.0..right + reach / 2.0)
    };
    if start.contains(&x) {
        Hit::Edge(Edge::Start)
    } else if end.contains(&x) {
        Hit::Edge(Edge::End)
    } else if (left..right).contains(&x) {
        Hit::Body
    } else {
        Hit::Plot
    }
}

#[cfg(test)]
mod tests;
