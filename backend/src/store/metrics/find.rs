//! Which series there are: the catalog for finished days, and the parts and heads that it does not cover.
//!
//! Of a day that nobody has opened, its folder is looked at once: whether it has just the parts that the catalog notes. From
//! then on nothing changes it but who opens it, or deletes it. So a pattern over a year walks one file, and opens the days that
//! came after it.

use super::catalog::{Catalog, Covered, DaySet, OnDays};
use super::day::{DayState, PREFIX, part_path};
use super::days::Days;
use super::lists::List;
use super::note::Note;
use super::order::Run;
use super::part::Part;
use super::points::DAY_SECS;
use super::seal::Task;
use super::walk::{Found, NameList, Search};
use super::writer;
use crate::store::{StoreError, layout};
use sonde_shared::glob::Glob;
use sonde_shared::time::{Day, TimeRange};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc::Sender;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A catalog that is missing or no longer covers all is made again this long after the last attempt at the earliest, or so
/// many times as long as that took.
const LEAST_PAUSE: Duration = Duration::from_secs(10);
const PAUSE_TIMES: u32 = 20;
/// So many uncovered days are worth a new catalog.
const WORTH: usize = 2;

/// The first and the last second that a series has a point in; `None` where it has none.
type Span = Option<(i64, i64)>;

/// What is known of the catalog.
#[derive(Default)]
pub(super) struct Cataloging {
    state: State,
    /// Days that nobody has opened and that are as the catalog says.
    settled: BTreeSet<Day>,
    /// Who makes it anew; nobody any more once the store closes.
    pub(super) maker: Option<Sender<Task>>,
    not_before: Option<Instant>,
}

#[derive(Default)]
enum State {
    #[default]
    Unopened,
    Opened(Option<Arc<Catalog>>),
}

impl Cataloging {
    pub(super) fn forget(&mut self, day: Day) {
        self.settled.remove(&day);
    }

    /// Forgets the days whose folder has gone.
    pub(super) fn keep(&mut self, folders: &[Day]) {
        self.settled.retain(|day| folders.binary_search(day).is_ok());
    }
}

/// Where the names of a day are: in the catalog, by the day's number there, and in lists of its own.
struct Place {
    cataloged: Option<usize>,
    runs: Vec<Arc<Run>>,
    parts: Vec<Arc<Part>>,
}

/// Where the names of some days are.
struct Places {
    catalog: Option<Arc<Catalog>>,
    cataloged: DaySet,
    runs: Vec<Arc<Run>>,
    parts: Vec<Arc<Part>>,
}

