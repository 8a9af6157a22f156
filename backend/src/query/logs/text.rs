//! What a query asks of the text of lines: the only part of a filter for which text is read.

use memchr::memmem::Finder;

/// Conditions on the stored text; all must hold, and with none every line matches.
#[derive(Clone, Debug, Default)]
pub struct TextFilter {
    /// What the line contains, byte for byte.
    pub contains: Option<Finder<'static>>,
}

impl TextFilter {
    /// Asks for lines that contain a text.
    pub fn containing(text: &str) -> Self {
        Self { contains: Some(Finder::new(text).into_owned()) }
    }

    /// Whether nothing is asked, so that no text need be read.
    pub fn is_empty(&self) -> bool {
        self.contains.is_none()
    }

    /// Whether a line, given without its line feed, matches.
    pub fn matches(&self, line: &[u8]) -> bool {
        self.contains.as_ref().is_none_or(|needle| needle.find(line).is_some())
    }
}
