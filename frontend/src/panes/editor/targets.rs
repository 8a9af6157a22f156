//! The targets of an axis, one field each, and one more for the next.

use super::field::TYPING;
use super::target_field::TargetField;
use crate::feeds::{Mistake, TargetCheck};
use crate::rest::Rest;
use crate::session::use_session;
use crate::state::{Command, EditStep};
use leptos::prelude::*;

/// A target: its text, and what is wrong with it.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) text: RwSignal<String>,
    pub(super) mistake: RwSignal<Option<Mistake>>,
}

impl Row {
    fn of(text: String) -> Self {
        Self { text: RwSignal::new(text), mistake: RwSignal::new(None) }
    }
}

/// The fields. `on_change` takes the targets that there are.
#[component]
pub(super) fn Targets(
    label: &'static str,
    targets: Vec<String>,
    #[prop(into)] on_change: Callback<Vec<String>>,
) -> impl IntoView {
    let rows = RwSignal::new(
        targets.into_iter().chain(std::iter::once(String::new())).map(Row::of).collect::<Vec<_>>(),
    );
    let session = use_session();
    let checked = TargetCheck::new();
    let rest = Rest::new();
    let commit = move |()| {
        rest.stop();
        if rows.with_untracked(|rows| rows.last().is_none_or(|last| !text_of(*last).is_empty())) {
            rows.update(|rows| rows.push(Row::of(String::new())));
        }
        let texts: Vec<String> = rows.with_untracked(|rows| rows.iter().map(|row| text_of(*row)).collect());
        on_change.run(texts.iter().filter(|text| !text.is_empty()).cloned().collect());
        check(rows, checked, &texts, move |is_right| {
            if is_right {
                session.send(Command::Edit(EditStep::Readable));
            }
        });
    };
    check(
        rows,
        checked,
        &rows.with_untracked(|rows| rows.iter().map(|row| text_of(*row)).collect::<Vec<_>>()),
        |_| {},
    );
    let on_typed = move |()| rest.after(TYPING, move || commit(()));
    view! {
        <div class="editor-field" role="group" aria-label=label>
            <span>{label}</span>
            <Each
                each=move || rows.get().into_iter().enumerate()
                key=|(place, _)| *place
                children=move |(place, row)| view! { <TargetField label place row on_typed on_commit=commit /> }
            />
        </div>
    }
}

fn text_of(row: Row) -> String {
    row.text.with_untracked(|text| text.trim().to_owned())
}

/// Learns what is wrong with the targets; `then` learns whether nothing is.
fn check(
    rows: RwSignal<Vec<Row>>,
    checked: TargetCheck,
    texts: &[String],
    then: impl FnOnce(bool) + 'static,
) {
    let asked: Vec<String> = texts.iter().filter(|text| !text.is_empty()).cloned().collect();
    let full: Vec<bool> = texts.iter().map(|text| !text.is_empty()).collect();
    checked.ask(asked, move |found| {
        let mut mistakes = found.iter().cloned();
        rows.try_with_untracked(|rows| {
            for (row, is_full) in rows.iter().zip(full) {
                row.mistake.set(if is_full { mistakes.next().flatten() } else { None });
            }
        });
        then(found.iter().all(Option::is_none));
    });
}
