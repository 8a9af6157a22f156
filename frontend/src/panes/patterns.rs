//! What the lines say: their patterns with counts that add up to the lines, beside those of the baseline.

use super::empty::ErrorNote;
use super::icons::{Glyph, Icon};
use super::spread::{comes_again, number_spread};
use crate::boxed::memo;
use crate::feeds::{MOST_PATTERNS, PatternFeed, PatternList, PatternRow, load_values, sort_patterns};
use crate::plain::plain;
use crate::session::use_session;
use crate::state::Command;
use crate::text;
use leptos::prelude::*;
use sonde_shared::api::{FacetCount, PatternValues, SlotValues, ValueCount};
use sonde_shared::time::TimeRange;
use sonde_shared::view::{FieldFilter, PatternSort};
use std::sync::Arc;

const NO_LINES: &str = "No lines, so no patterns.";
/// The most patterns of the baseline that are told to be gone.
const MOST_GONE: usize = 20;
/// So many values are listed of those that hardly come again.
const FEW_VALUES: usize = 3;

/// The tab.
#[component]
pub(super) fn PatternsPane() -> impl IntoView {
    let session = use_session();
    let feed = PatternFeed::start(session);
    let open = session.part(|state| state.view.values.clone());
    let list = move || match (feed.patterns.value.get(), feed.patterns.error.get()) {
        (_, Some(error)) => view! { <ErrorNote error retry=move |()| feed.patterns.retry() /> }.into_any(),
        (Some(list), None) if list.total == 0 && gone(feed).is_empty() => {
            view! { <div class="state"><p>{NO_LINES}</p></div> }.into_any()
        }
        (Some(list), None) => view! { <Patterns feed list open /> }.into_any(),
        (None, None) => ().into_any(),
    };
    view! {
        <div class="patterns" tabindex="0" role="region" aria-label="Patterns">
            <Heads feed />
            {move || list()}
        </div>
    }
}

/// The heads of what stands side by side; a click puts the patterns in that order.
#[component]
fn Heads(feed: PatternFeed) -> impl IntoView {
    let session = use_session();
    let head = move |sort: PatternSort, name: &'static str, title: &'static str| {
        view! {
            <button
                class="sort"
                title=title
                aria-pressed=move || (feed.sort.get() == sort).to_string()
                on:click=move |_| session.send(Command::SetSort(sort))
            >
                {name}
            </button>
        }
    };
    let change = move || {
        let title = "New ones first, then what has grown most against the time before";
        feed.baseline.get().map(|_| head(PatternSort::Change, "change", title))
    };
    view! {
        <div class="pattern-row pattern-heads" role="group" aria-label="Order of the patterns">
            <span></span>
            {head(PatternSort::Count, "lines", "The most frequent first")}
            <span></span>
            <span></span>
            <span class="versus">{change}</span>
            {head(PatternSort::Level, "lvl", "The worst level first: that of a pattern's worst line")}
            {head(PatternSort::Text, "pattern", "By what they say")}
        </div>
    }
}

#[component]
fn Patterns(feed: PatternFeed, list: Arc<PatternList>, open: Memo<Option<String>>) -> impl IntoView {
    let nanos = untracked_lengths(feed);
    let most = list.rows.first().map_or(1, |row| row.count).max(1);
    let total = list.total;
    let sorted = memo({
        let list = Arc::clone(&list);
        move || {
            let mut rows = list.rows.clone();
            sort_patterns(&mut rows, feed.sort.get(), nanos);
            rows.truncate(feed.shown.get());
            rows
        }
    });
    let rows = move || {
        let counted = Counted::Now { total, most, nanos };
        let row = |row: PatternRow| view! { <Pattern feed row counted open /> };
        sorted.get().into_iter().map(row).collect_view()
    };
    let sum = move || sorted.with(|shown| sum_of(shown, &list));
    let compared = move || {
        let baseline = feed.baseline.get()?;
        let session = use_session();
        let when = text::range(baseline, session.server_now(), session.zone.get());
        Some(view! { <span class="faint">" · compared with " {when}</span> })
    };
    view! {
        <p class="sum">{move || sum()}{move || compared()}</p>
        <ul class="pattern-list">{move || rows()}</ul>
        <More feed />
        {move || view! { <Gone feed gone=gone(feed) open /> }}
    }
}

