//! A batch's lines by the files that they go to: each day's, and of a day each class'.
//!
//! Nearly always all lines are of one day and class; then they are taken where they lie. Lines of several classes are
//! gathered first, class by class, so that each has neighbouring text, however they are mixed.

use crate::store::ages::{Ages, Class, Lane};
use crate::store::batch::{LineBatch, LineRow};
use crate::store::source::Note;
use sonde_shared::time::Day;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A part is one commit record: at most so many rows and about so much text.
const PART_ROWS: usize = 1 << 15;
const PART_BYTES: usize = 8 << 20;

/// Where lines go: the segment that is open for them.
pub(super) type Place = (Day, Class);

/// The lines of a batch that go to one segment.
#[derive(Debug)]
pub(super) struct Share<'a> {
    batch: &'a LineBatch,
    text: Cow<'a, [u8]>,
    /// Rows whose text lies together; their positions count in `text`.
    runs: Vec<Cow<'a, [LineRow]>>,
    /// Where each row stands in the batch, if the text was gathered.
    in_batch: Vec<u32>,
}

/// Neighbouring rows of a share, which are committed as one record.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) batch: &'a LineBatch,
    pub(super) rows: &'a [LineRow],
    text: &'a [u8],
    /// Where the last row stands in the batch.
    last_in_batch: usize,
}

/// The shares of a batch.
pub(super) fn shares<'a>(batch: &'a LineBatch, ages: &Ages) -> BTreeMap<Place, Share<'a>> {
    let classes: Vec<Class> = batch.components.list().iter().map(|name| ages.class_of(name)).collect();
    let first = classes.first().copied().unwrap_or_default();
    if classes.iter().all(|class| *class == first) { in_place(batch, first) } else { gather(batch, &classes) }
}

/// Each day is visited once, so that lines in no order of time do not open and close segments without end.
fn in_place(batch: &LineBatch, class: Class) -> BTreeMap<Place, Share<'_>> {
    let mut shares = BTreeMap::new();
    for run in batch.rows.chunk_by(|a, b| a.ts.day() == b.ts.day()) {
        let share =
            shares.entry((run[0].ts.day(), class)).or_insert_with(|| Share::new(batch, &batch.text[..]));
        share.runs.push(run.into());
    }
    shares
}

fn gather<'a>(batch: &'a LineBatch, classes: &[Class]) -> BTreeMap<Place, Share<'a>> {
    let mut shares: BTreeMap<Place, Share<'a>> = BTreeMap::new();
    for (number, row) in (0..).zip(&batch.rows) {
        let place = (row.ts.day(), classes[row.component as usize]);
        let share = shares
            .entry(place)
            .or_insert_with(|| Share { runs: vec![Cow::default()], ..Share::new(batch, Vec::new()) });
        share.gather(number, *row);
    }
    shares
}

impl<'a> Share<'a> {
    fn new(batch: &'a LineBatch, text: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { batch, text: text.into(), runs: Vec::new(), in_batch: Vec::new() }
    }

    fn gather(&mut self, number: u32, row: LineRow) {
        let line = &self.batch.text[row.pos as usize..=row.pos as usize + row.len as usize];
        let text = self.text.to_mut();
        let pos = text.len() as u32;
        text.extend_from_slice(line);
        self.runs[0].to_mut().push(LineRow { pos, ..row });
        self.in_batch.push(number);
    }

    /// Bytes of its lines.
    pub(super) fn bytes(&self) -> u64 {
        self.runs.iter().flat_map(|run| run.iter()).map(|row| u64::from(row.len) + 1).sum()
    }

    /// Its lines, in pieces that are not too large.
    pub(super) fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        self.runs.iter().flat_map(move |run| {
            let mut rest: &[LineRow] = run;
            std::iter::from_fn(move || {
                let (rows, later) = rest.split_at(part_len(rest));
                rest = later;
                self.part(rows)
            })
        })
    }

    fn part<'s>(&'s self, rows: &'s [LineRow]) -> Option<Part<'s>> {
        let (first, last) = (rows.first()?, rows.last()?);
        let text = &self.text[first.pos as usize..=last.pos as usize + last.len as usize];
        // In either text the positions rise.
        let place = |rows: &[LineRow]| rows.partition_point(|row| row.pos < last.pos);
        let last_in_batch = match self.in_batch.as_slice() {
            [] => place(&self.batch.rows),
            in_batch => in_batch[place(&self.runs[0])] as usize,
        };
        Some(Part { batch: self.batch, rows, text, last_in_batch })
    }
}

