//! What differs in the selection: the findings, best first, each with its size, its course and one click to its chart or lines.
//!
//! Its column is there before a selection is, so that the charts keep their width, and with it their scale, when findings come.

use super::empty::{ErrorNote, SLOW};
use super::focus::focus;
use super::icons::{Glyph, Icon};
use super::log_list::focus_list;
use crate::boxed::effect;
use crate::chart::ChartContext;
use crate::feeds::Loaded;
use crate::prefs;
use crate::session::{Session, use_session};
use crate::size::{is_narrow, is_phone};
use crate::state::{AppState, Command};
use crate::text;
use finding::{FindingItem, Unfold};
use leptos::prelude::*;
use sonde_shared::why::{Change, Finding, Place, QUIET, Why};
use std::sync::Arc;

mod finding;

/// Whether the column is open, where it has room of its own; and whether it lies over the page, where it has none.
#[derive(Clone, Copy)]
pub struct WhyPlace {
    /// Kept in this browser.
    pub open: RwSignal<bool>,
    /// On narrow pages.
    pub over: RwSignal<bool>,
    /// On a phone, whether the sheet of lines is open, which takes its place.
    pub lines: RwSignal<bool>,
    /// The entry of the history that a finding led to on a phone, where the list made way for it.
    led_to: StoredValue<Option<f64>>,
}

impl WhyPlace {
    /// As it was left.
    pub fn stored() -> Self {
        Self {
            open: prefs::switch("why", true),
            over: RwSignal::new(false),
            lines: RwSignal::new(false),
            led_to: StoredValue::new(None),
        }
    }

    /// Whether it lies over the page now.
    pub fn lies_over(self) -> bool {
        self.over.get_untracked() && is_narrow()
    }

    /// A step back from what a finding led to shows the list again.
    fn follow_back(self, session: Session) {
        let popped = window_event_listener(leptos::ev::popstate, move |_| {
            if self.led_to.get_value().is_some_and(|entry| session.entry() < entry) {
                self.led_to.set_value(None);
                self.over.set(true);
                self.lines.set(false);
            }
        });
        on_cleanup(move || popped.remove());
    }

    /// Takes it away from over the page. The focus, which goes with it, returns to what it opens from.
    pub fn uncover(self) {
        let is_inside = document()
            .active_element()
            .is_some_and(|focused| focused.closest(".why").is_ok_and(|why| why.is_some()));
        self.over.set(false);
        if is_inside {
            request_animation_frame(focus_tab);
        }
    }
}

/// The column, or the tab that it opens from.
#[component]
pub fn WhyPane(why: Loaded<Why>, place: WhyPlace) -> impl IntoView {
    let session = use_session();
    provide_context(place);
    place.follow_back(session);
    let WhyPlace { open, over, .. } = place;
    let has_selection = move || session.selection.get().is_some();
    let close = move |_| {
        place.uncover();
        open.set(false);
    };
    let unfold = move |_| {
        open.set(true);
        over.set(true);
    };
    view! {
        <aside class="why" class:open=move || open.get() class:over=move || over.get() aria-label="What changed">
            <button class="why-tab" aria-label=move || tab_label(why) aria-expanded=move || over.get().to_string() on:click=unfold>
                <span class="why-count">{move || why.value.get().map(|why| why.findings.len())}</span>
                <span class="why-tab-name" aria-hidden="true">"What changed"</span>
            </button>
            <div class="why-body">
                <header class="why-head">
                    <h2>"What changed"</h2>
                    <button class="control small icon-only" aria-label="Close what changed" title="Close" on:click=close>
                        <Glyph icon=Icon::Close />
                    </button>
                </header>
                <Show when=has_selection fallback=|| view! { <Hint /> }>
                    <Compared session />
                    <Answer why />
                </Show>
            </div>
        </aside>
    }
}

fn tab_label(why: Loaded<Why>) -> String {
    match why.value.get() {
        None => "What changed".to_owned(),
        Some(why) => format!("What changed: {}", findings(why.findings.len())),
    }
}

fn findings(number: usize) -> String {
    format!("{number} {}", if number == 1 { "finding" } else { "findings" })
}

/// What there will be, and how to get there.
#[component]
fn Hint() -> impl IntoView {
    view! {
        <p class="state faint">
            "Drag over a chart or over the histogram of lines: here stands what differs then from the time before. Series, log patterns, values in lines, components, hosts and events, in one list."
        </p>
    }
}

/// What is compared with what.
#[component]
fn Compared(session: Session) -> impl IntoView {
    let baseline = session.part(AppState::compared);
    let compared = move || {
        let (selection, baseline) = (session.selection.get()?, baseline.get()?);
        Some(text::range(baseline, selection.from, session.zone.get()))
    };
    view! { <p class="why-compared faint">"Against " {move || compared()}</p> }
}

