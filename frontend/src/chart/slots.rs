//! Which colour a series has: that of its slot in its panel, which it keeps while others come and go, and while the panel is edited.

use leptos::prelude::StoredValue;
use sonde_shared::api::Columns;
use std::collections::BTreeMap;

/// What series have slots, and which: a series keeps its colour while others come and go.
/// An empty name is a free slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots(Vec<String>);

impl Slots {
    /// The slot of each series; names not seen before take the next ones, and the first ones where all are new.
    fn assign(&mut self, series: &[Columns]) -> Vec<usize> {
        if !series.is_empty() && !series.iter().any(|one| self.0.contains(&one.name)) {
            self.0.clear();
        }
        series.iter().map(|one| self.slot_of(&one.name)).collect()
    }

    /// Frees the slots of all others: those of a chart that was edited are taken anew, but for series that stayed.
    fn keep(&mut self, series: &[Columns]) {
        for seen in &mut self.0 {
            if !series.iter().any(|one| one.name == *seen) {
                seen.clear();
            }
        }
    }

    fn slot_of(&mut self, name: &str) -> usize {
        let place = |wanted: &str| self.0.iter().position(|seen| seen == wanted);
        let slot = place(name).or_else(|| place("")).unwrap_or(self.0.len());
        if slot == self.0.len() {
            self.0.push(String::new());
        }
        name.clone_into(&mut self.0[slot]);
        slot
    }
}

/// The slots of a panel. They outlive its chart, which is made anew at each edit.
#[derive(Clone, Copy)]
pub(super) struct PanelSlots {
    all: StoredValue<BTreeMap<String, Slots>>,
    panel: StoredValue<String>,
    is_new: StoredValue<bool>,
}

impl PanelSlots {
    pub(super) fn of(all: StoredValue<BTreeMap<String, Slots>>, panel: String) -> Self {
        Self { all, panel: StoredValue::new(panel), is_new: StoredValue::new(true) }
    }

    /// The slot of each series.
    pub(super) fn assign(self, series: &[Columns]) -> Vec<usize> {
        let assign = |all: &mut BTreeMap<String, Slots>| {
            let slots = all.entry(self.panel.get_value()).or_default();
            if self.is_new.get_value() {
                slots.keep(series);
                self.is_new.set_value(false);
            }
            slots.assign(series)
        };
        self.all.try_update_value(assign).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str) -> Columns {
        Columns { name: name.to_owned(), ..Columns::default() }
    }

    #[test]
    fn a_series_keeps_its_slot_when_others_come_and_go() {
        let mut slots = Slots::default();
        let (a, b, c) = (series("a"), series("b"), series("c"));
        assert_eq!(slots.assign(&[a.clone(), b.clone()]), [0, 1]);
        assert_eq!(slots.assign(&[c.clone(), b]), [2, 1]);
        assert_eq!(slots.assign(&[a.clone(), c.clone()]), [0, 2]);
        // Where none is left that was there, colours are those of a chart that is opened with these.
        let mut others = slots.clone();
        assert!(others.assign(&[]).is_empty());
        assert_eq!(
            others.assign(std::slice::from_ref(&c)),
            [2],
            "that nothing is there for a while changes no colour"
        );
        assert_eq!(others.assign(&[series("d"), series("e")]), [0, 1]);
        // After an edit those that stayed keep theirs, and others take what is free.
        let d = series("d");
        slots.keep(&[d.clone(), c.clone(), a.clone()]);
        assert_eq!(slots.assign(&[d, c, a]), [1, 2, 0]);
    }
}
