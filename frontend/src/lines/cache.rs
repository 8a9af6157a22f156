//! The rows that are at hand: some windows of the answer, the least used forgotten first.

use super::{Mark, Row};
use sonde_shared::time::Timestamp;
use sonde_shared::view::Order;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// How many rows are asked for at once.
pub const WINDOW_ROWS: u64 = 200;
/// How many windows are kept: some hundred screens.
const MAX_WINDOWS: usize = 16;

/// Rows by their position in the answer.
#[derive(Debug, Default)]
pub struct Cache {
    windows: BTreeMap<u64, Window>,
    uses: u64,
}

#[derive(Debug, Default)]
struct Window {
    rows: Vec<Option<Arc<Row>>>,
    last_use: u64,
}

impl Cache {
    /// Whether nothing is at hand.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// The row at a position.
    pub fn row(&self, index: u64) -> Option<Arc<Row>> {
        let window = self.windows.get(&(index / WINDOW_ROWS))?;
        window.rows.get((index % WINDOW_ROWS) as usize)?.clone()
    }

    /// Puts a row at its position; a window too many makes the least used one go.
    pub fn put(&mut self, index: u64, row: Row) {
        self.uses += 1;
        let window = self.windows.entry(index / WINDOW_ROWS).or_default();
        let slot = (index % WINDOW_ROWS) as usize;
        if window.rows.len() <= slot {
            window.rows.resize(slot + 1, None);
        }
        window.rows[slot] = Some(Arc::new(row));
        window.last_use = self.uses;
        if self.windows.len() > MAX_WINDOWS {
            self.forget_least_used();
        }
    }

    /// The windows of which a row in `rows` is missing; those that are at hand count as used.
    pub fn missing(&mut self, rows: Range<u64>) -> Vec<u64> {
        self.uses += 1;
        let mut missing = Vec::new();
        for index in rows {
            let number = index / WINDOW_ROWS;
            if self.row(index).is_none() {
                if missing.last() != Some(&number) {
                    missing.push(number);
                }
            } else if let Some(window) = self.windows.get_mut(&number) {
                window.last_use = self.uses;
            }
        }
        missing
    }

    /// Where a line is, if it is at hand.
    pub fn position_of(&self, id: &str) -> Option<u64> {
        self.windows.iter().find_map(|(number, window)| {
            let slot = window.rows.iter().position(|row| row.as_ref().is_some_and(|row| row.id == id))?;
            Some(number * WINDOW_ROWS + slot as u64)
        })
    }

    /// The row nearest to an instant, of `rows` in the answer: between two neighbours at hand, or beyond the first or last one.
    pub fn row_near(&self, at: Timestamp, rows: u64, order: Order) -> Option<u64> {
        let mut before: Option<(u64, Timestamp)> = None;
        for (number, window) in &self.windows {
            for (index, row) in (number * WINDOW_ROWS..).zip(&window.rows) {
                let Some(row) = row else { continue };
                let neighbour = before.filter(|(last, _)| last + 1 == index).map(|(_, time)| time);
                before = Some((index, row.at));
                if let Some(last) = neighbour {
                    // Times fall where the newest line is the first.
                    let (earlier, later) = (last.min(row.at), last.max(row.at));
                    if earlier <= at && at <= later {
                        let is_last = at.nanos_since(last).abs() < at.nanos_since(row.at).abs();
                        return Some(if is_last { index - 1 } else { index });
                    }
                }
            }
        }
        let (first, last) = (self.row(0), rows.checked_sub(1).and_then(|last| self.row(last)));
        let is_descending = order == Order::Descending;
        let is_beyond = |row: &Row, earlier: bool| if earlier { at <= row.at } else { at >= row.at };
        if first.is_some_and(|row| is_beyond(&row, !is_descending)) {
            return Some(0);
        }
        last.filter(|row| is_beyond(row, is_descending)).map(|_| rows - 1)
    }

