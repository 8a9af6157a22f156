//! Graphite's globs over dotted paths: `*`, `?`, `[a-z]`, `[!a-z]` and `{a,b}`, never across a dot.
//!
//! Matching walks pattern and text with one point of return for the last `*`, so no pattern costs more than
//! pattern length × text length. Braces are expanded when the pattern is read, at most [`MAX_ALTERNATIVES`] of them.

/// The most alternatives that the braces of one node may expand to.
pub const MAX_ALTERNATIVES: usize = 1_024;
/// The longest pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 4_096;

/// A pattern over dotted paths, one entry a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    text: String,
    nodes: Vec<Node>,
}

/// One node of a pattern: any of its alternatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    alternatives: Vec<Vec<Token>>,
    literal: Option<String>,
    prefixes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    AnyChar,
    AnyText,
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Glob {
    /// Reads a pattern; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err("it is longer than 4096 bytes");
        }
        let nodes = split_nodes(text)?.into_iter().map(Node::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), nodes })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The pattern's nodes, first to last.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Whether the pattern has no wildcard, and so names one path.
    pub fn is_literal(&self) -> bool {
        self.nodes.iter().all(|node| node.literal.is_some())
    }

    /// Whether the whole path matches, node for node.
    pub fn matches(&self, path: &str) -> bool {
        self.matches_prefix(path) && path.split('.').count() == self.nodes.len()
    }

    /// Whether the path or one of its ancestors matches.
    pub fn matches_prefix(&self, path: &str) -> bool {
        let mut parts = path.split('.');
        self.nodes.iter().all(|node| parts.next().is_some_and(|part| node.matches(part)))
    }
}

impl Node {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("it has an empty node");
        }
        if !text.contains(['*', '?', '[', '{', '}']) {
            let literal = Some(text.to_owned());
            return Ok(Self { alternatives: Vec::new(), literal, prefixes: vec![text.to_owned()] });
        }
        let alternatives =
            expand_braces(text)?.iter().map(|plain| tokens(plain)).collect::<Result<Vec<_>, _>>()?;
        let prefixes = prefixes(&alternatives);
        Ok(Self { alternatives, literal: None, prefixes })
    }

    /// The one text that matches, where there is no wildcard.
    pub fn literal(&self) -> Option<&str> {
        self.literal.as_deref()
    }

    /// What a node that matches begins with: one of these, which rise and of which none begins with another.
    pub fn prefixes(&self) -> &[String] {
        &self.prefixes
    }

    /// Whether one node of a path matches.
    pub fn matches(&self, part: &str) -> bool {
        match &self.literal {
            Some(literal) => literal == part,
            None => self.alternatives.iter().any(|tokens| matches_tokens(tokens, part)),
        }
    }
}

/// The characters before the first wildcard of each alternative, as far as no other's say as much.
fn prefixes(alternatives: &[Vec<Token>]) -> Vec<String> {
    let plain = |token: &Token| if let Token::Char(c) = token { Some(*c) } else { None };
    let mut prefixes: Vec<String> =
        alternatives.iter().map(|tokens| tokens.iter().map_while(plain).collect()).collect();
    prefixes.sort_unstable();
    // What begins with another stands behind it, with nothing between them that does not.
    prefixes.dedup_by(|longer, shorter| longer.starts_with(shorter.as_str()));
    prefixes
}

/// Splits at the dots outside brackets and braces.
fn split_nodes(text: &str) -> Result<Vec<&str>, &'static str> {
    let mut nodes = Vec::new();
    let (mut start, mut braces, mut in_class) = (0, 0_usize, false);
    for (at, c) in text.char_indices() {
        match c {
            '[' => in_class = true,
            ']' => in_class = false,
            '{' => braces += 1,
            '}' => braces = braces.checked_sub(1).ok_or("it closes a brace that was never opened")?,
            '.' if braces == 0 && !in_class => {
                nodes.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if braces > 0 || in_class {
        return Err("a bracket or brace is not closed");
    }
    nodes.push(&text[start..]);
    Ok(nodes)
}

/// All texts that `a{b,c}d` stands for; nested braces are opened from the inside.
fn expand_braces(text: &str) -> Result<Vec<String>, &'static str> {
    let mut done = Vec::new();
    let mut open = vec![text.to_owned()];
    while let Some(next) = open.pop() {
        let Some(end) = next.find('}') else {
            done.push(next);
            continue;
        };
        let start = next[..end].rfind('{').ok_or("it closes a brace that was never opened")?;
        for choice in next[start + 1..end].split(',') {
            open.push(format!("{}{choice}{}", &next[..start], &next[end + 1..]));
        }
        if done.len() + open.len() > MAX_ALTERNATIVES {
            return Err("its braces stand for more than 1024 names");
        }
    }
    done.reverse();
    Ok(done)
}

fn tokens(text: &str) -> Result<Vec<Token>, &'static str> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' => Token::AnyText,
            '?' => Token::AnyChar,
            '[' => class(&mut chars)?,
            _ => Token::Char(c),
        });
    }
    Ok(out)
}

