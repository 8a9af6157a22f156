//! A call's arguments, as functions take them; and what a target is evaluated in.

mod tagged;
mod template;

use super::FunctionError;
use super::align::Span;
use super::format::{general, plain};
use super::parse::{Call as CallText, Expression, parse};
use super::registry::find;
use super::series::Series;
use crate::graphite_time::GraphiteClock;
use sonde_shared::component::Selector;
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use template::Replaced;

/// Where series come from.
pub trait Fetch {
    /// The series that a path names, by name, each with its slots of `(from, until]`; none where it names none. Functions ask for ranges
    /// that begin as early as 1970: what would be too much to read is to be refused before it is read.
    fn fetch(&self, path: &str, from: i64, until: i64) -> Result<Vec<Series>, FunctionError>;

    /// The same of the series that tag expressions choose; `Argument` where these are none. Sources without tags have no such series.
    fn fetch_tagged(
        &self,
        _expressions: &[&str],
        _from: i64,
        _until: i64,
    ) -> Result<Vec<Series>, FunctionError> {
        Ok(Vec::new())
    }

    /// When the events were that have all of these tags, by time, both ends of the range included; those of all where no tag is given.
    fn events(&self, _tags: &[String], _from: i64, _until: i64) -> Result<Vec<i64>, FunctionError> {
        Ok(Vec::new())
    }

    /// How many lines a component and all below it have in each slot of a range, of a level and worse where one is named. Sources
    /// without lines have none.
    fn lines(
        &self,
        _component: &Selector,
        _level: Option<Level>,
        _range: TimeRange,
        _step_secs: i64,
    ) -> Result<Vec<u64>, FunctionError> {
        Ok(Vec::new())
    }

    /// Whether there is time to go on.
    fn has_time(&self) -> bool {
        true
    }
}

/// An evaluation is given up after so long.
pub const MAX_SECS: u64 = 30;
/// So many values may be fetched and made for one target.
pub const MAX_VALUES: usize = 50_000_000;
/// A series costs as much as so many values.
const SERIES_COST: usize = 200;
/// Reading a series again that is known costs this part of reading it.
const KNOWN_PART: usize = 32;
/// So many calls may be evaluated for one target. Some evaluate their arguments several times, so that calls in each other may be many.
const MAX_CALLS: usize = 100_000;
/// Targets that functions make may make targets so deep; one that makes itself again would have no end.
const MAX_MADE: usize = 4;

/// What a target is evaluated in. Functions that look at another range evaluate their arguments in a copy with that range.
#[derive(Clone)]
pub struct Context<'a> {
    /// Unix seconds; a point at exactly `from` is not in the answer.
    pub from: i64,
    /// Unix seconds.
    pub until: i64,
    /// What times in arguments are read by.
    pub clock: GraphiteClock,
    /// How large a part of values must be known, where the request says so.
    pub x_files_factor: Option<f64>,
    template: Rc<Vec<(String, String)>>,
    /// What the request puts for variables, whatever a template has for them.
    replaced: Rc<Vec<(String, String)>>,
    /// So many functions have made targets that this is evaluated in.
    made_within: usize,
    fetched: Rc<Fetched<'a>>,
}

/// A path and a range.
type Asked = (String, i64, i64);

/// What was fetched for a target, each path and range once.
struct Fetched<'a> {
    source: &'a dyn Fetch,
    series: RefCell<HashMap<Asked, Rc<Vec<Series>>>>,
    values: Cell<usize>,
    /// How high each stack is at each moment.
    stacks: RefCell<HashMap<String, Vec<f64>>>,
    calls: Cell<usize>,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("from", &self.from)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

impl<'a> Context<'a> {
    /// A range of unix seconds, and now.
    pub fn new(source: &'a dyn Fetch, from: i64, until: i64, now: i64) -> Self {
        let fetched = Fetched {
            source,
            series: RefCell::default(),
            values: Cell::default(),
            stacks: RefCell::default(),
            calls: Cell::default(),
        };
        let (template, replaced, fetched) = (Rc::default(), Rc::default(), Rc::new(fetched));
        let clock = GraphiteClock::utc(Timestamp::from_secs(now));
        Self { from, until, clock, x_files_factor: None, template, replaced, made_within: 0, fetched }
    }

    /// The same over another range.
    #[must_use]
    pub fn over(&self, from: i64, until: i64) -> Self {
        Self { from, until, ..self.clone() }
    }

