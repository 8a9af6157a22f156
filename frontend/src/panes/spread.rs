//! How numbers among values are spread, in the lines that are shown and in the baseline: in words, and as bars of both.

use leptos::prelude::*;
use sonde_shared::api::SlotValues;
use sonde_shared::chart::units::{format_among, format_value};
use sonde_shared::spread::NumberSpread;

/// The height of the highest bar.
const HEIGHT: u32 = 100;
/// What is there at all is seen.
const LEAST: u32 = 4;

/// Whether values come again; of those that hardly do each is new.
pub(super) const fn comes_again(slot: &SlotValues) -> bool {
    2 * slot.distinct <= slot.lines
}

/// The numbers of a variable part or of a field, where they are more than the values that are listed; `unit` is what they are of where
/// they do not say it themselves.
pub(super) fn number_spread(slot: &SlotValues, unit: &str) -> Option<AnyView> {
    let numbers = slot.numbers.as_ref().filter(|_| slot.distinct > slot.values.len() as u64)?;
    let unit = unit_of(&numbers.unit).unwrap_or(unit);
    let [median, before, extent] = words(numbers, unit);
    let most = highest(&numbers.counts).max(highest(&numbers.baseline_counts));
    let [was, is] = [&numbers.baseline_counts, &numbers.counts].map(|counts| bars(counts, most));
    let view = view! {
        <span class="spread">
            <span>"median "<strong>{median}</strong>{before}</span>
            <svg viewBox=["0 0 ", &numbers.counts.len().to_string(), " 100"].concat() preserveAspectRatio="none" aria-hidden="true">
                <path class="before" d=was></path>
                <path class="course-bars" d=is></path>
            </svg>
            <span class="muted">{extent}</span>
        </span>
    };
    Some(view.into_any())
}

/// The median, that of the baseline where there is one, and where the numbers lie: `half of them 800 ms to 1.02 s, all 3 ms to 4.2 s`.
fn words(numbers: &NumberSpread, unit: &str) -> [String; 3] {
    let [min, p25, median, p75, max] = numbers.quartiles.as_slice().try_into().unwrap_or_default();
    let value = |value: f64| format_among(value, unit, p75 - p25);
    let before = numbers.baseline_quartiles.get(2).map(|before| [", before ", &value(*before)].concat());
    let [min, max] = [min, max].map(|end| format_value(end, unit));
    let extent = ["half of them ", &value(p25), " to ", &value(p75), ", all ", &min, " to ", &max].concat();
    [value(median), before.unwrap_or_default(), extent]
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

/// The largest part that lies in one bin.
fn highest(counts: &[u64]) -> f64 {
    let most = counts.iter().max().copied().unwrap_or(0);
    most as f64 / counts.iter().sum::<u64>().max(1) as f64
}

/// Bars as a path, each as high as its part of all is beside the highest.
fn bars(counts: &[u64], highest: f64) -> String {
    let lines = counts.iter().sum::<u64>() as f64;
    let mut path = String::new();
    for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let height = (f64::from(HEIGHT) * *count as f64 / lines / highest).round() as u32;
        let texts =
            ["M", &at.to_string(), " 100V", &(HEIGHT - height.clamp(LEAST, HEIGHT)).to_string(), "h1V100"];
        path.push_str(&texts.concat());
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_numbers_lie_is_said_in_their_unit() {
        let check = |quartiles: [f64; 5], before: &[f64], unit: &str, expected: [&str; 3]| {
            let numbers = NumberSpread {
                quartiles: quartiles.to_vec(),
                baseline_quartiles: before.to_vec(),
                ..NumberSpread::default()
            };
            assert_eq!(words(&numbers, unit), expected);
        };
        check(
            [0.003, 0.8, 0.9, 1.02, 4.2],
            &[0.001, 0.01, 0.012, 0.02, 3.0],
            "s",
            ["900 ms", ", before 12 ms", "half of them 800 ms to 1.02 s, all 3 ms to 4.2 s"],
        );
        check([1.0, 2.0, 2.0, 3.0, 400.0], &[], "none", ["2", "", "half of them 2 to 3, all 1 to 400"]);
    }

    #[test]
    fn a_bar_is_as_high_as_its_part_and_never_out_of_sight() {
        assert_eq!(
            bars(&[500, 0, 250, 1, 249], 0.5),
            "M0 100V0h1V100M2 100V50h1V100M3 100V96h1V100M4 100V50h1V100"
        );
        assert_eq!((bars(&[], 0.5), highest(&[]), highest(&[1, 3])), (String::new(), 0.0, 0.75));
    }
}
