//! What may happen to the state, and how the address follows.

use super::EditStep;
use sonde_shared::api::{Components, PageInfo};
use sonde_shared::dashboard::Dashboard;
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};
use sonde_shared::view::{FieldFilter, Order, PatternSort, RangeSpec, Tab, Zone};
use sonde_shared::why::{Change, Place};

/// What the operator, the clock, the server or the address bar wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// The address changed under the page: first load, back, forward.
    Navigate {
        /// The path, `/d/NAME`.
        path: String,
        /// The query without its `?`.
        query: String,
        /// The time it is read at.
        now: Timestamp,
    },
    /// The server introduced itself.
    PageLoaded(PageInfo),
    /// A dashboard arrived.
    DashboardLoaded(Dashboard),
    /// There is no dashboard to show: none exists, or it could not be loaded.
    NoDashboard,
    /// The components with lines in the visible range.
    ComponentsLoaded(Components),
    /// The names of the series that a panel's targets mean.
    SeriesLoaded(String, Vec<String>),
    /// The clock moved on.
    Tick(Timestamp),
    /// A new band was brushed on a panel.
    Select(String, TimeRange),
    /// The band was moved or resized.
    Adjust(TimeRange),
    /// The selection was undone, and with it what it is compared with.
    ClearSelection,
    /// What the selection is compared with was marked; `None` undoes that.
    SetBaseline(Option<TimeRange>),
    /// A panel was clicked.
    Activate(String),
    /// A panel is to fill the charts' place; `None` shows all of them again.
    Maximize(Option<String>),
    /// A step of editing the dashboard.
    Edit(EditStep),
    /// Other targets for the address' own panel; none takes it away.
    SetTargets(Vec<String>),
    /// Zoomed to a range.
    Show(TimeRange),
    /// Time is being dragged to a range.
    Pan(TimeRange),
    /// Time was dragged to where it is.
    PanEnd,
    /// The drag of time was taken away.
    PanUndo,
    /// The burst of zooming or panning is over: the next one is taken back by itself.
    Rested,
    /// Back to the range before the last zoom.
    ZoomBack,
    /// A gesture began (true) or ended: the clock does not move the axis meanwhile.
    Freeze(bool),
    /// A range was picked or typed.
    SetRange(RangeSpec),
    /// Another dashboard was picked.
    OpenDashboard(String),
    /// A component was chosen by hand; `None` undoes the choice.
    Choose(Option<String>),
    /// Several components were chosen by hand; none of them undoes the choice.
    ChooseSome(Vec<String>),
    /// The host filter.
    SetHost(Option<String>),
    /// The level filter.
    SetLevel(Option<Level>),
    /// The text filter, also while it is typed.
    SetContains(String),
    /// Whether the text filter is a regular expression.
    SetRegex(bool),
    /// The filter by pattern.
    SetPattern(Option<String>),
    /// The filters by fields' values.
    SetFields(Vec<FieldFilter>),
    /// A value was clicked: only lines with it, or without it.
    Narrow(FieldFilter),
    /// The same of a value that the open line has: where it is left out, the line is too.
    NarrowByLine(FieldFilter),
    /// A pattern was clicked that only the baseline has: its lines of then.
    ShowGone(String),
    /// A filter by a value was taken away.
    Widen(FieldFilter),
    /// All filters but the components are taken away.
    ClearFilters,
    /// All lines around one, whatever component and filters.
    ShowContext(String),
    /// The fields that have columns of their own.
    SetColumns(Vec<String>),
    /// What the log pane shows.
    SetTab(Tab),
    /// The order of the patterns.
    SetSort(PatternSort),
    /// The values of a pattern's variable parts are to be listed, or no longer.
    ListValues(Option<String>),
    /// The order of lines.
    SetOrder(Order),
    /// Charts alone, for a screen on the wall; or the whole page again.
    SetWall(bool),
    /// The zone that times are shown in.
    SetZone(Zone),
    /// A line was expanded, or closed.
    PinLine(Option<String>),
    /// The line that the address names is not among those shown.
    LineMissing(String),
    /// A finding was clicked: how what it is of differs, and where that is.
    OpenFinding(Change, Box<Place>),
    /// Whether the pane shows the lines of the baseline beside those of the selection.
    WithBaseline(bool),
    /// Follow the clock, or stop.
    ToggleLive,
    /// The note about the address was read.
    DismissProblems,
}

/// How the address follows a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// It stays as it is.
    Keep,
    /// A new history entry.
    Push,
    /// A new history entry once the burst is over.
    PushSoon,
    /// The current entry changes.
    Replace,
    /// The current entry changes once the burst is over.
    ReplaceSoon,
    /// The burst is over: what waits is written, as the address is by now.
    Settle,
}
