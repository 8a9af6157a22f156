//! One value of a panel, taken over as it is typed.

use crate::rest::Rest;
use leptos::prelude::*;
use std::time::Duration;

/// How long typing rests before what was typed is shown.
pub(super) const TYPING: Duration = Duration::from_millis(300);

/// A field. `on_change` takes what was typed, or says what is wrong with it.
#[component]
pub(super) fn TextField(
    label: &'static str,
    #[prop(optional)] hint: &'static str,
    #[prop(into)] value: Signal<String>,
    #[prop(optional)] options: Vec<String>,
    /// Whether it is taken over only once the field is left or Enter pressed.
    #[prop(optional)]
    at_end: bool,
    #[prop(into)] on_change: Callback<String, Option<String>>,
) -> impl IntoView {
    let name = label.replace(' ', "-");
    let (list, note) = (["options-", &name].concat(), ["note-", &name].concat());
    let options = options.into_iter().map(|value| view! { <option value=value></option> }).collect_view();
    let rest = Rest::new();
    let problem = RwSignal::new(None::<String>);
    let take = move |text: String| {
        rest.stop();
        problem.set(on_change.run(text));
    };
    view! {
        <label class="editor-field">
            <span>{label}</span>
            <input
                class="field"
                type="text"
                autocomplete="off"
                placeholder=hint
                list=list.clone()
                prop:value=move || value.get()
                aria-invalid=move || problem.with(Option::is_some).to_string()
                aria-describedby=note.clone()
                on:input=move |event| {
                    let text = event_target_value(&event);
                    if !at_end {
                        rest.after(TYPING, move || take(text));
                    }
                }
                on:change=move |event| take(event_target_value(&event))
            />
            <datalist id=list>{options}</datalist>
            <span id=note class="problem" role="status">{problem}</span>
        </label>
    }
}
