//! What is gathered against plain counts of the same lines and points, whatever became of their files.

use super::super::logs::tests::{SHORT, TestLine, line};
use super::super::summaries::{FATES, store};
use super::*;
use crate::patterns::pattern_id;
use crate::store::batch::{Durability, LineBatch, PointBatch};
use crate::why::observed::{Counts, Nature, Part, Trial};
use proptest::prelude::*;
use sonde_shared::baseline::default_baseline;
use sonde_shared::component::Selector;
use sonde_shared::log::Level;
use sonde_shared::time::TimeRange;
use std::collections::BTreeMap;

/// Ten seconds before a midnight.
const START: i64 = 1_764_979_190;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(START + secs)
}

fn question((from, length): (i64, i64), baseline: Option<(i64, i64)>) -> Question {
    let selection = TimeRange { from: at(from), until: at(from + length) };
    let given = |(from, length)| TimeRange { from: at(from), until: at(from + length) };
    Question {
        selection,
        baseline: baseline.map_or(default_baseline(selection), given),
        components: Vec::new(),
        host: None,
        charted: Vec::new(),
        now: at(1_000_000),
    }
}

/// Gathers everything, in many steps.
fn gather(store: &Store, question: Question, sample_lines: usize) -> Gathering {
    let counters = store.logs().counters();
    let mut gathering = Gathering::begin(store, question).unwrap();
    gathering.sample_lines = sample_lines;
    while !gathering.count_lines(&mut SHORT.clone(), counters) {}
    gathering.end_lines().unwrap();
    let mut readers = gathering.series_readers(3);
    for reader in &mut readers {
        while !reader.step(&mut SHORT.clone()) {}
    }
    let mut readers = gathering.take_series(readers, 3);
    for reader in &mut readers {
        while !reader.step(&mut SHORT.clone()) {}
    }
    gathering.end_series(readers);
    gathering.begin_sample();
    while !gathering.sample(&mut SHORT.clone(), counters) {}
    gathering.end_sample().unwrap();
    gathering
}

fn told(counts: &Counts) -> BTreeMap<usize, u32> {
    counts.iter().collect()
}

/// How many lines are in which bucket.
fn naive<'a>(grid: &Grid, lines: impl Iterator<Item = &'a TestLine>) -> BTreeMap<usize, u32> {
    let mut counts = BTreeMap::new();
    for line in lines {
        let is_in = |start: &i64| {
            let from = Timestamp::from_millis(*start);
            from <= line.ts && line.ts < Timestamp::from_millis(start + grid.step_ms)
        };
        if let Some(bucket) = grid.starts_ms.iter().position(is_in) {
            *counts.entry(bucket).or_default() += 1;
        }
    }
    counts
}

fn check_lines(gathering: &Gathering, lines: &[TestLine]) {
    let (grid, counted) = (&gathering.observed.grid, &gathering.counted);
    // A component may go on under another one's name.
    let place = |name: &str| counted.components.find(name);
    let mut seen = [0_u32; 2];
    for pattern in &counted.patterns {
        let of = |line: &&TestLine| {
            place(line.component) == Some(pattern.component)
                && pattern_id(line.pattern.as_bytes()).to_string() == pattern.id
        };
        let expected = naive(grid, lines.iter().filter(of));
        seen[0] += expected.values().sum::<u32>();
        assert_eq!(told(&pattern.counts), expected, "{}", pattern.template);
    }
    for volume in &counted.volumes {
        let host = volume.host.map_or("", |host| &*counted.hosts[host as usize]);
        let of = |line: &&TestLine| place(line.component) == Some(volume.component) && line.host == host;
        let expected = naive(grid, lines.iter().filter(of));
        seen[1] += expected.values().sum::<u32>();
        assert_eq!(told(&volume.lines), expected);
        let is_error = |line: &&TestLine| of(line) && line.level >= Level::Error;
        assert_eq!(told(&volume.errors), naive(grid, lines.iter().filter(is_error)));
    }
    let all: u32 = naive(grid, lines.iter()).values().sum();
    assert_eq!(seen, [all, all]);
}

/// All that is handed to ranking, as text.
fn text(gathering: &Gathering) -> String {
    let counted = &gathering.counted;
    format!(
        "{:?} {:?} {:?} {:?} {:?}",
        gathering.observed,
        counted.components.as_slice(),
        counted.hosts,
        counted.patterns,
        counted.volumes
    )
}

prop_compose! {
    fn any_rows()(rows in prop::collection::vec((0_i64..600, 0_usize..5, 0_usize..3, 0_u8..6), 1..150))
        -> Vec<TestLine> {
        rows.into_iter().enumerate().map(|(number, row)| line(number, row)).collect()
    }
}

