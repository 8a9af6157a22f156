//! A right target for whoever wrote a wrong one: a call of the function that was meant, with what it needs.

use super::FunctionError;
use super::registry::{FUNCTIONS, Function, Param, ParamKind, find};

const SERIES: &str = "shop.checkout.*";
/// Functions and parameters that take no more than one series.
const ONE_SERIES: [&str; 2] = ["holtWintersConfidenceArea", "divisorSeries"];
/// A name that differs in more letters is another name.
const MOST_MISSPELT: usize = 3;
/// Texts by their parameters' names, and by the function's where that says more; any other is a word.
const TEXTS: [(&str, &str); 18] = [
    ("aliasQuery.search", "'requests'"),
    ("aliasQuery.replace", "'p95_ms'"),
    ("consolidationFunc", "'max'"),
    ("intervalUnit", "'1h'"),
    ("valuesTypes", "'avg'"),
    ("aliasQuery.newName", "'%g ms'"),
    ("search", "'checkout'"),
    ("replace", "'till'"),
    ("pattern", "'checkout'"),
    ("operator", "'>'"),
    ("newName", "'till'"),
    ("color", "'red'"),
    ("theColor", "'red'"),
    ("templateFunction", "'scale(%.checkout.p95_ms, 2)'"),
    ("reduceFunction", "'asPercent'"),
    ("component", "'shop.checkout'"),
    ("tagExpressions", "'name=checkout'"),
    ("system", "'si'"),
];

/// A target that is right where another was refused.
pub(crate) fn example(refusal: &FunctionError) -> String {
    let meant = match refusal {
        FunctionError::Unknown(name) => nearest(name),
        FunctionError::Argument { function, .. } => find(function).map(|found| (found, function.as_str())),
        FunctionError::Syntax { .. } | FunctionError::Fetch(_) => None,
    };
    meant.map_or_else(|| format!("sumSeries({SERIES})"), |(function, name)| call(function, name))
}

/// Behind the name of a function that there is not: the one that may be meant.
pub(super) fn did_you_mean(name: &str) -> String {
    nearest(name).map_or_else(String::new, |(_, meant)| format!("; did you mean `{meant}`?"))
}

/// The function whose name is nearest to one that there is not.
fn nearest(name: &str) -> Option<(&'static Function, &'static str)> {
    let name = name.to_ascii_lowercase();
    let all = FUNCTIONS.iter().copied().flatten();
    let names = all.flat_map(|function| function.names.iter().map(move |other| (function, *other)));
    let by_distance = names.map(|one| (misspelt(&name, &one.1.to_ascii_lowercase()), one));
    let (distance, found) = by_distance.min_by_key(|(distance, _)| *distance)?;
    (distance <= MOST_MISSPELT && distance * 2 < name.len()).then_some(found)
}

/// How many letters have to be put in, left out or changed to get from one name to the other (Levenshtein 1966).
fn misspelt(name: &str, other: &str) -> usize {
    let other = other.as_bytes();
    // Longer names are none that a function has.
    let name = &name.as_bytes()[..name.len().min(64)];
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in name.iter().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], at + 1);
        for (place, one) in other.iter().enumerate() {
            let changed = corner + usize::from(letter != one);
            corner = row[place + 1];
            row[place + 1] = changed.min(corner + 1).min(row[place] + 1);
        }
    }
    row[other.len()]
}

/// A call with what the function needs; with the first of what it takes where it needs nothing.
fn call(function: &Function, name: &str) -> String {
    let needed: Vec<&Param> =
        function.parameters.iter().filter(|param| param.is_required || param.is_repeated).collect();
    let shown = if needed.is_empty() { function.parameters.iter().take(1).collect() } else { needed };
    let arguments: Vec<&str> = shown.into_iter().map(|param| argument(function.names[0], param)).collect();
    format!("{name}({})", arguments.join(", "))
}

fn argument(function: &str, param: &Param) -> &'static str {
    match param.kind {
        ParamKind::SeriesList | ParamKind::SeriesLists
            if ONE_SERIES.contains(&function) || ONE_SERIES.contains(&param.name) =>
        {
            "shop.checkout.p95_ms"
        }
        ParamKind::SeriesList | ParamKind::SeriesLists => SERIES,
        ParamKind::AggFunc | ParamKind::AggOrSeriesFunc => "'sum'",
        ParamKind::Float => "0.5",
        ParamKind::Integer | ParamKind::IntOrInf => "5",
        ParamKind::Interval => "'1h'",
        ParamKind::IntOrInterval => "'5min'",
        ParamKind::Node | ParamKind::NodeOrTag => "1",
        ParamKind::Tag => "'host'",
        ParamKind::Boolean => "true",
        ParamKind::Date => "'-1h'",
        ParamKind::Text | ParamKind::Any => {
            let whole = format!("{function}.{}", param.name);
            let named = |name: &str| TEXTS.iter().find(|(other, _)| *other == name);
            named(&whole).or_else(|| named(param.name)).map_or("'checkout'", |(_, text)| text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::super::series::Series;
    use super::super::{Context, Fetch, evaluate};
    use super::*;

    struct Shop;

    impl Fetch for Shop {
        fn fetch(&self, path: &str, from: i64, until: i64) -> Result<Vec<Series>, FunctionError> {
            let slots = ((until - from) / 60) as usize;
            let one = |name: &str| Series::new(name, from / 60 * 60 + 60, 60, vec![1.5; slots]);
            let names = ["shop.checkout.p95_ms", "shop.checkout.requests"];
            Ok(names.into_iter().filter(|name| path.contains('*') || path == *name).map(one).collect())
        }
    }

    #[test]
    fn every_functions_example_is_right() {
        let context = Context::new(&Shop, 9_000_000, 9_003_600, 9_003_600);
        let mut refused = Vec::new();
        for function in FUNCTIONS.iter().copied().flatten() {
            for name in function.names {
                let wrong =
                    FunctionError::Argument { function: (*name).to_owned(), why: "it is wrong".to_owned() };
                let example = example(&wrong);
                assert!(example.starts_with(&format!("{name}(")), "{example}");
                let answer = parse(&example).and_then(|target| evaluate(&target, &context));
                refused.extend(answer.err().map(|error| format!("{example}: {error}")));
            }
        }
        assert_eq!(refused, [""; 0]);
    }

    #[test]
    fn a_misspelt_function_is_told_right() {
        let check = |name: &str, expected: &str| {
            assert_eq!(example(&FunctionError::Unknown(name.to_owned())), expected, "{name}");
        };
        check("sumseries", "sumSeries(shop.checkout.*)");
        check("movingAvrage", "movingAverage(shop.checkout.*, '5min')");
        check("aliasByNodes", "aliasByNode(shop.checkout.*, 1)");
        check("f", "sumSeries(shop.checkout.*)");
        check("rate_of_change_by_minute", "sumSeries(shop.checkout.*)");
        check(&"x".repeat(100_000), "sumSeries(shop.checkout.*)");
    }
}
