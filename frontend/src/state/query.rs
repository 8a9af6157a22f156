//! Which lines the log pane asks for.

use sonde_shared::log::Level;
use sonde_shared::query_string::QueryString;
use sonde_shared::time::TimeRange;
use sonde_shared::view::{FieldFilter, Order};

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
    /// All lines of a range.
    pub const fn all(range: TimeRange) -> Self {
        Self {
            components: Vec::new(),
            host: None,
            level: None,
            contains: String::new(),
            is_regex: false,
            pattern: None,
            fields: Vec::new(),
            range,
            order: Order::Ascending,
        }
    }

    /// Whether the server must read text to count the answer.
    pub fn reads_text(&self) -> bool {
        !self.contains.is_empty() || !self.fields.iter().all(FieldFilter::is_of_columns)
    }

    /// Whether it asks for more than components and a range.
    pub fn is_narrowed(&self) -> bool {
        self.host.is_some()
            || self.level.is_some()
            || self.pattern.is_some()
            || !self.contains.is_empty()
            || !self.fields.is_empty()
    }

    /// Whether the other query differs in nothing but the range.
    pub fn same_filters(&self, other: &Self) -> bool {
        Self { range: other.range, ..self.clone() } == *other
    }

    /// The address of all lines as they were sent, in the order of the pane.
    pub fn download(&self) -> String {
        let order = if self.order == Order::Descending { "&order=desc" } else { "" };
        ["/api/logs?", &self.parameters(self.range), order].concat()
    }

    /// What a file with these lines is called: `shop.orders_2026-11-20T140500Z.ndjson`.
    pub fn file_name(&self) -> String {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        let name = if let [component] = self.components.as_slice() { component } else { "lines" };
        let name: String = name.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
        let from = self.range.from.to_string().replace(':', "");
        [&name, "_", &from, ".ndjson"].concat()
    }

    /// The filters and the range as a query string, for lines and histogram alike.
    pub fn parameters(&self, range: TimeRange) -> String {
        self.asked(range).into_text()
    }

    /// The same, for who asks for more.
    pub fn asked(&self, range: TimeRange) -> QueryString {
        let mut query = self.filters();
        query.push_range(["from", "until"], range);
        query
    }

    /// The filters alone.
    pub fn filters(&self) -> QueryString {
        let mut query = QueryString::default();
        query.push_all("component", &self.components);
        query.push_some("host", self.host.as_deref());
        query.push_some("level", self.level.map(Level::name));
        query.push_some("pattern", self.pattern.as_deref());
        let text = if self.is_regex { "regex" } else { "contains" };
        query.push_some(text, Some(self.contains.as_str()).filter(|text| !text.is_empty()));
        self.fields.iter().for_each(|field| query.push(&field.key(), &field.value));
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::time::Timestamp;

    #[test]
    fn a_file_is_named_after_its_lines() {
        let range =
            TimeRange::between(Timestamp::from_secs(1_763_647_500), Timestamp::from_secs(1_763_647_620));
        let of = |components: &[&str]| {
            let components = components.iter().map(|one| (*one).to_owned()).collect();
            LogQuery { components, order: Order::Descending, ..LogQuery::all(range) }
        };
        assert_eq!(of(&["shop.*/x"]).file_name(), "shop.__x_2025-11-20T140500Z.ndjson");
        assert_eq!(of(&["a", "b"]).file_name(), "lines_2025-11-20T140500Z.ndjson");
        let expected =
            "/api/logs?component=a&from=2025-11-20T14:05:00Z&until=2025-11-20T14:07:00Z&order=desc";
        assert_eq!(of(&["a"]).download(), expected);
    }
}
