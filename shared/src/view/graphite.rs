//! `from` and `until` of an address that was made for Graphite.

use super::{RangeSpec, unreadable};
use crate::time::{NANOS_PER_SEC, TimeSpec, Timestamp};

/// The range as Graphite's addresses say it: `from` and `until`, a day until now where they are silent.
#[derive(Default)]
pub(super) struct GraphiteRange {
    from: Option<TimeSpec>,
    until: Option<TimeSpec>,
}

impl GraphiteRange {
    pub(super) fn set_from(&mut self, text: &str, now: Timestamp) -> Result<(), String> {
        self.from = Some(TimeSpec::parse(text, now).map_err(|_gone| unreadable("the start", text))?);
        Ok(())
    }

    pub(super) fn set_until(&mut self, text: &str, now: Timestamp) -> Result<(), String> {
        self.until = Some(TimeSpec::parse(text, now).map_err(|_gone| unreadable("the end", text))?);
        Ok(())
    }

    /// The range, if it says one. Ends the wrong way round are swapped, as Graphite does.
    pub(super) fn range(self, now: Timestamp) -> Option<RangeSpec> {
        self.from.or(self.until)?;
        let from = self.from.unwrap_or(TimeSpec::Relative(-86_400 * NANOS_PER_SEC));
        let until = self.until.unwrap_or(TimeSpec::Relative(0));
        let is_reversed = from.resolve(now) > until.resolve(now);
        let spec =
            if is_reversed { RangeSpec { from: until, until: from } } else { RangeSpec { from, until } };
        (!spec.resolve(now).is_empty()).then_some(spec)
    }
}

#[cfg(test)]
mod tests {
    use crate::time::{Timestamp, parse_rfc3339};
    use crate::view::ViewState;

    fn read(url: &str) -> (ViewState, Vec<String>) {
        let now: Timestamp = parse_rfc3339(b"2026-11-23T10:00:00Z").unwrap();
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        ViewState::from_url(path, query, now)
    }

    #[test]
    fn an_address_of_graphites_shows_its_targets_over_its_range() {
        let (view, problems) = read(
            "/?target=alias(a.*.b,%22x%22)&target%5B%5D=c.d&from=14:05_20261120&until=14:07_20261120&width=800&format=png",
        );
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(view.targets, ["alias(a.*.b,\"x\")", "c.d"]);
        let url = "/?v=1&t=2026-11-20T14:05:00Z..14:07:00Z&target=alias(a.*.b,%22x%22)&target=c.d";
        assert_eq!(view.to_url(), url);
        assert_eq!(read(url).0, view);
        let range = |url: &str| read(url).0.range.map(|range| range.to_string());
        assert_eq!(range("/?target=a&from=-2h").as_deref(), Some("-2h..now"));
        assert_eq!(range("/?target=a&until=-1h").as_deref(), Some("-1d..-1h"));
        assert_eq!(range("/?target=a&from=now&until=-1h").as_deref(), Some("-1h..now"));
        assert_eq!(range("/?target=a"), None);
        assert_eq!(range("/?t=-3h..now&from=-2h").as_deref(), Some("-3h..now"));
        let (view, problems) = read("/?target=a&from=gone&until=now");
        assert_eq!(
            (view.range.map(|range| range.to_string()).as_deref(), problems.len()),
            (Some("-1d..now"), 1)
        );
    }
}