/// The mean of a series' values in each bucket.
fn means(grid: &Grid, values: &BTreeMap<(usize, i64), f64>, name: usize) -> Vec<f32> {
    let mean = |start: &i64| {
        let is_inside = |secs: i64| (*start..start + grid.step_ms).contains(&((START + secs) * 1_000));
        let inside = values.iter().filter(|((of, secs), _)| *of == name && is_inside(*secs));
        let inside: Vec<f64> = inside.map(|(_, value)| *value).collect();
        (inside.iter().sum::<f64>() / inside.len() as f64) as f32
    };
    grid.starts_ms.iter().map(mean).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn lines_are_counted_as_a_plain_count_does_and_the_same_ones_are_read_whatever_became_of_their_files(
        lines in any_rows(),
        cut in 0_usize..150,
        is_sealed in any::<bool>(),
        fate in prop::sample::select(FATES.as_slice()),
        selected in (100_i64..500, 1_i64..200),
        baseline in prop::option::of((-200_i64..-100, 60_i64..200)),
        sample_lines in prop::sample::select(vec![20_usize, 100_000]),
    ) {
        let cut = cut.min(lines.len());
        let parts = [&lines[..cut], &lines[cut..]];
        let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let whole = store(dirs[0].path(), &parts, false, FATES[0]);
        let other = store(dirs[1].path(), &parts, is_sealed, fate);
        let expected = gather(&whole, question(selected, baseline), sample_lines);
        let found = gather(&other, question(selected, baseline), sample_lines);
        check_lines(&found, &lines);
        prop_assert_eq!(text(&found), text(&expected));
    }

    #[test]
    fn series_are_the_means_of_their_points_in_each_bucket(
        points in prop::collection::vec((0_usize..4, 0_i64..600, -100_i32..100), 1..200),
        selected in (100_i64..500, 1_i64..200),
        is_restarted in any::<bool>(),
    ) {
        // None stands where another could go on for it.
        let names = ["a.b", "c.d", "e.f", "e.f;host=n1"];
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path()).unwrap();
        let mut batch = PointBatch::default();
        let mut last = BTreeMap::new();
        for (name, secs, value) in &points {
            batch.push(names[*name], START + secs, f64::from(*value));
            last.insert((*name, *secs), f64::from(*value));
        }
        futures::executor::block_on(store.append_points(batch, Durability::Acknowledged)).unwrap();
        if is_restarted {
            drop(store);
            store = Store::open(dir.path()).unwrap();
        }
        let gathering = gather(&store, question(selected, None), 100);
        let grid = &gathering.observed.grid;
        let means = |name: usize| means(grid, &last, name);
        let asked = [grid.now.selection.clone(), grid.now.baseline.clone()];
        let mut found = gathering.observed.series.iter();
        for (at, name) in names.iter().enumerate() {
            let expected = means(at);
            if asked.iter().flat_map(Clone::clone).any(|bucket| !expected[bucket].is_nan()) {
                let series = found.next().unwrap();
                prop_assert_eq!(&series.path, name);
                prop_assert_eq!(format!("{:?}", series.values), format!("{expected:?}"));
            }
        }
        prop_assert!(found.next().is_none());
    }
}

#[test]
fn segments_that_lie_in_one_bucket_are_counted_by_their_summaries() {
    let lines: Vec<TestLine> =
        (0..400).map(|at| line(at, (100 + at as i64 / 10, at % 5, at % 3, 2))).collect();
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), &[&lines], true, FATES[1]);
    let day = 86_400;
    // An hour a bucket; the segment lies in the first one.
    let question = question((0, 3 * day), Some((-20 * day, 3 * day)));
    let mut gathering = Gathering::begin(&store, question).unwrap();
    while !gathering.count_lines(&mut SHORT.clone(), store.logs().counters()) {}
    gathering.end_lines().unwrap();
    let seen = store.logs().counters().rows_scanned.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(seen, 0);
    let lines: u64 = gathering.counted.volumes.iter().map(|one| one.lines.sum(&(0..60_000))).sum();
    assert_eq!(lines, 400);
}

#[test]
fn of_many_lines_about_as_many_are_read_as_may_be_and_evenly() {
    let lines: Vec<TestLine> =
        (0..4_000).map(|at| line(at, (at as i64 / 8, usize::from(at % 10 == 0), 1, 2))).collect();
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), &[&lines], true, FATES[1]);
    let gathering = gather(&store, question((400, 90), Some((0, 360))), 1_000);
    let observed = &gathering.observed;
    assert_eq!(observed.lines, 3_600);
    assert!((700..1_300).contains(&observed.sampled_lines), "{}", observed.sampled_lines);
    let holes = observed.fields.iter().filter(|field| matches!(field.part, Part::Hole { .. }));
    let slices: Vec<u32> = holes.fold(vec![0; 5], |sums, field| {
        sums.iter().zip(&field.lines).map(|(sum, lines)| sum + lines).collect()
    });
    assert!(slices.iter().all(|lines| slices[0].abs_diff(*lines) < slices[0] / 2), "{slices:?}");
}

