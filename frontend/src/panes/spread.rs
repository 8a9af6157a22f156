//! How numbers among values are spread, in the lines that are shown and in the baseline: in words, and as bars of both.

use crate::text;
use leptos::prelude::*;
use sonde_shared::chart::units::{format_among, format_value};
use sonde_shared::spread::{NumberSpread, Spread};

/// The numbers of a variable part or of a field; `unit` is what they are of where they do not say it themselves.
#[component]
pub(super) fn NumbersSpread(numbers: NumberSpread, unit: &'static str) -> impl IntoView {
    let unit = unit_of(&numbers.unit).unwrap_or(unit);
    let selection = &numbers.selection;
    let median = |of: &Spread| value(of.five()[2], unit, selection);
    let before = numbers.baseline.as_ref().map(|before| [", before ", &median(before)].concat());
    let extent = extent(selection, unit);
    view! {
        <span class="spread">
            <span>"median "<strong>{median(selection)}</strong>{before}</span>
            <span class="spread-bars" aria-hidden="true">{bars(&numbers, unit)}</span>
            <span class="muted">{extent}</span>
        </span>
    }
}

/// `half of them 800 ms to 1.02 s, all 3 ms to 4.2 s`.
fn extent(all: &Spread, unit: &str) -> String {
    let [min, p25, _, p75, max] = all.five();
    if min >= max {
        return "all of them".to_owned();
    }
    let half = [value(p25, unit, all), value(p75, unit, all)].join(" to ");
    let whole = [min, max].map(|end| format_value(end, unit)).join(" to ");
    ["half of them ", &half, ", all ", &whole].concat()
}

fn value(value: f64, unit: &str, among: &Spread) -> String {
    let [_, p25, _, p75, _] = among.five();
    format_among(value, unit, p75 - p25)
}

/// The charts' name for a unit that numbers are written with.
fn unit_of(written: &str) -> Option<&'static str> {
    match written {
        "s" => Some("s"),
        "B" => Some("bytes"),
        "%" => Some("%"),
        _ => None,
    }
}

/// Two histograms, one over the other, each in parts of its own lines.
fn bars(numbers: &NumberSpread, unit: &str) -> Vec<AnyView> {
    let sides = [numbers.baseline.as_ref(), Some(&numbers.selection)];
    let part = |side: Option<&Spread>, at: usize| {
        side.and_then(|side| Some(*side.counts.get(at)? as f64 / side.lines.max(1) as f64)).unwrap_or(0.0)
    };
    let bins = numbers.bounds.len().saturating_sub(1);
    let most = sides.into_iter().flat_map(|side| (0..bins).map(move |at| part(side, at))).fold(0.0, f64::max);
    let bar = |at: usize| {
        let [before, now] = sides.map(|side| part(side, at));
        let percent = |part: f64| text::percent((part * 1e6) as u64, 1_000_000);
        let range = [at, at + 1].map(|at| value(numbers.bounds[at], unit, &numbers.selection)).join(" to ");
        let than =
            if numbers.baseline.is_some() { [", before ", &percent(before)].concat() } else { String::new() };
        let title = [&range, ": ", &percent(now), &than].concat();
        let height = |part: f64| [&height_percent(part, most).to_string(), "%"].concat();
        view! {
            <span class="spread-bin" title=title>
                <span class="before" style:height=height(before)></span>
                <span class="now" style:height=height(now)></span>
            </span>
        }
        .into_any()
    };
    (0..bins).map(bar).collect()
}

/// A bar's height in hundredths of the highest one's; what is there at all is seen.
fn height_percent(part: f64, most: f64) -> u32 {
    if part > 0.0 { ((100.0 * part / most).round() as u32).max(4) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_numbers_lie_is_said_in_their_unit() {
        let check = |[min, p25, p75, max]: [f64; 4], unit: &str, expected: &str| {
            let all = Spread { lines: 9, quartiles: vec![min, p25, p25, p75, max], counts: Vec::new() };
            assert_eq!(extent(&all, unit), expected);
        };
        check([0.003, 0.8, 1.02, 4.2], "s", "half of them 800 ms to 1.02 s, all 3 ms to 4.2 s");
        check([7.0; 4], "none", "all of them");
        check([1.0, 2.0, 3.0, 400.0], "none", "half of them 2 to 3, all 1 to 400");
    }

    #[test]
    fn a_bar_is_as_high_as_its_part_and_never_out_of_sight() {
        assert_eq!([0.5, 0.25, 0.001, 0.0].map(|part| height_percent(part, 0.5)), [100, 50, 4, 0]);
    }
}
