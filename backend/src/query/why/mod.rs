//! What was observed around a selection, gathered from the store for ranking: lines, series, fields and events on one grid
//! of buckets.
//!
//! In steps, each of which can be given up. First lines, by columns alone; then series; then the fields of a sample of
//! lines. After each of them what is known so far can be ranked. Memory is bounded: by buckets times series, by the counts of
//! lines, by the size of the sample.

mod fields;
mod lines;
mod notes;
mod plan;
mod question;
mod reading;
mod received;
mod sample;
mod series;
#[cfg(test)]
mod tests;
mod walk;

pub use question::Question;
pub use series::SeriesReader;

use super::budget::Budget;
use crate::store::logs::{Counters, Snapshot};
use crate::store::{Store, StoreError};
use crate::why::counters::{Seldom, settle};
use crate::why::observed::{Grid, Observed, Series};
use crate::why::{Judgements, NOTHING_CAME, Weights, branches, rank_judged, successors};
use lines::{Counted, LineTally};
use plan::{Plan, Stretch};
use reading::{Sampled, Sampling};
use received::Kept;
use sample::{SAMPLE_LINES, Shares};
use series::{Called, Stored};
use sonde_shared::time::Timestamp;
use sonde_shared::why::Why;
use std::collections::HashSet;
use std::sync::Arc;
use walk::{StoredLines, StretchWalk};

/// What is gathered, on its way.
#[derive(Debug)]
pub struct Gathering {
    question: Question,
    plan: Plan,
    lines: StoredLines,
    points: Stored,
    names: Arc<[Called]>,
    walk: Option<StretchWalk<LineTally>>,
    /// Stretches that were not looked at.
    left: Vec<Stretch>,
    sampling: Sampling,
    sample_lines: usize,
    counted: Counted,
    /// How many series have points in each bucket …
    present: Vec<u32>,
    /// … and what they say of those that hardly ever change.
    seldom: Seldom,
    /// Buckets in which Sonde itself told its figures.
    own: Vec<bool>,
    kept: Kept,
    observed: Observed,
    /// What was judged before the fields of lines were known.
    judged: Option<Judgements>,
    notes: Vec<String>,
}

impl Gathering {
    /// Decides what is looked at, and takes snapshots of it. Reads files.
    pub fn begin(store: &Store, question: Question) -> Result<Self, StoreError> {
        let begun = question::begin(store, &question)?;
        let walk = StretchWalk::new(
            begun.lines.clone(),
            begun.plan.asked,
            begun.plan.stretches.len(),
            LineTally::default(),
        );
        Ok(Self {
            present: vec![0; begun.plan.grid.len()],
            seldom: Seldom::default(),
            plan: begun.plan,
            lines: begun.lines,
            points: begun.points,
            names: begun.names.into_iter().map(|path| Called { path, former: Vec::new() }).collect(),
            walk: Some(walk),
            left: Vec::new(),
            sampling: Sampling::Idle,
            sample_lines: SAMPLE_LINES,
            counted: Counted::default(),
            own: begun.own,
            kept: Kept::default(),
            observed: Observed { events: begun.events, ..Observed::default() },
            judged: None,
            notes: begun.notes,
            question,
        })
    }

    /// What is stored of lines, as it was when this began.
    pub fn snapshots(&self) -> impl Iterator<Item = &Snapshot> {
        self.lines.iter().map(|(snapshot, _)| snapshot)
    }

    /// Goes on counting lines; whether that is done. Reads mapped files: not for async threads.
    pub fn count_lines(&mut self, budget: &mut Budget, counters: &Counters) -> bool {
        self.walk.as_mut().is_none_or(|walk| walk.step(budget, counters))
    }

    /// Takes what was counted, when lines are done.
    pub fn end_lines(&mut self) -> Result<(), StoreError> {
        let Some(walk) = self.walk.take() else { return Ok(()) };
        let (tally, _, left) = walk.finish()?;
        (self.counted, self.left) = (tally.finish(), left);
        let Counted { components, patterns, volumes, .. } = &self.counted;
        let present = successors::of_components(components.as_slice(), (patterns, volumes), &self.plan.grid);
        self.counted.join(&present);
        if self.counted.rest > 0 {
            self.notes.push(format!(
                "{} lines are of more patterns than can be compared; of these only components and hosts are",
                self.counted.rest
            ));
        }
        Ok(())
    }

