//! The address bar: what is written when. A gesture is one entry, a burst of them is one entry, typing makes none.

use crate::rest::Rest;
use crate::state::Address;
use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen::JsValue;

const BURST: Duration = Duration::from_millis(400);
const TYPING: Duration = Duration::from_millis(300);

/// One write to the history.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Write {
    Push(String),
    Replace(String),
}

/// A write that waits for its burst to end.
#[derive(Debug, Default)]
struct Pending {
    write: Option<Write>,
}

impl Pending {
    /// What to write now, and how long what waits has to wait (`None`: nothing waits, or its time runs on).
    fn take(&mut self, address: Address, url: String) -> (Vec<Write>, Option<Duration>) {
        match (address, self.write.take()) {
            (Address::Keep, waiting) => {
                self.write = waiting;
                (vec![], None)
            }
            (Address::Push, waiting) => (waiting.into_iter().chain([Write::Push(url)]).collect(), None),
            (Address::PushSoon, Some(waiting @ Write::Replace(_))) => {
                self.write = Some(Write::Push(url));
                (vec![waiting], Some(BURST))
            }
            (Address::PushSoon, _) | (Address::ReplaceSoon | Address::Replace, Some(Write::Push(_))) => {
                self.write = Some(Write::Push(url));
                (vec![], Some(BURST))
            }
            (Address::ReplaceSoon, _) => {
                self.write = Some(Write::Replace(url));
                (vec![], Some(TYPING))
            }
            (Address::Settle, Some(Write::Push(_))) => (vec![Write::Push(url)], None),
            (Address::Replace | Address::Settle, _) => (vec![Write::Replace(url)], None),
        }
    }
}

/// The entry below the current one, as far as this page has made both.
#[derive(Debug, Default)]
struct Trail {
    below: Option<String>,
    /// Whether the current entry has become what the one below it is: what was opened there was closed again.
    is_spare: bool,
}

impl Trail {
    /// How a write is done while the address is `current`: an entry that says nothing of its own is written over.
    fn settle(&mut self, write: Write, current: &str) -> Write {
        let write = match write {
            Write::Push(url) if url == current || self.is_spare => Write::Replace(url),
            Write::Push(url) => {
                self.below = Some(current.to_owned());
                Write::Push(url)
            }
            write @ Write::Replace(_) => write,
        };
        let (Write::Push(url) | Write::Replace(url)) = &write;
        self.is_spare = self.below.as_ref() == Some(url);
        write
    }
}

/// The address bar with what waits to be written.
#[derive(Clone, Copy)]
pub struct AddressBar {
    pending: StoredValue<Pending, LocalStorage>,
    trail: StoredValue<Trail, LocalStorage>,
    rest: Rest,
}

impl AddressBar {
    /// The window's.
    pub fn new() -> Self {
        let bar = Self {
            pending: StoredValue::new_local(Pending::default()),
            trail: StoredValue::new_local(Trail::default()),
            rest: Rest::new(),
        };
        // Leaving within a burst must not lose it: reload shows what was seen.
        drop(window_event_listener(leptos::ev::pagehide, move |_| bar.flush()));
        bar
    }

    /// Writes the address in the way that was asked for.
    pub fn write(self, address: Address, url: String) {
        let (writes, wait) =
            self.pending.try_update_value(|pending| pending.take(address, url)).unwrap_or_default();
        for write in writes {
            self.write_history(write);
        }
        if let Some(wait) = wait {
            self.rest.after(wait, move || self.flush());
        }
    }

    /// Forgets what waits: the reader went to another entry. Whether the one that was left said the same as the one below it, so that
    /// the way back is one step longer.
    pub fn forget(self) -> bool {
        self.rest.stop();
        self.pending.set_value(Pending::default());
        let former = self.trail.try_update_value(std::mem::take);
        former.is_some_and(|trail| trail.is_spare && trail.below == Some(whole_path()))
    }

    /// Something else of the page is looked at now, which its address does not tell: an entry of its own, from which one step back
    /// leads.
    pub fn enter_place(self) {
        self.flush();
        self.trail.set_value(Trail::default());
        self.write_entry(&Write::Push(whole_path()));
    }

