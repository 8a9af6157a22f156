//! Which element shows which row.
//!
//! Elements go from rows that are left to rows that come, so scrolling makes none and leaves nothing to be collected: while one
//! scrolls by the wheel, all rows on show are others with each turn.

use super::row::{Look, RowElement, Shown};
use leptos::prelude::Owner;
use std::collections::VecDeque;
use std::rc::Rc;
use web_sys::HtmlElement;

/// The elements of the rows on show, in their order.
pub(super) struct Rows {
    holder: HtmlElement,
    /// Keeps what the rows' parts follow.
    owner: Owner,
    /// The position of the first of them.
    first: u64,
    elements: VecDeque<RowElement>,
    /// Elements that show nothing at the moment, outside of the page.
    spare: Vec<RowElement>,
}

impl Rows {
    /// No rows in an element that has nothing else.
    pub(super) fn new(holder: HtmlElement, owner: Owner) -> Self {
        Self { holder, owner, first: 0, elements: VecDeque::new(), spare: Vec::new() }
    }

    /// Shows these rows, which follow one another.
    pub(super) fn show(&mut self, wanted: Vec<Shown>, look: &Rc<Look>) {
        let first = wanted.first().map_or(0, |row| row.index);
        self.follow_lines(&wanted);
        self.place(first, wanted.len());
        for (element, shown) in self.elements.iter_mut().zip(wanted) {
            element.show(shown, look, &self.owner);
        }
    }

    /// Lines that came before others move these on; their elements go with them.
    fn follow_lines(&mut self, wanted: &[Shown]) {
        let known = self.elements.iter().enumerate().find_map(|(place, row)| Some((place, row.line_id()?)));
        let Some((place, id)) = known else { return };
        let is_it = |row: &&Shown| row.line.as_ref().is_some_and(|line| line.id == id);
        if let Some(row) = wanted.iter().find(is_it) {
            self.first = row.index.saturating_sub(place as u64);
        }
    }

    /// Has an element for each of so many rows from `first` on; those of rows that stay on show stay.
    fn place(&mut self, first: u64, count: usize) {
        let Moved { above, below } = moved(self.first, self.elements.len(), first, count);
        let mut left: Vec<RowElement> = Vec::new();
        for _ in 0..above.min(0).unsigned_abs() {
            left.extend(self.elements.pop_front());
        }
        for _ in 0..below.min(0).unsigned_abs() {
            left.extend(self.elements.pop_back());
        }
        left.append(&mut self.spare);
        for _ in 0..above.max(0) {
            let Some(row) = left.pop().or_else(RowElement::new) else { break };
            let next = self.elements.front().map(RowElement::root);
            self.holder.insert_before(row.root(), next.map(AsRef::as_ref)).ok();
            self.elements.push_front(row);
        }
        for _ in 0..below.max(0) {
            let Some(row) = left.pop().or_else(RowElement::new) else { break };
            self.holder.append_child(row.root()).ok();
            self.elements.push_back(row);
        }
        for row in &mut left {
            row.leave();
        }
        self.spare = left;
        self.first = first;
    }
}

/// How many elements come before the first and behind the last; as many go where it is less than nothing.
#[derive(Debug, PartialEq)]
struct Moved {
    above: i64,
    below: i64,
}

/// From `count` rows from `first` on to `wanted` ones from `next` on. Where none stays each element takes another row in its place.
fn moved(first: u64, count: usize, next: u64, wanted: usize) -> Moved {
    let (end, next_end) = (first + count as u64, next + wanted as u64);
    let further = |to: u64, from: u64| to as i64 - from as i64;
    if next < end && first < next_end {
        Moved { above: further(first, next), below: further(next_end, end) }
    } else {
        Moved { above: 0, below: further(wanted as u64, count as u64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_rows_that_stay_on_show_stay() {
        let check = |before: (u64, usize), after: (u64, usize), above: i64, below: i64| {
            let found = moved(before.0, before.1, after.0, after.1);
            assert_eq!(found, Moved { above, below }, "{before:?} {after:?}");
        };
        check((0, 0), (0, 40), 0, 40);
        check((0, 40), (0, 40), 0, 0);
        check((0, 40), (1, 40), -1, 1);
        check((10, 40), (7, 41), 3, -2);
        check((10, 40), (20, 10), -10, -20);
        check((10, 40), (49, 40), -39, 39);
        check((10, 40), (50, 41), 0, 1);
        check((10, 40), (9_000_000, 39), 0, -1);
        check((9_000_000, 39), (0, 40), 0, 1);
        check((10, 40), (0, 0), 0, -40);
    }
}
