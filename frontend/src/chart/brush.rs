//! The brush: what pointer and keys on a chart mean. Pure: values in, values out.
//!
//! A press becomes a drag after 4 px. What is dragged is decided where it was pressed: an edge of the band resizes it
//! and may cross the other, its body moves it, and so it is with the baseline's; any other place makes a new band; with shift or the middle button the
//! time moves instead. Times, not pixels, are kept, and the scale of the press holds until its end, so that a chart
//! that moves on under the pointer changes nothing.

use sonde_shared::chart::scale::{TimeScale, readable, readable_end};
use sonde_shared::time::{TimeRange, Timestamp, ZoneClock};

mod keys;
mod pinch;
mod snap;
mod zoom;

pub(super) use keys::{Key, Modifiers};
pub(super) use pinch::Pinch;
pub(super) use snap::{Stops, most_ticks};
pub(super) use zoom::Wheel;
pub use zoom::with_margin;

/// A drag starts after so many pixels.
const DRAG_PX: f64 = 4.0;
/// How wide an edge's hit area is.
const HIT_PX: f64 = 8.0;
/// The same for fingers.
const TOUCH_HIT_PX: f64 = 24.0;
/// Bands narrower than this have their grips outside.
pub(super) const NARROW_PX: f64 = 16.0;
/// The same for fingers.
pub(super) const TOUCH_NARROW_PX: f64 = TOUCH_HIT_PX * 2.0;

/// What there is on the chart when something happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    /// Where times lie.
    pub(super) scale: TimeScale,
    /// The committed selection.
    pub(super) selection: Option<TimeRange>,
    /// What it is compared with, where that was marked.
    pub(super) baseline: Option<TimeRange>,
    /// Whether the next band is the baseline.
    pub(super) is_armed: bool,
    /// The clock by which ticks stand, for moving from one to the next.
    pub(super) zone: ZoneClock<'static>,
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
    /// The baseline was marked.
    Baseline(TimeRange),
    /// The chart was clicked: make it active and pin the crosshair here.
    Click(Timestamp),
    /// The pinned crosshair is to go.
    Unpin,
    /// Show this range.
    Show(TimeRange),
    /// Show this range while time is dragged.
    Pan(TimeRange),
    /// Time was dragged to where it is now.
    PanEnd,
    /// Time goes back to where it was before it was dragged.
    PanUndo,
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
    /// The start or the end of a band.
    Edge(Edge),
    /// A band between its edges.
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
    /// Being dragged, to `to_x` so far.
    Dragging { x: f64, to_x: f64, scale: TimeScale, drag: Drag },
}

/// What a drag does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Drag {
    /// Makes a band from the place of the press.
    New,
    /// Marks the baseline in the same way.
    Baseline,
    /// Moves a band, which was here.
    Move { band: TimeRange, of: Of },
    /// Moves one end of a band, which was at `moving`; the other stays.
    Resize { moving: Timestamp, fixed: Timestamp, of: Of },
    /// Moves the time, of which this was visible.
    Pan(TimeRange),
}

/// Whose band is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Selection,
    Baseline,
}

impl Drag {
    /// What is dragged from here.
    fn of(x: f64, press: Press, scene: &Scene) -> Self {
        let change = |(band, hit, of): (TimeRange, Hit, Of)| match hit {
            Hit::Edge(edge) => Self::Resize { moving: edge.of(band), fixed: edge.other().of(band), of },
            Hit::Body | Hit::Plot => Self::Move { band, of },
        };
        if press.pans {
            Self::Pan(scene.scale.range())
        } else if scene.is_armed {
            Self::Baseline
        } else {
            band_at(x, press.is_touch, scene).map_or(Self::New, change)
        }
    }

    const fn marks_baseline(self) -> bool {
        matches!(
            self,
            Self::Baseline | Self::Move { of: Of::Baseline, .. } | Self::Resize { of: Of::Baseline, .. }
        )
    }
}

impl Brush {
    /// Whether a button or finger is down.
    pub(super) const fn is_pressed(&self) -> bool {
        !matches!(self.pointer, Pointer::Idle)
    }

    /// Whether what is being dragged, by pointer or keys, is a new band.
    pub(super) const fn makes_band(&self) -> bool {
        matches!(self.pointer, Pointer::Dragging { drag: Drag::New, .. }) || self.keyboard.makes_band()
    }

    /// Whether what is being dragged is what the selection is compared with.
    pub(super) const fn marks_baseline(&self, is_armed: bool) -> bool {
        match self.pointer {
            Pointer::Dragging { drag, .. } => drag.marks_baseline(),
            Pointer::Idle | Pointer::Pressed { .. } => is_armed && self.keyboard.makes_band(),
        }
    }

    /// Whether time itself is being dragged.
    pub(super) const fn is_panning(&self) -> bool {
        matches!(self.pointer, Pointer::Dragging { drag: Drag::Pan(_), .. })
    }

    /// A button or a finger goes down. A second one while one is down means nothing.
    pub(super) fn press(&mut self, x: f64, press: Press, scene: &Scene) {
        if !self.is_pressed() {
            self.pointer = Pointer::Pressed { x, scale: scene.scale, drag: Drag::of(x, press, scene) };
        }
    }

