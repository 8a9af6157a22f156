//! The keys of the list, as lnav has them. They act only with the focus in the list, and before those that act everywhere.

use super::log_list::toggle;
use crate::feeds::{LineFeed, Sought};
use crate::keys::KeyChoice;
use crate::lines::{Extent, Position};
use crate::session::Session;
use leptos::prelude::*;
use sonde_shared::log::Level;

/// Acts on a key.
pub(super) fn press(event: &web_sys::KeyboardEvent, session: Session, feed: LineFeed) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    // What was said is of the key before.
    feed.hush();
    let (key, on_list) = (event.key(), event.target() == event.current_target());
    let letters = use_context::<KeyChoice>().is_none_or(|KeyChoice(on)| on.get_untracked());
    if move_by(&key, feed, session, on_list) || (letters && jump_by(&key, feed)) {
        event.prevent_default();
    }
}

fn move_by(key: &str, feed: LineFeed, session: Session, on_list: bool) -> bool {
    let page = |extent: &Extent| (extent.viewport_px - extent.row_px).max(extent.row_px);
    match key {
        "ArrowDown" => feed.step_cursor(1),
        "ArrowUp" => feed.step_cursor(-1),
        "PageDown" => feed.go(|extent, at| extent.moved(at, page(&extent))),
        "PageUp" => feed.go(|extent, at| extent.moved(at, -page(&extent))),
        "Home" => to_end(feed, false),
        "End" => to_end(feed, true),
        // On a button below a line these press it.
        "Enter" | " " if on_list => expand(session, feed),
        _ => return false,
    }
    true
}

fn jump_by(key: &str, feed: LineFeed) -> bool {
    match key {
        "j" => feed.step_cursor(1),
        "k" => feed.step_cursor(-1),
        "g" => to_end(feed, false),
        "G" => to_end(feed, true),
        "n" => feed.jump(Sought::Match, true),
        "N" => feed.jump(Sought::Match, false),
        "e" => feed.jump(Sought::Level(Level::Error), true),
        "E" => feed.jump(Sought::Level(Level::Error), false),
        "w" => feed.jump(Sought::Level(Level::Warn), true),
        "W" => feed.jump(Sought::Level(Level::Warn), false),
        "s" => feed.jump(Sought::SlowDown, true),
        "S" => feed.jump(Sought::SlowDown, false),
        "]" => feed.jump(Sought::Gap, true),
        "[" => feed.jump(Sought::Gap, false),
        _ => return false,
    }
    true
}

fn to_end(feed: LineFeed, is_last: bool) {
    feed.go(|extent, _| if is_last { extent.end() } else { Position::default() });
    let last = feed.total.get_untracked().rows().saturating_sub(1);
    feed.cursor.set(Some(if is_last { last } else { 0 }));
}

fn expand(session: Session, feed: LineFeed) {
    if let Some(row) = feed.cursor.get_untracked().and_then(|index| feed.row(index)) {
        toggle(session, &row.id);
    }
}
