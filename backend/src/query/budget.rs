//! How much one step of a query may do.
//!
//! A query is a row of short steps. Between two of them it can be given up, because its client is gone or the server
//! stops, and others can have their turn. What is counted is work, not time, so that a step is the same everywhere.

/// Bytes of text that cost as much as looking at one row.
const TEXT_BYTES: usize = 16;

/// What is left of a step's work, in rows looked at.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    rows: u64,
}

impl Budget {
    /// The work of one step: some milliseconds, far more than it costs to begin one.
    pub const STEP: Self = Self::of_rows(1 << 18);
    /// The work before the first lines of an answer are sent.
    pub const FIRST: Self = Self::of_rows(1 << 14);
    /// The work between two looks at the clock.
    pub const TICK: Self = Self::of_rows(1 << 12);

    /// So many rows, or sixteen times as many bytes of text.
    pub const fn of_rows(rows: u64) -> Self {
        Self { rows }
    }

    /// Notes rows, blocks or names that were looked at.
    pub fn spend(&mut self, rows: u64) {
        self.rows = self.rows.saturating_sub(rows);
    }

    /// Notes text that was read.
    pub fn spend_text(&mut self, bytes: usize) {
        self.spend((bytes / TEXT_BYTES + 1) as u64);
    }

    /// Notes what was read of foreign files or decoded of sealed ones: the text that lies around a line.
    pub fn spend_frames(&mut self, bytes: usize) {
        self.spend((bytes / TEXT_BYTES) as u64);
    }

    /// Whether the step is over.
    pub fn is_spent(&self) -> bool {
        self.rows == 0
    }
}
