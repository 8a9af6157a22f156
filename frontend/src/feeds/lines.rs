//! The lines of the log pane: windows of rows by position, asked for as the reader comes near them.
//!
//! Each query is a *run* with a number. A new run gives up the requests of the former; until its first row lands the
//! former rows stay, dimmed, for a moment. A live run is different: it fetches the newest rows whole and swaps them in.

mod arrive;
mod indexed;
mod instant;
mod jump;
mod newest;
mod place;

use crate::api::client::{self, AnswerHead, LineRequest, Start};
use crate::api::{Abort, ApiError};
use crate::boxed::{effect, memo};
use crate::feeds::phase::Phase;
use crate::lines::{Cache, Find, Kept, Mark, Position, Row, Total, WINDOW_ROWS, silence_nanos};
use crate::rest::Rest;
use crate::session::Session;
use crate::state::LogQuery;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// How long the rows of the former query stay without a row of the new one.
const DIMMED: Duration = Duration::from_millis(150);
/// How long the reader must rest on rows before they are asked for, so that dragging the scrollbar asks for little.
const REST: Duration = Duration::from_millis(40);

/// How long the visible range must rest before its lines are asked for.
const TURN: Duration = Duration::from_millis(100);

#[derive(Default)]
struct Run {
    number: u64,
    query: Option<LogQuery>,
    landed: bool,
    /// Whether it follows the clock.
    live: bool,
    /// Windows under way.
    windows: BTreeMap<u64, Abort>,
    /// The count, or the newest rows, under way.
    other: Option<Abort>,
    /// What came while the newest rows are under way; `None` while they are not.
    pending: Option<Vec<Row>>,
    /// What the rows on show are the answer of while the newest ones, that are to take their place, are under way.
    shown: Option<LogQuery>,
}

/// The lines as signals.
#[derive(Clone, Copy)]
pub struct LineFeed {
    session: Session,
    cache: StoredValue<Cache, LocalStorage>,
    run: StoredValue<Run, LocalStorage>,
    wanted: StoredValue<Option<Range<u64>>, LocalStorage>,
    /// What stays in sight when marks come.
    kept: StoredValue<Kept>,
    search: StoredValue<Option<Abort>, LocalStorage>,
    /// Asks where the line nearest to an instant is.
    seeking: StoredValue<Option<Abort>, LocalStorage>,
    sought: StoredValue<bool>,
    turn: Rest,
    /// Waits to look whether more lines are indexed, and the request that looks.
    again: Rest,
    look: StoredValue<Option<Abort>, LocalStorage>,
    /// The line to which the reader is led back when the same query has more lines.
    back_to: StoredValue<Option<String>>,
    /// The line of the address that was seen last.
    seen_line: StoredValue<Option<String>>,
    /// How far below the pane's upper edge the line is to stand that the reader is led to next.
    kept_px: StoredValue<Option<f64>>,
    /// Rises when rows came.
    pub revision: RwSignal<u32>,
    /// How many lines there are.
    pub total: RwSignal<Total>,
    /// What is going on.
    pub phase: RwSignal<Phase>,
    /// Whether the rows on show are those of the former query.
    pub dimmed: RwSignal<bool>,
    /// Whether newer lines wait because the reader is elsewhere.
    pub held: RwSignal<bool>,
    /// How many do; `None` where some came uncounted.
    pub newer: RwSignal<Option<u64>>,
    quiet: Rest,
    /// Where the reader is.
    pub position: RwSignal<Position>,
    /// The height of a row.
    pub row_px: RwSignal<f64>,
    /// The height of the list.
    pub viewport_px: RwSignal<f64>,
    /// The expanded row and the height of its fields.
    pub expanded: RwSignal<Option<(u64, f64)>>,
    /// The marks above rows, as far as rows are at hand.
    pub marks: Memo<Arc<BTreeMap<u64, Mark>>>,
    /// By how much rows on show are higher because their text is wrapped.
    pub wrapped: RwSignal<Arc<BTreeMap<u64, f64>>>,
    /// The row that keys act on.
    pub cursor: RwSignal<Option<u64>>,
    /// The text that is looked for while it is no filter.
    pub sought_text: RwSignal<Option<Find>>,
    /// What is said for a moment: what a jump has found, why lines are not shown.
    pub said: RwSignal<Option<&'static str>>,
}

pub use jump::Sought;