    /// Who reads the series, in so many parts that can be read at once.
    pub fn series_readers(&self, parts: usize) -> Vec<SeriesReader> {
        self.readers_of(&self.names, parts)
    }

    fn readers_of(&self, names: &Arc<[Called]>, parts: usize) -> Vec<SeriesReader> {
        let part = names.len().div_ceil(parts.max(1)).max(1);
        let starts = (0..names.len()).step_by(part);
        let places = starts.map(|start| start..(start + part).min(names.len()));
        let reader = |places| SeriesReader::new(names.clone(), places, self.points.clone(), &self.plan.grid);
        places.map(reader).collect()
    }

    /// Takes what they have read, in their order. Answers with who reads once more, in so many parts, what goes on under other names, all
    /// of its names together: counters are told by all that they did.
    pub fn take_series(&mut self, readers: Vec<SeriesReader>, parts: usize) -> Vec<SeriesReader> {
        let mut damaged = 0;
        for part in readers.into_iter().map(SeriesReader::finish) {
            self.observed.series.extend(part.series);
            self.present.iter_mut().zip(part.present).for_each(|(sum, more)| *sum += more);
            damaged += part.damaged;
            self.seldom += part.seldom;
        }
        if damaged > 0 {
            self.notes.push(format!("{damaged} series could not be read"));
        }
        let Counted { hosts, volumes, .. } = &self.counted;
        let former = successors::of_hosts(hosts, volumes, &self.plan.grid);
        let known = hosts.iter().enumerate().map(|(at, name)| {
            let before = former.get(&at).and_then(|before| hosts.get(*before));
            (name.as_str(), before.map(String::as_str))
        });
        let chains = branches::of_series(&self.observed.series, &known.collect(), &self.plan.grid);
        let name = |at: &usize| self.observed.series[*at].path.clone();
        let called = chains.iter().filter_map(|chain| {
            let (last, former) = chain.split_last()?;
            Some(Called { path: name(last), former: former.iter().map(name).collect() })
        });
        self.readers_of(&called.collect(), parts)
    }

    /// Takes what was read of those that go on under other names, in their place; then series are done.
    pub fn end_series(&mut self, readers: Vec<SeriesReader>) {
        let joined: Vec<Series> =
            readers.into_iter().flat_map(|reader| SeriesReader::finish(reader).series).collect();
        let parts: HashSet<&str> = joined
            .iter()
            .flat_map(|series| series.former.iter().chain([&series.path]))
            .map(|name| &**name)
            .collect();
        self.observed.series.retain(|series| !parts.contains(&*series.path));
        self.observed.series.extend(joined);
        settle(&mut self.observed.series, self.seldom, &self.plan.grid);
        let lines = self.received_lines();
        let received: Vec<bool> =
            lines.iter().zip(&self.present).map(|(lines, sum)| *lines || *sum > 0).collect();
        let late = received::yet_to_come(&self.plan.grid, &self.present, self.question.now);
        let kept = self.kept_of(&received);
        self.notes.extend(notes::missing(
            &self.plan.grid,
            &kept.grid(&self.plan.grid),
            self.question.baseline,
        ));
        self.kept = kept.without(&late);
        for series in &mut self.observed.series {
            series.values = self.kept.values(&series.values);
            series.restarts = self.kept.restarts(&series.restarts);
        }
        self.kept.lines(&mut self.counted);
        self.observed.grid = self.kept.grid(&self.plan.grid);
        self.observed.context = self.question.context(&self.observed.series);
        self.notes.extend(notes::unknown(&self.question, &self.observed, &self.counted));
    }

    /// Begins with the sample of lines, when series are done.
    pub fn begin_sample(&mut self) {
        let counted = std::mem::take(&mut self.counted);
        let question = &self.question;
        let is_asked = |component: &str| question.asks_for(component);
        let shares = Shares::new(&self.observed.grid, &self.kept, &counted, self.sample_lines, is_asked);
        self.sampling = Sampling::new(self.lines.clone(), self.plan.asked, shares, counted);
    }

    /// Goes on reading the sample; whether that is done. Reads mapped files: not for async threads.
    pub fn sample(&mut self, budget: &mut Budget, counters: &Counters) -> bool {
        self.sampling.step(budget, counters)
    }

