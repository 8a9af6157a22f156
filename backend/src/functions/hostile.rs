//! Targets that nobody would write on purpose, over series that should not be: each is answered or refused, in bounded time and memory.

use super::golden::{Made, NOW};
use super::parse::parse;
use super::registry::{FUNCTIONS, Function, find};
use super::series::Series;
use super::{Context, Fetch, FunctionError, MAX_SECS, ParamKind, evaluate};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::cell::Cell;
use std::collections::BTreeSet;

/// The golden series, and some of odd kinds, `odd.*`; those of a range that is empty or turned round have no values.
#[derive(Default)]
struct Odd {
    /// So many times it was asked for time.
    asked: Cell<usize>,
    /// There is none left afterwards.
    most: usize,
}

impl Fetch for Odd {
    fn fetch(&self, path: &str, from: i64, until: i64) -> Result<Vec<Series>, FunctionError> {
        if !path.starts_with("odd.") {
            return Made.fetch(path, from, until);
        }
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

    fn events(&self, tags: &[String], from: i64, until: i64) -> Result<Vec<i64>, FunctionError> {
        Made.events(tags, from, until)
    }

    fn has_time(&self) -> bool {
        self.asked.set(self.asked.get() + 1);
        self.asked.get() <= self.most
    }
}

const PATHS: [&str; 17] = [
    "odd.*",
    "odd.wave",
    "odd.void",
    "odd.wild",
    "odd.rare",
    "odd.slow",
    "web.*.cpu.user",
    "web.*.*.*",
    "fast.*",
    "slow.x",
    "void.at_all",
    "few.*",
    "no.such",
    "a;b=c",
    "alias(fast.x,'')",
    "alias(slow.x,'()')",
    "alias(fast.x,')\u{e9}(')",
];
const NUMBERS: [&str; 17] = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "-7",
    "2.5",
    "-0.0",
    "inf",
    "1e300",
    "-1e308",
    "1e-308",
    "999999999999999",
    "1000",
    "9223372036854775807",
    "-9223372036854775808",
    "99999999999999999999",
];
const TIMES: [&str; 14] = [
    "'1min'",
    "'5min'",
    "'-1min'",
    "'0s'",
    "'200y'",
    "'1mon'",
    "'now'",
    "'yesterday'",
    "'9999999999999'",
    "'midnight_11110101'",
    "'-1h'",
    "'1s'",
    "'99991231'",
    "'12pm'",
];
const TEXTS: [&str; 20] = [
    "''", "'sum'", "'max'", "'median'", "'nope'", "'(.)'", "'%s\\1%'", "'%.x'", "'%d'", "'name'", "'weeks9'",
    "'si'", "'*'", "'odd.*'", "\"'\"", "'\u{e9}'", "'>='", "true", "false", "None",
];

/// Mostly one of the kind that a parameter asks for.
fn literal(kind: ParamKind) -> BoxedStrategy<String> {
    let all = [&NUMBERS[..], &TIMES[..], &TEXTS[..], &PATHS[..]].concat();
    let right = match kind {
        ParamKind::SeriesList => PATHS.to_vec(),
        ParamKind::Float | ParamKind::Integer | ParamKind::Node | ParamKind::NodeOrTag => NUMBERS.to_vec(),
        ParamKind::IntOrInterval | ParamKind::IntOrInf => [&NUMBERS[..], &TIMES[..]].concat(),
        ParamKind::Interval | ParamKind::Date => TIMES.to_vec(),
        _ => TEXTS.to_vec(),
    };
    prop_oneof![9 => select(right), 1 => select(all)].prop_map(str::to_owned).boxed()
}

/// An argument of a call: series out of other calls, or something written out; by its name now and then.
fn argument(function: &Function, at: usize, inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let last = function.parameters.last().filter(|last| last.is_repeated);
    let Some(parameter) = function.parameters.get(at).or(last) else { return Just("7".to_owned()).boxed() };
    let (kind, name) = (parameter.kind, parameter.name);
    let value = match kind {
        ParamKind::SeriesList => prop_oneof![8 => inner, 1 => literal(kind)].boxed(),
        _ => prop_oneof![1 => inner, 19 => literal(kind)].boxed(),
    };
    let written =
        move |(value, is_named): (String, bool)| if is_named { format!("{name}={value}") } else { value };
    (value, prop::bool::weighted(0.03)).prop_map(written).boxed()
}

