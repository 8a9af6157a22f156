//! What is wrong with a target as it is written, before any series is asked for: it does not parse, or it calls a function that
//! there is not. Whether arguments are what a function takes is known once it is evaluated.

use super::FunctionError;
use super::parse::{Call, Expression, parse};
use super::registry::find;

/// A mistake in a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong, for people.
    pub why: String,
    /// Where, in characters from the start.
    pub at: usize,
}

/// The first mistake in a target.
pub fn mistake_in(target: &str) -> Option<Mistake> {
    let error = match parse(target) {
        Ok(expression) => unknown_function(&expression)?,
        Err(error) => error,
    };
    Some(match error {
        FunctionError::Syntax { at, why, .. } => Mistake { why: format!("expected {why}"), at },
        FunctionError::Unknown(name) => {
            let at = call_of(target, &name);
            Mistake { why: FunctionError::Unknown(name).to_string(), at }
        }
        other => Mistake { why: other.to_string(), at: 0 },
    })
}

/// The first function that is called in an expression and is none.
pub fn unknown_function(expression: &Expression) -> Option<FunctionError> {
    match expression {
        Expression::Call(call) => unknown_in(call),
        Expression::Template(inner, _) => unknown_function(inner),
        _ => None,
    }
}

fn unknown_in(call: &Call) -> Option<FunctionError> {
    if find(&call.name).is_none() {
        return Some(FunctionError::Unknown(call.name.clone()));
    }
    let named = call.named.iter().map(|(_, value)| value);
    call.arguments.iter().chain(named).find_map(unknown_function)
}

/// Where a function of this name is called first, in characters.
fn call_of(target: &str, name: &str) -> usize {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_call = |at: &usize| {
        let behind = target[at + name.len()..].trim_start();
        behind.starts_with('(') && !target[..*at].ends_with(is_inside)
    };
    let at = target.match_indices(name).map(|(at, _)| at).find(is_call).unwrap_or(0);
    target[..at].chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_with_its_place() {
        let check = |target: &str, expected: Option<(usize, &str)>| {
            let found = mistake_in(target);
            assert_eq!(found.as_ref().map(|found| (found.at, found.why.as_str())), expected, "{target}");
        };
        check("a.*.{b,c}", None);
        check("alias(movingAverage(a.b, 5), 'nope(x)')", None);
        check("template(scale(a.$x, 2), x='b')", None);
        check("sumSeries(a.b", Some((13, "expected `,` or `)`")));
        check(
            "alias(é.b | movingAvrage(5), 'x')",
            Some((12, "there is no function `movingAvrage`; did you mean `movingAverage`?")),
        );
        check("wholly_unlike(a)", Some((0, "there is no function `wholly_unlike`")));
        check(
            "sumSeries(a, xumSeries = 1, sum(b))",
            Some((28, "expected a named argument, as the ones before")),
        );
        check("divideSeries(a, dividend=nope(b))", Some((25, "there is no function `nope`")));
        check("template(nope(a), 1)", Some((9, "there is no function `nope`")));
    }
}