impl Days {
    pub(super) fn cataloging(&self) -> MutexGuard<'_, Cataloging> {
        self.cataloging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The catalog for a reader, opened now if it was not before.
    pub(super) fn catalog(&self) -> Option<Arc<Catalog>> {
        let mut cataloging = self.cataloging();
        if let State::Opened(catalog) = &cataloging.state {
            return catalog.as_ref().map(Catalog::for_reader);
        }
        let catalog = Catalog::open(&layout::catalog(&self.data), self.reading).unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the catalog of series is made anew");
            None
        });
        let catalog = catalog.map(Arc::new);
        let found = catalog.as_ref().map(Catalog::for_reader);
        cataloging.state = State::Opened(catalog);
        found
    }

    /// Puts a new catalog in the old one's place.
    pub(super) fn set_catalog(&self, catalog: Option<Catalog>) {
        let mut cataloging = self.cataloging();
        cataloging.state = State::Opened(catalog.map(Arc::new));
        cataloging.settled.clear();
    }

    /// The nodes that a pattern names on the days of a range, by path.
    pub(super) fn find(&self, range: TimeRange, glob: &Glob) -> Result<Vec<Found>, StoreError> {
        let places = self.places(range)?;
        let mut search = Search::new(glob);
        places.search(&mut search);
        Ok(search.finish())
    }

    /// The first and the last second of the days of a range in which a series of each name has a point; `None` where it has
    /// none. Days are opened from both ends, until there is nothing more to look for.
    pub(super) fn spans(&self, range: TimeRange, names: &[&str]) -> Result<Vec<Span>, StoreError> {
        let days = self.folders(range)?;
        let firsts = self.look_up(days.iter(), names)?;
        let lasts = self.look_up(days.iter().rev(), names)?;
        let both = |(first, last): (Span, Span)| Some((first?.0, last?.1));
        Ok(firsts.into_iter().zip(lasts).map(both).collect())
    }

    /// The span of each name on the first of these days that has it.
    fn look_up<'a>(
        &self,
        days: impl Iterator<Item = &'a Day>,
        names: &[&str],
    ) -> Result<Vec<Span>, StoreError> {
        let mut spans = vec![None; names.len()];
        let mut missing: Vec<usize> = (0..names.len()).collect();
        for day in days {
            if missing.is_empty() {
                break;
            }
            let (sources, start) = (self.get(*day)?.sources(), day.number() * DAY_SECS);
            missing.retain(|at| {
                let inside = sources.iter().filter_map(|source| source.span(names[*at]));
                let span = inside.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
                spans[*at] = span.map(|(first, last)| (start + i64::from(first), start + i64::from(last)));
                span.is_none()
            });
        }
        Ok(spans)
    }

    /// The lists of names of the days of a range, from the catalog as far as it covers them.
    pub(super) fn lists(&self, range: TimeRange) -> Result<Vec<List>, StoreError> {
        let catalog = self.catalog();
        let days = self.places_by_day(range, catalog.as_deref())?;
        Ok(Places::of(catalog, days.into_iter().map(|(_, place)| place)).lists())
    }

    fn places(&self, range: TimeRange) -> Result<Places, StoreError> {
        let catalog = self.catalog();
        let covered = |at: usize| catalog.as_ref().map_or(0, |catalog| catalog.days()[at].series());
        let mut days = self.places_by_day(range, catalog.as_deref())?;
        let in_parts: u64 = days.iter().filter_map(|(_, place)| place.cataloged).map(covered).sum();
        if in_parts < catalog.as_ref().map_or(0, |catalog| catalog.len() as u64) {
            // A few days have fewer names than all days together.
            for (day, place) in days.iter_mut().filter(|(_, place)| place.cataloged.is_some()) {
                *place = Place::of(&*self.get(*day)?);
            }
        }
        Ok(Places::of(catalog, days.into_iter().map(|(_, place)| place)))
    }

    fn places_by_day(
        &self,
        range: TimeRange,
        catalog: Option<&Catalog>,
    ) -> Result<Vec<(Day, Place)>, StoreError> {
        let mut days = Vec::new();
        for day in self.folders(range)? {
            days.push((day, self.place(day, catalog)?));
        }
        let is_uncovered = |(day, place): &&(Day, Place)| {
            place.cataloged.is_none() && !place.parts.is_empty() && *day != writer::today()
        };
        if days.iter().filter(is_uncovered).count() >= WORTH {
            self.want_catalog();
        }
        Ok(days)
    }

    fn place(&self, day: Day, catalog: Option<&Catalog>) -> Result<Place, StoreError> {
        let covered = catalog.and_then(|catalog| catalog.place_of(day).map(|at| (at, &catalog.days()[at])));
        if let Some((at, covered)) = covered
            && self.is_settled(day, covered)
        {
            return Ok(Place { cataloged: Some(at), runs: Vec::new(), parts: Vec::new() });
        }
        let state = self.get(day)?;
        let place = Place::of(&state);
        Ok(match covered {
            Some((at, covered)) => place.but(&state.parts(), at, &covered.parts),
            None => place,
        })
    }

    /// Whether nobody has opened a day and its folder has just what the catalog says.
    pub(super) fn is_settled(&self, day: Day, covered: &Covered) -> bool {
        // Nobody opens it meanwhile.
        let loaded = self.loaded();
        if loaded.contains_key(&day) {
            return false;
        }
        let mut cataloging = self.cataloging();
        if cataloging.settled.contains(&day) {
            return true;
        }
        let is_settled = has_just(&layout::day_dir(&self.data, day), &covered.parts);
        if is_settled {
            cataloging.settled.insert(day);
        }
        is_settled
    }

    /// Has the catalog made anew in the background, unless that was tried just now.
    fn want_catalog(&self) {
        let mut cataloging = self.cataloging();
        if cataloging.not_before.is_some_and(|at| Instant::now() < at) {
            return;
        }
        cataloging.not_before = Some(Instant::now() + LEAST_PAUSE);
        if let Some(maker) = &cataloging.maker {
            // Without the other thread the parts are walked, as ever.
            drop(maker.send(Task::Catalog));
        }
    }

    /// An attempt to make the catalog anew has taken so long.
    pub(super) fn note_attempt(&self, took: Duration) {
        self.cataloging().not_before = Some(Instant::now() + LEAST_PAUSE.max(took * PAUSE_TIMES));
    }
}

