//! Ticks of both axes, written out and by properties.

use super::*;
use crate::time::parse_rfc3339;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    parse_rfc3339(text.as_bytes()).unwrap()
}

fn check(from: &str, until: &str, offset: i32, most: usize, expected: &[&str]) {
    let range = TimeRange { from: at(from), until: at(until) };
    let ticks = time_ticks(range, ZoneClock::new(&[(range.from, offset)]), most);
    let labels: Vec<&str> = ticks.iter().map(|tick| tick.label.as_str()).collect();
    assert_eq!(labels, expected, "{range}");
    assert!(ticks.iter().all(|tick| range.contains(tick.at)));
}

#[test]
fn the_first_tick_and_midnight_carry_the_date() {
    let dates = &["Nov 20 18:00", "Nov 21", "06:00"];
    check("2026-11-20T13:00:00Z", "2026-11-21T07:00:00Z", 0, 4, dates);
    check("2026-11-20T14:00:00Z", "2026-11-20T15:00:00Z", 0, 4, &["Nov 20 14:00", "14:15", "14:30", "14:45"]);
    check(
        "2026-11-20T14:05:00.1Z",
        "2026-11-20T14:05:00.4Z",
        0,
        3,
        &["Nov 20 14:05:00.100", "14:05:00.200", "14:05:00.300"],
    );
    check("2026-11-20T14:05:01Z", "2026-11-20T14:06:01Z", 0, 2, &["Nov 20 14:05:30", "14:06:00"]);
}

#[test]
fn ticks_are_round_in_the_zone_that_is_shown() {
    check("2026-11-20T18:00:00Z", "2026-11-20T20:00:00Z", 330, 2, &["Nov 21", "01:00"]);
    check("2026-11-20T00:00:00Z", "2026-11-22T00:00:00Z", -480, 3, &["Nov 20 2026", "Nov 21"]);
}

#[test]
fn days_months_and_years_have_their_own_labels() {
    check(
        "2026-11-28T12:00:00Z",
        "2026-12-04T00:00:00Z",
        0,
        6,
        &["Nov 29 2026", "Nov 30", "Dec 1", "Dec 2", "Dec 3"],
    );
    check("2026-01-20T00:00:00Z", "2026-02-20T00:00:00Z", 0, 5, &["Jan 21 2026", "Feb 1", "Feb 11"]);
    check(
        "2025-10-15T00:00:00Z",
        "2026-03-15T00:00:00Z",
        0,
        6,
        &["Nov 2025", "Dec", "Jan 2026", "Feb", "Mar"],
    );
    check("2019-06-01T00:00:00Z", "2026-06-01T00:00:00Z", 0, 4, &["2020", "2022", "2024", "2026"]);
}

#[test]
fn keys_step_from_tick_to_tick() {
    let range = TimeRange { from: at("2026-11-20T14:00:00Z"), until: at("2026-11-20T15:00:00Z") };
    let step = |from: &str, forward: bool| neighbour_tick(at(from), forward, range, ZoneClock::UTC, 4);
    assert_eq!(step("2026-11-20T14:05:00Z", true), at("2026-11-20T14:15:00Z"));
    assert_eq!(step("2026-11-20T14:15:00Z", false), at("2026-11-20T14:00:00Z"));
    assert_eq!(step("2026-11-20T14:50:00Z", true), range.until);
}

#[test]
fn ticks_stand_on_round_hours_of_the_clock_before_and_after_it_is_moved() {
    // Berlin, 29 March 2026: from 2:00 to 3:00.
    let offsets = [(at("2025-10-26T01:00:00Z"), 60), (at("2026-03-29T01:00:00Z"), 120)];
    let range = TimeRange { from: at("2026-03-28T22:30:00Z"), until: at("2026-03-29T07:30:00Z") };
    let labels = |most: usize| -> Vec<String> {
        time_ticks(range, ZoneClock::new(&offsets), most).into_iter().map(|tick| tick.label).collect()
    };
    assert_eq!(labels(5), ["Mar 29", "04:00", "06:00", "08:00"]);
    let ticks = time_ticks(range, ZoneClock::new(&offsets), 3);
    assert_eq!(ticks[1].at, at("2026-03-29T01:00:00Z"), "3:00 after the move");
    let days = TimeRange { from: at("2026-03-26T00:00:00Z"), until: at("2026-04-01T00:00:00Z") };
    let midnights: Vec<_> =
        time_ticks(days, ZoneClock::new(&offsets), 8).into_iter().map(|tick| tick.at).collect();
    assert!(midnights.contains(&at("2026-03-28T23:00:00Z")));
    assert!(midnights.contains(&at("2026-03-29T22:00:00Z")));
}

