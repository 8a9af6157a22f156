//! Which part of the false discoveries each test may have: weighted p-values (Genovese, Roeder and Wasserman 2006).
//!
//! Each kind has the same part, however many series there are beside a few fields. Of each kind's, what was selected has half: there
//! the question came from, and a line that stops there need not stand out among all that is elsewhere. Of series, those in the chart have
//! half of that: what was dragged over is one test, not one of thousands. The rest pays for it with a factor
//! of two at most. Weights are one on average, so as much is false as without them.

use super::observed::{Observed, Series};
use super::together::Places;
use super::tree::Tree;
use sonde_shared::why::FindingKind;

/// Series, patterns, components and hosts, fields.
const KINDS: usize = 4;
const SERIES: usize = 0;
/// Components and hosts, by their lines and by what their members say together.
const PLACES: usize = 2;

/// How near a test is to what the question was asked from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// It is of what was charted.
    Charted,
    /// It is of what was selected.
    Near,
    /// It is of all else.
    Elsewhere,
}

/// How many tests there were of each kind, how many of these of what was selected, and how many of what was charted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tests {
    all: [usize; KINDS],
    selected: [usize; KINDS],
    charted: usize,
}

impl Tests {
    /// `all` are so many of each kind of thing; `places` those whose members were asked together.
    pub(super) fn of(observed: &Observed, tree: &Tree<'_>, mut all: [usize; KINDS], places: &Places) -> Self {
        all[PLACES] += places.len();
        let charted = observed.context.charted.len();
        if !tree.has_selection() {
            return Self { all, selected: [0; KINDS], charted };
        }
        let component = |number: u32| {
            let owner = observed.components.get(number as usize).map_or("", String::as_str);
            tree.is_selected(owner, &tree.hosts_of(owner))
        };
        let is_selected =
            |series: &&Series| tree.is_selected(&tree.owner(&series.path), &tree.hosts_in(&series.path));
        let of_charted =
            observed.context.charted.iter().filter_map(|place| observed.series.get(*place as usize));
        let hosts = observed.hosts.iter().filter(|host| tree.is_selected(host, std::slice::from_ref(host)));
        let components = (0..observed.components.len() as u32).filter(|number| component(*number));
        let together = places.keys().filter(|place| tree.is_selected(place, &tree.hosts_of(place)));
        let of_series = observed.series.iter().filter(is_selected).count();
        let selected = [
            of_series.saturating_sub(of_charted.filter(is_selected).count()),
            observed.patterns.iter().filter(|pattern| component(pattern.component)).count(),
            components.count() + hosts.count() + together.count(),
            observed.fields.iter().filter(|field| component(field.component)).count(),
        ];
        Self { all, selected, charted }
    }

    pub(super) fn all(&self) -> usize {
        self.all.iter().sum()
    }

    /// What a p-value is multiplied by.
    pub(super) fn share(&self, kind: FindingKind, asked: Asked) -> f64 {
        let kind = match kind {
            FindingKind::Metric => SERIES,
            FindingKind::Pattern => 1,
            FindingKind::Component | FindingKind::Host => PLACES,
            FindingKind::Field | FindingKind::Event => 3,
        };
        self.part(kind, asked)
    }

    /// The same for what the members of one place say together.
    pub(super) fn share_together(&self, is_selected: bool) -> f64 {
        self.part(PLACES, if is_selected { Asked::Near } else { Asked::Elsewhere })
    }

    fn part(&self, kind: usize, asked: Asked) -> f64 {
        let used = self.all.iter().filter(|tests| **tests > 0).count();
        let own = self.all[kind];
        let charted = if kind == SERIES { self.charted.min(own) } else { 0 };
        let near = self.selected[kind].min(own - charted);
        let elsewhere = own - charted - near;
        // Where there is nothing of one sort, nothing is divided with it.
        let (tests, part) = match asked {
            Asked::Elsewhere => (elsewhere, half_beside(charted + near)),
            Asked::Near => (near, half_beside(elsewhere) * half_beside(charted)),
            Asked::Charted => (charted, half_beside(elsewhere) * half_beside(near)),
        };
        tests as f64 / part * used as f64 / self.all().max(1) as f64
    }
}

/// What is left beside so many others.
fn half_beside(others: usize) -> f64 {
    if others > 0 { 0.5 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each test is one part of one over its weight, so the weights' mean is the mean of the inverse shares.
    fn mean_weight(tests: &Tests) -> f64 {
        let of = |kind: usize| {
            let charted = if kind == SERIES { tests.charted } else { 0 };
            let near = tests.selected[kind];
            let parts = [
                (charted, Asked::Charted),
                (near, Asked::Near),
                (tests.all[kind] - charted - near, Asked::Elsewhere),
            ];
            let weight = |(count, asked): (usize, Asked)| {
                if count == 0 { 0.0 } else { count as f64 / tests.part(kind, asked) }
            };
            parts.into_iter().map(weight).sum::<f64>()
        };
        (0..KINDS).map(of).sum::<f64>() / tests.all() as f64
    }

    #[test]
    fn weights_are_one_on_average() {
        let check = |all: [usize; KINDS], selected: [usize; KINDS], charted: usize| {
            let mean = mean_weight(&Tests { all, selected, charted });
            assert!((mean - 1.0).abs() < 1e-9, "{all:?} {selected:?} {charted}: {mean}");
        };
        check([1_000, 100, 20, 300], [0, 0, 0, 0], 0);
        check([1_000, 100, 20, 300], [10, 5, 1, 40], 0);
        check([1_000, 100, 0, 300], [1_000, 5, 0, 0], 0);
        check([1_000, 100, 20, 300], [0, 0, 0, 0], 3);
        check([1_000, 100, 20, 300], [10, 5, 1, 40], 3);
        check([13, 0, 0, 0], [10, 0, 0, 0], 3);
        check([3, 0, 0, 0], [0, 0, 0, 0], 3);
    }

    #[test]
    fn what_was_selected_need_not_stand_out_among_all() {
        let tests = Tests { all: [1_000, 200, 0, 0], selected: [0, 10, 0, 0], charted: 0 };
        let unselected = Tests { selected: [0; KINDS], ..tests };
        let (near, far) = (
            tests.share(FindingKind::Pattern, Asked::Near),
            tests.share(FindingKind::Pattern, Asked::Elsewhere),
        );
        let plain = unselected.share(FindingKind::Pattern, Asked::Elsewhere);
        assert!(near < plain / 9.0 && far < 2.0 * plain, "{near} {far} {plain}");
    }

    #[test]
    fn what_was_charted_is_one_test_and_not_one_of_thousands() {
        let tests = Tests { all: [1_000, 200, 0, 0], selected: [50, 0, 0, 0], charted: 1 };
        let share = |asked| tests.share(FindingKind::Metric, asked) * tests.all() as f64;
        assert!((share(Asked::Charted) - 8.0).abs() < 1e-9, "{}", share(Asked::Charted));
        assert!(share(Asked::Near) > 300.0 && share(Asked::Elsewhere) > 3_000.0);
    }
}
