//! Where the axes have ticks, and what is written there.
//!
//! Time ticks stand on round instants of the zone that is shown, from milliseconds to centuries; the date is written
//! at midnight and at the first tick, a clock time elsewhere. Value ticks stand on round numbers of their unit.

use super::units;
use crate::time::{Civil, Day, NANOS_PER_DAY, NANOS_PER_MS, NANOS_PER_SEC, TimeRange, Timestamp, ZoneClock};

/// A tick of the time axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeTick {
    /// Where.
    pub at: Timestamp,
    /// What is written there.
    pub label: String,
    /// Whether the label names a date.
    pub is_date: bool,
}

/// How far apart time ticks stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Nanos(i64),
    Days(i64),
    Months(i64),
}

const MINUTE: i64 = 60 * NANOS_PER_SEC;
const HOUR: i64 = 60 * MINUTE;

/// Clock steps as a count and what is counted.
const CLOCK_STEPS: [(&[i64], i64); 4] = [
    (&[1, 2, 5, 10, 20, 50, 100, 200, 500], NANOS_PER_MS),
    (&[1, 2, 5, 10, 15, 30], NANOS_PER_SEC),
    (&[1, 2, 5, 10, 15, 30], MINUTE),
    (&[1, 2, 3, 6, 12], HOUR),
];
const DAY_STEPS: [i64; 4] = [1, 2, 5, 10];
const MONTH_STEPS: [i64; 10] = [1, 3, 6, 12, 24, 60, 120, 240, 600, 1_200];

impl Step {
    fn all() -> impl Iterator<Item = Self> {
        let clock =
            CLOCK_STEPS.iter().flat_map(|(counts, of)| counts.iter().map(move |n| Self::Nanos(n * of)));
        clock.chain(DAY_STEPS.map(Self::Days)).chain(MONTH_STEPS.map(Self::Months))
    }

    fn nanos(self) -> i64 {
        match self {
            Self::Nanos(nanos) => nanos,
            Self::Days(days) => days * NANOS_PER_DAY,
            Self::Months(months) => months * 30 * NANOS_PER_DAY,
        }
    }

    /// The smallest step of which at most `most` fit into the range.
    fn for_range(range: TimeRange, most: usize) -> Self {
        let most = most.max(1) as i64;
        Self::all().find(|step| range.nanos() / step.nanos() <= most).unwrap_or(Self::Months(1_200))
    }
}

/// The ticks inside the range, at most about `most`, on round instants of the clock on the wall, before and after it is moved.
pub fn time_ticks(range: TimeRange, zone: ZoneClock<'_>, most: usize) -> Vec<TimeTick> {
    let step = Step::for_range(range, most);
    let mut ticks: Vec<TimeTick> = Vec::new();
    for (part, minutes) in zone.parts(range) {
        let offset = i64::from(minutes) * MINUTE;
        let before = ticks.last().map(|tick| tick.at);
        let local = TimeRange { from: part.from.plus_nanos(offset), until: part.until.plus_nanos(offset) };
        for wall in local_instants(local, step) {
            let at = wall.plus_nanos(-offset);
            // Where the clock is put back, the second of two equal times may be too near.
            if before.is_none_or(|before| at.nanos_since(before) > step.nanos() / 10 * 6) {
                let (label, is_date) = time_label(wall, step, ticks.is_empty());
                ticks.push(TimeTick { at, label, is_date });
            }
        }
    }
    ticks
}

/// The next tick after (or before, with `forward` false) an instant, for moving by keys.
pub fn neighbour_tick(
    at: Timestamp,
    forward: bool,
    range: TimeRange,
    zone: ZoneClock<'_>,
    most: usize,
) -> Timestamp {
    let ticks = time_ticks(range, zone, most);
    let found = if forward {
        ticks.iter().map(|tick| tick.at).find(|tick| *tick > at)
    } else {
        ticks.iter().rev().map(|tick| tick.at).find(|tick| *tick < at)
    };
    found.unwrap_or(if forward { range.until } else { range.from })
}

fn local_instants(range: TimeRange, step: Step) -> Vec<Timestamp> {
    /// More than any axis has; a guard against a step that does not advance at the ends of time.
    const MOST: usize = 2_000;
    let mut instants = Vec::new();
    let mut at = first_at_or_after(range.from, step);
    while let Some(tick) = at.filter(|tick| range.contains(*tick) && instants.len() < MOST) {
        instants.push(tick);
        at = next_after(tick, step).filter(|next| *next > tick);
    }
    instants
}