/// A call of any function, in either way of writing it, with about as many arguments as it takes.
fn call(inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let functions = select(FUNCTIONS.concat());
    let of = move |(function, more): (Function, usize)| {
        let needed = function.parameters.iter().filter(|one| one.is_required).count();
        let count = (needed + more).min(function.parameters.len() + 1);
        let arguments: Vec<_> = (0..count).map(|at| argument(&function, at, inner.clone())).collect();
        let names = select(function.names.to_vec());
        (names, arguments, prop::bool::weighted(0.2)).prop_map(|(name, mut arguments, is_piped)| {
            if is_piped && !arguments.is_empty() {
                let first = arguments.remove(0);
                return format!("{first} | {name}({})", arguments.join(" , "));
            }
            format!("{name}({})", arguments.join(","))
        })
    };
    (functions, 0_usize..3).prop_flat_map(of).boxed()
}

/// A target as the grammar has them, calls in each other; now and then with a character too many or too few.
fn target() -> impl Strategy<Value = String> {
    let paths =
        prop_oneof![19 => select(PATHS.to_vec()).prop_map(str::to_owned), 1 => "[a-f.*{},$\\\\]{1,9}"];
    let calls = paths.prop_recursive(4, 12, 3, |inner| {
        let template = (inner.clone(), select(TEXTS.to_vec()));
        let template = template.prop_map(|(inner, text)| format!("template({inner},wave={text})"));
        prop_oneof![30 => call(inner), 1 => template]
    });
    let spoilt = (calls.clone(), any::<prop::sample::Index>(), "[(),'|= ;\u{e9}]?").prop_map(
        |(mut text, at, other)| {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let at = *at.get(&places);
            let behind = at + text[at..].chars().next().map_or(0, char::len_utf8);
            text.replace_range(at..behind, &other);
            text
        },
    );
    prop_oneof![9 => calls, 1 => spoilt]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8_000))]

    #[test]
    fn every_target_is_answered_or_refused(
        target in target(),
        length in prop_oneof![Just(0_i64), 1_i64..100, Just(1_200), 100_i64..100_000],
    ) {
        let source = Odd { most: 3_000, ..Odd::default() };
        let context = Context::new(&source, NOW - length, NOW, NOW);
        let answer = parse(&target).and_then(|expression| evaluate(&expression, &context));
        for series in answer.iter().flatten() {
            prop_assert!(series.step > 0 && series.values.len() < 2_000_000, "{target}: {series:?}");
        }
        if let Err(error) = answer {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}

fn answer(target: &str) -> Result<usize, FunctionError> {
    let source = Odd { most: usize::MAX, ..Odd::default() };
    let context = Context::new(&source, NOW - 1_200, NOW, NOW);
    evaluate(&parse(target)?, &context).map(|series| series.len())
}

/// Refused, and for this reason.
#[track_caller]
fn check_refused(target: &str, because: &str) {
    let told = answer(target).map_err(|error| error.to_string());
    assert!(told.as_ref().is_err_and(|told| told.contains(because)), "{target}: {told:?}");
}

#[test]
fn the_targets_are_not_all_refused_and_reach_nearly_all_functions() {
    let mut runner = TestRunner::deterministic();
    let (mut answered, mut reached) = (0, BTreeSet::new());
    for _ in 0..2_000 {
        let target = target().new_tree(&mut runner).unwrap().current();
        if answer(&target).is_ok() {
            answered += 1;
            let names = FUNCTIONS.iter().copied().flatten().map(|function| function.names[0]);
            reached.extend(names.filter(|name| target.contains(&format!("{name}("))));
        }
    }
    assert!(answered > 400 && reached.len() > 110, "{answered} answered, {} functions", reached.len());
}

#[test]
fn what_would_be_too_much_is_refused_with_the_limit() {
    let check = |target: &str, years: i64, because: &str| {
        let source = Odd { most: usize::MAX, ..Odd::default() };
        let context = Context::new(&source, NOW - years * 365 * 86_400, NOW, NOW);
        let answer = parse(target).and_then(|target| evaluate(&target, &context));
        let told = answer.map(|series| series.len()).map_err(|error| error.to_string());
        assert!(told.as_ref().is_err_and(|told| told.contains(because)), "{target}: {told:?}");
    };
    let too_many = "more than 50000000 values";
    check("randomWalk('x')", 100, too_many);
    check("randomWalkFunction('x',1)", 2, too_many);
    check("time('x',1)", 2, too_many);
    check("sin('x',2,1)", 2, too_many);
    check("identity('x')", 100, too_many);
    check("events('*')", 2, too_many);
    check("summarize(time('x',86400),'1s')", 2, too_many);
    check("smartSummarize(time('x',86400),'1s')", 2, too_many);
    check("hitcount(time('x',86400),'1s')", 2, too_many);
    check("timeStack(group(time('x'),time('y')),'0s',0,1000)", 1, too_many);
    check("movingAverage(odd.wave,'60y')", 1, "before 1970");
    check("movingAverage(odd.wave,1e12)", 1, "no number of values");
    check("timeStack(odd.wave,'1s',0,99999999999999)", 1, "at most 1000");
}

#[test]
fn what_takes_too_long_is_given_up() {
    for target in
        ["odd.*", "scale(odd.*,2)", "movingMedian(odd.*,3)", "time('x')", "odd.*|scale(2)|scale(2)|scale(2)"]
    {
        let needed = (0..100).find(|most| {
            let source = Odd { most: *most, ..Odd::default() };
            let context = Context::new(&source, NOW - 1_200, NOW, NOW);
            let answer = evaluate(&parse(target).unwrap(), &context);
            let told = answer.as_ref().err().map(ToString::to_string).unwrap_or_default();
            assert!(
                answer.is_ok() || told.contains(&format!("longer than {MAX_SECS} s")),
                "{target}: {told}"
            );
            answer.is_ok()
        });
        assert!(needed.is_some_and(|needed| needed >= 1), "{target}: {needed:?}");
    }
}

#[test]
fn the_deepest_targets_are_answered() {
    let nested = |open: &str, close: &str| format!("{}odd.wave{}", open.repeat(60), close.repeat(60));
    assert_eq!(answer(&nested("scale(", ",1)")), Ok(1));
    assert_eq!(answer(&nested("sumSeries(", ")")), Ok(1));
    assert_eq!(answer(&format!("odd.*{}", "|sortByMaxima()".repeat(64))), Ok(5));
    check_refused(&format!("odd.*{}", "|sortByMaxima()".repeat(100_000)), "fewer calls within each other");
    check_refused(&"template(".repeat(100_000), "fewer calls within each other");
}

#[test]
fn all_names_that_graphite_web_registers_are_there() {
    let names = include_str!("../../../tests/golden/functions.txt");
    let missing: Vec<&str> = names.lines().filter(|name| find(name).is_none()).collect();
    assert!(names.lines().count() > 150 && missing.is_empty(), "{missing:?}");
}

#[test]
fn each_name_is_one_functions() {
    let mut names: Vec<&str> =
        FUNCTIONS.iter().copied().flatten().flat_map(|one| one.names).copied().collect();
    names.sort_unstable();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn what_is_wrong_with_an_argument_is_told() {
    check_refused("aliasByNode(fast.x)", "missing");
    check_refused("aliasByNode(fast.x,true)", "neither a node's place nor a tag");
    check_refused("alias(fast.x)", "`newName` is missing");
    check_refused("alias(fast.x,none)", "`newName` is missing");
    check_refused("aliasSub(fast.x,'(','x')", "unclosed group");
    check_refused("aliasSub(fast.x,'(?=x)','y')", "look-around");
    check_refused("aliasSub(fast.x,'(x)','\\2')", "fewer groups");
    check_refused("aliasSub(fast.x,'x','\\q')", "behind a backslash");
    check_refused("aliasQuery(fast.x,'^.*$','void.at_all','%d')", "`void.at_all` has no value");
    check_refused("aliasQuery(fast.x,'x','none','%d')", "there is no series `fast.none`");
    check_refused("aliasQuery(fast.x,'x','y','none')", "one number");
    check_refused("legendValue(fast.x)", "`valuesTypes` is missing");
    check_refused("limit(fast.x,1.5)", "1.5");
    check_refused("limit(fast.x)", "`n` is missing");
    check_refused("currentAbove(fast.x,none)", "`n` is missing");
    check_refused("filterSeries(fast.x,'max','~',1)", "`~`");
    check_refused("sortBy(fast.x,'nope')", "`nope`");
    check_refused("groupByNode(fast.x,0,'nope')", "`nope`");
    check_refused("groupByTags(fast.x,'sum')", "`tags` is missing");
    check_refused("divideSeries(fast.x,web.*.cpu.user)", "not 3");
    check_refused("sumSeriesLists(fast.x,web.*.cpu.user)", "not 1 and 3");
    check_refused("weightedAverage(fast.x,web.*.cpu.user,1)", "not 1 and 3");
    check_refused("asPercent(fast.*,web.*.cpu.user)", "2, not 3");
    check_refused("asPercent(fast.*,'x')", "`x` is no number");
    check_refused("asPercent(fast.*,5,0)", "with nodes");
    check_refused("percentileOfSeries(fast.*,0)", "greater than 0");
    check_refused("removeAbovePercentile(fast.*,0)", "greater than 0");
    check_refused("reduceSeries(fast.*,'nope',0,'fast')", "`nope`");
}

#[test]
fn where_graphite_web_fails_there_is_an_answer() {
    let check = |target: &str, expected: &[&str]| {
        let context = Context::new(&Made, NOW - 1_200, NOW, NOW);
        let series = evaluate(&parse(target).unwrap(), &context).unwrap();
        assert_eq!(series.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), expected, "{target}");
    };
    check("mapSeries(group(fast.x,slow.x,fast.y),0)", &["fast.x", "fast.y", "slow.x"]);
    // Nothing is made of a node without a counterpart.
    check(
        "reduceSeries(group(web.h1.cpu.*,web.h2.cpu.user),'diffSeries',3,'user','system')",
        &["web.h1.cpu.reduce.diffSeries"],
    );
    check("reduceSeries(web.h1.cpu.*,'diffSeries',9,'user','system')", &[]);
    // What is not known is neither between nor outside, and not above.
    check("averageOutsidePercentile(group(void.at_all,same.*),50)", &["same.five", "same.zero"]);
    check("removeBetweenPercentile(group(void.at_all,same.*),60)", &["same.five", "same.zero"]);
    check("useSeriesAbove(web.h2.cpu.user,1,'user','system')", &["web.h2.cpu.system"]);
    check("aliasByNode(alias(fast.x,''),0)", &[""]);
    check("aliasByNode(alias(fast.x,'(a.b)'),1)", &["b)"]);
    check("groupByNode(fast.*,0,'removeEmptySeries')", &["fast"]);
    check("groupByNode(void.*,0,'removeEmptySeries')", &[]);
}

#[test]
fn names_and_targets_that_grow_without_end_are_refused() {
    let doubled =
        (0..20).fold("fast.x".to_owned(), |inner, _| format!("aliasSub({inner},'^(.*)$','\\1\\1')"));
    check_refused(&doubled, "longer than 65536 bytes");
    let doubled =
        (0..20).fold("fast.x".to_owned(), |inner, _| format!("applyByNode({inner},1000000,'fast.x','%.%')"));
    check_refused(&doubled, "longer than 65536 bytes");
    let itself =
        |depth| (0..depth).fold("same.five".to_owned(), |inner, level| made_by_a_target(&inner, level));
    assert_eq!(answer(&itself(4)), Ok(1));
    check_refused(&itself(5), "more than 4 deep");
}

/// A target that makes this one out of a name.
fn made_by_a_target(inner: &str, level: usize) -> String {
    let (single, double) = (format!("S{level}E"), format!("D{level}E"));
    let name = inner.replace('\'', &single).replace('"', &double);
    let series = format!(r#"aliasSub(aliasSub(alias(fast.x,"{name}"),"{single}","'"),"{double}",'"')"#);
    format!(r#"aliasQuery({series},"^$","","%d")"#)
}
