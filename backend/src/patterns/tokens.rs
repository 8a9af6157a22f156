//! A template as a row of words, blanks and marks, as the grouping compares them. Not for masking: that sees the
//! message, this its template.

use super::HOLE;
use super::id::hash;

/// What a token is worth when templates are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A blank or one of the marks that structure a message. Never varies.
    Mark,
    /// A variable part.
    Hole,
    /// A word of letters, perhaps with the end of a sentence behind it.
    Plain,
    /// Something with a dot, a slash, an `@` or a hole in it: rather the name of a thing than a part of a sentence.
    Name,
    /// Anything else, such as `snake_case` or `--`.
    Other,
}

/// A piece of a template.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    /// Stands for the text in comparisons; depends on nothing else.
    pub(super) hash: u64,
    pub(super) kind: Kind,
    pub(super) text: &'a str,
}

impl Token<'_> {
    /// The token of a variable part.
    pub(super) fn hole() -> Token<'static> {
        Token::new(HOLE)
    }
}

impl<'a> Token<'a> {
    fn new(text: &'a str) -> Self {
        Self { hash: hash(0, text.as_bytes()), kind: kind(text), text }
    }
}

fn is_mark(byte: u8) -> bool {
    b" =,:;()[]{}\"'|<>".contains(&byte)
}

fn kind(text: &str) -> Kind {
    let bytes = text.as_bytes();
    let word = text.strip_suffix(['.', '!', '?', '*']).unwrap_or(text);
    if text == HOLE {
        Kind::Hole
    } else if bytes.len() == 1 && is_mark(bytes[0]) {
        Kind::Mark
    } else if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii()) {
        Kind::Plain
    } else if text.contains(HOLE)
        || text.trim_end_matches(['.', '!', '?', '*']).contains(['.', '/', '\\', '@'])
    {
        Kind::Name
    } else {
        Kind::Other
    }
}

/// The tokens of a template. A list of holes counts as one hole: how long a list is does not make another message. Nothing
/// between brackets or quotes is a value that is empty, and a hole as well.
pub(super) fn tokens(template: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::with_capacity(template.len() / 4);
    let mut rest = template;
    while !rest.is_empty() {
        let (token, others) = rest.split_at(token_length(rest.as_bytes()));
        if ["()", "[]", "{}"].iter().any(|empty| rest.starts_with(empty)) {
            tokens.push(Token::new(token));
            push(&mut tokens, Token::hole());
        } else {
            push(&mut tokens, Token::new(token));
        }
        rest = others;
    }
    tokens
}

/// Up to the next mark; a dotted name keeps the port or line behind its colon.
fn token_length(rest: &[u8]) -> usize {
    let mut length = 0;
    while let Some(&byte) = rest.get(length) {
        if rest[length..].starts_with(HOLE.as_bytes()) {
            length += HOLE.len();
        } else if is_mark(byte) && !is_before_port(rest, length) {
            return length.max(1);
        } else {
            length += 1;
        }
    }
    length
}

fn is_before_port(rest: &[u8], at: usize) -> bool {
    let behind = rest[at..].strip_prefix(b":").is_some_and(|behind| behind.starts_with(HOLE.as_bytes()));
    behind && rest[..at].contains(&b'.')
}

/// Adds a token, except the second hole of a list.
pub(super) fn push<'a>(tokens: &mut Vec<Token<'a>>, token: Token<'a>) {
    if token.kind == Kind::Hole {
        let separators =
            tokens.iter().rev().take_while(|token| matches!(token.text, " " | "," | ";" | ":")).count();
        let before = tokens.len() - separators;
        if before > 0 && tokens[before - 1].kind == Kind::Hole {
            tokens.truncate(before);
            return;
        }
    }
    tokens.push(token);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str, expected: &[&str]) {
        let texts: Vec<_> = tokens(template).iter().map(|token| token.text).collect();
        assert_eq!(texts, expected, "{template}");
    }

    fn check_kind(text: &str, expected: Kind) {
        let [token] = tokens(text)[..] else { panic!("{text} is not one token") };
        assert_eq!(token.kind, expected, "{text}");
    }

    #[test]
    fn words_are_parted_by_blanks_and_marks() {
        check("a b=c", &["a", " ", "b", "=", "c"]);
        check("f(x, 'y')", &["f", "(", "x", ",", " ", "'", "y", "'", ")"]);
        check("blk_<*> at <*>ms", &["blk_<*>", " ", "at", " ", "<*>ms"]);
        check("<<*>>", &["<", "<*>", ">"]);
    }

    #[test]
    fn a_list_of_holes_is_one_hole() {
        check("at <*>, <*> <*>; <*>.", &["at", " ", "<*>", ";", " ", "<*>."]);
        check("<*> of <*>", &["<*>", " ", "of", " ", "<*>"]);
    }

    #[test]
    fn nothing_between_brackets_is_a_hole() {
        check("from a () at", &["from", " ", "a", " ", "(", "<*>", ")", " ", "at"]);
    }

    #[test]
    fn a_port_belongs_to_its_name() {
        check("to db.example:<*> ok", &["to", " ", "db.example:<*>", " ", "ok"]);
        check("size:<*> ok", &["size", ":", "<*>", " ", "ok"]);
    }

    #[test]
    fn kinds_tell_names_from_words() {
        check_kind("done.", Kind::Plain);
        check_kind("größe", Kind::Plain);
        check_kind("<*>", Kind::Hole);
        check_kind("=", Kind::Mark);
        check_kind("app.Main", Kind::Name);
        check_kind("shard-<*>", Kind::Name);
        check_kind("snake_case", Kind::Other);
        check_kind("...", Kind::Other);
    }
}
