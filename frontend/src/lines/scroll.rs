//! Where the reader is, as a row and the pixels of it that are scrolled away, never as a height of all rows:
//! browsers cap an element's height long before a million rows.

use super::{MARK_PX, Mark};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// So many rows above one and below it tell what it stands among.
const OTHERS: f64 = 3.0;

/// The row at the top of the pane.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Position {
    /// Its index in the answer.
    pub row: u64,
    /// How much of it is above the pane's edge.
    pub px: f64,
}

/// What there is to scroll in.
#[derive(Clone, Debug, PartialEq)]
pub struct Extent {
    /// How many rows.
    pub rows: u64,
    /// The height of one.
    pub row_px: f64,
    /// The expanded row, and the height of its fields.
    pub expanded: Option<(u64, f64)>,
    /// The rows with a mark above them, as far as they are known.
    pub marks: Arc<BTreeMap<u64, Mark>>,
    /// By how much rows are higher whose text is wrapped, as far as they were on show.
    pub wrapped: Arc<BTreeMap<u64, f64>>,
    /// The height of the pane.
    pub viewport_px: f64,
}

impl Extent {
    /// The position moved by so many pixels, held at both ends.
    pub fn moved(&self, from: Position, by_px: f64) -> Position {
        let px = from.px + by_px;
        let moved = if px < 0.0 { self.moved_up(from.row, px) } else { self.moved_down(from.row, px) };
        self.clamped(moved)
    }

    /// The position held at both ends.
    pub fn clamped(&self, at: Position) -> Position {
        let last = self.end();
        if (at.row, at.px) > (last.row, last.px) { last } else { at }
    }

    /// The position at which the last row stands at the bottom.
    pub fn end(&self) -> Position {
        let mut left = self.viewport_px;
        let mut row = self.rows;
        while row > 0 {
            row -= 1;
            let height = self.height_of(row);
            if height >= left {
                return Position { row, px: height - left };
            }
            left -= height;
        }
        Position::default()
    }

    /// Whether the last row stands at the bottom, but for a pixel.
    pub fn is_at_end(&self, at: Position) -> bool {
        let end = self.end();
        at.row > end.row || (at.row == end.row && at.px >= end.px - 1.0)
    }

    /// The rows that show, wholly or in part.
    pub fn visible(&self, at: Position) -> Range<u64> {
        let mut filled = -at.px;
        let mut row = at.row;
        while row < self.rows && filled < self.viewport_px {
            filled += self.height_of(row);
            row += 1;
        }
        at.row.min(row)..row
    }

    /// The position as a share of the way, 0 at the first row and 1 at the end.
    pub fn share_of(&self, at: Position) -> f64 {
        let whole = self.rows_of(self.end());
        if whole <= 0.0 { 0.0 } else { (self.rows_of(at) / whole).clamp(0.0, 1.0) }
    }

    /// The position at a share of the way.
    pub fn position_at(&self, share: f64) -> Position {
        let rows = self.rows_of(self.end()) * share.clamp(0.0, 1.0);
        let row = rows.floor();
        self.clamped(Position { row: row as u64, px: (rows - row) * self.height_of(row as u64) })
    }

    /// How much of all rows is in sight at once.
    pub fn share_in_sight(&self) -> f64 {
        let whole = self.rows as f64 * self.row_px;
        if whole <= self.viewport_px { 1.0 } else { self.viewport_px / whole }
    }

    /// The least move that brings a row wholly into sight.
    pub fn showing(&self, at: Position, row: u64) -> Position {
        if row < at.row || (row == at.row && at.px > 0.0) {
            return self.clamped(Position { row, px: 0.0 });
        }
        let above: f64 =
            (at.row..row.min(at.row + 10_000)).map(|index| self.height_of(index)).sum::<f64>() - at.px;
        let over = above + self.head_of(row) - self.viewport_px;
        if row >= at.row + 10_000 {
            return self.moved(Position { row, px: 0.0 }, -self.viewport_px / 2.0);
        }
        // Of a row that is higher than the pane the upper end is shown.
        self.moved(at, over.min(above).max(0.0))
    }

