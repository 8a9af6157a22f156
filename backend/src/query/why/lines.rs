//! Lines by bucket: of each component and pattern, and of each component and host, all of them, from columns alone.
//!
//! Within a segment names are numbers, which become those of the answer once each. A segment that lies in one bucket is
//! counted by its summary, so the time before a long selection costs little. Stretches are walked one after the other; where
//! lines are of too many kinds, the rest of the time before is left out, never a part of what is asked about.

use super::plan::Stretch;
use super::walk::{StretchTally, each_bucket};
use crate::patterns::{PatternId, pattern_id};
use crate::query::logs::{BlockAt, SegmentAt, Taken};
use crate::query::tally::Tally;
use crate::store::logs::SegmentView;
use crate::store::logs::block::{Columns, Kind};
use crate::store::logs::dictionary::NameList;
use crate::why::observed::{Counts, Pattern, Volume};
use foldhash::fast::RandomState;
use rustc_hash::FxHashMap;
use sonde_shared::log::Level;
use sonde_shared::time::TimeRange;
use std::collections::{BTreeMap, HashMap};

/// The most patterns of components that are told apart; lines of more are counted for their components alone.
const MOST_PATTERNS: usize = 20_000;
/// The most counts, each of a kind and bucket, with which another stretch is begun.
const MOST_COUNTS: usize = 4_000_000;
/// In the place of a number: not told apart.
const NOT_APART: u32 = u32::MAX;

/// Names and their places.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// Seeded, since senders choose the names.
    places: HashMap<Box<str>, u32, RandomState>,
    names: Vec<String>,
}

impl Names {
    fn place(&mut self, name: &str) -> u32 {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.names.len() as u32;
        self.places.insert(name.into(), place);
        self.names.push(name.to_owned());
        place
    }

    /// The same names in order, and where each has come to.
    fn sorted(self) -> (Self, Vec<u32>) {
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        order.sort_unstable_by_key(|at| &self.names[*at]);
        let (mut sorted, mut places) = (Self::default(), vec![0; order.len()]);
        for at in order {
            places[at] = sorted.place(&self.names[at]);
        }
        (sorted, places)
    }

    /// The place of a name, where it has one.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.places.get(name).copied()
    }

    /// What was found under some names is found under others from now on, by their places.
    fn join(&mut self, present: &BTreeMap<u32, u32>) {
        for (old, new) in present {
            self.places.insert(self.names[*old as usize].clone().into(), *new);
        }
    }

    /// All of them.
    pub(super) fn as_slice(&self) -> &[String] {
        &self.names
    }
}

/// How many in which bucket; the newest bucket last, as far as lines come in order.
#[derive(Debug, Default)]
struct Pairs(Vec<(u16, u32)>);

impl Pairs {
    /// Adds lines; how many pairs there are more.
    fn add(&mut self, bucket: u16, lines: u32) -> usize {
        if let Some((_, sum)) = self.0.last_mut().filter(|last| last.0 == bucket) {
            *sum = sum.saturating_add(lines);
            return 0;
        }
        self.0.push((bucket, lines));
        1
    }
}

/// A pattern of a component.
#[derive(Debug)]
struct PatternLines {
    component: u32,
    id: u64,
    template: String,
    level: Level,
    lines: Pairs,
}

/// A component on a host.
#[derive(Debug)]
struct VolumeLines {
    component: u32,
    host: u32,
    lines: Pairs,
    errors: Pairs,
}

/// What numbers of the segment at hand are in the answer.
#[derive(Debug)]
struct Inside {
    segment: usize,
    components: NameList,
    hosts: NameList,
    patterns: NameList,
    by_pattern: FxHashMap<(u16, u16), u32>,
    by_host: FxHashMap<(u16, u16), u32>,
}

/// Counts lines by bucket.
#[derive(Debug, Default)]
pub(super) struct LineTally {
    stretch: Option<Stretch>,
    inside: Option<Inside>,
    pub(super) components: Names,
    hosts: Names,
    patterns: Vec<PatternLines>,
    pattern_places: FxHashMap<(u32, u64), u32>,
    volumes: Vec<VolumeLines>,
    volume_places: FxHashMap<(u32, u32), u32>,
    counts: usize,
    /// Lines whose patterns were too many to be told apart.
    pub(super) rest: u64,
}

