//! The fields and variable parts of a component's sampled lines: how often which value, and the numbers, by slice.
//!
//! Lines come component by component, those of the selection first, and what was counted of one component is reduced to
//! its most frequent values before the next begins: so memory does not grow with the components, and a value that is
//! frequent in the selection is never left out for want of room.

use crate::patterns::Masker;
use crate::query::logs::{plain_text, read_string};
use crate::store::logs::fields::{COMPONENT_KEYS, HOST_KEYS, LEVEL_KEYS, MSG_KEYS, TS_KEYS};
use crate::why::observed::{FIELD_NUMBERS, FIELD_VALUES, Field, FieldValue, Part};
use crate::why::quantity::{Measure, is_alike, read_quantity};
use foldhash::fast::RandomState;
use rustc_hash::FxHashMap;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt;

/// The most fields and variable parts of a component.
const MOST_PARTS: usize = 512;
/// The most different values of one of them, in the selection and in the baseline each.
const MOST_VALUES: usize = 4_096;
/// Longer values are not told apart.
const LONGEST_VALUE: usize = 200;
/// Fewer lines tell nothing.
const LEAST_LINES: u32 = 5;

/// Values of a part of lines.
#[derive(Debug, Default)]
struct Values {
    /// Lines that have the part, by slice.
    lines: Vec<u32>,
    /// Each value's place in `counts`; seeded, since senders choose the values.
    places: HashMap<Box<str>, u32, RandomState>,
    /// By value and slice.
    counts: Vec<u32>,
    /// All of one measure, by slice.
    numbers: Vec<Vec<f32>>,
    measure: Option<Measure>,
}

/// Counts the parts of one component's lines after another's.
#[derive(Debug)]
pub(super) struct FieldCounts {
    slices: usize,
    component: u32,
    named: HashMap<Box<str>, Values, RandomState>,
    holes: FxHashMap<(u32, u16), Values>,
    masker: Masker,
    fields: Vec<Field>,
}

impl FieldCounts {
    /// Nothing yet, by so many slices.
    pub(super) fn new(slices: usize) -> Self {
        let (named, holes) = (HashMap::default(), FxHashMap::default());
        Self { slices, component: 0, named, holes, masker: Masker::default(), fields: Vec::new() }
    }

    /// Adds a line, which has no line feed; `place` finds a pattern of the component by its id.
    pub(super) fn add(&mut self, component: u32, slice: u8, line: &[u8], place: impl Fn(u64) -> Option<u32>) {
        if component != self.component {
            self.leave();
            self.component = component;
        }
        let (Ok(text), slice) = (std::str::from_utf8(line), usize::from(slice)) else { return };
        let slices = self.slices;
        let mut add = |key: &str, value: &str| {
            if !self.named.contains_key(key) && self.named.len() < MOST_PARTS {
                self.named.insert(key.into(), Values::new(slices));
            }
            if let Some(values) = self.named.get_mut(key) {
                values.add(slice, value);
            }
        };
        let Ok(message) = visit_fields(text, &mut add) else { return };
        let Some(message) = message else { return };
        let masked = self.masker.mask(message);
        let Some(pattern) = place(masked.id().0) else { return };
        let inside =
            message.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(message).as_bytes();
        let text = masked.text(inside);
        for (hole, range) in masked.variables() {
            let Ok(value) = std::str::from_utf8(&text[range]) else { continue };
            if self.holes.len() < MOST_PARTS || self.holes.contains_key(&(pattern, hole as u16)) {
                let values = self.holes.entry((pattern, hole as u16)).or_insert_with(|| Values::new(slices));
                values.add(slice, value);
            }
        }
    }

    /// Reduces what was counted of the component at hand.
    fn leave(&mut self) {
        let named = self.named.drain().map(|(name, values)| (Part::Named(name.into()), values));
        let holes = self.holes.drain();
        let holes = holes.map(|((pattern, hole), values)| (Part::Hole { pattern, hole }, values));
        let component = self.component;
        let first = self.fields.len();
        self.fields.extend(named.chain(holes).filter_map(|(part, values)| values.reduce(component, part)));
        self.fields[first..].sort_by(|a, b| key(&a.part).cmp(&key(&b.part)));
    }

    /// The fields of all components.
    pub(super) fn finish(mut self) -> Vec<Field> {
        self.leave();
        self.fields
    }
}

/// For an order of parts.
fn key(part: &Part) -> (&str, u32, u16) {
    match part {
        Part::Named(name) => (name, 0, 0),
        Part::Hole { pattern, hole } => ("", *pattern, *hole),
    }
}

