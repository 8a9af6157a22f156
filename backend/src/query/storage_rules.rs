//! `storage-schemas.conf` and `storage-aggregation.conf` as carbon reads them.
//!
//! Both are lists of sections with a pattern; the first whose pattern is found in a series' path counts. What carbon passes over with
//! a line in its log (a pattern that is none, archives that whisper would refuse) is an error here, told with its place.
//! The rules say how stored points are answered; how they are stored does not depend on them.

mod ini;

use ini::{Section, Setting};
use regex::Regex;

/// Points of one precision that are kept for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Seconds from one point to the next.
    pub secs: i64,
    /// How many there are.
    pub points: i64,
}

impl Archive {
    /// How many seconds back the points reach.
    pub fn retention_secs(&self) -> i64 {
        self.secs.saturating_mul(self.points)
    }
}

/// How finer points become a coarser one; whisper's methods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are whisper's")]
pub enum Method {
    #[default]
    Average,
    Sum,
    Last,
    Max,
    Min,
    AvgZero,
    AbsMax,
    AbsMin,
}

const METHODS: [(&str, Method); 8] = [
    ("average", Method::Average),
    ("sum", Method::Sum),
    ("last", Method::Last),
    ("max", Method::Max),
    ("min", Method::Min),
    ("avg_zero", Method::AvgZero),
    ("absmax", Method::AbsMax),
    ("absmin", Method::AbsMin),
];

/// How a series' coarser points are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aggregation {
    /// What is made of the finer points.
    pub method: Method,
    /// Which share of the finer points must be known for there to be a coarser one.
    pub x_files_factor: f64,
}

impl Default for Aggregation {
    /// Whisper's.
    fn default() -> Self {
        Self { method: Method::Average, x_files_factor: 0.5 }
    }
}

/// Why a file of rules cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {why}", .section.as_ref().map_or_else(String::new, |name| format!(", section [{name}]")))]
pub struct RuleError {
    /// From 1.
    pub line: usize,
    /// The section that it stands in.
    pub section: Option<String>,
    /// What is wrong, and how it would be right.
    pub why: String,
}

#[derive(Debug)]
struct Rule<T> {
    /// Nothing for a rule for all series.
    pattern: Option<Regex>,
    says: T,
}

/// The rules of both files.
#[derive(Debug, Default)]
pub struct StorageRules {
    schemas: Vec<Rule<Vec<Archive>>>,
    aggregations: Vec<Rule<Aggregation>>,
}

impl StorageRules {
    /// Adds the rules of a `storage-schemas.conf`.
    pub fn add_schemas(&mut self, text: &str) -> Result<(), RuleError> {
        for section in ini::read(text)? {
            let retentions = section.get("retentions").ok_or_else(|| {
                section.refuse("it has no retentions; write retentions = 60s:1d,5m:30d".to_owned())
            })?;
            let says = archives(&section, retentions)?;
            self.schemas.push(Rule { pattern: pattern(&section)?, says });
        }
        Ok(())
    }

    /// Adds the rules of a `storage-aggregation.conf`.
    pub fn add_aggregations(&mut self, text: &str) -> Result<(), RuleError> {
        for section in ini::read(text)? {
            let mut says = Aggregation::default();
            if let Some(method) = section.get("aggregationmethod") {
                let found = METHODS.iter().find(|(name, _)| *name == method.value);
                says.method = found.map(|(_, method)| *method).ok_or_else(|| {
                    let known = METHODS.map(|(name, _)| name).join(", ");
                    section.refuse_at(
                        method,
                        format!("there is no aggregationMethod `{}`; there are {known}", method.value),
                    )
                })?;
            }
            if let Some(factor) = section.get("xfilesfactor") {
                let share = factor.value.parse().ok().filter(|share| (0.0..=1.0).contains(share));
                says.x_files_factor = share.ok_or_else(|| {
                    section.refuse_at(
                        factor,
                        format!("the xFilesFactor `{}` is not between 0 and 1", factor.value),
                    )
                })?;
            }
            self.aggregations.push(Rule { pattern: pattern(&section)?, says });
        }
        Ok(())
    }

