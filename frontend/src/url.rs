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
            (Address::Replace, _) => (vec![Write::Replace(url)], None),
        }
    }
}

/// The address bar with what waits to be written.
#[derive(Clone, Copy)]
pub struct AddressBar {
    pending: StoredValue<Pending, LocalStorage>,
    rest: Rest,
}

impl AddressBar {
    /// The window's.
    pub fn new() -> Self {
        let bar = Self { pending: StoredValue::new_local(Pending::default()), rest: Rest::new() };
        // Leaving within a burst must not lose it: reload shows what was seen.
        drop(window_event_listener(leptos::ev::pagehide, move |_| bar.flush()));
        bar
    }

    /// Writes the address in the way that was asked for.
    pub fn write(self, address: Address, url: String) {
        let (writes, wait) =
            self.pending.try_update_value(|pending| pending.take(address, url)).unwrap_or_default();
        writes.iter().for_each(write_history);
        if let Some(wait) = wait {
            self.rest.after(wait, move || self.flush());
        }
    }

    /// Forgets what waits: the reader went to another entry.
    pub fn forget(self) {
        self.rest.stop();
        self.pending.set_value(Pending::default());
    }

    /// Writes what waits, at once.
    pub fn flush(self) {
        self.rest.stop();
        let waiting = self.pending.try_update_value(|pending| pending.write.take()).flatten();
        waiting.iter().for_each(write_history);
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

/// Whose page it is: `http://127.0.0.1:8080`.
pub fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// The whole address, to be shared.
pub fn whole() -> String {
    window().location().href().unwrap_or_default()
}

fn write_history(write: &Write) {
    let Ok(history) = window().history() else { return };
    let (path, query) = current();
    let written = match write {
        Write::Push(url) if *url != format!("{path}?{query}") => {
            history.push_state_with_url(&JsValue::NULL, "", Some(url))
        }
        Write::Push(url) | Write::Replace(url) => {
            history.replace_state_with_url(&JsValue::NULL, "", Some(url))
        }
    };
    // A browser refuses writes that come too often; the next one brings the address up to date.
    drop(written);
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
}
