//! Which values a field has among the pane's lines, and how often: a click narrows to one or leaves it out. What is compared with a
//! baseline says which of them are new.

use super::empty::ErrorNote;
use super::icons::{Glyph, Icon};
use super::spread::{comes_again, number_spread};
use crate::feeds::load_field_values;
use crate::plain::plain;
use crate::session::use_session;
use crate::state::Command;
use crate::text;
use leptos::prelude::*;
use sonde_shared::api::{PatternValues, SlotValues, ValueCount};
use sonde_shared::view::FieldFilter;
use std::sync::Arc;

/// The values, as long as it is there.
#[component]
pub(super) fn FieldValues(name: String) -> impl IntoView {
    let loaded = load_field_values(use_session(), name.clone(), Signal::stored(true));
    move || match (loaded.value.get(), loaded.error.get()) {
        (_, Some(error)) => view! { <ErrorNote error retry=move |()| loaded.retry() /> }.into_any(),
        (Some(values), None) => listed(&name, &values).into_any(),
        (None, None) => view! { <p class="remark faint">"Counting…"</p> }.into_any(),
    }
}

// Of what stands in a row of the list none may be a list by itself.
fn listed(name: &str, values: &Arc<PatternValues>) -> impl IntoView + use<> {
    let read = values.lines.matched;
    let slot = values.slots.first().cloned().unwrap_or_default();
    let note = note(values, &slot);
    let (numbers, comes_again) = (number_spread(&slot, "none"), comes_again(&slot));
    let items =
        slot.values.into_iter().map(|one| view! { <Value name=name.to_owned() one read comes_again /> });
    view! {
        {numbers}
        <div class="items facets">{items.collect_view()}</div>
        <p class="remark faint">{note}</p>
    }
}

/// What the list leaves out, and of how many lines it is.
fn note(values: &PatternValues, slot: &SlotValues) -> String {
    let lines = values.lines;
    let shown: u64 = slot.values.iter().map(|one| one.count).sum();
    let others = slot.distinct.saturating_sub(slot.values.len() as u64);
    let rest = slot.lines.saturating_sub(shown);
    let others = (rest > 0).then(|| {
        let others = match (others, slot.rest) {
            (0, _) => "others".to_owned(),
            (1, 0) => "1 other".to_owned(),
            (others, 0) => [&text::count(others), " others"].concat(),
            (others, _) => ["more than ", &text::count(others), " others"].concat(),
        };
        [&others, " ", &text::percent(rest, lines.matched)].concat()
    });
    let without = lines.matched.saturating_sub(slot.lines);
    let without =
        (without > 0).then(|| [text::percent(without, lines.matched), " without it".into()].concat());
    let sample = if lines.scanned < lines.total {
        let read = [&text::count(lines.scanned), " of ", &text::count(lines.total)].concat();
        ["of ", &text::lines(lines.matched), " among ", &read, ", evenly chosen"].concat()
    } else {
        ["of ", &text::lines(lines.matched)].concat()
    };
    [others, without, Some(sample)].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

#[component]
fn Value(name: String, one: ValueCount, read: u64, comes_again: bool) -> impl IntoView {
    let session = use_session();
    let ValueCount { value, count, baseline_count } = one;
    let (without, title) = (["Without ", &name, " = ", &value].concat(), plain(&value));
    let shown = title.clone();
    let narrow = StoredValue::new((name, value));
    let narrow = move |excluded: bool| {
        let (name, value) = narrow.get_value();
        session.send(Command::Narrow(FieldFilter { name, value, excluded }));
    };
    let new =
        (comes_again && baseline_count == Some(0)).then(|| view! { <span class="versus new">"new"</span> });
    view! {
        <div class="facet">
            <button class="item" title=title on:click=move |_| narrow(false)>
                <span class="grow mono" dir="auto">{shown}</span>
                {new}
                <span class="tree-count">{text::count(count)}</span>
                <span class="tree-count share">{text::percent(count, read)}</span>
            </button>
            <button class="control small icon-only" aria-label=without.clone() title=without on:click=move |_| narrow(true)>
                <Glyph icon=Icon::Minus />
            </button>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::api::ScannedLines;

    #[test]
    fn what_is_not_listed_is_told() {
        let check = |[total, scanned, matched]: [u64; 3], lines: u64, distinct: u64, expected: &str| {
            let value = ValueCount { value: "rye".into(), count: 40, baseline_count: None };
            let slot = SlotValues { lines, distinct, values: vec![value], ..SlotValues::default() };
            let lines = ScannedLines { total, scanned, matched };
            let values = PatternValues { lines, baseline: None, slots: Vec::new() };
            assert_eq!(note(&values, &slot), expected);
        };
        check([40; 3], 40, 1, "of 40 lines");
        check([120, 120, 100], 50, 3, "2 others 10 % · 50 % without it · of 100 lines");
        check(
            [3_000, 1_000, 100],
            40,
            1,
            "60 % without it · of 100 lines among 1\u{202f}000 of 3\u{202f}000, evenly chosen",
        );
    }
}