impl LineFeed {
    /// Starts following the session's query.
    pub fn start(session: Session) -> Self {
        let cache = StoredValue::new_local(Cache::default());
        let (revision, total) = (RwSignal::new(0), RwSignal::new(Total::Unknown));
        let feed = Self {
            session,
            cache,
            run: StoredValue::new_local(Run::default()),
            wanted: StoredValue::new_local(None),
            kept: StoredValue::new(Kept::Nothing),
            search: StoredValue::new_local(None),
            seeking: StoredValue::new_local(None),
            sought: StoredValue::new(false),
            turn: Rest::new(),
            again: Rest::new(),
            look: StoredValue::new_local(None),
            back_to: StoredValue::new(None),
            seen_line: StoredValue::new(None),
            kept_px: StoredValue::new(None),
            revision,
            total,
            phase: RwSignal::new(Phase::Loading),
            dimmed: RwSignal::new(true),
            held: RwSignal::new(false),
            newer: RwSignal::new(Some(0)),
            quiet: Rest::new(),
            position: RwSignal::new(Position::default()),
            row_px: RwSignal::new(20.0),
            viewport_px: RwSignal::new(0.0),
            expanded: RwSignal::new(None),
            wrapped: RwSignal::new(Arc::default()),
            cursor: RwSignal::new(None),
            sought_text: RwSignal::new(None),
            said: RwSignal::new(None),
            marks: memo(move || {
                revision.track();
                let range = session.query.with_untracked(|query| query.range.nanos());
                let (silence, zone) = (silence_nanos(range, total.get().rows()), session.zone.get());
                cache.with_value(|rows| {
                    Arc::new(rows.marks(|before, at| Mark::between(before, at, silence, zone)))
                })
            }),
        };
        // Before the first query, too, a moment passes before anything is shown as missing.
        set_timeout(move || feed.clear_if_waiting(0), DIMMED);
        let live = session.part(|state| state.view.live);
        effect(move || {
            // Who pauses asks for what was shown last, and sees no more of it go and come.
            live.track();
            if session.ready.get() {
                feed.follow(session.query.get());
            }
        });
        feed.keep_place();
        effect(move || {
            if feed.held.get() && feed.is_at_newest() {
                feed.open(session.query.get_untracked());
            }
        });
        feed
    }

    /// The row at a position, if it is at hand.
    pub fn row(self, index: u64) -> Option<Arc<Row>> {
        self.cache.with_value(|cache| cache.row(index))
    }

