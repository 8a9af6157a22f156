//! What narrows the lines, and what of them is shown.

use super::{Address, AppState, Command};
use sonde_shared::log::Level;
use sonde_shared::view::{FieldFilter, Tab};

impl AppState {
    pub(super) fn filter(&mut self, command: Command) -> Address {
        match command {
            Command::SetContains(text) => {
                self.view.contains = text;
                return Address::ReplaceSoon;
            }
            Command::PinLine(line) => return self.pin(line),
            Command::LineMissing(line) => return self.miss(&line),
            Command::SetHost(host) => self.view.host = host,
            Command::SetLevel(level) => self.view.level = level,
            Command::SetRegex(on) => self.view.is_regex = on,
            Command::SetPattern(pattern) => self.view.pattern = pattern,
            Command::SetFields(fields) => self.view.fields = fields,
            Command::Narrow(filter) => self.narrow(filter),
            Command::NarrowByLine(filter) => {
                self.view.line.take_if(|_| filter.excluded);
                self.narrow(filter);
            }
            Command::ShowGone(pattern) => {
                self.view.pattern = Some(pattern);
                self.view.tab = Tab::Lines;
                self.view.with_baseline = true;
                self.reads_end = true;
            }
            Command::Widen(filter) => self.view.fields.retain(|one| *one != filter),
            Command::ClearFilters => self.clear_filters(),
            Command::ShowContext(line) => {
                // The line is to stay where it is.
                if self.view.live {
                    self.pause();
                }
                self.clear_filters();
                self.view.components.clear();
                self.view.chosen = false;
                self.view.tab = Tab::Lines;
                self.view.line = Some(line);
                self.is_folded = true;
            }
            Command::SetColumns(columns) => self.view.columns = columns,
            Command::SetTab(tab) => self.view.tab = tab,
            Command::SetSort(sort) => self.view.sort = sort,
            Command::ListValues(pattern) => return open_one(&mut self.view.values, pattern),
            Command::SetOrder(order) => self.view.order = order,
            _ => {}
        }
        Address::Push
    }

    fn pin(&mut self, line: Option<String>) -> Address {
        self.is_folded = false;
        open_one(&mut self.view.line, line)
    }

    fn miss(&mut self, line: &str) -> Address {
        if self.view.line.take_if(|pinned| *pinned == line).is_some() {
            self.problems.push(["the line `", line, "` in the address is not among these lines"].concat());
        }
        Address::Replace
    }

    /// What has a filter of its own sets that; anything else is a field of the line.
    fn narrow(&mut self, wanted: FieldFilter) {
        let FieldFilter { name, value, excluded } = wanted.clone();
        self.view.fields.retain(|one| (&one.name, &one.value) != (&name, &value));
        match (name.as_str(), excluded) {
            ("component", false) => self.choose(vec![value]),
            ("host", false) => self.view.host = Some(value),
            ("level", false) => self.view.level = Level::parse(&value),
            ("pattern", false) => {
                self.view.pattern = Some(value);
                self.view.tab = Tab::Lines;
            }
            _ => {
                if excluded {
                    self.stop_asking_for(&name, &value);
                }
                self.view.fields.push(wanted);
            }
        }
    }

    /// A filter that asks for a value gives way to one that leaves it out: both together have no lines.
    fn stop_asking_for(&mut self, name: &str, value: &str) {
        let view = &mut self.view;
        match name {
            "host" if view.host.as_deref() == Some(value) => view.host = None,
            "pattern" if view.pattern.as_deref() == Some(value) => view.pattern = None,
            _ => {}
        }
    }

    fn clear_filters(&mut self) {
        let view = &mut self.view;
        (view.host, view.level, view.pattern) = (None, None, None);
        view.contains.clear();
        view.fields.clear();
    }
}

