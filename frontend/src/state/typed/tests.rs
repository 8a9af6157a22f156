//! Texts as they are typed, and the ranges they are read as.

use super::*;
use sonde_shared::time::{Offset, find_offsets, parse_rfc3339};

fn at(text: &str) -> Timestamp {
    parse_rfc3339(text.as_bytes()).unwrap()
}

/// Typed on 2026-11-23 at 10:00 UTC while a range is in view.
#[track_caller]
fn check_in(shown: (&str, &str), text: &str, minutes: i32, expected: &str) {
    let now = at("2026-11-23T10:00:00Z");
    let shown = TimeRange::between(at(shown.0), at(shown.1));
    let offsets = [(Timestamp::MIN, minutes)];
    let zone = ZoneClock::new(&offsets);
    let found = parse_typed_range(text, TypedAgainst { now, shown, zone, edited: None })
        .map_or_else(|_| "error".to_owned(), |spec| spec.resolve(now).to_string());
    assert_eq!(found, expected, "{text}");
}

#[track_caller]
fn check_refused(text: &str, expected: &str) {
    let shown = TimeRange::between(at("2026-11-23T09:00:00Z"), at("2026-11-23T10:00:00Z"));
    let against = TypedAgainst { now: at("2026-11-23T10:00:00Z"), shown, zone: ZoneClock::UTC, edited: None };
    let error = parse_typed_range(text, against).map_err(|error| error.to_string());
    let error = error.expect_err(text);
    assert!(error.contains(expected), "{text}: {error}");
}

#[track_caller]
fn check(text: &str, minutes: i32, expected: &str) {
    check_in(("2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z"), text, minutes, expected);
}

#[test]
fn ranges_are_read_as_they_are_typed() {
    check("-90min", 0, "2026-11-23T08:30:00Z..2026-11-23T10:00:00Z");
    check("14:05_20261120..14:07_20261120", 0, "2026-11-20T14:05:00Z..2026-11-20T14:07:00Z");
    check("2026-11-20 14:05 – 14:07", 0, "2026-11-20T14:05:00Z..2026-11-20T14:07:00Z");
    check("2026-11-20T14:05:00Z..14:07:00Z", 0, "2026-11-20T14:05:00Z..2026-11-20T14:07:00Z");
    check("08:00 to 09:30", 0, "2026-11-23T08:00:00Z..2026-11-23T09:30:00Z");
    check("8am..noon", 0, "2026-11-23T08:00:00Z..2026-11-23T12:00:00Z");
    check("08:00", 0, "2026-11-23T08:00:00Z..2026-11-23T10:00:00Z");
    check("09:30..08:00", 0, "error");
    check("soon", 0, "error");
    check("", 0, "error");
}

#[test]
fn a_length_alone_is_that_of_the_range_that_is_changed_from_its_start() {
    let check = |text: &str, expected: &str| {
        let now = at("2026-11-23T10:00:00Z");
        let shown = TimeRange::between(at("2026-11-23T09:00:00Z"), now);
        let edited = Some(TimeRange::between(at("2026-11-20T14:05:00Z"), at("2026-11-20T14:07:00Z")));
        let found = parse_typed_range(text, TypedAgainst { now, shown, zone: ZoneClock::UTC, edited });
        let found = found.map_or_else(|_| "error".to_owned(), |spec| spec.resolve(now).to_string());
        assert_eq!(found, expected, "{text}");
    };
    check("10m", "2026-11-20T14:05:00Z..2026-11-20T14:15:00Z");
    check("90 sec", "2026-11-20T14:05:00Z..2026-11-20T14:06:30Z");
    check("0s", "error");
    check("last 10 min", "2026-11-23T09:50:00Z..2026-11-23T10:00:00Z");
    check("-10m", "2026-11-23T09:50:00Z..2026-11-23T10:00:00Z");
    check("09:30..09:40", "2026-11-23T09:30:00Z..2026-11-23T09:40:00Z");
}

#[test]
fn a_refusal_says_what_is_wrong_and_shows_ranges() {
    check_refused("01:30..00:30", "the start lies behind the end");
    check_refused("now..-1h", "the start lies behind the end");
    check_refused("09:30..09:30", "is empty");
    check_refused("2026-11-20 14:05..14:05", "is empty");
    check_refused("0h", "is empty");
    check_refused("  ", "nothing is typed");
    check_refused("soon", "`soon` is no range; write 09:30..10:15,");
    check_refused("soon..later", "no range");
    check_refused("0030..0130", "`0030` is a bare number; a time of day is written 00:30");
    check_refused("930", "written 09:30");
    check_refused("14", "written 14:00");
    check_refused("00:30..0130", "`0130`");
    check_refused("12345678", "written 00:30");
    check_refused("9999", "written 00:30");
}

