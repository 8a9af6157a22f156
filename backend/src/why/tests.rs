//! Ranking as a whole: an incident with a known cause, quiet windows, other names, and input that makes no sense.

use super::observed::{
    Context, Counts, Field, FieldValue, Grid, Nature, Observed, Part, Pattern, Restart, Series, Trial, Volume,
};
use super::{Judgements, Weights, rank, rank_judged};
use proptest::prelude::*;
use sonde_shared::log::Level;
use sonde_shared::why::{Change, FindingKind, Why};

/// Random numbers from a seed (splitmix64).
struct Draw(u64);

impl Draw {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    fn count(&mut self, mean: f64) -> u32 {
        (mean + mean.sqrt() * self.normal()).round().max(0.0) as u32
    }
}

/// Four components on two hosts, quiet: 40 series and 10 patterns each, one field.
fn quiet(seed: u64) -> Observed {
    let mut draw = Draw(seed);
    let grid = Grid::unbroken(0, 10_000, Trial { selection: 150..162, baseline: 100..148 });
    let buckets = grid.len();
    let components: Vec<String> =
        ["shop.cart", "shop.pay", "shop.mail", "store.db"].map(str::to_owned).to_vec();
    let mut observed = Observed { hosts: vec!["a1".into(), "a2".into()], ..Observed::default() };
    for (component, path) in components.iter().enumerate() {
        for number in 0..40 {
            let values = (0..buckets).map(|_| (100.0 + 10.0 * draw.normal()) as f32).collect();
            observed.series.push(Series {
                path: format!("{path}.m{number}_ms"),
                values,
                ..Series::default()
            });
        }
        let mut lines = Vec::new();
        for number in 0..10 {
            let counts: Vec<u32> = (0..buckets).map(|_| draw.count(4.0)).collect();
            lines.extend(counts.iter().enumerate().map(|(bucket, count)| (bucket as u16, *count)));
            let id = format!("p{component}-{number}");
            let template = format!("{path} does {number} with <*>");
            let level = Some(Level::Info);
            let counts = Counts::of_all(&counts);
            observed.patterns.push(Pattern { component: component as u32, id, template, level, counts });
        }
        let (component, host) = (component as u32, Some(component as u32 % 2));
        observed.volumes.push(Volume {
            component,
            host,
            lines: Counts::new(lines),
            errors: Counts::default(),
        });
        let slices = grid.slices().len();
        let lines = |share: f64, draw: &mut Draw| (0..slices).map(|_| draw.count(100.0 * share)).collect();
        let value = |number: usize| FieldValue { value: format!("v{number}"), lines: lines(0.1, &mut draw) };
        let values = (0..8).map(value).collect();
        let part = Part::Named("client".into());
        observed.fields.push(Field { component, part, lines: vec![100; slices], values, ..Field::default() });
    }
    Observed { grid, components, ..observed }
}

/// `shop.pay` gets slow: two of its series rise, one message is new, one stops, one client asks most.
fn incident(seed: u64) -> Observed {
    let mut observed = quiet(seed);
    let start = observed.grid.now.selection.start;
    for series in &mut observed.series[45..47] {
        series.values[start..].iter_mut().for_each(|value| *value *= 9.0);
    }
    let all = observed.grid.len();
    let step = |before: u32, after: u32| -> Vec<u32> {
        (0..all).map(|bucket| if bucket < start { before } else { after }).collect()
    };
    observed.patterns[15].counts = Counts::of_all(&step(0, 5));
    observed.patterns[17].counts = Counts::of_all(&step(4, 0));
    let client = &mut observed.fields[1].values[3].lines;
    *client.last_mut().unwrap() = 84;
    observed.context =
        Context { charted: vec![45], components: vec!["shop.pay".into()], ..Context::default() };
    observed
}

fn subjects(answer: &Why) -> Vec<&str> {
    answer.findings.iter().map(|finding| finding.subject.as_str()).collect()
}

