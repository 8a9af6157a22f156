//! Which lines the log pane asks for.

use sonde_shared::log::Level;
use sonde_shared::time::TimeRange;
use sonde_shared::view::{FieldFilter, Order, encode};

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
    /// Whether that text is a regular expression.
    pub is_regex: bool,
    /// Only lines of this pattern.
    pub pattern: Option<String>,
    /// Only lines with these values of fields, or without them.
    pub fields: Vec<FieldFilter>,
    /// When.
    pub range: TimeRange,
    /// Oldest or newest first.
    pub order: Order,
}

impl LogQuery {
    /// Whether the server must read text to count the answer.
    pub const fn reads_text(&self) -> bool {
        !self.contains.is_empty() || !self.fields.is_empty()
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
        let mut text = String::new();
        let mut push = |key: &str, value: &str| {
            text.extend([key, "=", &encode(value), "&"]);
        };
        self.components.iter().for_each(|component| push("component", component));
        self.host.iter().for_each(|host| push("host", host));
        self.level.iter().for_each(|level| push("level", level.name()));
        self.pattern.iter().for_each(|pattern| push("pattern", pattern));
        if !self.contains.is_empty() {
            push(if self.is_regex { "regex" } else { "contains" }, &self.contains);
        }
        self.fields.iter().for_each(|field| push(&encode(&field.key()), &field.value));
        text
    }
}
