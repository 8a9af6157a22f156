//! What the bar has no place for: the wall, and on a phone zone, theme and keys.

use super::choice::Choice;
use super::icons::Icon;
use super::top_bar::{next_theme, toggle_zone, zone_name};
use crate::session::use_session;
use crate::state::Command;
use crate::theme::ThemeSignals;
use leptos::prelude::*;

/// The menu.
#[component]
pub(super) fn MoreMenu(help: RwSignal<bool>) -> impl IntoView {
    let session = use_session();
    let theme = expect_context::<ThemeSignals>().theme;
    let open = RwSignal::new(false);
    let zone = session.part(|state| state.view.zone.unwrap_or_default());
    let keys = move |_| {
        open.set(false);
        help.set(true);
    };
    view! {
        <div class="more-menu">
            <Choice name="More" icon=Icon::More open>
                <ul class="items">
                    <li>
                        <button class="item" on:click=move |_| session.send(Command::SetWall(true))>
                            "Show on a wall"
                        </button>
                    </li>
                    <li>
                        <button class="item" on:click=move |_| toggle_zone(session)>
                            {move || format!("Times in {}", zone_name(zone.get()))}
                        </button>
                    </li>
                    <li>
                        <button class="item" on:click=move |_| next_theme(theme)>
                            {move || format!("Theme: {}", theme.get().name())}
                        </button>
                    </li>
                    <li><button class="item" on:click=keys>"Keys"</button></li>
                </ul>
            </Choice>
        </div>
    }
}
