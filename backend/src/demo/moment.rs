//! What goes on in the cluster at an instant: how much load, how deep in the incident, whether the backup runs.

use super::Demo;
use super::noise::Noise;
use sonde_shared::time::{NANOS_PER_SEC, TimeRange};

/// Load through the day, hour by hour in UTC, about 1 on average.
const LOAD_BY_HOUR: [f64; 24] = [
    0.52, 0.42, 0.36, 0.33, 0.34, 0.42, 0.60, 0.88, 1.20, 1.45, 1.55, 1.50, //
    1.40, 1.50, 1.62, 1.60, 1.48, 1.28, 1.08, 0.98, 0.92, 0.85, 0.74, 0.62,
];
/// The nightly backup, seconds of the day.
pub(super) const BACKUP_SECS: std::ops::Range<i64> = 2 * 3_600..2 * 3_600 + 40 * 60;
/// The deploy, second of the day.
pub(super) const DEPLOY_SEC: i64 = 11 * 3_600;
/// The incident's start, second of the day.
pub(super) const INCIDENT_SEC: i64 = 14 * 3_600 + 5 * 60;
/// How long the incident lasts.
pub(super) const INCIDENT_SECS: i64 = 120;
/// Seconds of a day.
pub(super) const DAY_SECS: i64 = 86_400;

/// The state of things at an instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Unix seconds.
    pub(super) secs: f64,
    /// Load, 1 on average.
    pub(super) load: f64,
    /// The incident, from 0 (nothing) to 1 (full).
    pub(super) incident: f64,
    /// The backup, from 0 to 1.
    pub(super) backup: f64,
    /// Restarting after a deploy, from 0 to 1.
    pub(super) restart: f64,
    /// Days since the incident began, negative before it.
    pub(super) days: f64,
}

impl Moment {
    /// The moment of an instant.
    pub(super) fn of(demo: &Demo, secs: f64) -> Self {
        let in_day = secs - (secs / DAY_SECS as f64).floor() * DAY_SECS as f64;
        let start = demo.incident.from.as_nanos() as f64 / NANOS_PER_SEC as f64;
        Self {
            secs,
            load: load(demo, secs, in_day),
            incident: incident(demo.incident, secs),
            backup: rise_and_fall(
                in_day - BACKUP_SECS.start as f64,
                BACKUP_SECS.end as f64 - BACKUP_SECS.start as f64,
                30.0,
            ),
            restart: rise_and_fall(in_day - DEPLOY_SEC as f64, 25.0, 5.0),
            days: (secs - start) / DAY_SECS as f64,
        }
    }

    /// A value that goes from `calm` to `full` with the incident.
    pub(super) fn during_incident(&self, calm: f64, full: f64) -> f64 {
        calm + (full - calm) * self.incident
    }

    /// How long a tree page takes to render on average, in ms. The full value lies above 900 so that the two minutes,
    /// the seconds of the ramp among them, come to 900.
    pub(super) fn tree_ms(&self) -> f64 {
        self.during_incident(80.0, 932.0)
    }
}

fn load(demo: &Demo, secs: f64, in_day: f64) -> f64 {
    let hour = in_day / 3_600.0;
    let index = hour.floor() as usize % 24;
    let (this, next) = (LOAD_BY_HOUR[index], LOAD_BY_HOUR[(index + 1) % 24]);
    let curve = this + (next - this) * (hour - hour.floor());
    let slow = Noise::new(demo.seed, "load slow").wander(secs, 1_800.0);
    let quick = Noise::new(demo.seed, "load quick").wander(secs, 240.0);
    curve * (1.0 + 0.06 * slow + 0.05 * quick)
}

/// Full within eight seconds, and over again within half a minute.
fn incident(range: TimeRange, secs: f64) -> f64 {
    let since_start = secs - range.from.as_secs() as f64;
    let since_end = secs - range.until.as_secs() as f64;
    if since_end >= 0.0 {
        let far = 1.0 + (since_end / 6.0) * (since_end / 6.0);
        return if since_end < 60.0 { 1.0 / (far * far) } else { 0.0 };
    }
    ramp(since_start / 8.0)
}

/// From 0 to 1 over `edge` seconds from the start, and back over as long before the end.
fn rise_and_fall(since_start: f64, length: f64, edge: f64) -> f64 {
    ramp(since_start / edge).min(ramp((length - since_start) / edge))
}

fn ramp(part: f64) -> f64 {
    let part = part.clamp(0.0, 1.0);
    part * part * (3.0 - 2.0 * part)
}