/// How long the lines' range and the baseline are.
fn untracked_lengths(feed: PatternFeed) -> (i64, i64) {
    let session = use_session();
    let own = session.query.with_untracked(|query| query.range.nanos());
    (own, feed.baseline.get_untracked().map_or(0, TimeRange::nanos))
}

/// Leads to those that are not shown, as far as the server sends them.
#[component]
fn More(feed: PatternFeed) -> impl IntoView {
    let is_more = move || {
        let shown = feed.shown.get();
        let there = |list: &PatternList| list.rows.len() as u64 + list.left_out.0;
        shown < MOST_PATTERNS
            && feed.patterns.value.with(|list| list.as_ref().is_some_and(|list| there(list) > shown as u64))
    };
    view! {
        <Show when=is_more>
            <button class="control pattern-more" on:click=move |_| feed.show_more()>"Show more patterns"</button>
        </Show>
    }
}

/// Says that the counts add up, and what is not shown.
fn sum_of(rows: &[PatternRow], list: &PatternList) -> String {
    let lines = |rows: &[PatternRow]| rows.iter().map(|row| row.count).sum::<u64>();
    let (shown, counted) = (rows.len() as u64, lines(rows));
    let more = list.rows.len() as u64 - shown + list.left_out.0;
    let their_lines = lines(&list.rows) - counted + list.left_out.1;
    let patterns = |count: u64| {
        [text::count(count).as_str(), if count == 1 { " pattern" } else { " patterns" }].concat()
    };
    if list.total == 0 {
        return NO_LINES.to_owned();
    }
    if more == 0 {
        return [patterns(shown).as_str(), " · ", &text::lines(counted), ", all of them"].concat();
    }
    let all = text::lines(counted + their_lines);
    [
        &patterns(shown),
        " · ",
        &text::lines(counted),
        "; ",
        &patterns(more),
        " more with ",
        &text::lines(their_lines),
        "; together ",
        &all,
    ]
    .concat()
}

/// Which lines a row counts.
#[derive(Clone, Copy)]
enum Counted {
    /// Those of the pane: of so many, of at most so many a pattern, beside the baseline in ranges of these lengths.
    Now { total: u64, most: u64, nanos: (i64, i64) },
    /// Those of the baseline, of a pattern that has none in the pane.
    Before,
}

impl Counted {
    const fn is_before(self) -> bool {
        matches!(self, Self::Before)
    }
}

#[component]
fn Pattern(
    feed: PatternFeed,
    row: PatternRow,
    counted: Counted,
    open: Memo<Option<String>>,
) -> impl IntoView {
    let id = row.id.clone();
    let is_open = memo(move || open.with(|open| open.as_ref() == Some(&id)));
    let gone = counted.is_before();
    let (id, levels) = (row.id.clone(), Arc::clone(&row.levels));
    let (example, template) = (row.example.clone(), row.template.clone());
    let (level, pattern) = (row.level, (!gone).then(|| id.clone()));
    view! {
        <li class=["pattern level-", level.name()].concat() class:gone=gone data-pattern=pattern>
            <PatternLine row counted is_open />
            <Show when=move || is_open.get()>
                <Levels levels=Arc::clone(&levels) />
                <Values feed id=id.clone() template=template.clone() gone />
                <p class="example mono"><span class="muted">{plain(&example.component)}</span>" "{plain(&example.text().message)}</p>
            </Show>
        </li>
    }
}

/// What is always seen of a pattern.
#[component]
fn PatternLine(row: PatternRow, counted: Counted, is_open: Memo<bool>) -> impl IntoView {
    let session = use_session();
    let gone = counted.is_before();
    let id = row.id.clone();
    let toggle = move |_| session.send(Command::ListValues((!is_open.get_untracked()).then(|| id.clone())));
    let id = row.id.clone();
    let show = move |_| session.send(if gone { Command::ShowGone(id.clone()) } else { narrow(false, &id) });
    let versus = match counted {
        Counted::Now { nanos, .. } => row.change(nanos).map(versus),
        Counted::Before => Some("gone".to_owned()),
    };
    view! {
        <div class="pattern-row">
            <button
                class="control small icon-only unfold"
                aria-label="Values and an example"
                aria-expanded=move || is_open.get().to_string()
                on:click=toggle
            >
                <Glyph icon=Icon::Chevron />
            </button>
            <span class="number" class:muted=gone>{text::count(row.count)}</span>
            {share(&row, counted)}
            <span class="versus" class:new=row.before == Some(0) && !gone>{versus}</span>
            <span class="tag" title=text::levels(&row.levels)>{row.level.tag()}</span>
            <button
                class="template mono"
                title=if gone { "Show its lines of before" } else { "Show its lines" }
                on:click=show
            >
                {holes(&row.template)}
            </button>
            {(!gone).then(|| view! { <LeaveOut id=row.id /> })}
        </div>
    }
}