    /// The least move that brings a row and the fields below it into sight; of more than fits the beginning is.
    pub fn showing_whole(&self, at: Position, row: u64) -> Position {
        let at = self.showing(at, row);
        let Some(top) = self.top_of(at, row) else { return at };
        let over = top + self.height_of(row) - self.viewport_px;
        self.moved(at, over.min(top).max(0.0))
    }

    /// A place from which a row is in sight with room for its fields below it: the same one where it stands in the upper half,
    /// else a quarter below the top.
    pub fn leading_to(&self, at: Position, row: u64) -> Position {
        let top = Position { row, px: 0.0 };
        let is_above_half = self.rows_of(self.moved(top, -self.viewport_px / 2.0)) <= self.rows_of(at);
        let is_in_sight = self.showing(at, row) == at;
        if is_above_half && is_in_sight { at } else { self.moved(top, -self.viewport_px / 4.0) }
    }

    fn moved_up(&self, mut row: u64, mut px: f64) -> Position {
        while px < 0.0 && row > 0 {
            let plain = self.plain_rows_above(row, -px);
            row -= plain;
            px += plain as f64 * self.row_px;
            if px < 0.0 && row > 0 {
                row -= 1;
                px += self.height_of(row);
            }
        }
        Position { row, px: px.max(0.0) }
    }

    fn moved_down(&self, mut row: u64, mut px: f64) -> Position {
        while row < self.rows && px >= self.height_of(row) {
            px -= self.height_of(row);
            row += 1;
            let plain = self.plain_rows_below(row, px);
            row += plain;
            px -= plain as f64 * self.row_px;
        }
        Position { row, px }
    }

    /// Whole rows of plain height in `px` above `row`: a long way is one step, not a million.
    fn plain_rows_above(&self, row: u64, px: f64) -> u64 {
        let wanted = (px / self.row_px).floor() as u64;
        let expanded = self.expanded.map(|(expanded, _)| expanded).filter(|expanded| *expanded < row);
        let marked = self.marks.range(..row).next_back().map(|(marked, _)| *marked);
        let wrapped = self.wrapped.range(..row).next_back().map(|(wrapped, _)| *wrapped);
        let free = expanded.max(marked).max(wrapped).map_or(row, |special| row - special - 1);
        wanted.min(free)
    }

    fn plain_rows_below(&self, row: u64, px: f64) -> u64 {
        let wanted = (px / self.row_px).floor() as u64;
        let expanded = self.expanded.map(|(expanded, _)| expanded).filter(|expanded| *expanded >= row);
        let marked = self.marks.range(row..).next().map(|(marked, _)| *marked);
        let wrapped = self.wrapped.range(row..).next().map(|(wrapped, _)| *wrapped);
        let special = expanded.into_iter().chain(marked).chain(wrapped).min();
        wanted.min(special.unwrap_or(self.rows).saturating_sub(row))
    }

    /// A row with its mark above it and its fields below it.
    fn height_of(&self, row: u64) -> f64 {
        let fields = self.expanded.filter(|(expanded, _)| *expanded == row).map_or(0.0, |(_, px)| px);
        self.head_of(row) + fields
    }

    /// A row with its mark.
    fn head_of(&self, row: u64) -> f64 {
        let mark = if self.marks.contains_key(&row) { MARK_PX } else { 0.0 };
        self.row_px + mark + self.wrapped.get(&row).copied().unwrap_or(0.0)
    }

    /// How far below the pane's upper edge a row begins, where it is one of those on show.
    pub fn top_of(&self, at: Position, row: u64) -> Option<f64> {
        let is_shown = self.visible(at).contains(&row);
        is_shown.then(|| (at.row..row).map(|above| self.height_of(above)).sum::<f64>() - at.px)
    }