#[test]
fn a_dash_without_blanks_parts_two_times() {
    check("08:30-09:30", 0, "2026-11-23T08:30:00Z..2026-11-23T09:30:00Z");
    check("08:30–09:30", 0, "2026-11-23T08:30:00Z..2026-11-23T09:30:00Z");
    check("2026-11-20 08:30-09:30", 0, "2026-11-20T08:30:00Z..2026-11-20T09:30:00Z");
    check("2026-11-20 23:30-2026-11-21 00:30", 0, "2026-11-20T23:30:00Z..2026-11-21T00:30:00Z");
    check("2026-11-20 14:05:00-14:07", 0, "2026-11-20T14:05:00Z..2026-11-20T14:07:00Z");
    check("2026-11-20 14:05:00.5-14:07", 60, "2026-11-20T13:05:00.500Z..2026-11-20T13:07:00Z");
    check("2026-11-23 09:05:00-08:00", 0, "error");
    check("2026-11-20T14:05:00-01:00", 0, "2026-11-20T15:05:00Z..2026-11-23T10:00:00Z");
    check("2026-11-20 14:05:00-0100", 0, "2026-11-20T15:05:00Z..2026-11-23T10:00:00Z");
    check("09:30-15min", 0, "2026-11-23T09:15:00Z..2026-11-23T10:00:00Z");
}

#[test]
fn a_day_may_stand_before_its_time() {
    check("yesterday 14:00..15:00", 0, "2026-11-22T14:00:00Z..2026-11-22T15:00:00Z");
    check("yesterday 14:00..15:00", 60, "2026-11-22T13:00:00Z..2026-11-22T14:00:00Z");
    check("friday 14:00 to 15:00", 0, "2026-11-20T14:00:00Z..2026-11-20T15:00:00Z");
    check("yesterday 14:00", 0, "2026-11-22T14:00:00Z..2026-11-23T00:00:00Z");
}

#[test]
fn a_length_is_the_time_before_now() {
    for text in ["3h", "last 3 hours", "Last 3 h", "180 min", "last 2h60m"] {
        check(text, 0, "2026-11-23T07:00:00Z..2026-11-23T10:00:00Z");
    }
    check("2h30m", 0, "2026-11-23T07:30:00Z..2026-11-23T10:00:00Z");
    check("last hour", 60, "2026-11-23T09:00:00Z..2026-11-23T10:00:00Z");
    check("Last 7 d", 0, "2026-11-16T10:00:00Z..2026-11-23T10:00:00Z");
}

#[test]
fn a_length_has_units_and_no_words_that_begin_like_them() {
    for text in ["last monday", "last mon", "last saturday", "last wednesday", "last yesterday", "last sep"] {
        check(text, 0, "error");
    }
    for text in ["12 sep", "5 dec", "5 mondays", "3 hats", "last 3 moons", "last", "last 3", "3h soon"] {
        check(text, 0, "error");
    }
    for text in ["1 day", "24 hrs", "last day", "1440mins", "last 86400 secs", "86400000ms"] {
        check(text, 0, "2026-11-22T10:00:00Z..2026-11-23T10:00:00Z");
    }
    for text in ["last month", "1mon", "30 days", "last 1 month"] {
        check(text, 0, "2026-10-24T10:00:00Z..2026-11-23T10:00:00Z");
    }
    for text in ["last yr", "1y", "52 weeks 1 day"] {
        check(text, 0, "2025-11-23T10:00:00Z..2026-11-23T10:00:00Z");
    }
}

#[test]
fn what_the_page_writes_of_a_range_is_read() {
    let zone = ZoneClock::new(&[(Timestamp::MIN, 60)]);
    for (from, until) in [
        ("2026-11-23T08:00:00Z", "2026-11-23T09:30:00Z"),
        ("2026-11-20T08:00:00Z", "2026-11-20T09:30:00.500Z"),
        ("2026-11-19T23:00:00Z", "2026-11-20T05:00:00Z"),
    ] {
        let range = TimeRange::between(at(from), at(until));
        for label in [
            crate::text::range(range, at("2026-11-23T10:00:00Z"), zone),
            crate::text::dated_range(range, zone),
            crate::text::typed(range, zone),
        ] {
            check(&label, 60, &range.to_string());
        }
    }
}