    /// Takes what was read of the sample, when that is done.
    pub fn end_sample(&mut self) -> Result<(), StoreError> {
        let sampled: Sampled = std::mem::replace(&mut self.sampling, Sampling::Idle).finish()?;
        if sampled.damaged > 0 {
            self.notes.push(format!("{} lines of the sample could not be read", sampled.damaged));
        }
        self.counted = sampled.counted;
        self.observed.fields = sampled.fields;
        (self.observed.sampled_lines, self.observed.lines) = (sampled.read, sampled.lines);
        Ok(())
    }

    /// In which buckets Sonde was there or lines came.
    fn received_lines(&self) -> Vec<bool> {
        let mut received = self.own.clone();
        for (bucket, _) in self.counted.volumes.iter().flat_map(|volume| volume.lines.iter()) {
            received[bucket] = true;
        }
        received
    }

    fn kept_of(&self, received: &[bool]) -> Kept {
        let has_own = self.own.iter().any(|own| *own);
        let mut received = received.to_vec();
        if !self.left.is_empty() {
            // What was not looked at is not to be taken for silence.
            let (grid, left) = (&self.plan.grid, &self.left);
            let is_left = |bucket: &usize| left.iter().any(|stretch| stretch.buckets().contains(bucket));
            (0..grid.len()).filter(is_left).for_each(|bucket| received[bucket] = false);
            let kept = Kept::of(&received, has_own, grid.step_ms);
            let both = (0..grid.len()).zip(kept.places());
            return Kept::only(both.map(|(bucket, place)| place.is_some() && !is_left(&bucket)));
        }
        Kept::of(&received, has_own, self.plan.grid.step_ms)
    }

    /// What stands out among lines, when they are counted and series are yet to be read.
    pub fn rank_lines(&self) -> Why {
        let kept = self.kept_of(&self.received_lines());
        let mut counted = self.counted.clone();
        kept.lines(&mut counted);
        let observed = Observed {
            grid: kept.grid(&self.plan.grid),
            components: counted.components.as_slice().to_vec(),
            hosts: counted.hosts,
            patterns: counted.patterns,
            volumes: counted.volumes,
            events: self.observed.events.clone(),
            context: self.question.context(&[]),
            ..Observed::default()
        };
        self.answer(&observed, &Judgements::of(&observed), false)
    }

    /// What stands out among all that is known, when series are read, or all is.
    pub fn rank_all(&mut self, is_done: bool) -> Why {
        let mut observed = std::mem::take(&mut self.observed);
        let mut counted = std::mem::take(&mut self.counted);
        observed.components = counted.components.as_slice().to_vec();
        (observed.hosts, observed.patterns, observed.volumes) =
            (counted.hosts, counted.patterns, counted.volumes);
        let judged = self.judged.take().unwrap_or_else(|| Judgements::of(&observed));
        let why = self.answer(&observed, &judged, is_done);
        self.judged = Some(judged);
        (counted.hosts, counted.patterns, counted.volumes) = (
            std::mem::take(&mut observed.hosts),
            std::mem::take(&mut observed.patterns),
            std::mem::take(&mut observed.volumes),
        );
        (self.observed, self.counted) = (observed, counted);
        why
    }

    fn answer(&self, observed: &Observed, judged: &Judgements, is_done: bool) -> Why {
        let mut why = match nothing_there(&observed.grid) {
            Some(note) => Why { note: Some(note.to_owned()), ..Why::default() },
            None => rank_judged(observed, judged, &Weights::default()),
        };
        // That nothing was found is said when all was looked at.
        why.note = why.note.filter(|_| is_done || !why.findings.is_empty());
        why.note =
            notes::joined(why.note.as_deref().into_iter().chain(self.notes.iter().map(|note| &**note)));
        why.range_ms =
            [self.question.selection.from, self.question.selection.until].map(Timestamp::as_millis);
        why.baseline_ms =
            [self.question.baseline.from, self.question.baseline.until].map(Timestamp::as_millis);
        why.done = is_done;
        why
    }
}

/// Why nothing can be compared.
fn nothing_there(grid: &Grid) -> Option<&'static str> {
    if grid.now.selection.is_empty() {
        return Some(NOTHING_CAME);
    }
    grid.now
        .baseline
        .is_empty()
        .then_some("Nothing was received in the baseline, so there is nothing to compare with")
}