#[test]
fn sondes_own_figures_are_compared_only_when_they_are_asked_about() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut batch = PointBatch::default();
    for secs in 0..60 {
        batch.push("shop.carts", START + 10 * secs, 1.0);
        batch.push("sonde.ingest.lines", START + 10 * secs, 1.0);
    }
    futures::executor::block_on(store.append_points(batch, Durability::Acknowledged)).unwrap();
    let check = |charted: Option<&str>, expected: &[&str], places: &[u32]| {
        let charted = charted.map(|path| sonde_shared::glob::Glob::parse(path).unwrap());
        let question = Question { charted: charted.into_iter().collect(), ..question((400, 120), None) };
        let observed = gather(&store, question, 100).observed;
        let paths: Vec<&str> = observed.series.iter().map(|series| &*series.path).collect();
        assert_eq!((paths, &*observed.context.charted), (expected.to_vec(), places));
    };
    check(None, &["shop.carts"], &[]);
    check(Some("shop.*"), &["shop.carts"], &[0]);
    check(Some("sonde.ingest.*"), &["shop.carts", "sonde.ingest.lines"], &[1]);
}

#[test]
fn time_in_which_the_server_was_down_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut batch = PointBatch::default();
    for secs in (0..60).filter(|at| !(35..45).contains(at)) {
        batch.push("sonde.ingest.lines", START + 10 * secs, 1.0);
        // Senders that stop while Sonde runs are silent.
        if secs < 50 {
            batch.push("shop.carts", START + 10 * secs, 1.0);
        }
    }
    futures::executor::block_on(store.append_points(batch, Durability::Acknowledged)).unwrap();
    let observed = gather(&store, question((480, 120), Some((0, 470))), 100).observed;
    assert_eq!((observed.grid.now.selection.len(), observed.grid.now.baseline.len()), (12, 47 - 10));
    let there = observed.series[0].values.iter().filter(|value| !value.is_nan()).count();
    assert_eq!(there, 50 - 10);
}

#[test]
fn what_is_asked_about_and_not_known_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut batch = PointBatch::default();
    (0..60).for_each(|at| batch.push("shop.carts", START + 10 * at, 1.0));
    futures::executor::block_on(store.append_points(batch, Durability::Acknowledged)).unwrap();
    let check = |component: &str, host: &str, charted: &str, expected: &[&str]| {
        let question = Question {
            host: Some(host.to_owned()),
            components: vec![Selector::parse(component).unwrap()],
            charted: vec![sonde_shared::glob::Glob::parse(charted).unwrap()],
            ..question((400, 120), None)
        };
        let note = gather(&store, question, 100).rank_all(true).note.unwrap();
        let (quiet, rest) = note.split_once(". ").unwrap_or((&note, ""));
        assert!(quiet.starts_with("Nothing stands out: 1 series"), "{note}");
        assert_eq!(rest, expected.join(" "));
    };
    check("shop", "carts", "shop.*", &[]);
    check("shop", "cart", "shop.*", &["Nothing is known of the host cart then."]);
    check("shop.cart", "carts", "shop.carts", &["Nothing is known of the component shop.cart then."]);
    check("shop", "carts", "shop.c", &["No series is called shop.c then."]);
}

#[test]
fn of_a_selection_that_ends_now_what_is_yet_to_come_is_no_silence() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut batch = PointBatch::default();
    for name in ["a", "b", "c", "d"] {
        // Two series' last point is there already.
        let until = if name < "c" { 59 } else { 58 };
        (0..until).for_each(|at| batch.push(name, START + 10 * at, 1.0));
    }
    (0..60).for_each(|at| batch.push("sonde.ingest.lines", START + 10 * at, 1.0));
    futures::executor::block_on(store.append_points(batch, Durability::Acknowledged)).unwrap();
    let check = |now: i64, expected: usize| {
        let question = Question { now: at(now), ..question((480, 120), None) };
        assert_eq!(gather(&store, question, 100).observed.grid.now.selection.len(), expected, "{now}");
    };
    check(601, 11);
    check(719, 11);
    check(720, 12);
}

