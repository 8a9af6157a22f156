//! Which part of the false discoveries each test may have: weighted p-values (Genovese, Roeder and Wasserman 2006).
//!
//! Each kind has the same part, however many series there are beside a few fields. Of each kind's, what was selected has half: there
//! the question came from, and a line that stops there need not stand out among all that is elsewhere. The rest pays for it with a factor
//! of two at most. Weights are one on average, so as much is false as without them.

use super::observed::Observed;
use super::together::Places;
use super::tree::Tree;
use sonde_shared::why::FindingKind;

/// Series, patterns, components and hosts, fields.
const KINDS: usize = 4;
/// Components and hosts, by their lines and by what their members say together.
const PLACES: usize = 2;

/// How many tests there were of each kind, and how many of these of what was selected.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tests {
    all: [usize; KINDS],
    selected: [usize; KINDS],
}

impl Tests {
    /// `all` are so many of each kind of thing; `places` those whose members were asked together.
    pub(super) fn of(observed: &Observed, tree: &Tree<'_>, mut all: [usize; KINDS], places: &Places) -> Self {
        all[PLACES] += places.len();
        if !tree.has_selection() {
            return Self { all, selected: [0; KINDS] };
        }
        let component = |number: u32| {
            let owner = observed.components.get(number as usize).map_or("", String::as_str);
            tree.is_selected(owner, &tree.hosts_of(owner))
        };
        let series = observed
            .series
            .iter()
            .filter(|series| tree.is_selected(&tree.owner(&series.path), &tree.hosts_in(&series.path)));
        let hosts = observed.hosts.iter().filter(|host| tree.is_selected(host, std::slice::from_ref(host)));
        let components = (0..observed.components.len() as u32).filter(|number| component(*number));
        let together = places.keys().filter(|place| tree.is_selected(place, &tree.hosts_of(place)));
        let selected = [
            series.count(),
            observed.patterns.iter().filter(|pattern| component(pattern.component)).count(),
            components.count() + hosts.count() + together.count(),
            observed.fields.iter().filter(|field| component(field.component)).count(),
        ];
        Self { all, selected }
    }

    pub(super) fn all(&self) -> usize {
        self.all.iter().sum()
    }

    /// What a p-value is multiplied by.
    pub(super) fn share(&self, kind: FindingKind, is_selected: bool) -> f64 {
        let kind = match kind {
            FindingKind::Metric => 0,
            FindingKind::Pattern => 1,
            FindingKind::Component | FindingKind::Host => PLACES,
            FindingKind::Field | FindingKind::Event => 3,
        };
        self.part(kind, is_selected)
    }

    /// The same for what the members of one place say together.
    pub(super) fn share_together(&self, is_selected: bool) -> f64 {
        self.part(PLACES, is_selected)
    }

    fn part(&self, kind: usize, is_selected: bool) -> f64 {
        let used = self.all.iter().filter(|tests| **tests > 0).count();
        let (own, selected) = (self.all[kind], self.selected[kind].min(self.all[kind]));
        let part = if is_selected { selected } else { own - selected };
        // Where all of a kind, or none of it, was selected there is nothing to divide.
        let half = if part == 0 || part == own { own } else { 2 * part };
        (half * used) as f64 / self.all().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each test is one part of one over its weight, so the weights' mean is the mean of the inverse shares.
    fn mean_weight(tests: &Tests) -> f64 {
        let of = |kind: usize| {
            let selected = tests.selected[kind];
            let rest = tests.all[kind] - selected;
            let weight = |count: usize, is_selected: bool| {
                if count == 0 { 0.0 } else { count as f64 / tests.part(kind, is_selected) }
            };
            weight(selected, true) + weight(rest, false)
        };
        (0..KINDS).map(of).sum::<f64>() / tests.all() as f64
    }

    #[test]
    fn weights_are_one_on_average() {
        let check = |all: [usize; KINDS], selected: [usize; KINDS]| {
            let mean = mean_weight(&Tests { all, selected });
            assert!((mean - 1.0).abs() < 1e-9, "{all:?} {selected:?}: {mean}");
        };
        check([1_000, 100, 20, 300], [0, 0, 0, 0]);
        check([1_000, 100, 20, 300], [10, 5, 1, 40]);
        check([1_000, 100, 0, 300], [1_000, 5, 0, 0]);
    }

    #[test]
    fn what_was_selected_need_not_stand_out_among_all() {
        let tests = Tests { all: [1_000, 200, 0, 0], selected: [0, 10, 0, 0] };
        let unselected = Tests { selected: [0; KINDS], ..tests };
        let (near, far) = (tests.share(FindingKind::Pattern, true), tests.share(FindingKind::Pattern, false));
        let plain = unselected.share(FindingKind::Pattern, false);
        assert!(near < plain / 9.0 && far < 2.0 * plain, "{near} {far} {plain}");
    }
}
