//! `/health`, `/ready` and `/metrics`: for machines that watch Sonde itself.

use crate::ingest::counters;
use crate::state::AppState;
use crate::store::Store;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// Answers `ok` as soon as the server listens, and says so when there are lines that answers do not have yet.
pub async fn health(State(state): State<AppState>) -> String {
    match state.store.logs().unindexed() {
        (0, _) => "ok\n".to_owned(),
        (segments, failures) => format!(
            "ok\nsegments of lines that are still to be indexed: {segments}; failed attempts: {failures}\n"
        ),
    }
}

/// 200 while the store takes writes, else 503 with the reason.
pub async fn ready(State(state): State<AppState>) -> impl IntoResponse {
    let why = state.store.refusing().map(|why| format!("{why}\n"));
    why.map_or((StatusCode::OK, "ready\n".to_owned()), |why| (StatusCode::SERVICE_UNAVAILABLE, why))
}

/// Counters and gauges in Prometheus' text format, version 0.0.4.
pub async fn metrics(State(state): State<AppState>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text(&state))
}

/// What `/metrics` answers.
pub fn text(state: &AppState) -> String {
    let mut out = String::with_capacity(8 << 10);
    counters::render(&state.counters, &mut out);
    render_store(&state.store, &mut out);
    render_foreign(&state.store, &mut out);
    let running = state.queries.running();
    sample(&mut out, "gauge", "sonde_queries_running", "Queries that work or wait for a thread.", running);
    let live = state.followers.taken();
    sample(&mut out, "gauge", "sonde_live_connections", "Connections to /api/live.", live);
    let steps = state.queries.steps();
    sample(&mut out, "counter", "sonde_query_steps_total", "Steps that queries have taken.", steps);
    let busy = state.queries.busy_micros();
    sample(&mut out, "counter", "sonde_query_busy_micros_total", "Microseconds that these took.", busy);
    out
}

fn render_foreign(store: &Store, out: &mut String) {
    let foreign = store.logs().foreign();
    let rows = [
        ("gauge", "files", "Foreign files that are followed.", &foreign.files),
        ("gauge", "lines", "Lines of foreign files.", &foreign.lines),
        ("gauge", "bad_lines", "Lines of foreign files that are passed over.", &foreign.bad_lines),
        ("gauge", "behind_bytes", "Bytes of foreign files that are not yet read.", &foreign.behind_bytes),
        ("gauge", "unreadable", "Foreign folders and files that cannot be read.", &foreign.unreadable),
        ("counter", "read_lines_total", "Lines that were read from foreign files.", &foreign.read_lines),
        (
            "counter",
            "changed_files_total",
            "Foreign files that were read anew, because they were cut short or written anew.",
            &foreign.changed_files,
        ),
    ];
    for (kind, name, help, value) in rows {
        sample(out, kind, &format!("sonde_foreign_{name}"), help, value.load(Ordering::Relaxed));
    }
}

/// A figure's name, what it tells, and its value.
type Row = (&'static str, &'static str, u64);

fn render_store(store: &Store, out: &mut String) {
    for (name, help, value) in [&log_counters(store)[..], &folder_counters(store)].concat() {
        sample(out, "counter", name, help, value);
    }
    for (name, help, value) in [&folder_gauges(store)[..], &point_gauges(store)].concat() {
        sample(out, "gauge", name, help, value);
    }
}

/// Of lines: what was stored and what queries read.
fn log_counters(store: &Store) -> [Row; 9] {
    let logs = store.logs().counters();
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    [
        ("sonde_logs_stored_lines_total", "Lines that were committed.", read(&logs.stored_lines)),
        (
            "sonde_logs_refused_lines_total",
            "Lines that could not be stored and whose senders were told.",
            read(&logs.refused_lines),
        ),
        ("sonde_logs_lost_lines_total", "Lines of streams that could not be stored.", read(&logs.lost_lines)),
        (
            "sonde_follow_gaps_total",
            "Notices to followers that lines were deleted before they were sent.",
            read(&logs.follow_gaps),
        ),
        ("sonde_logs_commits_total", "Commits of lines.", read(&logs.commits)),
        (
            "sonde_query_text_bytes_total",
            "Bytes of line text that queries have read.",
            read(&logs.text_bytes_read),
        ),
        (
            "sonde_query_rows_total",
            "Index rows that queries have looked at one by one.",
            read(&logs.rows_scanned),
        ),
        (
            "sonde_unindexed_failures_total",
            "Attempts to read a segment that is still to be indexed that failed; each is made again.",
            store.logs().unindexed().1,
        ),
        (
            "sonde_batches_forgotten_total",
            "Keys of Sonde-Batch that were forgotten before their time, for want of room.",
            store.logs().remembered().counts().forgotten,
        ),
    ]
}

/// What was deleted, and what became of points.
fn folder_counters(store: &Store) -> [Row; 6] {
    let (deleted, points) = (store.deleted(), store.metrics().stats());
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    [
        (
            "sonde_retention_deleted_days_total",
            "Days that were deleted because of their age or for want of room.",
            read(&deleted.days),
        ),
        (
            "sonde_retention_deleted_segments_total",
            "Segments of lines that were deleted with their days.",
            read(&deleted.segments),
        ),
        (
            "sonde_retention_deleted_bytes_total",
            "Bytes of the disk that deleted days took.",
            read(&deleted.bytes),
        ),
        ("sonde_metrics_stored_points_total", "Points that were stored.", points.points_stored),
        ("sonde_metrics_refused_points_total", "Points that no file can hold.", points.points_refused),
        (
            "sonde_metrics_lost_points_total",
            "Points of streams that could not be stored.",
            points.points_lost,
        ),
    ]
}

/// The disk, and what is held of lines.
fn folder_gauges(store: &Store) -> [Row; 5] {
    let disk = store.disk();
    [
        ("sonde_disk_free_bytes", "Free on the disk; 0 where no reserve is kept.", disk.free_bytes),
        ("sonde_disk_reserve_bytes", "Kept of that for compressing and deleting.", disk.reserve_bytes),
        ("sonde_disk_refusing", "1 while lines and points are refused to keep it.", disk.is_refusing.into()),
        (
            "sonde_unindexed_segments",
            "Segments whose index is being made again; answers do not have their lines yet.",
            store.logs().unindexed().0,
        ),
        (
            "sonde_batches",
            "Keys of Sonde-Batch that are remembered.",
            store.logs().remembered().counts().bodies,
        ),
    ]
}

/// What is held of points, and how much of streams is at risk.
fn point_gauges(store: &Store) -> [Row; 6] {
    let points = store.metrics().stats();
    [
        ("sonde_metrics_head_series", "Series with points in memory.", points.head_series),
        ("sonde_metrics_head_points", "Points in memory.", points.head_points),
        ("sonde_metrics_open_parts", "Part files that are open.", points.parts),
        ("sonde_metrics_wal_bytes", "Bytes in write-ahead logs.", points.wal_bytes),
        ("sonde_metrics_damaged_files", "Files that could not be read.", points.damaged_files),
        (
            "sonde_stream_loss_bound_ms",
            "What a power loss takes of streams without an answer, at most.",
            crate::store::logs::SYNC_INTERVAL.as_millis() as u64,
        ),
    ]
}

fn sample(out: &mut String, kind: &str, name: &str, help: &str, value: u64) {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}")
        .expect("a String takes every write");
}
