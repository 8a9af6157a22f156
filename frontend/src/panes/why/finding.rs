//! One finding: what it is of, how large it is, when it moved, its course.

use super::{WhyPlace, show};
use crate::chart::{ChartContext, Hover};
use crate::panes::icons::{Glyph, Icon};
use crate::plain::plain;
use crate::session::use_session;
use crate::state::{HEIGHT, bars, line, span_percent};
use crate::text;
use leptos::prelude::*;
use sonde_shared::time::Timestamp;
use sonde_shared::why::{Change, Course, Finding, FindingKind, Member, Place};
use wasm_bindgen::JsCast;
use web_sys::Element;

/// At most so many of what moved together are listed.
const LISTED: usize = 8;

/// What the charts show of a finding while the pointer or the focus is on it: its series stands in front where it is drawn, and an
/// event's instant has the crosshair.
#[derive(Clone, Copy)]
struct Look {
    charts: ChartContext,
    target: StoredValue<Option<String>>,
    at: Option<Timestamp>,
}

impl Look {
    fn at(place: &Place) -> Self {
        let target = StoredValue::new(place.target.clone());
        Self { charts: expect_context(), target, at: place.event() }
    }

    fn begin(self) {
        self.charts.looked_at.set(self.target.get_value());
        self.cross(self.at);
    }

    fn end(self) {
        self.charts.looked_at.set(None);
        self.cross(None);
    }

    /// Moves the crosshair to an event, or takes it away.
    fn cross(self, at: Option<Timestamp>) {
        if self.at.is_some() {
            self.charts.hover.set(at.map(|at| Hover { source: "why".to_owned(), at }));
        }
    }

    /// Who clicked looks at the chart next.
    fn leave(self, event: &web_sys::PointerEvent) {
        let left = event.current_target().and_then(|target| target.dyn_into::<Element>().ok());
        if left.is_none_or(|button| document().active_element() != Some(button)) {
            self.end();
        }
    }
}

/// A finding of a comparison of `[baseline, selection]`, in unix milliseconds.
#[component]
pub(super) fn FindingItem(finding: Finding, range: [[i64; 2]; 2]) -> impl IntoView {
    let (head, name) = subject_parts(&finding);
    let title = title(&finding);
    let lag = finding.lag_s.and_then(lag_text);
    let place = place_text(&finding);
    // An event is told for what changed behind it, not for being rare.
    let by_chance = (finding.kind != FindingKind::Event).then(|| chance_text(finding.p_value));
    let course = finding.course.clone().map(|course| {
        let is_line = finding.kind == FindingKind::Metric;
        view! { <CourseChart course is_line range /> }
    });
    let (icon, kind) = kind_of(finding.kind);
    let members = (!finding.members.is_empty()).then(|| {
        let (members, total) = (finding.members.clone(), finding.members_total);
        view! { <Members members total change=finding.change /> }
    });
    let change = change_name(finding.change);
    let zone = use_session().zone;
    let words = finding.clone();
    let summary = move || plain(&words.summary_by(|at| text::clock(at, zone.get())));
    let subject = finding.subject.clone();
    view! {
        <li class="finding" data-kind=kind data-subject=subject>
            <Opener class="finding-open" title change=finding.change at=finding.at>
                <span class="finding-head">
                    <Glyph icon />
                    <span class="unseen">{kind}": "</span>
                    <span class="finding-subject" dir="auto"><span class="faint">{breakable(&head)}</span>{breakable(&name)}</span>
                    <span class="finding-change" data-change=change>{change}</span>
                </span>
                <span class="finding-summary" dir="auto">{move || summary()}</span>
                <span class="finding-when faint">
                    <span class="finding-place">{place}</span>
                    <span>{lag}</span>
                    <span>{by_chance}</span>
                </span>
                {course}
            </Opener>
            {members}
        </li>
    }
}

/// What leads to the chart or the lines of a finding, and puts its series in front while one looks at it.
#[component]
fn Opener(
    class: &'static str,
    title: String,
    change: Change,
    at: Place,
    children: Children,
) -> impl IntoView {
    let session = use_session();
    let sheets: WhyPlace = expect_context();
    let look = Look::at(&at);
    view! {
        <button
            class=class
            title=(!title.is_empty()).then_some(title)
            on:click=move |_| show(session, sheets, look.charts, change, &at)
            on:pointerenter=move |event: web_sys::PointerEvent| if event.pointer_type() == "mouse" { look.begin() }
            on:pointerleave=move |event| look.leave(&event)
            on:focus=move |_| look.begin()
            on:blur=move |_| look.end()
        >
            {children()}
        </button>
    }
}

