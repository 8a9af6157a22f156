//! Lists whose items are told apart by keys: which of the items that are there stay, and which of those have to move. Pure.

use crate::view::View;
use reactive_graph::owner::Owner;
use std::any::Any;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A list to be shown.
pub struct Keyed {
    /// Whose the items are, for they outlive what made the list.
    pub(crate) owner: Owner,
    pub(crate) items: Vec<Item>,
}

/// An item of a list.
pub(crate) struct Item {
    pub key: Key,
    pub view: Box<dyn FnOnce() -> View>,
}

/// A key of any type.
pub(crate) struct Key {
    /// Tells most keys apart without a look at them.
    hash: u64,
    value: Box<dyn AnyKey>,
}

trait AnyKey: Any {
    fn is(&self, other: &dyn Any) -> bool;
}

impl<K: Eq + 'static> AnyKey for K {
    fn is(&self, other: &dyn Any) -> bool {
        other.downcast_ref() == Some(self)
    }
}

impl Key {
    pub(crate) fn new(key: impl Hash + Eq + 'static) -> Self {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        Self { hash: hasher.finish(), value: Box::new(key) }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        let value: &dyn AnyKey = &*other.value;
        self.hash == other.hash && self.value.is(value)
    }
}

/// For each new key the place where it was; each of the former is found once. Lists mostly shift, so the search begins behind
/// what was found last.
pub(crate) fn former_places(former: &[&Key], keys: &[&Key]) -> Vec<Option<usize>> {
    let (mut is_taken, mut next) = (vec![false; former.len()], 0);
    let mut find = |key: &&Key| {
        let mut places = (next..former.len()).chain(0..next);
        let place = places.find(|place| !is_taken[*place] && former[*place] == *key)?;
        is_taken[place] = true;
        next = place + 1;
        Some(place)
    };
    keys.iter().map(&mut find).collect()
}

/// Of items that were at these places: which may stay while the others move around them. As many as can, the longest run of
/// rising places, since an element that moves loses the focus.
pub(crate) fn staying(places: &[Option<usize>]) -> Vec<bool> {
    // The last item of the best run of each length as yet, and for each item the one before it in its run.
    let (mut ends, mut before) = (Vec::<usize>::new(), vec![None; places.len()]);
    for (at, place) in places.iter().enumerate().filter(|(_, place)| place.is_some()) {
        let length = ends.partition_point(|end| places[*end] < *place);
        before[at] = length.checked_sub(1).map(|length| ends[length]);
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut stays = vec![false; places.len()];
    let mut next = ends.last().copied();
    while let Some(at) = next {
        stays[at] = true;
        next = before[at];
    }
    stays
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn places_of(former: &[u8], new: &[u8]) -> Vec<Option<usize>> {
        let keys = |all: &[u8]| all.iter().copied().map(Key::new).collect::<Vec<_>>();
        let (former, new) = (keys(former), keys(new));
        former_places(&former.iter().collect::<Vec<_>>(), &new.iter().collect::<Vec<_>>())
    }

    #[track_caller]
    fn check(former: &[u8], new: &[u8], expected: &[Option<usize>], staying_ones: &[bool]) {
        let places = places_of(former, new);
        assert_eq!(places, expected);
        assert_eq!(staying(&places), staying_ones);
    }

    #[test]
    fn what_shifts_stays() {
        check(&[1, 2, 3], &[2, 3, 4], &[Some(1), Some(2), None], &[true, true, false]);
        check(&[2, 3, 4], &[1, 2, 3], &[None, Some(0), Some(1)], &[false, true, true]);
    }

    #[test]
    fn who_comes_to_the_front_moves_alone() {
        let places = [Some(3), Some(0), Some(1), Some(2)];
        check(&[1, 2, 3, 4], &[4, 1, 2, 3], &places, &[false, true, true, true]);
    }

    #[test]
    fn a_key_that_comes_twice_is_found_once() {
        check(&[7], &[7, 7], &[Some(0), None], &[true, false]);
        check(&[7, 7], &[7], &[Some(0)], &[true]);
    }

    #[test]
    fn keys_of_different_types_are_different() {
        assert!(Key::new(1_u8) == Key::new(1_u8));
        assert!(Key::new(1_u8) != Key::new(1_i8));
    }

    /// Puts the items in order as the document's nodes are: those that do not stay go before the one behind them.
    fn moved(former: &[u8], new: &[u8]) -> Vec<u8> {
        let places = places_of(former, new);
        let stays = staying(&places);
        let is_kept = |place: usize| places.contains(&Some(place));
        let kept = former.iter().enumerate().filter(|(place, _)| is_kept(*place));
        // A node is its former place, or behind those its new one.
        let name = |at: usize| places[at].unwrap_or(former.len() + at);
        let mut nodes: Vec<usize> = kept.map(|(place, _)| place).collect();
        for at in (0..new.len()).rev().filter(|at| !stays[*at]) {
            nodes.retain(|node| *node != name(at));
            let behind = (at + 1 < new.len()).then(|| name(at + 1));
            let before = behind.and_then(|behind| nodes.iter().position(|node| *node == behind));
            nodes.insert(before.unwrap_or(nodes.len()), name(at));
        }
        let names: Vec<usize> = (0..new.len()).map(name).collect();
        assert_eq!(nodes, names);
        names.iter().map(|node| *former.get(*node).unwrap_or_else(|| &new[node - former.len()])).collect()
    }

    /// The longest run of rising places, by trying all.
    fn most_staying(places: &[Option<usize>]) -> usize {
        let places: Vec<usize> = places.iter().flatten().copied().collect();
        let subset = |bits: u32| -> Vec<usize> {
            let is_in = |at: &usize| bits >> at & 1 == 1;
            (0..places.len()).filter(is_in).map(|at| places[at]).collect()
        };
        (0..1_u32 << places.len())
            .map(subset)
            .filter(|run| run.is_sorted())
            .map(|run| run.len())
            .max()
            .unwrap_or(0)
    }

    proptest! {
        #[test]
        fn moving_what_does_not_stay_makes_the_new_order(former in vec(0..12_u8, 0..14), new in vec(0..12_u8, 0..14)) {
            prop_assert_eq!(moved(&former, &new), new);
        }

        #[test]
        fn as_many_stay_as_can(former in vec(0..9_u8, 0..10), new in vec(0..9_u8, 0..10)) {
            let places = places_of(&former, &new);
            let stays = staying(&places).into_iter().filter(|stays| *stays).count();
            prop_assert_eq!(stays, most_staying(&places));
        }
    }
}
