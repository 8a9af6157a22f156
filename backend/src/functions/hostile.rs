//! Every function with arguments that nobody should write and series that should not be: there must be an answer or a refusal.

use super::parse::parse;
use super::registry::FUNCTIONS;
use super::series::Series;
use super::{Context, Fetch, FunctionError};
use proptest::prelude::*;

/// Series of odd kinds. Those of a range that is empty or turned round have no values.
struct Odd;

impl Fetch for Odd {
    fn fetch(&self, path: &str, from: i64, until: i64) -> Result<Vec<Series>, FunctionError> {
        let one = |name: &str, step: i64, value: fn(i64) -> f64| {
            let count = ((until - from) / step).clamp(0, 1_000);
            let start = from - from.rem_euclid(step) + step;
            Series::new(name, start, step, (0..count).map(|at| value(start / step + at)).collect())
        };
        let all = vec![
            one("odd.wave", 60, |at| (at % 7) as f64 - 3.0),
            one("odd.void", 60, |_| f64::NAN),
            one("odd.wild", 10, |at| {
                [f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 0.0, -0.0][at.rem_euclid(5) as usize]
            }),
            one("odd.rare", 7, |at| if at % 4 == 0 { 1e-300 } else { f64::NAN }),
            one("odd.slow", 86_400, |at| at as f64),
        ];
        let is_asked = |series: &Series| path == "odd.*" || path == series.name;
        Ok(all.into_iter().filter(is_asked).collect())
    }
}

const SERIES: [&str; 7] = ["odd.*", "odd.wave", "odd.void", "odd.wild", "odd.rare", "odd.slow", "odd.none"];
const ARGUMENTS: [&str; 30] = [
    "0",
    "1",
    "-1",
    "3",
    "2.5",
    "-0.0",
    "1e308",
    "-1e308",
    "1e-308",
    "9223372036854775807",
    "-9223372036854775808",
    "inf",
    "true",
    "false",
    "none",
    "''",
    "'1min'",
    "'-1min'",
    "'0s'",
    "'200y'",
    "'1mon'",
    "'now'",
    "'yesterday'",
    "'9999999999999'",
    "'max'",
    "'median'",
    "'weeks9'",
    "'\u{e9}'",
    "odd.wave",
    "odd.*",
];

fn target() -> impl Strategy<Value = String> {
    let functions: Vec<_> = FUNCTIONS.iter().copied().flatten().collect();
    let arguments = proptest::collection::vec(0..ARGUMENTS.len(), 0..4);
    (0..functions.len(), 0..SERIES.len(), arguments, 0..functions.len(), any::<bool>()).prop_map(
        move |(function, series, arguments, inner, is_nested)| {
            let series = SERIES[series];
            let inner = functions[inner].names[0];
            let series = if is_nested { format!("{inner}({series})") } else { series.to_owned() };
            let written: Vec<&str> = arguments.iter().map(|at| ARGUMENTS[*at]).collect();
            let arguments = [vec![series.as_str()], written].concat().join(",");
            format!("{}({arguments})", functions[function].names[0])
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6_000))]

    #[test]
    fn no_argument_makes_a_function_panic(target in target(), length in prop_oneof![Just(0_i64), 1_i64..100, 100_i64..100_000]) {
        let now = 1_600_001_220;
        let context = Context::new(&Odd, now - length, now, now);
        let answer = parse(&target).and_then(|expression| super::evaluate(&expression, &context));
        for series in answer.iter().flatten() {
            prop_assert!(series.step > 0 && series.values.len() < 2_000_000, "{target}: {series:?}");
        }
    }
}

#[test]
fn each_name_is_one_functions() {
    let mut names: Vec<&str> =
        FUNCTIONS.iter().copied().flatten().flat_map(|one| one.names).copied().collect();
    names.sort_unstable();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}
