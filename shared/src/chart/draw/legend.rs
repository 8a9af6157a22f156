//! The legend of a picture: a row a series with its last, least, greatest and mean value.

use super::pen::Pen;
use super::picture::Picture;
use super::{ChartBackend, Drawn, Lines};
use crate::api::Columns;
use crate::chart::figures::Figures;
use crate::chart::text::{CELL, cells, shortened};
use crate::chart::theme::{Rgb, dashes_of_slot};
use crate::chart::units::format_short;
use crate::time::{NANOS_PER_MS, TimeRange};
use plotters::style::text_anchor::HPos;

/// What the figures are called, the most needed first.
const HEADS: [&str; 4] = ["last", "min", "max", "avg"];
/// A name is not made shorter than this for the sake of figures.
const LEAST_NAME: usize = 16;
/// A name that is longer is shortened also where there is room.
const LONGEST_NAME: usize = 80;
/// Between two figures, in characters.
const FIGURE_GAP: usize = 2;
/// The swatch with the space behind it.
const SWATCH_PX: f64 = 20.0;
/// Between two blocks of rows.
const BLOCK_GAP_PX: f64 = 28.0;
/// Between the plot and the legend.
const ABOVE_PX: f64 = 8.0;

/// What of a legend has its place.
#[derive(Debug, Default)]
pub(super) struct Legend {
    rows: Vec<Row>,
    /// Series that have no row.
    hidden: usize,
    /// Rows of a block; blocks stand side by side.
    block_rows: usize,
    /// Figures a row, with how wide each is in characters.
    figures: Vec<usize>,
    name_cells: usize,
    /// Whether figures stand below their name, where both do not fit a line.
    is_tall: bool,
    row_px: f64,
}

#[derive(Debug)]
struct Row {
    index: usize,
    name: String,
    figures: [String; 4],
}

impl Legend {
    /// The legend of a picture that may be so high. Where not all series have a row with all figures, it has the last values alone,
    /// if then they have.
    pub(super) fn of(picture: &Picture, room_px: f64) -> Self {
        let row_px = (picture.text_px * 1.5).round();
        let room = ((room_px - ABOVE_PX).max(0.0) / row_px) as usize;
        if picture.listed.is_empty() || room == 0 {
            return Self::default();
        }
        let char_px = picture.text_px * CELL;
        let width = picture.width_px - 2.0 * picture.margin_px;
        // Wide pictures have room for a few blocks; what is beyond needs no formatting.
        let most = room * ((width / (SWATCH_PX + BLOCK_GAP_PX)).max(0.0) as usize + 1);
        let rows: Vec<Row> = picture.listed.iter().take(most).map(|index| Row::of(picture, *index)).collect();
        let wanted = rows.iter().map(|row| cells(&row.name)).max().unwrap_or(0).min(LONGEST_NAME);
        let in_line = ((width - SWATCH_PX) / char_px).max(1.0) as usize;
        let mut legend = Self::in_line(&rows, HEADS.len(), wanted, in_line);
        let is_cut = legend.name_cells < wanted || legend.figures.len() < HEADS.len();
        if is_cut && 2 * picture.listed.len() < room {
            let figures = figures_that_fit(&rows, HEADS.len(), in_line);
            legend = Self { figures, name_cells: wanted.min(in_line), is_tall: true, ..Self::default() };
        }
        let blocks =
            |one: &Self| ((width + BLOCK_GAP_PX) / (one.block_px(char_px) + BLOCK_GAP_PX)).max(1.0) as usize;
        let shown = |one: &Self| one.rows_in(room) * blocks(one);
        let short = Self::in_line(&rows, 1, wanted, in_line);
        if shown(&legend) < picture.listed.len() && shown(&short) >= picture.listed.len() {
            legend = short;
        }
        let blocks = blocks(&legend);
        legend.row_px = row_px;
        legend.fill(rows, picture.listed.len(), room, blocks);
        legend
    }

    /// Puts as many rows as there is room for into blocks.
    fn fill(&mut self, mut rows: Vec<Row>, count: usize, room: usize, blocks: usize) {
        let room = self.rows_in(room);
        if count > room * blocks {
            rows.truncate((room * blocks).saturating_sub(1));
        }
        self.hidden = count - rows.len();
        let filled = rows.len() + usize::from(self.hidden > 0);
        self.block_rows = if filled <= room { filled } else { filled.div_ceil(blocks) }.max(1);
        self.rows = rows;
    }

    /// How many rows of a block have room where there are so many lines: the heads of the figures are a line, too.
    fn rows_in(&self, lines: usize) -> usize {
        let lines = lines.saturating_sub(usize::from(self.has_heads()));
        (lines / if self.is_tall { 2 } else { 1 }).max(1)
    }

    /// Names and figures in one line of so many characters.
    fn in_line(rows: &[Row], most_figures: usize, wanted: usize, in_line: usize) -> Self {
        let figures = figures_that_fit(rows, most_figures, in_line.saturating_sub(wanted.min(LEAST_NAME)));
        let taken: usize = figures.iter().map(|width| width + FIGURE_GAP).sum();
        let name_cells = wanted.min(in_line.saturating_sub(taken)).max(1);
        Self { figures, name_cells, ..Self::default() }
    }

    /// Whether it has a row for each series.
    pub(super) fn is_whole(&self) -> bool {
        self.hidden == 0 && !self.rows.is_empty()
    }

    fn has_heads(&self) -> bool {
        self.figures.len() > 1
    }

    /// How high it is, with the space above it.
    pub(super) fn height_px(&self) -> f64 {
        let filled = self.rows.len() + self.hidden.min(1);
        let lines = self.block_rows * if self.is_tall { 2 } else { 1 } + usize::from(self.has_heads());
        if filled == 0 { 0.0 } else { ABOVE_PX + lines as f64 * self.row_px }
    }

