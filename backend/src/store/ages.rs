//! How long the lines of which component are kept.
//!
//! A rule names a component, and all below it, and an age; of the rules that hold for a component the one with the longest
//! name counts. Components of the same age are of one class. The writer keeps lines of different classes in different
//! files, so that each file can go as a whole when its time has come. What a rule says of lines that are stored is looked up
//! anew whenever the question comes: nothing of it is written down.

use sonde_shared::time::{Day, Timestamp};
use std::collections::HashMap;

/// The most classes there can be: each has a segment open on every day that is written to.
const MAX_CLASSES: usize = 8;
/// A lane fits into three bytes of a note.
const LANE_MASK: u32 = 0x00ff_ffff;

/// How long something is kept after its day has ended, in nanoseconds; `None` is for ever.
pub type Age = Option<i64>;

/// The components of one age, as a place in [`Ages`]; 0 are those that no rule speaks of, and others of their age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(u8);

/// Tells for which components a place in a body was noted: a class under certain rules. The usual one is for all components.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane(pub u32);

/// The first day that is young enough; `None` where all are.
pub(super) fn first_day(age: Age, now: Timestamp) -> Option<Day> {
    age.map(|age| now.plus_nanos(age.saturating_neg()).day())
}

/// The age of all, and the rules for some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ages {
    rules: HashMap<Box<str>, (Age, Class)>,
    /// Each class' age; that of all others first.
    classes: Vec<Age>,
    /// Each class' lane.
    lanes: Vec<Lane>,
}

/// Why rules cannot hold together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Two rules of one component.
    #[error("`{component}` has two ages; write it once, with one of them")]
    Twice {
        /// The component.
        component: String,
    },
    /// Too many files would be open.
    #[error("there are more than {MAX_CLASSES} different ages; give some components the same age")]
    TooMany,
}

impl Ages {
    /// One age for all.
    pub fn of_all(age: Age) -> Self {
        Self { rules: HashMap::new(), classes: vec![age], lanes: vec![Lane::default()] }
    }

    /// An age for all, and others for some components and what lies below them.
    pub fn with_rules(age: Age, rules: &[(String, Age)]) -> Result<Self, RuleError> {
        let mut ages = Self::of_all(age);
        for (component, age) in rules {
            let class = ages.class_with(*age)?;
            let known = ages.rules.insert(component.as_str().into(), (*age, class));
            if known.is_some_and(|(known, _)| known != *age) {
                return Err(RuleError::Twice { component: component.clone() });
            }
        }
        if ages.classes.len() > 1 {
            ages.lanes = (0..ages.classes.len()).map(|class| ages.lane_of_rules(class)).collect();
        }
        Ok(ages)
    }

    fn class_with(&mut self, age: Age) -> Result<Class, RuleError> {
        let at = self.classes.iter().position(|known| *known == age).unwrap_or(self.classes.len());
        if at == self.classes.len() {
            self.classes.push(age);
        }
        if at < MAX_CLASSES { Ok(Class(at as u8)) } else { Err(RuleError::TooMany) }
    }

    /// A number that is another one for other rules, so that what was noted under them is not taken for this.
    fn lane_of_rules(&self, class: usize) -> Lane {
        let mut rules: Vec<_> = self.rules.iter().map(|(name, (age, _))| (name, age)).collect();
        rules.sort_unstable();
        let said = format!("{:?} {rules:?} {:?}", self.classes[0], self.classes[class]);
        Lane((crc32fast::hash(said.as_bytes()) & LANE_MASK).max(1))
    }

    /// Whether there is more than one class.
    pub fn has_classes(&self) -> bool {
        self.classes.len() > 1
    }

    /// The age of what no rule speaks of.
    pub fn general(&self) -> Age {
        self.classes[0]
    }

    /// The age of a component.
    pub fn of(&self, component: &str) -> Age {
        self.classes[usize::from(self.class_of(component).0)]
    }

