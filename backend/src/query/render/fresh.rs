//! What has come to the series of a target since they were last looked at, for who follows them.
//!
//! Of a path the points themselves are told, those that are newer than the newest one told before. What functions make of
//! points may change as a whole with each of them: of a call it is told only that there is something new to ask for.

use super::{MAX_SERIES, Selection, Target, step};
use crate::functions::parse::{Call, Expression};
use crate::store::StoreError;
use crate::store::metrics::{MetricStore, Points};
use sonde_shared::time::{NANOS_PER_DAY, NANOS_PER_SEC, TimeRange, Timestamp};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// More points of one look are not told one by one: whoever follows asks for the target as a whole.
const MOST_POINTS: usize = 4_000;
/// Points may be so far ahead of the clock.
const AHEAD_NANOS: i64 = NANOS_PER_DAY;

/// New points of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct FreshSeries {
    /// The series.
    pub name: String,
    /// The most frequent spacing of its points.
    pub step_secs: i64,
    /// The points, never empty.
    pub points: Points,
}

/// What a look at a target has found.
#[derive(Clone, Debug, PartialEq)]
pub enum Fresh {
    /// New points of these series; none of none.
    Points(Vec<FreshSeries>),
    /// There is something new; it has to be asked for as a whole.
    Changed,
}

/// What is known of a series.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// The second of the newest point that was told.
    last: i64,
    step_secs: i64,
}

/// A target that is followed.
#[derive(Debug)]
pub struct Followed {
    /// The paths that it names, in calls too; `None` where its series cannot be told from its text, so that any point may be one
    /// of it.
    paths: Option<Vec<Target>>,
    /// Whether it is a path, whose points are told.
    tells_points: bool,
    /// Whether it counts lines.
    counts_lines: bool,
    since: i64,
    has_looked: bool,
    /// By a hash of the name: of a thousand series the names alone would take most of the memory.
    seen: HashMap<u64, Seen>,
    hasher: RandomState,
}

impl Followed {
    /// Will tell the points that are newer than an instant.
    pub fn new(target: &Expression, since: Timestamp) -> Self {
        let tells_points = matches!(target, Expression::Path(_));
        let mut followed = Self {
            paths: Some(Vec::new()),
            tells_points,
            counts_lines: false,
            since: since.as_secs(),
            has_looked: false,
            seen: HashMap::new(),
            hasher: RandomState::new(),
        };
        followed.add(target);
        followed
    }

    fn add(&mut self, part: &Expression) {
        match part {
            Expression::Path(path) => {
                if let Some(paths) = &mut self.paths {
                    paths.extend(Target::parse(path));
                }
            }
            Expression::Call(call) => self.add_call(call),
            Expression::Template(..) => self.paths = None,
            _ => {}
        }
    }

    fn add_call(&mut self, call: &Call) {
        match call.name.as_str() {
            "logs" => self.counts_lines = true,
            "seriesByTag" => self.paths = None,
            _ => {}
        }
        call.arguments
            .iter()
            .chain(call.named.iter().map(|(_, value)| value))
            .for_each(|part| self.add(part));
    }

    /// Whether new points can change it.
    pub fn follows_points(&self) -> bool {
        self.paths.as_ref().is_none_or(|paths| !paths.is_empty())
    }

    /// Whether new lines can change it.
    pub const fn counts_lines(&self) -> bool {
        self.counts_lines
    }

    /// What has come since the last look. May read files.
    pub fn look(&mut self, store: &MetricStore, now: Timestamp) -> Result<Fresh, StoreError> {
        let Some(paths) = &self.paths else { return Ok(Fresh::Changed) };
        let is_first = !std::mem::replace(&mut self.has_looked, true);
        let range = TimeRange {
            from: Timestamp::from_secs(self.since).plus_nanos(NANOS_PER_SEC),
            until: now.plus_nanos(AHEAD_NANOS),
        };
        let Ok(selection) = Selection::of(store, paths, range, range.until)? else {
            return Ok(Fresh::Changed);
        };
        let mut fresh = Vec::new();
        let mut points = 0;
        for name in selection.names.iter().take(MAX_SERIES) {
            if let Some(series) = self.look_at(&selection, name)? {
                points += series.points.len();
                fresh.push(series);
            }
        }
        if self.tells_points && points <= MOST_POINTS {
            return Ok(Fresh::Points(fresh));
        }
        // What has come before the first look is in what was asked for before it.
        let is_news = !fresh.is_empty() && (self.tells_points || !is_first);
        Ok(if is_news { Fresh::Changed } else { Fresh::Points(Vec::new()) })
    }

