//! Two fingers on the charts: what was under each of them stays under it, so that they pan and zoom at once. Pure.
//!
//! All charts have the same scale, so the fingers may be on two of them. A third finger means nothing.

use super::zoom::{panned, zoomed};
use sonde_shared::chart::scale::TimeScale;
use sonde_shared::time::TimeRange;

/// Nearer than this two fingers cannot be told to move apart or together: they only pan.
const LEAST_SPAN_PX: f64 = 24.0;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Finger {
    id: i32,
    from_x: f64,
    x: f64,
}

/// The fingers that are down.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pinch {
    fingers: Vec<Finger>,
    /// The scale when the second one came down.
    scale: Option<TimeScale>,
}

impl Pinch {
    /// A finger goes down. True when it is the second: time follows the two from now on. The first finger of a touch is told
    /// by `is_first`; whatever was left of a touch before it is forgotten.
    pub(crate) fn press(&mut self, id: i32, x: f64, is_first: bool, scale: TimeScale) -> bool {
        if is_first {
            *self = Self::default();
        }
        if self.fingers.len() >= 2 {
            return false;
        }
        self.fingers.push(Finger { id, from_x: x, x });
        if self.fingers.len() < 2 {
            return false;
        }
        self.fingers.iter_mut().for_each(|finger| finger.from_x = finger.x);
        self.scale = Some(scale);
        true
    }

    /// Whether time follows two fingers.
    pub(crate) const fn is_on(&self) -> bool {
        self.scale.is_some()
    }

    /// A finger moves; the range to show while there are two.
    pub(crate) fn drag_to(&mut self, id: i32, x: f64) -> Option<TimeRange> {
        self.fingers.iter_mut().find(|finger| finger.id == id)?.x = x;
        let (scale, [a, b]) = (self.scale?, self.fingers.first_chunk()?);
        let span = |a: f64, b: f64| (a - b).abs().max(LEAST_SPAN_PX);
        let factor = span(a.from_x, b.from_x) / span(a.x, b.x);
        let (from_middle, middle) = (f64::midpoint(a.from_x, b.from_x), f64::midpoint(a.x, b.x));
        let range = zoomed(scale.range(), scale.time_from_x(from_middle), factor);
        let scale = TimeScale::new(range, scale.left(), scale.right() - scale.left());
        Some(panned(range, from_middle - middle, &scale))
    }

    /// A finger goes up or is taken away. True when that ends the pan and zoom; what is left of the touch does nothing more.
    pub(crate) fn release(&mut self, id: i32) -> bool {
        let before = self.fingers.len();
        self.fingers.retain(|finger| finger.id != id);
        before > self.fingers.len() && self.scale.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::time::Timestamp;

    /// One second a pixel.
    fn scale() -> TimeScale {
        let at = Timestamp::from_secs;
        TimeScale::new(TimeRange::between(at(0), at(1_000)), 0.0, 1_000.0)
    }

    fn pinched(from: (f64, f64), to: (f64, f64)) -> TimeRange {
        let mut pinch = Pinch::default();
        assert!(!pinch.press(1, from.0, true, scale()));
        assert!(pinch.press(2, from.1, false, scale()));
        pinch.drag_to(1, to.0);
        pinch.drag_to(2, to.1).expect("two fingers are down")
    }

    #[test]
    fn what_was_under_each_finger_stays_under_it() {
        let check = |from: (f64, f64), to: (f64, f64)| {
            let after = TimeScale::new(pinched(from, to), 0.0, 1_000.0);
            for (before, now) in [(from.0, to.0), (from.1, to.1)] {
                let x = after.x_from_time(scale().time_from_x(before));
                assert!((x - now).abs() < 0.01, "{before} is at {x}, the finger at {now}");
            }
        };
        check((400.0, 600.0), (300.0, 700.0));
        check((400.0, 600.0), (450.0, 550.0));
        check((200.0, 500.0), (350.0, 650.0));
        check((600.0, 400.0), (900.0, 350.0));
    }

    #[test]
    fn fingers_side_by_side_pan_only() {
        assert_eq!(pinched((500.0, 510.0), (400.0, 420.0)).nanos(), scale().range().nanos());
    }

    #[test]
    fn one_finger_or_a_third_does_nothing() {
        let mut pinch = Pinch::default();
        pinch.press(1, 100.0, true, scale());
        assert_eq!(pinch.drag_to(1, 200.0), None);
        assert!(!pinch.release(1), "no pan or zoom was under way");
        pinch.press(2, 100.0, true, scale());
        assert!(pinch.press(3, 300.0, false, scale()));
        assert!(!pinch.press(4, 500.0, false, scale()));
        assert_eq!(pinch.drag_to(4, 900.0), None);
        assert!(!pinch.release(4) && pinch.release(2) && !pinch.is_on());
        assert_eq!(pinch.drag_to(3, 900.0), None, "the finger that is left");
        assert!(!pinch.press(9, 100.0, true, scale()), "a finger that was never lifted is forgotten");
    }
}
