//! What narrows the lines: text, component, level, host, and the values that were clicked, each with its ×.

use super::choice::Choice;
use super::empty::ErrorNote;
use super::icons::{Glyph, Icon};
use super::text_filter::TextFilter;
use crate::feeds::{Facet, load_facets, load_template};
use crate::plain::plain;
use crate::session::{Session, use_session};
use crate::state::Command;
use crate::text;
use leptos::prelude::*;
use sonde_shared::api::{FacetCount, Facets};
use sonde_shared::log::Level;
use sonde_shared::view::{FieldFilter, Tab};

/// The filters.
#[component]
pub(super) fn LogFilters() -> impl IntoView {
    view! {
        <div class="filters" role="toolbar" aria-label="Filters">
            <TextFilter />
            <FacetFilter facet=Facet::Component />
            <FacetFilter facet=Facet::Level />
            <FacetFilter facet=Facet::Host />
            <Chips />
        </div>
    }
}

/// What a facet is called, in a filter and in a sentence, and what its button says while it does not narrow.
const fn names(facet: Facet) -> (&'static str, &'static str, &'static str) {
    match facet {
        Facet::Component => ("component", "Component", "None chosen"),
        Facet::Host => ("host", "Host", "Any host"),
        Facet::Level => ("level", "Level", "Any level"),
    }
}

/// One facet: its values among the lines with their counts; a click narrows to one.
#[component]
fn FacetFilter(facet: Facet) -> impl IntoView {
    let session = use_session();
    let open = RwSignal::new(false);
    let chosen = session.part(move |state| match facet {
        // Where components are of the active panel nobody has chosen one.
        Facet::Component => state.view.components.first().filter(|_| state.view.chosen).cloned(),
        Facet::Host => state.view.host.clone(),
        Facet::Level => state.view.level.map(|level| level.name().to_owned()),
    });
    let (_, name, any) = names(facet);
    let label = move || match chosen.get() {
        // The breadcrumb says which, also where it is that of a chart.
        _ if facet == Facet::Component => "Component".to_owned(),
        None => any.to_owned(),
        Some(value) => worded(facet, &value),
    };
    let clear = move |_| session.send(any_of(facet));
    let loaded = load_facets(session, facet, open);
    let values = move || match (loaded.value.get(), loaded.error.get()) {
        (Some(facets), _) => values(facet, &facets, chosen, session, open).into_any(),
        (None, Some(error)) => view! { <ErrorNote error retry=move |()| loaded.retry() /> }.into_any(),
        (None, None) => view! { <p class="remark faint">"Counting…"</p> }.into_any(),
    };
    view! {
        <div class="filter" class:on=move || chosen.with(Option::is_some)>
            <Choice name label=Signal::derive(label) open>{move || values()}</Choice>
            <Show when=move || chosen.with(Option::is_some) && facet != Facet::Component>
                <button class="control small icon-only" aria-label=any on:click=clear><Glyph icon=Icon::Close /></button>
            </Show>
        </div>
    }
}

fn any_of(facet: Facet) -> Command {
    match facet {
        Facet::Component => Command::Choose(None),
        Facet::Host => Command::SetHost(None),
        Facet::Level => Command::SetLevel(None),
    }
}

/// `warn and worse`; nothing is worse than fatal.
fn worded(facet: Facet, value: &str) -> String {
    if facet == Facet::Level && value != Level::Fatal.name() {
        [value, " and worse"].concat()
    } else {
        value.to_owned()
    }
}

/// The values with their counts, and what is not in the list.
fn values(
    facet: Facet,
    facets: &Facets,
    chosen: Memo<Option<String>>,
    session: Session,
    open: RwSignal<bool>,
) -> impl IntoView {
    let (_, _, any) = names(facet);
    let (listed, left_out) = match facet {
        Facet::Component => (&facets.components, facets.left_out.components),
        Facet::Host => (&facets.hosts, facets.left_out.hosts),
        Facet::Level => (&facets.levels, 0),
    };
    let counted: u64 = listed.iter().map(|one| one.count).sum();
    let values = if facet == Facet::Level { and_worse(listed) } else { listed.clone() };
    let pick_any = move |_| {
        session.send(any_of(facet));
        open.set(false);
    };
    let pressed = move || chosen.with(Option::is_none).to_string();
    let rest = facets.total.saturating_sub(counted);
    let note = match (left_out, rest) {
        (0, 0) => None,
        (0, rest) => Some([text::lines(rest).as_str(), " without one"].concat()),
        (more, rest) => {
            Some([text::count(more).as_str(), " more with ", &text::lines(rest), " at most"].concat())
        }
    };
    view! {
        <ul class="items facets">
            <li>
                <button class="item" aria-pressed=pressed on:click=pick_any>
                    <span class="grow">{any}</span>
                    <span class="tree-count">{text::count(facets.total)}</span>
                </button>
            </li>
            {values.into_iter().map(|one| view! { <FacetValue facet one chosen open /> }).collect_view()}
        </ul>
        {note.map(|note| view! { <p class="remark faint">{note}</p> })}
    }
}

