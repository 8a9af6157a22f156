//! Whether a panel is in sight, or nearly: a dashboard of a hundred panels asks for those that are looked at.

use crate::app::ChartSize;
use crate::boxed::effect;
use crate::rest::Rest;
use leptos::html;
use leptos::prelude::*;
use std::time::Duration;

/// How far beyond the edge counts as nearly.
const MARGIN_PX: f64 = 200.0;

/// Follows whether the panel is in sight; it looks again when the charts are scrolled or change their size.
pub(super) fn in_sight(panel: NodeRef<html::Article>, size: ChartSize) -> Signal<bool> {
    let (shown, rest) = (RwSignal::new(false), Rest::new());
    let look = move || {
        let Some(panel) = panel.try_get_untracked().flatten() else { return };
        let bounds = panel.get_bounding_client_rect();
        let height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(0.0);
        let is_shown = bounds.bottom() > -MARGIN_PX && bounds.top() < height + MARGIN_PX;
        if shown.get_untracked() != is_shown {
            shown.set(is_shown);
        }
    };
    effect(move || {
        size.scrolled.track();
        size.width_px.track();
        if panel.get().is_some() {
            // Once all panels stand: between their changes, each look would have the browser lay out the whole page.
            rest.within(Duration::ZERO, look);
        }
    });
    shown.into()
}
