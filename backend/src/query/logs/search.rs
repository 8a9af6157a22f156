//! Looks for a text in all lines of a block at once.
//!
//! Lines that a filter takes lie scattered among others, and a search that begins anew with each of them spends more time on
//! beginning than on searching. So where a good part of a block is asked for anyway, its text is searched as one piece, and
//! the lines in which nothing was found need not be looked at. What was found are candidates: the lines themselves decide.

use super::{SegmentFilter, TextFilter};
use crate::query::budget::Budget;
use crate::store::file_view::or_end;
use crate::store::logs::block::{Block, Columns};
use crate::store::logs::segment::Segment;
use memchr::memchr;
use std::ops::Range;

/// Searching a line by itself costs as much as searching so many lines in one piece.
const LINES_A_LINE: u64 = 4;
/// So much is searched between two looks at the budget, up to the end of a line.
const STRETCH_BYTES: usize = 16 << 10;

/// Where in the text of a block something was found that may be what is asked for.
#[derive(Debug, Default)]
pub struct Candidates {
    /// Places in the segment, one a line at the most, rising.
    places: Vec<u32>,
    /// How much of the block's text is searched.
    searched: usize,
}

impl Candidates {
    /// A search that has not begun; `None` where the block's lines had better be searched one by one: few of its rows are asked
    /// for, nothing is asked for that a search could find, or its text does not lie in one piece.
    pub fn begin(
        segment: &Segment,
        block: &Block,
        rows: &Range<usize>,
        filter: &SegmentFilter,
        text: &TextFilter,
    ) -> Option<Self> {
        if text.contains.is_none() || !filter.is_of_cells() || segment.text_of(block).is_none() {
            return None;
        }
        let all = u64::from(block.meta().rows);
        let wanted: u64 = filter.cells(&block.counts()).map(|cell| u64::from(cell.lines)).sum();
        (wanted * rows.len() as u64 * LINES_A_LINE >= all * all).then(Self::default)
    }

    /// Searches on, as far as the budget goes; whether that was the end. However small the budget, it comes further. Reads a
    /// file: not for async threads.
    pub fn go_on(
        &mut self,
        segment: &Segment,
        block: &Block,
        text: &TextFilter,
        budget: &mut Budget,
    ) -> bool {
        let (Some(needle), Some((file, range))) = (&text.contains, segment.text_of(block)) else {
            return true;
        };
        while self.searched < range.len() {
            let start = range.start + self.searched;
            let text = or_end(file.lines(start..range.end, STRETCH_BYTES));
            budget.spend_text(text.len());
            let mut at = 0;
            while at < text.len()
                && let Some(found) = needle.find(&text[at..])
            {
                self.places.push((start + at + found) as u32);
                // The rest of the line says nothing new.
                at = line_end(&text, at + found + 1);
            }
            self.searched += text.len();
            if budget.is_spent() {
                break;
            }
        }
        self.searched >= range.len()
    }

    /// How much of the block's text was searched.
    pub fn searched_bytes(&self) -> u64 {
        self.searched as u64
    }

    /// Whether no line can match, when all was searched.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether a row's line may match, when all was searched.
    pub fn has(&self, columns: &Columns<'_>, row: usize) -> bool {
        let text = columns.text(row);
        let next = self.places.partition_point(|place| *place < text.start);
        self.places.get(next).is_some_and(|place| *place < text.end)
    }
}

/// The end of the line that holds the byte before a place, behind its line feed.
fn line_end(text: &[u8], at: usize) -> usize {
    memchr(b'\n', &text[at - 1..]).map_or(text.len(), |end| at + end)
}

#[cfg(test)]
mod tests {
    use super::super::LineFilter;
    use super::super::tests::{TestLine, line, store_all};
    use super::*;

    /// The lines that a search of all of a day's blocks takes for candidates, however short its steps.
    fn found(lines: &[TestLine], needle: &str, budget: Budget) -> Vec<usize> {
        let dir = tempfile::tempdir().unwrap();
        let store = store_all(dir.path(), lines, lines.len());
        let filter = LineFilter {
            text: TextFilter::containing(needle),
            ..LineFilter::all(sonde_shared::time::TimeRange::all())
        };
        let snapshot = store.logs().snapshot(filter.range).unwrap();
        let view = &snapshot.days[0].1[0];
        let mut found = Vec::new();
        for number in 0..view.published.blocks.len() {
            let block = &*view.block(number);
            let columns = view.segment.columns(block, &view.published);
            let (rows, of) = (0..columns.len(), filter.in_segment(view));
            let mut search = Candidates::begin(&view.segment, block, &rows, &of, &filter.text).unwrap();
            let mut before = 0;
            while !search.go_on(&view.segment, block, &filter.text, &mut budget.clone()) {
                assert!(search.searched_bytes() > before, "it comes further");
                before = search.searched_bytes();
            }
            let matching = rows.filter(|row| search.has(&columns, *row));
            found.extend(matching.map(|row| columns.arrival(row) as usize));
        }
        found.sort_unstable();
        found
    }

    #[test]
    fn a_search_of_whole_blocks_finds_the_lines_that_contain_a_text() {
        let lines: Vec<TestLine> =
            (0..3_000).map(|number| line(number, ((number % 7) as i64, number % 5, 1, 2))).collect();
        for needle in ["17", "\"line 2999 ", "{", "}", "no such text", "", "\u{fc}"] {
            let contains = |number: &usize| lines[*number].text.contains(needle);
            let expected: Vec<usize> = (0..lines.len()).filter(contains).collect();
            for budget in [Budget::of_rows(1), Budget::STEP] {
                assert_eq!(found(&lines, needle, budget), expected, "{needle}");
            }
        }
    }
}
