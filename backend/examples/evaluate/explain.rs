//! What came instead of a cause, and what was found where nothing happened: for those who work on the method.
#![expect(clippy::print_stdout, reason = "a report is printed")]

use crate::incident::Cause;
use sonde::why::Observed;
use sonde_shared::why::Finding;

/// So many findings are told.
const MOST: usize = 4;
/// … and so many of the cause's own series and patterns.
const MOST_OF_CAUSE: usize = 4;

/// A cause that does not come first.
pub(crate) fn missed(
    name: &str,
    observed: &Observed,
    cause: &Cause,
    (listed, findings): (&[Finding], usize),
    place: Option<usize>,
) {
    println!("    {name}, {}: {} at {:?}", shape(observed), cause.place, place.map(|place| place + 1));
    let now = &observed.grid.now;
    for series in
        observed.series.iter().filter(|series| cause.exact.contains(&series.path)).take(MOST_OF_CAUSE)
    {
        println!(
            "      cause {}: {:.3?} → {:.3?}",
            series.path,
            ends(&series.values[now.baseline.clone()]),
            ends(&series.values[now.selection.clone()])
        );
    }
    for pattern in
        observed.patterns.iter().filter(|pattern| cause.exact.contains(&pattern.id)).take(MOST_OF_CAUSE)
    {
        println!(
            "      cause {} {}: {} → {} lines",
            pattern.id,
            pattern.template,
            pattern.counts.sum(&now.baseline),
            pattern.counts.sum(&now.selection)
        );
    }
    tell(&listed[..findings]);
    if findings < listed.len() {
        println!("      below the threshold:");
        tell(&listed[findings..]);
    }
}

/// Findings where nothing happened.
pub(crate) fn false_findings(name: &str, observed: &Observed, findings: &[Finding]) {
    println!("    {name}, {}", shape(observed));
    tell(findings);
    let now = &observed.grid.now;
    for finding in findings.iter().take(MOST) {
        if let Some(series) = observed.series.iter().find(|series| series.path == finding.subject) {
            println!(
                "      {:.3?} | {:.3?}",
                &series.values[now.baseline.start.saturating_sub(20)..now.baseline.end],
                &series.values[now.selection.clone()]
            );
        }
        if let Some(pattern) =
            observed.patterns.iter().find(|pattern| finding.at.pattern.as_ref() == Some(&pattern.id))
        {
            let all: Vec<(usize, u32)> = pattern.counts.iter().collect();
            println!("      selection {:?}: {all:?}", now.selection);
        }
    }
}

fn tell(findings: &[Finding]) {
    for finding in findings.iter().take(MOST) {
        println!(
            "      {:.2} p {:.1e} {:?} {:?} {}: {} ({} members)",
            finding.score,
            finding.p_value,
            finding.kind,
            finding.change,
            finding.subject,
            finding.summary,
            finding.members_total
        );
    }
}

fn shape(observed: &Observed) -> String {
    let grid = &observed.grid;
    format!(
        "{} of {} s, {} before, past {}, days {}, {} series, {} patterns",
        grid.now.selection.len(),
        grid.step_ms / 1_000,
        grid.now.baseline.len(),
        grid.now.baseline.start,
        grid.earlier_days.len(),
        observed.series.len(),
        observed.patterns.len()
    )
}

/// First, middle and last values.
fn ends(values: &[f32]) -> [f32; 4] {
    let at = |part: f64| values.get((values.len().saturating_sub(1) as f64 * part) as usize).copied();
    [0.0, 0.4, 0.7, 1.0].map(|part| at(part).unwrap_or(f32::NAN))
}