    /// What the clock of the request's zone shows at an instant, as if that were UTC.
    pub(super) fn shown(&self, at: i64) -> i64 {
        at + self.clock.offset_secs(Timestamp::from_secs(at))
    }

    /// What some of graphite-web's functions take an instant for: what the zone's clock shows, without the hour of summer time, for
    /// which they ask C's `mktime`.
    pub(super) fn taken(&self, at: i64) -> i64 {
        let is_summer_time = self.clock.is_summer_time(Timestamp::from_secs(at));
        self.shown(at) - if is_summer_time { 3_600 } else { 0 }
    }

    /// Does something with the sums of a stack, which all targets of a request share.
    pub(super) fn with_stack<T>(&self, name: &str, work: impl FnOnce(&mut Vec<f64>) -> T) -> T {
        work(self.fetched.stacks.borrow_mut().entry(name.to_owned()).or_default())
    }

    /// The series of a path.
    pub(super) fn fetch(&self, path: &str) -> Result<Vec<Series>, FunctionError> {
        self.fetch_as(path, || self.fetched.source.fetch(path, self.from, self.until))
    }

    /// Series that are known by a text, and how they are read the first time.
    fn fetch_as(
        &self,
        path: &str,
        read: impl FnOnce() -> Result<Vec<Series>, FunctionError>,
    ) -> Result<Vec<Series>, FunctionError> {
        let key = (path.to_owned(), self.from, self.until);
        let cost = |series: &[Series], part: usize| {
            series.iter().map(|one| SERIES_COST + one.values.len() / part).sum::<usize>()
        };
        if let Some(known) = self.fetched.series.borrow().get(&key) {
            self.spend(cost(known, KNOWN_PART))?;
            return Ok(known.to_vec());
        }
        self.go_on()?;
        let mut series = read()?;
        // Whoever reads many series stops where there is no time left.
        self.go_on()?;
        self.spend(cost(&series, 1))?;
        for one in &mut series {
            path.clone_into(&mut one.path_expression);
            one.x_files_factor = self.x_files_factor.unwrap_or(0.0);
        }
        self.fetched.series.borrow_mut().insert(key, Rc::new(series.clone()));
        Ok(series)
    }

    /// When the events of the range were that have all of these tags.
    pub(super) fn events(&self, tags: &[String]) -> Result<Vec<i64>, FunctionError> {
        let found = self.fetched.source.events(tags, self.from, self.until)?;
        self.spend(found.len())?;
        Ok(found)
    }

    pub(super) fn lines(
        &self,
        component: &Selector,
        level: Option<Level>,
        range: TimeRange,
        step_secs: i64,
    ) -> Result<Vec<u64>, FunctionError> {
        self.fetched.source.lines(component, level, range, step_secs)
    }

    /// Refuses to go on where it has taken too long. Asked between calls, and between series where one takes long.
    pub(super) fn go_on(&self) -> Result<(), FunctionError> {
        if self.fetched.source.has_time() {
            return Ok(());
        }
        let why = format!("it would take longer than {MAX_SECS} s; ask for fewer series or a shorter range");
        Err(FunctionError::Fetch(why))
    }

    /// Tells that so many values are read or made; too many for one target are refused.
    pub(super) fn spend(&self, values: usize) -> Result<(), FunctionError> {
        let values = self.fetched.values.get().saturating_add(values);
        if values > MAX_VALUES {
            return Err(FunctionError::Fetch(format!(
                "more than {MAX_VALUES} values would have to be read or made; ask for fewer series, a shorter range or longer \
                 intervals"
            )));
        }
        self.fetched.values.set(values);
        Ok(())
    }

    /// The series of an expression. One that is no series, as a number, is told.
    pub(super) fn series_of(&self, expression: &Expression) -> Result<Vec<Series>, FunctionError> {
        match self.value_of(expression)? {
            Value::Series(series) => Ok(series),
            Value::Nothing => Ok(Vec::new()),
            other => Err(FunctionError::Argument {
                function: "target".to_owned(),
                why: format!("{other} is no series; name a path or a function"),
            }),
        }
    }

    fn value_of(&self, expression: &Expression) -> Result<Value, FunctionError> {
        Ok(match expression {
            Expression::Path(path) => match self.replaced(path) {
                Replaced::Path(path) => Value::Series(self.fetch(&path)?),
                Replaced::Number(number) => Value::Number(number),
                Replaced::Text(text) => Value::Text(text),
            },
            Expression::Call(call) => Value::Series(self.call(call)?),
            Expression::Template(inner, values) => self.within(values).value_of(inner)?,
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Whole(number) => Value::Whole(*number),
            Expression::Number(number) => Value::Number(*number),
            Expression::Truth(truth) => Value::Truth(*truth),
            Expression::Nothing => Value::Nothing,
            Expression::Series(series) => Value::Series(series.clone()),
        })
    }

