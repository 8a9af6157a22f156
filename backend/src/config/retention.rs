//! How long days are kept, as it is written in flags.

use crate::store::Store;
use crate::store::reserve::Kept;
use crate::store::retention::Limits;
use sonde_shared::component::MAX_NAME_BYTES;
use sonde_shared::time::{NANOS_PER_DAY, parse_duration_ns};
use std::str::FromStr;

/// An age, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    /// In nanoseconds, at least a day.
    pub nanos: Option<i64>,
}

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self { nanos: None });
        }
        let nanos = parse_duration_ns(text).ok_or("write a number of days, such as 90d, or off")?;
        if nanos < NANOS_PER_DAY {
            return Err("days are kept whole, so at least 1d; write off to keep all of them".to_owned());
        }
        Ok(Self { nanos: Some(nanos) })
    }
}

/// A component and the age of its lines and of those below it: `shop.audit=2y`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgeFor {
    /// The component.
    pub component: String,
    /// How long its lines are kept.
    pub age: Age,
}

impl FromStr for AgeFor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write a component and its age, such as shop.audit=2y or shop.debug=3d".to_owned();
        let (component, age) = text.split_once('=').ok_or_else(wrong)?;
        let (component, age) = (component.trim(), age.trim());
        if component.contains(['*', '?', '[', ']', '{', '}']) {
            return Err("no globs here: name a component, and what lies below it is meant too, such as \
                shop.debug=3d"
                .to_owned());
        }
        let is_name = |name: &str| !name.is_empty() && !name.contains(char::is_control);
        if component.len() > MAX_NAME_BYTES || !component.split('.').all(is_name) {
            return Err(wrong());
        }
        Ok(Self { component: component.to_owned(), age: age.parse()? })
    }
}

/// An amount of disk, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// In bytes, at least one.
    pub bytes: Option<u64>,
}

impl FromStr for Room {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self { bytes: None });
        }
        let bytes =
            read_bytes(text).ok_or("write a number with its unit, such as 500GB or 450GiB, or off")?;
        if bytes == 0 {
            return Err("no room at all; write off to keep all days".to_owned());
        }
        Ok(Self { bytes: Some(bytes) })
    }
}

/// The store, with what the flags say of how long its days and components are kept.
pub fn with_retention(store: Store, age: Age, room: Room, rules: &[AgeFor]) -> anyhow::Result<Store> {
    let limits = Limits { age_nanos: age.nanos, bytes: room.bytes };
    let rules: Vec<_> = rules.iter().map(|rule| (rule.component.clone(), rule.age.nanos)).collect();
    let store = store.with_limits(limits).with_ages_for(&rules);
    store.map_err(|error| anyhow::anyhow!("--retention-for: {error}"))
}

/// How much of the disk is kept free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskReserve(pub Kept);

impl FromStr for DiskReserve {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = "write a number with its unit, such as 2GB or 500MiB, or auto, or off";
        Ok(Self(match text {
            "auto" => Kept::Share,
            "off" | "0" => Kept::Nothing,
            _ => match read_bytes(text).ok_or(wrong)? {
                0 => Kept::Nothing,
                bytes => Kept::Bytes(bytes),
            },
        }))
    }
}

/// A number with its unit.
fn read_bytes(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    number.parse::<u64>().ok()?.checked_mul(unit_bytes(unit)?)
}

fn unit_bytes(unit: &str) -> Option<u64> {
    match unit.trim_start() {
        "kB" | "KB" => Some(1_000),
        "MB" => Some(1_000_000),
        "GB" => Some(1_000_000_000),
        "TB" => Some(1_000_000_000_000),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        "TiB" => Some(1 << 40),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_at_least_a_day() {
        let check = |text: &str, days: Option<i64>| {
            let expected = days.map(|days| Age { nanos: Some(days * NANOS_PER_DAY) });
            assert_eq!(text.parse::<Age>().ok(), expected, "{text}");
        };
        check("90d", Some(90));
        check("2w", Some(14));
        check("1y", Some(365));
        check("24h", Some(1));
        for text in ["23h", "0d", "90", "", "-5d", "d", "90 days ago", "99999999999999d"] {
            check(text, None);
        }
        assert_eq!("off".parse(), Ok(Age { nanos: None }));
    }

    #[test]
    fn an_age_is_for_a_component_and_what_is_none_is_refused_with_an_example() {
        let check = |text: &str, component: &str, days: Option<i64>| {
            let age = Age { nanos: days.map(|days| days * NANOS_PER_DAY) };
            assert_eq!(text.parse(), Ok(AgeFor { component: component.into(), age }), "{text}");
        };
        check("shop.audit=2y", "shop.audit", Some(730));
        check("db = 3d", "db", Some(3));
        check("db=off", "db", None);
        for text in [
            "", "=3d", "db", "db=", "db=5h", "db=3", "a..b=3d", ".a=3d", "a.=3d", "a.*=3d", "*=3d", "a\tb=3d",
        ] {
            let said = text.parse::<AgeFor>().unwrap_err();
            assert!(said.contains("3d") || said.contains("1d") || said.contains("90d"), "{text}: {said}");
        }
    }

    #[test]
    fn room_has_a_number_and_a_unit() {
        let check = |text: &str, bytes: Option<u64>| {
            let expected = bytes.map(|bytes| Room { bytes: Some(bytes) });
            assert_eq!(text.parse::<Room>().ok(), expected, "{text}");
        };
        check("500GB", Some(500_000_000_000));
        check("450GiB", Some(450 << 30));
        check("20 kB", Some(20_000));
        for text in ["500", "0GB", "GB", "", "-5GB", "1.5TB", "5 G", "18446744073709551615KB"] {
            check(text, None);
        }
        assert_eq!("off".parse(), Ok(Room { bytes: None }));
    }

    #[test]
    fn a_reserve_is_a_number_with_its_unit_or_a_word() {
        let check = |text: &str, kept: Option<Kept>| {
            assert_eq!(text.parse::<DiskReserve>().ok(), kept.map(DiskReserve), "{text}");
        };
        check("auto", Some(Kept::Share));
        check("off", Some(Kept::Nothing));
        check("0", Some(Kept::Nothing));
        check("0GB", Some(Kept::Nothing));
        check("2GB", Some(Kept::Bytes(2_000_000_000)));
        check("64 MiB", Some(Kept::Bytes(64 << 20)));
        for text in ["", "5%", "2", "on", "-1GB"] {
            check(text, None);
        }
    }
}
