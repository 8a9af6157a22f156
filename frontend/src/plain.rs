//! Texts of others as they are shown: what a terminal would obey is taken out or made visible. Pure.
//!
//! Colours and cursor moves (ANSI) go, where they are whole; other characters that nobody sees get a sign. Marks of writing
//! direction stay, for whole languages need them: each text is isolated, by the styles or by marks of its own where it stands in a
//! sentence, and has no mark that ends what isolates it, so that one cannot turn its neighbours round.

/// Isolates a text in the direction of its first letter, up to [`END`].
const ISOLATE: char = '\u{2068}';
/// Ends what was isolated last.
const END: char = '\u{2069}';

/// What follows the escape character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sequence {
    /// Nothing: this is text.
    None,
    /// The kind of sequence comes.
    Begun,
    /// Which letters there are, up to one character.
    Letters,
    /// Parameters, up to a letter.
    Control,
    /// Behind the parameters (ECMA-48, 5.4): no more of them, up to a letter.
    Between,
    /// A text for the terminal, up to a bell or the next escape.
    Command,
    /// The escape in it, which ends it with a backslash.
    Ending,
    /// It is whole.
    Whole,
}

/// The text without what a terminal would obey. A sequence that does not end is text: it would hide what follows.
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let (mut sequence, mut start) = (Sequence::None, 0);
    for char in text.chars() {
        if sequence == Sequence::Ending && char != '\\' {
            // What ends it is another sequence.
            (sequence, start) = (Sequence::Begun, shown.len() - visible('\u{1b}').len_utf8());
        }
        sequence = match (sequence, char) {
            (Sequence::Command, '\u{1b}') => Sequence::Ending,
            (_, '\u{1b}') => {
                start = shown.len();
                Sequence::Begun
            }
            (Sequence::Begun, '[') | (Sequence::Control, '0'..='?') => Sequence::Control,
            (Sequence::Control | Sequence::Between, ' '..='/') => Sequence::Between,
            (Sequence::Begun, ']' | 'P' | '_' | '^' | 'X') => Sequence::Command,
            (Sequence::Begun, '('..='/') => Sequence::Letters,
            (Sequence::Command, '\u{7}')
            | (Sequence::Ending, _)
            | (Sequence::Letters, '0'..='~')
            | (Sequence::Begun | Sequence::Control | Sequence::Between, '@'..='~') => Sequence::Whole,
            (Sequence::Command, char) if char >= ' ' => Sequence::Command,
            _ => Sequence::None,
        };
        shown.push(visible(char));
        if sequence == Sequence::Whole {
            shown.truncate(start);
        }
    }
    if shown.contains(opens_or_ends) { balanced(&shown) } else { shown }
}

/// The text for a place among others, in a sentence or a title.
pub fn isolated(text: &str) -> String {
    let mut shown = plain(text);
    if shown.contains(has_direction) {
        shown.insert(0, ISOLATE);
        shown.push(END);
    }
    shown
}

/// Names in a sentence, each by itself.
pub fn listed(names: &[String]) -> String {
    names.iter().map(|name| isolated(name)).collect::<Vec<_>>().join(", ")
}

fn opens_or_ends(char: char) -> bool {
    matches!(char, '\u{2066}'..=END)
}

/// Whether the character turns text round, or is of a text that is written from the right.
fn has_direction(char: char) -> bool {
    matches!(
        char,
        '\u{590}'..='\u{8ff}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..=END
            | '\u{fb1d}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefe}'
            | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}'
    )
}

/// The text with no mark that ends more than begins in it, and none that is open at the end of its line.
fn balanced(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut open = 0;
    for char in text.chars() {
        match char {
            END if open == 0 => continue,
            END => open -= 1,
            '\n' => close(&mut shown, &mut open),
            char if opens_or_ends(char) => open += 1,
            _ => (),
        }
        shown.push(char);
    }
    close(&mut shown, &mut open);
    shown
}

fn close(shown: &mut String, open: &mut usize) {
    shown.extend(std::iter::repeat_n(END, std::mem::take(open)));
}

/// The sign of a character that has none.
fn visible(char: char) -> char {
    match char {
        '\t' | '\n' => char,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(char)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' => char::REPLACEMENT_CHARACTER,
        char => char,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn colours_go_and_what_nobody_sees_has_a_sign() {
        let check = |text: &str, expected: &str| assert_eq!(plain(text), expected, "{text:?}");
        check("plain é 漢字 <b>", "plain é 漢字 <b>");
        check("\u{1b}[31mred\u{1b}[0m and \u{1b}[1;38;5;208morange\u{1b}[m.", "red and orange.");
        check("\u{1b}]0;own the title\u{7}after", "after");
        check("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link");
        check("a\0b\rc\u{7f}d\u{9b}e", "a␀b␍c␡d\u{fffd}e");
        check("two\nlines\tand a tab", "two\nlines\tand a tab");
        check("\u{1b}(B\u{1b}[mnormal", "normal");
        check("\u{202e}turned", "\u{202e}turned");
    }

    #[test]
    fn what_does_not_end_hides_nothing() {
        let check = |text: &str, expected: &str| assert_eq!(plain(text), expected, "{text:?}");
        check("login failed \u{1b}]0;for root from 6.6.6.6", "login failed ␛]0;for root from 6.6.6.6");
        check("\u{1b}Pfor root\u{1b}[31m from \u{1b}]0;title\u{7}6.6.6.6", "␛Pfor root from 6.6.6.6");
        check("cut off \u{1b}[3", "cut off ␛[3");
        // As in a pattern, where what varies has lost its end.
        check("\u{1b}[<*> ERROR\u{1b}[<*> plain", "␛[<*> ERROR␛[<*> plain");
        check("\u{1b}[3 qcursor", "cursor");
        check("\u{1b}[31\nnext\u{1b}", "␛[31\nnext␛");
        check("\u{1b}]0;a\nb\u{7}", "␛]0;a\nb␇");
    }

    #[test]
    fn a_text_turns_nothing_round_but_itself() {
        let check = |text: &str, expected: &str| assert_eq!(isolated(text), expected, "{text:?}");
        check("odd.name é 漢字", "odd.name é 漢字");
        check("odd\u{202e}abc", "\u{2068}odd\u{202e}abc\u{2069}");
        check("שלום", "\u{2068}שלום\u{2069}");
        check("out\u{2069}\u{202e}abc", "\u{2068}out\u{202e}abc\u{2069}");
        check("\u{2067}in", "\u{2068}\u{2067}in\u{2069}\u{2069}");
        check("\u{2066}a\nb\u{2069}c", "\u{2068}\u{2066}a\u{2069}\nbc\u{2069}");
        assert_eq!(listed(&["a.b".to_owned(), "c\u{202e}".to_owned()]), "a.b, \u{2068}c\u{202e}\u{2069}");
    }

    proptest! {
        #[test]
        fn nothing_is_left_that_a_terminal_obeys(text in "(\\PC|[\u{2066}-\u{2069}]|\\x1b|\\[|\\]|[\\x00-\\x1f]|m){0,40}") {
            let shown = plain(&text);
            prop_assert!(!shown.chars().any(|char| char.is_control() && char != '\n' && char != '\t'), "{shown:?}");
            prop_assert_eq!(plain(&shown), shown);
        }
    }
}
