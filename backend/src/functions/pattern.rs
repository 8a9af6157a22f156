//! Regular expressions and what stands in their matches' place, as Python's `re` reads them.
//!
//! Matching is by the `regex` crate, in linear time: what it lacks, to look ahead or back and to match a group again, is
//! refused. Its own notations which Python does not have are escaped.

use super::FunctionError;
use super::call::Call;
use super::nodes::built;
use regex::{Regex, RegexBuilder};

/// A compiled expression may be so large, in bytes.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// A regular expression of a call.
pub(super) struct Pattern<'a> {
    call: &'a Call<'a>,
    regex: Regex,
}

/// What a match is replaced by: texts and groups.
pub(super) struct Replacement(Vec<Piece>);

enum Piece {
    Char(char),
    Group(usize),
}

impl<'a> Pattern<'a> {
    /// The one that an argument gives.
    pub(super) fn of(call: &'a Call<'a>, at: usize) -> Result<Self, FunctionError> {
        let text = call.needed_text(at)?;
        let regex = python_regex(&text).map_err(|why| call.wrong(why))?;
        Ok(Self { call, regex })
    }

    /// Whether it is anywhere in a text.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// What an argument gives for the place of matches.
    pub(super) fn replacement(&self, at: usize) -> Result<Replacement, FunctionError> {
        let text = self.call.needed_text(at)?;
        let wrong = |why: &str| self.call.wrong(format!("`{text}` cannot stand for a match: {why}"));
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            if c != '\\' {
                pieces.push(Piece::Char(c));
                continue;
            }
            let (mut escaped, behind) =
                self.escaped(rest).ok_or_else(|| wrong("what stands behind a backslash has no meaning"))?;
            if escaped.iter().any(|piece| matches!(piece, Piece::Group(n) if *n >= self.regex.captures_len()))
            {
                return Err(wrong("the expression has fewer groups"));
            }
            pieces.append(&mut escaped);
            rest = behind;
        }
        Ok(Replacement(pieces))
    }

    /// What the text behind a backslash stands for, and what is left of it.
    fn escaped<'t>(&self, text: &'t str) -> Option<(Vec<Piece>, &'t str)> {
        let c = text.chars().next()?;
        let rest = &text[c.len_utf8()..];
        if let Some(named) = text.strip_prefix("g<") {
            let (name, rest) = named.split_once('>')?;
            let by_name = || self.regex.capture_names().position(|other| other == Some(name));
            return Some((vec![Piece::Group(name.parse().ok().or_else(by_name)?)], rest));
        }
        if c.is_ascii_digit() {
            let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
            let digits = if c == '0' { 1 } else { digits };
            let piece = if c == '0' { Piece::Char('\0') } else { Piece::Group(text[..digits].parse().ok()?) };
            return Some((vec![piece], &text[digits..]));
        }
        let one = |c| Some((vec![Piece::Char(c)], rest));
        match c {
            'a' => one('\x07'),
            'b' => one('\x08'),
            'f' => one('\x0c'),
            'n' => one('\n'),
            'r' => one('\r'),
            't' => one('\t'),
            'v' => one('\x0b'),
            '\\' => one('\\'),
            c if c.is_ascii_alphabetic() => None,
            c => Some((vec![Piece::Char('\\'), Piece::Char(c)], rest)),
        }
    }

    /// A text with all matches replaced. An empty match right behind another one is one too, as in Python since 3.7.
    pub(super) fn replace(&self, text: &str, replacement: &Replacement) -> Result<String, FunctionError> {
        let (mut out, mut copied, mut from) = (String::new(), 0, 0);
        while from <= text.len() {
            let Some(groups) = self.regex.captures_at(text, from) else { break };
            let Some(whole) = groups.get(0) else { break };
            out.push_str(&text[copied..whole.start()]);
            for piece in &replacement.0 {
                match piece {
                    Piece::Char(c) => out.push(*c),
                    Piece::Group(n) => out.push_str(groups.get(*n).map_or("", |group| group.as_str())),
                }
            }
            out = built(self.call, out)?;
            copied = whole.end();
            let next = text[copied..].chars().next().map_or(1, char::len_utf8);
            from = if whole.is_empty() { copied + next } else { copied };
        }
        out.push_str(&text[copied..]);
        built(self.call, out)
    }
}

/// A regular expression as Python writes it; else why it is none.
pub fn python_regex(text: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(&for_crate(text)).size_limit(MAX_COMPILED_BYTES).build();
    built.map_err(|error| {
        let error = error.to_string();
        let last = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("`{text}` is no regular expression that is understood: {last}")
    })
}

/// An expression in the crate's notation. Python has no classes in classes, no operators on them, and other escapes.
fn for_crate(text: &str) -> String {
    let (mut out, mut is_in_class) = (String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, is_in_class) {
            ('\\', _) => match chars.next() {
                Some('Z') if !is_in_class => out.push_str("\\z"),
                Some(c @ ('<' | '>')) => out.push(c),
                next => out.extend(std::iter::once('\\').chain(next)),
            },
            ('[', false) => {
                is_in_class = true;
                out.push('[');
                out.extend(chars.next_if_eq(&'^'));
                // The first `]` is one of the class.
                if chars.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            (']', true) => {
                is_in_class = false;
                out.push(']');
            }
            ('[' | '&' | '~', true) => out.extend(['\\', c]),
            ('{', false) if !chars.peek().is_some_and(|next| next.is_ascii_digit() || *next == ',') => {
                out.push_str("\\{");
            }
            _ => out.push(c),
        }
    }
    out
}
