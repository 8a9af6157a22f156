//! Why a line is not taken: a label for the counters and a sentence for the sender.

use crate::store::logs::fields::FieldError;
use sonde_shared::time::{TimeRange, Timestamp};

/// Why a line or message is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Beyond the protocol's limit of a line.
    #[error("the line is longer than {limit_bytes} bytes")]
    TooLong {
        /// The limit.
        limit_bytes: usize,
    },
    /// Not UTF-8.
    #[error("the line is not UTF-8: bad byte at column {column}")]
    NotUtf8 {
        /// Where, in bytes from 1.
        column: usize,
    },
    /// No line that can be stored.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A time that cannot be read or lies outside of what can be told.
    #[error("`{text}` is not a time; write unix seconds")]
    BadTs {
        /// What was given, shortened.
        text: String,
    },
    /// Later than the clock allows.
    #[error("{ts} is more than 24 hours ahead of the server's clock")]
    Future {
        /// The line's time.
        ts: Timestamp,
    },
    /// Later than any time that can be told.
    #[error("`{text}` lies centuries ahead; write unix seconds")]
    FarAway {
        /// What was given, shortened.
        text: String,
    },
    /// Earlier than what can be stored.
    #[error("{ts} is before {earliest}, the earliest time that is kept")]
    Past {
        /// The line's time.
        ts: Timestamp,
        /// The earliest that is taken.
        earliest: Timestamp,
    },
    /// Not path, value and time.
    #[error("{count} fields; a line is `path value timestamp`")]
    FieldCount {
        /// How many there were.
        count: usize,
    },
    /// A metric's path that cannot be one.
    #[error("the path {why}")]
    BadPath {
        /// What is wrong with it.
        why: &'static str,
    },
    /// A value that is no number.
    #[error("`{text}` is not a number")]
    BadValue {
        /// What was given, shortened.
        text: String,
    },
    /// A value that means "none".
    #[error("the value is NaN")]
    Nan,
    /// A stream that ended inside a line.
    #[error("the connection ended inside the line")]
    Unfinished,
    /// A pickle that cannot be read, or holds no list.
    #[error("the pickle {why}")]
    BadPickle {
        /// What is wrong with it.
        why: &'static str,
    },
    /// A pickle that wants objects made.
    #[error("the pickle holds an object; send plain texts, ints and floats (not numpy's)")]
    PickleObject,
    /// Part of a pickle that is no point.
    #[error("an item is not (path, (timestamp, value))")]
    BadItem,
    /// A connection whose first line is an HTTP request's.
    #[error("the sender speaks HTTP")]
    Http,
}

impl Refused {
    /// Every label, in the order of [`Refused::index`].
    pub const REASONS: [&'static str; 15] = [
        "too_long",
        "not_utf8",
        "not_json",
        "no_ts",
        "bad_ts",
        "future",
        "past",
        "no_msg",
        "bad_name",
        "bad_line",
        "nan",
        "unfinished",
        "http",
        "bad_pickle",
        "pickle_object",
    ];

    /// The place of this reason's label in [`Refused::REASONS`].
    pub fn index(&self) -> usize {
        match self {
            Self::TooLong { .. } => 0,
            Self::NotUtf8 { .. } | Self::Field(FieldError::NotUtf8 { .. } | FieldError::Packed { .. }) => 1,
            Self::Field(FieldError::NotJson { .. } | FieldError::NotObject { .. }) => 2,
            Self::Field(FieldError::NoTs) => 3,
            Self::BadTs { .. } | Self::Field(FieldError::BadTs { .. } | FieldError::NoZone { .. }) => 4,
            Self::Future { .. } | Self::FarAway { .. } => 5,
            Self::Past { .. } => 6,
            Self::Field(FieldError::NoMsg) => 7,
            Self::BadPath { .. } | Self::Field(FieldError::BadName { .. }) => 8,
            Self::FieldCount { .. } | Self::BadValue { .. } | Self::BadItem => 9,
            Self::Nan => 10,
            Self::Unfinished => 11,
            Self::Http => 12,
            Self::BadPickle { .. } => 13,
            Self::PickleObject => 14,
        }
    }

    /// The label for counters.
    pub fn reason(&self) -> &'static str {
        Self::REASONS[self.index()]
    }

    /// A time that cannot be read.
    pub(crate) fn bad_ts(text: &str) -> Self {
        Self::BadTs { text: text.chars().take(64).collect() }
    }

    /// Refuses a time outside of what is accepted.
    pub(crate) fn check_time(ts: Timestamp, accepts: TimeRange) -> Result<(), Self> {
        if ts >= accepts.until {
            return Err(Self::Future { ts });
        }
        if ts < accepts.from {
            return Err(Self::Past { ts, earliest: accepts.from });
        }
        Ok(())
    }
}
