//! Expressions that choose tagged series: `tag=value`, `tag!=value`, `tag=~regex`, `tag!=~regex`.
//!
//! As graphite-web reads them (`tags/base.py`, `tags/localdatabase.py`): a regular expression begins with the value, and an
//! expression that an empty value fits takes series without the tag too; so one of several at least must not.

use crate::functions::python_regex;
use crate::store::metrics::TagMatch;

/// So many expressions may stand in one question.
const MAX_EXPRESSIONS: usize = 64;

/// Why expressions choose no series.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// It is no expression.
    #[error("`{0}` is no tag expression; write tag=value, tag!=value, tag=~regex or tag!=~regex")]
    Expression(String),
    /// Its regular expression is none.
    #[error("{0}")]
    Regex(String),
    /// All of them take series without tags.
    #[error(
        "each of the tag expressions takes series without its tag too; one at least must need a value, as name=cpu.load or dc!="
    )]
    NoneNeeded,
    /// There are none, or too many.
    #[error("from 1 to {MAX_EXPRESSIONS} tag expressions are needed, not {0}")]
    Count(usize),
}

/// Reads expressions that choose series together.
pub fn parse_all<'a>(expressions: impl IntoIterator<Item = &'a str>) -> Result<Vec<TagMatch>, TagError> {
    let matches = expressions.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    if !(1..=MAX_EXPRESSIONS).contains(&matches.len()) {
        return Err(TagError::Count(matches.len()));
    }
    if matches.iter().all(TagMatch::takes_none) {
        return Err(TagError::NoneNeeded);
    }
    Ok(matches)
}

/// A test of what graphite-web's filters of tags and values begin with: an expression that is tied to the beginning.
pub fn parse_filter(text: &str) -> Result<impl Fn(&str) -> bool + use<>, TagError> {
    let regex = python_regex(&anchored(text)).map_err(TagError::Regex)?;
    Ok(move |value: &str| regex.is_match(value))
}

fn parse(text: &str) -> Result<TagMatch, TagError> {
    let wrong = || TagError::Expression(text.chars().take(200).collect());
    let tag_len = text.find(['!', '=', ';']).filter(|len| *len > 0).ok_or_else(wrong)?;
    let (tag, rest) = text.split_at(tag_len);
    let (is_not, rest) = rest.strip_prefix('!').map_or((false, rest), |rest| (true, rest));
    let rest = rest.strip_prefix('=').filter(|rest| !rest.contains(';')).ok_or_else(wrong)?;
    let Some(regex) = rest.strip_prefix('~') else { return Ok(plain(tag, is_not, rest)) };
    let mut compiled = python_regex(&anchored(regex)).map_err(TagError::Regex)?;
    if begins(regex, "")? != is_not {
        // It is put to all series by graphite-web itself, which looks at the beginning alone whatever it says.
        compiled = python_regex(&format!("^(?:{})", anchored(regex))).map_err(TagError::Regex)?;
    }
    Ok(TagMatch::of(tag, move |value| compiled.is_match(value) != is_not))
}

/// An expression that is tied to the beginning, unless it says so itself.
fn anchored(regex: &str) -> String {
    if regex.starts_with('^') { regex.to_owned() } else { format!("^({regex})") }
}

fn begins(regex: &str, value: &str) -> Result<bool, TagError> {
    let compiled = python_regex(&format!("^(?:{})", anchored(regex))).map_err(TagError::Regex)?;
    Ok(compiled.is_match(value))
}

fn plain(tag: &str, is_not: bool, value: &str) -> TagMatch {
    if !is_not && !value.is_empty() {
        return TagMatch::only(tag, value);
    }
    let value = value.to_owned();
    TagMatch::of(tag, move |other| (other == value) != is_not)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_that_are_none_are_told() {
        let check = |texts: &[&str], expected: &str| {
            let error = parse_all(texts.iter().copied()).unwrap_err().to_string();
            assert!(error.contains(expected), "{texts:?}: {error}");
        };
        for text in ["", "a", "=b", "!=b", "a;b=c", "a=b;c", "a!b", "a~b", "a!~b"] {
            check(&[text], "is no tag expression");
        }
        check(&["a=~("], "no regular expression");
        check(&["a!=b"], "one at least must need a value");
        check(&["a=", "b=~.*", "c!=~x", "d!=~.+"], "one at least must need a value");
        check(&[], "from 1 to 64");
        check(&["a=b"; 65], "from 1 to 64");
    }

    #[test]
    fn expressions_take_what_graphite_web_takes() {
        let check = |text: &str, takes: &[&str], leaves: &[&str]| {
            let one = parse(text).unwrap();
            assert_eq!(one.tag(), "a");
            for value in takes {
                assert!(one.takes(value), "{text} takes `{value}`");
            }
            for value in leaves {
                assert!(!one.takes(value), "{text} leaves `{value}`");
            }
        };
        check("a=b", &["b"], &["", "bb", "B"]);
        check("a==b", &["=b"], &["b"]);
        check("a=", &[""], &["b"]);
        check("a!=b", &["", "c"], &["b"]);
        check("a!=", &["b"], &[""]);
        check("a=~b", &["b", "bc"], &["", "ab"]);
        check("a=~b|c", &["bx", "cx"], &["xc"]);
        check("a=~^b|c", &["bx", "xc"], &["xb", ""]);
        check("a=~^b$", &["b"], &["bc"]);
        check("a=~b*", &["", "b", "c"], &[]);
        check("a!=~b", &["", "c", "ab"], &["b", "bc"]);
        check("a!=~", &[], &["", "b"]);
        check("a!=~b*$", &["c", "bc"], &["", "b"]);
    }
}
