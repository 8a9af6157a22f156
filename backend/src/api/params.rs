//! Parameters of a query string and of a path, read with errors that say how to do it right.

use super::ApiError;
use crate::graphite_time::GraphiteClock;
use crate::state::AppState;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use sonde_shared::component::Selector;
use sonde_shared::log::Level;
use sonde_shared::query_string::decode;
use sonde_shared::time::{TimeRange, Timestamp, parse_time};

/// A query string as ordered pairs; keys may repeat.
#[derive(Debug, Default)]
pub struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// Reads a query string or a form body. Unknown keys are kept.
    pub fn parse(query: &str) -> Self {
        let pair = |text: &str| {
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            (decode(key), decode(value))
        };
        Self { pairs: query.split('&').filter(|text| !text.is_empty()).map(pair).collect() }
    }

    /// Adds the pairs of another, behind these.
    pub fn extend(&mut self, other: Self) {
        self.pairs.extend(other.pairs);
    }

    /// The last value of a key; an empty one counts as not given.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    /// Whether a key is given, with a value or without.
    pub fn has(&self, key: &str) -> bool {
        self.pairs.iter().any(|(k, _)| k == key)
    }

    /// Every value of a key that is not empty, in order.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.pairs.iter().filter(move |(k, v)| k == key && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    /// Keys that begin with `prefix`, without it, each with its value; empty values are left out.
    pub fn beginning_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
        let named =
            self.pairs.iter().filter_map(move |(key, value)| Some((key.strip_prefix(prefix)?, value)));
        named
            .filter(|(name, value)| !name.is_empty() && !value.is_empty())
            .map(|(name, v)| (name, v.as_str()))
    }

    /// Refuses keys that are not in the list, so that a misspelt filter is not taken for none.
    pub fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        let unknown = self.pairs.iter().find(|(key, _)| !known.contains(&key.as_str()));
        unknown.map_or(Ok(()), |(key, _)| {
            let detail =
                format!("there is no parameter `{}` here; there are {}", clip(key), known.join(", "));
            Err(ApiError::parameter(&clip(key), detail, known.first().unwrap_or(&"")))
        })
    }

    /// An instant.
    pub fn time(&self, key: &str, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
        let parse = |text: &str| {
            parse_time(text, now).map_err(|e| ApiError::parameter(key, e.to_string(), "2026-11-20T14:05:00Z"))
        };
        self.get(key).map(parse).transpose()
    }

    /// `now` and the zone `tz` of Graphite's addresses.
    pub fn graphite_clock(&self) -> Result<GraphiteClock, ApiError> {
        let clock = GraphiteClock::of_place(AppState::now(), self.get("tz").unwrap_or("UTC"));
        Ok(self.graphite_time("now", &clock)?.map_or(clock.clone(), |now| clock.at(now)))
    }

    /// An instant as Graphite's addresses take it. An empty one is now, as there.
    pub fn graphite_time(&self, key: &str, clock: &GraphiteClock) -> Result<Option<Timestamp>, ApiError> {
        let given = self.pairs.iter().rev().find(|(k, _)| k == key);
        let read = |(_, text): &(String, String)| {
            clock.read(text).map_err(|e| ApiError::parameter(key, e.to_string(), "-1h"))
        };
        given.map(read).transpose()
    }

    /// `from` and `until`, which default to all of time.
    pub fn range(&self) -> Result<TimeRange, ApiError> {
        let now = AppState::now();
        Self::forward(self.time("from", now)?, self.time("until", now)?)
    }

    /// The same of Graphite's `/metrics/find`, where -1 stands for none too.
    pub fn graphite_range(&self) -> Result<TimeRange, ApiError> {
        let clock = self.graphite_clock()?;
        let time = |key: &str| match self.get(key) {
            Some("-1") => Ok(None),
            _ => self.graphite_time(key, &clock),
        };
        Self::forward(time("from")?, time("until")?)
    }

    fn forward(from: Option<Timestamp>, until: Option<Timestamp>) -> Result<TimeRange, ApiError> {
        let (from, until) = (from.unwrap_or(Timestamp::MIN), until.unwrap_or(Timestamp::MAX));
        if from > until {
            let detail = format!("`from` ({from}) is after `until` ({until})");
            return Err(ApiError::parameter("from", detail, "from=09:30&until=09:45"));
        }
        Ok(TimeRange { from, until })
    }

    /// `baseline_from` and `baseline_until`, which go together: what a range is compared with.
    pub fn baseline(&self) -> Result<Option<TimeRange>, ApiError> {
        let now = AppState::now();
        let wrong = |parameter: &str, detail: String| {
            Err(ApiError::parameter(parameter, detail, "2026-11-20T13:05:00Z"))
        };
        match (self.time("baseline_from", now)?, self.time("baseline_until", now)?) {
            (None, None) => Ok(None),
            (Some(from), Some(until)) if from <= until => Ok(Some(TimeRange { from, until })),
            (Some(from), Some(until)) => wrong(
                "baseline_from",
                format!("`baseline_from` ({from}) is after `baseline_until` ({until})"),
            ),
            (from, _) => {
                let missing = if from.is_none() { "baseline_from" } else { "baseline_until" };
                wrong(missing, "a baseline has both ends: `baseline_from` and `baseline_until`".to_owned())
            }
        }
    }

    /// The component selectors.
    pub fn components(&self) -> Result<Vec<Selector>, ApiError> {
        let parse = |text: &str| {
            Selector::parse(text)
                .map_err(|e| ApiError::parameter("component", e.to_string(), "shop.checkout"))
        };
        self.all("component").map(parse).collect()
    }

    /// The least level.
    pub fn level(&self) -> Result<Option<Level>, ApiError> {
        let parse = |text: &str| {
            let detail = || {
                format!(
                    "`{}` is not a level; there are trace, debug, info, warn, error and fatal",
                    clip(text)
                )
            };
            Level::parse(text).ok_or_else(|| ApiError::parameter("level", detail(), "warn"))
        };
        self.get("level").map(parse).transpose()
    }

    /// A whole number.
    pub fn number(&self, key: &str) -> Result<Option<u64>, ApiError> {
        let parse = |text: &str| {
            let detail = || format!("`{}` is not a whole number", clip(text));
            text.parse().map_err(|_error: std::num::ParseIntError| ApiError::parameter(key, detail(), "100"))
        };
        self.get(key).map(parse).transpose()
    }

    /// A switch: `1`, `true`, `yes` or `0`, `false`, `no`.
    pub fn flag(&self, key: &str) -> Result<bool, ApiError> {
        match self.get(key) {
            None | Some("0" | "false" | "no") => Ok(false),
            Some("1" | "true" | "yes") => Ok(true),
            Some(other) => {
                let detail = format!(
                    "`{}` is neither true nor false; write 1, true or yes, or else 0, false or no",
                    clip(other)
                );
                Err(ApiError::parameter(key, detail, "true"))
            }
        }
    }
}

