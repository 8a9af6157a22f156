//! What is looked for in lines, so that it is marked where it stands.

/// A text, or an expression.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Find {
    /// The text; nothing is looked for where it is empty.
    pub text: String,
    /// Whether it is a regular expression.
    pub is_regex: bool,
}
