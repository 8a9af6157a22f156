//! Makes the catalog anew: from the old one, as far as its days are as they were, and the parts of the others.

use super::catalog::{Catalog, CatalogWriter, Covered, DaySet};
use super::days::Days;
use super::find::covered;
use super::part::Part;
use super::walk::NameList;
use super::writer;
use crate::store::{StoreError, layout};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// A catalog of fewer days would be no quicker than their parts.
const LEAST_DAYS: usize = 2;
/// So many names are merged before it is asked whether to go on.
const STRETCH: usize = 8_192;

/// What a catalog is made of.
#[derive(Default)]
struct Sources {
    /// The days that it will cover, in order.
    days: Vec<Covered>,
    /// The old catalog's days that stay: their places in the old one and in the new one.
    kept: Vec<(usize, usize)>,
    /// Parts, each with its day's place.
    parts: Vec<(Arc<Part>, usize)>,
}

/// Makes it anew if there is anything that it does not cover, or covers and has gone. Today is left out, since it changes,
/// unless it is wanted.
pub(super) fn refresh(
    days: &Days,
    with_today: bool,
    is_stopped: &dyn Fn() -> bool,
) -> Result<(), StoreError> {
    let _alone = days.making.lock().unwrap_or_else(PoisonError::into_inner);
    let begun = Instant::now();
    let old = days.catalog();
    let Some(sources) = sources(days, old.as_deref(), with_today, is_stopped)? else { return Ok(()) };
    let is_same = sources.parts.is_empty()
        && old.as_ref().is_none_or(|catalog| catalog.is_current())
        && old.as_ref().map_or(0, |catalog| catalog.days().len()) == sources.kept.len();
    if is_same || sources.days.len() < LEAST_DAYS {
        return Ok(());
    }
    let path = layout::catalog(&days.data);
    let mut catalog = CatalogWriter::create(&path)?;
    let is_whole = merge(&sources, old.as_deref(), &mut catalog, is_stopped);
    if !is_whole.as_ref().is_ok_and(|is_whole| *is_whole) {
        catalog.give_up();
        return is_whole.map(drop);
    }
    catalog.finish(&sources.days)?;
    days.set_catalog(Catalog::open(&path, days.reading)?);
    days.note_attempt(begun.elapsed());
    Ok(())
}

/// `None` when it was given up.
fn sources(
    days: &Days,
    old: Option<&Catalog>,
    with_today: bool,
    is_stopped: &dyn Fn() -> bool,
) -> Result<Option<Sources>, StoreError> {
    let mut sources = Sources::default();
    let today = writer::today();
    for day in layout::list_days(&days.data)?.into_iter().filter(|day| with_today || *day != today) {
        if is_stopped() {
            return Ok(None);
        }
        let noted = old.and_then(|old| old.place_of(day).map(|at| (at, &old.days()[at])));
        let place = sources.days.len();
        if let Some((at, noted)) = noted.filter(|(_, noted)| days.is_settled(day, noted)) {
            sources.kept.push((at, place));
            sources.days.push(noted.clone());
            continue;
        }
        let state = days.get(day)?;
        let covered = covered(&state);
        match noted {
            _ if covered.parts.is_empty() => continue,
            Some((at, noted)) if *noted == covered => sources.kept.push((at, place)),
            _ => {
                let parts = state.parts();
                // A part that came in between belongs to the next catalog.
                let parts = parts.into_iter().filter(|part| covered.parts.contains(&part.note()));
                sources.parts.extend(parts.map(|part| (part, place)));
            }
        }
        sources.days.push(covered);
    }
    Ok(Some(sources))
}

/// A list of names while lists are merged.
struct Input<'a> {
    list: Names<'a>,
    at: usize,
    /// The name at the place; `None` at the end.
    name: Option<&'a [u8]>,
}

enum Names<'a> {
    Old(&'a Catalog),
    Part(&'a Part, usize),
}

impl<'a> Input<'a> {
    fn of(list: Names<'a>) -> Self {
        let mut input = Self { list, at: 0, name: None };
        input.look();
        input
    }

    fn look(&mut self) {
        let list: &'a dyn NameList = match self.list {
            Names::Old(catalog) => catalog,
            Names::Part(part, _) => part,
        };
        self.name = (self.at < list.len()).then(|| list.name(self.at));
    }

    /// Adds the days of its name, and goes on.
    fn take(&mut self, moved: &[Option<usize>], days: &mut DaySet) {
        match self.list {
            Names::Part(_, place) => days.insert(place),
            Names::Old(catalog) => {
                for (number, word) in catalog.set(self.at).enumerate() {
                    let mut rest = word;
                    while rest > 0 {
                        let place = moved.get(number * 64 + rest.trailing_zeros() as usize);
                        if let Some(Some(place)) = place {
                            days.insert(*place);
                        }
                        rest &= rest - 1;
                    }
                }
            }
        }
        self.at += 1;
        self.look();
    }
}

/// Writes all names; false when it was given up.
fn merge(
    sources: &Sources,
    old: Option<&Catalog>,
    catalog: &mut CatalogWriter,
    is_stopped: &dyn Fn() -> bool,
) -> Result<bool, StoreError> {
    let mut moved = vec![None; old.map_or(0, |old| old.days().len())];
    sources.kept.iter().for_each(|(before, now)| moved[*before] = Some(*now));
    let old = old.filter(|_| !sources.kept.is_empty()).map(Names::Old);
    let parts = sources.parts.iter().map(|(part, place)| Names::Part(part, *place));
    let mut inputs: Vec<Input<'_>> = old.into_iter().chain(parts).map(Input::of).collect();
    let (mut days, mut least, mut written) = (DaySet::none_of(sources.days.len()), Vec::new(), 0_usize);
    while let Some(name) = find_least(&inputs, &mut least) {
        days.clear();
        for at in &least {
            inputs[*at].take(&moved, &mut days);
        }
        if !days.is_empty() {
            catalog.push(name, &days)?;
        }
        written += 1;
        if written.is_multiple_of(STRETCH) && is_stopped() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The least name that is next, and the inputs that have it.
fn find_least<'a>(inputs: &[Input<'a>], least: &mut Vec<usize>) -> Option<&'a [u8]> {
    let mut found: Option<&[u8]> = None;
    least.clear();
    for (at, name) in inputs.iter().enumerate().filter_map(|(at, input)| Some((at, input.name?))) {
        let order = found.map_or(std::cmp::Ordering::Less, |found| name.cmp(found));
        if order.is_lt() {
            found = Some(name);
            least.clear();
        }
        if order.is_le() {
            least.push(at);
        }
    }
    found
}
