//! A message, its template and its variable parts. The buffers are used again for the next message, so that masking
//! allocates nothing once they have grown.

use super::bytes::{SPACE, is};
use super::id::{PatternId, pattern_id};
use super::json;
use super::scan::Scanner;
use std::borrow::Cow;
use std::ops::Range;

/// No more of a message is looked at, in bytes. The template ends long before: see [`LONGEST_TEMPLATE`].
const LONGEST_TEXT: usize = 4096;

/// A template ends with the word that reaches this length, in bytes. It is the template that is measured, not the
/// message: otherwise long values would push different words out of the same message.
pub(super) const LONGEST_TEMPLATE: usize = 1024;

/// What masking found in a message. One can serve all messages of a thread, one after the other.
#[derive(Debug, Clone, Default)]
pub struct Masked {
    pub(super) template: Vec<u8>,
    /// Where the variable parts are, in the message's text.
    pub(super) slots: Vec<Range<u32>>,
    unescaped: Vec<u8>,
    is_unescaped: bool,
}

/// Masks a message: UTF-8 text of which the first line that is not blank counts. Other bytes do no harm.
pub fn mask(message: &[u8], out: &mut Masked) {
    out.is_unescaped = false;
    out.scan(message);
}

/// Masks a message that is the inside of a JSON string, escaped as it came. The pattern is that of the text it stands
/// for, however it was escaped.
pub fn mask_json(body: &[u8], out: &mut Masked) {
    out.is_unescaped = false;
    if memchr::memchr(b'\\', body).is_none() {
        return out.scan(body);
    }
    let mut text = std::mem::take(&mut out.unescaped);
    json::unescape(body, LONGEST_TEXT + 4, &mut text);
    out.scan(&text);
    out.unescaped = text;
    out.is_unescaped = true;
}

impl Masked {
    fn scan(&mut self, message: &[u8]) {
        self.template.clear();
        self.slots.clear();
        let counted = counted_part(message);
        Scanner::new(&message[..counted.end], counted.start, self).run();
    }

    /// The pattern's id: a hash of the mask's version and the template.
    #[must_use]
    pub fn id(&self) -> PatternId {
        pattern_id(&self.template)
    }

    /// The message with `<*>` for each variable part and one blank for each run of white space.
    #[must_use]
    pub fn template(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.template)
    }

    /// The template of a message that was UTF-8.
    pub(super) fn text_of_template(&self) -> &str {
        let valid = self.template.utf8_chunks().next();
        valid.map_or("", |chunk| chunk.valid())
    }

    /// The text that the ranges of [`Masked::variables`] mean: the message that was masked, or what a JSON string with escapes
    /// in it stands for.
    #[must_use]
    pub fn text<'a>(&'a self, message: &'a [u8]) -> &'a [u8] {
        if self.is_unescaped { &self.unescaped } else { message }
    }

    /// The variable parts: which `<*>` of the template, counted from 0, and the bytes of the text that it stands for.
    pub fn variables(&self) -> impl Iterator<Item = (usize, Range<usize>)> {
        self.slots.iter().map(|slot| slot.start as usize..slot.end as usize).enumerate()
    }
}

/// The first line that is not blank, without white space around it.
fn counted_part(message: &[u8]) -> Range<usize> {
    let start = message.iter().take_while(|&&byte| is(byte, SPACE)).count();
    let mut longest = message.len().min(start + LONGEST_TEXT);
    while message.get(longest).is_some_and(|byte| byte & 0xc0 == 0x80) && longest > start {
        longest -= 1;
    }
    let line = &message[start..longest];
    let line = memchr::memchr2(b'\n', b'\r', line).map_or(line, |end| &line[..end]);
    let blank = line.iter().rev().take_while(|&&byte| is(byte, SPACE)).count();
    start..start + line.len() - blank
}

#[cfg(test)]
mod tests {
    use super::super::HOLE;
    use super::*;
    use proptest::prelude::*;

    fn masked(message: &[u8]) -> Masked {
        let mut masked = Masked::default();
        mask(message, &mut masked);
        masked
    }

    fn values<'a>(masked: &'a Masked, message: &'a [u8]) -> Vec<&'a [u8]> {
        let text = masked.text(message);
        masked.variables().map(|(_, range)| &text[range]).collect()
    }

    /// A pattern's id lies in files. Where one of these must change, [`MASK_VERSION`](super::super::MASK_VERSION) goes up.
    #[test]
    fn ids_never_change() {
        for (message, template, id) in [
            ("", "", "e176c656fa7ff6e3"),
            ("GET /a/b took 12 ms", "GET <*> took <*> ms", "030232ce39646f66"),
            ("user 'ann' from 192.0.2.1:22", "user '<*>' from <*>", "27d3d21036573483"),
            ("Mar  3 07:00:01 größe 1.5 MB", "<*> größe <*>", "03a2921e2a5be78c"),
        ] {
            let masked = masked(message.as_bytes());
            assert_eq!(
                (masked.template().as_ref(), masked.id().to_string().as_str()),
                (template, id),
                "{message}"
            );
        }
    }