#[component]
fn LeaveOut(id: String) -> impl IntoView {
    let session = use_session();
    view! {
        <button
            class="control small icon-only"
            aria-label="Leave its lines out"
            title="Leave its lines out"
            on:click=move |_| session.send(narrow(true, &id))
        >
            <Glyph icon=Icon::Minus />
        </button>
    }
}

/// Shows the lines of a pattern alone, or all but those.
fn narrow(excluded: bool, id: &str) -> Command {
    Command::Narrow(FieldFilter { name: "pattern".to_owned(), value: id.to_owned(), excluded })
}

/// The part of all lines that a pattern has, as a bar and in figures; nothing of one that has none.
fn share(row: &PatternRow, counted: Counted) -> impl IntoView + use<> {
    let (bar, share) = match counted {
        Counted::Now { total, most, .. } => {
            let width = row.count as f64 / most as f64 * 100.0;
            let width = [&(width as u32).max(1).to_string(), "%"].concat();
            let parts = level_parts(&row.levels, row.count);
            let bar = view! { <span class="bar" style:width=width>{parts}</span> };
            (Some(bar), Some(text::percent(row.count, total)))
        }
        Counted::Before => (None, None),
    };
    view! {
        <span class="share">{bar}</span>
        <span class="number muted">{share}</span>
    }
}

/// A pattern's bar in the colours of its lines' levels, the worst first.
fn level_parts(levels: &[FacetCount], count: u64) -> Vec<AnyView> {
    let part = |one: &FacetCount| {
        let width = [&(one.count as f64 / count.max(1) as f64 * 100.0).to_string(), "%"].concat();
        view! { <span class=["level-", &one.value].concat() style:width=width></span> }.into_any()
    };
    levels.iter().map(part).collect()
}

/// The levels of a pattern's lines, where they differ.
#[component]
fn Levels(levels: Arc<[FacetCount]>) -> impl IntoView {
    let lines = levels.iter().map(|one| one.count).sum();
    let level = |one: &FacetCount| {
        let share = text::percent(one.count, lines);
        view! { <span class="slot-value">{one.value.clone()}" "<span class="muted">{share}</span></span> }
    };
    (levels.len() > 1).then(|| {
        view! { <dl class="slots"><dt>"level"</dt><dd>{levels.iter().map(level).collect_view()}</dd></dl> }
    })
}

/// `new`, or how many times as many an hour as before.
fn versus(change: f64) -> String {
    if change.is_infinite() { "new".to_owned() } else { text::times(change) }
}

/// A template with its variable parts set off; one can point at that of messages without a text, too.
fn holes(template: &str) -> Vec<AnyView> {
    let mut parts: Vec<AnyView> = Vec::new();
    if template.is_empty() {
        parts.push(view! { <span class="faint">"(no text)"</span> }.into_any());
    }
    for (number, text) in plain(template).split("<*>").enumerate() {
        if number > 0 {
            parts.push(view! { <span class="hole">"<*>"</span> }.into_any());
        }
        parts.push(text.to_owned().into_any());
    }
    parts
}

/// What stands in the variable parts.
#[component]
fn Values(feed: PatternFeed, id: String, template: String, gone: bool) -> impl IntoView {
    let loaded = load_values(use_session(), id, feed.baseline, gone);
    move || match (loaded.value.get(), loaded.error.get()) {
        (_, Some(error)) => view! { <ErrorNote error retry=move |()| loaded.retry() /> }.into_any(),
        (Some(values), None) => slots(&values, &template).into_any(),
        (None, None) => view! { <p class="remark faint">"Reading values…"</p> }.into_any(),
    }
}

