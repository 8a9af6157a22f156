//! The forms in which incidents come: how often series are sampled, and what the selection is compared with.

use crate::draw::Draw;
use crate::incident::{KINDS, Kind};
use crate::system::{Baseline, Size};

/// A form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// All lengths, each 10 s or each minute, compared with the time just before.
    Usual,
    /// Each minute, and selections of three to five points.
    FewPoints,
    /// Most series stand still until something happens.
    Still,
    /// Some series take another level now and then, and hardly move between: what caches and heaps hold.
    Steps,
    /// Of what is counted, most are counters, from the start of their process on.
    Counters,
    /// Compared with the same hour two weeks before.
    Far,
    /// Compared with a whole day two weeks before.
    FarDay,
    /// What happens began in the last quarter of the baseline: only its second half is selected.
    Late,
    /// Compared with the time before for as long as the selection; nothing is known of what was before that.
    AsLong,
    /// Just before or two weeks before, and many hosts and instances are called otherwise since.
    Renamed,
    /// A few components on a few machines.
    Small,
    /// One machine alone, each minute: some dozens of series and hardly any others to compare them with.
    Machine,
}

/// Those that are told of beside the usual one.
pub(crate) const OTHERS: [Form; 11] = [
    Form::FewPoints,
    Form::Still,
    Form::Steps,
    Form::Counters,
    Form::Far,
    Form::FarDay,
    Form::Late,
    Form::AsLong,
    Form::Renamed,
    Form::Small,
    Form::Machine,
];

impl Form {
    /// What it is called in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::FewPoints => "few points",
            Self::Still => "still",
            Self::Steps => "steps",
            Self::Counters => "counters",
            Self::Far => "far",
            Self::FarDay => "far day",
            Self::Late => "late",
            Self::AsLong => "as long",
            Self::Renamed => "renamed",
            Self::Small => "small",
            Self::Machine => "machine",
        }
    }

    /// What goes wrong in such a system.
    pub(crate) fn kinds(self) -> &'static [Kind] {
        if self == Self::Machine { &[Kind::Series] } else { &KINDS }
    }

    /// Some system of this form.
    pub(crate) fn some_size(self, draw: &mut Draw) -> Size {
        let usual = some_size(draw);
        let few = |draw: &mut Draw| Size { step_secs: 60, selection: 3 + draw.below(3), ..usual };
        let far = |draw: &mut Draw| if draw.chance(0.5) { few(draw) } else { usual };
        let weeks_ago = |draw: &mut Draw| Size { baseline: Baseline::WeeksAgo, days: 0, ..far(draw) };
        match self {
            Self::Usual => usual,
            Self::FewPoints => few(draw),
            Self::Still => Size { still: 0.6, ..usual },
            Self::Steps => Size { steps: 0.05, ..usual },
            Self::Counters => Size {
                counters: draw.between(0.1, 0.9),
                ..[usual, few(draw), weeks_ago(draw)][draw.below(3)]
            },
            Self::Far => weeks_ago(draw),
            Self::FarDay => Size { baseline: Baseline::DayWeeksAgo, days: 0, past: 0, ..far(draw) },
            Self::Late => Size { selection: 2 * usual.selection, days: 0, ..usual },
            Self::AsLong => Size { baseline: Baseline::AsLong, past: 8, days: 0, ..usual },
            Self::Renamed => [usual, weeks_ago(draw)][draw.below(2)],
            Self::Small => Size { components: 1 + draw.below(4), series: 20 + draw.below(60), ..usual },
            Self::Machine => Size {
                components: 1,
                series: 30 + draw.below(20),
                selection: draw.log_between(5.0, 100.0) as usize,
                step_secs: 60,
                still: 0.3,
                baseline: [Baseline::Before, Baseline::WeeksAgo][draw.below(2)],
                days: 0,
                ..usual
            },
        }
    }
}

fn some_size(draw: &mut Draw) -> Size {
    let components = draw.log_between(5.0, 50.0).round() as usize;
    let minutely = draw.chance(0.35);
    Size {
        components,
        series: (draw.log_between(100.0, 10_000.0) as usize).max(components * 7),
        selection: if minutely { 3 + draw.below(8) } else { 12 + draw.below(25) },
        step_secs: if minutely { 60 } else { 10 },
        past: [0, 2, 8][draw.below(3)],
        days: [0, 0, 1, 3][draw.below(4)],
        ..Size::default()
    }
}
