//! The clock of live views. It moves the axis by steps that can be seen, not more often, and not while the server is away.

use crate::session::Session;
use crate::state::Command;
use leptos::prelude::*;
use sonde_shared::time::NANOS_PER_SEC;
use std::time::Duration;

const LOOK: Duration = Duration::from_secs(1);
/// A step is about a pixel of a wide screen.
const STEPS_A_RANGE: i64 = 1_500;

/// Starts the clock.
pub fn start_clock(session: Session) {
    let look = move || {
        let (live, shown, length) =
            session.now_part(|state| (state.view.live, state.now, state.range().nanos()));
        let now = session.server_now();
        let due = now.nanos_since(shown) >= step_nanos(length);
        if live && due && !session.lost.get_untracked() && !document().hidden() {
            session.send(Command::Tick(now));
        }
    };
    if let Ok(handle) = set_interval_with_handle(look, LOOK) {
        on_cleanup(move || handle.clear());
    }
}

/// New lines come with the clock too, and are waited for, however long the range.
fn step_nanos(range_nanos: i64) -> i64 {
    (range_nanos / STEPS_A_RANGE).clamp(3 * NANOS_PER_SEC, 10 * NANOS_PER_SEC)
}
