//! What the page knows and shows, and how it changes: `apply` takes a [`Command`] and is the only way.
//!
//! Pure: no clock, no network, no address bar. What the outside world tells arrives as a command like any click, and
//! each command answers how the address should follow.

mod board_name;
mod charts;
mod choice;
mod command;
mod complete;
mod course;
mod edit;
mod filters;
mod fresh;
mod metric_tree;
mod panels;
mod query;
mod tree;
mod typed;
mod wall;
mod why;
mod zoom;

pub use board_name::free_name;
pub use charts::ChartsState;
pub use command::{Address, Command};
pub use complete::{FunctionName, Meaning, Suggestion, Word, completed, functions_like, texts_like, word_at};
pub use course::{HEIGHT, bars, line, span_percent};
pub use edit::{EditStep, Editor};
pub use fresh::{join_counts, join_points, may_stand};
pub use metric_tree::{MetricRow, MetricTree};
pub use panels::TARGETS_PANEL;
pub use query::LogQuery;
pub use tree::{ComponentTree, Folds, MOST_CHOSEN, Pick, TreeNode, picked};
pub use typed::{TypedAgainst, TypedError, parse_typed_range};
pub use wall::{LastValue, MOST_PANELS, grid, verdict};
pub use why::WhyQuery;

use sonde_shared::api::{Components, PageInfo};
use sonde_shared::baseline::default_baseline;
use sonde_shared::dashboard::{Dashboard, Panel};
use sonde_shared::time::{NANOS_PER_SEC, TimeRange, Timestamp};
use sonde_shared::view::{BoardEdits, RangeSpec, Tab, ViewState};
use std::collections::BTreeMap;

/// The range of a page whose address and dashboard name none.
const DEFAULT_RANGE: RangeSpec = RangeSpec::last(3_600 * NANOS_PER_SEC);

/// The same for an address that was made for Graphite.
const GRAPHITES_RANGE: RangeSpec = RangeSpec::last(86_400 * NANOS_PER_SEC);

/// How far the browser's clock may be off the server's.
const CLOCK_TOLERANCE_NANOS: i64 = 2 * NANOS_PER_SEC;

/// The panel name under which the log histogram brushes; it keeps the components of the pane.
pub const HISTOGRAM: &str = "histogram";

/// All that the page knows.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a matter of its own")]
pub struct AppState {
    /// What the address says.
    pub view: ViewState,
    /// The instant that relative times are resolved against; stands still while paused.
    pub now: Timestamp,
    /// What the server said of itself.
    pub page: Option<PageInfo>,
    /// The panels.
    pub dashboard: Option<Dashboard>,
    /// Components and hosts with lines in the visible range; `None` until they are known.
    pub components: Option<Components>,
    /// Their names, for looking up.
    known: choice::Known,
    /// Whether the line of the address stands among others without its fields.
    pub is_folded: bool,
    /// Whether the lines are opened at their end: what is gone is looked at for its last words.
    pub reads_end: bool,
    /// The series of each panel.
    pub series: BTreeMap<String, Vec<String>>,
    /// What could not be read in the address.
    pub problems: Vec<String>,
    /// When live was paused in this session.
    pub paused_at: Option<Timestamp>,
    /// Whether a gesture holds the axis still.
    pub frozen: bool,
    /// The dashboard as it was edited; `None` while it is as it is saved.
    pub draft: Option<Dashboard>,
    /// The editor, while it is open.
    pub editor: Option<Editor>,
    /// The panel of the targets that the address names.
    targets_panel: Option<Panel>,
    /// The panel that a finding led to before it was known what it draws, and the finding's series.
    sought: Option<(String, String)>,
    follow: Option<RangeSpec>,
    zooms: Vec<RangeSpec>,
    zooming: bool,
    /// What was shown before time was dragged, while it is.
    before_pan: Option<zoom::Shown>,
    link_pending: bool,
    /// The latest point that was known of when the dashboard came.
    dashboard_point_ms: Option<i64>,
}

impl AppState {
    /// The visible range.
    pub fn range(&self) -> TimeRange {
        self.view.range.unwrap_or(DEFAULT_RANGE).resolve(self.now)
    }

    /// Whether the range is settled, so that asking for data makes sense.
    pub const fn is_ready(&self) -> bool {
        self.view.range.is_some()
    }

    /// Which lines the log pane shows.
    pub fn log_query(&self) -> LogQuery {
        LogQuery {
            components: self.view.components.clone(),
            host: self.view.host.clone(),
            level: self.view.level,
            contains: self.view.contains.clone(),
            is_regex: self.view.is_regex,
            pattern: self.view.pattern.clone(),
            fields: self.view.fields.clone(),
            range: self.lines_range(),
            order: self.view.order,
        }
    }