    /// The place nearest to one below the pane's upper edge that leaves a row some others above and below it.
    pub fn among_others(&self, px: f64) -> f64 {
        let free = (self.viewport_px - self.row_px).max(0.0);
        let others = (OTHERS * self.row_px).min(free / 2.0);
        px.clamp(others, free - others)
    }

    /// The position in rows, for the scrollbar.
    fn rows_of(&self, at: Position) -> f64 {
        at.row as f64 + at.px / self.height_of(at.row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain() -> Extent {
        Extent {
            rows: 1_000_000,
            row_px: 20.0,
            expanded: None,
            marks: Arc::default(),
            wrapped: Arc::default(),
            viewport_px: 310.0,
        }
    }

    fn marked(rows: impl IntoIterator<Item = u64>) -> Arc<BTreeMap<u64, Mark>> {
        Arc::new(rows.into_iter().map(|row| (row, Mark { is_day: true, silence: None })).collect())
    }

    #[test]
    fn the_ends_hold() {
        assert_eq!(plain().moved(Position::default(), -50.0), Position::default());
        assert_eq!(plain().end(), Position { row: 999_984, px: 10.0 });
        assert_eq!(plain().moved(Position { row: 5, px: 3.0 }, 1e12), plain().end());
        let few = Extent { rows: 3, ..plain() };
        assert_eq!(few.moved(Position::default(), 500.0), Position::default());
        assert_eq!(few.visible(Position::default()), 0..3);
    }

    #[test]
    fn the_last_line_is_reached_by_the_scrollbar() {
        assert_eq!(plain().visible(plain().position_at(1.0)).end, 1_000_000);
        assert_eq!(plain().position_at(0.0), Position::default());
    }

    #[test]
    fn an_expanded_row_is_as_tall_as_its_fields() {
        let extent = Extent { expanded: Some((2, 100.0)), ..plain() };
        assert_eq!(extent.moved(Position::default(), 130.0), Position { row: 2, px: 90.0 });
        assert_eq!(extent.moved(Position { row: 3, px: 0.0 }, -10.0), Position { row: 2, px: 110.0 });
        assert_eq!(extent.visible(Position::default()), 0..11);
    }

    #[test]
    fn a_mark_makes_its_row_higher() {
        let extent = Extent { marks: marked([2, 999_999]), ..plain() };
        assert_eq!(extent.moved(Position::default(), 70.0), Position { row: 2, px: 30.0 });
        assert_eq!(extent.moved(Position::default(), 76.0), Position { row: 3, px: 0.0 });
        assert_eq!(extent.moved(Position { row: 3, px: 0.0 }, -10.0), Position { row: 2, px: 26.0 });
        assert_eq!(extent.visible(Position::default()), 0..15);
        assert_eq!(extent.end(), Position { row: 999_985, px: 6.0 });
        assert_eq!(extent.showing(Position { row: 999_980, px: 0.0 }, 999_999), extent.end());
    }

    #[test]
    fn a_wrapped_row_is_as_high_as_its_lines() {
        let extent = Extent { wrapped: Arc::new([(2, 32.0)].into()), ..plain() };
        assert_eq!(extent.moved(Position::default(), 92.0), Position { row: 3, px: 0.0 });
        assert_eq!(extent.top_of(Position { row: 1, px: 5.0 }, 4), Some(87.0));
        assert_eq!(extent.top_of(Position { row: 1, px: 5.0 }, 0), None);
        assert_eq!(extent.top_of(Position { row: 1, px: 5.0 }, 400), None);
    }

    #[test]
    fn showing_a_row_moves_no_more_than_needed() {
        assert_eq!(plain().showing(Position { row: 10, px: 0.0 }, 12), Position { row: 10, px: 0.0 });
        assert_eq!(plain().showing(Position { row: 10, px: 0.0 }, 4), Position { row: 4, px: 0.0 });
        assert_eq!(plain().showing(Position { row: 0, px: 0.0 }, 15), Position { row: 0, px: 10.0 });
    }

    #[test]
    fn a_row_is_shown_with_its_fields_and_no_more_than_fits_of_them() {
        let shown = |px: f64, from: u64, row: u64| {
            let extent = Extent { expanded: Some((row, px)), ..plain() };
            extent.showing_whole(Position { row: from, px: 0.0 }, row)
        };
        assert_eq!(shown(100.0, 0, 5), Position::default(), "it is in sight");
        assert_eq!(shown(100.0, 0, 12), Position { row: 2, px: 10.0 });
        assert_eq!(shown(100.0, 0, 15), Position { row: 5, px: 10.0 });
        assert_eq!(shown(1_000.0, 0, 12), Position { row: 12, px: 0.0 });
        assert_eq!(shown(1_000.0, 20, 12), Position { row: 12, px: 0.0 });
        assert_eq!(shown(100.0, 999_984, 999_999), Position { row: 999_989, px: 10.0 });
    }

    #[test]
    fn a_row_among_others_has_some_above_and_below_it() {
        let check = |viewport_px: f64, px: f64, expected: f64| {
            let found = Extent { viewport_px, ..plain() }.among_others(px);
            assert!((found - expected).abs() < 1e-9, "{found}, {px} of {viewport_px}");
        };
        check(310.0, 100.0, 100.0);
        check(310.0, 0.0, 60.0);
        check(310.0, 290.0, 230.0);
        check(100.0, 0.0, 40.0);
        check(10.0, 5.0, 0.0);
    }

    #[test]
    fn who_is_led_to_a_row_sees_what_lies_below_it() {
        let lead = |from: u64, row: u64| plain().leading_to(Position { row: from, px: 0.0 }, row);
        let at = |row: u64| Position { row, px: 0.0 };
        assert_eq!((plain().viewport_px, plain().row_px), (310.0, 20.0));
        assert_eq!(lead(0, 5), at(0), "it is in sight, and in the upper half");
        assert_eq!(lead(0, 12), Position { row: 8, px: 2.5 }, "it is in sight, and its fields would not be");
        assert_eq!(lead(0, 500), Position { row: 496, px: 2.5 });
        assert_eq!(lead(800, 500), Position { row: 496, px: 2.5 });
        assert_eq!(lead(0, 999_999), plain().end());
    }

    proptest! {
        #[test]
        fn there_and_back_is_where_it_was(
            row in 0_u64..2_000, by in 0.0_f64..30_000.0, expanded in prop::option::of((0_u64..3_000, 1.0_f64..900.0)),
            marks in prop::collection::btree_set(0_u64..3_000, 0..40),
            wrapped in prop::collection::btree_map(0_u64..3_000, 1.0_f64..200.0, 0..40),
        ) {
            let extent = Extent { rows: 5_000, expanded, marks: marked(marks), wrapped: Arc::new(wrapped), ..plain() };
            let start = Position { row, px: 0.0 };
            let back = extent.moved(extent.moved(start, by), -by);
            prop_assert!((extent.rows_of(back) - extent.rows_of(start)).abs() < 1e-6, "{:?} {:?}", start, back);
        }

        #[test]
        fn who_is_shown_a_row_stays_there(
            from in 0_u64..1_000, row in 0_u64..1_000, fields in 0.0_f64..900.0, viewport_px in 0.0_f64..500.0,
        ) {
            let extent = Extent { rows: 1_000, expanded: Some((row, fields)), viewport_px, ..plain() };
            let shown = extent.showing_whole(Position { row: from, px: 0.0 }, row);
            let again = extent.showing_whole(shown, row);
            prop_assert!((extent.rows_of(again) - extent.rows_of(shown)).abs() < 1e-6, "{:?} {:?}", shown, again);
        }

        #[test]
        fn a_share_comes_back(share in 0.0_f64..1.0) {
            let found = plain().share_of(plain().position_at(share));
            prop_assert!((found - share).abs() < 1e-9);
        }
    }
}