impl Place {
    fn of(state: &DayState) -> Self {
        let (runs, parts) = state.lists();
        Self { cataloged: None, runs, parts }
    }

    /// The same without the parts that the catalog covers, if these are all there.
    fn but(mut self, there: &[Arc<Part>], at: usize, covered: &[Note]) -> Self {
        if covered.iter().all(|note| there.iter().any(|part| part.note() == *note)) {
            self.cataloged = Some(at);
            self.parts.retain(|part| !covered.contains(&part.note()));
        }
        self
    }
}

impl Places {
    fn of(catalog: Option<Arc<Catalog>>, days: impl Iterator<Item = Place>) -> Self {
        let cataloged = DaySet::none_of(catalog.as_ref().map_or(0, |catalog| catalog.days().len()));
        let mut places = Self { catalog, cataloged, runs: Vec::new(), parts: Vec::new() };
        for Place { cataloged, runs, parts } in days {
            if let Some(at) = cataloged {
                places.cataloged.insert(at);
            }
            places.runs.extend(runs);
            places.parts.extend(parts);
        }
        places
    }

    fn lists(self) -> Vec<List> {
        let catalog = self.catalog.filter(|_| !self.cataloged.is_empty());
        let catalog = catalog.map(|catalog| List::Catalog(catalog, self.cataloged));
        let lists = catalog.into_iter().chain(self.runs.into_iter().map(List::Run));
        lists.chain(self.parts.into_iter().map(List::Part)).collect()
    }

    fn search(&self, search: &mut Search) {
        if let Some(catalog) = &self.catalog
            && !self.cataloged.is_empty()
        {
            search.walk(&OnDays { catalog, days: self.cataloged.clone() });
        }
        self.runs.iter().for_each(|run| search.walk(&**run));
        self.parts.iter().for_each(|part| search.walk(&**part));
    }
}

/// Whether a day's folder has these parts, and nothing else of points.
fn has_just(dir: &Path, parts: &[Note]) -> bool {
    let numbers: Vec<u32> = parts.iter().map(|note| note.number).collect();
    let lists = |suffix: &str| layout::list_numbers(dir, PREFIX, suffix).ok();
    !layout::lines_only(dir).exists()
        && lists("wal").is_some_and(|wals| wals.is_empty())
        && lists("part").is_some_and(|found| found == numbers)
        && parts.iter().all(|note| {
            let read = Note::read(&part_path(dir, note.number), note.number);
            matches!(read, Ok(Some((found, _))) if found == *note)
        })
}

/// Whether a day's folder needs no more sealing, told without opening it.
pub(super) fn is_sealed(dir: &Path) -> bool {
    let lists = |suffix: &str| layout::list_numbers(dir, PREFIX, suffix).unwrap_or_default();
    match &lists("part")[..] {
        [] => lists("wal").is_empty(),
        [number] => {
            let read = Note::read(&part_path(dir, *number), *number);
            lists("wal").is_empty() && matches!(read, Ok(Some((_, true))))
        }
        _ => false,
    }
}

/// The parts of a day, as a catalog notes them.
pub(super) fn covered(state: &DayState) -> Covered {
    Covered { day: state.day, parts: state.parts().iter().map(|part| part.note()).collect() }
}
