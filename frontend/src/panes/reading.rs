//! How lines are shown: wrapped or not, how close together, with which times and columns. What is not in the address is kept in this
//! browser.

use super::choice::Choice;
use super::field_values::FieldValues;
use super::icons::{Glyph, Icon};
use super::line_fields::toggle_column;
use crate::boxed::memo;
use crate::feeds::LineFeed;
use crate::lines::Field;
use crate::prefs;
use crate::session::{Session, use_session};
use crate::text::Stamp;
use leptos::prelude::*;

/// The most fields that are offered for columns.
const MOST_OFFERED: usize = 24;

/// Which times stand before lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Times {
    /// The clock, with the day where the range has several.
    #[default]
    Clock,
    /// Always with the date.
    Dated,
    /// Since the start of selection or range.
    Since,
}

impl Times {
    const ALL: [Self; 3] = [Self::Clock, Self::Dated, Self::Since];

    const fn name(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Dated => "dated",
            Self::Since => "since",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Clock => "Clock",
            Self::Dated => "Date and clock",
            Self::Since => "Since the start",
        }
    }
}

/// How lines are shown in this browser.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    /// Whether long lines are wrapped.
    pub(super) wraps: RwSignal<bool>,
    /// Whether rows have more room.
    pub(super) is_roomy: RwSignal<bool>,
    /// Which times they show.
    pub(super) times: RwSignal<Times>,
    /// How these are written for the lines on show.
    pub(super) stamp: Memo<Stamp>,
    /// The field whose values are listed below it in an expanded line; kept while the line is shown anew.
    pub(super) counted: RwSignal<Option<String>>,
    /// Whether that was asked for just now, and is to be brought into sight.
    pub(super) is_asked: StoredValue<bool>,
}

impl Reading {
    /// As it was left.
    pub(super) fn stored(session: Session) -> Self {
        let stored = prefs::read("times");
        let times = Times::ALL.into_iter().find(|times| Some(times.name()) == stored.as_deref());
        let times = RwSignal::new(times.unwrap_or_default());
        let stamp = memo(move || {
            let (zone, times) = (session.zone.get(), times.get());
            session.query.with(|query| match times {
                Times::Clock => Stamp::of(query.range, zone),
                Times::Dated => Stamp::Year,
                Times::Since => Stamp::Since(query.range.from),
            })
        });
        Self {
            wraps: prefs::switch("wrap", false),
            is_roomy: prefs::switch("roomy", false),
            times,
            stamp,
            counted: RwSignal::new(None),
            is_asked: StoredValue::new(false),
        }
    }
}

/// The menu.
#[component]
pub(super) fn ReadingMenu() -> impl IntoView {
    let Reading { wraps, is_roomy, times, .. } = expect_context();
    let open = RwSignal::new(false);
    let choose = move |one: Times| {
        times.set(one);
        prefs::write("times", one.name());
    };
    let time = move |one: Times| {
        view! {
            <li>
                <button class="item" aria-pressed=move || (times.get() == one).to_string() on:click=move |_| choose(one)>
                    {one.label()}
                </button>
            </li>
        }
    };
    view! {
        <Choice name="How lines are shown" icon=Icon::Options open>
            <ul class="items">
                <Switch name="Wrap long lines" on=wraps />
                <Switch name="Comfortable rows" on=is_roomy />
            </ul>
            <h3 class="part">"Times"</h3>
            <ul class="items">{Times::ALL.map(time)}</ul>
            <h3 class="part">"Columns"</h3>
            <Columns />
        </Choice>
    }
}

#[component]
fn Switch(name: &'static str, on: RwSignal<bool>) -> impl IntoView {
    view! {
        <li>
            <button class="item" aria-pressed=move || on.get().to_string() on:click=move |_| on.update(|on| *on = !*on)>
                {name}
            </button>
        </li>
    }
}

/// The fields of the lines in sight, and those that have columns.
#[component]
fn Columns() -> impl IntoView {
    let session = use_session();
    let feed: LineFeed = expect_context();
    let columns = session.part(|state| state.view.columns.clone());
    // What is offered stays while the menu is open.
    let offered = fields_in_sight(feed);
    let item = move |name: String| {
        let (known, toggled) = (name.clone(), name.clone());
        let pressed = move || columns.with(|columns| columns.contains(&known)).to_string();
        view! {
            <li>
                <button class="item mono" aria-pressed=pressed on:click=move |_| toggle_column(session, &toggled)>{name}</button>
            </li>
        }
    };
    let mut names = columns.get_untracked();
    names
        .extend(offered.into_iter().filter(|name| !columns.with_untracked(|columns| columns.contains(name))));
    if names.is_empty() {
        return view! { <p class="remark faint">"The lines in sight have no further fields."</p> }.into_any();
    }
    view! { <ul class="items">{names.into_iter().map(item).collect_view()}</ul> }.into_any()
}

fn fields_in_sight(feed: LineFeed) -> Vec<String> {
    let rows = untrack(|| feed.extent().visible(feed.position.get()));
    let mut names: Vec<String> = Vec::new();
    for row in rows.filter_map(|index| feed.row(index)) {
        let further = row.fields().into_iter().filter(Field::is_further).map(|field| field.key);
        for name in further {
            if names.len() < MOST_OFFERED && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// The heads of the columns, where there are some.
#[component]
pub(super) fn ColumnHeads() -> impl IntoView {
    let session = use_session();
    let columns = session.part(|state| state.view.columns.clone());
    let head = move |name: String| {
        let label = ["Take the column away: ", &name].concat();
        let (column, of, open) = (name.clone(), name.clone(), RwSignal::new(false));
        view! {
            <span class="column-head mono" title=name.clone()>
                <Choice name=["Values of ", &name].concat() label=Signal::stored(name.clone()) open>
                    <FieldValues name=of.clone() />
                </Choice>
                <button class="control small icon-only" aria-label=label on:click=move |_| toggle_column(session, &column)>
                    <Glyph icon=Icon::Close />
                </button>
            </span>
        }
    };
    view! {
        <Show when=move || columns.with(|columns| !columns.is_empty())>
            <div class="cells heads">
                <span></span>
                <span>"time"</span>
                <span></span>
                <span>"component"</span>
                <span>"host"</span>
                {move || columns.get().into_iter().map(head).collect_view()}
                <span>"message"</span>
            </div>
        </Show>
    }
}