#[test]
fn what_happened_is_told_and_nothing_else() {
    let answer = rank(&incident(1));
    let found = subjects(&answer);
    for expected in ["shop.pay does 5 with <*>", "shop.pay does 7 with <*>", "client=v3"] {
        assert!(
            found.iter().take(4).any(|subject| *subject == expected),
            "{expected} is not among the first of {found:?}"
        );
    }
    let of_series = answer.findings.iter().find(|finding| finding.kind == FindingKind::Metric).unwrap();
    let member = |of: &sonde_shared::why::Finding| {
        of.members.iter().map(|member| member.subject.clone()).collect::<Vec<_>>()
    };
    let both = [vec![of_series.subject.clone()], member(of_series)].concat();
    assert!(
        both.contains(&"shop.pay.m5_ms".to_owned()) && both.contains(&"shop.pay.m6_ms".to_owned()),
        "{both:?}"
    );
    assert_eq!((of_series.change, of_series.lag_s), (Change::Up, Some(0.0)));
    // A chart of several is as early as those of its series that changed, and a chart on which nothing did is no measure.
    let lags = |charted: Vec<u32>| {
        let mut observed = incident(1);
        observed.context.charted = charted;
        rank(&observed).findings.into_iter().map(|finding| finding.lag_s).collect::<Vec<_>>()
    };
    assert_eq!(
        lags((0..50).collect()),
        answer.findings.iter().map(|finding| finding.lag_s).collect::<Vec<_>>()
    );
    assert!(lags((0..20).collect()).iter().all(Option::is_none));
    assert!(answer.findings.len() <= 5, "{found:?}");
}

#[test]
fn what_was_judged_before_fields_came_is_as_good_as_what_is_judged_with_them() {
    let observed = incident(1);
    let before = Observed { fields: Vec::new(), ..observed.clone() };
    assert_ne!(rank(&before), rank(&observed));
    let judged = Judgements::of(&before);
    assert_eq!(rank_judged(&observed, &judged, &Weights::default()), rank(&observed));
}

#[test]
fn quiet_windows_have_no_findings_and_say_so() {
    let answers: Vec<Why> = (0..40).map(|seed| rank(&quiet(1_000 + seed))).collect();
    let loud = answers.iter().filter(|answer| !answer.findings.is_empty()).count();
    assert!(loud <= 2, "{loud} of 40 quiet windows have findings");
    let silent = answers.iter().find(|answer| answer.findings.is_empty()).unwrap();
    assert!(
        silent.note.as_ref().is_some_and(|note| note.starts_with("Nothing stands out")),
        "{:?}",
        silent.note
    );
}

/// The same where nothing was received before the twelve buckets that it is compared with.
fn just_begun(mut observed: Observed) -> Observed {
    let now = &mut observed.grid.now;
    now.baseline = now.selection.start - 13..now.selection.start - 1;
    let first = now.baseline.start;
    observed.series.iter_mut().for_each(|series| series.values[..first].fill(f32::NAN));
    let known = |counts: &Counts| {
        let pairs = counts.iter().filter(|(bucket, _)| *bucket >= first);
        Counts::new(pairs.map(|(bucket, count)| (bucket as u16, count)).collect())
    };
    observed.patterns.iter_mut().for_each(|pattern| pattern.counts = known(&pattern.counts));
    observed.volumes.iter_mut().for_each(|volume| volume.lines = known(&volume.lines));
    Observed { fields: Vec::new(), ..observed }
}

#[test]
fn where_hardly_anything_is_known_from_before_findings_are_told_with_a_doubt() {
    let answer = rank(&just_begun(incident(1)));
    let found = subjects(&answer);
    assert!(found.contains(&"shop.pay.m5_ms") || found.contains(&"shop.pay.m6_ms"), "{found:?}");
    let note = |answer: &Why| answer.note.clone().unwrap_or_default();
    assert!(note(&answer).starts_with("Little is known from before"), "{}", note(&answer));
    assert_eq!(rank(&incident(1)).note, None);
    let quiet = (0..40).map(|seed| rank(&just_begun(quiet(1_000 + seed))));
    let loud = quiet.filter(|answer| !answer.findings.is_empty()).count();
    assert!(loud <= 2, "{loud} of 40 quiet windows have findings");
}