    #[test]
    fn variables_are_the_values_in_their_order() {
        let message = b" GET /a/b took 12 ms at 10.0.0.1:80";
        let found = masked(message);
        assert_eq!(values(&found, message), [b"/a/b".as_slice(), b"12", b"10.0.0.1:80"]);
        assert_eq!(found.variables().map(|(slot, _)| slot).collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn a_json_string_is_masked_as_the_text_it_stands_for() {
        let body = br#"say \"b\u006fb\" \/a\/b 1\nmore"#;
        let mut found = Masked::default();
        mask_json(body, &mut found);
        assert_eq!(found.template(), "say \"<*>\" <*> <*>");
        assert_eq!(values(&found, body), [b"bob".as_slice(), b"/a/b", b"1"]);
        assert_eq!(found.id(), masked(b"say \"ann\" /c/d 2").id());
        mask_json(b"plain 1", &mut found);
        assert_eq!(values(&found, b"plain 1"), [b"1"]);
    }

    #[test]
    fn long_messages_are_cut_by_their_template() {
        let (word, long) = ("lorem ".repeat(1000), "9".repeat(1500));
        let one = masked(format!("a 1 {word}").as_bytes());
        assert_eq!(one.id(), masked(format!("a {long} {word}").as_bytes()).id());
        assert!((LONGEST_TEMPLATE..LONGEST_TEMPLATE + 10).contains(&one.template.len()));
        assert!(one.template().ends_with("lorem"));
        let many = masked("1 ".repeat(100_000).as_bytes());
        assert!(many.slots.len() <= LONGEST_TEMPLATE / 4 + 1);
    }

    /// Two values of one kind.
    fn alike() -> impl Strategy<Value = (String, String)> {
        let pair = |pattern: &str| {
            let value = || proptest::string::string_regex(pattern).expect("the patterns below are right");
            (value(), value())
        };
        prop_oneof![
            pair("[0-9]{1,12}"),
            pair("-?[0-9]{1,6}\\.[0-9]{1,6}"),
            pair("[a-z]{1,4}[0-9]{1,6}[a-z]{0,4}"),
            pair("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
            pair("[0-9a-f]{2}(:[0-9a-f]{2}){5}"),
            pair("[0-9]{1,3}(\\.[0-9]{1,3}){3}(:[0-9]{2,5})?"),
            pair("2001:db8:[0-9a-f]{1,4}::[0-9a-f]{1,4}"),
            pair("[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?Z?"),
            pair("(Jan|Feb|Mar) [ 1-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]"),
            pair("[0-9]{1,4}(\\.[0-9])? (B|KB|MiB|GB)"),
            pair("[0-9]{1,4}(ns|us|ms|s|m)"),
            pair("[a-z]{1,8}(\\.[a-z]{1,8})?@[a-z]{1,8}\\.(org|example|co\\.uk)"),
            pair("([a-z]{1,8}\\.){1,3}(com|net|internal)(:[0-9]{2,5})?"),
            pair("(/[a-z0-9_.-]{0,4}[a-z0-9]){2,5}(\\?[a-z]=[a-z0-9]{1,4})?"),
            pair("(/[a-z0-9_.-]{0,4}[a-z0-9]){2,5}"),
            pair("https://[a-z./-]{1,20}[a-z]"),
            pair("'[a-z./_-]{1,12}'"),
        ]
    }

    fn around() -> impl Strategy<Value = (String, String)> {
        let before = prop::sample::select(vec!["", "read ", "id=", "from (", "a, b: ", "[", "got \""]);
        let behind = prop::sample::select(vec!["", " ms", ") ok", ": failed", ", then", "]", "\" ", "."]);
        (before.prop_map(str::to_owned), behind.prop_map(str::to_owned))
    }

    proptest! {
        #[test]
        fn another_value_of_the_same_kind_keeps_the_id((one, other) in alike(), (before, behind) in around()) {
            let (one, other) = (format!("{before}{one}{behind}"), format!("{before}{other}{behind}"));
            let (one, other) = (masked(one.as_bytes()), masked(other.as_bytes()));
            prop_assert_eq!(one.template(), other.template());
            prop_assert_eq!(one.id(), other.id());
        }

        #[test]
        fn any_bytes_are_masked_the_same_each_time(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut again = masked(b"left from before: 1 2 3");
            mask(&bytes, &mut again);
            prop_assert_eq!(&again.template, &masked(&bytes).template);
            mask_json(&bytes, &mut again);
            check_slots(&again, &bytes);
        }

        #[test]
        fn each_variable_has_its_hole(message in "[a-f0-9<*> \"'/\\\\.:,@=%~{}_+-]{0,60}") {
            check_slots(&masked(message.as_bytes()), message.as_bytes());
        }
    }

    /// As many holes as variables, and in the same places: the text between is that of the template.
    fn check_slots(masked: &Masked, message: &[u8]) {
        let text = masked.text(message);
        let template = String::from_utf8_lossy(&masked.template).into_owned();
        assert_eq!(template.matches(HOLE).count(), masked.slots.len(), "{template}");
        let mut end = 0;
        for (piece, (_, range)) in template.split(HOLE).zip(masked.variables()) {
            assert!(end <= range.start && range.start < range.end, "{template}");
            let between = String::from_utf8_lossy(&text[end..range.start]).into_owned();
            let words = |text: &str| text.split_ascii_whitespace().collect::<String>().replace('\u{b}', "");
            assert!(end == 0 || words(&between) == words(piece), "{between:?} {piece:?}");
            end = range.end;
        }
    }
}
