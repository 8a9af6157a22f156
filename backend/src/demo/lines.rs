//! Lines by time.
//!
//! Each second starts some stories, and the lines of a story may come seconds later. So lines wait, sorted, until the
//! second they belong to can get no more of them; and a range begins a few seconds early, to catch what was started then.

use super::moment::Moment;
use super::{Demo, DemoLine, background, requests};
use sonde_shared::time::{NANOS_PER_SEC, TimeRange, Timestamp};
use std::collections::BTreeMap;

/// The longest that a line comes after the second that started it.
pub(super) const LONGEST_STORY_SECS: i64 = 10;

/// Where a line stands in the order: its time, then the second that started it, then its number in that second.
type Position = (Timestamp, i64, u32);

/// The lines of a range, by time.
#[derive(Debug)]
pub struct Lines<'a> {
    demo: &'a Demo,
    range: TimeRange,
    next_sec: i64,
    waiting: BTreeMap<Position, DemoLine>,
    started: Vec<DemoLine>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(demo: &'a Demo, range: TimeRange) -> Self {
        let next_sec = range.from.as_secs() - LONGEST_STORY_SECS;
        Self { demo, range, next_sec, waiting: BTreeMap::new(), started: Vec::new() }
    }

    /// Starts the stories of the next second.
    fn start_second(&mut self) {
        let sec = self.next_sec;
        let moment = Moment::of(self.demo, sec as f64 + 0.5);
        requests::start(self.demo, &moment, sec, &mut self.started);
        background::start(self.demo, &moment, sec, &mut self.started);
        for (index, line) in self.started.drain(..).enumerate() {
            debug_assert!(
                (sec..sec + LONGEST_STORY_SECS).contains(&line.ts.as_secs()),
                "out of its story: {}",
                line.text
            );
            if self.range.contains(line.ts) {
                self.waiting.insert((line.ts, sec, index as u32), line);
            }
        }
        self.next_sec += 1;
    }
}

impl Iterator for Lines<'_> {
    type Item = DemoLine;

    fn next(&mut self) -> Option<DemoLine> {
        loop {
            let open_from = Timestamp::from_secs(self.next_sec);
            if let Some(entry) = self.waiting.first_entry()
                && entry.key().0 < open_from
            {
                return Some(entry.remove());
            }
            if open_from >= self.range.until {
                return None;
            }
            self.start_second();
        }
    }
}

/// The instant so many milliseconds into a second.
pub(super) fn instant(sec: i64, millis: u64) -> Timestamp {
    Timestamp::from_nanos(sec * NANOS_PER_SEC + millis as i64 * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::SEED;
    use proptest::prelude::*;

    fn noon() -> Timestamp {
        Timestamp::from_secs(1_763_640_000)
    }

    fn demo() -> Demo {
        Demo::new(SEED, noon())
    }

    fn texts(demo: &Demo, from: Timestamp, until: Timestamp) -> Vec<String> {
        demo.lines(TimeRange { from, until }).map(|line| line.text).collect()
    }

    #[test]
    fn the_same_seed_says_the_same_and_another_does_not() {
        let (from, until) = (noon(), noon().plus_nanos(600 * NANOS_PER_SEC));
        assert_eq!(texts(&demo(), from, until), texts(&Demo::new(SEED, until), from, until));
        assert_ne!(texts(&demo(), from, until), texts(&Demo::new(SEED + 1, noon()), from, until));
    }

    #[test]
    fn lines_come_in_order_and_inside_their_range() {
        let range = TimeRange { from: noon(), until: noon().plus_nanos(3_600 * NANOS_PER_SEC) };
        let times: Vec<Timestamp> = demo().lines(range).map(|line| line.ts).collect();
        assert!(times.len() > 1_000);
        assert!(times.is_sorted() && times.iter().all(|at| range.contains(*at)));
    }

    #[test]
    fn a_cut_through_running_stories_loses_no_line() {
        let demo = demo();
        let TimeRange { from, until } = demo.incident();
        let whole = texts(&demo, from, until);
        for cut_ms in (0..120_000).step_by(2_900) {
            let cut = from.plus_nanos(cut_ms * 1_000_000);
            let pieces = [texts(&demo, from, cut), texts(&demo, cut, until)].concat();
            assert!(pieces == whole, "cut {cut_ms} ms into the incident");
        }
    }

    #[test]
    fn an_empty_range_has_no_lines() {
        assert_eq!(demo().lines(TimeRange { from: noon(), until: noon() }).count(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn a_range_is_the_sum_of_its_pieces(start in -90_000_000_i64..90_000_000, first in 0_i64..400_000, second in 0_i64..400_000) {
            let a = noon().plus_nanos(start * 1_000_000);
            let b = a.plus_nanos(first * 1_000_000);
            let c = b.plus_nanos(second * 1_000_000);
            let pieces = [texts(&demo(), a, b), texts(&demo(), b, c)].concat();
            prop_assert_eq!(texts(&demo(), a, c), pieces);
        }
    }
}
