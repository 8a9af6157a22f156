//! One target with its completion: a combobox whose list has metrics, node by node, functions, and in the quotes of `logs("…")`
//! components and levels. Below it stands what is wrong with it, and where.

use super::targets::Row;
use crate::boxed::{effect, memo};
use crate::feeds::{Completion, Mistake};
use crate::session::{Session, use_session};
use crate::state::{Meaning, Suggestion, Word, completed, word_at};
use leptos::html;
use leptos::prelude::*;

/// A target's field. `on_typed` says that its text changes, `on_commit` that it is to be taken over.
#[component]
pub(super) fn TargetField(
    label: &'static str,
    place: usize,
    row: Row,
    #[prop(into)] on_typed: Callback<()>,
    #[prop(into)] on_commit: Callback<()>,
) -> impl IntoView {
    let Row { text, mistake } = row;
    let field = Field {
        session: use_session(),
        completion: expect_context(),
        text,
        input: NodeRef::new(),
        word: RwSignal::new(None),
        is_open: RwSignal::new(false),
        chosen: RwSignal::new(None),
        on_commit,
    };
    let name = [&label.replace(' ', "-"), "-", &place.to_string()].concat();
    let (list, note) = (["suggestions-", &name].concat(), ["mistake-", &name].concat());
    let option_id = move |at: usize| ["suggestion-", &name, "-", &at.to_string()].concat();
    let option_name = option_id.clone();
    let options = move || {
        let chosen = field.chosen.get();
        let option = |(at, suggestion): (usize, Suggestion)| {
            view! { <SuggestionRow id=option_name(at) at is_chosen=chosen == Some(at) suggestion field /> }
        };
        field.suggestions().into_iter().enumerate().map(option).collect_view()
    };
    let is_shown = memo(move || field.is_open.get() && !field.suggestions().is_empty());
    let spoken = if label == "Targets" { "Target " } else { "Right target " };
    view! {
        <div class="target-field">
            <input
                class="field mono"
                type="text"
                spellcheck="false"
                autocomplete="off"
                node_ref=field.input
                role="combobox"
                aria-label=[spoken, &(place + 1).to_string()].concat()
                aria-expanded=move || is_shown.get().to_string()
                aria-controls=list.clone()
                aria-autocomplete="list"
                aria-activedescendant=move || field.chosen.get().map(&option_id)
                aria-invalid=move || mistake.with(Option::is_some).to_string()
                aria-describedby=note.clone()
                prop:value=text
                on:input=move |event| {
                    text.set(event_target_value(&event));
                    field.ask();
                    on_typed.run(());
                }
                on:focus=move |_| field.ask()
                on:blur=move |_| field.leave()
                on:keydown=move |event| field.key(&event)
            />
            <Show when=move || is_shown.get()>
                <ul class="suggestions" role="listbox" id=list.clone() aria-label="What may stand here">{options.clone()}</ul>
            </Show>
            <div id=note role="status">
                {move || mistake.get().map(|mistake| view! { <MistakeNote text=text.get_untracked() mistake /> })}
            </div>
        </div>
    }
}

/// What is wrong, under the place where it is.
#[component]
fn MistakeNote(text: String, mistake: Mistake) -> impl IntoView {
    let (before, wrong) = split_at_mistake(text.trim(), mistake.at);
    let end = if mistake.why.ends_with('?') { "" } else { "." };
    view! {
        <p class="mono mistake" aria-hidden="true">
            <span>{before}</span>
            <mark>{wrong}</mark>
        </p>
        <p class="problem">{crate::text::capitalized(&mistake.why)} {end}</p>
    }
}

/// What was understood, at most its last characters, and the word that was not; a blank behind the end.
fn split_at_mistake(text: &str, at: usize) -> (String, String) {
    const SHOWN: usize = 28;
    let at_byte = text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte);
    let (before, rest) = text.split_at(at_byte);
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let word = if word == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { word };
    let wrong = if rest.is_empty() { "\u{a0}" } else { &rest[..word] };
    let count = before.chars().count();
    let tail: String = before.chars().skip(count.saturating_sub(SHOWN)).collect();
    (if count > SHOWN { ["…", &tail].concat() } else { tail }, wrong.to_owned())
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
        Suggestion::Branch(path) | Suggestion::Text(path) => (path.clone(), String::new()),
        Suggestion::Function(function) => (function.signature.clone(), function.about.clone()),
    };
    // The press would take the focus from the field.
    let hold = |event: web_sys::PointerEvent| event.prevent_default();
    let node = NodeRef::<html::Li>::new();
    effect(move || {
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
            on:mousedown=|event: web_sys::MouseEvent| event.prevent_default()
            on:click=move |_| field.take(at)
        >
            <span class="mono">{name}</span>
            <span class="faint about">{about}</span>
        </li>
    }
}

#[derive(Clone, Copy)]
struct Field {
    session: Session,
    completion: Completion,
    text: RwSignal<String>,
    input: NodeRef<html::Input>,
    /// The word at the caret.
    word: RwSignal<Option<Word>>,
    is_open: RwSignal<bool>,
    chosen: RwSignal<Option<usize>>,
    on_commit: Callback<()>,
}

impl Field {
    /// The word at the caret, in bytes; the browser counts in UTF-16.
    fn find_word(self) -> Option<Word> {
        let input = self.input.get_untracked()?;
        let caret = input.selection_end().ok().flatten()? as usize;
        self.text.with_untracked(|text| word_at(text, byte_at(text, caret)))
    }

    fn ask(self) {
        let word = self.find_word();
        self.word.set(word);
        self.chosen.set(None);
        self.is_open.set(word.is_some());
        if let Some(word) = word.filter(|word| word.meaning == Meaning::Name) {
            self.completion.ask(self.text.with_untracked(|text| text[word.start..word.end].to_owned()));
        }
    }

    fn suggestions(self) -> Vec<Suggestion> {
        let Some(Word { meaning, start, end }) = self.word.get() else { return Vec::new() };
        let word = self.text.with_untracked(|text| text.get(start..end).map(str::to_owned));
        let Some(word) = word else { return Vec::new() };
        match meaning {
            Meaning::Name => self.completion.names(&word),
            Meaning::Component => self.completion.components(self.session, &word),
            Meaning::Level => self.completion.levels(&word),
        }
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

    /// Whether a word is there and is not what is suggested first already: only then the key that leaves the field completes it.
    fn is_begun(self) -> bool {
        let first = untrack(|| self.suggestions()).into_iter().next();
        let (Some(word), Some(first)) = (self.word.get_untracked(), first) else { return false };
        word.start < word.end && self.text.with_untracked(|text| completed(text, word, &first).0 != *text)
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
            ("Tab", None) if count > 0 && self.is_begun() => self.take(0),
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
    fn a_mistake_is_marked_at_its_place() {
        let check = |text: &str, at: usize, before: &str, wrong: &str| {
            assert_eq!(split_at_mistake(text, at), (before.to_owned(), wrong.to_owned()), "{text}");
        };
        check("sum(nope(a))", 4, "sum(", "nope");
        check("sum(a", 5, "sum(a", "\u{a0}");
        check("é)b", 1, "é", ")");
        check(&"x".repeat(40), 40, &["…", &"x".repeat(28)].concat(), "\u{a0}");
    }

    #[test]
    fn carets_count_in_utf16() {
        let check = |text: &str, utf16: usize, expected: usize| assert_eq!(byte_at(text, utf16), expected);
        check("abc", 2, 2);
        check("é𝄞b", 1, 2);
        check("é𝄞b", 3, 6);
        check("é𝄞b", 9, 7);
    }
}