fn first_at_or_after(from: Timestamp, step: Step) -> Option<Timestamp> {
    match step {
        Step::Nanos(nanos) => {
            let over = from.as_nanos().rem_euclid(nanos);
            if over == 0 {
                Some(from)
            } else {
                from.as_nanos().checked_add(nanos - over).map(Timestamp::from_nanos)
            }
        }
        Step::Days(_) | Step::Months(_) => {
            let Civil { year, month, day, .. } = Civil::of(from);
            let start = match step {
                Step::Months(months) => month_start(month_number(year, month).div_euclid(months) * months)?,
                _ => Day::from_date(year, month, aligned_day(day, step))?.start(),
            };
            if start >= from { Some(start) } else { next_after(start, step) }
        }
    }
}

fn next_after(tick: Timestamp, step: Step) -> Option<Timestamp> {
    let Civil { year, month, day, .. } = Civil::of(tick);
    match step {
        Step::Nanos(nanos) => tick.as_nanos().checked_add(nanos).map(Timestamp::from_nanos),
        Step::Months(months) => month_start(month_number(year, month) + months),
        Step::Days(days) => {
            // Days count from the month's first, so that each month has the same ticks; one too near to the next
            // first is left out.
            let next = day + days as u32;
            let room = next + days as u32 / 2 <= 31;
            let within = room.then(|| Day::from_date(year, month, next)).flatten().map(Day::start);
            within.or_else(|| month_start(month_number(year, month) + 1))
        }
    }
}

/// The day of the month at or before this one on which a tick stands.
fn aligned_day(day: u32, step: Step) -> u32 {
    let Step::Days(days) = step else { return day };
    (day - 1) / days as u32 * days as u32 + 1
}

fn month_number(year: i32, month: u32) -> i64 {
    i64::from(year) * 12 + i64::from(month) - 1
}

fn month_start(number: i64) -> Option<Timestamp> {
    let (year, month) = (number.div_euclid(12), number.rem_euclid(12) + 1);
    let civil =
        Civil { year: year as i32, month: month as u32, day: 1, hour: 0, minute: 0, second: 0, nanos: 0 };
    civil.timestamp()
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The label of a local instant and whether it names a date.
fn time_label(at: Timestamp, step: Step, is_first: bool) -> (String, bool) {
    let Civil { year, month, day, hour, minute, second, nanos } = Civil::of(at);
    let name = MONTHS[(month as usize - 1) % 12];
    let date = format!("{name} {day}");
    let clock = match step {
        Step::Months(months) if months % 12 == 0 => return (year.to_string(), true),
        Step::Months(_) if month == 1 || is_first => return (format!("{name} {year}"), true),
        Step::Months(_) => return (name.to_owned(), true),
        Step::Days(_) if is_first => return (format!("{date} {year}"), true),
        Step::Days(_) => return (date, true),
        Step::Nanos(size) if size < NANOS_PER_SEC => {
            format!("{hour:02}:{minute:02}:{second:02}.{:03}", nanos / 1_000_000)
        }
        Step::Nanos(size) if size < MINUTE => format!("{hour:02}:{minute:02}:{second:02}"),
        Step::Nanos(_) => format!("{hour:02}:{minute:02}"),
    };
    let is_midnight = at.as_nanos().rem_euclid(NANOS_PER_DAY) == 0;
    match (is_midnight, is_first) {
        (true, _) => (date, true),
        (false, true) => (format!("{date} {clock}"), true),
        (false, false) => (clock, false),
    }
}

/// An instant of a view as the crosshair's chip writes it: as fine as one pixel is, and with its day where that is not the only one in
/// view: `14:05:00`, `Nov 20 14:05:00`, `2026-11-20 14:05`.
pub fn format_instant(at: Timestamp, zone: ZoneClock<'_>, view: TimeRange, nanos_per_px: f64) -> String {
    let Civil { year, month, day, hour, minute, second, nanos } = zone.civil(at);
    if nanos_per_px >= HOUR as f64 {
        return format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}");
    }
    let clock = if nanos_per_px >= 0.2 * NANOS_PER_SEC as f64 {
        format!("{hour:02}:{minute:02}:{second:02}")
    } else {
        format!("{hour:02}:{minute:02}:{second:02}.{:03}", nanos / 1_000_000)
    };
    let last = view.until.plus_nanos(-1).max(view.from);
    if [view.from, last].into_iter().all(|end| zone.day(end) == zone.day(at)) {
        return clock;
    }
    let name = MONTHS[(month as usize - 1) % 12];
    format!("{name} {day} {clock}")
}

/// A value axis: its ends and its ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueAxis {
    /// The value at the bottom.
    pub low: f64,
    /// The value at the top.
    pub high: f64,
    /// The ticks, at most five, lowest first, each with its label.
    pub ticks: Vec<(f64, String)>,
}

/// How many value ticks there are at most.
pub const MOST_VALUE_TICKS: usize = 5;
/// Space above the data, as a part of the axis.
const HEADROOM: f64 = 0.06;
/// Data whose spread is a smaller part of its size than this is shown without the zero, or it would be a flat line.
const FLAT: f64 = 0.1;
/// Values beyond this are not told apart from it; their spans would not be finite.
const UTMOST: f64 = 1e300;

