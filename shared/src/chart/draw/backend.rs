//! What a chart is drawn on: a plotters backend that also fills columns.

use plotters::element::{Drawable, PointCollection};
use plotters::style::ShapeStyle;
use plotters_backend::{BackendCoord, BackendStyle, DrawingBackend, DrawingErrorKind};

/// What became of drawing on a backend.
type Filled<DB> = Result<(), DrawingErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// A plotters backend for charts.
pub trait ChartBackend: DrawingBackend {
    /// Fills columns of device pixels side by side, each from its upper left to its lower right corner. Unless a backend has a
    /// quicker way, as one outline.
    fn fill_columns<S: BackendStyle>(&mut self, columns: &[[BackendCoord; 2]], style: &S) -> Filled<Self> {
        self.fill_polygon(outline(columns), style)
    }
}

fn outline(columns: &[[BackendCoord; 2]]) -> Vec<BackendCoord> {
    let upper = columns.iter().flat_map(|[(left, top), (right, _)]| [(*left, *top), (*right, *top)]);
    let lower = columns.iter().rev().flat_map(|[(left, _), (right, low)]| [(*right, *low), (*left, *low)]);
    let mut corners: Vec<BackendCoord> = Vec::with_capacity(4 * columns.len());
    for corner in upper.chain(lower) {
        // On a level stretch its ends are enough.
        match corners.as_mut_slice() {
            [.., (_, earlier), last] if *earlier == last.1 && last.1 == corner.1 => last.0 = corner.0,
            _ => corners.push(corner),
        }
    }
    corners
}

/// Columns to be filled: the upper left and the lower right corner of each.
pub(super) struct Columns {
    pub(super) corners: Vec<BackendCoord>,
    pub(super) style: ShapeStyle,
}

impl<'a> PointCollection<'a, BackendCoord> for &'a Columns {
    type Point = &'a BackendCoord;
    type IntoIter = &'a [BackendCoord];

    fn point_iter(self) -> Self::IntoIter {
        &self.corners
    }
}

impl<DB: ChartBackend> Drawable<DB> for Columns {
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        corners: I,
        backend: &mut DB,
        _: (u32, u32),
    ) -> Filled<DB> {
        let corners: Vec<BackendCoord> = corners.collect();
        backend.fill_columns(corners.as_chunks().0, &self.style)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outline_of_columns_has_no_corner_on_a_level_stretch() {
        assert_eq!(outline(&[]), []);
        assert_eq!(outline(&[[(0, 10), (8, 20)]]), [(0, 10), (8, 10), (8, 20), (0, 20)]);
        let three = [[(0, 10), (8, 20)], [(8, 10), (16, 20)], [(16, 5), (24, 20)]];
        assert_eq!(outline(&three), [(0, 10), (16, 10), (16, 5), (24, 5), (24, 20), (0, 20)]);
    }
}
