//! One series: a column of values at even distances, and what functions know of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How values are put together where a slot is coarser than the series' step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Consolidation {
    #[default]
    Average,
    AvgZero,
    Sum,
    Min,
    Max,
    First,
    Last,
}

impl Consolidation {
    /// By the name that `consolidateBy` takes.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "average" | "avg" => Self::Average,
            "avg_zero" => Self::AvgZero,
            "sum" => Self::Sum,
            "min" => Self::Min,
            "max" => Self::Max,
            "first" => Self::First,
            "last" => Self::Last,
            _ => return None,
        })
    }

    /// The name that Graphite has for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Average => "average",
            Self::AvgZero => "avg_zero",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::First => "first",
            Self::Last => "last",
        }
    }

    /// One value of a bucket's values, nulls among them; null where too few are known.
    fn apply(self, values: &[f64], per_point: usize, x_files_factor: f64) -> f64 {
        let known = || values.iter().copied().filter(|value| !value.is_nan());
        let count = known().count();
        if count == 0 || (count as f64 / per_point as f64) < x_files_factor {
            return f64::NAN;
        }
        match self {
            Self::Average => known().sum::<f64>() / count as f64,
            Self::AvgZero => known().sum::<f64>() / values.len() as f64,
            Self::Sum => known().sum(),
            Self::Min => known().fold(f64::INFINITY, f64::min),
            Self::Max => known().fold(f64::NEG_INFINITY, f64::max),
            Self::First => known().next().unwrap_or(f64::NAN),
            Self::Last => known().next_back().unwrap_or(f64::NAN),
        }
    }
}

/// A series. Cloning it copies no values.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What it is called in the answer.
    pub name: String,
    /// Its tags, `name` among them.
    pub tags: BTreeMap<String, String>,
    /// The first slot's unix second.
    pub start: i64,
    /// A step behind the last slot.
    pub end: i64,
    /// Seconds from one slot to the next.
    pub step: i64,
    /// One value a slot; NaN is null.
    pub values: Arc<Vec<f64>>,
    /// How its values are put together.
    pub consolidation: Consolidation,
    /// How large a part of the values of a coarser slot must be known.
    pub x_files_factor: f64,
    /// The path that it was asked for by, through all functions.
    pub path_expression: String,
    /// How it is drawn.
    pub look: Look,
}

/// How a series is drawn, as far as functions say so. Its values know nothing of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// A colour, as it is written in the target.
    pub colour: Option<String>,
    /// How opaque.
    pub alpha: Option<f64>,
    /// The width of its line in pixels.
    pub line_width: Option<f64>,
    /// The length of its dashes in pixels.
    pub dash: Option<f64>,
    /// Whether its axis is the one at the right.
    pub is_right: bool,
    /// The stack that its values are already sums of.
    pub stack: Option<String>,
    /// What stands for its values.
    pub role: Role,
}

/// What stands for a series' values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// A line.
    #[default]
    Line,
    /// A line over the whole height wherever a value is not 0.
    Infinite,
    /// The lower edge of an area between two series.
    LowerEdge,
    /// Its upper edge.
    UpperEdge,
}

impl Series {
    /// A series of these values, called so.
    pub fn new(name: impl Into<String>, start: i64, step: i64, values: Vec<f64>) -> Self {
        let name = name.into();
        Self {
            tags: BTreeMap::from([("name".to_owned(), name.clone())]),
            start,
            end: start + step * values.len() as i64,
            step,
            values: Arc::new(values),
            consolidation: Consolidation::default(),
            x_files_factor: 0.0,
            path_expression: name.clone(),
            look: Look::default(),
            name,
        }
    }

    /// The same with other values at the same slots.
    #[must_use]
    pub fn with_values(mut self, values: Vec<f64>) -> Self {
        self.values = Arc::new(values);
        self
    }

    /// The same with each known value changed; a NaN makes a null of it.
    #[must_use]
    pub fn map(mut self, change: impl Fn(f64) -> f64) -> Self {
        for value in Arc::make_mut(&mut self.values).iter_mut().filter(|value| !value.is_nan()) {
            *value = change(*value);
        }
        self
    }

    /// The same under another name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same with a tag more, as most functions leave one of their own name.
    #[must_use]
    pub fn tagged(mut self, key: &str, value: impl Into<String>) -> Self {
        self.tags.insert(key.to_owned(), value.into());
        self
    }

    /// The same, drawn otherwise.
    #[must_use]
    pub fn looking(mut self, change: impl FnOnce(&mut Look)) -> Self {
        change(&mut self.look);
        self
    }

    /// The same under a name that a function has made of its own, as which the next function knows it.
    #[must_use]
    pub fn wrapped(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self.path_expression.clone_from(&self.name);
        self
    }

    /// The values that are told: none behind the end, but for the slot that it falls into.
    pub fn told(&self) -> &[f64] {
        let slots = ((self.end - self.start).max(0) / self.step) as usize + 1;
        &self.values[..slots.min(self.values.len())]
    }

    /// The known values.
    pub fn known(&self) -> impl DoubleEndedIterator<Item = f64> + '_ {
        self.values.iter().copied().filter(|value| !value.is_nan())
    }

    /// Its values with so many of them put together at a time.
    pub fn consolidated(&self, per_point: usize) -> Cow<'_, [f64]> {
        if per_point <= 1 {
            return Cow::Borrowed(&self.values);
        }
        Cow::Owned(self.consolidated_behind(0, per_point))
    }

    /// The same of those behind so many.
    pub fn consolidated_behind(&self, skipped: usize, per_point: usize) -> Vec<f64> {
        let chunks = self.values[skipped..].chunks(per_point.max(1));
        let one = |values: &[f64]| self.consolidation.apply(values, per_point, self.x_files_factor);
        chunks.map(one).collect()
    }
}