#[test]
fn what_wanders_has_not_gone_far_for_being_looked_at_longer_than_all_that_is_known() {
    let wandering = |seed: u64| {
        let mut draw = Draw(seed);
        let mut observed = quiet(seed);
        observed.grid.now = Trial { selection: 156..162, baseline: 149..155 };
        for series in &mut observed.series {
            series.values[..149].fill(f32::NAN);
            let (level, mut off) = (100.0 * draw.unit(), 0.0);
            for value in &mut series.values[149..] {
                off = 0.9 * off + draw.normal();
                *value = (level + off) as f32;
            }
        }
        Observed { patterns: Vec::new(), volumes: Vec::new(), fields: Vec::new(), ..observed }
    };
    let loud = (0..40).filter(|seed| !rank(&wandering(2_000 + seed)).findings.is_empty()).count();
    assert!(loud <= 2, "{loud} of 40 quiet windows have findings");
}

#[test]
fn counters_of_one_component_that_begin_again_are_one_finding_which_says_when() {
    let counting = |restarts: &[u16]| {
        let mut observed = quiet(5);
        observed.context.components = vec!["shop.pay".into()];
        for (number, series) in observed.series.iter_mut().enumerate() {
            series.nature = Nature::Rate;
            if (40..46).contains(&number) {
                let restart = |bucket: &u16| Restart { bucket: *bucket, at_ms: i64::from(*bucket) * 10_000 };
                series.restarts = restarts.iter().map(restart).collect();
            }
        }
        rank(&observed)
    };
    let why = counting(&[153]);
    let [again] = &why.findings[..] else { panic!("{why:?}") };
    assert_eq!((again.change, again.members_total), (Change::New, 5));
    assert_eq!((&*again.summary, again.at.at_ms), ("counts from 0 again since 00:25:30", Some(1_530_000)));
    let target = again.at.target.as_deref().unwrap();
    assert!(target.starts_with("shop.pay.m"), "{target}");
    // Its course falls to nothing then.
    let course = again.course.as_ref().unwrap();
    let at = (1_530_000 - course.from_ms) / course.step_ms;
    let value = |at: i64| course.values[at as usize].unwrap();
    assert!(value(at - 1) > 40_000.0 && value(at) < 2_000.0 && value(at + 3) > value(at), "{course:?}");
    // What begins again all the time is no news.
    let often: Vec<u16> = (0..162).step_by(10).collect();
    for quiet in [counting(&[]), counting(&often), counting(&[60])] {
        assert_eq!(subjects(&quiet), Vec::<&str>::new());
    }
}

#[test]
fn what_was_dragged_over_is_told_where_it_would_be_lost_among_all_others() {
    let rise = |charted: Vec<u32>| {
        let mut observed = quiet(11);
        let start = observed.grid.now.selection.start;
        observed.series[45].values[start..].iter_mut().for_each(|value| *value *= 1.25);
        observed.context.charted = charted;
        rank(&observed)
    };
    assert_eq!(subjects(&rise(Vec::new())), Vec::<&str>::new());
    assert_eq!(subjects(&rise(vec![45])), ["shop.pay.m5_ms"]);
    // What stands still is no news for being charted.
    assert_eq!(subjects(&rise(vec![46])), Vec::<&str>::new());
}

#[test]
fn what_began_in_the_last_of_the_baseline_is_found() {
    let mut observed = quiet(6);
    let begun = observed.grid.now.selection.start - 10;
    for series in &mut observed.series[45..47] {
        series.values[begun..].iter_mut().for_each(|value| *value *= 9.0);
    }
    let answer = rank(&observed);
    assert_eq!(subjects(&answer).first(), Some(&"shop.pay.m5_ms"), "{:?}", answer.weaker.first());
}