    /// The archives of a series, finest first; none where no section matches, and of Sonde's own figures, which have a distance
    /// of their own whatever a section for all series says.
    pub fn archives(&self, path: &str) -> Option<&[Archive]> {
        first(&self.schemas, path).filter(|_| !path.starts_with("sonde.")).map(Vec::as_slice)
    }

    /// How a series' coarser points are made.
    pub fn aggregation(&self, path: &str) -> Aggregation {
        first(&self.aggregations, path).copied().unwrap_or_default()
    }
}

fn first<'a, T>(rules: &'a [Rule<T>], path: &str) -> Option<&'a T> {
    let matching = |rule: &&Rule<T>| rule.pattern.as_ref().is_none_or(|pattern| pattern.is_match(path));
    rules.iter().find(matching).map(|rule| &rule.says)
}

fn pattern(section: &Section) -> Result<Option<Regex>, RuleError> {
    let Some(setting) = section.get("pattern").filter(|setting| !setting.value.is_empty()) else {
        let is_for_all = section.get("match-all").is_some_and(|setting| !setting.value.is_empty());
        let why = "it has no pattern; write pattern = ^servers\\. or, for all, pattern = .*";
        return if is_for_all { Ok(None) } else { Err(section.refuse(why.to_owned())) };
    };
    let compiled = Regex::new(&setting.value).map_err(|error| {
        let why = error.to_string();
        // The last line says what is wrong, those before it draw where.
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
        section.refuse_at(setting, format!("the pattern `{}` cannot be taken: {why}", setting.value))
    })?;
    Ok(Some(compiled))
}

fn archives(section: &Section, retentions: &Setting) -> Result<Vec<Archive>, RuleError> {
    let refuse = |why: String| section.refuse_at(retentions, why);
    let mut archives = Vec::new();
    for text in retentions.value.split(',').map(str::trim) {
        archives.push(archive(text).ok_or_else(|| {
            refuse(format!("`{text}` is no retention; write precision:age, such as 60s:1d, or 60:1440"))
        })?);
    }
    archives.sort_by_key(|archive| archive.secs);
    for pair in archives.windows(2) {
        let [fine, coarse] = [pair[0], pair[1]];
        let why = if fine.secs == coarse.secs {
            "two retentions have one precision"
        } else if coarse.secs % fine.secs != 0 {
            "a coarser precision must be a multiple of the finer one"
        } else if coarse.retention_secs() <= fine.retention_secs() {
            "a coarser precision must reach further back than the finer one"
        } else if fine.points < coarse.secs / fine.secs {
            "a precision must have as many points as make one of the next coarser"
        } else {
            continue;
        };
        return Err(refuse(format!("{why}: {}s and {}s", fine.secs, coarse.secs)));
    }
    Ok(archives)
}

/// `precision:age` or `precision:points`; numbers alone are seconds, and points.
fn archive(text: &str) -> Option<Archive> {
    let (precision, age) = text.split_once(':')?;
    let secs = whole(precision).or_else(|| with_unit(precision)).filter(|secs| *secs > 0)?;
    let points = whole(age).or_else(|| with_unit(age).map(|age| age / secs)).filter(|points| *points > 0)?;
    // A century of seconds; beyond that times would not fit.
    (secs <= 100 * 365 * 86_400 && points <= i64::from(u32::MAX)).then_some(Archive { secs, points })
}

fn whole(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A number and the beginning of a unit's name, as in whisper: `5m` and `5minutes` are the same.
fn with_unit(text: &str) -> Option<i64> {
    const UNITS: [(&str, i64); 6] = [
        ("seconds", 1),
        ("minutes", 60),
        ("hours", 3_600),
        ("days", 86_400),
        ("weeks", 7 * 86_400),
        ("years", 365 * 86_400),
    ];
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let (_, secs) = UNITS.iter().find(|(name, _)| name.starts_with(unit))?;
    number.parse::<i64>().ok()?.checked_mul(*secs)
}

#[cfg(test)]
mod tests;
