//! A line taken apart: its fields in the order they were sent, each of which narrows the lines by a click.

use super::field_values::FieldValues;
use super::focus::focus_in;
use super::icons::{Glyph, Icon};
use super::reading::Reading;
use super::share::copy_text;
use crate::boxed::{effect, memo};
use crate::feeds::LineFeed;
use crate::lines::{Field, Row};
use crate::plain::plain;
use crate::session::use_session;
use crate::size::on_resize;
use crate::state::{AppState, Command};
use leptos::html;
use leptos::prelude::*;
use sonde_shared::log::Level;
use sonde_shared::view::{FieldFilter, ViewState};
use std::sync::Arc;
use std::time::Duration;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

/// The most of a value that is laid out.
const MAX_VALUE_CHARS: usize = 20_000;
/// Names that mean what the server knows of a line, where one filters by them.
const KNOWN: [&str; 4] = ["component", "host", "level", "pattern"];

/// The fields of an expanded line.
#[component]
pub(super) fn LineFields(index: u64, row: Arc<Row>) -> impl IntoView {
    let session = use_session();
    let feed: LineFeed = expect_context();
    let root = NodeRef::<html::Div>::new();
    effect(move || {
        if let Some(root) = root.get() {
            watch_height(&root, index, feed);
        }
    });
    let (line, id) = (row.line.clone(), row.id.clone());
    let address = move || {
        let view = ViewState { line: Some(id.clone()), ..session.now_part(AppState::frozen) };
        session.address_of(&view)
    };
    let Reading { counted, .. } = expect_context();
    let close_values = move |event: web_sys::KeyboardEvent| {
        let Some(root) = root.get_untracked().filter(|_| event.key() == "Escape") else { return };
        let opener = "[aria-expanded=true]";
        if root.query_selector(opener).is_ok_and(|opener| opener.is_some()) {
            event.stop_propagation();
            focus_in(&root, opener);
            counted.set(None);
        }
    };
    let id = row.id.clone();
    let context = move |_| feed.show_context(id.clone());
    let fields = fields_of(&row).into_iter().map(|(field, filter)| view! { <FieldRow field filter /> });
    view! {
        <div class="fields" role="gridcell" node_ref=root on:keydown=close_values>
            <div class="fields-head">
                <CopyButton name="Copy line" text=move || line.clone() label="Copy line" />
                <CopyButton name="Copy link to this line" text=address label="Copy link" />
                <button class="control small" title="All components around this moment; Back returns" on:click=context>
                    <Glyph icon=Icon::Context />
                    "Around this moment"
                </button>
                <span class="faint mono">{row.id.clone()}</span>
            </div>
            <dl>{fields.collect_view()}</dl>
        </div>
    }
}

/// What is shown of a line, each with what a click filters by: what the server knows of it where its fields do not say it, then its
/// fields.
fn fields_of(row: &Row) -> Vec<(Field, Option<FieldFilter>)> {
    let mut fields = row.fields();
    if fields.is_empty() {
        fields.push(Field { key: "line".to_owned(), value: row.line.clone(), is_plain: false });
    }
    let level = row.level.name().to_owned();
    let known = [&row.component, &row.host, &level, &row.pattern];
    let says = |name: &str| fields.iter().any(|field| field.key == name && filter_of(field, row).is_some());
    let unsaid = KNOWN.into_iter().zip(known).filter(|(name, value)| !value.is_empty() && !says(name));
    let unsaid = unsaid.map(|(name, value)| {
        (Field { key: name.to_owned(), value: value.clone(), is_plain: true }, Some(filter(name, value)))
    });
    let mut seen: Vec<&str> = Vec::new();
    let mut first = |key| {
        !seen.contains(&key) && {
            seen.push(key);
            true
        }
    };
    // Of a name that occurs twice the server looks at the first.
    let own = fields.iter().map(|field| (field.clone(), filter_of(field, row).filter(|_| first(&field.key))));
    unsaid.chain(own).collect()
}

/// What a field filters by. One that is named as what the server knows filters by that, where it says the same.
fn filter_of(field: &Field, row: &Row) -> Option<FieldFilter> {
    let value = match field.key.as_str() {
        "component" => (field.value == row.component).then_some(row.component.as_str()),
        "host" => (field.value == row.host && !row.host.is_empty()).then_some(row.host.as_str()),
        "level" => (Level::parse(&field.value) == Some(row.level)).then_some(row.level.name()),
        "pattern" => None,
        _ => field.is_plain.then_some(field.value.as_str()),
    };
    value.map(|value| filter(&field.key, value))
}

fn filter(name: &str, value: &str) -> FieldFilter {
    FieldFilter { name: name.to_owned(), value: value.to_owned(), excluded: false }
}

#[component]
fn FieldRow(field: Field, filter: Option<FieldFilter>) -> impl IntoView {
    let Field { key, value, .. } = field;
    let shown = plain(&clipped(&value));
    let (name, column) = (["Copy ", &key].concat(), key.clone());
    let is_own = filter.is_none() || !KNOWN.contains(&key.as_str());
    let (listed, of) = (key.clone(), key.clone());
    let counted = expect_context::<Reading>().counted;
    let is_listed = memo(move || counted.with(|counted| counted.as_ref() == Some(&listed)));
    let values = (filter.is_some() && is_own).then(|| view! { <ValuesButton name=key.clone() is_listed /> });
    view! {
        <dt>{plain(&key)}</dt>
        <dd>
            <span class="mono value">{shown}</span>
            <span class="acts">
                {filter.map(|filter| view! { <FilterButtons filter /> })}
                {values}
                {is_own.then(|| view! { <ColumnButton column /> })}
                <CopyButton name text=move || value.clone() label="" />
            </span>
        </dd>
        <Show when=move || is_listed.get()>
            <ListedValues name=of.clone() />
        </Show>
    }
}