#[test]
fn an_instant_says_its_day_where_it_is_not_the_only_one_in_view() {
    let zone = ZoneClock::new(&[(Timestamp::MIN, 60)]);
    let check = |from: &str, until: &str, text: &str, nanos_per_px: f64, expected: &str| {
        let view = TimeRange { from: at(from), until: at(until) };
        assert_eq!(format_instant(at(text), zone, view, nanos_per_px), expected);
    };
    let (evening, midnight, noon) = ("2026-11-20T20:00:00Z", "2026-11-20T23:00:00Z", "2026-11-21T12:00:00Z");
    check(evening, midnight, "2026-11-20T22:59:59.5Z", 1e9, "23:59:59");
    check(evening, midnight, "2026-11-20T22:59:59.5Z", 1e6, "23:59:59.500");
    check(evening, midnight, "2026-11-19T22:59:59Z", 1e9, "Nov 19 23:59:59");
    check(evening, noon, "2026-11-20T20:00:00Z", 1e9, "Nov 20 21:00:00");
    check(evening, noon, "2026-11-20T23:30:00Z", 1e9, "Nov 21 00:30:00");
    check(evening, noon, "2026-11-20T23:30:00Z", 4e12, "2026-11-21 00:30");
    check(evening, evening, "2026-11-20T20:00:00Z", 1e9, "21:00:00");
}

#[test]
fn an_hour_that_the_clock_shows_twice_has_its_ticks_twice_where_there_is_room() {
    // Berlin, 25 October 2026: from 3:00 to 2:00.
    let offsets = [(at("2026-03-29T01:00:00Z"), 120), (at("2026-10-25T01:00:00Z"), 60)];
    let range = TimeRange { from: at("2026-10-24T22:00:00Z"), until: at("2026-10-25T04:00:00Z") };
    let labels = |most: usize| -> Vec<String> {
        time_ticks(range, ZoneClock::new(&offsets), most).into_iter().map(|tick| tick.label).collect()
    };
    assert_eq!(labels(6), ["Oct 25", "01:00", "02:00", "02:00", "03:00", "04:00"]);
    assert_eq!(labels(3), ["Oct 25", "02:00", "04:00"]);
}

#[test]
fn an_axis_that_is_held_ends_where_it_is_told() {
    let ends = |extent, low, high| {
        let axis = held_axis(extent, (low, high), "");
        assert!(!axis.ticks.is_empty() && axis.low < axis.high);
        (axis.low, axis.high)
    };
    assert_eq!(ends(Some((0.0, 900.0)), Some(10.0), Some(100.0)), (10.0, 100.0));
    assert_eq!(ends(Some((5.0, 50.0)), None, Some(100.0)), (0.0, 100.0));
    assert_eq!(Some(ends(Some((5.0, 50.0)), Some(2.0), None).0), Some(2.0));
    assert_eq!(Some(ends(Some((5.0, 50.0)), Some(80.0), None).0), Some(80.0));
    assert_eq!(Some(ends(Some((5.0, 50.0)), None, Some(-1.0)).1), Some(-1.0));
    ends(Some((5.0, 50.0)), Some(7.0), Some(7.0));
    ends(None, Some(f64::NAN), Some(f64::INFINITY));
}

#[test]
fn value_ticks_are_round_numbers_of_their_unit() {
    let check = |low: f64, high: f64, unit: &str, labels: &[&str]| {
        let axis = value_axis(Some((low, high)), None, None, unit);
        let got: Vec<String> = axis.ticks.iter().map(|(_, label)| label.clone()).collect();
        assert_eq!(got, labels, "{low}..{high} {unit}");
        assert!(axis.low <= low && high <= axis.high);
    };
    check(60.0, 900.0, "ms", &["0 ms", "200 ms", "400 ms", "600 ms", "800 ms"]);
    check(3.0, 60.0, "%", &["0 %", "20 %", "40 %", "60 %"]);
    check(0.0, 3.0e9, "bytes", &["0 GiB", "1 GiB", "2 GiB"]);
    check(0.0, 1_500_000.0, "", &["0", "0.5 M", "1.0 M", "1.5 M"]);
    check(-5.0, 5.0, "", &["−4", "−2", "0", "2", "4"]);
    check(4.0e9, 4.2e9, "bytes", &["3.75 GiB", "3.80 GiB", "3.85 GiB", "3.90 GiB"]);
    check(0.0, 900e6, "bytes", &["0 MiB", "200 MiB", "400 MiB", "600 MiB", "800 MiB"]);
    check(0.0, 5_400.0, "s", &["0 h", "0.5 h", "1.0 h", "1.5 h"]);
    check(0.0, 9e-5, "s", &["0 µs", "20 µs", "40 µs", "60 µs", "80 µs"]);
    check(-3.0e9, 1.0e9, "bytes/s", &["−3 GiB/s", "−2 GiB/s", "−1 GiB/s", "0 GiB/s", "1 GiB/s"]);
    check(1_764_123_000.0, 1_764_126_600.0, "", &["1.764123 G", "1.764124 G", "1.764125 G", "1.764126 G"]);
    check(0.0, 45.0, "req", &["0 req", "10 req", "20 req", "30 req", "40 req"]);
    check(0.0, 0.0, "", &["0", "0.25", "0.50", "0.75", "1.00"]);
}

