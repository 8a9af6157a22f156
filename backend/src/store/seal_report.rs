//! What sealing a folder by hand has done.

use sonde_shared::time::Day;
use std::collections::BTreeSet;

/// What was sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealReport {
    /// The days of which something was sealed.
    pub days: BTreeSet<Day>,
    /// Segments that got their compressed form.
    pub segments: u64,
    /// The lines of these.
    pub lines: u64,
    /// The points of days whose points became one file.
    pub points: u64,
}
