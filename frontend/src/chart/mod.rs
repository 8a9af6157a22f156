//! Charts in the page: a canvas per panel, one brush and one crosshair over all of them.
//!
//! A chart knows neither the address nor the network. It is given signals, and tells what the operator meant by
//! a [`Gesture`].

mod axis;
mod brush;
mod canvas;
mod crosshair;
mod legend;
mod model;
mod overlay;
mod readings;
mod size;
mod slots;
mod surface;
mod tail;
mod theme;
mod view;

pub use axis::TimeAxis;
pub use brush::with_margin;
pub use canvas::{Canvas, CanvasBackend, paint};
pub use model::Means;
pub use readings::LineCount;
pub use tail::unfinished;
pub use theme::{page_theme, read_theme};
pub use view::{Chart, LogHistogram};

use leptos::prelude::*;
use sonde_shared::api::Event;
use sonde_shared::chart::theme::Theme;
use sonde_shared::chart::ticks::format_instant;
use sonde_shared::time::{TimeRange, Timestamp, ZoneClock};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the operator meant by pointer, touch or keys on a chart.
#[derive(Clone, Debug, PartialEq)]
pub enum Gesture {
    /// A new band was brushed on the panel.
    Select {
        /// The panel's id, or `histogram`.
        panel: String,
        /// The band.
        range: TimeRange,
    },
    /// The existing band was moved or resized; the component stays.
    Adjust(TimeRange),
    /// What the selection is compared with was marked.
    Baseline(TimeRange),
    /// The panel was clicked.
    Activate(String),
    /// Show this range (wheel, keys, double click in the band). While the wheel turns it comes up to once a frame, so that
    /// all charts follow; the address is written when it rests.
    Show(TimeRange),
    /// Show this range while time is dragged, by a mouse or two fingers; the address is written at the end.
    Pan(TimeRange),
    /// Time was dragged to where it is.
    PanEnd,
    /// The drag was taken away: all is as it was before it.
    PanUndo,
    /// Go back one zoom (double click outside the band).
    ZoomBack,
    /// Something is pressed, or a crosshair pinned: freeze the axis while live.
    Freeze,
}

/// The instant under the pointer, and who says so: nobody answers its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Hover {
    /// The panel's id, `histogram` or `log`.
    pub source: String,
    /// The instant.
    pub at: Timestamp,
}

/// What all charts of a page share. `Copy`: each field is a signal.
#[derive(Clone, Copy)]
pub struct ChartContext {
    /// The visible range.
    pub range: Signal<TimeRange>,
    /// The committed selection.
    pub selection: Signal<Option<TimeRange>>,
    /// What the selection is compared with, where that was marked.
    pub baseline: Signal<Option<TimeRange>>,
    /// The band while it is being dragged, shown on every chart.
    pub draft: RwSignal<Option<TimeRange>>,
    /// Whether that is the baseline's.
    pub drafts_baseline: RwSignal<bool>,
    /// Whether the next band is the baseline.
    pub armed: RwSignal<bool>,
    /// Whether edges snap to ticks and events.
    pub snaps: RwSignal<bool>,
    /// Whether a button or a finger is down on a chart.
    pub held: RwSignal<bool>,
    /// Rises when what is being dragged is to be dropped.
    pub drop_drag: RwSignal<u32>,
    /// The fingers on the charts.
    pub(crate) pinch: StoredValue<brush::Pinch>,
    /// Notes on the time axis.
    pub events: Signal<Arc<Vec<Event>>>,
    /// The instant under the pointer.
    pub hover: RwSignal<Option<Hover>>,
    /// The pinned crosshair.
    pub pinned: RwSignal<Option<Timestamp>>,
    /// The whole name of the series that the pointer or the focus is on: in each chart that has it the others stand back.
    pub looked_at: RwSignal<Option<String>>,
    /// Which series of which panel has which colour.
    pub(crate) slots: StoredValue<BTreeMap<String, slots::Slots>>,
    /// The active panel.
    pub active: Signal<Option<String>>,
    /// Whether one panel's chart fills the charts' place: a plain wheel zooms it.
    pub is_alone: Signal<bool>,
    /// The clock of the zone that times are shown in.
    pub zone: Signal<ZoneClock<'static>>,
    /// How many lines of the current selector lie in a range, from the histogram already loaded.
    pub count_lines: Callback<TimeRange, Option<LineCount>>,
    /// Whose lines those are, where a new band on the panel would choose others.
    pub counted_instead: Callback<String, Option<String>>,
    /// Where gestures go.
    pub on_gesture: Callback<Gesture>,
    /// The colours.
    pub theme: Memo<Theme>,
}

impl ChartContext {
    /// The next band is the baseline; nothing to compare means that there is none to mark.
    pub fn arm(self, on: bool) {
        self.armed.set(on && self.selection.with_untracked(Option::is_some));
    }

    /// An instant as it is written beside the charts.
    fn instant(self, at: Timestamp, nanos_per_px: f64) -> String {
        format_instant(at, self.zone.get(), self.range.get(), nanos_per_px)
    }
}