#[test]
fn what_does_not_stand_out_is_listed_apart_and_is_no_finding() {
    let quiet = rank(&quiet(1_001));
    assert!(quiet.findings.is_empty() && !quiet.weaker.is_empty() && quiet.weaker.len() <= 10);
    let answer = rank(&incident(1));
    assert!(answer.weaker.iter().all(|weaker| !subjects(&answer).contains(&weaker.subject.as_str())));
    // A message of which a few lines less came than usual, which does not stand out, comes first of what does not.
    let mut observed = self::quiet(1_001);
    let start = observed.grid.now.selection.start;
    let counts: Vec<u32> = (0..observed.grid.len()).map(|at| u32::from(at % 2 == 0 && at < start)).collect();
    observed.patterns[3].counts = Counts::of_all(&counts);
    let answer = rank(&observed);
    let listed = answer.findings.iter().chain(&answer.weaker).next().map(|first| first.subject.as_str());
    assert_eq!(listed, Some("shop.cart does 3 with <*>"), "{:?} {:?}", subjects(&answer), answer.note);
}

/// Ten series of one component and nothing else.
fn few(seed: u64) -> Observed {
    let mut observed = quiet(seed);
    observed.series.truncate(10);
    Observed { patterns: Vec::new(), fields: Vec::new(), volumes: Vec::new(), ..observed }
}

#[test]
fn of_few_things_an_order_is_told_though_chance_may_have_made_them() {
    let selection = quiet(0).grid.now.selection;
    for seed in 0..10 {
        let mut observed = few(seed);
        for (bucket, value) in observed.series[3].values.iter_mut().enumerate() {
            *value += if selection.contains(&bucket) { 15.0 } else { 0.0 };
        }
        // What a single point did is no finding, and as good as the rest of these.
        observed.series[6].values[selection.start + 4] = 400.0;
        let answer = rank(&observed);
        let listed: Vec<&str> = answer.weaker.iter().map(|weaker| weaker.subject.as_str()).collect();
        assert!(answer.weaker.iter().any(|weaker| weaker.summary.starts_with("up to 400 ms; before ")));
        assert!(!subjects(&answer).contains(&"shop.cart.m6_ms"), "{answer:?}");
        let all = [subjects(&answer), listed].concat();
        let place = |name: &str| all.iter().position(|subject| *subject == name);
        assert!(place("shop.cart.m3_ms").is_some_and(|place| place < 3), "{all:?}");
        assert!(place("shop.cart.m6_ms").is_some_and(|place| place < 3), "{all:?}");
    }
}

#[test]
fn names_that_are_spelled_otherwise_change_nothing() {
    let numbered = |text: &str| -> String {
        let word = |word: &str| match word {
            "<*>" => word.to_owned(),
            word => format!(
                "x{:x}",
                word.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31) ^ u64::from(byte))
            ),
        };
        let node = |node: &str| node.split('.').map(word).collect::<Vec<_>>().join(".");
        text.split(' ').map(node).collect::<Vec<_>>().join(" ")
    };
    for seed in 0..10 {
        let observed = incident(seed);
        let mut renamed = observed.clone();
        renamed.components.iter_mut().for_each(|name| *name = numbered(name));
        renamed.hosts.iter_mut().for_each(|name| *name = numbered(name));
        renamed.context.components.iter_mut().for_each(|name| *name = numbered(name));
        renamed.series.iter_mut().for_each(|series| series.path = numbered(&series.path));
        renamed.patterns.iter_mut().for_each(|pattern| pattern.template = numbered(&pattern.template));
        let (answer, other) = (rank(&observed), rank(&renamed));
        let scores = |answer: &Why| -> Vec<(FindingKind, Change, f64, f64, u64)> {
            let of = |finding: &sonde_shared::why::Finding| {
                (finding.kind, finding.change, finding.score, finding.p_value, finding.members_total)
            };
            answer.findings.iter().chain(&answer.weaker).map(of).collect()
        };
        assert!(!answer.findings.is_empty() && !answer.weaker.is_empty());
        assert_eq!(scores(&answer), scores(&other));
    }
}

