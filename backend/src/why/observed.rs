//! What was observed: all that ranking gets to see, gathered by whoever can read the store.
//!
//! Time is cut into buckets of equal length; everything is said by bucket, so series that are sampled every second and
//! every minute, and lines, lie on one grid. Besides selection and baseline the grid holds time before, for what
//! happens anyway is learned from windows in which nothing was selected. Memory is bounded by the number of buckets: with
//! [`SELECTION_BUCKETS`] in a selection and [`PAST_LENGTHS`] lengths before the baseline, ten thousand series take some 35 MB.
//!
//! Names are opaque here. Only dots count, as the tree of components.

use super::quantity::Measure;
use sonde_shared::log::Level;
use std::ops::Range;

/// Into how many buckets a long selection is cut. A shorter one has buckets of the series' usual spacing, so it may
/// have as few as three.
pub const SELECTION_BUCKETS: usize = 60;
/// How many lengths of the selection of time before the baseline are worth gathering, where there are data.
pub const PAST_LENGTHS: usize = 8;
/// How many values of one field are worth counting: those most frequent in the selection and those most frequent in
/// the baseline, each counted in all slices.
pub const FIELD_VALUES: usize = 50;
/// How many numbers of one field and slice are worth keeping.
pub const FIELD_NUMBERS: usize = 200;

/// Everything that is compared.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The buckets.
    pub grid: Grid,
    /// Component paths; others name them by their place here.
    pub components: Vec<String>,
    /// Host names; others name them by their place here.
    pub hosts: Vec<String>,
    /// Series.
    pub series: Vec<Series>,
    /// Patterns of components' lines.
    pub patterns: Vec<Pattern>,
    /// Lines by component and host.
    pub volumes: Vec<Volume>,
    /// Fields and variable parts of sampled lines.
    pub fields: Vec<Field>,
    /// Events in the grid's time; those before the baseline help nobody.
    pub events: Vec<Event>,
    /// What the question was asked from.
    pub context: Context,
    /// How many lines were read for [`Self::fields`] …
    pub sampled_lines: u64,
    /// … of how many in baseline and selection.
    pub lines: u64,
}

/// Time, cut into buckets.
///
/// Buckets need not follow one another: a baseline weeks ago, or the same hours of yesterday, lie as stretches of their
/// own before those of now. Buckets in which nothing at all was received (the server was down) are to be left out, or they
/// look like a silence of everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// The start of each bucket, unix milliseconds, ascending.
    pub starts_ms: Vec<i64>,
    /// How long a bucket is.
    pub step_ms: i64,
    /// The question itself. What is in neither of its ranges and before its selection is its past, where it follows on it
    /// without a break; a past of [`PAST_LENGTHS`] lengths and more makes the answer surer, none at all is allowed.
    pub now: Trial,
    /// The same stretches on earlier days (yesterday, the day before, a week ago), as far as there are data; each has its own
    /// buckets, before those of now. May be empty.
    pub earlier_days: Vec<Trial>,
}

/// A range of buckets and another that it is compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trial {
    /// What is compared: buckets.
    pub selection: Range<usize>,
    /// With what: buckets.
    pub baseline: Range<usize>,
}

/// One series on the grid, as [`Buckets`](super::buckets::Buckets) make it.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Its path.
    pub path: String,
    /// What it was called before, the earliest first; mostly nothing else.
    pub former: Vec<String>,
    /// One value a bucket: the mean of its points, or of a counter by how much it grew a second; NaN where it has none.
    pub values: Vec<f32>,
    /// What these are.
    pub nature: Nature,
    /// When a counter began again, ascending.
    pub restarts: Vec<Restart>,
    /// How often the like of what it did happens, as others like it say; 0 where they say nothing.
    pub chance: f32,
}

/// A counter begins again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restart {
    /// In which bucket.
    pub bucket: u16,
    /// When, unix milliseconds.
    pub at_ms: i64,
}

/// What values of a series are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nature {
    /// As high as it is.
    #[default]
    Level,
    /// The same, or whole numbers of a counter that hardly ever grows: it never fell, and rose so many times before the selection.
    Unclear(u8),
    /// By how much a counter grew a second.
    Rate,
}

/// How many in which bucket; buckets without any are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(Vec<(u16, u32)>);

/// A pattern of one component's lines.
#[derive(Clone, Debug, Default)]
pub struct Pattern {
    /// Whose lines, by its place in [`Observed::components`].
    pub component: u32,
    /// The pattern's id, as in `pattern=`.
    pub id: String,
    /// The message with its variable parts masked.
    pub template: String,
    /// The worst level of its lines, where it is cheap to know.
    pub level: Option<Level>,
    /// Lines by bucket, all of them, not sampled.
    pub counts: Counts,
}

/// The lines of a component on a host.
#[derive(Clone, Debug, Default)]
pub struct Volume {
    /// By its place in [`Observed::components`]; the component itself, without what is below it.
    pub component: u32,
    /// By its place in [`Observed::hosts`]; none where lines have no host.
    pub host: Option<u32>,
    /// Lines by bucket.
    pub lines: Counts,
    /// Lines of level error and worse by bucket.
    pub errors: Counts,
}

