//! graphite-web's own answers, and what is read beside them.

use super::*;
use proptest::prelude::*;
use serde_json::Value;

/// What graphite-web reads otherwise, in some zones at least, and why.
const OTHERWISE_HERE: [(&str, &str); 5] = [
    ("１７", "Python's digits are those of all scripts; here they are 0 to 9"),
    ("-٣h", "as above"),
    (
        "19010101",
        "its zones have the local mean time of their towns before 1901-12-13, whatever was in force",
    ),
    ("20380701", "its zones have no summer time from 2038 on; here today's rules go on"),
    ("253402300799", "east of Greenwich its calendar ends hours earlier"),
];

#[test]
fn times_are_those_of_graphite_web() {
    let rows = include_str!("../../../tests/golden/times.ndjson");
    let mut rows = rows.lines().map(|row| serde_json::from_str::<Value>(row).unwrap());
    let texts = rows.next().unwrap()["texts"].clone();
    let texts: Vec<&str> = texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    let (mut compared, mut wrong) = (0, Vec::new());
    let mut otherwise = Vec::new();
    for row in rows {
        let (now, place) = (row["now"].as_i64().unwrap(), row["tz"].as_str().unwrap());
        let clock = GraphiteClock::of_place(Timestamp::from_secs(now), place);
        let expected = row["at"].as_array().unwrap();
        assert_eq!(expected.len(), texts.len());
        for (text, expected) in texts.iter().zip(expected) {
            let (expected, found) = (expected.as_i64().map(Timestamp::from_secs), clock.graphite(text));
            compared += 1;
            if found == expected {
                continue;
            }
            if OTHERWISE_HERE.iter().any(|(other, _)| other == text) {
                otherwise.push(*text);
            } else {
                wrong.push(format!("{text:?} in {place} at {now}: {found:?} instead of {expected:?}"));
            }
        }
    }
    for (text, _) in OTHERWISE_HERE {
        assert!(include_str!("../../../tests/golden/README.md").contains(text), "{text} is listed");
        assert!(otherwise.contains(&text), "{text} is everywhere as graphite-web has it");
    }
    let shown = wrong.iter().take(40).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty() && compared > 30_000, "{} of {compared} differ:\n{shown}", wrong.len());
}

const NOW: &str = "2026-11-23T10:30:00.5Z";

#[track_caller]
fn check(place: &str, text: &str, expected: &str) {
    let clock = GraphiteClock::of_place(parse_rfc3339(NOW.as_bytes()).unwrap(), place);
    let at = clock.read(text).map(|at| at.to_string()).map_err(|error| error.text);
    assert_eq!(at.as_deref().unwrap_or("refused"), expected, "{text} in {place}");
}

#[test]
fn what_graphite_web_refuses_is_read_as_elsewhere() {
    check("UTC", "2026-11-20T14:05:00+01:00", "2026-11-20T13:05:00Z");
    check("UTC", "1763647500000", "2025-11-20T14:05:00Z");
    check("UTC", "1763647500.5", "2025-11-20T14:05:00.500Z");
    check("UTC", "-5m", "2026-11-23T10:25:00.500Z");
    check("Europe/Berlin", "2026-11-20T14:05:00Z", "2026-11-20T14:05:00Z");
    check("Europe/Berlin", "2026-07-20 14:05", "2026-07-20T12:05:00Z");
    check("Europe/Berlin", "14:05:30_20260720", "2026-07-20T12:05:30Z");
    check("Europe/Berlin", "14:05:30", "2026-11-23T13:05:30Z");
    check("Europe/Berlin", "1763647500000", "2025-11-20T14:05:00Z");
    for text in ["20260431", "20260230", "six", "25:00", "-1x", "1d", "é:05", "13pm_feb30"] {
        check("UTC", text, "refused");
    }
    check("UTC", &format!("-{}", "9223372036854775807y".repeat(10_000)), "refused");
}

#[test]
fn now_keeps_its_fraction_and_days_lose_it() {
    check("UTC", "now", "2026-11-23T10:30:00.500Z");
    check("UTC", "", "2026-11-23T10:30:00.500Z");
    check("UTC", "-1d", "2026-11-22T10:30:00.500Z");
    check("UTC", "today", "2026-11-23T00:00:00Z");
    check("UTC", "99999999999", "2262-04-11T23:47:16.854775807Z");
    check("UTC", "midnight_11110101", "1677-09-21T00:12:43.145224192Z");
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,24}|[0-9apm:/+_ -]{0,12}(mon|jan|today|noon|h|min|d)?[0-9]{0,20}") {
        for place in ["UTC", "Australia/Lord_Howe"] {
            for now in [Timestamp::MIN, Timestamp::default(), Timestamp::MAX] {
                std::hint::black_box(GraphiteClock::of_place(now, place).read(&text).ok());
            }
        }
    }
}
