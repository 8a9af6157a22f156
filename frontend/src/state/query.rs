//! Which lines the log pane asks for.

use sonde_shared::log::Level;
use sonde_shared::time::TimeRange;
use sonde_shared::view::{Order, encode};

/// The filters of one log query; equal queries have equal answers (while no lines arrive).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogQuery {
    /// Components, each with all below it; empty for all.
    pub components: Vec<String>,
    /// Only this host.
    pub host: Option<String>,
    /// Only this level and worse.
    pub level: Option<Level>,
    /// Only lines with this text.
    pub contains: String,
    /// When.
    pub range: TimeRange,
    /// Oldest or newest first.
    pub order: Order,
}

impl LogQuery {
    /// Whether the server must read text to count the answer.
    pub const fn reads_text(&self) -> bool {
        !self.contains.is_empty()
    }

    /// Whether the other query differs in nothing but the range.
    pub fn same_filters(&self, other: &Self) -> bool {
        Self { range: other.range, ..self.clone() } == *other
    }

    /// The filters and the range as a query string, for lines and histogram alike.
    pub fn parameters(&self, range: TimeRange) -> String {
        let (from, until) = (encode(&range.from.to_string()), encode(&range.until.to_string()));
        format!("{}from={from}&until={until}", self.filters())
    }

    /// The filters alone, each with a `&` behind it.
    pub fn filters(&self) -> String {
        let mut pairs: Vec<(&str, String)> =
            self.components.iter().map(|component| ("component", component.clone())).collect();
        pairs.extend(self.host.clone().map(|host| ("host", host)));
        pairs.extend(self.level.map(|level| ("level", level.name().to_owned())));
        if self.reads_text() {
            pairs.push(("contains", self.contains.clone()));
        }
        let pairs: Vec<String> =
            pairs.iter().map(|(key, value)| format!("{key}={}&", encode(value))).collect();
        pairs.concat()
    }
}
