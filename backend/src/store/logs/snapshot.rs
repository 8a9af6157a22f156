//! What the store held at one moment: segments, and how far each was whole then. Whoever has it works on it for as long as he
//! likes, and never waits for a writer.

use super::block::Block;
use super::segment::{self, Opening, Published, Segment};
use crate::store::StoreError;
use crate::store::file_view::Reading;
use crate::store::layout::day_dir;
use sonde_shared::time::{Day, TimeRange, Timestamp};
use std::path::Path;
use std::sync::Arc;

/// One segment in a snapshot.
#[derive(Clone, Debug)]
pub struct SegmentView {
    /// The segment.
    pub segment: Arc<Segment>,
    /// What of it was whole when the snapshot was taken.
    pub published: Published,
}

impl SegmentView {
    pub(super) fn now(segment: Arc<Segment>) -> Self {
        Self { published: segment.published(), segment }
    }

    /// Gives back what was looked at of its names.
    pub fn give_back(&mut self) {
        self.published = self.published.clone();
    }

    /// A block, by its number.
    pub fn block(&self, number: usize) -> Arc<Block> {
        self.segment.block(number, &self.published)
    }

    /// The blocks that may have lines in a range, by arrival.
    pub fn blocks_in(&self, range: TimeRange) -> impl Iterator<Item = Arc<Block>> {
        self.published.blocks.numbers_in(range).into_iter().map(|number| self.block(number))
    }

    /// All blocks, by arrival.
    pub fn blocks(&self) -> impl Iterator<Item = Arc<Block>> {
        (0..self.published.blocks.len()).map(|number| self.block(number))
    }
}

/// What the store held at one moment, for a range: days in order, each with its segments in order.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The segments of each day.
    pub days: Vec<(Day, Vec<SegmentView>)>,
    /// How many segments were deleted before it was taken.
    pub(super) deletions: u64,
    /// Where segments of it are still to be indexed: the instant before which it has all lines but such as came late.
    pub indexed_to: Option<Timestamp>,
}

/// What is whole in one day of a folder, read only: also while a server writes there.
pub fn attach(dir: &Path, day: Day, reading: Reading) -> Result<Snapshot, StoreError> {
    let opening = Opening::new(false, reading);
    let mut attempts = 0;
    let segments = loop {
        attempts += 1;
        match segment::open_all(&day_dir(dir, day), day, &opening) {
            // A segment that is sealed at this moment is found in its other form.
            Err(StoreError::Io { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound && attempts < 10 => {}
            outcome => break outcome?,
        }
    };
    let views = segments.into_iter().map(SegmentView::now).collect();
    Ok(Snapshot { days: vec![(day, views)], ..Snapshot::default() })
}