/// The findings, or that there are none, or none yet.
#[component]
fn Answer(why: Loaded<Why>) -> impl IntoView {
    let session = use_session();
    let is_slow = RwSignal::new(false);
    effect(move || {
        session.selection.track();
        is_slow.set(false);
        set_timeout(move || _ = is_slow.try_set(true), SLOW);
    });
    // What is there still answers the former selection.
    let is_former = move || {
        let asked = session.selection.get().map(|range| [range.from.as_millis(), range.until.as_millis()]);
        why.value.with(|why| why.as_ref().is_some_and(|why| Some(why.range_ms) != asked))
    };
    let overlaps = session.part(AppState::overlaps_baseline);
    let body = move || {
        if overlaps.get() {
            return view! { <Overlap /> }.into_any();
        }
        if let Some(error) = why.error.get() {
            let retry = move |()| why.retry();
            return view! { <ErrorNote error retry /> }.into_any();
        }
        match why.value.get() {
            Some(answer) => view! { <Findings answer /> }.into_any(),
            None if is_slow.get() => view! { <Skeletons /> }.into_any(),
            None => ().into_any(),
        }
    };
    view! {
        <div class="why-answer" class:former=is_former aria-busy=move || (!overlaps.get() && why.value.with(|why| why.as_ref().is_none_or(|why| !why.done))).to_string()>
            {move || body()}
        </div>
    }
}

/// The selection would be compared with itself.
#[component]
fn Overlap() -> impl IntoView {
    let session = use_session();
    view! {
        <div class="state" role="alert">
            <p>"The baseline overlaps the selection, and nothing differs from itself. Move it away, or clear it."</p>
            <button class="control" on:click=move |_| session.send(Command::SetBaseline(None))>
                "Clear the baseline"
            </button>
        </div>
    }
}

#[component]
fn Skeletons() -> impl IntoView {
    view! {
        <div class="why-skeletons" aria-hidden="true">
            {(0..4).map(|_| view! { <div class="why-skeleton"></div> }).collect_view()}
        </div>
    }
}

#[component]
fn Findings(answer: Arc<Why>) -> impl IntoView {
    let is_quiet = answer.done && answer.findings.is_empty();
    // That nothing stands out, and among how much, is said once.
    let quiet = answer.note.as_deref().filter(|_| is_quiet).and_then(|note| note.strip_prefix(QUIET));
    let said = if quiet.is_some() { String::new() } else { looked_at(&answer) };
    let note = quiet.map(str::to_owned).or_else(|| answer.note.clone());
    let count = answer.findings.len();
    let range = [answer.baseline_ms, answer.range_ms];
    let item = move |finding| view! { <FindingItem finding range /> };
    view! {
        {is_quiet.then(|| view! { <p class="state">"Nothing stands out."</p> })}
        {note.map(|note| view! { <p class="why-note faint">{note}</p> })}
        <ol class="findings" aria-label=findings(count)>
            {answer.findings.iter().cloned().map(item).collect_view()}
        </ol>
        <p class="why-note faint">{said}</p>
        {answer.done.then(|| view! { <Weaker findings=answer.weaker.clone() range /> })}
    }
}

/// What comes next to the findings: for who knows from elsewhere that something happened.
#[component]
fn Weaker(findings: Vec<Finding>, range: [[i64; 2]; 2]) -> impl IntoView {
    let item = move |finding: &Finding| view! { <FindingItem finding=finding.clone() range /> };
    (!findings.is_empty()).then(|| {
        view! {
            <Unfold label=format!("Less likely: {}", findings.len())>
                <p class="why-note faint">"The largest of the rest: chance makes the like of them now and then."</p>
                <ol class="findings" aria-label="Less likely">
                    {findings.iter().map(item).collect_view()}
                </ol>
            </Unfold>
        }
    })
}

/// `Compared: 214 metrics, 37 patterns, 12 components, 860 values in 4 000 of 84 213 lines.`
fn looked_at(why: &Why) -> String {
    let tested = &why.tested;
    let some = |number: u64, what: &str| {
        let what = if number == 1 { what.strip_suffix('s').unwrap_or(what) } else { what };
        (number > 0).then(|| format!("{} {what}", text::count(number)))
    };
    let fields = some(tested.fields, "values").map(|values| {
        let read = text::count(tested.sampled_lines);
        if tested.sampled_lines == tested.lines {
            format!("{values} in all {read} lines")
        } else {
            format!("{values} in {read} of {} lines", text::count(tested.lines))
        }
    });
    let parts = [
        some(tested.series, "metrics"),
        some(tested.patterns, "patterns"),
        some(tested.components, "components"),
        some(tested.events, "events"),
        fields,
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!("Compared: {}.", parts.join(", ")) }
}

/// Shows what a finding, or what moved with it, is of.
fn show(session: Session, sheets: WhyPlace, charts: ChartContext, change: Change, place: &Place) {
    session.go(Command::OpenFinding(change, Box::new(place.clone())));
    let is_chart = place.target.is_some();
    if let Some(target) = &place.target {
        session.reveal_series(target);
    }
    if let Some(at) = place.event() {
        charts.pinned.set(Some(at));
    }
    // There the findings lie over what they lead to.
    if is_phone() {
        sheets.over.set(false);
        sheets.lines.set(!is_chart);
        sheets.led_to.set_value(Some(session.entry()));
        // The finding that had the focus is out of sight.
        request_animation_frame(focus_list);
    }
}

/// To the tab at the right, or on a phone to the one at the bottom.
fn focus_tab() {
    focus(if is_phone() { ".sheet-tabs .why-sheet" } else { ".why-tab" });
}
