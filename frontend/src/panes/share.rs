//! The link to share. What it shows stays as it is, for an investigation is of its hour; a link that follows the clock is one more
//! click.

use super::choice::{Popover, close_on_escape};
use super::icons::{Glyph, Icon};
use crate::session::use_session;
use crate::state::AppState;
use crate::text;
use leptos::html;
use leptos::prelude::*;
use sonde_shared::view::RangeSpec;
use std::time::Duration;
use wasm_bindgen_futures::JsFuture;

/// How long the button tells what it has done.
const TOLD_FOR: Duration = Duration::from_secs(2);

/// Copies the address with fixed times; where the view follows the clock it offers the other link, too.
#[component]
pub(super) fn Share() -> impl IntoView {
    let session = use_session();
    let copied = RwSignal::new(None::<bool>);
    let (root, open) = (NodeRef::<html::Div>::new(), RwSignal::new(false));
    let copy = move |address: String| {
        leptos::task::spawn_local(async move {
            copied.try_set(Some(copy_text(&address).await));
            set_timeout(move || _ = copied.try_set(None), TOLD_FOR);
        });
    };
    let share = move |_| {
        copy(session.address_of(&session.now_part(AppState::frozen)));
        open.set(session.now_part(|state| state.view.range.is_some_and(RangeSpec::is_relative)));
    };
    let follow = move |_| {
        copy(session.address());
        open.set(false);
    };
    let label = move || match copied.get() {
        None => "Share",
        Some(true) => "Copied",
        Some(false) => "Copy it from the address bar",
    };
    let fixed = move || text::dated_range(session.range.get(), session.zone.get());
    view! {
        <div class="choice" node_ref=root on:keydown=move |event| close_on_escape(&event, open)>
            <button class="control" aria-label="Share: copy the link" on:click=share>
                <Glyph icon=Icon::Link />
                <span class="share-label">{move || label()}</span>
            </button>
            <Popover root open name="Share".to_owned() class="popover share">
                <p>"The link shows " <span class="mono">{move || fixed()}</span> " to everybody, also later."</p>
                <button class="control" on:click=follow>"Copy a link that follows the clock"</button>
            </Popover>
        </div>
    }
}

/// Puts text on the clipboard; false where the browser does not allow it (plain http beyond this machine).
pub(super) async fn copy_text(text: &str) -> bool {
    let navigator = window().navigator();
    let present = js_sys::Reflect::get(&navigator, &"clipboard".into())
        .is_ok_and(|clipboard| !clipboard.is_undefined());
    present && JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}