    /// The number of the current entry, which rises from one to the next.
    pub fn entry(self) -> f64 {
        let state = window().history().and_then(|history| history.state());
        state.ok().and_then(|state| state.as_f64()).unwrap_or(0.0)
    }

    /// Writes what waits, at once.
    pub fn flush(self) {
        self.rest.stop();
        let waiting = self.pending.try_update_value(|pending| pending.write.take()).flatten();
        if let Some(write) = waiting {
            self.write_history(write);
        }
    }

    fn write_history(self, write: Write) {
        if let Some(settled) = self.trail.try_update_value(|trail| trail.settle(write, &whole_path())) {
            self.write_entry(&settled);
        }
    }

    fn write_entry(self, write: &Write) {
        let Ok(history) = window().history() else { return };
        let number = |behind: f64| JsValue::from_f64(self.entry() + behind);
        let written = match write {
            Write::Push(url) => history.push_state_with_url(&number(1.0), "", Some(url)),
            Write::Replace(url) => history.replace_state_with_url(&number(0.0), "", Some(url)),
        };
        // A browser refuses writes that come too often; the next one brings the address up to date.
        drop(written);
    }
}

impl Default for AddressBar {
    fn default() -> Self {
        Self::new()
    }
}

/// The path and the query without `?`.
pub fn current() -> (String, String) {
    let location = window().location();
    let query = location.search().unwrap_or_default();
    (location.pathname().unwrap_or_default(), query.trim_start_matches('?').to_owned())
}

/// The path with the query.
fn whole_path() -> String {
    let (path, query) = current();
    [&path, "?", &query].concat()
}

/// One step back in the history.
pub fn go_back() {
    if let Ok(history) = window().history() {
        drop(history.back());
    }
}

/// Whose page it is: `http://127.0.0.1:8080`.
pub fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// The whole address, to be shared.
pub fn whole() -> String {
    window().location().href().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(url: &str) -> Write {
        Write::Push(url.to_owned())
    }

    fn replace(url: &str) -> Write {
        Write::Replace(url.to_owned())
    }

    #[test]
    fn a_burst_is_one_entry() {
        let mut pending = Pending::default();
        for url in ["/a", "/b", "/c"] {
            assert_eq!(pending.take(Address::PushSoon, url.into()), (vec![], Some(BURST)));
        }
        assert_eq!(pending.write, Some(push("/c")));
        assert_eq!(pending.take(Address::Settle, "/round".into()), (vec![push("/round")], None));
        assert_eq!(pending.take(Address::Settle, "/round".into()), (vec![replace("/round")], None));
    }

    #[test]
    fn a_gesture_after_a_burst_keeps_both_entries() {
        let mut pending = Pending::default();
        pending.take(Address::PushSoon, "/zoomed".into());
        let (writes, _) = pending.take(Address::Push, "/selected".into());
        assert_eq!(writes, [push("/zoomed"), push("/selected")]);
        assert_eq!(pending.write, None);
    }

    #[test]
    fn typing_replaces_and_a_filter_after_it_keeps_what_was_typed() {
        let mut pending = Pending::default();
        assert_eq!(pending.take(Address::ReplaceSoon, "/?q=a".into()), (vec![], Some(TYPING)));
        let (writes, _) = pending.take(Address::Push, "/?q=a&level=warn".into());
        assert_eq!(writes, [replace("/?q=a"), push("/?q=a&level=warn")]);
    }

    #[test]
    fn what_is_closed_again_leaves_no_entry_behind() {
        let mut trail = Trail::default();
        let mut current = "/?a".to_owned();
        let mut check = |write: Write, expected: Write| {
            let settled = trail.settle(write, &current);
            let (Write::Push(url) | Write::Replace(url)) = &settled;
            url.clone_into(&mut current);
            assert_eq!(settled, expected);
        };
        check(push("/?a"), replace("/?a"));
        check(push("/?a&line=1"), push("/?a&line=1"));
        check(replace("/?a&line=2"), replace("/?a&line=2"));
        check(replace("/?a"), replace("/?a"));
        // Opened again, and then a filter, which is an entry of its own.
        check(push("/?a&line=3"), replace("/?a&line=3"));
        check(push("/?a&line=3&level=warn"), push("/?a&line=3&level=warn"));
        check(replace("/?a&level=warn"), replace("/?a&level=warn"));
        check(push("/?b"), push("/?b"));
    }
}