    /// When the lines of the pane are of: patterns are compared with the baseline's, so theirs are the selection's alone.
    fn lines_range(&self) -> TimeRange {
        let Some((selection, baseline)) = self.view.selection.zip(self.compared()) else {
            return self.range();
        };
        if !self.view.with_baseline || self.view.tab == Tab::Patterns {
            return selection;
        }
        let (from, until) = (selection.from.min(baseline.from), selection.until.max(baseline.until));
        TimeRange { from, until }
    }

    /// What the selection is compared with: the baseline, or the usual one; nothing without a selection.
    pub fn compared(&self) -> Option<TimeRange> {
        let selection = self.view.selection?;
        Some(self.view.baseline.unwrap_or_else(|| default_baseline(selection)))
    }

    /// The panel that fills the charts' place; an address may name one that is not there.
    pub fn maximized(&self) -> Option<&str> {
        self.view.maximized.as_deref().filter(|id| self.panel(id).is_some())
    }

    /// The view with fixed times: what is seen now, whenever it is looked at.
    pub fn frozen(&self) -> ViewState {
        let range = self.is_ready().then(|| RangeSpec::absolute(self.range()));
        ViewState { range, live: false, ..self.view.clone() }
    }

    /// Changes the state and says how the address follows.
    pub fn apply(&mut self, command: Command) -> Address {
        if command == Command::PanEnd {
            return self.end_pan();
        }
        let before = self.view.clone();
        let address = self.change(command);
        if self.view.selection.is_none() {
            self.view.baseline = None;
            self.view.with_baseline = false;
            self.view.near = None;
        }
        if self.view == before { Address::Keep } else { address }
    }

    fn change(&mut self, command: Command) -> Address {
        match command {
            Command::Navigate { .. }
            | Command::PageLoaded(_)
            | Command::DashboardLoaded(_)
            | Command::NoDashboard
            | Command::ComponentsLoaded(_)
            | Command::SeriesLoaded(..)
            | Command::Tick(_) => return self.learn(command),
            _ => self.reads_end = false,
        }
        match command {
            Command::Select(panel, range) => self.select(&panel, range),
            Command::Adjust(range) => self.adjust(range),
            Command::ClearSelection => self.view.selection = None,
            Command::SetBaseline(range) => self.view.baseline = range.filter(|range| !range.is_empty()),
            Command::Activate(panel) => self.activate(&panel),
            Command::Maximize(panel) => self.maximize(panel),
            Command::SetTargets(targets) => self.set_targets(targets),
            Command::Edit(step) => return self.step_edit(step),
            Command::Show(range) => {
                self.show(range);
                return Address::PushSoon;
            }
            Command::Pan(_) | Command::PanEnd | Command::PanUndo => return self.drag_time(command),
            Command::Rested => return self.rest(),
            Command::ZoomBack => self.zoom_back(),
            Command::Freeze(on) => self.freeze(on),
            Command::SetRange(spec) => self.set_range(spec),
            Command::OpenDashboard(name) => self.open_dashboard(name),
            Command::Choose(component) => self.choose(component.into_iter().collect()),
            Command::ChooseSome(components) => self.choose(components),
            Command::SetWall(on) => self.set_wall(on),
            Command::SetZone(zone) => self.view.zone = Some(zone),
            Command::OpenFinding(change, place) => self.open_finding(change, &place),
            Command::WithBaseline(on) => self.view.with_baseline = on,
            Command::ToggleLive => self.toggle_live(),
            Command::DismissProblems => self.problems.clear(),
            filter => return self.filter(filter),
        }
        Address::Push
    }

    /// What the outside world tells: it may complete the address, never add a history entry.
    fn learn(&mut self, command: Command) -> Address {
        match command {
            Command::Navigate { path, query, now } => {
                self.navigate(&path, &query, now);
                return Address::Keep;
            }
            Command::PageLoaded(page) => {
                self.correct_clock(Timestamp::from_millis(page.now_ms));
                self.page = Some(page);
                self.settle_dashboard();
            }
            Command::DashboardLoaded(dashboard) => self.take_dashboard(dashboard),
            Command::NoDashboard => self.settle_range(None),
            Command::ComponentsLoaded(components) => {
                self.know(components);
                self.link_if_pending();
            }
            Command::SeriesLoaded(panel, names) => self.know_series(panel, names),
            Command::Tick(now) if self.view.live && !self.frozen => self.now = now,
            _ => {}
        }
        Address::Replace
    }

    fn navigate(&mut self, path: &str, query: &str, now: Timestamp) {
        let (view, problems) = ViewState::from_url(path, query, now);
        let former = std::mem::replace(&mut self.view, view);
        self.take_targets();
        self.settle_dashboard();
        if self.view.dashboard != former.dashboard {
            self.editor = None;
            self.dashboard = None;
            self.series.clear();
        }
        self.problems = problems;
        self.is_folded = false;
        self.reads_end = false;
        self.sought = None;
        self.forget_missing_panels();
        self.take_edits();
        self.now = now;
        self.paused_at = None;
        self.link_pending = false;
        if self.view.selection.is_some() || self.view.range.is_some_and(|range| !range.is_relative()) {
            self.view.live = false;
        }
        if self.dashboard.is_some() {
            self.settle_range(None);
        } else if self.view.dashboard.is_none() && self.targets_panel.is_some() {
            self.settle_range(Some(GRAPHITES_RANGE));
        }
    }

