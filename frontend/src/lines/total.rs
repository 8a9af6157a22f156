//! How many lines a query has, as far as it is known.

use sonde_shared::time::{TimeRange, Timestamp};

/// The number of lines of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Total {
    /// Nothing was heard yet.
    #[default]
    Unknown,
    /// So many at least: text is read to find more.
    AtLeast {
        /// The lines that were found.
        lines: u64,
        /// How far in time the search has come, 0 to 1.
        scanned: f64,
    },
    /// All of them.
    Known(u64),
}

impl Total {
    /// The number of lines that can be scrolled to.
    pub const fn rows(self) -> u64 {
        match self {
            Self::Unknown => 0,
            Self::AtLeast { lines, .. } | Self::Known(lines) => lines,
        }
    }

    /// The number, if it is final.
    pub const fn known(self) -> Option<u64> {
        match self {
            Self::Known(lines) => Some(lines),
            _ => None,
        }
    }

    /// The total after a further line was seen at a position, at an instant of the range.
    #[must_use]
    pub fn having_seen(self, index: u64, at: Timestamp, range: TimeRange) -> Self {
        match self {
            Self::Known(lines) => Self::Known(lines.max(index + 1)),
            earlier => {
                let passed = at.nanos_since(range.from) as f64 / range.nanos().max(1) as f64;
                Self::AtLeast { lines: earlier.rows().max(index + 1), scanned: passed.clamp(0.0, 1.0) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_says_how_far_it_came() {
        let range = TimeRange::between(Timestamp::from_secs(100), Timestamp::from_secs(200));
        let total = Total::Unknown.having_seen(0, Timestamp::from_secs(110), range);
        assert_eq!(
            total.having_seen(1, Timestamp::from_secs(140), range),
            Total::AtLeast { lines: 2, scanned: 0.4 }
        );
        assert_eq!(Total::Known(9).having_seen(1, Timestamp::from_secs(140), range), Total::Known(9));
    }
}
