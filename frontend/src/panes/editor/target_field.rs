//! One target with its completion: a combobox whose list has metrics, node by node, and functions.

use crate::feeds::Completion;
use crate::state::{Suggestion, completed, word_at};
use leptos::html;
use leptos::prelude::*;

/// A target's field. `on_commit` says that its text is to be taken over.
#[component]
pub(super) fn TargetField(
    place: usize,
    text: RwSignal<String>,
    #[prop(into)] on_commit: Callback<()>,
) -> impl IntoView {
    let completion: Completion = expect_context();
    let field = Field {
        completion,
        text,
        input: NodeRef::new(),
        word: RwSignal::new(None),
        is_open: RwSignal::new(false),
        chosen: RwSignal::new(None),
        on_commit,
    };
    let list = format!("suggestions-{place}");
    let option_id = move |at: usize| format!("suggestion-{place}-{at}");
    let options = move || {
        let chosen = field.chosen.get();
        let option = |(at, suggestion): (usize, Suggestion)| {
            view! { <SuggestionRow id=option_id(at) at is_chosen=chosen == Some(at) suggestion field /> }
        };
        field.suggestions().into_iter().enumerate().map(option).collect_view()
    };
    let is_shown = Memo::new(move |_| field.is_open.get() && !field.suggestions().is_empty());
    view! {
        <div class="target-field">
            <input
                class="field mono"
                type="text"
                spellcheck="false"
                autocomplete="off"
                node_ref=field.input
                role="combobox"
                aria-label=format!("Target {}", place + 1)
                aria-expanded=move || is_shown.get().to_string()
                aria-controls=list.clone()
                aria-autocomplete="list"
                aria-activedescendant=move || field.chosen.get().map(option_id)
                prop:value=text
                on:input=move |event| {
                    text.set(event_target_value(&event));
                    field.ask();
                }
                on:focus=move |_| field.ask()
                on:blur=move |_| field.leave()
                on:keydown=move |event| field.key(&event)
            />
            <Show when=move || is_shown.get()>
                <ul class="suggestions" role="listbox" id=list.clone() aria-label="Metrics and functions">{options}</ul>
            </Show>
        </div>
    }
}

#[component]
fn SuggestionRow(
    id: String,
    at: usize,
    is_chosen: bool,
    suggestion: Suggestion,
    field: Field,
) -> impl IntoView {
    let (name, about) = match &suggestion {
        Suggestion::Metric(path) => (path.clone(), "metric".to_owned()),
        Suggestion::Branch(path) => (path.clone(), String::new()),
        Suggestion::Function(function) => (function.signature.clone(), function.about.clone()),
    };
    // The press would take the focus from the field.
    let hold = |event: web_sys::PointerEvent| event.prevent_default();
    let node = NodeRef::<html::Li>::new();
    Effect::new(move |_| {
        if let Some(node) = node.get().filter(|_| is_chosen) {
            node.scroll_into_view_with_bool(false);
        }
    });
    let hint = about.clone();
    view! {
        <li
            node_ref=node
            id=id
            role="option"
            aria-selected=is_chosen.to_string()
            title=hint
            on:pointerdown=hold
            on:mousedown=|event| event.prevent_default()
            on:click=move |_| field.take(at)
        >
            <span class="mono">{name}</span>
            <span class="faint about">{about}</span>
        </li>
    }
}

#[derive(Clone, Copy)]
struct Field {
    completion: Completion,
    text: RwSignal<String>,
    input: NodeRef<html::Input>,
    /// The word at the caret.
    word: RwSignal<Option<(usize, usize)>>,
    is_open: RwSignal<bool>,
    chosen: RwSignal<Option<usize>>,
    on_commit: Callback<()>,
}

impl Field {
    /// The word at the caret, in bytes; the browser counts in UTF-16.
    fn find_word(self) -> Option<(usize, usize)> {
        let input = self.input.get_untracked()?;
        let caret = input.selection_end().ok().flatten()? as usize;
        self.text.with_untracked(|text| word_at(text, byte_at(text, caret)))
    }

    fn ask(self) {
        let word = self.find_word();
        self.word.set(word);
        self.chosen.set(None);
        self.is_open.set(word.is_some());
        if let Some((start, end)) = word {
            self.completion.ask(self.text.with_untracked(|text| text[start..end].to_owned()));
        }
    }

    fn suggestions(self) -> Vec<Suggestion> {
        let Some((start, end)) = self.word.get() else { return Vec::new() };
        let word = self.text.with_untracked(|text| text.get(start..end).map(str::to_owned));
        word.map(|word| self.completion.suggestions(&word)).unwrap_or_default()
    }

    fn take(self, at: usize) {
        let found = untrack(|| self.suggestions());
        let (Some(suggestion), Some(word)) = (found.get(at), self.word.get_untracked()) else { return };
        let (text, caret) = self.text.with_untracked(|text| completed(text, word, suggestion));
        let caret_utf16 = text[..caret].encode_utf16().count() as u32;
        self.text.set(text.clone());
        if let Some(input) = self.input.get_untracked() {
            input.set_value(&text);
            // The field has the focus and takes every place in its text.
            drop(input.set_selection_range(caret_utf16, caret_utf16));
        }
        if suggestion.goes_on() {
            self.ask();
        } else {
            self.is_open.set(false);
            self.on_commit.run(());
        }
    }

    fn leave(self) {
        self.is_open.set(false);
        self.on_commit.run(());
    }

    fn key(self, event: &web_sys::KeyboardEvent) {
        let count = if self.is_open.get_untracked() { untrack(|| self.suggestions()).len() } else { 0 };
        let chosen = self.chosen.get_untracked();
        match (event.key().as_str(), chosen) {
            ("ArrowDown", _) if count > 0 => self.chosen.set(Some(chosen.map_or(0, |at| (at + 1) % count))),
            ("ArrowUp", _) if count > 0 => {
                self.chosen.set(Some(chosen.map_or(count - 1, |at| (at + count - 1) % count)));
            }
            ("Enter" | "Tab", Some(at)) if count > 0 => self.take(at),
            ("Enter", None) => self.leave(),
            ("Escape", _) if count > 0 => self.is_open.set(false),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    }
}

/// The byte place of a place in UTF-16.
fn byte_at(text: &str, utf16: usize) -> usize {
    let mut seen = 0;
    let found = text.char_indices().find(|(_, c)| {
        let is_there = seen >= utf16;
        seen += c.len_utf16();
        is_there
    });
    found.map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_count_in_utf16() {
        let check = |text: &str, utf16: usize, expected: usize| assert_eq!(byte_at(text, utf16), expected);
        check("abc", 2, 2);
        check("é𝄞b", 1, 2);
        check("é𝄞b", 3, 6);
        check("é𝄞b", 9, 7);
    }
}
