//! `GET /api/live`: the data of its events, as JSON. Counts are those of [`crate::api::Histogram`], lines those of
//! [`crate::api::Envelope`].

use serde::{Deserialize, Serialize};

/// The data of `hello` and `clock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveClock {
    /// The server's clock, unix ms.
    pub now_ms: i64,
}

/// The data of `points`: what is new of a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LivePoints {
    /// The target's place in the request, from 0.
    pub target: usize,
    /// Its series with new points, by name.
    pub series: Vec<LiveSeries>,
}

/// New points of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiveSeries {
    /// The series.
    pub name: String,
    /// The spacing of its points; where there is much more between two of them there is a gap.
    pub step_ms: f64,
    /// Unix ms and value, in order. Values are finite.
    pub points: Vec<(f64, f64)>,
}

/// The data of `changed`: a target is to be asked for as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveTarget {
    /// The target's place in the request, from 0.
    pub target: usize,
}
