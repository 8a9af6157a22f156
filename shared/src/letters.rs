//! Letters, by rules where Unicode's tables would be too large for the page.

/// A text in small letters of the Latin, Greek and Cyrillic alphabets. The page would carry fourteen kilobytes of tables for those of all.
pub fn small(text: &str) -> String {
    text.chars().map(small_letter).collect()
}

/// Whether it is of a word: a letter or a digit, in ASCII as Unicode has it, beyond it all that stands in no block of signs.
pub fn is_of_word(letter: char) -> bool {
    match letter {
        'ª' | 'µ' | 'º' => true,
        '\u{80}'..='\u{bf}'
        | '×'
        | '÷'
        | '\u{2000}'..='\u{2bff}'
        | '\u{3000}'..='\u{3004}'
        | '\u{3008}'..='\u{3020}'
        | '\u{e000}'..='\u{f8ff}'
        | '\u{fe00}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff0f}'
        | '\u{1f000}'..='\u{1fbff}'
        | '\u{e0000}'.. => false,
        letter => letter.is_ascii_alphanumeric() || !letter.is_ascii(),
    }
}

fn small_letter(letter: char) -> char {
    let number = letter as u32;
    let further = match letter {
        'A'..='Z' | 'À'..='Ö' | 'Ø'..='Þ' | 'Α'..='Ρ' | 'Σ'..='Ϋ' | 'А'..='Я' => 32,
        'Ѐ'..='Џ' => 80,
        // Here a small letter stands behind each capital.
        'Ā'..='ķ' | 'Ŋ'..='ŷ' if letter != 'İ' => 1 - number % 2,
        'Ĺ'..='ň' | 'Ź'..='ž' => number % 2,
        _ => 0,
    };
    char::from_u32(number + further).unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_spaces_are_of_no_word() {
        let check = |text: &str, expected: bool| {
            text.chars().for_each(|letter| assert_eq!(is_of_word(letter), expected, "{letter:?}"));
        };
        check("aZ09ßÄéłΩЖ日本한ªµ", true);
        check(" -–—…()/·×÷→−°±\u{a0}\u{202f}\u{200f}、。🚀\u{fe0f}\u{0}", false);
        ('\0'..'ʰ').for_each(|letter| {
            assert_eq!(is_of_word(letter), letter.is_alphabetic() || letter.is_ascii_digit(), "{letter:?}");
        });
    }

    #[test]
    fn letters_are_made_small_as_unicode_has_it() {
        // One is two letters there, one is of another alphabet, the rest are rare.
        let others = ['İ', 'Ÿ', 'Ͱ', 'Ͳ', 'Ͷ', 'Ϳ', 'Ά', 'Έ', 'Ή', 'Ί', 'Ό', 'Ύ', 'Ώ'];
        for letter in ('\0'..'Ϗ')
            .chain('Ѐ'..'ѐ')
            .filter(|letter| !('ƀ'..'Ͱ').contains(letter) && !others.contains(letter))
        {
            assert_eq!(small(&letter.to_string()), letter.to_lowercase().to_string(), "{letter}");
        }
        assert_eq!(small("ÜBERSICHT von Łódź: Ωμέγα, ЖУРНАЛ 日本"), "übersicht von łódź: ωμέγα, журнал 日本");
    }
}
