//! Names in order, made when they are first asked for and added to when there are new ones.
//!
//! Names lie one behind the other in sorted runs, so that a walk touches few lines of the processor's cache. New names become
//! a run of their own; runs are merged like the digits of a counter, so that there are few and a name is copied a few times.

use super::tag_index::{TagIndex, TagView, Tagged};
use super::walk::NameList;
use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

/// Names in order.
#[derive(Debug, Default)]
pub(super) struct Run {
    text: Vec<u8>,
    /// Where each name ends in the text.
    ends: Vec<usize>,
    /// Made when it is first asked for.
    tags: OnceLock<TagIndex>,
}

impl NameList for Run {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn name(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at]]
    }
}

impl Tagged for Run {
    fn tags(&self) -> TagView<'_> {
        self.tags.get_or_init(|| TagIndex::of(self)).view()
    }
}

impl Run {
    fn with_room(names: usize, bytes: usize) -> Self {
        Self { text: Vec::with_capacity(bytes), ends: Vec::with_capacity(names), tags: OnceLock::new() }
    }

    fn sorted(mut names: Vec<Arc<str>>) -> Self {
        // Senders send in some order of their own, which the stable sort makes use of.
        names.sort();
        let mut run = Self::with_room(names.len(), names.iter().map(|name| name.len()).sum());
        for name in &names {
            run.push(name.as_bytes());
        }
        run
    }

    fn push(&mut self, name: &[u8]) {
        self.text.extend_from_slice(name);
        self.ends.push(self.text.len());
    }

    fn merged(one: &Self, other: &Self) -> Self {
        let mut run = Self::with_room(one.len() + other.len(), one.text.len() + other.text.len());
        let (mut a, mut b) = (0, 0);
        loop {
            let order = match (a < one.len(), b < other.len()) {
                (true, true) => one.name(a).cmp(other.name(b)),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => return run,
            };
            if order == Ordering::Less {
                run.push(one.name(a));
                a += 1;
            } else {
                run.push(other.name(b));
                b += 1;
            }
        }
    }

    /// The names in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| std::str::from_utf8(self.name(at)).unwrap_or_default())
    }
}

/// All names so far.
#[derive(Debug, Default)]
pub(super) struct Order {
    runs: Vec<Arc<Run>>,
}

impl Order {
    /// Adds names that are not here yet.
    pub(super) fn add(&mut self, names: Vec<Arc<str>>) {
        if names.is_empty() {
            return;
        }
        self.runs.push(Arc::new(Run::sorted(names)));
        while let [.., one, other] = &self.runs[..]
            && one.len() <= 2 * other.len()
        {
            self.merge_last_two();
        }
    }

    fn merge_last_two(&mut self) {
        if let [.., one, other] = &self.runs[..] {
            let merged = Arc::new(Run::merged(one, other));
            self.runs.truncate(self.runs.len() - 2);
            self.runs.push(merged);
        }
    }

    pub(super) fn runs(&self) -> Vec<Arc<Run>> {
        self.runs.clone()
    }

    /// All of them in one run.
    pub(super) fn whole(&mut self) -> Arc<Run> {
        while self.runs.len() > 1 {
            self.merge_last_two();
        }
        self.runs.first().cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_come_in_any_portions_are_in_order() {
        let mut order = Order::default();
        let mut expected: Vec<String> = Vec::new();
        let mut number = 0_u32;
        for portion in [1, 5, 3, 100, 1, 1, 1, 7, 40, 0, 2_000, 1] {
            let names: Vec<Arc<str>> = (number..number + portion)
                .map(|at| format!("n{}", at.wrapping_mul(2_654_435_761)).into())
                .collect();
            number += portion;
            expected.extend(names.iter().map(ToString::to_string));
            expected.sort();
            order.add(names);
            let runs = order.runs();
            assert!(runs.len() < 12 && runs.iter().all(|run| run.iter().is_sorted()), "{}", runs.len());
            let mut all: Vec<&str> = runs.iter().flat_map(|run| run.iter()).collect();
            all.sort_unstable();
            assert_eq!(all, expected);
        }
        assert_eq!(order.whole().iter().collect::<Vec<_>>(), expected);
    }
}
