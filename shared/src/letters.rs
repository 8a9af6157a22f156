//! Small letters.

/// A text in small letters of the Latin, Greek and Cyrillic alphabets. The page would carry fourteen kilobytes of tables for those of all.
pub fn small(text: &str) -> String {
    text.chars().map(small_letter).collect()
}

fn small_letter(letter: char) -> char {
    let number = letter as u32;
    let further = match letter {
        'A'..='Z' | 'À'..='Ö' | 'Ø'..='Þ' | 'Α'..='Ρ' | 'Σ'..='Ϋ' | 'А'..='Я' => 32,
        'Ѐ'..='Џ' => 80,
        'İ' => 0,
        // Here a small letter stands behind each capital.
        'Ā'..='ķ' | 'Ŋ'..='ŷ' => 1 - number % 2,
        'Ĺ'..='ň' | 'Ź'..='ž' => number % 2,
        _ => 0,
    };
    char::from_u32(number + further).unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

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
