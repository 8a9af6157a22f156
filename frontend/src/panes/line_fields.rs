//! A line taken apart: its fields in the order they were sent.

use super::icons::{Glyph, Icon};
use super::share::copy_text;
use crate::feeds::LineFeed;
use crate::lines::{Field, Row};
use leptos::html;
use leptos::prelude::*;
use std::sync::Arc;
use std::time::Duration;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// The most of a value that is laid out.
const MAX_VALUE_CHARS: usize = 20_000;

/// The fields of an expanded line.
#[component]
pub(super) fn LineFields(index: u64, row: Arc<Row>) -> impl IntoView {
    let feed: LineFeed = expect_context();
    let root = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if let Some(root) = root.get() {
            watch_height(&root, index, feed);
        }
    });
    let mut fields = row.fields();
    if fields.is_empty() {
        fields.push(Field { key: "line".to_owned(), value: row.line.clone() });
    }
    let line = row.line.clone();
    view! {
        <div class="fields" node_ref=root>
            <div class="fields-head">
                <CopyButton name="Copy the line" text=line label="Copy line" />
                <span class="faint mono">{row.id.clone()}</span>
            </div>
            <dl>{fields.into_iter().map(|field| view! { <FieldRow field /> }).collect_view()}</dl>
        </div>
    }
}

#[component]
fn FieldRow(field: Field) -> impl IntoView {
    let name = format!("Copy {}", field.key);
    let shown = clipped(&field.value);
    view! {
        <dt>{field.key}</dt>
        <dd>
            <span class="mono value">{shown}</span>
            <CopyButton name text=field.value label="" />
        </dd>
    }
}

/// A value of a megabyte is copied whole, but not laid out.
fn clipped(value: &str) -> String {
    match value.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}… (copy for all of it)", &value[..end]),
        None => value.to_owned(),
    }
}

#[component]
fn CopyButton(#[prop(into)] name: String, text: String, label: &'static str) -> impl IntoView {
    let copied = RwSignal::new(false);
    let copy = move |_| {
        let text = text.clone();
        leptos::task::spawn_local(async move {
            copied.try_set(copy_text(&text).await);
            set_timeout(move || _ = copied.try_set(false), Duration::from_secs(2));
        });
    };
    view! {
        <button class="control small copy" aria-label=name on:click=copy>
            <Glyph icon=Icon::Copy />
            {move || if copied.get() { "Copied" } else { label }}
        </button>
    }
}

fn watch_height(root: &web_sys::HtmlElement, index: u64, feed: LineFeed) {
    let measured = root.clone();
    let measure = Closure::<dyn FnMut()>::new(move || {
        feed.expanded.set(Some((index, f64::from(measured.offset_height()))));
    });
    let Ok(observer) = web_sys::ResizeObserver::new(measure.as_ref().unchecked_ref()) else { return };
    observer.observe(root);
    let held = StoredValue::new_local((observer, measure));
    on_cleanup(move || held.with_value(|(observer, _)| observer.disconnect()));
}
