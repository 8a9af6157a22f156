//! Thin lines on whole pixels: one that lies between two would smear over both.

/// Where the middle of a level or upright line so many pixels wide has to lie so that it covers whole pixels.
pub fn crisp(at: f64, width: f64) -> f64 {
    if width.round() as i64 % 2 == 1 { at.floor() + 0.5 } else { at.round() }
}

/// Sets a line of two points on whole pixels where it is level or upright; others stay.
pub fn crisp_line(points: &mut [(f64, f64)], width: f64) {
    let [from, to] = points else { return };
    if from.0.to_bits() == to.0.to_bits() {
        (from.0, to.0) = (crisp(from.0, width), crisp(to.0, width));
    }
    if from.1.to_bits() == to.1.to_bits() {
        (from.1, to.1) = (crisp(from.1, width), crisp(to.1, width));
    }
}
