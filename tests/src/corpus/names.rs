//! The components that made-up lines are of, and how often each has one.

use super::Dice;
use std::sync::LazyLock;

/// Components whose names begin alike, so that a match by prefix finds too much. Earlier ones have more lines.
pub const COMPONENTS: [&str; 12] = [
    "webapp.backend.git",
    "webapp.backend.db",
    "webapp.frontend",
    "webapp.backend.gitaly",
    "webapp.backend.git.gc",
    "webapp.backend",
    "webapp.backend.git-mirror",
    "webapp.backend.mail",
    "webapp.backend.git.pack.idx",
    "webapp",
    "büro.drucker",
    "webapp2.backend.git",
];

/// Which components there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// [`COMPONENTS`], of falling frequency.
    Few,
    /// Two hundred, the n-th with an n-th of the first one's lines, as Zipf found of words; the second is `webapp.backend.git`,
    /// and somewhat more than half of all lines are of `webapp` and what is below it.
    Many,
    /// Five thousand, of frequencies that fall in the same way.
    Thousands,
}

impl Names {
    /// A component by its frequency.
    pub(super) fn pick(self, dice: &mut Dice) -> &'static str {
        match self {
            Self::Few => COMPONENTS[dice.skewed(COMPONENTS.len())],
            Self::Many => MANY.pick(dice),
            Self::Thousands => THOUSANDS.pick(dice),
        }
    }
}

static MANY: LazyLock<Zipf> = LazyLock::new(|| Zipf::of(200));
static THOUSANDS: LazyLock<Zipf> = LazyLock::new(|| Zipf::of(5_000));

struct Zipf {
    names: Vec<String>,
    /// Sums of the frequencies up to each name, in parts of the first one's.
    sums: Vec<usize>,
}

impl Zipf {
    const UNIT: usize = 1_000_000;

    fn of(count: usize) -> Self {
        let areas =
            ["webapp.frontend", "storage", "webapp.backend", "network", "webapp.jobs", "batch.nightly"];
        let name = |at: usize| match at {
            1 => "webapp.backend.git".to_owned(),
            _ => format!("{}.service{at:03}", areas[at % areas.len()]),
        };
        let mut sum = 0;
        let sums = (0..count).map(|at| {
            sum += Self::UNIT / (at + 1);
            sum
        });
        Self { sums: sums.collect(), names: (0..count).map(name).collect() }
    }

    fn pick(&'static self, dice: &mut Dice) -> &'static str {
        let at = dice.below(self.sums[self.sums.len() - 1]);
        &self.names[self.sums.partition_point(|sum| *sum <= at)]
    }
}
