//! Lines of all components together on their way to be counted, by time and level, host and pattern.

use super::counts::{self, CellKey};
use super::{Counts, SLOT_NANOS};
use rustc_hash::FxHashMap;

/// How many minutes slots are wide: of these, neighbours from the first on that leaves no more than [`MAX_CELLS`] cells. Each
/// is a multiple of the one before. The third is wide enough for all lines that are of their day.
pub(super) const WIDTHS_MINUTES: [i64; 8] = [1, 10, 60, 1_440, 14_400, 1_440_000, 14_400_000, 144_000_000];
/// No list of cells has more, sixteen bytes each, when those of one key are added up.
pub(super) const MAX_CELLS: usize = 1 << 20;

/// Counts of blocks, added up. A day has no more than 8,640 cells, and 20,000 hosts and patterns.
#[derive(Debug)]
pub(super) struct AllTally {
    /// The first is that of the cells at hand.
    widths: &'static [i64],
    cells: FxHashMap<CellKey, u32>,
    hosts: Vec<u32>,
    patterns: Vec<u32>,
}

impl Default for AllTally {
    fn default() -> Self {
        let cells = FxHashMap::default();
        Self { widths: &WIDTHS_MINUTES, cells, hosts: Vec::new(), patterns: Vec::new() }
    }
}

impl AllTally {
    /// Adds a block's.
    pub(super) fn add(&mut self, counts: &Counts<'_>) {
        for at in 0..counts.cell_count() {
            let (key, lines) = counts.keyed(0, at);
            *self.cells.entry(key.widened(self.widths[0])).or_insert(0) += lines;
        }
        while self.cells.len() > MAX_CELLS
            && let [narrow, rest @ ..] = self.widths
            && let Some(wide) = rest.first()
        {
            self.widths = rest;
            let narrower = std::mem::take(&mut self.cells).into_iter();
            narrower
                .map(|(key, lines)| (key.widened(wide / narrow), lines))
                .for_each(|(key, lines)| *self.cells.entry(key).or_insert(0) += lines);
        }
        counts.hosts().for_each(|(host, lines)| add_to(&mut self.hosts, host, lines));
        counts.patterns().for_each(|(pattern, lines)| add_to(&mut self.patterns, pattern, lines));
    }

    /// Appends the sums.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut cells: Vec<_> = self.cells.iter().map(|(key, lines)| (*key, *lines)).collect();
        cells.sort_unstable();
        let pairs = [pairs(&self.hosts), pairs(&self.patterns)];
        counts::encode(SLOT_NANOS * self.widths[0], &cells, [&pairs[0], &pairs[1]], out);
    }
}

/// Adds lines to those of a number.
fn add_to(lines: &mut Vec<u32>, number: u16, more: u64) {
    let at = usize::from(number);
    if at >= lines.len() {
        lines.resize(at + 1, 0);
    }
    lines[at] += more as u32;
}

/// The numbers that have lines.
fn pairs(lines: &[u32]) -> Vec<(u16, u32)> {
    (0..=u16::MAX).zip(lines.iter().copied()).filter(|(_, lines)| *lines > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There are no such numbers but in an index that was made up.
    #[test]
    fn the_greatest_number_has_its_lines_too() {
        let mut lines = Vec::new();
        add_to(&mut lines, u16::MAX, 7);
        add_to(&mut lines, 3, 1);
        assert_eq!(pairs(&lines), [(3, 1), (u16::MAX, 7)]);
    }
}
