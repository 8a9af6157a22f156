//! Fingers on the screen, by the browser's own touch input.

use super::Browser;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

/// What passes between two steps of fingers.
const STEP: Duration = Duration::from_millis(60);
/// How long a finger stays that means more than a tap.
const LONG_PRESS: Duration = Duration::from_millis(700);

impl Browser {
    /// Puts fingers down at the first points, moves them through the others and lifts them. Each step has a point a finger,
    /// in the same order; they come down one after the other and go up together.
    ///
    /// # Panics
    /// When the browser refuses.
    #[track_caller]
    pub fn fingers(&self, steps: &[&[(f64, f64)]]) {
        // The browser goes by the times that it is told: who moves and lets go in no time flings, and the next tap only stops that.
        let count = steps[0].len() + steps.len() + 1;
        let begun = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().saturating_sub(STEP * count as u32);
        let mut times = (0..).map(|step| begun + STEP * step);
        let mut touch =
            |kind: &str, points: &[(f64, f64)]| self.touch(kind, points, times.next().unwrap_or_default());
        for down in 1..=steps[0].len() {
            touch("touchStart", &steps[0][..down]);
        }
        steps[1..].iter().for_each(|points| touch("touchMove", points));
        if let [_, .., last] = steps {
            touch("touchMove", last);
        }
        touch("touchEnd", &[]);
    }

    #[track_caller]
    fn touch(&self, kind: &str, points: &[(f64, f64)], at: Duration) {
        let points = points.iter().enumerate().map(|(id, (x, y))| json!({"x": x, "y": y, "id": id}));
        let points: Vec<Value> = points.collect();
        let event = json!({"type": kind, "touchPoints": points, "timestamp": at.as_secs_f64()});
        self.devtools("Input.dispatchTouchEvent", &event);
    }

    /// Puts a finger down there and leaves it for a moment: a long press.
    ///
    /// # Panics
    /// When the browser refuses.
    #[track_caller]
    pub fn finger_stays(&self, at: (f64, f64)) {
        let now = || SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        self.touch("touchStart", &[at], now());
        // That it stays is what it does.
        std::thread::sleep(LONG_PRESS);
        self.touch("touchEnd", &[], now());
    }
}