    /// What the pane is doing, in a word: it waits for as long as a row in sight is yet to come.
    pub fn state(self) -> &'static str {
        match self.phase.get() {
            Phase::Done if self.awaits_rows() => Phase::Loading.name(),
            phase => phase.name(),
        }
    }

    fn awaits_rows(self) -> bool {
        self.revision.track();
        let mut shown = self.extent().visible(self.position.get());
        self.cache.with_value(|cache| shown.any(|index| cache.row(index).is_none()))
    }

    /// Makes sure that these rows are at hand, once the reader rests on them.
    pub fn want(self, rows: Range<u64>) {
        let waiting = self.wanted.try_update_value(|wanted| wanted.replace(rows)).flatten().is_some();
        if !waiting {
            set_timeout(move || self.ask_wanted(), REST);
        }
    }

    fn want_shown(self) {
        let shown = untrack(|| self.extent().visible(self.position.get()));
        self.want(shown);
    }

    /// Gives up what is under way; what came stays.
    pub fn stop(self) {
        self.run.update_value(|run| {
            run.windows.clear();
            run.other = None;
        });
        self.settle();
        if self.phase.with_untracked(|phase| *phase == Phase::Done) {
            self.phase.set(Phase::Stopped);
        }
    }

    /// Asks again after a failure.
    pub fn retry(self) {
        if self.run.with_value(|run| run.landed) {
            self.phase.set(Phase::Streaming);
            self.want_shown();
        } else {
            self.open(self.session.query.get_untracked());
        }
    }

    fn follow(self, query: LogQuery) {
        let live = self.session.view.with_untracked(|view| view.live);
        let only_newer =
            self.run.with_value(|run| run.query.as_ref().is_some_and(|former| former.same_filters(&query)));
        let was_live = self.run.with_value(|run| run.live);
        if live && was_live && only_newer && self.is_fed(&query) {
            return;
        }
        if live && was_live && only_newer && !untrack(|| self.is_at_newest()) {
            self.held.set(true);
            return;
        }
        if self.run.with_value(|run| run.query.as_ref() == Some(&query)) {
            self.run.update_value(|run| run.live = live);
            self.stay();
            return;
        }
        let selected = self.session.selection.get_untracked().is_some();
        if only_newer && !live && was_live && !selected && self.has_hardly_moved(&query) {
            self.pause(query);
        } else if only_newer && !live && !selected {
            // Zoom and pan change the range once a frame: ask when they rest.
            self.phase.set(Phase::Loading);
            self.dimmed.set(true);
            self.turn.after(TURN, move || self.open(query));
        } else {
            self.open(query);
        }
    }

    /// The range came back before its turn: what is on show is what is wanted.
    fn stay(self) {
        self.turn.stop();
        if self.run.with_value(|run| run.landed) {
            self.dimmed.set(false);
            self.settle();
        }
    }

    fn open(self, query: LogQuery) {
        let at_newest = self.session.now_part(|state| state.view.live || state.reads_end);
        self.open_at(query, at_newest);
    }

    /// Opens a run at its first rows, or at its newest.
    fn open_at(self, query: LogQuery, at_newest: bool) {
        self.turn.stop();
        let live = self.session.view.with_untracked(|view| view.live);
        let mut number = 0;
        let mut only_newer = false;
        self.run.update_value(|run| {
            number = run.number + 1;
            only_newer = run.query.as_ref().is_some_and(|former| former.same_filters(&query));
            let shown = if run.landed { run.query.take() } else { run.shown.take() };
            let shown = shown.filter(|_| live && run.live && only_newer);
            *run = Run { number, live, query: Some(query.clone()), shown, ..Run::default() };
        });
        self.search.set_value(None);
        self.back_to.set_value(None);
        self.sought.set_value(false);
        self.held.set(false);
        self.newer.set(Some(0));
        if at_newest {
            self.ask_newest(number, query);
        } else {
            self.ask_window(number, 0);
            if query.reads_text() {
                self.ask_count(number, query);
            }
        }
        if !(at_newest && only_newer) {
            self.hush();
            self.phase.set(Phase::Loading);
            self.dimmed.set(true);
            set_timeout(move || self.clear_if_waiting(number), DIMMED);
        }
    }

    fn is_current(self, number: u64) -> bool {
        self.run.try_with_value(|run| run.number == number).unwrap_or(false)
    }

    fn clear_if_waiting(self, number: u64) {
        let waiting = self.run.try_with_value(|run| run.number == number && !run.landed).unwrap_or(false);
        if waiting {
            self.show_none();
        }
    }

    fn show_none(self) {
        self.cache.set_value(Cache::default());
        self.total.set(Total::Unknown);
        self.expanded.set(None);
        self.wrapped.set(Arc::default());
        self.cursor.set(None);
        self.dimmed.set(false);
        self.kept.set_value(Kept::Nothing);
        self.position.set(Position::default());
        self.revision.update(|count| *count += 1);
    }

    /// The first word of a run: the rows of the former one go.
    fn land(self, total: Option<u64>) {
        let landed =
            self.run.try_update_value(|run| std::mem::replace(&mut run.landed, true)).unwrap_or(true);
        if !landed {
            self.show_none();
            self.total.set(total.map_or(Total::Unknown, Total::Known));
        }
    }

    fn ask_window(self, number: u64, window: u64) {
        let Some(query) = self.run.with_value(|run| run.query.clone()) else { return };
        let query = self.up_to_now(query);
        let abort = Abort::new();
        let signal = abort.signal();
        self.run.update_value(|run| drop(run.windows.insert(window, abort)));
        let offset = window * WINDOW_ROWS;
        let request =
            LineRequest { order: query.order, query, start: Start::Offset(offset), limit: WINDOW_ROWS };
        spawn_local(async move {
            let (total, mut next) = (Cell::new(None), offset);
            let on_head = |head: AnswerHead| {
                total.set(head.total);
                self.hear(number, head.indexed_to);
            };
            let on_rows = |rows: Vec<Row>| {
                if self.is_current(number) {
                    next = self.take_rows(total.get(), next, rows);
                }
            };
            let ended = client::stream_lines(request, signal, on_head, on_rows).await;
            if self.is_current(number) {
                self.end_window(window, total.get(), ended);
            }
        });
    }

    fn take_rows(self, total: Option<u64>, first: u64, rows: Vec<Row>) -> u64 {
        if rows.is_empty() {
            return first;
        }
        self.land(total);
        let range = self.run.with_value(|run| run.query.as_ref().map(|query| query.range));
        let mut known = self.total.get_untracked();
        let mut next = first;
        for row in rows {
            if let Some(range) = range {
                known = known.having_seen(next, row.at, range);
            }
            self.cache.update_value(|cache| cache.put(next, row));
            next += 1;
        }
        self.total.set(known);
        self.phase.set(Phase::Streaming);
        self.revision.update(|count| *count += 1);
        next
    }

    fn end_window(self, window: u64, total: Option<u64>, ended: Result<(), ApiError>) {
        if ended.as_ref().is_err_and(|error| error.aborted) {
            // Whoever gave it up has taken it from the list; by now the same window may be under way again.
            return self.settle();
        }
        self.run.update_value(|run| drop(run.windows.remove(&window)));
        match ended {
            Ok(()) => {
                self.land(total);
                self.learn_end(window);
                self.settle();
                self.ask_missing_count();
                if window == 0
                    && !self.sought.try_update_value(|sought| std::mem::replace(sought, true)).unwrap_or(true)
                {
                    self.seek_pinned_line(self.run.with_value(|run| run.number));
                }
            }
            Err(error) => self.phase.set(Phase::Failed(error)),
        }
    }

    fn ask_missing_count(self) {
        let (number, query, is_asked) =
            self.run.with_value(|run| (run.number, run.query.clone(), run.other.is_some()));
        if let Some(query) = query.filter(|_| !is_asked && self.total.get_untracked().known().is_none()) {
            self.ask_count(number, query);
        }
    }

    /// A window that ended short is the last one: a stream that fails is cut off, never ended politely.
    fn learn_end(self, window: u64) {
        let first = window * WINDOW_ROWS;
        let end = (first..first + WINDOW_ROWS).find(|index| self.row(*index).is_none());
        let Some(end) = end else { return };
        let total = self.total.get_untracked();
        if total.known().is_none_or(|known| known > end) {
            self.total.set(Total::Known(end));
        }
    }

    fn settle(self) {
        let busy = self.run.with_value(|run| !run.windows.is_empty());
        match self.total.get_untracked() {
            Total::Known(0) => self.phase.set(Phase::Empty),
            _ if busy => {}
            _ => self.phase.set(Phase::Done),
        }
    }

    /// A number of lines that does not come with the first of them comes from the histogram: with a text filter, which
    /// reads all text, and where counting takes the server longer than it waits.
    fn ask_count(self, number: u64, query: LogQuery) {
        let abort = Abort::new();
        let answer = count_lines(query, &abort);
        self.run.update_value(|run| run.other = Some(abort));
        spawn_local(async move {
            if let Ok(total) = answer.await
                && self.is_current(number)
            {
                self.land(Some(total));
                self.total.update(|known| *known = Total::Known(total.max(known.rows())));
                self.settle();
            }
        });
    }

    fn ask_wanted(self) {
        let Some(rows) = self.wanted.try_update_value(Option::take).flatten() else { return };
        let ready = self.run.with_value(|run| run.landed);
        if !ready || matches!(self.phase.get_untracked(), Phase::Failed(_)) {
            return;
        }
        // A window that is asked for may have all its rows and not have ended yet.
        let near = rows.start / WINDOW_ROWS..=rows.end.saturating_sub(1) / WINDOW_ROWS;
        let missing = self.cache.try_update_value(|cache| cache.missing(rows)).unwrap_or_default();
        self.run.update_value(|run| run.windows.retain(|window, _| near.contains(window)));
        let (number, under_way) =
            self.run.with_value(|run| (run.number, run.windows.keys().copied().collect::<Vec<_>>()));
        if !missing.is_empty() && self.phase.with_untracked(|phase| *phase == Phase::Stopped) {
            self.phase.set(Phase::Done);
        }
        for window in missing.into_iter().filter(|window| !under_way.contains(window)) {
            self.ask_window(number, window);
        }
    }
}

pub(super) fn count_lines(
    query: LogQuery,
    abort: &Abort,
) -> impl Future<Output = Result<u64, ApiError>> + use<> {
    let signal = abort.signal();
    async move {
        let range = query.range;
        let step_ms = (range.nanos() / 1_000_000).max(1_000);
        client::histogram(query, range, step_ms, signal).await.map(|histogram| histogram.total)
    }
}