    fn call(&self, call: &CallText) -> Result<Vec<Series>, FunctionError> {
        self.fetched.calls.set(self.fetched.calls.get() + 1);
        if self.fetched.calls.get() > MAX_CALLS {
            let why = format!(
                "more than {MAX_CALLS} calls would have to be evaluated; use fewer within each other"
            );
            return Err(FunctionError::Fetch(why));
        }
        let function = find(&call.name).ok_or_else(|| FunctionError::Unknown(call.name.clone()))?;
        let given = Call { context: self, function: call, parameters: function.parameters };
        given.check()?;
        let answer = (function.run)(&given)?;
        self.go_on()?;
        Ok(answer)
    }

    /// A series that a function has made of others. It has no tags but its name.
    pub(super) fn made(&self, name: impl Into<String>, span: Span, values: Vec<f64>) -> Series {
        let mut series = Series::new(name, span.start, span.step, values);
        series.end = span.end;
        series.x_files_factor = self.x_files_factor.unwrap_or(0.0);
        series
    }
}

/// What an argument is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Series(Vec<Series>),
    Text(String),
    Whole(i64),
    Number(f64),
    Truth(bool),
    Nothing,
}

impl std::fmt::Display for Value {
    /// As it stands in names of series.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Series(series) => write!(f, "{} series", series.len()),
            Self::Text(text) => f.write_str(text),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Number(number) => f.write_str(&plain(*number)),
            Self::Truth(truth) => f.write_str(if *truth { "True" } else { "False" }),
            Self::Nothing => f.write_str("None"),
        }
    }
}

/// A call under way: arguments by their place or name.
pub(super) struct Call<'a> {
    pub(super) context: &'a Context<'a>,
    function: &'a CallText,
    parameters: &'static [super::Param],
}

