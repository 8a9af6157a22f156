//! The one state as signals, and the way to change it: [`Session::send`].

use crate::boxed::memo;
use crate::leaving::leaving;
use crate::state::{Address, AppState, Command, LogQuery, may_stand};
use crate::url::{self, AddressBar};
use leptos::prelude::*;
use sonde_shared::time::{NANOS_PER_SEC, Offset, TimeRange, Timestamp, ZoneClock, find_offsets};
use sonde_shared::view::{ViewState, Zone};
use std::sync::OnceLock;

/// What may have come behind a range that ends now.
pub const AHEAD_NANOS: i64 = 2 * NANOS_PER_SEC;

/// The page's state; `Copy`, found by [`use_session`].
#[derive(Clone, Copy)]
pub struct Session {
    state: RwSignal<AppState>,
    address: AddressBar,
    clock_ahead_nanos: StoredValue<i64>,
    /// What the address says.
    pub view: Memo<ViewState>,
    /// The visible range.
    pub range: Memo<TimeRange>,
    /// The range that is asked for: that which is visible, but where what comes is told it moves on now and then only.
    pub asked: Memo<TimeRange>,
    /// Whether the range is settled.
    pub ready: Memo<bool>,
    /// The brushed range.
    pub selection: Memo<Option<TimeRange>>,
    /// What the selection is compared with, where that was marked.
    pub baseline: Memo<Option<TimeRange>>,
    /// Which lines the log pane shows.
    pub query: Memo<LogQuery>,
    /// The clock of the shown zone.
    pub zone: Memo<ZoneClock<'static>>,
    /// Rises when the text filter is to take the focus.
    pub text_filter_focus: RwSignal<u32>,
    /// The panel that is to be brought into sight.
    pub reveal: RwSignal<Option<String>>,
    /// Whether the server has stopped answering.
    pub lost: RwSignal<bool>,
    /// Whether what comes is told as it comes.
    pub fed: RwSignal<bool>,
    /// Where lines of the pane's range are still to be indexed: the instant before which none is missing.
    pub indexed_to: RwSignal<Option<Timestamp>>,
}

impl Session {
    /// A session on the current address, offered to all panes.
    pub fn provide() -> Self {
        let state = RwSignal::new(AppState::default());
        let range = memo(move || state.with(AppState::range));
        let fed = RwSignal::new(false);
        let asked = Memo::new(move |asked: Option<&TimeRange>| {
            let (shown, stands) = (range.get(), fed.get() && state.with(|state| state.view.live));
            asked.copied().filter(|asked| stands && may_stand(*asked, shown)).unwrap_or(shown)
        });
        let session = Self {
            state,
            address: AddressBar::new(),
            clock_ahead_nanos: StoredValue::new(0),
            view: memo(move || state.with(|state| state.view.clone())),
            range,
            asked,
            ready: memo(move || state.with(AppState::is_ready)),
            selection: memo(move || state.with(|state| state.view.selection)),
            baseline: memo(move || state.with(|state| state.view.baseline)),
            query: memo(move || state.with(AppState::log_query)),
            zone: memo(move || clock_of(state.with(|state| state.view.zone))),
            text_filter_focus: RwSignal::new(0),
            reveal: RwSignal::new(None),
            lost: RwSignal::new(false),
            fed,
            indexed_to: RwSignal::new(None),
        };
        session.read_address();
        drop(window_event_listener(leptos::ev::popstate, move |_| session.read_address()));
        provide_context(session);
        session
    }

    /// Changes the state; the address follows.
    pub fn send(self, command: Command) {
        self.apply(command);
    }

    /// Changes the state by what leads elsewhere on the page: one step back leads from there, also where the address stays the same.
    pub fn go(self, command: Command) {
        if self.apply(command) == Some(Address::Keep) {
            self.address.enter_place();
        }
    }

    /// Brings the chart of a series into sight.
    pub fn reveal_series(self, series: &str) {
        self.reveal.set(self.now_part(|state| state.panel_with(series).map(str::to_owned)));
    }