impl Tally for LineTally {
    fn add_block(&mut self, at: &BlockAt<'_>, range: TimeRange) -> u64 {
        let Some(stretch) = self.stretch else { return 0 };
        self.enter(at.segment, at.view);
        let columns = at.view.segment.columns(at.block, &at.view.published);
        each_bucket(stretch, &columns, range, |bucket, rows| {
            rows.for_each(|row| self.add_row(&columns, row, bucket as u16));
        })
    }

    fn add_segment(&mut self, at: &SegmentAt<'_>) -> Taken {
        let (Some(stretch), Some((min, max))) = (self.stretch, at.view.published.times()) else {
            return Taken::Nothing;
        };
        let bucket = stretch.bucket_of(min);
        if !at.filter.holds_all_of(at.view) || bucket != stretch.bucket_of(max) {
            return Taken::Nothing;
        }
        let Some(kinds) = at.filter.kinds(at.summary, true, true) else { return Taken::Nothing };
        self.enter(at.segment, at.view);
        let seen = kinds.len() as u64;
        kinds.for_each(|kind| self.add_kind(&kind, bucket as u16));
        Taken::All(seen)
    }

    fn add_line(&mut self, _at: &BlockAt<'_>, _columns: &Columns<'_>, _row: usize, _line: &[u8]) {}
}

impl StretchTally for LineTally {
    fn begin(&mut self, stretch: Stretch, _number: usize) {
        (self.stretch, self.inside) = (Some(stretch), None);
    }

    fn is_full(&self) -> bool {
        self.counts > MOST_COUNTS
    }
}

impl LineTally {
    fn enter(&mut self, segment: usize, view: &SegmentView) {
        if self.inside.as_ref().is_some_and(|inside| inside.segment == segment) {
            return;
        }
        let published = &view.published;
        self.inside = Some(Inside {
            segment,
            components: published.components.clone(),
            hosts: published.hosts.clone(),
            patterns: published.patterns.clone(),
            by_pattern: FxHashMap::default(),
            by_host: FxHashMap::default(),
        });
    }

    fn add_row(&mut self, columns: &Columns<'_>, row: usize, bucket: u16) {
        let kind = Kind {
            component: columns.component(row),
            level: columns.level(row),
            host: columns.host(row),
            pattern: columns.pattern(row),
            lines: 1,
        };
        self.add_kind(&kind, bucket);
    }

    fn add_kind(&mut self, kind: &Kind, bucket: u16) {
        let lines = u32::try_from(kind.lines).unwrap_or(u32::MAX);
        if let Some(pattern) = self.pattern_of(kind) {
            let of_pattern = &mut self.patterns[pattern as usize];
            of_pattern.level = of_pattern.level.max(kind.level);
            self.counts += of_pattern.lines.add(bucket, lines);
        } else {
            self.rest += kind.lines;
        }
        let Some(volume) = self.volume_of(kind) else { return };
        let volume = &mut self.volumes[volume as usize];
        self.counts += volume.lines.add(bucket, lines);
        if kind.level >= Level::Error {
            self.counts += volume.errors.add(bucket, lines);
        }
    }

    fn pattern_of(&mut self, kind: &Kind) -> Option<u32> {
        let inside = self.inside.as_mut()?;
        if let Some(place) = inside.by_pattern.get(&(kind.component, kind.pattern)) {
            return Some(*place).filter(|place| *place != NOT_APART);
        }
        let component = self.components.place(inside.components.get(usize::from(kind.component))?);
        let template = inside.patterns.get(usize::from(kind.pattern))?;
        let id = pattern_id(template.as_bytes()).0;
        let is_full = self.patterns.len() >= MOST_PATTERNS;
        let known = self.pattern_places.get(&(component, id)).copied();
        let place = match known {
            Some(place) => place,
            None if is_full => NOT_APART,
            None => {
                let (template, level, lines) = (template.to_owned(), kind.level, Pairs::default());
                self.patterns.push(PatternLines { component, id, template, level, lines });
                let place = self.patterns.len() as u32 - 1;
                self.pattern_places.insert((component, id), place);
                place
            }
        };
        inside.by_pattern.insert((kind.component, kind.pattern), place);
        Some(place).filter(|place| *place != NOT_APART)
    }

