//! Calls that nobody would write on purpose: each is answered or refused, in bounded time and memory.

use super::golden::{Made, NOW};
use super::parse::parse;
use super::{Context, FUNCTIONS, FunctionError, ParamKind, evaluate};
use proptest::prelude::*;
use proptest::sample::select;

const SERIES: [&str; 11] = [
    "web.*.cpu.user",
    "web.*.*.*",
    "fast.*",
    "slow.x",
    "void.at_all",
    "few.*",
    "no.such",
    "sumSeries(fast.*)",
    "alias(fast.x,'')",
    "alias(slow.x,'()')",
    "alias(fast.x,')é(')",
];
const NUMBERS: [&str; 11] =
    ["0", "1", "2", "-1", "-7", "2.5", "-0.0", "inf", "1e300", "999999999999999", "-9223372036854775808"];
const TEXTS: [&str; 9] = ["''", "'sum'", "'(.)'", "'%s\\1%'", "'%.x'", "'5min'", "'name'", "true", "None"];

/// Mostly one of the kind that is asked for.
fn argument(kind: ParamKind, is_odd: bool, pick: usize) -> &'static str {
    let of = |list: &[&'static str]| list[pick % list.len()];
    match kind {
        _ if is_odd => of(&[&SERIES[..], &NUMBERS[..], &TEXTS[..]].concat()),
        ParamKind::SeriesList => of(&SERIES),
        ParamKind::Float | ParamKind::Integer | ParamKind::Node | ParamKind::NodeOrTag => of(&NUMBERS),
        _ => of(&TEXTS),
    }
}

fn answer(target: &str) -> Result<usize, FunctionError> {
    let context = Context::new(&Made, NOW - 1_200, NOW, NOW);
    evaluate(&parse(target)?, &context).map(|series| series.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn no_call_makes_it_panic(
        function in select(FUNCTIONS.concat()),
        picks in prop::collection::vec((prop::bool::weighted(0.1), any::<usize>()), 1..6),
    ) {
        let kind = |at: usize| function.parameters.get(at).or(function.parameters.last());
        let arguments = picks.iter().enumerate().filter_map(|(at, (is_odd, pick))| {
            kind(at).map(|parameter| argument(parameter.kind, *is_odd, *pick))
        });
        let arguments = arguments.collect::<Vec<_>>().join(",");
        drop(answer(&format!("{}({arguments})", function.names[0])));
    }
}

/// Refused, and for this reason.
#[track_caller]
fn check_refused(target: &str, because: &str) {
    let told = answer(target).map_err(|error| error.to_string());
    assert!(told.as_ref().is_err_and(|told| told.contains(because)), "{target}: {told:?}");
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
