//! The same system under other names: each part of a name, each word and each value becomes a number, wherever it stands.

use sonde::why::Observed;
use sonde::why::observed::Part;
use std::fmt::Write;

/// A number of a text (FNV-1a).
pub(crate) fn of(text: &str) -> u64 {
    text.bytes()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// Each stretch between separators becomes its number.
pub(crate) fn renamed(text: &str) -> String {
    let mut renamed = String::new();
    for part in text.split_inclusive(['.', ' ', '=']) {
        let end = part.len() - usize::from(part.ends_with(['.', ' ', '=']));
        let (word, separator) = part.split_at(end);
        if word == "<*>" || word.is_empty() {
            renamed.push_str(word);
        } else {
            write!(renamed, "n{:x}", of(word)).expect("a string takes all");
        }
        renamed.push_str(separator);
    }
    renamed
}

/// The same observations, all names replaced.
pub(crate) fn rename(observed: &mut Observed) {
    let all = |names: &mut Vec<String>| names.iter_mut().for_each(|name| *name = renamed(name));
    all(&mut observed.components);
    all(&mut observed.hosts);
    all(&mut observed.context.components);
    observed.series.iter_mut().for_each(|series| series.path = renamed(&series.path));
    for pattern in &mut observed.patterns {
        (pattern.id, pattern.template) = (renamed(&pattern.id), renamed(&pattern.template));
    }
    for field in &mut observed.fields {
        if let Part::Named(name) = &mut field.part {
            *name = renamed(name);
        }
        field.values.iter_mut().for_each(|value| value.value = renamed(&value.value));
    }
    for event in &mut observed.events {
        event.what = renamed(&event.what);
        all(&mut event.tags);
    }
}
