//! What an answer says besides its findings: what of the question is unknown, and what kept from looking further.
//!
//! Pure.

use super::lines::Counted;
use super::question::Question;
use crate::why::Observed;
use crate::why::observed::{Grid, Trial};
use sonde_shared::component::Selector;
use sonde_shared::glob::Glob;
use sonde_shared::time::{NANOS_PER_MS, TimeRange};
use std::ops::Range;

/// Of selection and baseline at least this part is to have something, or it is said.
const MOST_MISSING: usize = 4;

/// Sentences as one text; `None` where there are none.
pub(super) fn joined<'a>(notes: impl Iterator<Item = &'a str>) -> Option<String> {
    let sentences: Vec<String> = notes.map(|note| format!("{}.", note.trim_end_matches('.'))).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// What the question names and nothing is called.
pub(super) fn unknown(question: &Question, observed: &Observed, counted: &Counted) -> Vec<String> {
    let mut notes = Vec::new();
    let is_near = |path: &str| question.asks_for(path);
    let has_series = |is_of: &dyn Fn(&str) -> bool| observed.series.iter().any(|one| is_of(&one.path));
    let has_component =
        counted.components.as_slice().iter().any(|path| is_near(path)) || has_series(&is_near);
    if !question.components.is_empty() && !has_component {
        let names: Vec<&str> = question.components.iter().map(Selector::as_str).collect();
        notes.push(format!("Nothing is known of the component {} then", names.join(", ")));
    }
    if let Some(host) = &question.host {
        let names = |path: &str| path.split(['.', ';', '=']).any(|node| node == host);
        if !counted.hosts.contains(host) && !has_series(&names) {
            notes.push(format!("Nothing is known of the host {host} then"));
        }
    }
    if !question.charted.is_empty() && observed.context.charted.is_empty() {
        let names: Vec<&str> = question.charted.iter().map(Glob::as_str).collect();
        notes.push(format!("No series is called {} then", names.join(", ")));
    }
    notes
}

/// Where nothing was received in much of what is compared.
pub(super) fn missing(planned: &Grid, kept: &Grid, baseline: TimeRange) -> Vec<String> {
    let planned_nanos = (planned.now.baseline.len() + 1) as i64 * planned.step_ms * NANOS_PER_MS;
    // Of a long baseline only parts were looked at.
    let is_whole = planned_nanos >= baseline.nanos();
    let note = |what: &str, is_whole: bool, range: fn(&Trial) -> &Range<usize>| {
        let (all, left) = (range(&planned.now).len(), range(&kept.now).len());
        let missing = all - left.min(all);
        let minutes = missing as i64 * planned.step_ms / 60_000;
        // That nothing at all was received is said anyway.
        (MOST_MISSING * missing > all && left > 0).then(|| {
            let length = match minutes {
                0 => "a part".to_owned(),
                minutes if is_whole => in_words(minutes),
                _ => "much".to_owned(),
            };
            format!("In {length} of the {what} nothing was received; that is left out")
        })
    };
    [note("selection", true, |now| &now.selection), note("baseline", is_whole, |now| &now.baseline)]
        .into_iter()
        .flatten()
        .collect()
}

/// So many minutes, of many the hours or days.
fn in_words(minutes: i64) -> String {
    match minutes {
        ..120 => format!("{minutes} min"),
        120..2_880 => format!("{} h", (minutes + 30) / 60),
        _ => format!("{} days", (minutes + 720) / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::time::Timestamp;

    #[test]
    fn notes_are_sentences() {
        let check = |notes: &[&str], expected: Option<&str>| {
            assert_eq!(joined(notes.iter().copied()).as_deref(), expected);
        };
        check(&[], None);
        check(&["One.", "two"], Some("One. two."));
    }

    #[test]
    fn what_is_missing_is_said_where_it_is_much() {
        let grid = |baseline: usize, selection: usize| {
            let now = Trial { baseline: 0..baseline, selection: baseline..baseline + selection };
            Grid::unbroken(0, 10_000, now)
        };
        let secs = |secs: i64| TimeRange { from: Timestamp::from_secs(0), until: Timestamp::from_secs(secs) };
        let check = |kept: (usize, usize), expected: &[&str]| {
            assert_eq!(missing(&grid(80, 20), &grid(kept.0, kept.1), secs(800)), expected);
        };
        check((80, 20), &[]);
        check((60, 15), &[]);
        check((80, 8), &["In 2 min of the selection nothing was received; that is left out"]);
        check((80, 14), &["In 1 min of the selection nothing was received; that is left out"]);
        let of_a_day = missing(&grid(80, 20), &grid(20, 20), secs(86_400));
        assert_eq!(of_a_day, ["In much of the baseline nothing was received; that is left out"]);
        let long = [119, 121, 2_879, 40_176].map(in_words);
        assert_eq!(long, ["119 min", "2 h", "48 h", "28 days"]);
        check((20, 0), &["In 10 min of the baseline nothing was received; that is left out"]);
    }
}
