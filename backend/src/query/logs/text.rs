//! What a query asks of the text of lines: the only part of a filter for which text is read.

use super::field::FieldFilter;
use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};

/// What a compiled expression may take, in bytes.
const REGEX_BYTES: usize = 1 << 20;

/// Conditions on the stored text; all must hold, and with none every line matches.
#[derive(Clone, Debug, Default)]
pub struct TextFilter {
    /// What the line contains, byte for byte.
    pub contains: Option<Finder<'static>>,
    /// What some part of the line is like.
    pub regex: Option<Regex>,
    /// What its fields are.
    pub fields: Vec<FieldFilter>,
    /// What its fields are not.
    pub without: Vec<FieldFilter>,
}

impl TextFilter {
    /// Asks for lines that contain a text.
    pub fn containing(text: &str) -> Self {
        Self { contains: Some(Finder::new(text).into_owned()), ..Self::default() }
    }

    /// Whether nothing is asked, so that no text need be read.
    pub fn is_empty(&self) -> bool {
        self.contains.is_none() && self.regex.is_none() && self.fields.is_empty() && self.without.is_empty()
    }

    /// Whether a line, given without its line feed, matches. The cheapest condition is looked at first.
    pub fn matches(&self, line: &[u8]) -> bool {
        self.contains.as_ref().is_none_or(|needle| needle.find(line).is_some())
            && self.regex.as_ref().is_none_or(|regex| regex.is_match(line))
            && self.fields.iter().all(|field| field.matches(line))
            && !self.without.iter().any(|field| field.matches(line))
    }
}

/// Compiles an expression within bounds of memory; it is matched in time linear in the line.
pub fn read_regex(expression: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(expression).size_limit(REGEX_BYTES).dfa_size_limit(2 * REGEX_BYTES).build()
}