impl Values {
    fn new(slices: usize) -> Self {
        let (lines, numbers) = (vec![0; slices], vec![Vec::new(); slices]);
        Self { lines, numbers, ..Self::default() }
    }

    fn add(&mut self, slice: usize, value: &str) {
        self.lines[slice] += 1;
        if let Some((number, measure)) = read_quantity(value)
            && is_alike(&mut self.measure, number, measure)
        {
            self.numbers[slice].push(number);
        }
        let slices = self.lines.len();
        let is_selected = slice + 1 == slices;
        let place = self.places.get(value).copied();
        let place = place.or_else(|| {
            let most = if is_selected { MOST_VALUES } else { 2 * MOST_VALUES };
            (value.len() <= LONGEST_VALUE && self.places.len() < most).then(|| {
                let place = self.places.len() as u32;
                self.places.insert(value.into(), place);
                self.counts.resize(self.counts.len() + slices, 0);
                place
            })
        });
        if let Some(place) = place {
            self.counts[place as usize * slices + slice] += 1;
        }
    }

    /// The most frequent values of the selection and of the baseline, and evenly chosen numbers; `None` of too few lines.
    fn reduce(self, component: u32, part: Part) -> Option<Field> {
        let slices = self.lines.len();
        let total: u32 = self.lines.iter().sum();
        if total < LEAST_LINES {
            return None;
        }
        let numeric: usize = self.numbers.iter().map(Vec::len).sum();
        let is_numeric = 2 * numeric > total as usize;
        let seldom_repeats = 2 * self.places.len() > total as usize;
        let values = if is_numeric && seldom_repeats {
            Vec::new()
        } else {
            frequent(self.places, &self.counts, slices)
        };
        let numbers = if is_numeric { self.numbers.into_iter().map(thinned).collect() } else { Vec::new() };
        let measure = self.measure.unwrap_or_default();
        Some(Field { component, part, lines: self.lines, values, numbers, measure })
    }
}

/// Values that occur twice in the selection or in the baseline, the most frequent of each.
fn frequent(places: HashMap<Box<str>, u32, RandomState>, counts: &[u32], slices: usize) -> Vec<FieldValue> {
    let counts = |place: u32| &counts[place as usize * slices..(place as usize + 1) * slices];
    let selected = |place: u32| counts(place)[slices - 1];
    let before = |place: u32| counts(place)[..slices - 1].iter().sum::<u32>();
    let mut all: Vec<(Box<str>, u32)> =
        places.into_iter().filter(|(_, place)| selected(*place).max(before(*place)) > 1).collect();
    all.sort_unstable_by(|a, b| selected(b.1).cmp(&selected(a.1)).then_with(|| a.0.cmp(&b.0)));
    let mut rest = all.split_off(all.len().min(FIELD_VALUES));
    rest.sort_unstable_by(|a, b| before(b.1).cmp(&before(a.1)).then_with(|| a.0.cmp(&b.0)));
    rest.truncate(FIELD_VALUES);
    all.extend(rest);
    let value =
        |(value, place): (Box<str>, u32)| FieldValue { value: value.into(), lines: counts(place).to_vec() };
    all.into_iter().map(value).collect()
}

/// At most as many numbers as are worth keeping, evenly chosen.
fn thinned(numbers: Vec<f32>) -> Vec<f32> {
    if numbers.len() <= FIELD_NUMBERS {
        return numbers;
    }
    (0..FIELD_NUMBERS).map(|at| numbers[at * numbers.len() / FIELD_NUMBERS]).collect()
}

/// Calls with each top-level field that is a plain value and says what the index does not know, as text; the raw message.
fn visit_fields<'a>(
    line: &'a str,
    add: &mut dyn FnMut(&str, &str),
) -> Result<Option<&'a str>, serde_json::Error> {
    serde_json::Deserializer::from_str(line).deserialize_map(FieldsVisitor(add))
}

struct FieldsVisitor<'f>(&'f mut dyn FnMut(&str, &str));

impl<'de> Visitor<'de> for FieldsVisitor<'_> {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        // The first in the order of the keys' table, as the index has it.
        let mut message: Option<(usize, &str)> = None;
        while let Some(key) = map.next_key::<&RawValue>()? {
            let Some(key) = read_string(key.get()) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = map.next_value::<&RawValue>()?.get();
            if let Some(rank) = MSG_KEYS.iter().position(|name| *name == key) {
                if message.is_none_or(|(known, _)| rank < known) {
                    message = Some((rank, value));
                }
            } else if !is_indexed(&key)
                && let Some(text) = plain_text(value)
            {
                (self.0)(&key, &text);
            }
        }
        Ok(message.map(|(_, raw)| raw))
    }
}