/// A field, or a variable part of a pattern, in the sampled lines of one component.
///
/// Counts are by slice: those of [`Grid::slices`], the selection last. Each slice has a sample of its own, of about equal
/// size, so that it shows how a value's share changes anyway.
#[derive(Clone, Debug, Default)]
pub struct Field {
    /// Whose lines, by its place in [`Observed::components`].
    pub component: u32,
    /// Which field, or which variable part of which pattern.
    pub part: Part,
    /// Sampled lines that have it, by slice.
    pub lines: Vec<u32>,
    /// Its most frequent values, at most [`FIELD_VALUES`] or so; empty where it is numbers that seldom repeat.
    pub values: Vec<FieldValue>,
    /// Numbers, by slice, where most of its values are; at most [`FIELD_NUMBERS`] or so each.
    pub numbers: Vec<Vec<f32>>,
    /// What these are of.
    pub measure: Measure,
}

/// Where in a line something stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// A field of the line.
    Named(String),
    /// A variable part of the message.
    Hole {
        /// The pattern, by its place in [`Observed::patterns`].
        pattern: u32,
        /// Which of its holes, from 0.
        hole: u16,
    },
}

impl Default for Part {
    fn default() -> Self {
        Self::Named(String::new())
    }
}

/// One value of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldValue {
    /// The value as it stands in the line.
    pub value: String,
    /// Sampled lines with it, by slice.
    pub lines: Vec<u32>,
}

/// A note on the time axis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// When, unix milliseconds.
    pub at_ms: i64,
    /// What it says.
    pub what: String,
    /// Its tags; one that is a component or a host ties it to that.
    pub tags: Vec<String>,
}

/// What the question was asked from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The charted series, by their places in [`Observed::series`]; empty where lines were brushed.
    pub charted: Vec<u32>,
    /// The selected components' paths; empty for all.
    pub components: Vec<String>,
    /// The selected host.
    pub host: Option<String>,
}

impl Grid {
    /// A grid without a break: past, baseline, gap and selection one after the other.
    pub fn unbroken(from_ms: i64, step_ms: i64, now: Trial) -> Self {
        let end = now.selection.end.max(now.baseline.end) as i64;
        let starts_ms = (0..end).map(|bucket| from_ms + bucket * step_ms).collect();
        Self { starts_ms, step_ms, now, earlier_days: Vec::new() }
    }

    /// How many buckets there are.
    pub fn len(&self) -> usize {
        self.starts_ms.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.starts_ms.is_empty()
    }

    /// Whether the selection follows on the baseline after no more than the two are long. What lies between else, nobody looked at.
    pub(super) fn is_near(&self) -> bool {
        let Trial { selection, baseline } = &self.now;
        let start_ms = |bucket: usize| self.starts_ms.get(bucket).copied().unwrap_or_default();
        let gap_ms = start_ms(selection.start) - start_ms(baseline.end.saturating_sub(1));
        gap_ms <= (selection.len() + baseline.len()) as i64 * self.step_ms
    }

    /// The stretches of time for which fields are sampled: the baseline in parts about as long as the selection, at least
    /// two and at most eight, then the selection.
    pub fn slices(&self) -> Vec<Range<usize>> {
        let Trial { selection, baseline } = &self.now;
        let parts = (baseline.len() / selection.len().max(1)).clamp(2, 8).min(baseline.len().max(1));
        let start = |part: usize| baseline.start + baseline.len() * part / parts;
        (0..parts).map(|part| start(part)..start(part + 1)).chain([selection.clone()]).collect()
    }
}

impl Counts {
    /// Takes (bucket, count) pairs in any order; several of a bucket are added.
    pub fn new(mut pairs: Vec<(u16, u32)>) -> Self {
        pairs.sort_unstable_by_key(|(bucket, _)| *bucket);
        pairs.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            same
        });
        pairs.retain(|(_, count)| *count > 0);
        pairs.shrink_to_fit();
        Self(pairs)
    }

    /// The counts of all buckets in order.
    pub fn of_all(counts: &[u32]) -> Self {
        Self::new(counts.iter().enumerate().map(|(bucket, count)| (bucket as u16, *count)).collect())
    }

    /// Those of all of them together.
    pub fn added<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        Self::new(all.flat_map(Self::iter).map(|(bucket, count)| (bucket as u16, count)).collect())
    }

    /// Bucket and count where there is one, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        self.0.iter().map(|(bucket, count)| (usize::from(*bucket), *count))
    }

    /// How many there are in a range of buckets.
    pub fn sum(&self, buckets: &Range<usize>) -> u64 {
        let from = self.0.partition_point(|(bucket, _)| usize::from(*bucket) < buckets.start);
        let counted = self.0[from..].iter().take_while(|(bucket, _)| usize::from(*bucket) < buckets.end);
        counted.map(|(_, count)| u64::from(*count)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_whatever_order_they_come_in() {
        let counts = Counts::new(vec![(3, 1), (0, 2), (3, 4), (9, 0)]);
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(0, 2), (3, 5)]);
        assert_eq!((counts.sum(&(0..3)), counts.sum(&(3..4)), counts.sum(&(4..99))), (2, 5, 0));
    }

    #[test]
    fn the_baseline_is_sliced_into_parts_as_long_as_the_selection() {
        let slices = |baseline: Range<usize>, selection: Range<usize>| {
            Grid::unbroken(0, 10_000, Trial { selection, baseline }).slices()
        };
        assert_eq!(slices(8..20, 21..24), [8..11, 11..14, 14..17, 17..20, 21..24]);
        assert_eq!(slices(0..4, 5..9), [0..2, 2..4, 5..9]);
        assert_eq!(slices(0..1, 1..9), [0..1, 1..9]);
        assert_eq!(slices(0..100, 100..102).len(), 9);
    }
}
