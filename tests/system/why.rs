//! What changed in a selection: the demo's answer, quiet windows, and whether each finding leads to what it says.

use sonde_shared::api::Histogram;
use sonde_shared::time::{Day, NANOS_PER_SEC, TimeRange, Timestamp};
use sonde_shared::why::{Finding, FindingKind, Place, Why};
use sonde_tests::server::{Setup, TestServer, binary};
use std::process::Command;

const HOUR: i64 = 3_600 * NANOS_PER_SEC;
const CHARTED: &str = "&target=webapp.backend.git.tree.render_ms";

/// A demo and its incident.
struct Demo {
    server: TestServer,
    incident: TimeRange,
}

impl Demo {
    fn start() -> Self {
        let (server, link) = TestServer::demo();
        let shown = link.split_once("t=").expect("the link has a time").1;
        let day = Day::parse(&shown[..10]).expect("the time begins with a day");
        let from = day.start().plus_nanos((14 * 60 + 5) * 60 * NANOS_PER_SEC);
        wait_until_past(from.plus_nanos(4 * 60 * NANOS_PER_SEC));
        Self { server, incident: TimeRange { from, until: from.plus_nanos(120 * NANOS_PER_SEC) } }
    }

    /// Selections of two minutes in which nothing happened: at least an hour from the incident and from both ends of the demo's
    /// day.
    fn quiet(&self) -> Vec<TimeRange> {
        let now = now();
        let day = TimeRange { from: now.plus_nanos(-23 * HOUR), until: now.plus_nanos(-HOUR) };
        let hours = (-22..=22).filter(|hours| *hours != 0 && hours % 3 == 0);
        let selections = hours.map(|hours| shifted(self.incident, 60 * hours));
        selections.filter(|range| day.contains(range.from) && day.contains(range.until)).collect()
    }

    /// What is found in the incident.
    fn why(&self, more: &str) -> Why {
        ask(&self.server, self.incident, more)
    }
}

