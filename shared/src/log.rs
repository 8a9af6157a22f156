//! Log levels, told apart as OpenTelemetry's severity ranges do.

use serde::{Deserialize, Serialize};

/// How bad a line is; ordered, `Trace` the least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Level {
    Trace = 0,
    Debug = 1,
    #[default]
    Info = 2,
    Warn = 3,
    Error = 4,
    Fatal = 5,
}

impl Level {
    /// All levels, least first; the index is the stored number.
    pub const ALL: [Self; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Fatal];
    /// How many levels there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// The three letters of the log pane.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Trace => "TRC",
            Self::Debug => "DBG",
            Self::Info => "INF",
            Self::Warn => "WRN",
            Self::Error => "ERR",
            Self::Fatal => "FTL",
        }
    }

    /// The level with this stored number; what is out of range reads as `Info`.
    pub const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Trace,
            1 => Self::Debug,
            3 => Self::Warn,
            4 => Self::Error,
            5 => Self::Fatal,
            _ => Self::Info,
        }
    }

    /// Reads a level by its usual names, in any case: those Grafana recognises, syslog's and the common short forms.
    pub fn parse(text: &str) -> Option<Self> {
        const NAMES: [(&str, Level); 27] = [
            ("info", Level::Info),
            ("error", Level::Error),
            ("warn", Level::Warn),
            ("debug", Level::Debug),
            ("warning", Level::Warn),
            ("err", Level::Error),
            ("trace", Level::Trace),
            ("fatal", Level::Fatal),
            ("critical", Level::Fatal),
            ("crit", Level::Fatal),
            ("alert", Level::Fatal),
            ("emerg", Level::Fatal),
            ("emergency", Level::Fatal),
            ("panic", Level::Fatal),
            ("eror", Level::Error),
            ("severe", Level::Error),
            ("notice", Level::Info),
            ("information", Level::Info),
            ("informational", Level::Info),
            ("inf", Level::Info),
            ("wrn", Level::Warn),
            ("ftl", Level::Fatal),
            ("dbg", Level::Debug),
            ("verbose", Level::Debug),
            ("trc", Level::Trace),
            ("finest", Level::Trace),
            ("default", Level::Info),
        ];
        NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, level)| *level)
    }

    /// The level of a syslog severity, 0 (emergency) to 7 (debug).
    pub const fn from_syslog(severity: u8) -> Self {
        match severity {
            0..=2 => Self::Fatal,
            3 => Self::Error,
            4 => Self::Warn,
            5 | 6 => Self::Info,
            _ => Self::Debug,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_reads_its_own_name_and_number() {
        for level in Level::ALL {
            assert_eq!(Level::parse(level.name()), Some(level));
            assert_eq!(Level::parse(level.tag()), Some(level));
            assert_eq!(Level::from_number(level as u8), level);
        }
        assert_eq!(Level::parse("WARNING"), Some(Level::Warn));
        assert_eq!(Level::parse("loud"), None);
    }
}
