//! Points of a slot become its value, as whisper makes coarser points of finer ones.
//!
//! In a slot of the finest precision the last point counts. A coarser slot is made of the finer slots in it by the series' method,
//! where enough of them are known, precision by precision. A point that stands alone at a coarser slot's start, with no
//! other as far as that slot is long before and behind it, is that slot's own: so what was imported from coarser archives is
//! there, of which whisper too kept no finer points.
//!
//! Where whisper's finer archive begins within a coarser slot, that has a point at its start and behind it finer ones of its end. From
//! the points alone this cannot be told from a sender that begins to send more often, so all of them are made into a value as
//! ever; where they are too few, the one at the start stands for the slot.

use super::reader::Stand;
use crate::query::storage_rules::{Aggregation, Method};

/// A slot of one precision in the making.
#[derive(Clone, Copy, Debug)]
struct Level {
    secs: i64,
    /// How many slots of the next finer precision it has.
    parts: i64,
    /// Where the slot at hand starts.
    slot: i64,
    /// The point that is the slot's own.
    own: Option<f64>,
    /// The point that stands for the slot where too few parts are known.
    spare: Option<f64>,
    /// How many of its parts are known, and what was made of them.
    known: i64,
    made: f64,
}

/// A series' slots of several precisions, the finest first.
#[derive(Debug)]
pub(super) struct Fold {
    levels: Vec<Level>,
    aggregation: Aggregation,
}

impl Fold {
    /// For slots of so many seconds, made of finer ones of so many each; every length is a multiple of the one before.
    pub(super) fn new(finer: &[i64], secs: i64, aggregation: Aggregation) -> Self {
        let mut before = None;
        let level = |secs: &i64| {
            let parts = before.replace(*secs).map_or(1, |before| secs / before);
            Level { secs: *secs, parts, slot: i64::MIN, own: None, spare: None, known: 0, made: 0.0 }
        };
        Self { levels: finer.iter().chain([&secs]).map(level).collect(), aggregation }
    }

    /// Takes the next point.
    pub(super) fn push(&mut self, stand: Stand) {
        let Stand { time, value, .. } = stand;
        let find = |is_so: fn(&Level, Stand) -> bool| {
            self.levels.iter().skip(1).rposition(|level| is_so(level, stand))
        };
        let (own, spare) = (find(Level::is_own), find(Level::is_last_coarse));
        if let Some(level) = spare
            && own.is_none_or(|own| own < level)
        {
            self.begin(level + 1, time);
            self.levels[level + 1].spare = Some(value);
        }
        let level = own.map_or(0, |at| at + 1);
        self.begin(level, time);
        self.levels[level].own = Some(value);
    }

    /// Goes to the slot of an instant, closing what lies before.
    fn begin(&mut self, level: usize, time: i64) {
        for finer in 0..level {
            self.close(finer);
        }
        self.enter(level, time);
    }

    /// The value of the coarsest slot at hand, which is over.
    pub(super) fn take(&mut self) -> Option<f64> {
        let coarsest = self.levels.len() - 1;
        for finer in 0..coarsest {
            self.close(finer);
        }
        self.levels[coarsest].take(self.aggregation)
    }

    /// Goes to the slot of an instant, closing the one before.
    fn enter(&mut self, level: usize, time: i64) {
        let slot = time.div_euclid(self.levels[level].secs) * self.levels[level].secs;
        if self.levels[level].slot != slot {
            self.close(level);
            self.levels[level].slot = slot;
        }
    }

    /// Ends a slot and adds its value to the next coarser one.
    fn close(&mut self, level: usize) {
        let slot = self.levels[level].slot;
        let Some(value) = self.levels[level].take(self.aggregation) else { return };
        if level + 1 < self.levels.len() {
            self.enter(level + 1, slot);
            self.levels[level + 1].add(value, self.aggregation.method);
        }
    }
}

impl Level {
    /// Whether a point is a slot's own.
    fn is_own(&self, stand: Stand) -> bool {
        self.is_first(stand) && stand.after.is_none_or(|after| after - stand.time >= self.secs)
    }

    /// Whether a point, with finer ones behind it, ends points of this precision: the one before is the slot's before, and its own.
    fn is_last_coarse(&self, stand: Stand) -> bool {
        let [last, before_last] = stand.before;
        let ends = last.is_some_and(|last| {
            last == stand.time - self.secs && before_last.is_none_or(|before| last - before >= self.secs)
        });
        self.is_first(stand)
            && ends
            && stand.after.is_some_and(|after| after - stand.time > self.secs / self.parts)
    }

