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
        if self.panels().next().is_some() {
            return ChartsState::Panels;
        }
        match &self.dashboard {
            None => ChartsState::Waiting,
            Some(_) if self.panels_are_due() => ChartsState::Waiting,
            Some(_) => ChartsState::NoPanels,
        }
    }

    /// Whether a dashboard without panels came before the first points were heard of. That which is made of the metrics that
    /// exist has its panels since, so it is to be asked for again.
    pub fn panels_are_due(&self) -> bool {
        let is_bare = self.dashboard.as_ref().is_some_and(|board| board.panels.is_empty());
        is_bare && self.last_point_ms().is_some() && self.dashboard_point_ms.is_none()
    }

    /// The latest point that the server has told of.
    pub fn last_point_ms(&self) -> Option<i64> {
        self.page.as_ref().and_then(|page| page.last_point_ms)
    }
}