    fn look_at(&mut self, selection: &Selection, name: &str) -> Result<Option<FreshSeries>, StoreError> {
        let key = self.hasher.hash_one(name);
        let known = self.seen.get(&key).copied();
        let from = known.map_or(self.since, |seen| seen.last).saturating_add(1);
        let range = TimeRange { from: Timestamp::from_secs(from), until: selection.range.until };
        let mut points = Points::default();
        for day in selection.days.days(name, range) {
            let day = day?;
            points.times.extend(day.times);
            points.values.extend(day.values);
        }
        let Some(last) = points.times.last().copied() else { return Ok(None) };
        let step_secs = known.map_or_else(|| step::detect(selection, name), |seen| Ok(seen.step_secs))?;
        self.seen.insert(key, Seen { last, step_secs });
        Ok(Some(FreshSeries { name: name.to_owned(), step_secs, points }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::parse::parse;
    use crate::store::batch::{Durability, PointBatch};

    const NOW: i64 = 1_795_000_000;

    struct Wells {
        _dir: tempfile::TempDir,
        store: MetricStore,
    }

    impl Wells {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let store = MetricStore::open(dir.path()).unwrap();
            Self { _dir: dir, store }
        }

        async fn append(&self, rows: &[(&str, i64, f64)]) {
            let mut batch = PointBatch::default();
            for (name, secs, value) in rows {
                batch.push(name, NOW + secs, *value);
            }
            self.store.append(batch, Durability::Acknowledged).await.unwrap();
        }

        fn look(&self, followed: &mut Followed) -> Fresh {
            followed.look(&self.store, Timestamp::from_secs(NOW + 100)).unwrap()
        }

        /// The points that a look tells: name, seconds, value.
        fn told(&self, followed: &mut Followed) -> Vec<(String, i64, f64)> {
            let Fresh::Points(series) = self.look(followed) else { panic!("it is told whole") };
            let flat = |one: FreshSeries| {
                let points: Vec<_> = one.points.iter().collect();
                points.into_iter().map(move |(time, value)| (one.name.clone(), time - NOW, value))
            };
            series.into_iter().flat_map(flat).collect()
        }
    }

    fn followed(target: &str) -> Followed {
        Followed::new(&parse(target).unwrap(), Timestamp::from_secs(NOW))
    }

    #[tokio::test]
    async fn each_point_of_a_path_is_told_once_whatever_series_it_is_of() {
        let wells = Wells::new();
        wells.append(&[("well.a", -10, 1.0), ("well.a", 0, 2.0), ("other", 10, 9.0)]).await;
        let mut all = followed("well.*");
        assert_eq!(wells.told(&mut all), []);
        // A series may be behind the others, and one may be new.
        wells.append(&[("well.a", 20, 3.0), ("well.b", 10, 4.0)]).await;
        let both = [("well.a".to_owned(), 20, 3.0), ("well.b".to_owned(), 10, 4.0)];
        assert_eq!(wells.told(&mut all), both);
        assert_eq!(wells.told(&mut all), []);
        wells.append(&[("well.b", 20, 5.0), ("well.b", 5, 6.0)]).await;
        assert_eq!(wells.told(&mut all), [("well.b".to_owned(), 20, 5.0)]);
    }

    #[tokio::test]
    async fn of_a_call_it_is_told_that_its_paths_have_news() {
        let wells = Wells::new();
        wells.append(&[("well.a", 10, 1.0), ("other", 10, 1.0)]).await;
        let mut sum = followed("sumSeries(scale(well.*, 2), 'well.z')");
        assert_eq!(wells.look(&mut sum), Fresh::Points(Vec::new()));
        wells.append(&[("other", 20, 1.0)]).await;
        assert_eq!(wells.look(&mut sum), Fresh::Points(Vec::new()));
        wells.append(&[("well.a", 20, 1.0)]).await;
        assert_eq!(wells.look(&mut sum), Fresh::Changed);
        assert_eq!(wells.look(&mut sum), Fresh::Points(Vec::new()));
    }

    #[tokio::test]
    async fn what_is_too_much_to_be_told_is_asked_for() {
        let wells = Wells::new();
        let many: Vec<_> =
            (1..=MOST_POINTS as i64 + 1).map(|at| ("well.a", at / 50 * 50 + at % 50, 0.5)).collect();
        wells.append(&many).await;
        let mut all = followed("well.a");
        assert_eq!(wells.look(&mut all), Fresh::Changed);
        assert_eq!(wells.told(&mut all), []);
    }

    #[test]
    fn what_can_change_a_target_is_known_from_its_text() {
        let check = |target: &str, points: bool, lines: bool| {
            let followed = followed(target);
            assert_eq!((followed.follows_points(), followed.counts_lines()), (points, lines), "{target}");
        };
        check("a.b", true, false);
        check("logs('a')", false, true);
        check("divideSeries(logs('a'), b)", true, true);
        check("seriesByTag('a=b')", true, false);
        check("template($x.b, x='a')", true, false);
        check("randomWalk('x')", false, false);
    }
}
