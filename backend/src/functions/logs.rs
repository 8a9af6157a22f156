//! Lines as series: how many a component has in each step, so that they can be charted, added, shifted and given limits as any metric.
//!
//! Graphite has no such function. A slot's value is the number of lines from its time until the next slot's, 0 where there are
//! none, and nothing for slots that are yet to begin.

use super::align::Span;
use super::call::Call;
use super::registry::{Answer, Function, Param, ParamKind};
use super::series::Consolidation;
use super::times;
use sonde_shared::component::Selector;
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};

/// The steps that are taken where none is asked for: the first one that makes at most [`MOST_SLOTS`] of a range.
const STEPS: [i64; 7] = [1, 10, 60, 600, 3_600, 21_600, 86_400];
const MOST_SLOTS: i64 = 1_500;

pub(super) const FUNCTIONS: &[Function] = &[Function {
    names: &["logs"],
    group: "Special",
    parameters: &[
        Param::needed("component", ParamKind::Text),
        Param::optional("level", ParamKind::Text),
        Param::optional("step", ParamKind::Interval),
    ],
    about: "How many lines a component and all below it have in each step, of a level and worse where one is named. \
            The step follows the range where none is given.",
    run: logs,
}];

fn logs(call: &Call<'_>) -> Answer {
    let component = call.needed_text(0)?;
    let selector = Selector::parse(&component).map_err(|error| call.wrong(error.to_string()))?;
    let level = call.text(1)?.map(|text| {
        let wrong =
            || format!("`{text}` is not a level; there are trace, debug, info, warn, error and fatal");
        Level::parse(&text).ok_or_else(|| call.wrong(wrong()))
    });
    let (level, asked) = (level.transpose()?, call.text(2)?);
    let span = span_of(call, asked.as_deref())?;
    let slots = ((span.end - span.start) / span.step).max(0);
    call.context.spend(slots as usize)?;
    let range = TimeRange { from: Timestamp::from_secs(span.start), until: Timestamp::from_secs(span.end) };
    let counts = call.context.lines(&selector, level, range, span.step)?;
    let is_begun = |slot: usize| span.start + slot as i64 * span.step <= call.context.clock.now().as_secs();
    let value = |(slot, count): (usize, u64)| if is_begun(slot) { count as f64 } else { f64::NAN };
    let values = counts.into_iter().enumerate().map(value).collect();
    let said = [Some(component), level.map(|level| level.name().to_owned()), asked];
    let said: Vec<String> = said.into_iter().flatten().map(|text| format!("\"{text}\"")).collect();
    let mut series = call.context.made(format!("logs({})", said.join(",")), span, values);
    series.consolidation = Consolidation::Sum;
    Ok(vec![series])
}

/// The slots whose times lie in `(from, until]`, at multiples of the step.
fn span_of(call: &Call<'_>, step: Option<&str>) -> Result<Span, super::FunctionError> {
    let (from, until) = (call.context.from, call.context.until);
    let fits = |step: &&i64| (until - from) / **step <= MOST_SLOTS;
    let step = match step {
        Some(text) => times::interval(call, text)?,
        None => *STEPS.iter().find(fits).unwrap_or(&STEPS[STEPS.len() - 1]),
    };
    let after = |at: i64| (at.div_euclid(step) + 1) * step;
    Ok(Span { start: after(from), end: after(until), step })
}

#[cfg(test)]
mod tests {
    use crate::functions::parse::parse;
    use crate::functions::series::Series;
    use crate::functions::{Context, Fetch, FunctionError, evaluate};
    use sonde_shared::component::Selector;
    use sonde_shared::log::Level;
    use sonde_shared::time::TimeRange;

    struct Lines;

    impl Fetch for Lines {
        fn fetch(&self, _: &str, _: i64, _: i64) -> Result<Vec<Series>, FunctionError> {
            Ok(Vec::new())
        }

        /// As many as the slot's number, ten times as many of errors.
        fn lines(
            &self,
            _: &Selector,
            level: Option<Level>,
            range: TimeRange,
            step_secs: i64,
        ) -> Result<Vec<u64>, FunctionError> {
            let times = if level == Some(Level::Error) { 10 } else { 1 };
            let slots = (range.until.as_secs() - range.from.as_secs()) / step_secs;
            Ok((0..slots as u64).map(|slot| slot * times).collect())
        }
    }

    fn answer(target: &str, from: i64, until: i64, now: i64) -> Result<Series, FunctionError> {
        let series = evaluate(&parse(target).unwrap(), &Context::new(&Lines, from, until, now));
        series.map(|mut series| series.remove(0))
    }

    #[test]
    fn lines_are_counted_in_slots_of_the_range() {
        let one = answer("logs('shop.cart','error','1min')", 600, 900, 10_000).unwrap();
        assert_eq!(
            (one.name.as_str(), one.start, one.step),
            ("logs(\"shop.cart\",\"error\",\"1min\")", 660, 60)
        );
        assert_eq!(*one.values, [0.0, 10.0, 20.0, 30.0, 40.0]);
        let one = answer("scale(logs('shop'),2)", 0, 86_400, 200_000).unwrap();
        assert_eq!((one.step, one.values.len(), one.values[3]), (60, 1_440, 6.0));
    }

    #[test]
    fn what_is_yet_to_come_has_no_value() {
        let one = answer("logs('shop',step='10')", 0, 50, 25);
        assert!(one.is_err(), "a step needs a unit");
        let one = answer("logs('shop',step='10s')", 0, 50, 25).unwrap();
        assert_eq!(one.values.iter().filter(|value| value.is_nan()).count(), 3);
    }

    #[test]
    fn what_cannot_be_counted_is_named() {
        let why = |target: &str| answer(target, 0, 60, 60).unwrap_err().to_string();
        assert!(why("logs('a..b')").contains("logs"), "{}", why("logs('a..b')"));
        assert!(why("logs('a','loud')").contains("`loud` is not a level"));
        assert!(why("logs()").contains("component"));
    }
}