    fn block_px(&self, char_px: f64) -> f64 {
        let figures: usize = self.figures.iter().map(|width| width + FIGURE_GAP).sum();
        let cells = if self.is_tall { self.name_cells.max(figures) } else { self.name_cells + figures };
        SWATCH_PX + cells as f64 * char_px
    }

    /// Draws it at the bottom of a picture.
    pub(super) fn draw<DB: ChartBackend>(&self, pen: &Pen<'_, DB>, picture: &Picture) -> Drawn<DB> {
        let places: Vec<(f64, f64)> =
            (0..self.rows.len() + self.hidden.min(1)).map(|at| self.place(picture, at)).collect();
        for (x, y) in places.iter().step_by(self.block_rows.max(1)).filter(|_| self.has_heads()) {
            let heads = HEADS.iter().map(|head| (*head).to_owned());
            self.figures(pen, (*x, y - self.row_px), heads, picture.theme.faint)?;
        }
        for (row, (x, y)) in self.rows.iter().zip(&places) {
            pen.swatch(&picture.lines, row.index, (*x, *y))?;
            let name = shortened(&row.name, self.name_cells);
            pen.text(&name, (x + SWATCH_PX, *y), HPos::Left, picture.theme.text)?;
            let below = if self.is_tall { self.row_px } else { 0.0 };
            self.figures(pen, (*x, y + below), row.figures.iter().cloned(), picture.theme.muted)?;
        }
        match places.get(self.rows.len()) {
            None => Ok(()),
            Some((x, y)) => {
                let more = format!("+{} more", self.hidden);
                pen.text(&more, (x + SWATCH_PX, *y), HPos::Left, picture.theme.muted)
            }
        }
    }

    /// The left end of a row and its middle.
    fn place(&self, picture: &Picture, at: usize) -> (f64, f64) {
        let block_px = self.block_px(picture.text_px * CELL) + BLOCK_GAP_PX;
        let top = picture.height_px - picture.margin_px - self.height_px() + ABOVE_PX;
        let first = if self.has_heads() { 1.5 } else { 0.5 };
        let lines = (at % self.block_rows) * if self.is_tall { 2 } else { 1 };
        let x = picture.margin_px + (at / self.block_rows) as f64 * block_px;
        (x, top + (first + lines as f64) * self.row_px)
    }

    fn figures<DB: ChartBackend>(
        &self,
        pen: &Pen<'_, DB>,
        (left, y): (f64, f64),
        texts: impl Iterator<Item = String>,
        colour: Rgb,
    ) -> Drawn<DB> {
        let char_px = pen.frame.layout.text_px * CELL;
        let beside = if self.is_tall { 0 } else { self.name_cells };
        let mut right = left + SWATCH_PX + beside as f64 * char_px;
        for (text, width) in texts.zip(&self.figures) {
            right += (width + FIGURE_GAP) as f64 * char_px;
            pen.text(&text, (right, y), HPos::Right, colour)?;
        }
        Ok(())
    }
}

/// How wide the figures are that fit so many characters: the most, or the last value alone, or none.
fn figures_that_fit(rows: &[Row], most: usize, room: usize) -> Vec<usize> {
    let width = |at: usize| {
        let widest = rows.iter().map(|row| cells(&row.figures[at])).max().unwrap_or(0);
        widest.max(HEADS[at].len())
    };
    let widths: Vec<usize> = (0..HEADS.len()).map(width).collect();
    let counts = [4, 3, 1, 0];
    let fits = |count: &usize| widths[..*count].iter().map(|width| width + FIGURE_GAP).sum::<usize>() <= room;
    let count = counts.into_iter().filter(|count| *count <= most).find(fits).unwrap_or(0);
    widths[..count].to_vec()
}

impl Row {
    fn of(picture: &Picture, index: usize) -> Self {
        let series: &Columns = &picture.lines.series[index];
        let is_right = picture.lines.style(index).is_right;
        let side = if is_right { picture.lines.right } else { picture.lines.left };
        // A point at the very end of the range is drawn, so it counts.
        let until = picture.range.until.plus_nanos(NANOS_PER_MS);
        let figures = Figures::of(series, TimeRange { until, ..picture.range }).map_or_else(
            || std::array::from_fn(|_| "–".to_owned()),
            |figures| {
                [figures.last, figures.min, figures.max, figures.mean]
                    .map(|value| format_short(value, side.unit, f64::INFINITY))
            },
        );
        Self { index, name: series.name.clone(), figures }
    }
}

impl<DB: ChartBackend> Pen<'_, DB> {
    /// What a series looks like, on so little room: a bar, parted where its line has dashes.
    fn swatch(&self, lines: &Lines, index: usize, (x, y): (f64, f64)) -> Drawn<DB> {
        const WIDTH_PX: f64 = 12.0;
        let (style, slot) = (lines.style(index), lines.slot(index));
        let colour = style.colour.unwrap_or_else(|| self.frame.theme.slot(slot));
        let dashes = style.dashes.or_else(|| dashes_of_slot(slot).filter(|_| style.colour.is_none()));
        let bar = |from: f64, to: f64| self.rect((x + from, y - 1.5), (x + to, y + 1.5), colour, style.alpha);
        match dashes {
            None => bar(0.0, WIDTH_PX),
            Some((on, _)) if on > 3.0 => bar(0.0, 5.0).and_then(|()| bar(7.0, WIDTH_PX)),
            Some(_) => [0.0, 3.5, 7.0, 10.0].into_iter().try_for_each(|from| bar(from, from + 2.0)),
        }
    }
}