fn class(chars: &mut std::str::Chars<'_>) -> Result<Token, &'static str> {
    let body: String = chars.by_ref().take_while(|c| *c != ']').collect();
    let (negated, body) = match body.strip_prefix(['!', '^']) {
        Some(rest) => (true, rest),
        None => (false, body.as_str()),
    };
    let members: Vec<char> = body.chars().collect();
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < members.len() {
        if members.get(at + 1) == Some(&'-') && at + 2 < members.len() {
            ranges.push((members[at], members[at + 2]));
            at += 3;
        } else {
            ranges.push((members[at], members[at]));
            at += 1;
        }
    }
    if ranges.is_empty() { Err("a bracket holds nothing") } else { Ok(Token::Class { negated, ranges }) }
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::AnyChar | Self::AnyText => true,
            Self::Class { negated, ranges } => ranges.iter().any(|(a, b)| (*a..=*b).contains(&c)) != *negated,
        }
    }
}

fn matches_tokens(tokens: &[Token], text: &str) -> bool {
    let (mut token, mut rest) = (0, text);
    // Where to go on when a later character does not fit: after the last `*`, one character further.
    let mut retry: Option<(usize, &str)> = None;
    loop {
        if tokens.get(token) == Some(&Token::AnyText) {
            token += 1;
            retry = Some((token, rest));
            continue;
        }
        let next = rest.chars().next();
        match (tokens.get(token), next) {
            (None, None) => return true,
            (Some(wanted), Some(c)) if wanted.takes(c) => {
                token += 1;
                rest = &rest[c.len_utf8()..];
                continue;
            }
            _ => {}
        }
        let Some((after_star, from)) = retry else { return false };
        let Some(skipped) = from.chars().next() else { return false };
        rest = &from[skipped.len_utf8()..];
        token = after_star;
        retry = Some((after_star, rest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, path: &str, expected: bool) {
        assert_eq!(Glob::parse(pattern).unwrap().matches(path), expected, "{pattern} {path}");
    }

    #[test]
    fn stars_stay_inside_a_node() {
        check("a.*.c", "a.b.c", true);
        check("a.*.c", "a.b.b.c", false);
        check("a.*", "a.b.c", false);
        check("*", "a", true);
        check("n*e*1", "node1", true);
        check("n*e*1", "node2", false);
        check("é?", "éß", true);
    }

    #[test]
    fn braces_and_brackets() {
        check("a.{b,c*}.d", "a.cx.d", true);
        check("a.{b,c*}.d", "a.x.d", false);
        check("{a,b{c,d}}", "bd", true);
        check("{a.b,c}", "c", true);
        check("node[1-3]", "node2", true);
        check("node[!1-3]", "node2", false);
        check("node[13x]", "nodex", true);
    }

    #[test]
    fn what_a_match_begins_with_is_told() {
        let check = |node: &str, expected: &[&str]| {
            assert_eq!(Glob::parse(node).unwrap().nodes()[0].prefixes(), expected, "{node}");
        };
        check("web", &["web"]);
        check("web*", &["web"]);
        check("web0{1,2x,1y}[0-9]", &["web01", "web02x"]);
        check("{b,a*,ab,b?}", &["a", "b"]);
        check("{a,*}", &[""]);
    }

    #[test]
    fn hostile_patterns_are_cheap_or_refused() {
        assert!(Glob::parse(&"{a,b}".repeat(40)).is_err());
        check(&"*a".repeat(200), &"a".repeat(5_000), true);
        check(&format!("{}b", "*a".repeat(200)), &"a".repeat(5_000), false);
    }
}
