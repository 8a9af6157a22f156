//! Where in a text what is looked for stands.

use crate::lines::Find;
use js_sys::{Array, Function, JsString, Reflect, RegExp};
use wasm_bindgen::JsCast;

/// The most marks in one text.
const MOST_MARKS: usize = 50;

/// The text in pieces, by turns without and with a mark.
pub(super) fn pieces(text: &str, find: &Find) -> Vec<String> {
    if find.is_regex { by_expression(text, &find.text) } else { by_text(text, &find.text) }
}

fn by_text(text: &str, wanted: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while pieces.len() < 2 * MOST_MARKS
        && let Some((before, after)) = rest.split_once(wanted)
    {
        pieces.extend([before.to_owned(), wanted.to_owned()]);
        rest = after;
    }
    pieces.push(rest.to_owned());
    pieces
}

/// The browser's expressions are close to the server's; what it cannot read is marked nowhere.
fn by_expression(text: &str, expression: &str) -> Vec<String> {
    let (expression, flags) = match expression.strip_prefix("(?i)") {
        Some(rest) => (rest, "giu"),
        None => (expression, "gu"),
    };
    let Some(regex) = read(expression, flags) else { return vec![text.to_owned()] };
    let units = JsString::from(text);
    let (mut pieces, mut end) = (Vec::new(), 0);
    while pieces.len() < 2 * MOST_MARKS
        && let Some(found) = regex.exec(text)
    {
        let (matched, until) = (found.get(0), regex.last_index());
        if matched.length() == 0 {
            regex.set_last_index(until + 1);
            continue;
        }
        let start = until - matched.length();
        pieces.extend([String::from(units.slice(end, start)), String::from(matched)]);
        end = until;
    }
    pieces.push(String::from(units.slice(end, units.length())));
    pieces
}

fn read(expression: &str, flags: &str) -> Option<RegExp> {
    let constructor: Function = Reflect::get(&js_sys::global(), &"RegExp".into()).ok()?.dyn_into().ok()?;
    let built = Reflect::construct(&constructor, &Array::of2(&expression.into(), &flags.into()));
    built.ok()?.dyn_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_match_of_a_text_is_a_piece() {
        let check = |text: &str, wanted: &str, expected: &[&str]| assert_eq!(by_text(text, wanted), expected);
        check("a slow b slow", "slow", &["a ", "slow", " b ", "slow", ""]);
        check("nothing", "x", &["nothing"]);
        assert_eq!(by_text(&"x".repeat(500), "x").len(), 2 * MOST_MARKS + 1);
    }
}
