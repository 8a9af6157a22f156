//! What part of time is shown, and the way back: zooms can be taken back one by one, a drag of time can be given up.

use super::{Address, AppState, Command, widened};
use sonde_shared::chart::scale::{readable, smooth};
use sonde_shared::time::{TimeRange, Timestamp};
use sonde_shared::view::RangeSpec;

/// How many zooms can be taken back.
const MAX_ZOOMS: usize = 50;
/// The shortest range that can be shown: a millisecond.
const MIN_RANGE_NANOS: i64 = 1_000_000;

/// What a drag of time gives back when it is given up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shown {
    range: Option<RangeSpec>,
    live: bool,
    paused_at: Option<Timestamp>,
}

impl AppState {
    pub(super) fn show(&mut self, range: TimeRange) {
        if range.nanos() < MIN_RANGE_NANOS {
            return;
        }
        if !std::mem::replace(&mut self.zooming, true) {
            self.remember_zoom();
        }
        self.pause();
        self.view.range = Some(RangeSpec::absolute(smooth(range)));
    }

    /// A burst of zooming is over: the range gets ends that read well, which would have jumped on its way.
    pub(super) fn rest(&mut self) -> Address {
        if std::mem::take(&mut self.zooming) {
            self.make_readable();
        }
        Address::Settle
    }

    fn make_readable(&mut self) {
        if self.view.range.is_some_and(|spec| !spec.is_relative()) {
            self.view.range = Some(RangeSpec::absolute(readable(self.range())));
        }
    }

    /// A gesture begins or ends. It is a zoom of its own, however soon it comes after another.
    pub(super) fn freeze(&mut self, on: bool) {
        self.frozen = on;
        if on && self.before_pan.is_none() {
            self.zooming = false;
        }
    }

    /// Time follows the pointer; the address waits for the end.
    pub(super) fn drag_time(&mut self, command: Command) -> Address {
        match command {
            Command::Pan(range) if range.nanos() >= MIN_RANGE_NANOS => {
                if self.before_pan.is_none() {
                    let Self { paused_at, .. } = *self;
                    self.zooming = false;
                    self.before_pan = Some(Shown { range: self.view.range, live: self.view.live, paused_at });
                }
                self.show(range);
            }
            Command::PanUndo => self.give_up_pan(),
            _ => {}
        }
        Address::Keep
    }

    /// Time stays where it was dragged to: one entry for the whole drag.
    pub(super) fn end_pan(&mut self) -> Address {
        self.zooming = false;
        if self.before_pan.take().is_none() {
            return Address::Keep;
        }
        self.make_readable();
        Address::Push
    }

    fn give_up_pan(&mut self) {
        let Some(shown) = self.before_pan.take() else { return };
        self.zooms.pop();
        self.zooming = false;
        self.paused_at = shown.paused_at;
        self.view.range = shown.range;
        self.view.live = shown.live;
    }

    pub(super) fn remember_zoom(&mut self) {
        if let Some(range) = self.view.range {
            self.zooms.push(range);
            let excess = self.zooms.len().saturating_sub(MAX_ZOOMS);
            self.zooms.drain(..excess);
        }
    }

    /// The range before the last zoom; where none is known (after a reload), twice as wide.
    pub(super) fn zoom_back(&mut self) {
        self.zooming = false;
        let wider = RangeSpec::absolute(widened(self.range(), 1));
        let range = self.zooms.pop().unwrap_or(wider);
        self.put_range(range);
    }
}
