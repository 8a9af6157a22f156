//! Sonde's own figures as series of its own store, below `sonde.`: what `/metrics` tells, every ten seconds.
//!
//! `sonde_ingest_lines_total{protocol="carbon_tcp"}` is `sonde.ingest.lines.carbon_tcp` there: of a counter it is what came
//! since the point before, as carbon tells its own; of all else the value. What was never anything but 0 has no series.

use crate::api::health;
use crate::state::AppState;
use crate::store::batch::{Durability, PointBatch};
use crate::store::metrics::OWN_FIGURES;
use sonde_shared::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;

/// Seconds between two points.
const STEP_SECS: i64 = 10;

/// Stores the figures at each ten seconds of the clock, until the server stops.
pub(super) async fn keep(state: AppState, mut stopped: watch::Receiver<bool>) {
    let mut last = Figures::read(&health::text(&state));
    loop {
        let now = AppState::now();
        let next = (now.as_secs() / STEP_SECS + 1) * STEP_SECS;
        let wait = Timestamp::from_secs(next).nanos_since(now);
        // An error means that the sender is gone, which is a stop too.
        let until_stop = stopped.wait_for(|stop| *stop);
        if tokio::time::timeout(Duration::from_nanos(wait.unsigned_abs()), until_stop).await.is_ok() {
            return;
        }
        let figures = Figures::read(&health::text(&state));
        let batch = figures.since(&last, next);
        last = figures;
        if let Err(error) = state.store.append_points(batch, Durability::Streamed).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "sonde's own figures are not stored");
        }
    }
}

/// Figures by the path of their series, and whether each only grows.
#[derive(Debug, Default, PartialEq)]
struct Figures(BTreeMap<String, (f64, bool)>);

impl Figures {
    /// Reads Prometheus' text format.
    fn read(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        Self(samples.filter_map(read_sample).collect())
    }

    /// One point each, at a second.
    fn since(&self, last: &Self, at_secs: i64) -> PointBatch {
        let mut batch = PointBatch::default();
        for (path, (value, grows)) in &self.0 {
            let before = last.0.get(path).map_or(0.0, |(value, _)| *value);
            if *value != 0.0 || before != 0.0 {
                batch.push(path, at_secs, if *grows { value - before } else { *value });
            }
        }
        batch
    }
}

/// `name{label="value",…} number`.
fn read_sample(line: &str) -> Option<(String, (f64, bool))> {
    let (series, value) = line.rsplit_once(' ')?;
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let (family, figure) = name.strip_prefix("sonde_")?.split_once('_')?;
    let grows = figure.ends_with("_total");
    let mut path = format!("{OWN_FIGURES}{family}.{}", figure.trim_end_matches("_total"));
    for label in labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty()) {
        let (_, value) = label.split_once('=')?;
        path.push('.');
        path.extend(
            value.trim_matches('"').chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '-' }),
        );
    }
    Some((path, (value.parse().ok()?, grows)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP sonde_ingest_lines_total Lines.\n# TYPE sonde_ingest_lines_total counter\n\
        sonde_ingest_lines_total{protocol=\"carbon_tcp\"} 7\nsonde_ingest_lines_total{protocol=\"syslog_udp\"} 0\n\
        sonde_ingest_refused_lines_total{protocol=\"carbon_tcp\",reason=\"bad line\"} 2\n\
        sonde_metrics_wal_bytes 12.5\nother_total 9\nnonsense\n";

    fn points(batch: &PointBatch) -> Vec<(String, i64, f64)> {
        let point = |row: &crate::store::batch::PointRow| {
            (batch.series.name(row.series).to_string(), row.ts_secs, row.value)
        };
        batch.rows.iter().map(point).collect()
    }

    #[test]
    fn counters_are_told_by_what_came_and_gauges_as_they_are() {
        let first = Figures::read(TEXT);
        let point = |path: &str, value: f64| (path.to_owned(), 50, value);
        let refused = "sonde.ingest.refused_lines.carbon_tcp.bad-line";
        let expected = [
            point("sonde.ingest.lines.carbon_tcp", 7.0),
            point(refused, 2.0),
            point("sonde.metrics.wal_bytes", 12.5),
        ];
        assert_eq!(points(&first.since(&Figures::default(), 50)), expected);
        let later = Figures::read(&TEXT.replace("\"} 7", "\"} 10").replace(" 12.5", " 0"));
        let expected = [
            point("sonde.ingest.lines.carbon_tcp", 3.0),
            point(refused, 0.0),
            point("sonde.metrics.wal_bytes", 0.0),
        ];
        assert_eq!(points(&later.since(&first, 50)), expected);
    }
}