/// Opens one of several, or closes it. The first that is opened is an entry of the history, so that Back closes it and takes nothing else
/// away. Others that are opened from there, one after the other, and closing change that entry.
fn open_one(open: &mut Option<String>, wanted: Option<String>) -> Address {
    let opens = open.is_none() && wanted.is_some();
    *open = wanted;
    if opens { Address::Push } else { Address::Replace }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::opened;

    fn filter(name: &str, value: &str, excluded: bool) -> FieldFilter {
        FieldFilter { name: name.to_owned(), value: value.to_owned(), excluded }
    }

    fn parameters(state: &AppState) -> String {
        let query = state.log_query();
        let text = query.parameters(query.range);
        text.split("&from=").next().unwrap_or_default().trim_start_matches("from=").to_owned()
    }

    #[test]
    fn a_value_that_is_clicked_narrows_by_what_it_is() {
        let check = |clicks: &[FieldFilter], expected: &str| {
            let mut state = opened("/d/shop?t=2026-11-20T13:00:00Z..15:00:00Z&tab=patterns");
            for click in clicks {
                assert_eq!(state.apply(Command::Narrow(click.clone())), Address::Push);
            }
            assert_eq!(parameters(&state), expected, "{clicks:?}");
            // A reload asks for the same.
            assert_eq!(parameters(&opened(&state.view.to_url())), expected);
        };
        check(&[filter("component", "shop.orders", false)], "component=shop.orders");
        check(&[filter("host", "n7", false), filter("level", "error", false)], "host=n7&level=error");
        check(&[filter("host", "n7", false), filter("host", "n7", true)], "not.host=n7");
        check(&[filter("host", "n7", true), filter("host", "n7", false)], "host=n7");
        check(
            &[filter("status", "500", false), filter("status", "200", true)],
            "field.status=500&not.status=200",
        );
        check(&[filter("status", "500", false), filter("status", "500", true)], "not.status=500");
        check(&[filter("a b", "c&d", true)], "not.a%20b=c%26d");
        check(&[filter("pattern", "030232ce39646f66", false)], "pattern=030232ce39646f66");
    }

    #[test]
    fn a_pattern_that_is_clicked_leads_to_its_lines() {
        let mut state = opened("/d/shop?t=2026-11-20T13:00:00Z..15:00:00Z&tab=patterns");
        state.apply(Command::Narrow(filter("pattern", "030232ce39646f66", false)));
        assert_eq!(state.view.tab, Tab::Lines);
    }

    #[test]
    fn the_lines_of_a_pattern_that_is_gone_are_those_of_before() {
        let mut state = opened(
            "/d/shop?t=2026-11-20T13:00:00Z..15:00:00Z&s=2026-11-20T14:05:00Z..14:07:00Z&tab=patterns",
        );
        let selection = state.log_query().range;
        assert_eq!(state.apply(Command::ShowGone("030232ce39646f66".into())), Address::Push);
        let query = state.log_query();
        assert_eq!((state.view.tab, query.pattern.as_deref()), (Tab::Lines, Some("030232ce39646f66")));
        assert!(query.range.from < selection.from && query.range.until == selection.until, "{query:?}");
        // Patterns are compared with those of before: theirs are the selection's alone.
        state.apply(Command::SetTab(Tab::Patterns));
        assert_eq!(state.log_query().range, selection);
    }

    #[test]
    fn the_pattern_whose_values_are_listed_is_in_the_address() {
        let mut state = opened("/d/shop?tab=patterns");
        let [one, other] = ["030232ce39646f66", "030232ce39646f67"].map(str::to_owned);
        assert_eq!(state.apply(Command::ListValues(Some(one))), Address::Push);
        assert_eq!(state.apply(Command::ListValues(Some(other.clone()))), Address::Replace);
        assert_eq!(opened(&state.view.to_url()).view.values, Some(other));
        assert_eq!(state.apply(Command::ListValues(None)), Address::Replace);
        assert_eq!(opened("/d/shop?values=1").problems.len(), 1);
    }

    #[test]
    fn a_line_that_is_left_out_is_no_longer_open() {
        let mut state = opened("/d/shop?line=2026-11-20~0001~7");
        state.apply(Command::Narrow(filter("user", "bob", true)));
        state.apply(Command::NarrowByLine(filter("status", "200", false)));
        assert!(state.view.line.is_some());
        state.apply(Command::NarrowByLine(filter("user", "ann", true)));
        assert_eq!(state.view.line, None);
    }

    #[test]
    fn the_context_of_a_line_is_all_lines_of_the_same_range() {
        let mut state = opened(
            "/d/shop?t=2026-11-20T13:00:00Z..15:00:00Z&s=2026-11-20T14:05:00Z..14:07:00Z&panel=orders&c=shop.orders&chosen=1\
             &host=n7&level=warn&q=x&re=1&pattern=030232ce39646f66&field.a=b&not.level=info",
        );
        let (before, range) = (state.view.clone(), state.log_query().range);
        assert_eq!(state.apply(Command::ShowContext("2026-11-20~0001~7".into())), Address::Push);
        assert_eq!(
            (parameters(&state).as_str(), state.log_query().range),
            ("2026-11-20T14:05:00Z&until=2026-11-20T14:07:00Z", range)
        );
        assert_eq!(state.view.line.as_deref(), Some("2026-11-20~0001~7"));
        assert_eq!(before.order, state.view.order);
        assert!(state.is_folded, "its fields would take the place of the lines around it");
        assert_eq!(state.apply(Command::PinLine(state.view.line.clone())), Address::Keep);
        assert!(!state.is_folded, "asked for they are there");
    }

    #[test]
    fn opening_a_line_is_an_entry_and_going_from_line_to_line_is_none() {
        let mut state = opened("/d/shop?t=2026-11-20T13:00:00Z..15:00:00Z&level=warn");
        let mut pin = |line: Option<&str>| state.apply(Command::PinLine(line.map(str::to_owned)));
        assert_eq!(pin(Some("2026-11-20~0001~7")), Address::Push);
        assert_eq!(pin(Some("2026-11-20~0001~8")), Address::Replace);
        assert_eq!(pin(None), Address::Replace);
        assert_eq!(pin(None), Address::Keep);
    }

    #[test]
    fn a_line_that_is_not_there_is_told_and_leaves_the_address() {
        let mut state = opened("/d/shop?t=2026-11-20T13:00:00Z..15:00:00Z&line=2026-11-20~0001~7");
        let missing = |id: &str| Command::LineMissing(id.to_owned());
        assert_eq!(state.apply(missing("2026-11-20~0001~8")), Address::Keep);
        assert_eq!((state.view.line.is_some(), &state.problems[..]), (true, &[][..]));
        assert_eq!(state.apply(missing("2026-11-20~0001~7")), Address::Replace);
        assert_eq!((state.view.line, state.problems.len()), (None, 1));
    }

    #[test]
    fn only_fields_of_lines_are_looked_for_in_their_text() {
        let check = |address: &str, expected: bool| {
            assert_eq!(opened(&format!("/d/shop?{address}")).log_query().reads_text(), expected, "{address}");
        };
        check(
            "not.level=info&not.host=a&not.component=b&not.pattern=030232ce39646f66&pattern=030232ce39646f66",
            false,
        );
        check("not.status=1", true);
        check("field.level=info", true);
        check("q=x", true);
    }
}
