//! Events as findings: those that fall just before a change. An event alone is none, for a quiet window has nothing to explain.

use super::candidate::Candidate;
use super::observed::{Event, Observed};
use super::tree::Tree;
use sonde_shared::why::{Change, FindingKind, Place};

/// An event this many lengths of the selection before it may have to do with it …
const LENGTHS: f64 = 1.0;
/// … and at least this long before, for what a deploy breaks may show after a minute.
const LEAST_MS: f64 = 120_000.0;
/// With more events than this coming by chance, none of them says anything.
const MOST_BY_CHANCE: f64 = 0.3;

/// Events just before the selection, or in it but before `began_ms`, when the first thing moved.
pub(super) fn find(observed: &Observed, tree: &Tree<'_>, began_ms: Option<i64>) -> Vec<Candidate> {
    let grid = &observed.grid;
    let Some(start) = grid.starts_ms.get(grid.now.selection.start).copied() else { return Vec::new() };
    let length = grid.now.selection.len() as i64 * grid.step_ms;
    let reach = (LENGTHS * length as f64).max(LEAST_MS) as i64;
    // When the first thing moved is known to a bucket.
    let until = began_ms.unwrap_or(start).max(start) + grid.step_ms;
    let from = start - reach;
    let is_near = |event: &&Event| (from..=until).contains(&event.at_ms);
    let first = grid.starts_ms.first().copied().unwrap_or(start).min(from);
    let elsewhere = observed.events.iter().filter(|event| event.at_ms < from).count() as f64;
    let by_chance = (elsewhere + 0.5) * (until - from) as f64 / ((from - first).max(until - from)) as f64;
    if elsewhere > 0.0 && by_chance > MOST_BY_CHANCE {
        return Vec::new();
    }
    let p = -(-by_chance.min(MOST_BY_CHANCE)).exp_m1();
    observed.events.iter().filter(is_near).map(|event| candidate(observed, tree, event, p, until)).collect()
}

fn candidate(observed: &Observed, tree: &Tree<'_>, event: &Event, p: f64, until: i64) -> Candidate {
    let owner =
        event.tags.iter().find(|tag| observed.components.contains(tag) || observed.hosts.contains(tag));
    let owner = owner.cloned().unwrap_or_default();
    let before = (until - observed.grid.step_ms - event.at_ms).max(0) / 1_000;
    let mut summary = if before == 0 { "at its start".to_owned() } else { format!("{before} s before") };
    if !event.tags.is_empty() {
        summary = format!("{summary}; tagged {}", event.tags.join(", "));
    }
    Candidate {
        kind: FindingKind::Event,
        subject: event.what.clone(),
        change: Change::Before,
        p,
        relative: 1.0,
        noise: 1.0,
        specific: 1.0,
        effect: 0.0,
        summary,
        at: Place { at_ms: Some(event.at_ms), ..Place::default() },
        hosts: tree.hosts_in(&owner),
        owner,
        course: Vec::new(),
        onset: None,
        twin: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::observed::{Grid, Trial};
    use super::*;

    fn near(at_secs: &[i64]) -> usize {
        let event = |at: &i64| Event { at_ms: at * 1_000, what: "deploy".into(), tags: Vec::new() };
        let grid = Grid::unbroken(0, 10_000, Trial { selection: 200..212, baseline: 150..198 });
        let observed = Observed { grid, events: at_secs.iter().map(event).collect(), ..Observed::default() };
        find(&observed, &Tree::of(&observed), None).len()
    }

    #[test]
    fn an_event_counts_only_just_before() {
        assert_eq!(near(&[1_950]), 1);
        assert_eq!(near(&[300]), 0);
        assert_eq!(near(&[2_080]), 0);
    }

    #[test]
    fn events_that_come_all_the_time_say_nothing() {
        assert_eq!(near(&(0..40).map(|at| at * 50).collect::<Vec<_>>()), 0);
    }
}