#[test]
fn members_stand_best_first_and_who_led_before_the_charted_one_stands_before_them() {
    let mut observed = quiet(5);
    let start = observed.grid.now.selection.start;
    for (number, factor) in [(41, 3.0), (44, 30.0), (47, 9.0), (52, 5.0)] {
        observed.series[number].values[start..].iter_mut().for_each(|value| *value *= factor);
    }
    let told = |observed: &Observed| -> Vec<String> {
        let answer = rank(observed);
        let of_series = answer.findings.iter().find(|finding| finding.kind == FindingKind::Metric).unwrap();
        let members = of_series.members.iter().map(|member| member.subject.clone());
        [of_series.subject.clone()].into_iter().chain(members).collect()
    };
    let of_pay = |numbers: [u8; 4]| numbers.map(|number| format!("shop.pay.m{number}_ms"));
    assert_eq!(told(&observed), of_pay([4, 7, 12, 1]));
    observed.context.charted = vec![52];
    assert_eq!(told(&observed), of_pay([12, 4, 7, 1]));
}

#[test]
fn a_silence_is_told_with_its_moment() {
    let mut observed = quiet(3);
    let since = observed.grid.now.selection.start + 2;
    let until = |counts: &Counts| {
        let kept = counts.iter().filter(|(bucket, _)| *bucket < since);
        Counts::new(kept.map(|(bucket, count)| (bucket as u16, count)).collect())
    };
    observed.volumes[3].lines = until(&observed.volumes[3].lines);
    observed.patterns[30..].iter_mut().for_each(|pattern| pattern.counts = until(&pattern.counts));
    let answer = rank(&observed);
    let first = &answer.findings[0];
    assert_eq!(
        (first.kind, first.subject.as_str(), first.change),
        (FindingKind::Component, "store.db", Change::Gone)
    );
    assert!(first.summary.starts_with("silent since 00:25:20"), "{}", first.summary);
    assert_eq!(first.members_total, 11, "{:?}", first.members);
}

/// Nothing is received in some buckets: no lines, and where `all` no points either.
fn lose(observed: &mut Observed, lost: &std::ops::Range<usize>, all: bool) {
    if all {
        observed.series.iter_mut().for_each(|series| series.values[lost.clone()].fill(f32::NAN));
    }
    let outside = |counts: &Counts| {
        let kept = counts.iter().filter(|(bucket, _)| !lost.contains(bucket));
        Counts::new(kept.map(|(bucket, count)| (bucket as u16, count)).collect())
    };
    observed.patterns.iter_mut().for_each(|pattern| pattern.counts = outside(&pattern.counts));
    observed.volumes.iter_mut().for_each(|volume| volume.lines = outside(&volume.lines));
}

#[test]
fn a_series_that_ends_is_silent_since_then() {
    let mut observed = quiet(4);
    observed.series[45..48].iter_mut().for_each(|series| series.values[153..].fill(f32::NAN));
    // One whose last pause is no longer than another is not, nor one that loses points here and there.
    (105..116).chain(151..162).for_each(|at| observed.series[130].values[at] = f32::NAN);
    (150..162).filter(|at| at % 4 > 0).for_each(|at| observed.series[90].values[at] = f32::NAN);
    observed.context.charted = vec![45];
    let answer = rank(&observed);
    let silent = &answer.findings[0];
    assert_eq!((silent.subject.as_str(), silent.change), ("shop.pay.m5_ms", Change::Gone));
    assert!(silent.summary.starts_with("silent since 00:25:30; before 1"), "{}", silent.summary);
    assert_eq!((silent.at.at_ms, silent.lag_s, silent.members_total), (Some(1_530_000), Some(0.0), 2));
    let all = answer.findings.iter().chain(&answer.weaker);
    let fewer = all.filter(|one| one.summary == "fewer values than before" && one.at.at_ms.is_none());
    let fewer: Vec<&str> = fewer.map(|one| one.subject.as_str()).collect();
    assert_eq!(fewer, ["store.db.m10_ms", "shop.mail.m10_ms"]);
}