/// The values of a field below it. Who asked for them sees them, also at the foot of the pane.
#[component]
fn ListedValues(name: String) -> impl IntoView {
    let Reading { is_asked, .. } = expect_context();
    let list = NodeRef::<html::Div>::new();
    on_resize(list, move |list| {
        let list = list.clone();
        // Once the lines have made room.
        request_animation_frame(move || {
            if is_asked.try_get_value().unwrap_or_default() {
                let options = ScrollIntoViewOptions::new();
                options.set_block(ScrollLogicalPosition::Nearest);
                list.scroll_into_view_with_scroll_into_view_options(&options);
                is_asked.set_value(list.query_selector(".facets").is_ok_and(|values| values.is_none()));
            }
        });
    });
    view! { <dd class="field-values"><div node_ref=list><FieldValues name /></div></dd> }
}

/// Which values the field has among the pane's lines.
#[component]
fn ValuesButton(name: String, is_listed: Memo<bool>) -> impl IntoView {
    let Reading { counted, is_asked, .. } = expect_context();
    let label = ["Values of ", &name].concat();
    let toggle = move |_| {
        is_asked.set_value(true);
        counted.set((!is_listed.get_untracked()).then(|| name.clone()));
    };
    view! {
        <button
            class="control small icon-only"
            aria-label=label.clone()
            title=label
            aria-expanded=move || is_listed.get().to_string()
            on:click=toggle
        >
            <Glyph icon=Icon::Field />
        </button>
    }
}

/// Only lines with the value, or without it.
#[component]
fn FilterButtons(filter: FieldFilter) -> impl IntoView {
    let session = use_session();
    let button = move |excluded: bool| {
        let filter = FieldFilter { excluded, ..filter.clone() };
        let (icon, what) = if excluded { (Icon::Minus, "Without") } else { (Icon::Add, "Only lines with") };
        let is_level = filter.name == "level" && !excluded;
        let name = [what, " ", &filter.name, " = ", &filter.value, if is_level { " and worse" } else { "" }]
            .concat();
        view! {
            <button
                class="control small icon-only"
                aria-label=name.clone()
                title=name
                on:click=move |_| session.send(Command::NarrowByLine(filter.clone()))
            >
                <Glyph icon />
            </button>
        }
    };
    view! { {button(false)} {button(true)} }
}

/// Gives the field a column of its own, or takes it away.
#[component]
fn ColumnButton(column: String) -> impl IntoView {
    let session = use_session();
    let name = column.clone();
    let has = session.part(move |state| state.view.columns.contains(&name));
    let label = ["Column of ", &column].concat();
    let toggle = move |_| toggle_column(session, &column);
    view! {
        <button
            class="control small icon-only"
            aria-label=label.clone()
            title=label
            aria-pressed=move || has.get().to_string()
            on:click=toggle
        >
            <Glyph icon=Icon::Columns />
        </button>
    }
}

/// Adds a column, or takes it away where it is there.
pub(super) fn toggle_column(session: crate::session::Session, column: &str) {
    let mut columns = session.now_part(|state| state.view.columns.clone());
    let before = columns.len();
    columns.retain(|one| one != column);
    if columns.len() == before {
        columns.push(column.to_owned());
    }
    session.send(Command::SetColumns(columns));
}

/// A value of a megabyte is copied whole, but not laid out.
fn clipped(value: &str) -> String {
    match value.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => [&value[..end], "… (copy for all of it)"].concat(),
        None => value.to_owned(),
    }
}

#[component]
fn CopyButton(
    #[prop(into)] name: String,
    text: impl Fn() -> String + Send + Sync + 'static,
    label: &'static str,
) -> impl IntoView {
    let copied = RwSignal::new(false);
    let copy = move |_| {
        let text = text();
        leptos::task::spawn_local(async move {
            copied.try_set(copy_text(&text).await);
            set_timeout(move || _ = copied.try_set(false), Duration::from_secs(2));
        });
    };
    view! {
        <button class="control small" class:icon-only=label.is_empty() aria-label=name.clone() title=name on:click=copy>
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_filters_by_what_the_server_compares() {
        let check = |line: &str, expected: &[(&str, Option<&str>)]| {
            let envelope =
                format!(r#"{{"t":1,"c":"a.b","h":"n1","l":"warn","p":"0123","id":"x","line":{line}}}"#);
            let found = fields_of(&Row::parse(envelope.as_bytes()).unwrap());
            let found: Vec<(String, Option<String>)> = found
                .into_iter()
                .map(|(field, filter)| (field.key, filter.map(|one| [one.name, one.value].join("="))))
                .collect();
            let expected: Vec<(String, Option<String>)> =
                expected.iter().map(|(key, filter)| ((*key).to_owned(), filter.map(str::to_owned))).collect();
            assert_eq!(found, expected, "{line}");
        };
        check(
            r#"{"msg":"hi","component":"a.b","level":"WARNING","host":"other","n":1}"#,
            &[
                ("host", Some("host=n1")),
                ("pattern", Some("pattern=0123")),
                ("msg", Some("msg=hi")),
                ("component", Some("component=a.b")),
                ("level", Some("level=warn")),
                ("host", None),
                ("n", Some("n=1")),
            ],
        );
        check(
            r#"{"logger":"a.b","pattern":"x","n":{"a":1},"logger":"c"}"#,
            &[
                ("component", Some("component=a.b")),
                ("host", Some("host=n1")),
                ("level", Some("level=warn")),
                ("pattern", Some("pattern=0123")),
                ("logger", Some("logger=a.b")),
                ("pattern", None),
                ("n", None),
                ("logger", None),
            ],
        );
    }
}