    /// The class of a component.
    pub fn class_of(&self, component: &str) -> Class {
        let mut name = component;
        while !self.rules.is_empty() {
            if let Some((_, class)) = self.rules.get(name) {
                return *class;
            }
            let Some((above, _)) = name.rsplit_once('.') else { break };
            name = above;
        }
        Class::default()
    }

    /// What notes of a class' lines are marked with.
    pub fn lane(&self, class: Class) -> Lane {
        self.lanes[usize::from(class.0)]
    }

    /// The age of what is kept longest, and of what goes first.
    pub fn extremes(&self) -> (Age, Age) {
        let longest = self.classes.iter().copied().max_by_key(|age| order(*age)).flatten();
        let shortest = self.classes.iter().copied().min_by_key(|age| order(*age)).flatten();
        (longest, shortest)
    }
}

/// What is kept for ever is kept longer than all else.
pub(super) fn order(age: Age) -> i64 {
    age.unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000_000;

    fn ages(general: Age, rules: &[(&str, Age)]) -> Result<Ages, RuleError> {
        let rules: Vec<_> = rules.iter().map(|(name, age)| ((*name).to_owned(), *age)).collect();
        Ages::with_rules(general, &rules)
    }

    #[test]
    fn the_longest_rule_counts_for_a_component_and_all_below_it_and_for_no_sibling() {
        let (short, long) = (Some(3 * DAY), Some(700 * DAY));
        let ages =
            ages(Some(90 * DAY), &[("shop.git", short), ("shop.git.audit", long), ("db", None)]).unwrap();
        let check = |component: &str, age: Age| assert_eq!(ages.of(component), age, "{component}");
        check("shop.git", short);
        check("shop.git.tree.x", short);
        check("shop.gitaly", Some(90 * DAY));
        check("shop", Some(90 * DAY));
        check("shop.git.audit", long);
        check("shop.git.audit.log", long);
        check("shop.git.audits", short);
        check("db.x", None);
        check("", Some(90 * DAY));
        assert_eq!(ages.extremes(), (None, short));
    }

    #[test]
    fn components_of_one_age_are_one_class() {
        let week = Some(7 * DAY);
        let ages = ages(week, &[("a", Some(DAY)), ("b", Some(DAY)), ("c", week)]).unwrap();
        assert_eq!(ages.class_of("a.x"), ages.class_of("b"));
        assert_eq!(ages.class_of("c"), ages.class_of("other"));
        assert_ne!(ages.class_of("a"), ages.class_of("c"));
        assert!(ages.has_classes() && !Ages::of_all(week).has_classes());
        assert_ne!(ages.lane(ages.class_of("a")), ages.lane(ages.class_of("c")));
    }

    #[test]
    fn rules_that_cannot_hold_together_are_refused() {
        let twice = ages(None, &[("a", Some(DAY)), ("a", Some(2 * DAY))]);
        assert_eq!(twice, Err(RuleError::Twice { component: "a".into() }));
        assert!(ages(None, &[("a", Some(DAY)), ("a", Some(DAY))]).is_ok());
        let names: Vec<String> = (1..9).map(|n| format!("c{n}")).collect();
        let many: Vec<(&str, Age)> =
            (1..).zip(&names).map(|(n, name)| (name.as_str(), Some(n * DAY))).collect();
        assert_eq!(ages(None, &many), Err(RuleError::TooMany));
        assert!(ages(None, &many[1..]).is_ok());
    }

    #[test]
    fn other_rules_have_other_lanes_and_no_rule_has_the_usual_one() {
        let lanes = |rules: &[(&str, Age)]| {
            let ages = ages(Some(DAY), rules).unwrap();
            (ages.lane(Class(0)), ages.lane(ages.class_of("a")))
        };
        assert_eq!(lanes(&[]), (Lane(0), Lane(0)));
        assert_eq!(lanes(&[("a", Some(DAY))]), (Lane(0), Lane(0)), "one class");
        let (one, other) = (lanes(&[("a", None)]), lanes(&[("a", None), ("b", Some(2 * DAY))]));
        assert!(one.0 != other.0 && one.1 != other.1 && one.0 != Lane(0));
        assert_eq!(one, lanes(&[("a", None)]), "the same at each start");
    }
}