    /// Changes the state, and says how the address followed.
    fn apply(self, command: Command) -> Option<Address> {
        let sent = self.state.try_update(|state| {
            let was_live = state.view.live;
            let address = state.apply(command);
            if state.view.live && !was_live {
                // Time went on meanwhile, and what came is asked for up to now.
                state.apply(Command::Tick(self.server_now()));
            }
            (address, state.view.to_url())
        });
        let (address, url) = sent?;
        self.address.write(address, url);
        Some(address)
    }

    /// A part of the state that tells its readers only when it changes.
    pub fn part<T: PartialEq + Send + Sync + 'static>(
        self,
        read: impl Fn(&AppState) -> T + Send + Sync + 'static,
    ) -> Memo<T> {
        part_of(self.state, Box::new(read))
    }

    /// A part of the state as it is now, without following it.
    pub fn now_part<T>(self, read: impl FnOnce(&AppState) -> T) -> T {
        self.state.with_untracked(read)
    }

    /// The time by the server's clock, in whole seconds: a range is read by people.
    pub fn server_now(self) -> Timestamp {
        let now = crate::api::client::browser_now().plus_nanos(self.clock_ahead_nanos.get_value());
        Timestamp::from_secs(now.as_secs())
    }

    /// The range to ask for now, to be read where [`Session::asked`] is followed. Where what comes is told, what came in the
    /// second that has begun is there already.
    pub fn range_to_ask(self) -> TimeRange {
        self.asked.track();
        let range = self.range.get_untracked();
        let ahead =
            if self.fed.get_untracked() && self.now_part(|state| state.view.live) { AHEAD_NANOS } else { 0 };
        TimeRange { until: range.until.plus_nanos(ahead), ..range }
    }

    /// Learns how far the server's clock is ahead of the browser's.
    pub fn set_clock(self, server_now: Timestamp) {
        let ahead = server_now.nanos_since(crate::api::client::browser_now());
        self.clock_ahead_nanos.set_value(ahead);
    }

    /// The whole address, to be shared.
    pub fn address(self) -> String {
        self.address.flush();
        url::whole()
    }

    /// The whole address of another view of this page.
    pub fn address_of(self, view: &ViewState) -> String {
        url::origin() + &view.to_url()
    }

    /// The number of the current entry of the history, which rises from one to the next.
    pub fn entry(self) -> f64 {
        self.address.entry()
    }

    fn read_address(self) {
        if self.address.forget() {
            // Nothing would change: the step back is to lead to what was there before.
            return url::go_back();
        }
        let (path, query) = url::current();
        self.send(Command::Navigate { path, query, now: self.server_now() });
    }
}

/// Boxed, for there are many parts of the same type.
#[inline(never)]
fn part_of<T: PartialEq + Send + Sync + 'static>(
    state: RwSignal<AppState>,
    read: Box<dyn Fn(&AppState) -> T + Send + Sync>,
) -> Memo<T> {
    memo(move || leaving(state).with(|state| read(state)))
}

/// The page's session.
pub fn use_session() -> Session {
    expect_context()
}

fn clock_of(zone: Option<Zone>) -> ZoneClock<'static> {
    match zone.unwrap_or_default() {
        Zone::Local => local_clock(),
        Zone::Utc => ZoneClock::UTC,
    }
}

/// The clock of the browser's zone: it tells of single instants only.
fn local_clock() -> ZoneClock<'static> {
    static OFFSETS: OnceLock<Vec<Offset>> = OnceLock::new();
    let known = TimeRange { from: Timestamp::from_secs(0), until: Timestamp::from_secs(100 * 365 * 86_400) };
    ZoneClock::new(OFFSETS.get_or_init(|| find_offsets(known, local_minutes)))
}

/// The browser's zone at an instant, in minutes east of UTC.
fn local_minutes(at: Timestamp) -> i32 {
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at.as_millis() as f64));
    -(date.get_timezone_offset() as i32)
}