/// The axis for values from `lowest` to `highest`, where a panel may ask for an axis that reaches to `min` and `max`.
pub fn value_axis(extent: Option<(f64, f64)>, min: Option<f64>, max: Option<f64>, unit: &str) -> ValueAxis {
    let finite = |asked: Option<f64>| {
        asked.filter(|value| value.is_finite()).map(|value| value.clamp(-UTMOST, UTMOST))
    };
    let (min, max) = (finite(min), finite(max));
    let (lowest, highest) = extent.unwrap_or((min.unwrap_or(0.0), max.unwrap_or(1.0)));
    let (lowest, highest) = (lowest.clamp(-UTMOST, UTMOST), highest.clamp(-UTMOST, UTMOST));
    let spread = highest - lowest;
    let size = lowest.abs().max(highest.abs());
    let shows_zero = spread <= 0.0 || spread >= FLAT * size || extent.is_none();
    let natural_low = if shows_zero { lowest.min(0.0) } else { lowest - spread * HEADROOM };
    let natural_high = if shows_zero { highest.max(0.0) } else { highest };
    let low = min.map_or(natural_low, |min| min.min(lowest));
    let needed = max.map_or(natural_high, |max| max.max(highest)).max(low);
    let span = if needed > low { needed - low } else { 1.0 };
    let keeps_max = max.is_some_and(|max| highest <= max);
    let high = if keeps_max && needed > low { needed } else { low + span * (1.0 + HEADROOM) };
    let low = if lowest < 0.0 && shows_zero && min.is_none() { low - span * HEADROOM } else { low };
    labelled(low, high, unit)
}

/// The axis between two values that are asked for, whatever the data; an end that is not, is that of [`value_axis`].
pub fn held_axis(
    extent: Option<(f64, f64)>,
    (low, high): (Option<f64>, Option<f64>),
    unit: &str,
) -> ValueAxis {
    let finite = |asked: Option<f64>| asked.filter(|value| value.is_finite() && value.abs() <= UTMOST);
    let (low, high) = (finite(low), finite(high));
    let natural = value_axis(extent, None, None, unit);
    let (bottom, top) = (low.unwrap_or(natural.low), high.unwrap_or(natural.high));
    match (low, high) {
        (None, None) => natural,
        _ if bottom < top => labelled(bottom, top, unit),
        // The one end that is asked for is beyond the data.
        (Some(low), None) => labelled(low, low + (low.abs() * HEADROOM).max(1.0), unit),
        (None, Some(high)) => labelled(high - (high.abs() * HEADROOM).max(1.0), high, unit),
        (Some(low), Some(high)) => value_axis(Some((low.min(high), low.max(high))), None, None, unit),
    }
}

/// The axis with its ticks. Where values lie so close together that no label of the gutter's width tells them apart, it is
/// widened until one does.
fn labelled(mut low: f64, mut high: f64, unit: &str) -> ValueAxis {
    /// Four times as wide each time, so the last is wider than any value is large.
    const MOST_TIMES: usize = 40;
    for _ in 0..MOST_TIMES {
        if let Some(ticks) = value_ticks(low, high, unit) {
            return ValueAxis { low, high, ticks };
        }
        let margin = (high - low) * 1.5;
        low = if low >= 0.0 { (low - margin).max(0.0) } else { low - margin };
        high += margin;
    }
    ValueAxis { low, high, ticks: Vec::new() }
}

/// Round numbers of the unit's own size at this magnitude; `None` where their labels do not fit the gutter.
fn value_ticks(low: f64, high: f64, unit: &str) -> Option<Vec<(f64, String)>> {
    units::sizes_at(unit, low.abs().max(high.abs())).find_map(|size| {
        let step = value_step(low, high, size.0);
        let first = (low / step - 1e-9).ceil();
        let values: Vec<f64> = (0..MOST_VALUE_TICKS)
            .map(|index| (first + index as f64) * step)
            .take_while(|value| *value <= high + step * 1e-9)
            .collect();
        let labels = units::format_ticks(&values, step, size, unit)?;
        Some(values.into_iter().zip(labels).collect())
    })
}

/// The smallest round step, counted in this size, of which at most [`MOST_VALUE_TICKS`] ticks lie between the ends.
fn value_step(low: f64, high: f64, size: f64) -> f64 {
    let fits =
        |step: f64| (high / step + 1e-9).floor() - (low / step - 1e-9).ceil() < MOST_VALUE_TICKS as f64;
    let rough = (high - low) / MOST_VALUE_TICKS as f64;
    let power = size * 10f64.powf((rough / size).log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0, 20.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| fits(*step))
        .unwrap_or(power * 50.0)
}

#[cfg(test)]
mod tests;