fn slots(values: &PatternValues, template: &str) -> impl IntoView + use<> {
    let lines = values.lines;
    let note = (lines.scanned < lines.total).then(|| {
        let note =
            ["From ", &text::lines(lines.scanned), " of ", &text::count(lines.total), ", evenly chosen."]
                .concat();
        view! { <p class="remark faint">{note}</p> }
    });
    let fixed: Vec<&str> = template.split("<*>").collect();
    let slots = values.slots.iter().map(|slot| {
        let [before, behind] =
            [slot.slot, slot.slot + 1].map(|at| fixed.get(at).copied().unwrap_or_default());
        let unit = unit_behind(behind);
        let name = [tail(before), "<*>", unit.map_or("", |(written, _)| written)].concat();
        let unit = unit.map_or("none", |(_, unit)| unit);
        view! { <dt class="mono">{plain(&name)}</dt><dd>{slot_values(slot, lines.matched, unit)}</dd> }
    });
    view! { <dl class="slots">{slots.collect_view()}</dl> {note} }
}

/// The last words before a variable part tell which it is.
fn tail(text: &str) -> &str {
    let Some((start, _)) = text.char_indices().rev().nth(15) else { return text.trim_start() };
    // A word that is cut tells nothing, unless it is all there is.
    let whole = text[start..].split_once(' ').map(|(_, rest)| rest).filter(|rest| !rest.trim().is_empty());
    whole.unwrap_or(&text[start..]).trim_start()
}

/// Units as they are written behind a variable part, and the charts' names of them.
const UNITS: [(&str, &str); 6] =
    [(" ms", "ms"), (" s", "s"), (" %", "%"), ("%", "%"), (" bytes", "bytes"), (" B", "bytes")];

/// The unit that the text behind a variable part begins with.
fn unit_behind(text: &str) -> Option<(&'static str, &'static str)> {
    let ends = |rest: &str| !rest.starts_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '/');
    UNITS.into_iter().find(|(written, _)| text.strip_prefix(written).is_some_and(ends))
}

/// The values that come most; or how they are spread, where they are numbers and more than are listed. Of values that hardly come again
/// a few are enough.
fn slot_values(slot: &SlotValues, matched: u64, unit: &'static str) -> impl IntoView + use<> {
    let (numbers, comes_again) = (number_spread(slot, unit), comes_again(slot));
    let listed = match (comes_again, &numbers) {
        (true, _) => slot.values.len(),
        (false, Some(_)) => 0,
        (false, None) => slot.values.len().min(FEW_VALUES),
    };
    let value = |one: &ValueCount| {
        let share = text::percent(one.count, matched);
        let is_new = comes_again && one.baseline_count == Some(0);
        let new = is_new.then(|| view! { <span class="versus new">" new"</span> });
        view! { <span class="slot-value"><span class="mono">{plain(&one.value)}</span>" "<span class="muted">{share}</span>{new}</span> }
    };
    let shown: u64 = slot.values[..listed].iter().map(|one| one.count).sum();
    let others = slot.distinct.saturating_sub(listed as u64);
    let rest = (listed > 0 && others > 0).then(|| {
        let what = if others == 1 { " other " } else { " others " };
        let rest =
            [&text::count(others), what, &text::percent(matched.saturating_sub(shown), matched)].concat();
        view! { <span class="faint">{rest}</span> }
    });
    view! { {numbers} {slot.values[..listed].iter().map(value).collect_view()} {rest} }
}

/// Patterns that only the baseline has.
fn gone(feed: PatternFeed) -> Vec<PatternRow> {
    let list = feed.gone.value.get();
    let rows = list.iter().flat_map(|list| &list.rows).filter(|row| row.before == Some(0));
    rows.take(MOST_GONE).cloned().collect()
}

#[component]
fn Gone(feed: PatternFeed, gone: Vec<PatternRow>, open: Memo<Option<String>>) -> impl IntoView {
    let row = move |row: PatternRow| view! { <Pattern feed row counted=Counted::Before open /> };
    (!gone.is_empty()).then(|| {
        view! {
            <h3 class="part">"Only before, with the counts of then"</h3>
            <ul class="pattern-list">{gone.into_iter().map(row).collect_view()}</ul>
        }
    })
}