/// The demo's incident may be happening just now: then it is waited for its end, some minutes at most.
fn wait_until_past(end: Timestamp) {
    while now() < end {
        assert!(end.nanos_since(now()) < HOUR, "the incident is of the last day");
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("the clock is right");
    Timestamp::from_secs(since.as_secs() as i64)
}

fn path(range: TimeRange, more: &str) -> String {
    format!("/api/why?from={}&until={}{more}", range.from, range.until)
}

fn ask(server: &TestServer, range: TimeRange, more: &str) -> Why {
    server.get(&path(range, more)).ok().json()
}

fn shifted(range: TimeRange, minutes: i64) -> TimeRange {
    let by = minutes * 60 * NANOS_PER_SEC;
    TimeRange { from: range.from.plus_nanos(by), until: range.until.plus_nanos(by) }
}

/// What findings and their members are of, each finding's in one list.
fn subjects(finding: &Finding) -> Vec<(FindingKind, &str)> {
    let members = finding.members.iter().map(|member| (member.kind, &*member.subject));
    [(finding.kind, &*finding.subject)].into_iter().chain(members).collect()
}

#[test]
fn the_demos_causes_come_first_and_nothing_else_is_blamed() {
    let demo = Demo::start();
    for more in ["", CHARTED, "&component=webapp.backend.git"] {
        let why = demo.why(more);
        let told: Vec<String> = why
            .findings
            .iter()
            .map(|one| format!("{:?} {}: {}", one.kind, one.subject, one.summary))
            .collect();
        let told = told.join("\n");
        let first: Vec<_> = why.findings.iter().take(4).flat_map(subjects).collect();
        let has = |kind: FindingKind, part: &str| {
            first.iter().any(|(of, subject)| *of == kind && subject.contains(part))
        };
        assert!(has(FindingKind::Field, "203.0.113.7"), "the client, {more}:\n{told}");
        assert!(has(FindingKind::Pattern, "slow rendering"), "the pattern, {more}:\n{told}");
        assert!(has(FindingKind::Metric, "node1.io.wait"), "the disk, {more}:\n{told}");
        assert!(has(FindingKind::Metric, "tree.render_ms"), "the chart, {more}:\n{told}");
        let all: Vec<_> = why.findings.iter().flat_map(subjects).collect();
        for harmless in ["deploy", "backup", "noisy", "jitter"] {
            assert!(!all.iter().any(|(_, subject)| subject.contains(harmless)), "{harmless}:\n{told}");
        }
        assert!(!all.iter().any(|(kind, _)| *kind == FindingKind::Event), "{told}");
    }
}

#[test]
fn where_nothing_happened_nothing_is_found_and_the_answer_says_so() {
    let demo = Demo::start();
    let quiet = demo.quiet();
    assert!(quiet.len() > 4, "{quiet:?}");
    for range in quiet {
        let why = ask(&demo.server, range, "");
        assert!(why.findings.is_empty(), "{range:?}: {:#?}", why.findings);
        assert!(why.note.is_some() && why.done, "{range:?}: {:?}", why.note);
        assert!(why.tested.series > 50 && why.tested.patterns > 20, "{:?}", why.tested);
    }
}

/// How many lines a place shows in a range.
fn lines(server: &TestServer, place: &Place, [from_ms, until_ms]: [i64; 2]) -> u64 {
    let mut params = vec![
        ("from", Timestamp::from_millis(from_ms).to_string()),
        ("until", Timestamp::from_millis(until_ms).to_string()),
        ("step", "1h".to_owned()),
    ];
    let field = place.field.clone().map(|(name, value)| (format!("field.{name}"), value));
    let given = [
        ("component", &place.component),
        ("host", &place.host),
        ("pattern", &place.pattern),
        ("contains", &place.contains),
    ];
    params.extend(given.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
    params.extend(field.iter().map(|(name, value)| (&**name, value.clone())));
    server.http().ask("/api/logs/histogram", &params).ok().json::<Histogram>().total
}

/// How many points a place's chart has in a range.
fn points(server: &TestServer, target: &str, [from_ms, until_ms]: [i64; 2]) -> usize {
    #[derive(serde::Deserialize)]
    struct Rendered {
        datapoints: Vec<(Option<f64>, i64)>,
    }
    let params = [
        ("target", target.to_owned()),
        ("from", (from_ms / 1_000).to_string()),
        ("until", (until_ms / 1_000).to_string()),
        ("format", "json".to_owned()),
    ];
    let rendered: Vec<Rendered> = server.http().ask("/render", &params).ok().json();
    rendered.iter().flat_map(|series| &series.datapoints).filter(|(value, _)| value.is_some()).count()
}

#[test]
fn each_finding_leads_to_a_chart_or_to_lines_that_are_there() {
    let demo = Demo::start();
    let why = demo.why(CHARTED);
    assert!(!why.findings.is_empty());
    let both = [why.baseline_ms[0].min(why.range_ms[0]), why.range_ms[1]];
    for finding in &why.findings {
        let places = finding.members.iter().map(|member| (&member.at, &member.subject));
        for (place, subject) in [(&finding.at, &finding.subject)].into_iter().chain(places) {
            match &place.target {
                Some(target) => assert!(points(&demo.server, target, both) > 0, "{subject}: {place:?}"),
                None => assert!(lines(&demo.server, place, both) > 0, "{subject}: {place:?}"),
            }
        }
        let course = finding.course.as_ref().expect("each has a small chart");
        assert!(course.values.iter().any(Option::is_some), "{finding:?}");
        assert!(course.from_ms <= why.range_ms[0], "{finding:?}");
    }
}

#[test]
fn a_streamed_answer_is_whole_at_each_line_and_ends_with_the_plain_one() {
    let demo = Demo::start();
    let streamed = demo.server.get(&path(demo.incident, &format!("{CHARTED}&stream=1"))).ok();
    let read = |line: &&[u8]| serde_json::from_slice::<Why>(line).expect("each line is an answer");
    let lines: Vec<Why> = streamed.lines().iter().map(read).collect();
    let done: Vec<bool> = lines.iter().map(|why| why.done).collect();
    assert!(done.len() > 1 && done.iter().position(|done| *done) == Some(done.len() - 1), "{done:?}");
    assert_eq!(*lines.last().expect("there are lines"), demo.why(CHARTED));
    assert!(lines[0].tested.patterns > 0 && lines[0].tested.series == 0, "{:?}", lines[0].tested);
}

#[test]
fn an_answer_is_the_same_from_a_copy_that_was_sealed_and_opened_again() {
    let demo = Demo::start();
    let copy = tempfile::tempdir().expect("a temporary folder can be made");
    let to = copy.path().join("data");
    let run = |args: &[&std::ffi::OsStr]| {
        let done = Command::new(binary()).args(args).output().expect("sonde starts");
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    let text = |text| std::ffi::OsStr::new(text);
    let data = demo_data(&demo.server);
    run(&[text("snapshot"), text("--data"), data.as_os_str(), to.as_os_str()]);
    run(&[text("seal"), text("--data"), to.as_os_str()]);
    let server = Setup::on(&to).start();
    for range in [demo.incident, demo.quiet()[0]] {
        assert_eq!(ask(&server, range, CHARTED), ask(&demo.server, range, CHARTED));
    }
    assert!(ask(&server, demo.incident, "").tested.sampled_lines > 1_000);
}

/// Where the demo keeps its days.
fn demo_data(server: &TestServer) -> std::path::PathBuf {
    let inside = |path: &std::path::Path| -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(path).expect("a folder");
        entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()).collect()
    };
    let mut at = server.data().to_owned();
    while !at.join("lock").exists() {
        at = inside(&at).pop().expect("the demo has a folder");
    }
    at
}

#[test]
fn what_is_asked_wrongly_is_refused_with_a_right_example() {
    let server = TestServer::start();
    let range = "from=2026-11-20T14:05:00Z&until=2026-11-20T14:07:00Z";
    let check = |query: &str, parameter: &str, part: &str| {
        let problem = server.get(&format!("/api/why?{query}")).problem();
        assert_eq!(problem.parameter.as_deref(), Some(parameter), "{query}: {problem:?}");
        assert!(problem.detail.contains(part), "{query}: {problem:?}");
        assert!(problem.example.is_some_and(|example| !example.is_empty()), "{query}");
    };
    check("", "from", "both ends");
    check("from=-1h", "until", "both ends");
    check("until=now", "from", "both ends");
    check("from=yesterdy&until=now", "from", "yesterdy");
    check("from=now&until=-1h", "from", "is after");
    check("from=2026-11-20T14:05:00Z&until=2026-11-20T14:05:00.5Z", "from", "shorter than a second");
    check("from=-60d&until=now", "from", "longer than 31 days");
    check(&format!("{range}&baseline_from=2026-11-20T13:00:00Z"), "baseline_until", "both ends");
    check(&format!("{range}&baseline_until=2026-11-20T13:00:00Z"), "baseline_from", "both ends");
    let overlapping = "baseline_from=2026-11-20T13:00:00Z&baseline_until=2026-11-20T14:06:00Z";
    check(&format!("{range}&{overlapping}"), "baseline_until", "overlaps");
    let reversed = "baseline_from=2026-11-20T13:00:00Z&baseline_until=2026-11-20T12:00:00Z";
    check(&format!("{range}&{reversed}"), "baseline_from", "is after");
    check(&format!("{range}&component=a..b"), "component", "a..b");
    check(&format!("{range}&target=a.%7Bb"), "target", "a.{b");
    check(&format!("{range}&limit=few"), "limit", "few");
    check(&format!("{range}&stream=perhaps"), "stream", "perhaps");
    check(&format!("{range}&levle=error"), "levle", "no parameter");
}

#[test]
fn selections_of_all_lengths_and_far_baselines_are_answered() {
    let demo = Demo::start();
    let TimeRange { from, until } = demo.incident;
    let secs = |from: Timestamp, secs: i64| TimeRange { from, until: from.plus_nanos(secs * NANOS_PER_SEC) };
    for length in [1, 3, 17, 3_600, 6 * 3_600] {
        let why = ask(&demo.server, secs(from, length), "");
        assert!(why.done && why.tested.series > 0, "{length} s: {:?}", why.tested);
    }
    let day = |days: i64| until.plus_nanos(days * 86_400 * NANOS_PER_SEC);
    let empty = demo.why(&format!("&baseline_from={}&baseline_until={}", day(-40), day(-39)));
    assert!(empty.findings.is_empty(), "{empty:?}");
    assert!(empty.note.is_some_and(|note| note.starts_with("Nothing was received in the baseline, ")));
    let nothing = ask(&demo.server, TimeRange { from: day(-40), until: day(-39) }, "");
    assert_eq!(nothing.note.as_deref(), Some("Nothing was received in the selection."));
    for quiet in [demo.quiet()[0], demo.quiet()[1]] {
        let baseline = secs(quiet.from, 2 * 3_600);
        let far = demo.why(&format!("&baseline_from={}&baseline_until={}", baseline.from, baseline.until));
        assert!(!far.findings.is_empty() && far.tested.lines > 3_000, "{far:?}");
    }
}
