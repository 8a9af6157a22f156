//! Leads the pane to an instant: to a row that is at hand, else to the place that the server tells.

use super::LineFeed;
use crate::api::{Abort, client};
use crate::lines::{Kept, Position};
use leptos::prelude::*;
use leptos::task::spawn_local;
use sonde_shared::time::Timestamp;

impl LineFeed {
    /// The row nearest to an instant, as far as rows are at hand; tracked.
    pub fn row_near(self, at: Timestamp) -> Option<u64> {
        self.revision.track();
        let rows = self.total.get().rows();
        let order = self.run.with_value(|run| run.query.as_ref().map(|query| query.order))?;
        self.cache.with_value(|cache| cache.row_near(at, rows, order))
    }

    /// Brings the line nearest to an instant into the middle of the pane. A later call gives up what this one asks for.
    pub fn show_instant(self, at: Timestamp) {
        self.seeking.set_value(None);
        if let Some(row) = untrack(|| self.row_near(at)) {
            return self.stand_in_the_middle(row);
        }
        let Some((number, query)) = self
            .run
            .with_value(|run| run.query.clone().filter(|_| run.landed).map(|query| (run.number, query)))
        else {
            return;
        };
        let abort = Abort::new();
        let answer = client::position_at(query, at, abort.signal());
        self.seeking.set_value(Some(abort));
        spawn_local(async move {
            // Who does not get there stays where he is, which is no worse than before.
            if let Ok(Some(row)) = answer.await
                && self.is_current(number)
            {
                self.stand_in_the_middle(row);
            }
        });
    }

    fn stand_in_the_middle(self, row: u64) {
        let extent = untrack(|| self.extent());
        let row = row.min(extent.rows.saturating_sub(1));
        let half = (extent.viewport_px - extent.row_px) / 2.0;
        self.stand(extent.moved(Position { row, px: 0.0 }, -half), Kept::Nothing);
    }
}