#[test]
fn clocks_are_meant_in_the_zone_that_is_shown() {
    check("08:00..09:30", 60, "2026-11-23T07:00:00Z..2026-11-23T08:30:00Z");
    check("08:00Z..09:30Z", 60, "2026-11-23T08:00:00Z..2026-11-23T09:30:00Z");
    check("2026-11-20 00:10..00:20", 60, "2026-11-19T23:10:00Z..2026-11-19T23:20:00Z");
    check("2026-11-20T00:10:00Z..2026-11-20T00:20:00Z", 60, "2026-11-20T00:10:00Z..2026-11-20T00:20:00Z");
}

#[test]
fn a_clock_means_the_day_that_is_in_view() {
    let friday = ("2026-11-20T13:00:00Z", "2026-11-20T15:00:00Z");
    check_in(friday, "13:50..14:10", 0, "2026-11-20T13:50:00Z..2026-11-20T14:10:00Z");
    check_in(friday, "14:05", 0, "2026-11-20T14:05:00Z..2026-11-21T00:00:00Z");
    check_in(friday, "09:00..now", 0, "2026-11-20T09:00:00Z..2026-11-23T10:00:00Z");
    check_in(friday, "23:50..00:10", 0, "2026-11-20T23:50:00Z..2026-11-21T00:10:00Z");
    // In Kathmandu the view lies on the evening of the 20th, in Auckland on the 21st.
    check_in(friday, "20:00..20:30", 345, "2026-11-20T14:15:00Z..2026-11-20T14:45:00Z");
    check_in(friday, "02:30..03:00", 780, "2026-11-20T13:30:00Z..2026-11-20T14:00:00Z");
}

#[test]
fn of_two_days_in_view_a_clock_means_the_one_that_shows_it() {
    let last_day = ("2026-11-22T10:00:00Z", "2026-11-23T10:00:00Z");
    check_in(last_day, "13:50..14:10", 0, "2026-11-22T13:50:00Z..2026-11-22T14:10:00Z");
    check_in(last_day, "08:00..08:10", 0, "2026-11-23T08:00:00Z..2026-11-23T08:10:00Z");
    check_in(last_day, "23:50..00:10", 0, "2026-11-22T23:50:00Z..2026-11-23T00:10:00Z");
}

#[test]
fn a_day_alone_is_that_day_from_midnight_to_midnight_as_it_is_shown() {
    check("yesterday", 0, "2026-11-22T00:00:00Z..2026-11-23T00:00:00Z");
    check("Yesterday", 60, "2026-11-21T23:00:00Z..2026-11-22T23:00:00Z");
    // At 10:00 UTC it is the 24th in a zone fourteen hours ahead.
    check("yesterday", 840, "2026-11-22T10:00:00Z..2026-11-23T10:00:00Z");
    check("today", 0, "2026-11-23T00:00:00Z..2026-11-23T10:00:00Z");
    check("2026-11-20", 60, "2026-11-19T23:00:00Z..2026-11-20T23:00:00Z");
    check("20261120", 0, "2026-11-20T00:00:00Z..2026-11-21T00:00:00Z");
    check("friday", 0, "2026-11-20T00:00:00Z..2026-11-21T00:00:00Z");
    check("yesterday..now", 0, "2026-11-22T00:00:00Z..2026-11-23T10:00:00Z");
    check("midnight friday..6am", 0, "2026-11-20T00:00:00Z..2026-11-20T06:00:00Z");
    check("noon yesterday..1pm", 0, "2026-11-22T12:00:00Z..2026-11-22T13:00:00Z");
    check("2026-11-19..2026-11-21", 0, "2026-11-19T00:00:00Z..2026-11-21T00:00:00Z");
}

/// Berlin, where clocks were put forward on 2026-03-29 and back on 2026-10-25, both at 01:00 UTC.
fn berlin(instant: Timestamp) -> i32 {
    let summer = TimeRange::between(at("2026-03-29T01:00:00Z"), at("2026-10-25T01:00:00Z"));
    if summer.contains(instant) { 120 } else { 60 }
}