/// How many of the rows make a part; 0 of none.
fn part_len(rows: &[LineRow]) -> usize {
    let Some(first) = rows.first() else { return 0 };
    let fits = |row: &&LineRow| (row.pos - first.pos) as usize + row.len as usize <= PART_BYTES;
    rows.iter().take(PART_ROWS).take_while(fits).count().max(1)
}

impl<'a> Part<'a> {
    pub(super) fn text(&self) -> &'a [u8] {
        self.text
    }

    /// What its commit settles of a body that may be sent again.
    pub(super) fn note(&self, day: Day, lane: Lane) -> Option<Note> {
        Some(self.batch.source.as_ref()?.note(self.last_in_batch, day, lane))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_SECS: i64 = 86_400;

    /// What goes where, as the days' numbers, the components' ages and the texts of the parts.
    fn check(lines: &[(i64, &str)], expected: &[(i64, &str, &[&str])]) {
        let ages = Ages::with_rules(None, &[("a".to_owned(), Some(1)), ("b".to_owned(), Some(2))]).unwrap();
        let mut batch = LineBatch::default();
        for (number, (day, component)) in lines.iter().enumerate() {
            let line = format!(r#"{{"ts":{},"component":"{component}","msg":{number}}}"#, day * DAY_SECS + 1);
            batch.push_line(line.as_bytes()).unwrap();
        }
        let number = |line: &str| line.trim_end_matches('}').rsplit(':').next().unwrap().to_owned();
        let mut found = Vec::new();
        for ((day, class), share) in shares(&batch, &ages) {
            let parts = share.parts().map(|part| {
                let text = std::str::from_utf8(part.text()).unwrap();
                assert!(text.ends_with('\n') && text.lines().count() == part.rows.len());
                assert_eq!(part.last_in_batch.to_string(), number(text.lines().last().unwrap()));
                text.lines().map(number).collect::<Vec<_>>().join(" ")
            });
            let parts: Vec<String> = parts.collect();
            assert_eq!(share.bytes(), parts_bytes(&share));
            let name = ["x", "a", "b"].into_iter().find(|name| ages.class_of(name) == class).unwrap();
            found.push((day.start().as_secs() / DAY_SECS, name, parts));
        }
        let expected: Vec<_> = expected
            .iter()
            .map(|(day, name, parts)| (*day, *name, parts.iter().map(|part| (*part).to_owned()).collect()))
            .collect();
        assert_eq!(found, expected, "{lines:?}");
    }

    fn parts_bytes(share: &Share<'_>) -> u64 {
        share.parts().map(|part| part.text().len() as u64).sum()
    }

    #[test]
    fn lines_are_shared_out_by_day_and_class_in_their_order() {
        check(&[], &[]);
        check(&[(0, "x"), (0, "y"), (0, "x")], &[(0, "x", &["0 1 2"])]);
        check(&[(0, "a"), (0, "a.b")], &[(0, "a", &["0 1"])]);
        check(&[(0, "x"), (1, "x"), (0, "x")], &[(0, "x", &["0", "2"]), (1, "x", &["1"])]);
        check(
            &[(0, "x"), (0, "a"), (0, "x"), (1, "b"), (0, "a"), (1, "x")],
            &[(0, "x", &["0 2"]), (0, "a", &["1 4"]), (1, "x", &["5"]), (1, "b", &["3"])],
        );
    }

    #[test]
    fn a_part_has_so_many_rows_at_most() {
        let row = LineRow { len: 9, ..EMPTY };
        let rows: Vec<LineRow> = (0..PART_ROWS as u32 + 5).map(|n| LineRow { pos: n * 10, ..row }).collect();
        assert_eq!(part_len(&rows), PART_ROWS);
        assert_eq!(part_len(&rows[PART_ROWS..]), 5);
        let long =
            [LineRow { len: PART_BYTES as u32 + 1, ..row }, LineRow { pos: PART_BYTES as u32 + 2, ..row }];
        assert_eq!((part_len(&long), part_len(&[])), (1, 0));
    }

    const EMPTY: LineRow = LineRow {
        ts: sonde_shared::time::Timestamp::from_secs(0),
        pos: 0,
        len: 0,
        component: 0,
        host: 0,
        pattern: 0,
        level: sonde_shared::log::Level::Info,
    };
}
