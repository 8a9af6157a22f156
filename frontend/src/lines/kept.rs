//! What stays in sight when marks come: they make rows higher after the reader was led to one of them.
//!
//! Kept is what was asked for, the end or one row, until the reader moves again. It is never where a reader happens to be.

use super::{Extent, Position};

/// What the list keeps in sight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kept {
    /// Nothing but the row at the top.
    #[default]
    Nothing,
    /// The end of this many rows. The end of more of them is another end, which nobody asked for.
    End(u64),
    /// A row that was sought or opened, with its fields.
    Row(u64),
}

impl Kept {
    /// What a reader who has moved here has asked for.
    pub fn at(extent: &Extent, position: Position) -> Self {
        // Where all rows fit their end is no less their beginning.
        let is_end = position != Position::default() && extent.is_at_end(position);
        if is_end { Self::End(extent.rows) } else { Self::Nothing }
    }
}

impl Extent {
    /// The position at which what is kept is in sight again.
    pub fn keeping(&self, at: Position, kept: Kept) -> Position {
        match kept {
            Kept::End(rows) if rows == self.rows => self.end(),
            Kept::Row(row) if row < self.rows => self.showing_whole(at, row),
            _ => self.clamped(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::Mark;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    fn plain() -> Extent {
        Extent {
            rows: 1_000,
            row_px: 20.0,
            expanded: None,
            marks: Arc::default(),
            wrapped: Arc::default(),
            viewport_px: 310.0,
        }
    }

    fn marked(rows: impl IntoIterator<Item = u64>) -> Extent {
        let marks = rows.into_iter().map(|row| (row, Mark { is_day: true, silence: None }));
        Extent { marks: Arc::new(marks.collect::<BTreeMap<_, _>>()), ..plain() }
    }

    #[test]
    fn the_end_stays_at_the_bottom_when_marks_come() {
        let end = plain().end();
        let marked = marked([990, 995, 999]);
        assert!(!marked.is_at_end(end), "three marks have pushed the last line out of sight");
        assert_eq!(marked.keeping(end, Kept::at(&plain(), end)), marked.end());
    }

    #[test]
    fn a_row_that_was_sought_stays_wholly_in_sight_when_marks_come() {
        let sought = 500;
        let at = plain().showing(Position::default(), sought);
        assert_eq!(marked([490, 500]).keeping(at, Kept::Nothing), at);
        let kept = marked([490, 500]).keeping(at, Kept::Row(sought));
        assert_eq!(kept, plain().moved(at, 32.0));
        // Marks above what is in sight, and of no one else, move nothing.
        assert_eq!(marked([3, 900]).keeping(at, Kept::Row(sought)), at);
    }

    #[test]
    fn a_reader_anywhere_else_is_left_alone() {
        let at = Position { row: 400, px: 7.0 };
        assert_eq!(Kept::at(&plain(), at), Kept::Nothing);
        assert_eq!(marked([401, 402]).keeping(at, Kept::at(&plain(), at)), at);
        let beyond = Position { row: 999, px: 19.0 };
        assert_eq!(plain().keeping(beyond, Kept::Nothing), plain().end());
    }

    #[test]
    fn the_end_is_reached_by_the_scrollbar_and_by_the_least_of_wheels() {
        let at_bottom = plain().position_at(1.0);
        assert_eq!(Kept::at(&plain(), at_bottom), Kept::End(1_000));
        let wheel = plain().moved(Position { row: 984, px: 9.0 }, 1.0);
        assert_eq!(Kept::at(&plain(), wheel), Kept::End(1_000));
        assert_eq!(Kept::at(&plain(), plain().moved(plain().end(), -2.0)), Kept::Nothing);
    }

    #[test]
    fn rows_that_all_fit_have_no_end_to_keep() {
        let few = Extent { rows: 15, ..plain() };
        assert_eq!(few.end(), Position::default());
        assert_eq!(Kept::at(&few, few.end()), Kept::Nothing);
    }

    #[test]
    fn the_end_of_fewer_rows_is_not_chased() {
        let kept = Kept::at(&plain(), plain().end());
        let more = Extent { rows: 1_200, ..marked([990]) };
        assert_eq!(more.keeping(plain().end(), kept), plain().end());
        let fewer = Extent { rows: 300, ..plain() };
        assert_eq!(fewer.keeping(plain().showing(Position::default(), 500), Kept::Row(500)), fewer.end());
    }
}