    /// The marks of the rows that are at hand beside their neighbours, by the position of the row that they stand above.
    pub fn marks(&self, between: impl Fn(Timestamp, Timestamp) -> Option<Mark>) -> BTreeMap<u64, Mark> {
        let mut marks = BTreeMap::new();
        let mut before: Option<(u64, Timestamp)> = None;
        for (number, window) in &self.windows {
            for (index, row) in (number * WINDOW_ROWS..).zip(&window.rows) {
                let Some(row) = row else { continue };
                let neighbour = before.filter(|(last, _)| last + 1 == index).map(|(_, at)| at);
                if let Some(mark) = neighbour.and_then(|last| between(last, row.at)) {
                    marks.insert(index, mark);
                }
                before = Some((index, row.at));
            }
        }
        marks
    }

    fn forget_least_used(&mut self) {
        let least = self.windows.iter().min_by_key(|(_, window)| window.last_use).map(|(number, _)| *number);
        if let Some(number) = least {
            self.windows.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::log::Level;

    fn row(index: u64) -> Row {
        Row {
            at: Timestamp::from_secs(index as i64),
            component: String::new(),
            host: String::new(),
            level: Level::Info,
            id: index.to_string(),
            pattern: String::new(),
            line: String::new(),
        }
    }

    fn filled(rows: Range<u64>) -> Cache {
        let mut cache = Cache::default();
        rows.for_each(|index| cache.put(index, row(index)));
        cache
    }

    #[test]
    fn only_windows_with_a_row_missing_are_asked_for() {
        let mut cache = filled(150..260);
        assert_eq!(cache.missing(160..250), Vec::<u64>::new());
        assert_eq!(cache.missing(140..250), [0]);
        assert_eq!(cache.missing(250..401), [1, 2]);
        assert_eq!(cache.position_of("201"), Some(201));
    }

    #[test]
    fn the_row_nearest_to_an_instant_is_between_its_neighbours() {
        let cache = filled(150..260);
        let check = |cache: &Cache, ms: i64, rows: u64, expected: Option<u64>| {
            let found = cache.row_near(Timestamp::from_millis(ms), rows, Order::Ascending);
            assert_eq!(found, expected, "{ms} of {rows}");
        };
        check(&cache, 200_400, 1_000, Some(200));
        check(&cache, 199_600, 1_000, Some(200));
        check(&cache, 100_000, 1_000, None);
        check(&cache, 300_000, 1_000, None);
        check(&cache, 300_000, 260, Some(259));
        check(&filled(0..10), -5_000, 10, Some(0));
        let mut falling = Cache::default();
        (0..10).for_each(|index| falling.put(index, row(9 - index)));
        let check_falling = |ms: i64, rows: u64, expected: Option<u64>| {
            let found = falling.row_near(Timestamp::from_millis(ms), rows, Order::Descending);
            assert_eq!(found, expected, "{ms} of {rows}, the newest first");
        };
        check_falling(7_400, 10, Some(2));
        check_falling(90_000, 10, Some(0));
        check_falling(90_000, 1_000, Some(0));
        check_falling(-1, 10, Some(9));
        check_falling(-1, 1_000, None);
        check(&Cache::default(), 0, 0, None);
    }

    #[test]
    fn only_rows_whose_neighbour_is_known_have_marks() {
        let mut cache = filled(190..210);
        cache.put(300, row(300));
        let marks = cache.marks(|before, at| {
            assert_eq!(at.nanos_since(before), 1_000_000_000);
            (at.as_secs() % 5 == 0).then_some(Mark { is_day: true, silence: None })
        });
        assert_eq!(marks.into_keys().collect::<Vec<_>>(), [195, 200, 205]);
    }

    #[test]
    fn memory_is_bounded_and_what_is_on_screen_stays() {
        let mut cache = filled(0..WINDOW_ROWS);
        for window in 1..200 {
            assert_eq!(cache.missing(0..40), Vec::<u64>::new(), "window {window}");
            cache.put(window * WINDOW_ROWS, row(window));
        }
        assert_eq!(cache.windows.len(), MAX_WINDOWS);
        assert!(cache.row(5).is_some());
    }
}