/// What moved together with a finding.
#[component]
fn Members(members: Vec<Member>, total: u64, change: Change) -> impl IntoView {
    let rest = total.saturating_sub(LISTED.min(members.len()) as u64);
    let item = move |member: &Member| {
        let subject = plain(&member.subject);
        view! {
            <li>
                <Opener class="step" title=String::new() change at=member.at.clone()>{subject}</Opener>
                " "
                <span class="faint">{plain(&member.summary)}</span>
            </li>
        }
    };
    view! {
        <Unfold label=format!("+{total} moved with it")>
            <ul class="finding-members">
                {members.iter().take(LISTED).map(item).collect_view()}
                {(rest > 0).then(|| view! { <li class="faint">{format!("and {rest} more")}</li> })}
            </ul>
        </Unfold>
    }
}

/// A button that unfolds and folds what comes below it.
#[component]
pub(super) fn Unfold(label: String, children: ChildrenFn) -> impl IntoView {
    let open = RwSignal::new(false);
    view! {
        <button
            class="control small"
            aria-expanded=move || open.get().to_string()
            on:click=move |_| open.update(|open| *open = !*open)
        >
            {label}
        </button>
        <Show when=move || open.get()>{children()}</Show>
    }
}

#[component]
fn CourseChart(course: Course, is_line: bool, range: [[i64; 2]; 2]) -> impl IntoView {
    let [baseline, selection] = range.map(|range| span_percent(&course, range));
    let width = course.values.len().max(1);
    let path = if is_line { line(&course) } else { bars(&course) };
    let span = |class: &'static str, (from, length): (i64, i64)| {
        view! { <span class=class style:left=format!("{from}%") style:width=format!("{length}%")></span> }
    };
    view! {
        <span class="course" aria-hidden="true">
            {span("course-baseline", baseline)}
            {span("course-selection", selection)}
            <svg viewBox=format!("0 0 {width} {HEIGHT}") preserveAspectRatio="none">
                <path class=if is_line { "course-line" } else { "course-bars" } d=path></path>
            </svg>
        </span>
    }
}

const fn kind_of(kind: FindingKind) -> (Icon, &'static str) {
    match kind {
        FindingKind::Metric => (Icon::Metric, "metric"),
        FindingKind::Pattern => (Icon::Pattern, "pattern"),
        FindingKind::Field => (Icon::Field, "field"),
        FindingKind::Component => (Icon::Components, "component"),
        FindingKind::Host => (Icon::Host, "host"),
        FindingKind::Event => (Icon::Event, "event"),
    }
}

const fn change_name(change: Change) -> &'static str {
    match change {
        Change::Up => "up",
        Change::Down => "down",
        Change::New => "new",
        Change::Gone => "gone",
        Change::Shape => "shape",
        Change::Before => "before",
    }
}

/// A dotted name's beginning, which stands back, and its last two steps; anything else is all name.
fn subject_parts(finding: &Finding) -> (String, String) {
    let subject = plain(&finding.subject);
    let is_path = matches!(finding.kind, FindingKind::Metric | FindingKind::Component);
    let cut = if is_path { subject.rmatch_indices('.').nth(1).map_or(0, |(at, _)| at + 1) } else { 0 };
    (subject[..cut].to_owned(), subject[cut..].to_owned())
}

/// A name that may be broken behind its dots and underscores.
fn breakable(name: &str) -> impl IntoView + use<> {
    let part = |part: &str| view! { {part.to_owned()}<wbr /> };
    name.split_inclusive(['.', '_', '/', '=']).map(part).collect_view()
}

/// The component whose lines these are, where the subject does not say it.
fn place_text(finding: &Finding) -> Option<String> {
    let says_it = matches!(finding.kind, FindingKind::Component | FindingKind::Metric);
    finding.at.component.as_deref().filter(|_| !says_it).map(plain)
}

/// `12 s before the chart`; nothing where both moved at once.
fn lag_text(lag_s: f64) -> Option<String> {
    let seconds = lag_s.abs().round() as u64;
    let side = if lag_s < 0.0 { "before" } else { "after" };
    (seconds > 0).then(|| format!("{seconds} s {side} the chart"))
}

fn title(finding: &Finding) -> String {
    let what = if finding.at.target.is_some() { "Show its chart" } else { "Show it" };
    [&plain(&finding.subject), "\n", what].concat()
}

/// How often so large a change comes by chance.
fn chance_text(p_value: f64) -> String {
    let (under, times) =
        if p_value < 0.000_1 { ("under ", 10_000) } else { ("", (1.0 / p_value).round() as u64) };
    ["by chance ", under, "1 in ", &text::count(times)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lag_is_said_in_seconds_before_or_after() {
        let check = |lag: f64, expected: Option<&str>| assert_eq!(lag_text(lag).as_deref(), expected);
        check(-12.4, Some("12 s before the chart"));
        check(30.0, Some("30 s after the chart"));
        check(0.3, None);
    }

    #[test]
    fn how_often_it_comes_by_chance_is_said_in_few_words() {
        let check = |p_value: f64, expected: &str| assert_eq!(chance_text(p_value), expected);
        check(0.000_31, "by chance 1 in 3\u{202f}226");
        check(0.004, "by chance 1 in 250");
        check(0.000_02, "by chance under 1 in 10\u{202f}000");
        check(0.0, "by chance under 1 in 10\u{202f}000");
    }
}