#[test]
fn a_stretch_in_which_nothing_was_received_is_no_silence() {
    let mut observed = quiet(4);
    lose(&mut observed, &(155..159), true);
    assert_eq!(subjects(&rank(&observed)), Vec::<&str>::new());
}

#[test]
fn lines_that_all_stop_while_points_go_on_are_silent_and_where_nothing_came_that_is_said() {
    let mut observed = quiet(4);
    let selection = observed.grid.now.selection.clone();
    lose(&mut observed, &selection, false);
    let answer = rank(&observed);
    assert!(answer.findings.iter().any(|finding| finding.change == Change::Gone), "{:?}", answer.note);
    lose(&mut observed, &selection, true);
    let answer = rank(&observed);
    assert!(answer.findings.is_empty() && answer.weaker.is_empty());
    assert_eq!(answer.note.as_deref(), Some("Nothing was received in the selection."));
}

/// Components of which each writes a line every so many seconds, all within six of them, in buckets of two, and nothing else.
fn ticking(components: usize, every: usize, past: usize, phase: usize) -> Observed {
    let from = 60 * past;
    let now = Trial { selection: from + 246..from + 306, baseline: from..from + 240 };
    let grid = Grid::unbroken(0, 2_000, now);
    let mut observed = Observed::default();
    for component in 0..components {
        let seconds = ((phase + component) % 6 + phase) % every..2 * grid.len();
        let counts = Counts::new(seconds.step_by(every).map(|second| ((second / 2) as u16, 1)).collect());
        let (number, id) = (component as u32, format!("p{component}"));
        observed.components.push(format!("shop.c{component}"));
        let (template, level) = ("alive".to_owned(), Some(Level::Info));
        observed.patterns.push(Pattern { component: number, id, template, level, counts: counts.clone() });
        observed.volumes.push(Volume { component: number, lines: counts, ..Volume::default() });
    }
    Observed { grid, ..observed }
}

#[test]
fn lines_by_the_clock_are_not_silent_between_two_of_them() {
    for (components, past) in [(1, 0), (1, 8), (12, 0), (12, 2), (40, 2), (40, 8)] {
        for (every, phase) in
            [5, 30].into_iter().flat_map(|every| (0..every).map(move |phase| (every, phase)))
        {
            let observed = ticking(components, every, past, phase);
            let what = format!("{components} every {every} s, past {past}, phase {phase}");
            assert_eq!(subjects(&rank(&observed)), Vec::<&str>::new(), "{what}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_observed_an_answer_has_finite_numbers_and_never_fails(
        baseline in 0_usize..30,
        gap in 0_usize..5,
        selection in 0_usize..30,
        past in 0_usize..40,
        values in proptest::collection::vec(prop_oneof![
            Just(f32::NAN), Just(0.0), Just(f32::MAX), Just(f32::MIN), Just(f32::INFINITY), -1e3_f32..1e3
        ], 1..40),
        counts in proptest::collection::vec((0_u16..200, 0_u32..u32::MAX), 0..40),
    ) {
        let from = past + baseline + gap;
        let now = Trial { selection: from..from + selection, baseline: past..past + baseline };
        let grid = Grid::unbroken(0, 10_000, now);
        let series = |shift: usize| Series {
            path: format!("a.b{shift}"),
            values: (0..grid.len()).map(|at| values[(at + shift) % values.len()]).collect(),
            ..Series::default()
        };
        let pattern = Pattern { counts: Counts::new(counts.clone()), ..Pattern::default() };
        let volume = Volume { lines: Counts::new(counts), host: Some(0), ..Volume::default() };
        let observed = Observed {
            series: (0..5).map(series).collect(),
            components: vec!["a".into()],
            patterns: vec![pattern.clone(), Pattern { component: 9, ..pattern }],
            volumes: vec![volume.clone(), Volume { component: 7, host: Some(9), ..volume }],
            context: Context { charted: vec![0, 99], ..Context::default() },
            grid,
            ..Observed::default()
        };
        for finding in rank(&observed).findings {
            prop_assert!(finding.score.is_finite() && finding.p_value.is_finite() && finding.effect.is_finite());
        }
    }
}