    /// The pointer moves.
    pub(super) fn drag_to(&mut self, to_x: f64, stops: &Stops) -> Vec<Outcome> {
        match self.pointer {
            Pointer::Idle => Vec::new(),
            Pointer::Pressed { x, .. } if (to_x - x).abs() < DRAG_PX => Vec::new(),
            Pointer::Pressed { x, scale, drag } => {
                let mut outcomes = self.drop_draft();
                self.pointer = Pointer::Dragging { x, to_x, scale, drag };
                outcomes.extend([Outcome::Freeze, preview(drag, x, to_x, &scale, stops)]);
                outcomes
            }
            Pointer::Dragging { x, scale, drag, .. } => {
                self.pointer = Pointer::Dragging { x, to_x, scale, drag };
                vec![preview(drag, x, to_x, &scale, stops)]
            }
        }
    }

    /// Snapping was switched on or off: what is being dragged shows it at once.
    pub(super) fn snap_again(&mut self, stops: &Stops) -> Vec<Outcome> {
        match self.pointer {
            Pointer::Dragging { to_x, .. } => self.drag_to(to_x, stops),
            Pointer::Idle | Pointer::Pressed { .. } => Vec::new(),
        }
    }

    /// The button or finger goes up.
    pub(super) fn release(&mut self, to_x: f64, stops: &Stops) -> Vec<Outcome> {
        match std::mem::take(&mut self.pointer) {
            Pointer::Idle => Vec::new(),
            Pointer::Pressed { x, scale, .. } => vec![Outcome::Click(scale.time_from_x(scale.clamp_x(x)))],
            Pointer::Dragging { x, scale, drag, .. } => commit(drag, x, to_x, &scale, stops),
        }
    }

    /// The drag is taken away: by the browser, by a second finger, by Escape. All is as it was before it.
    pub(super) fn cancel(&mut self) -> Vec<Outcome> {
        match std::mem::take(&mut self.pointer) {
            Pointer::Dragging { drag: Drag::Pan(_), .. } => vec![Outcome::PanUndo],
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
fn preview(drag: Drag, from_x: f64, to_x: f64, scale: &TimeScale, stops: &Stops) -> Outcome {
    match drag {
        Drag::Pan(before) => Outcome::Pan(zoom::panned(before, from_x - to_x, scale)),
        _ => Outcome::Draft(Some(band_of(drag, from_x, to_x, scale, stops))),
    }
}

/// The band that a drag gives.
fn band_of(drag: Drag, from_x: f64, to_x: f64, scale: &TimeScale, stops: &Stops) -> TimeRange {
    let moved = (to_x - from_x) * scale.nanos_per_px();
    match drag {
        Drag::New | Drag::Baseline => {
            let time = |x: f64| scale.time_from_x(scale.clamp_x(x));
            let (from, to) = (stops.place(time(from_x), scale), stops.place(time(to_x), scale));
            // Two ends at one stop would be a band without any width.
            let to = if from == to { snap::rounded_time(time(to_x), scale) } else { to };
            readable(TimeRange::between(from, to))
        }
        Drag::Move { band, .. } => stops.place_band(band, moved, scale),
        Drag::Resize { moving, fixed, .. } => {
            let visible = scale.range();
            // Held within the plot only by the pointer: an edge that was outside may stay there.
            let (first, last) = (visible.from.min(moving), visible.until.max(moving));
            let moved = stops.place(moving.plus_nanos(moved.round() as i64), scale);
            TimeRange::between(fixed, readable_end(moved.clamp(first, last), fixed))
        }
        Drag::Pan(before) => before,
    }
}

/// What the end of a drag means. A band without any width is none, and leaves what was.
fn commit(drag: Drag, from_x: f64, to_x: f64, scale: &TimeScale, stops: &Stops) -> Vec<Outcome> {
    if let Drag::Pan(_) = drag {
        return vec![preview(drag, from_x, to_x, scale, stops), Outcome::PanEnd];
    }
    let band = band_of(drag, from_x, to_x, scale, stops);
    let result = match drag {
        _ if band.is_empty() => return vec![Outcome::Draft(None)],
        Drag::New => Outcome::Select(band),
        _ if drag.marks_baseline() => Outcome::Baseline(band),
        _ => Outcome::Adjust(band),
    };
    vec![Outcome::Draft(None), result]
}

/// What lies at `x`.
pub(super) fn hit(x: f64, is_touch: bool, scene: &Scene) -> Hit {
    band_at(x, is_touch, scene).map_or(Hit::Plot, |(_, hit, _)| hit)
}

/// The band that is hit at `x`, where, and whose it is: the selection before what it is compared with.
fn band_at(x: f64, is_touch: bool, scene: &Scene) -> Option<(TimeRange, Hit, Of)> {
    let bands = [(scene.selection, Of::Selection), (scene.baseline, Of::Baseline)];
    let hits = |(band, of): (Option<TimeRange>, Of)| {
        let band = band?;
        let hit = hit_of(band, x, is_touch, &scene.scale);
        (hit != Hit::Plot).then_some((band, hit, of))
    };
    bands.into_iter().find_map(hits)
}

/// A narrow band's edges are hit outside of it, so that its body can still be caught.
fn hit_of(band: TimeRange, x: f64, is_touch: bool, scale: &TimeScale) -> Hit {
    let (left, right) = (scale.x_from_time(band.from), scale.x_from_time(band.until));
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
