//! Masking the messages of stored lines, which are raw JSON values, one after the other in buffers of its own.

use super::{Masked, mask, mask_json};

/// Masks messages as they stand in lines.
#[derive(Debug, Default)]
pub struct Masker {
    masked: Masked,
}

impl Masker {
    /// A pattern's number, the same on every day and machine. `message` is a raw JSON value.
    pub fn id(&mut self, message: &str) -> u64 {
        self.mask(message).id().0
    }

    /// The pattern of a raw JSON value.
    pub fn template(&mut self, message: &str) -> &str {
        self.mask(message).text_of_template()
    }

    /// What masking found in a raw JSON value: of a string its text counts, of anything else how it is written.
    pub fn mask(&mut self, message: &str) -> &Masked {
        match message.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            Some(body) => mask_json(body.as_bytes(), &mut self.masked),
            None => mask(message.as_bytes(), &mut self.masked),
        }
        &self.masked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, expected: &str) {
        let mut masker = Masker::default();
        assert_eq!(masker.template(message), expected, "{message}");
        assert_eq!(masker.id(message), super::super::pattern_id(expected.as_bytes()).0, "{message}");
    }

    #[test]
    fn any_json_value_has_a_pattern() {
        check(r#""took 5 ms""#, "took <*> ms");
        check(r#""say \"hi\" to \u0041""#, r#"say "<*>" to A"#);
        check("null", "null");
        check("-1.5e3", "<*>");
        check(r#"{"took": 5}"#, r#"{"took": <*>}"#);
        check("", "");
    }

    #[test]
    fn a_character_is_never_cut_in_two() {
        for blanks in 0..4 {
            let message = format!("\"{}{}\"", "x".repeat(blanks), "東".repeat(3000));
            assert!(Masker::default().template(&message).ends_with('東'));
        }
    }
}