/// New York, where they were on 2026-03-08 at 07:00 UTC and on 2026-11-01 at 06:00 UTC.
fn new_york(instant: Timestamp) -> i32 {
    let summer = TimeRange::between(at("2026-03-08T07:00:00Z"), at("2026-11-01T06:00:00Z"));
    if summer.contains(instant) { -240 } else { -300 }
}

fn in_2026(offset_at: fn(Timestamp) -> i32) -> Vec<Offset> {
    find_offsets(TimeRange::between(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")), offset_at)
}

#[track_caller]
fn check_summer(text: &str, offset_at: fn(Timestamp) -> i32, expected: &str) {
    let now = at("2026-11-23T10:00:00Z");
    let shown = TimeRange::between(at("2026-11-23T09:00:00Z"), now);
    let offsets = in_2026(offset_at);
    let zone = ZoneClock::new(&offsets);
    let found = parse_typed_range(text, TypedAgainst { now, shown, zone, edited: None })
        .map(|spec| spec.resolve(now).to_string());
    assert_eq!(found.as_deref(), Ok(expected), "{text}");
}

#[test]
fn each_end_has_the_offset_that_its_own_day_has() {
    let check = check_summer;
    check("2026-07-01 09:00..10:00", berlin, "2026-07-01T07:00:00Z..2026-07-01T08:00:00Z");
    check("2026-07-01", berlin, "2026-06-30T22:00:00Z..2026-07-01T22:00:00Z");
    check("09:00_20260701..10:00_20260701", berlin, "2026-07-01T07:00:00Z..2026-07-01T08:00:00Z");
    check("2026-11-20 09:00-10:00", berlin, "2026-11-20T08:00:00Z..2026-11-20T09:00:00Z");
    check("2026-10-24 12:00..2026-10-26 12:00", berlin, "2026-10-24T10:00:00Z..2026-10-26T11:00:00Z");
    check("2026-10-25", berlin, "2026-10-24T22:00:00Z..2026-10-25T23:00:00Z");
    check("2026-07-01 09:00Z..10:00Z", berlin, "2026-07-01T09:00:00Z..2026-07-01T10:00:00Z");
    check("2026-07-01 09:00..10:00", new_york, "2026-07-01T13:00:00Z..2026-07-01T14:00:00Z");
    check("2026-11-01", new_york, "2026-11-01T04:00:00Z..2026-11-02T05:00:00Z");
}

#[test]
fn beside_the_hour_that_is_left_out_or_shown_twice_clocks_are_right() {
    let check = check_summer;
    check("2026-03-29 01:59..03:00", berlin, "2026-03-29T00:59:00Z..2026-03-29T01:00:00Z");
    check("2026-10-25 01:59..03:00", berlin, "2026-10-24T23:59:00Z..2026-10-25T02:00:00Z");
    check("2026-10-25 02:30..03:00", berlin, "2026-10-25T00:30:00Z..2026-10-25T02:00:00Z");
    check("2026-03-29 02:30..03:30", berlin, "2026-03-29T00:30:00Z..2026-03-29T01:30:00Z");
    check("2026-03-08 01:59..03:00", new_york, "2026-03-08T06:59:00Z..2026-03-08T07:00:00Z");
    check("2026-11-01 00:59..02:00", new_york, "2026-11-01T04:59:00Z..2026-11-01T07:00:00Z");
}

#[test]
fn what_is_meant_is_written_as_it_was_typed_and_read_again() {
    let offsets = in_2026(berlin);
    let zone = ZoneClock::new(&offsets);
    for (from, until) in [
        ("2026-07-01T07:00:00Z", "2026-07-01T08:00:00Z"),
        ("2026-10-24T10:00:00Z", "2026-10-26T11:00:00Z"),
        ("2026-10-24T22:00:00Z", "2026-10-25T02:00:00Z"),
    ] {
        let range = TimeRange::between(at(from), at(until));
        for written in [crate::text::typed(range, zone), crate::text::dated_range(range, zone)] {
            check_summer(&written, berlin, &range.to_string());
        }
    }
    let summer = TimeRange::between(at("2026-07-01T07:00:00Z"), at("2026-07-01T08:00:00Z"));
    assert_eq!(crate::text::typed(summer, zone), "2026-07-01 09:00:00..10:00:00");
    assert_eq!(crate::text::dated_range(summer, zone), "2026-07-01 09:00:00–10:00:00 (1 h)");
}
