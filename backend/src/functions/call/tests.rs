//! Targets that would never end.

use super::*;

/// A series with a value a second, or a thousand of them.
struct Seconds;

impl Fetch for Seconds {
    fn fetch(&self, path: &str, from: i64, until: i64) -> Result<Vec<Series>, FunctionError> {
        let one = |number| Series::new(format!("a.{number}"), from, 1, vec![1.0; (until - from) as usize]);
        Ok((0..if path == "one" { 1 } else { 1_000 }).map(one).collect())
    }
}

#[track_caller]
fn check_refused(target: &str, because: &str) {
    let context = Context::new(&Seconds, 1_600_000_000, 1_600_000_010, 1_600_000_010);
    let refused = context.series_of(&parse(target).unwrap()).map(|series| series.len());
    let told = refused.as_ref().err().map(ToString::to_string).unwrap_or_default();
    assert!(told.contains(because), "{refused:?}");
}

#[test]
fn a_target_that_would_never_end_is_refused() {
    let nested = |open: &str, inner: &str, close: &str, depth: usize| {
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    check_refused(&nested("movingAverage(", "a.*", ",1)", 60), "values");
    check_refused(&nested("timeShift(", "one", ",'1d')", 60), "calls");
    check_refused(&nested("timeStack(", "scale(one,2)", ",'1s',0,1000)", 3), "calls");
    check_refused("timeStack(a.*,'0s',0,1000)|timeStack('0s',0,1000)", "values");
    check_refused("summarize(a.*,'1s')|timeStack('0s',0,1000)", "values");
    check_refused("timeStack(a.*,'1d',0,1000000)", "at most 1000");
    check_refused("movingAverage(a.*,'60y')", "before 1970");
    check_refused("timeShift(a.*,'60y')", "before 1970");
}
