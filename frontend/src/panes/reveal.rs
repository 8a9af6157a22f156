//! Brings a chart into sight that something asked for, and leads back: one step back in the history, or once a chart is gone that
//! was made for a finding.

use crate::app::ChartSize;
use crate::boxed::effect;
use crate::session::Session;
use crate::state::AppState;
use leptos::html;
use leptos::prelude::*;
use web_sys::{Element, ScrollIntoViewOptions, ScrollLogicalPosition};

/// How far the charts were scrolled before they were made to show one, and after, and the entry of the history that shows it; of all
/// that were not left yet, the newest last.
#[derive(Clone, Copy, Default)]
pub(super) struct FormerScroll(StoredValue<Vec<Scrolled>>);

#[derive(Clone, Copy)]
struct Scrolled {
    entry: f64,
    before: i32,
    after: i32,
}

impl FormerScroll {
    /// Offers it to the panels, and leads back.
    pub(super) fn provide(session: Session, charts: NodeRef<html::Section>) {
        let former = Self::default();
        provide_context(former);
        let is_gone = session.part(|state: &AppState| state.view.targets.is_empty());
        effect(move || {
            if is_gone.get() {
                former.lead_back(session.entry(), charts);
            }
        });
        let popped = window_event_listener(leptos::ev::popstate, move |_| {
            former.lead_back(session.entry() + 1.0, charts);
        });
        on_cleanup(move || popped.remove());
    }

    /// To before what entries show from this one on.
    fn lead_back(self, entry: f64, charts: NodeRef<html::Section>) {
        let Some(mut all) = self.0.try_get_value() else { return };
        let kept = all.partition_point(|scrolled| scrolled.entry < entry);
        let left = all.split_off(kept);
        let Some((first, last)) = left.first().zip(left.last()) else { return };
        let (before, after) = (first.before, last.after);
        self.0.set_value(all);
        // Once the chart is out of the page, which cuts what is scrolled.
        request_animation_frame(move || {
            let charts = charts.try_get_untracked().flatten();
            if let Some(charts) = charts.filter(|charts| charts.scroll_top() == after || is_at_end(charts)) {
                charts.set_scroll_top(before);
            }
        });
    }

    /// From `before` the charts were scrolled to where they are. What was seen of entries that this one was written over is gone.
    fn keep(self, session: Session, before: i32, after: i32) {
        let entry = session.entry();
        let _gone = self.0.try_update_value(|all| {
            all.retain(|scrolled| scrolled.entry < entry);
            all.push(Scrolled { entry, before, after });
        });
    }
}

/// Brings a panel into sight while it is edited, and whenever it is asked for.
pub(super) fn follow_reveal(
    session: Session,
    id: String,
    root: NodeRef<html::Article>,
    is_edited: Memo<bool>,
) {
    let former: FormerScroll = expect_context();
    let size: ChartSize = expect_context();
    effect(move || {
        let is_wanted = session.reveal.with(|wanted| wanted.as_ref() == Some(&id));
        let is_edited = is_edited.get();
        let Some(panel) = root.get().filter(|_| is_edited || is_wanted) else { return };
        if is_wanted {
            session.reveal.set(None);
        }
        // A panel that was hidden behind one that filled the charts' place has a place only then.
        request_animation_frame(move || {
            let Ok(Some(charts)) = panel.closest(".charts") else { return };
            if is_edited || !is_whole(&panel, &charts) {
                let before = charts.scroll_top();
                let options = ScrollIntoViewOptions::new();
                options.set_block(ScrollLogicalPosition::Start);
                panel.scroll_into_view_with_scroll_into_view_options(&options);
                if is_wanted {
                    former.keep(session, before, charts.scroll_top());
                }
            }
            size.scrolled.update(|count| *count += 1);
        });
    });
}

/// Whether all of a panel is in sight, between the charts' upper edge and the axis that lies over them.
fn is_whole(panel: &Element, charts: &Element) -> bool {
    let axis = charts.query_selector(".axis").ok().flatten();
    let lower = axis.map_or_else(
        || charts.get_bounding_client_rect().bottom(),
        |axis| axis.get_bounding_client_rect().top(),
    );
    let (panel, upper) = (panel.get_bounding_client_rect(), charts.get_bounding_client_rect().top());
    panel.top() >= upper && panel.bottom() <= lower
}

fn is_at_end(charts: &Element) -> bool {
    charts.scroll_top() + charts.client_height() >= charts.scroll_height() - 1
}
