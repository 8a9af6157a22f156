//! What the charts share, and what their gestures mean to the page.

use crate::boxed::{effect, memo};
use crate::chart::{ChartContext, Gesture, LineCount, page_theme};
use crate::feeds::{Loaded, range};
use crate::prefs;
use crate::rest::Rest;
use crate::session::Session;
use crate::state::Command;
use crate::theme::ThemeSignals;
use leptos::prelude::*;
use sonde_shared::api::{Event, Histogram};
use std::time::Duration;

/// How long a wheel must stand still for its burst to be over.
const ZOOM_REST: Duration = Duration::from_millis(400);

/// Offers the charts' context to all panes.
pub fn provide_charts(
    session: Session,
    theme: ThemeSignals,
    histogram: Loaded<Histogram>,
    events: Loaded<Vec<Event>>,
) -> ChartContext {
    let count_lines = move |range| {
        let counted = histogram.value.with_untracked(|counts| range::count_in(counts.as_ref()?, range));
        counted.map(|(lines, is_exact)| LineCount { lines, is_exact })
    };
    let rest = Rest::new();
    let charts = ChartContext {
        range: session.range.into(),
        selection: session.selection.into(),
        baseline: session.baseline.into(),
        draft: RwSignal::new(None),
        drafts_baseline: RwSignal::new(false),
        armed: RwSignal::new(false),
        snaps: prefs::switch("snap", false),
        held: RwSignal::new(false),
        drop_drag: RwSignal::new(0),
        pinch: StoredValue::default(),
        // No events before they are known and none when they are is no change.
        events: memo(move || events.value.get().unwrap_or_default()).into(),
        hover: RwSignal::new(None),
        pinned: RwSignal::new(None),
        looked_at: RwSignal::new(None),
        slots: StoredValue::default(),
        active: session.part(|state| state.view.panel.clone()).into(),
        is_alone: session.part(|state| state.maximized().is_some()).into(),
        zone: session.zone.into(),
        count_lines: Callback::new(count_lines),
        counted_instead: Callback::new(move |panel: String| {
            session.now_part(|state| state.counted_instead(&panel))
        }),
        on_gesture: Callback::new(move |gesture| {
            if matches!(gesture, Gesture::Show(_)) {
                rest.after(ZOOM_REST, move || session.send(Command::Rested));
            }
            session.send(command_of(gesture));
        }),
        theme: memo(move || {
            theme.generation.track();
            page_theme()
        }),
    };
    thaw_after_gestures(session, charts);
    disarm(charts);
    provide_context(charts);
    charts
}

fn command_of(gesture: Gesture) -> Command {
    match gesture {
        Gesture::Select { panel, range } => Command::Select(panel, range),
        Gesture::Adjust(range) => Command::Adjust(range),
        Gesture::Baseline(range) => Command::SetBaseline(Some(range)),
        Gesture::Activate(panel) => Command::Activate(panel),
        Gesture::Show(range) => Command::Show(range),
        Gesture::Pan(range) => Command::Pan(range),
        Gesture::PanEnd => Command::PanEnd,
        Gesture::PanUndo => Command::PanUndo,
        Gesture::ZoomBack => Command::ZoomBack,
        Gesture::Freeze => Command::Freeze(true),
    }
}

/// Without a selection there is nothing to compare, and the next band is an ordinary one.
fn disarm(charts: ChartContext) {
    effect(move || {
        if charts.selection.with(Option::is_none) {
            charts.armed.set(false);
        }
    });
}

/// The axis moves again once nothing is pressed or dragged and no crosshair is pinned.
fn thaw_after_gestures(session: Session, charts: ChartContext) {
    let thaw = move || {
        let is_held = charts.held.get_untracked()
            || charts.draft.with_untracked(Option::is_some)
            || charts.pinned.with_untracked(Option::is_some);
        if !is_held {
            session.send(Command::Freeze(false));
        }
    };
    effect(move || {
        charts.held.track();
        charts.draft.track();
        charts.pinned.track();
        thaw();
    });
    let soon = move || set_timeout(thaw, Duration::ZERO);
    drop(window_event_listener(leptos::ev::pointerup, move |_| soon()));
    drop(window_event_listener(leptos::ev::pointercancel, move |_| soon()));
    drop(window_event_listener(leptos::ev::keyup, move |_| soon()));
}
