//! What differs in the selection: asked once a selection is made, taken in parts as the server finds them.

use super::Loaded;
use crate::api::client;
use crate::boxed::effect;
use crate::session::Session;
use crate::state::AppState;
use sonde_shared::why::Why;
use std::sync::Arc;

/// The comparison of the selection with its baseline; nothing without a selection. Parts come before the whole.
pub fn load_why(session: Session) -> Loaded<Why> {
    let loaded = Loaded::new();
    let query = session.part(AppState::why_query);
    effect(move || {
        loaded.track_retries();
        let Some(query) = query.get() else {
            loaded.clear();
            return;
        };
        loaded.load(
            move |signal| {
                let given_up = signal.clone();
                let take_part = move |part: Why| {
                    if !given_up.aborted() {
                        loaded.error.set(None);
                        loaded.value.set(Some(Arc::new(part)));
                    }
                };
                Box::pin(client::why(query, signal, take_part))
            },
            |_| {},
        );
    });
    loaded
}
