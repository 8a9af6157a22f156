//! The functions there are, by their names and aliases, with what they take.

use super::call::Call;
use super::series::Series;
use super::{
    FunctionError, alias, combine, filter, forecast, graph, group, lines, logs, moving, neighbours, pair,
    percent, shift, sort, special, summarize, transform,
};

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ParamKind {
    SeriesList,
    SeriesLists,
    AggFunc,
    AggOrSeriesFunc,
    Float,
    Integer,
    Interval,
    IntOrInterval,
    IntOrInf,
    Node,
    NodeOrTag,
    Tag,
    Text,
    Boolean,
    Date,
    Any,
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name, which arguments may be given by.
    pub name: &'static str,
    /// What it takes.
    pub kind: ParamKind,
    /// Whether a call without it is refused.
    pub is_required: bool,
    /// Whether it may be given any number of times; only the last one may.
    pub is_repeated: bool,
}

impl Param {
    /// One that must be given.
    pub const fn needed(name: &'static str, kind: ParamKind) -> Self {
        Self { name, kind, is_required: true, is_repeated: false }
    }

    /// One that may be left out.
    pub const fn optional(name: &'static str, kind: ParamKind) -> Self {
        Self { name, kind, is_required: false, is_repeated: false }
    }

    /// The last one, which may be given several times, once at least if it is needed.
    #[must_use]
    pub const fn repeated(self) -> Self {
        Self { is_repeated: true, ..self }
    }
}

/// The list of series that nearly all functions take first.
pub(super) const SERIES: Param = Param::needed("seriesList", ParamKind::SeriesList);

/// What a function answers.
pub(super) type Answer = Result<Vec<Series>, FunctionError>;

/// Graphite's group of functions.
#[derive(Clone, Copy)]
pub(super) struct Group(pub(super) &'static str);

impl Group {
    /// A function of it.
    pub(super) const fn function(
        self,
        names: &'static [&'static str],
        parameters: &'static [Param],
        about: &'static str,
        run: fn(&Call<'_>) -> Answer,
    ) -> Function {
        Function { names, group: self.0, parameters, about, run }
    }
}

/// A function.
#[derive(Clone, Copy)]
pub struct Function {
    /// Its names; the first is its own, the others are aliases.
    pub names: &'static [&'static str],
    /// Graphite's group of it.
    pub group: &'static str,
    /// What it takes.
    pub parameters: &'static [Param],
    /// What it does, in a sentence.
    pub about: &'static str,
    pub(super) run: fn(&Call<'_>) -> Answer,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function").field("names", &self.names).finish_non_exhaustive()
    }
}

/// The functions, family by family.
pub const FUNCTIONS: &[&[Function]] = &[
    alias::FUNCTIONS,
    combine::FUNCTIONS,
    filter::FUNCTIONS,
    forecast::FUNCTIONS,
    graph::FUNCTIONS,
    group::FUNCTIONS,
    lines::FUNCTIONS,
    logs::FUNCTIONS,
    moving::FUNCTIONS,
    neighbours::FUNCTIONS,
    pair::FUNCTIONS,
    percent::FUNCTIONS,
    shift::FUNCTIONS,
    sort::FUNCTIONS,
    special::FUNCTIONS,
    summarize::FUNCTIONS,
    transform::FUNCTIONS,
];

/// A function by one of its names.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().copied().flatten().find(|function| function.names.contains(&name))
}