    fn volume_of(&mut self, kind: &Kind) -> Option<u32> {
        let inside = self.inside.as_mut()?;
        if let Some(place) = inside.by_host.get(&(kind.component, kind.host)) {
            return Some(*place);
        }
        let component = self.components.place(inside.components.get(usize::from(kind.component))?);
        let host = match inside.hosts.get(usize::from(kind.host))? {
            "" => NOT_APART,
            host => self.hosts.place(host),
        };
        let volumes = &mut self.volumes;
        let place = *self.volume_places.entry((component, host)).or_insert_with(|| {
            volumes.push(VolumeLines { component, host, lines: Pairs::default(), errors: Pairs::default() });
            volumes.len() as u32 - 1
        });
        inside.by_host.insert((kind.component, kind.host), place);
        Some(place)
    }

    /// Patterns and volumes as they are ranked, by name, in whatever order they were found.
    pub(super) fn finish(self) -> Counted {
        let (components, component_at) = self.components.sorted();
        let (hosts, host_at) = self.hosts.sorted();
        let pattern = |one: PatternLines| Pattern {
            component: component_at[one.component as usize],
            id: PatternId(one.id).to_string(),
            template: one.template,
            level: Some(one.level),
            counts: Counts::new(one.lines.0),
        };
        let volume = |one: VolumeLines| Volume {
            component: component_at[one.component as usize],
            host: (one.host != NOT_APART).then(|| host_at[one.host as usize]),
            lines: Counts::new(one.lines.0),
            errors: Counts::new(one.errors.0),
        };
        let mut patterns: Vec<Pattern> = self.patterns.into_iter().map(pattern).collect();
        patterns.sort_unstable_by(|a, b| (a.component, &a.id).cmp(&(b.component, &b.id)));
        let mut volumes: Vec<Volume> = self.volumes.into_iter().map(volume).collect();
        volumes.sort_unstable_by_key(|volume| (volume.component, volume.host));
        Counted { components, hosts: hosts.names, patterns, volumes, rest: self.rest }
    }
}

/// What was counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    pub(super) components: Names,
    pub(super) hosts: Vec<String>,
    pub(super) patterns: Vec<Pattern>,
    pub(super) volumes: Vec<Volume>,
    /// Lines whose patterns were too many to be told apart.
    pub(super) rest: u64,
}

impl Counted {
    /// Takes lines of some components for those of others that go on for them: of which for which.
    pub(super) fn join(&mut self, present: &BTreeMap<u32, u32>) {
        if present.is_empty() {
            return;
        }
        let of = |component: u32| present.get(&component).copied().unwrap_or(component);
        self.components.join(present);
        self.patterns.iter_mut().for_each(|pattern| pattern.component = of(pattern.component));
        self.patterns.sort_by(|a, b| (a.component, &a.id).cmp(&(b.component, &b.id)));
        self.patterns.dedup_by(|next, kept| {
            let is_same = (next.component, &next.id) == (kept.component, &kept.id);
            if is_same {
                kept.counts = Counts::added([&kept.counts, &next.counts].into_iter());
                kept.level = kept.level.max(next.level);
            }
            is_same
        });
        self.volumes.iter_mut().for_each(|volume| volume.component = of(volume.component));
        self.volumes.sort_by_key(|volume| (volume.component, volume.host));
        self.volumes.dedup_by(|next, kept| {
            let is_same = (next.component, next.host) == (kept.component, kept.host);
            if is_same {
                kept.lines = Counts::added([&kept.lines, &next.lines].into_iter());
                kept.errors = Counts::added([&kept.errors, &next.errors].into_iter());
            }
            is_same
        });
    }

    /// Where a component's pattern is.
    pub(super) fn place(&self, component: u32, id: PatternId) -> Option<u32> {
        let id = id.to_string();
        let at = self.patterns.binary_search_by(|one| (one.component, &*one.id).cmp(&(component, &*id)));
        at.ok().map(|at| at as u32)
    }
}
