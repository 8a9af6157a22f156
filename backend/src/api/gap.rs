//! The notice to who follows that lines were deleted before they were sent: a line of the stream that no stored line can be,
//! since it has neither a time nor a message.

use crate::query::logs::LineFilter;
use crate::store::logs::Missed;
use serde::Serialize;

#[derive(Serialize)]
struct Notice {
    sonde_gap: Gap,
}

#[derive(Serialize)]
struct Gap {
    from: String,
    until: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    lines_at_most: Option<u64>,
    why: &'static str,
}

/// The notice of lines that may have matched; `None` where none did.
pub(super) fn notice(missed: Vec<Missed>, filter: &LineFilter) -> Option<Vec<u8>> {
    let may_match = |missed: &Missed| {
        let is_asked_for = |name: &str| {
            filter.components.is_empty() || filter.components.iter().any(|asked| asked.matches(name))
        };
        missed.range.overlaps(filter.range)
            && missed.components.as_ref().is_none_or(|names| names.iter().any(|name| is_asked_for(name)))
    };
    let missed: Vec<Missed> = missed.into_iter().filter(may_match).collect();
    let from = missed.iter().map(|missed| missed.range.from).min()?.max(filter.range.from);
    let until = missed.iter().map(|missed| missed.range.until).max()?.min(filter.range.until);
    let lines_at_most = missed.iter().map(|missed| missed.lines).sum();
    let (from, until) = (from.to_string(), until.to_string());
    let gap = Gap { from, until, lines_at_most, why: "they were deleted before they were sent" };
    let mut line = serde_json::to_vec(&Notice { sonde_gap: gap }).ok()?;
    line.push(b'\n');
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::component::Selector;
    use sonde_shared::time::{TimeRange, Timestamp};

    const fn range(from: i64, until: i64) -> TimeRange {
        TimeRange { from: Timestamp::from_secs(from), until: Timestamp::from_secs(until) }
    }

    #[test]
    fn a_notice_tells_of_what_may_have_matched_alone() {
        let missed = |from: i64, until: i64, name: Option<&str>, lines: Option<u64>| Missed {
            range: range(from, until),
            lines,
            components: name.map(|name| vec![name.into()]),
        };
        let check = |all: Vec<Missed>,
                     component: Option<&str>,
                     expected: Option<(&str, &str, Option<u64>)>| {
            let components = component.map(|name| Selector::parse(name).unwrap()).into_iter().collect();
            let filter = LineFilter { components, ..LineFilter::all(range(10, 20)) };
            let found = notice(all, &filter).map(|line| {
                assert_eq!(line.last(), Some(&b'\n'));
                serde_json::from_slice::<serde_json::Value>(&line).unwrap()["sonde_gap"].clone()
            });
            let told = found.map(|gap| {
                let text = |key: &str| gap[key].as_str().unwrap()[17..19].to_owned();
                (text("from"), text("until"), gap.get("lines_at_most").map(|lines| lines.as_u64().unwrap()))
            });
            assert_eq!(told, expected.map(|(from, until, lines)| (from.into(), until.into(), lines)));
        };
        let shop = missed(12, 14, Some("shop.cart"), Some(3));
        check(vec![], None, None);
        check(vec![missed(20, 30, None, Some(1)), missed(5, 10, None, None)], None, None);
        check(vec![shop.clone()], None, Some(("12", "14", Some(3))));
        check(vec![shop.clone()], Some("shop"), Some(("12", "14", Some(3))));
        check(vec![shop.clone()], Some("shop.c"), None);
        check(vec![shop.clone(), missed(5, 12, None, Some(4))], Some("shop"), Some(("10", "14", Some(7))));
        check(vec![shop, missed(0, 99, None, None)], None, Some(("10", "20", None)));
    }
}