/// The worst level first, each with the lines of the worse ones, as a click shows them.
fn and_worse(levels: &[FacetCount]) -> Vec<FacetCount> {
    let found = |level: &Level| levels.iter().find(|one| one.value == level.name());
    let sum = |sum: &mut u64, one: &FacetCount| {
        *sum += one.count;
        Some(FacetCount { value: one.value.clone(), count: *sum })
    };
    Level::ALL.iter().rev().filter_map(found).scan(0, sum).collect()
}

#[component]
fn FacetValue(
    facet: Facet,
    one: FacetCount,
    chosen: Memo<Option<String>>,
    open: RwSignal<bool>,
) -> impl IntoView {
    let session = use_session();
    let (key, ..) = names(facet);
    let FacetCount { value, count } = one;
    let filter = move |excluded, value: &str| {
        session.send(Command::Narrow(FieldFilter {
            name: key.to_owned(),
            value: value.to_owned(),
            excluded,
        }));
        open.set(false);
    };
    let (only, not, known) = (value.clone(), value.clone(), value.clone());
    let pressed = move || chosen.with(|chosen| chosen.as_ref() == Some(&known)).to_string();
    let without = ["Without ", key, " = ", &value].concat();
    let level = (facet == Facet::Level).then(|| Level::parse(&value)).flatten();
    let tag =
        level.map(|level| view! { <span class=["tag level-", level.name()].concat()>{level.tag()}</span> });
    view! {
        <li class="facet">
            <button class="item" aria-pressed=pressed title=value.clone() on:click=move |_| filter(false, &only)>
                {tag}
                <span class="grow" class:component=facet == Facet::Component>
                    <span class="path">{plain(&worded(facet, &value))}</span>
                </span>
                <span class="tree-count">{text::count(count)}</span>
            </button>
            <button class="control small icon-only" aria-label=without.clone() title=without on:click=move |_| filter(true, &not)>
                <Glyph icon=Icon::Minus />
            </button>
        </li>
    }
}

/// The filters without a control of their own.
#[component]
fn Chips() -> impl IntoView {
    let session = use_session();
    let fields = session.part(|state| {
        let pattern = state.view.pattern.clone().map(|value| FieldFilter {
            name: "pattern".into(),
            value,
            excluded: false,
        });
        pattern.into_iter().chain(state.view.fields.iter().cloned()).collect::<Vec<_>>()
    });
    let both = session.part(|state| state.view.with_baseline && state.view.tab == Tab::Lines);
    let chips = move || {
        let chip = |filter: FieldFilter| view! { <Chip filter /> };
        fields.get().into_iter().map(chip).collect_view()
    };
    view! {
        <span class="filter-chips">
            {move || chips()}
            <Show when=move || both.get()>
                <ChipFrame
                    name="Take away: the time before".to_owned()
                    title="Lines of the baseline and of the selection".to_owned()
                    take_away=move |()| session.send(Command::WithBaseline(false))
                >
                    <span class="mono">"with the time before"</span>
                </ChipFrame>
            </Show>
            <Show when=move || fields.with(|fields| fields.len() > 1)>
                <button class="control small" on:click=move |_| session.send(Command::ClearFilters)>"Clear all"</button>
            </Show>
        </span>
    }
}

#[component]
fn Chip(filter: FieldFilter) -> impl IntoView {
    let session = use_session();
    let is_pattern = filter.name == "pattern";
    let sign = if filter.excluded { " ≠ " } else { " = " };
    let name = ["Take away: ", &filter.name, sign, &filter.value].concat();
    let id = filter.value.clone();
    let value = if is_pattern && (filter.excluded || session.now_part(|state| state.view.pattern.is_some())) {
        let template = load_template(session, id.clone());
        Signal::derive(move || template.get().unwrap_or_else(|| id.clone()))
    } else {
        Signal::stored(id)
    };
    let (label, value) = (plain(&filter.name), move || plain(&value.get()));
    let take_away = move |()| {
        session.send(if is_pattern && !filter.excluded {
            Command::SetPattern(None)
        } else {
            Command::Widen(filter.clone())
        });
    };
    view! {
        <ChipFrame name title=Signal::derive(value) take_away>
            <span class="muted">{label}</span>
            <span class="faint">{sign}</span>
            <span class="mono">{move || value()}</span>
        </ChipFrame>
    }
}

/// What narrows the lines, or widens them, and the button that takes it away.
#[component]
fn ChipFrame(
    /// The button's accessible name.
    name: String,
    #[prop(into)] title: Signal<String>,
    #[prop(into)] take_away: Callback<()>,
    children: Children,
) -> impl IntoView {
    view! {
        <span class="filter-chip" title=move || title.get()>
            {children()}
            <button class="control small icon-only" aria-label=name on:click=move |_| take_away.run(())>
                <Glyph icon=Icon::Close />
            </button>
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_counts_the_worse_ones_too() {
        let count = |(value, count): &(&str, u64)| FacetCount { value: (*value).to_owned(), count: *count };
        let levels: Vec<_> =
            [("info", 70), ("error", 2), ("debug", 20), ("warn", 8)].iter().map(count).collect();
        let expected: Vec<_> =
            [("error", 2), ("warn", 10), ("info", 80), ("debug", 100)].iter().map(count).collect();
        assert_eq!(and_worse(&levels), expected);
    }
}