/// The part of a path that a route leaves open.
pub struct PathPart(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathPart {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(part) = Path::<String>::from_request_parts(parts, state).await.map_err(|_not_utf8| {
            ApiError::parameter("path", "a name in the path is not UTF-8 once it is decoded", "caf%C3%A9")
        })?;
        Ok(Self(part))
    }
}

/// The first 64 characters, for messages.
pub fn clip(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_on_or_off_and_nothing_else() {
        let check = |query: &str, expected: bool| {
            assert_eq!(Params::parse(query).flag("envelope").unwrap(), expected, "{query}");
        };
        for on in ["1", "true", "yes"] {
            check(&format!("envelope={on}"), true);
        }
        for off in ["envelope=0", "envelope=false", "envelope=no", "envelope=", "other=1"] {
            check(off, false);
        }
        for wrong in ["2", "TRUE", "on", "1 "] {
            let error = Params::parse(&format!("envelope={wrong}")).flag("envelope").unwrap_err();
            let ApiError::Parameter { parameter, detail, example } = error else { panic!("{error}") };
            assert_eq!((&*parameter, &*example), ("envelope", "true"));
            let right = "neither true nor false; write 1, true or yes, or else 0, false or no";
            assert_eq!(detail, format!("`{wrong}` is {right}"));
        }
    }
}