#[test]
fn a_counter_is_handed_on_by_how_fast_it_grows_wherever_the_baseline_lies() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut batch = PointBatch::default();
    let hours_ago = [26, 25, 24, 2, 1, 0].map(|hours: i64| 3_600 - 3_600 * hours);
    let errors = [-86_000, -85_500, -82_000, -2_900, -2_600, 500, 3_000];
    for secs in hours_ago.iter().flat_map(|from| (*from..from + 3_600).step_by(10)) {
        let fast = if secs < 5_990 { 4.0 } else { 9.0 };
        batch.push("bytes;host=a", START + secs, 1e12 + 24_000.0 + fast * (secs - 5_990) as f64);
        let errors = errors.iter().filter(|at| **at < secs).count();
        batch.push("errors", START + secs, errors as f64);
        batch.push("requests", START + secs, ((secs + 90_000) + (secs + 90_000) / 600 * 99) as f64);
        batch.push("users", START + secs, (secs * 7 % 13) as f64);
    }
    futures::executor::block_on(store.append_points(batch, Durability::Acknowledged)).unwrap();
    for baseline in [None, Some((-86_400, 1_800)), Some((-3_000, 600))] {
        let observed = gather(&store, question((6_000, 600), baseline), 100).observed;
        let [bytes, errors, _, users] = &observed.series[..] else { panic!("four series") };
        assert_eq!((bytes.nature, users.nature), (Nature::Rate, Nature::Level));
        let Trial { selection, baseline } = observed.grid.now.clone();
        assert_eq!(bytes.values[selection.clone()], vec![9.0; selection.len()], "{baseline:?}");
        assert_eq!(bytes.values[baseline.clone()], vec![4.0; baseline.len()]);
        // What hardly ever grew is no longer a level that rose.
        assert_eq!(errors.nature, Nature::Rate);
        assert_eq!(errors.values[selection.clone()], vec![0.0; selection.len()]);
    }
}

#[test]
fn a_counter_goes_on_under_another_name() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut batch = PointBatch::default();
    for secs in (0..7_200).step_by(10) {
        let (name, since) = if secs < 6_300 { ("x1", -50_000) } else { ("x2", 6_300) };
        batch.push(&format!("shop.{name}.requests"), START + secs, 4.0 * (secs - since) as f64);
        batch.push(&format!("shop.{name}.heap"), START + secs, f64::from(300 + secs as u32 % 70));
        batch.push("shop.all", START + secs, 1.0);
    }
    futures::executor::block_on(store.append_points(batch, Durability::Acknowledged)).unwrap();
    let charted = sonde_shared::glob::Glob::parse("shop.x1.heap").unwrap();
    let question = Question { charted: vec![charted], ..question((6_000, 600), None) };
    let mut gathering = gather(&store, question, 100);
    let observed = &gathering.observed;
    let paths: Vec<&str> = observed.series.iter().map(|series| &*series.path).collect();
    assert_eq!(paths, ["shop.all", "shop.x2.heap", "shop.x2.requests"]);
    // What was charted is so by any of its names.
    assert_eq!(observed.context.charted, [1]);
    let requests = &observed.series[2];
    assert_eq!(
        (requests.nature, requests.former.as_slice()),
        (Nature::Rate, &["shop.x1.requests".to_owned()][..])
    );
    assert!(requests.restarts.is_empty());
    let selection = &requests.values[observed.grid.now.selection.clone()];
    assert!(selection.iter().all(|rate| rate.is_nan() || (3.9..4.1).contains(rate)), "{selection:?}");
    let why = gathering.rank_all(true);
    assert!(why.findings.is_empty(), "{:?}", why.findings);
}

#[test]
fn a_component_goes_on_under_another_name() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut batch = LineBatch::default();
    for secs in (0..7_200).step_by(5) {
        let container = if secs < 6_300 { "3f2a1b9c8d7e" } else { "90c4d2e1f0ab" };
        let at = START + secs;
        let served = format!("served {secs} in {} ms", secs % 7);
        for (component, msg) in [(container, served), ("mail", format!("sent {secs}"))] {
            let line = format!(r#"{{"ts":{at},"component":"{component}","msg":"{msg}"}}"#);
            batch.push_line(line.as_bytes()).unwrap();
        }
    }
    futures::executor::block_on(store.append_lines(batch, Durability::Acknowledged)).unwrap();
    let mut gathering = gather(&store, question((6_000, 600), None), 400);
    let Counted { components, patterns, .. } = &gathering.counted;
    assert_eq!(components.find("3f2a1b9c8d7e"), components.find("90c4d2e1f0ab"));
    let baseline = gathering.observed.grid.now.baseline.clone();
    assert!(patterns.len() == 2 && patterns.iter().all(|pattern| pattern.counts.sum(&baseline) > 300));
    // Their lines are sampled as one component's.
    let holes = gathering.observed.fields.iter().filter(|field| matches!(field.part, Part::Hole { .. }));
    assert!(
        holes.clone().count() > 1 && holes.clone().all(|field| field.lines.iter().all(|lines| *lines > 0))
    );
    let why = gathering.rank_all(true);
    assert!(why.findings.is_empty(), "{:?}", why.findings);
}
