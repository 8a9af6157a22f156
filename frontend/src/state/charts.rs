//! What stands in the place of the charts: an empty state only once it is known that there is nothing.

use super::AppState;

/// What the charts' place shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartsState {
    /// Not known yet.
    Waiting,
    /// The server has neither lines nor points.
    NoData,
    /// The dashboard has no panels.
    NoPanels,
    /// The dashboard's panels.
    Panels,
}

impl AppState {
    /// What the charts' place shows.
    pub fn charts(&self) -> ChartsState {
        let Some(page) = &self.page else { return ChartsState::Waiting };
        if page.last_line_ms.is_none() && page.last_point_ms.is_none() {
            return ChartsState::NoData;
        }
        match &self.dashboard {
            None => ChartsState::Waiting,
            Some(board) if !board.panels.is_empty() => ChartsState::Panels,
            Some(_) if self.panels_are_due() => ChartsState::Waiting,
            Some(_) => ChartsState::NoPanels,
        }
    }

    /// Whether a dashboard without panels came before the first points were heard of. That which is made of the metrics that
    /// exist has its panels since, so it is to be asked for again.
    pub fn panels_are_due(&self) -> bool {
        let is_bare = self.dashboard.as_ref().is_some_and(|board| board.panels.is_empty());
        is_bare && self.has_points() && !self.dashboard_knew_points
    }

    /// Whether the server has said that it has points.
    pub(super) fn has_points(&self) -> bool {
        self.page.as_ref().is_some_and(|page| page.last_point_ms.is_some())
    }
}