    /// An address without a dashboard opens the first there is, unless it names targets.
    fn settle_dashboard(&mut self) {
        if self.view.dashboard.is_none() && self.targets_panel.is_none() {
            let first = self.page.as_ref().and_then(|page| page.dashboards.first());
            self.view.dashboard = first.map(|board| board.name.clone());
        }
    }

    /// A browser whose clock is wrong would show another hour than its neighbour.
    fn correct_clock(&mut self, server_now: Timestamp) {
        let is_off = server_now.nanos_since(self.now).abs() > CLOCK_TOLERANCE_NANOS;
        let moves = self.view.range.is_none_or(RangeSpec::is_relative);
        if is_off && moves && !self.frozen {
            self.now = server_now;
        }
    }

    fn take_dashboard(&mut self, dashboard: Dashboard) {
        let dashboard = dashboard.with_ids();
        let range = dashboard.range.as_deref().and_then(|text| RangeSpec::parse(text, self.now).ok());
        let is_first = self.dashboard.replace(dashboard).is_none();
        // What goes later is not the address' fault: somebody took it away.
        if is_first {
            self.forget_missing_panels();
        }
        self.take_edits();
        self.dashboard_point_ms = self.last_point_ms();
        self.settle_range(range);
    }

    /// Fills in the range that the address left open. A bare address follows the clock.
    fn settle_range(&mut self, wanted: Option<RangeSpec>) {
        if self.view.range.is_some() {
            return;
        }
        let range = match self.view.selection {
            Some(selection) => RangeSpec::absolute(widened(selection, 2)),
            None => wanted.unwrap_or(DEFAULT_RANGE),
        };
        self.view.range = Some(range);
        self.view.live = self.view.selection.is_none() && range.is_relative();
    }

    fn select(&mut self, panel: &str, range: TimeRange) {
        if range.is_empty() {
            return;
        }
        self.pause();
        self.view.selection = Some(range);
        self.view.line = None;
        self.view.with_baseline = false;
        self.view.near = None;
        if panel != HISTOGRAM {
            self.activate(panel);
        }
    }

    fn adjust(&mut self, range: TimeRange) {
        if !range.is_empty() {
            self.pause();
            self.view.selection = Some(range);
            self.view.line = None;
        }
    }

    fn set_range(&mut self, spec: RangeSpec) {
        self.remember_zoom();
        if spec.is_relative() {
            self.view.selection = None;
        }
        self.put_range(spec);
    }

    /// Shows a range; a relative one follows the clock, unless a selection holds the view.
    fn put_range(&mut self, spec: RangeSpec) {
        if spec.is_relative() && self.view.selection.is_none() {
            self.view.range = Some(spec);
            self.view.live = true;
            self.paused_at = None;
        } else {
            self.pause();
            self.view.range = Some(RangeSpec::absolute(spec.resolve(self.now)));
        }
    }

    fn toggle_live(&mut self) {
        if self.view.live {
            self.pause();
            return;
        }
        let length = self.range().nanos();
        self.view.range = Some(self.follow.unwrap_or(RangeSpec::last(length)));
        self.view.live = true;
        self.view.selection = None;
        self.view.line = None;
        self.paused_at = None;
    }

    /// Shows charts alone, as a wall does; what is entered by hand follows the clock.
    fn set_wall(&mut self, on: bool) {
        self.view.wall = on;
        if on && !self.view.live {
            self.toggle_live();
        }
    }

    /// Who looks at one panel alone works with it.
    fn maximize(&mut self, panel: Option<String>) {
        if let Some(panel) = &panel {
            self.activate(panel);
        }
        self.view.maximized = panel;
    }

    /// Stops following and fixes the range, so that the address stays true.
    fn pause(&mut self) {
        let range = self.range();
        if let Some(spec) = self.view.range.filter(|spec| spec.is_relative()) {
            self.follow = Some(spec);
        }
        if self.view.live {
            self.paused_at = Some(self.now);
        }
        self.view.live = false;
        self.view.range = Some(RangeSpec::absolute(range));
    }

    fn open_dashboard(&mut self, name: String) {
        if self.view.dashboard.as_ref() == Some(&name) {
            return;
        }
        self.view.dashboard = Some(name);
        self.view.panel = None;
        self.view.maximized = None;
        self.view.edits = BoardEdits::default();
        self.draft = None;
        self.editor = None;
        self.dashboard = None;
        self.series.clear();
    }
}

/// The range with `times` its length added on either side, within what can be told.
fn widened(range: TimeRange, times: i64) -> TimeRange {
    let margin = range.nanos().saturating_mul(times) / if times == 1 { 2 } else { 1 };
    TimeRange { from: range.from.plus_nanos(-margin), until: range.until.plus_nanos(margin) }
}

#[cfg(test)]
mod tests;
