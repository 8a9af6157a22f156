//! How numbers among values are spread, in the lines that are shown and in the baseline: in words, and as bars of both.

use crate::text;
use leptos::prelude::*;
use sonde_shared::chart::units::{format_among, format_value};
use sonde_shared::spread::{Bin, NumberSpread, Spread};

/// The numbers of a variable part or of a field; `unit` is what they are of where they do not say it themselves.
#[component]
pub(super) fn NumbersSpread(numbers: NumberSpread, unit: &'static str) -> impl IntoView {
    let unit = unit_of(&numbers.unit).unwrap_or(unit);
    let NumberSpread { selection, baseline, bins, .. } = numbers;
    let median = value(selection.median, unit, &selection);
    let before = baseline.map(|before| format!(", before {}", value(before.median, unit, &before)));
    let bars = (!bins.is_empty()).then(|| view! { <Bars bins unit selection baseline /> });
    view! {
        <span class="spread">
            <span>"median "<strong>{median}</strong>{before}</span>
            {bars}
            <span class="muted">{extent(&selection, unit)}</span>
        </span>
    }
}

/// `half of them 800 ms to 1.02 s, all 3 ms to 4.2 s`.
fn extent(all: &Spread, unit: &str) -> String {
    if all.min >= all.max {
        return "all of them".to_owned();
    }
    let half = [value(all.p25, unit, all), value(all.p75, unit, all)].join(" to ");
    let whole = [all.min, all.max].map(|end| format_value(end, unit)).join(" to ");
    ["half of them ", &half, ", all ", &whole].concat()
}

fn value(value: f64, unit: &str, among: &Spread) -> String {
    format_among(value, unit, among.p75 - among.p25)
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
#[component]
fn Bars(bins: Vec<Bin>, unit: &'static str, selection: Spread, baseline: Option<Spread>) -> impl IntoView {
    let part = |count: u64, of: u64| count as f64 / of.max(1) as f64;
    let before_lines = baseline.map_or(0, |before| before.lines);
    let now: Vec<f64> = bins.iter().map(|bin| part(bin.count, selection.lines)).collect();
    let before: Vec<f64> =
        bins.iter().map(|bin| part(bin.baseline_count.unwrap_or(0), before_lines)).collect();
    let most = now.iter().chain(&before).copied().fold(0.0, f64::max);
    let told = |bin: &Bin| {
        let before = baseline.and(bin.baseline_count);
        let before = before.map(|count| [", before ", &text::percent(count, before_lines)].concat());
        let range = [value(bin.from, unit, &selection), value(bin.until, unit, &selection)].join(" to ");
        [&range, ": ", &text::percent(bin.count, selection.lines), &before.unwrap_or_default()].concat()
    };
    let height = move |part: f64| format!("{}%", height_percent(part, most));
    let bar = |((bin, now), before): ((&Bin, &f64), &f64)| {
        view! {
            <span class="spread-bin" title=told(bin)>
                <span class="before" style:height=height(*before)></span>
                <span class="now" style:height=height(*now)></span>
            </span>
        }
    };
    let bars = bins.iter().zip(&now).zip(&before).map(bar).collect_view();
    view! { <span class="spread-bars" aria-hidden="true">{bars}</span> }
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
            let all = Spread { lines: 9, min, p25, median: p25, p75, max };
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
