//! The panels that are fed: those in sight. Points are joined to what a panel has; where they cannot be, it asks anew.

use crate::boxed::effect;
use crate::feeds::{LiveFeed, Loaded};
use crate::state::join_points;
use leptos::prelude::*;
use sonde_shared::api::Columns;
use sonde_shared::dashboard::{Draw, Panel};
use sonde_shared::live::{LivePoints, LiveSeries};
use sonde_shared::time::TimeRange;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A panel asks anew no more often than this.
const BETWEEN_MS: f64 = 3_000.0;
/// How long what came is kept for an answer that was made before it and lands after it.
const KEPT_MS: f64 = 10_000.0;
/// More is not kept: the answer is then asked for again.
const MOST_KEPT: usize = 512;

/// The panels, each under a number of its own.
#[derive(Clone, Copy)]
pub(super) struct FedPanels {
    panels: RwSignal<BTreeMap<u32, FedPanel>>,
    next: StoredValue<u32>,
}

/// A panel.
#[derive(Clone)]
struct FedPanel {
    targets: Vec<String>,
    /// Whether what it shows is more than its points, so that all is asked for.
    is_whole: bool,
    columns: Loaded<Vec<Columns>>,
    recent: StoredValue<Recent>,
}

/// What came lately.
#[derive(Debug, Default)]
struct Recent {
    series: Vec<(f64, LiveSeries)>,
    has_changed: bool,
    asked_ms: f64,
}

/// What a panel joins to the answers that it gets.
#[derive(Clone, Copy)]
pub struct PanelFeed(StoredValue<Recent>);

impl PanelFeed {
    /// Joins what came while the answer was made.
    pub fn catch_up(self, columns: &mut [Columns], range: TimeRange) {
        let from_ms = range.from.as_millis() as f64;
        self.0.try_update_value(|recent| {
            recent.forget_old();
            for (_, series) in &recent.series {
                join_points(columns, series, from_ms);
            }
        });
    }
}

impl LiveFeed {
    /// Feeds a panel as long as it is in sight.
    pub fn feed(self, panel: &Panel, columns: Loaded<Vec<Columns>>, in_sight: Signal<bool>) -> PanelFeed {
        let FedPanels { panels, next } = self.panels;
        let number = next.try_update_value(|next| std::mem::replace(next, next.wrapping_add(1))).unwrap_or(0);
        let recent = StoredValue::new(Recent::default());
        let fed = FedPanel { targets: panel.asked(), is_whole: panel.draw == Draw::Stacked, columns, recent };
        effect(move || {
            if in_sight.get() {
                panels.update(|all| drop(all.insert(number, fed.clone())));
            } else if panels.with_untracked(|all| all.contains_key(&number)) {
                panels.update(|all| drop(all.remove(&number)));
            }
        });
        on_cleanup(move || drop(panels.try_update(|all| all.remove(&number))));
        PanelFeed(recent)
    }
}

impl FedPanels {
    pub(super) fn new() -> Self {
        Self { panels: RwSignal::new(BTreeMap::new()), next: StoredValue::new(0) }
    }

    /// The targets of all, each with its panel; tracked.
    pub(super) fn targets(self) -> Vec<(u32, String)> {
        self.panels.with(|all| {
            let targets = |(number, panel): (&u32, &FedPanel)| {
                panel.targets.iter().map(|target| (*number, target.clone())).collect::<Vec<_>>()
            };
            all.iter().flat_map(targets).collect()
        })
    }

    fn panel(self, number: Option<u32>) -> Option<FedPanel> {
        self.panels.with_untracked(|all| all.get(&number?).cloned())
    }

    pub(super) fn take_points(self, number: Option<u32>, points: LivePoints, from_ms: f64) {
        let Some(panel) = self.panel(number) else { return };
        let now_ms = js_sys::Date::now();
        panel.recent.update_value(|recent| {
            recent.forget_old();
            if panel.is_whole || recent.series.len() >= MOST_KEPT {
                recent.has_changed = true;
            } else {
                recent.series.extend(points.series.iter().map(|series| (now_ms, series.clone())));
            }
        });
        if panel.is_whole {
            return;
        }
        let mut all_known = true;
        panel.columns.value.update(|columns| {
            let Some(columns) = columns else { return };
            let columns = Arc::make_mut(columns);
            for series in &points.series {
                all_known &= join_points(columns, series, from_ms);
            }
        });
        if !all_known {
            panel.recent.update_value(|recent| recent.has_changed = true);
        }
    }

    pub(super) fn note_change(self, number: Option<u32>) {
        if let Some(panel) = self.panel(number) {
            panel.recent.update_value(|recent| recent.has_changed = true);
        }
    }

    /// Has those ask anew that have something new, if they have not asked just now.
    pub(super) fn ask_changed(self) {
        let now_ms = js_sys::Date::now();
        let due = |panel: &&FedPanel| {
            panel.recent.try_update_value(|recent| recent.is_due(now_ms)).unwrap_or(false)
        };
        let due: Vec<_> =
            self.panels.with_untracked(|all| all.values().filter(due).map(|panel| panel.columns).collect());
        due.into_iter().for_each(Loaded::retry);
    }
}

impl Recent {
    fn forget_old(&mut self) {
        let before = js_sys::Date::now() - KEPT_MS;
        self.series.retain(|(came_ms, _)| *came_ms > before);
    }

    fn is_due(&mut self, now_ms: f64) -> bool {
        let is_due = self.has_changed && now_ms - self.asked_ms >= BETWEEN_MS;
        if is_due {
            self.has_changed = false;
            self.asked_ms = now_ms;
        }
        is_due
    }
}