impl Call<'_> {
    /// The function's name, as it was called.
    pub(super) fn name(&self) -> &str {
        &self.function.name
    }

    /// What is wrong with an argument.
    pub(super) fn wrong(&self, why: impl Into<String>) -> FunctionError {
        FunctionError::Argument { function: self.name().to_owned(), why: why.into() }
    }

    /// Whether the arguments are as many as the parameters, and named as these.
    fn check(&self) -> Result<(), FunctionError> {
        let takes_more = self.parameters.last().is_some_and(|last| last.is_repeated);
        if self.function.arguments.len() > self.parameters.len() && !takes_more {
            return Err(self.wrong(format!("it takes at most {} arguments", self.parameters.len())));
        }
        for (name, _) in &self.function.named {
            if !self.parameters.iter().any(|parameter| parameter.name == name) {
                return Err(self.wrong(format!("it has no argument `{name}`")));
            }
        }
        for (at, parameter) in
            self.parameters.iter().enumerate().filter(|(_, parameter)| parameter.is_required)
        {
            // A list of series may be empty where it takes any number of them.
            if self.expression(at).is_none() && !parameter.is_repeated {
                return Err(self.wrong(format!("`{}` is missing", parameter.name)));
            }
        }
        Ok(())
    }

    fn expression(&self, at: usize) -> Option<&Expression> {
        let name = self.parameters.get(at).map(|parameter| parameter.name);
        let named = || {
            self.function.named.iter().find(|(other, _)| Some(other.as_str()) == name).map(|(_, value)| value)
        };
        self.function.arguments.get(at).or_else(named)
    }

    /// An argument by its place; `None` where it is not given.
    pub(super) fn value(&self, at: usize) -> Result<Option<Value>, FunctionError> {
        self.expression(at).map(|expression| self.context.value_of(expression)).transpose()
    }

    /// The series of an argument.
    pub(super) fn series(&self, at: usize) -> Result<Vec<Series>, FunctionError> {
        self.series_in(at, self.context)
    }

    /// The series of an argument over another range.
    pub(super) fn series_in(&self, at: usize, context: &Context<'_>) -> Result<Vec<Series>, FunctionError> {
        match self.expression(at).map(|expression| context.value_of(expression)).transpose()? {
            Some(Value::Series(series)) => Ok(series),
            None | Some(Value::Nothing) => Ok(Vec::new()),
            Some(other) => Err(self.wrong(format!("{other} is no series"))),
        }
    }

    /// The series of all arguments from a place on.
    pub(super) fn all_series(&self, from: usize) -> Result<Vec<Series>, FunctionError> {
        let mut all = Vec::new();
        for at in from..self.function.arguments.len().max(1) {
            all.append(&mut self.series(at)?);
        }
        Ok(all)
    }

    /// The arguments from a place on.
    pub(super) fn values(&self, from: usize) -> Result<Vec<Value>, FunctionError> {
        let places = from..self.count().max(from + 1);
        places.filter_map(|at| self.value(at).transpose()).collect()
    }

    /// How many arguments stand by their place.
    pub(super) fn count(&self) -> usize {
        self.function.arguments.len()
    }

    /// A number.
    pub(super) fn number(&self, at: usize) -> Result<Option<f64>, FunctionError> {
        match self.value(at)? {
            None | Some(Value::Nothing) => Ok(None),
            Some(Value::Whole(number)) => Ok(Some(number as f64)),
            Some(Value::Number(number)) => Ok(Some(number)),
            Some(Value::Truth(truth)) => Ok(Some(f64::from(u8::from(truth)))),
            Some(Value::Text(text)) if text.trim().parse::<f64>().is_ok() => Ok(text.trim().parse().ok()),
            Some(other) => Err(self.wrong(format!("`{other}` is no number"))),
        }
    }

    /// A number without a fraction.
    pub(super) fn whole(&self, at: usize) -> Result<Option<i64>, FunctionError> {
        match self.number(at)? {
            None => Ok(None),
            Some(number) if number.fract() == 0.0 && number.abs() < 1e15 => Ok(Some(number as i64)),
            Some(number) => Err(self.wrong(format!("`{}` is no whole number", general(number)))),
        }
    }

    /// A text.
    pub(super) fn text(&self, at: usize) -> Result<Option<String>, FunctionError> {
        match self.value(at)? {
            None | Some(Value::Nothing) => Ok(None),
            Some(Value::Series(_)) => Err(self.wrong("a text in quotes is needed")),
            Some(other) => Ok(Some(other.to_string())),
        }
    }

    /// A text that must be given.
    pub(super) fn needed_text(&self, at: usize) -> Result<String, FunctionError> {
        self.text(at)?.ok_or_else(|| self.missing(at))
    }

    /// A number that must be given.
    pub(super) fn needed_number(&self, at: usize) -> Result<f64, FunctionError> {
        self.number(at)?.ok_or_else(|| self.missing(at))
    }

    /// Whole numbers from a place on.
    pub(super) fn wholes(&self, from: usize) -> Result<Vec<i64>, FunctionError> {
        (from..self.count().max(from + 1)).filter_map(|at| self.whole(at).transpose()).collect()
    }

    fn missing(&self, at: usize) -> FunctionError {
        let name = self.parameters.get(at).or(self.parameters.last()).map_or("", |parameter| parameter.name);
        self.wrong(format!("`{name}` is missing"))
    }

    /// True or false.
    pub(super) fn truth(&self, at: usize) -> Result<Option<bool>, FunctionError> {
        match self.value(at)? {
            None | Some(Value::Nothing) => Ok(None),
            Some(Value::Truth(truth)) => Ok(Some(truth)),
            Some(Value::Whole(number)) => Ok(Some(number != 0)),
            Some(Value::Text(text)) => match text.to_ascii_lowercase().as_str() {
                "true" => Ok(Some(true)),
                "false" => Ok(Some(false)),
                _ => Err(self.wrong(format!("`{text}` is neither true nor false"))),
            },
            Some(other) => Err(self.wrong(format!("`{other}` is neither true nor false"))),
        }
    }

    /// Calls another function with lists of series.
    pub(super) fn apply(&self, name: &str, lists: Vec<Vec<Series>>) -> Result<Vec<Series>, FunctionError> {
        let arguments = lists.into_iter().map(Expression::Series).collect();
        let (name, text) = (name.to_owned(), format!("{name}()"));
        self.context.call(&CallText { name, arguments, named: Vec::new(), text })
    }

    /// Evaluates a target that a function has made.
    pub(super) fn evaluate(&self, target: &str) -> Result<Vec<Series>, FunctionError> {
        let within = Context { made_within: self.context.made_within + 1, ..self.context.clone() };
        if within.made_within > MAX_MADE {
            return Err(self.wrong(format!("it makes a target in a target more than {MAX_MADE} deep")));
        }
        within.series_of(&parse(target)?)
    }
}

#[cfg(test)]
mod tests;
