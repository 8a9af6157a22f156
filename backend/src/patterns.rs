//! Patterns of messages: what is left when the variable parts are masked.

/// Masks messages, one after the other, in a buffer of its own.
#[derive(Debug, Default)]
pub struct Masker {
    masked: String,
}

impl Masker {
    /// A pattern's number, the same on every day and machine. `message` is a raw JSON value.
    pub fn id(&mut self, message: &str) -> u64 {
        crc32fast::hash(self.template(message).as_bytes()).into()
    }

    /// The pattern of a raw JSON value: each run of digits as one `<*>`.
    pub fn template(&mut self, message: &str) -> &str {
        self.masked.clear();
        let text = message.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(message);
        for char in text.chars().take(1_000) {
            if !char.is_ascii_digit() {
                self.masked.push(char);
            } else if !self.masked.ends_with("<*>") {
                self.masked.push_str("<*>");
            }
        }
        &self.masked
    }
}