    /// Whether a point is at a slot's start, and none within so long before it.
    fn is_first(&self, Stand { time, before: [last, _], .. }: Stand) -> bool {
        time.rem_euclid(self.secs) == 0 && last.is_none_or(|last| time - last >= self.secs)
    }

    fn add(&mut self, value: f64, method: Method) {
        let made = self.made;
        self.made = if self.known == 0 {
            value
        } else {
            match method {
                Method::Average | Method::Sum | Method::AvgZero => made + value,
                Method::Last => value,
                Method::Max => made.max(value),
                Method::Min => made.min(value),
                Method::AbsMax if value.abs() > made.abs() => value,
                Method::AbsMin if value.abs() < made.abs() => value,
                Method::AbsMax | Method::AbsMin => made,
            }
        };
        self.known += 1;
    }

    fn take(&mut self, Aggregation { method, x_files_factor }: Aggregation) -> Option<f64> {
        let known = std::mem::take(&mut self.known);
        let is_enough = known > 0 && known as f64 / self.parts as f64 >= x_files_factor;
        let made = is_enough.then(|| match method {
            Method::Average => self.made / known as f64,
            Method::AvgZero => self.made / self.parts as f64,
            _ => self.made,
        });
        let spare = self.spare.take();
        self.own.take().or(made).or(spare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: Aggregation = Aggregation { method: Method::Sum, x_files_factor: 0.0 };

    /// The values of all slots from 0 on, of points in time order.
    fn fold(
        points: &[(i64, f64)],
        finer: &[i64],
        secs: i64,
        aggregation: Aggregation,
        slots: i64,
    ) -> Vec<Option<f64>> {
        let mut fold = Fold::new(finer, secs, aggregation);
        let time = |at: Option<usize>| at.and_then(|at| points.get(at)).map(|point| point.0);
        let mut at = 0;
        let mut values = Vec::new();
        for slot in 0..slots {
            while let Some((now, value)) = points.get(at).filter(|point| point.0 < (slot + 1) * secs) {
                let before = [1, 2].map(|back| time(at.checked_sub(back)));
                fold.push(Stand { time: *now, value: *value, before, after: time(Some(at + 1)) });
                at += 1;
            }
            values.push(fold.take());
        }
        values
    }

    #[test]
    fn every_method_is_whispers() {
        let points = [(0, 1.0), (60, -4.0), (61, -5.0), (180, 2.0), (240, 3.0), (299, 2.0)];
        let check = |method: Method, expected: f64| {
            let aggregation = Aggregation { method, x_files_factor: 0.5 };
            assert_eq!(fold(&points, &[60], 300, aggregation, 1), [Some(expected)], "{method:?}");
        };
        // The minutes are 1, -5, none, 2 and 2.
        check(Method::Average, 0.0);
        check(Method::AvgZero, 0.0);
        check(Method::Sum, 0.0);
        check(Method::Last, 2.0);
        check(Method::Max, 2.0);
        check(Method::Min, -5.0);
        check(Method::AbsMax, -5.0);
        check(Method::AbsMin, 1.0);
        let odd = [(0, 1.0), (60, 3.0), (120, 5.0)];
        let of = |method| fold(&odd, &[60], 300, Aggregation { method, x_files_factor: 0.5 }, 1)[0];
        assert_eq!((of(Method::Average), of(Method::AvgZero)), (Some(3.0), Some(1.8)));
    }

    #[test]
    fn too_few_known_parts_make_nothing() {
        let check = |minutes: &[i64], x_files_factor: f64, is_known: bool| {
            let points: Vec<_> = minutes.iter().map(|minute| (minute * 60, 1.0)).collect();
            let aggregation = Aggregation { method: Method::Sum, x_files_factor };
            assert_eq!(fold(&points, &[60], 300, aggregation, 1)[0].is_some(), is_known, "{minutes:?}");
        };
        check(&[0, 1], 0.5, false);
        check(&[0, 1, 2], 0.5, true);
        check(&[0, 1], 0.4, true);
        check(&[3], 0.5, false);
        check(&[3], 0.0, true);
        check(&[], 0.0, false);
        check(&[0, 1, 2, 3], 1.0, false);
        check(&[0, 1, 2, 3, 4], 1.0, true);
    }

    #[test]
    fn a_point_that_stands_alone_is_its_slots_own() {
        let half = Aggregation { method: Method::Sum, x_files_factor: 0.5 };
        let coarse = [(0, 1.0), (300, 2.0), (600, 3.0)];
        assert_eq!(fold(&coarse, &[60], 300, half, 3), [Some(1.0), Some(2.0), Some(3.0)]);
        // An hour of five-minute points; then minutes, of which there are too few.
        let mixed: Vec<_> = (0..12).map(|at| (at * 300, 1.0)).chain([(3_600, 5.0), (3_660, 5.0)]).collect();
        assert_eq!(fold(&mixed, &[60, 300], 3_600, half, 2), [Some(12.0), None]);
        // What came before it is whole first.
        let tens = (0..6).map(|at| (at * 10, 1.0));
        let tens_and_minutes: Vec<_> = tens.chain([120, 180, 240].map(|at| (at, 1.0))).collect();
        assert_eq!(fold(&tens_and_minutes, &[10, 60], 300, half, 1), [Some(9.0)]);
        // Beside a neighbour, or off the slot's start, it is one of many.
        assert_eq!(fold(&[(240, 1.0), (300, 2.0), (600, 3.0)], &[60], 300, half, 3), [None, None, Some(3.0)]);
        assert_eq!(fold(&[(300, 2.0), (360, 3.0)], &[60], 300, half, 2), [None, None]);
        assert_eq!(fold(&[(10, 1.0), (320, 2.0)], &[60], 300, half, 2), [None, None]);
    }

    #[test]
    fn the_last_coarse_point_stands_for_its_slot_where_finer_ones_are_too_few() {
        let half = Aggregation { method: Method::Average, x_files_factor: 0.5 };
        let check = |coarse: &[i64], fine: &[i64], expected: &[Option<f64>]| {
            let points = coarse.iter().map(|at| (*at, 100.0)).chain(fine.iter().map(|at| (*at, 1.0)));
            let points: Vec<_> = points.collect();
            assert_eq!(
                fold(&points, &[60], 300, half, expected.len() as i64),
                expected,
                "{coarse:?} {fine:?}"
            );
        };
        let own = Some(100.0);
        // Of the second slot the finer archive has the last minute, or the last three.
        check(&[0, 300], &[540, 600, 660, 720], &[own, own, Some(1.0)]);
        check(&[0, 300], &[420, 480, 540], &[own, Some(103.0 / 4.0)]);
        // It ends nothing: a sender begins, goes on after a silence, or sends more often from now on.
        check(&[300], &[540], &[None, None]);
        check(&[], &[240, 300, 540], &[None, None]);
        check(&[0, 300], &[360], &[own, None]);
        // It is a minute of its own as well.
        let points = [(0, 5.0), (600, 6.0), (1_080, 1.0), (1_140, 1.0)];
        assert_eq!(fold(&points, &[10, 60], 600, half, 2), [Some(5.0), Some(6.0)]);
    }

    #[test]
    fn each_precision_is_made_of_the_one_before() {
        // Of ten-second points a minute needs three, and five minutes need three minutes.
        let half = Aggregation { method: Method::Average, x_files_factor: 0.5 };
        let minute = |start: i64, points: i64| (0..points).map(move |at| (start + 10 * at, at as f64));
        let enough: Vec<_> = minute(0, 6).chain(minute(60, 3)).chain(minute(240, 3)).collect();
        assert_eq!(fold(&enough, &[10, 60], 300, half, 1), [Some((2.5 + 1.0 + 1.0) / 3.0)]);
        let scattered: Vec<_> = minute(0, 6).chain(minute(60, 6)).chain(minute(120, 2)).collect();
        assert_eq!(fold(&scattered, &[10, 60], 300, half, 1), [None]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_of_a_sum_is_lost_or_doubled(times in prop::collection::btree_set(0..3_600_i64, 0..200)) {
            // One point a second at most, and the finest precision is a second.
            let points: Vec<_> = times.iter().map(|time| (*time, 1.0)).collect();
            for (finer, secs) in [(vec![], 1), (vec![1], 60), (vec![1, 10, 60], 600), (vec![1, 60], 3_600)] {
                let values = fold(&points, &finer, secs, ALL, 3_600 / secs);
                prop_assert_eq!(values.iter().flatten().sum::<f64>() as usize, points.len());
            }
        }
    }
}