fn is_indexed(key: &str) -> bool {
    let all = [&TS_KEYS[..], &LEVEL_KEYS, &COMPONENT_KEYS, &HOST_KEYS];
    all.iter().any(|keys| keys.contains(&key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(lines: &[(u8, &str)]) -> Vec<Field> {
        let mut counts = FieldCounts::new(2);
        for (slice, line) in lines {
            counts.add(3, *slice, line.as_bytes(), |_| Some(7));
        }
        counts.finish()
    }

    #[test]
    fn fields_and_variable_parts_are_counted_by_slice() {
        let line = |slice: u8, user: &str, ms: u32| {
            let host = r#""host":"n1","ts":1,"deep":{"user":1},"level":"info""#;
            (slice, format!(r#"{{"user":"{user}",{host},"message":"took {ms} ms","ok":true}}"#))
        };
        let lines = [
            line(1, "ann", 7),
            line(1, "a\\u006en", 8),
            line(1, "bob", 8),
            line(0, "bob", 2),
            line(0, "bob", 3),
            line(0, "eve", 4),
        ];
        let lines: Vec<(u8, &str)> = lines.iter().map(|(slice, line)| (*slice, &**line)).collect();
        let fields = counted(&lines);
        let parts: Vec<&Part> = fields.iter().map(|field| &field.part).collect();
        let named = |name: &str| Part::Named(name.to_owned());
        assert_eq!(parts, [&Part::Hole { pattern: 7, hole: 0 }, &named("ok"), &named("user")]);
        let value =
            |value: &str, lines: [u32; 2]| FieldValue { value: value.to_owned(), lines: lines.into() };
        assert_eq!(fields[2].values, [value("ann", [0, 2]), value("bob", [2, 1])]);
        assert_eq!((&fields[2].lines, fields[2].component), (&vec![3, 3], 3));
        assert!(fields[2].numbers.is_empty());
        assert_eq!(fields[0].numbers, [vec![2.0, 3.0, 4.0], vec![7.0, 8.0, 8.0]]);
        assert!(fields[0].values.is_empty(), "numbers that seldom repeat");
        assert_eq!(fields[1].values, [value("true", [3, 3])]);
    }

    #[test]
    fn numbers_with_their_units_are_numbers_of_one_measure() {
        let line = |slice: u8, took: &str| (slice, format!(r#"{{"msg":"took {took}","heap":"{took}B"}}"#));
        let lines = [line(0, "820µs"), line(0, "12ms"), line(1, "1.5s"), line(1, "1m2s"), line(1, "84%")];
        let lines: Vec<(u8, &str)> = lines.iter().map(|(slice, line)| (*slice, &**line)).collect();
        let fields = counted(&lines);
        assert_eq!(fields[0].measure, Measure::Time);
        assert_eq!(fields[0].numbers, [vec![0.000_82, 0.012], vec![1.5, 62.0]]);
        assert!(fields[1].numbers.iter().all(Vec::is_empty), "820µsB is no number");
    }

    #[test]
    fn a_zero_without_a_unit_is_of_the_measure_of_the_others() {
        let line = |took: &str| format!(r#"{{"msg":"m","took":"{took}"}}"#);
        let lines = ["0", "1ms", "0", "2ms", "7", "3ms"].map(line);
        let fields = counted(&lines.each_ref().map(|line| (1, line.as_str())));
        assert_eq!(
            (fields[0].measure, &fields[0].numbers[1]),
            (Measure::Time, &vec![0.0, 0.001, 0.0, 0.002, 0.003])
        );
    }

    #[test]
    fn a_frequent_value_is_kept_among_thousands_that_are_not() {
        let line = |id: usize| format!(r#"{{"msg":"m","id":"x{id}"}}"#);
        let often = |number: usize| if number.is_multiple_of(10) { 0 } else { number };
        let lines: Vec<String> = (0..2 * MOST_VALUES).map(|number| line(often(number))).collect();
        let before: Vec<String> = (0..4 * MOST_VALUES).map(|number| line(100_000 + number)).collect();
        let all: Vec<(u8, &str)> =
            lines.iter().map(|line| (1, &**line)).chain(before.iter().map(|line| (0, &**line))).collect();
        let fields = counted(&all);
        assert_eq!(fields[0].values.len(), 1);
        assert_eq!(fields[0].values[0].lines, [0, 820]);
    }
}