#[test]
fn a_panel_may_widen_its_axis_and_data_widens_it_further() {
    let axis = value_axis(Some((3.0, 60.0)), Some(0.0), Some(100.0), "%");
    assert_eq!((axis.low, axis.high), (0.0, 100.0));
    let axis = value_axis(Some((-3.0, 160.0)), Some(0.0), Some(100.0), "%");
    assert!(axis.low <= -3.0 && axis.high >= 160.0);
    let empty = value_axis(None, None, Some(100.0), "%");
    assert_eq!((empty.low, empty.high), (0.0, 100.0));
}

#[test]
fn values_far_from_zero_and_close_together_are_shown_without_it() {
    let axis = value_axis(Some((1_000.0, 1_010.0)), None, None, "");
    assert!(axis.low > 990.0);
    assert!(value_axis(Some((1_000.0, 1_000.0)), None, None, "").low <= 0.0, "one value alone has no spread");
}

#[test]
fn labels_of_many_digits_fit_the_gutter() {
    let axis = value_axis(Some((-637_189_175_301.1, -636_508_564_761.7)), None, None, "bytes/s");
    assert!(axis.ticks.iter().all(|(_, label)| label.ends_with(" Gi")), "{axis:?}");
}

proptest! {
    #[test]
    fn an_axis_holds_its_data_and_has_one_to_five_ticks(
        a in prop_oneof![-1e12..1e12f64, -1.0..1.0f64, Just(f64::MAX), Just(f64::MIN)],
        b in prop_oneof![-1e12..1e12f64, -1.0..1.0f64],
        unit in prop::sample::select(vec!["", "ms", "s", "%", "bytes", "bytes/s", "bits/s", "req/s"]),
    ) {
        let (low, high) = (a.min(b), a.max(b));
        let axis = value_axis(Some((low, high)), None, None, unit);
        prop_assert!(axis.low.is_finite() && axis.high.is_finite() && axis.low < axis.high);
        prop_assert!(low < -UTMOST || axis.low <= low);
        prop_assert!(high > UTMOST || axis.high >= high);
        prop_assert!((1..=MOST_VALUE_TICKS).contains(&axis.ticks.len()), "{:?}", axis);
        prop_assert!(axis.ticks.iter().all(|(_, label)| label.chars().count() <= units::LABEL_CHARS), "{:?}", axis);
    }

    #[test]
    fn ticks_differ_fit_the_gutter_and_share_a_size_however_close_the_values(
        middle in prop_oneof![-1e13..1e13f64, -1.0..1.0f64],
        spread in -12.0..0.5f64,
        unit in prop::sample::select(vec!["", "ms", "s", "%", "bytes", "bytes/s", "bits/s", "req"]),
    ) {
        let half = middle.abs() * 10f64.powf(spread);
        let axis = value_axis(Some((middle - half, middle + half)), None, None, unit);
        let labels: Vec<&str> = axis.ticks.iter().map(|(_, label)| label.as_str()).collect();
        let unlike = labels.iter().collect::<std::collections::BTreeSet<_>>().len();
        prop_assert!(!labels.is_empty() && unlike == labels.len(), "{axis:?}");
        prop_assert!(labels.iter().all(|label| label.chars().count() <= units::LABEL_CHARS), "{axis:?}");
        let size = |label: &str| label.split_once(' ').map(|(_, size)| size.to_owned());
        // Of a count, nothing is no thousands: that label alone has no size.
        let bare = match unit { "" => Some("0"), "req" => Some("0 req"), _ => None };
        let is_nothing = |label: &str| bare.is_some() && label.split(' ').next() == Some("0");
        prop_assert!(labels.iter().filter(|l| is_nothing(l)).all(|l| *l == "0" || Some(*l) == bare), "{axis:?}");
        let sized = |label: &str| !label.contains('e') && !is_nothing(label);
        let sizes: std::collections::BTreeSet<_> = labels.iter().filter(|l| sized(l)).map(|l| size(l)).collect();
        prop_assert!(sizes.len() <= 1 || labels.iter().any(|l| l.contains('e')), "{axis:?}");
    }

    #[test]
    fn time_ticks_are_few_rising_and_inside(
        from in any::<i64>(),
        span in 1i64..i64::MAX / 4,
        shift in 0u32..50,
        offset in -840i32..840,
        most in 1usize..30,
    ) {
        let from = Timestamp::from_nanos(from);
        let range = TimeRange { from, until: from.plus_nanos(span >> shift) };
        let ticks = time_ticks(range, ZoneClock::new(&[(range.from, offset)]), most);
        prop_assert!(ticks.len() <= 2 * most + 3, "{} ticks for {}", ticks.len(), most);
        prop_assert!(ticks.windows(2).all(|pair| pair[0].at < pair[1].at));
    }
}
