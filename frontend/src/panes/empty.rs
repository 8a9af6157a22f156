//! States in which there is nothing to show, each saying what to do next.

use crate::api::ApiError;
use crate::session::use_session;
use crate::text;
use leptos::prelude::*;
use std::time::Duration;

/// What comes sooner than this needs no sign that it is on its way.
pub(super) const SLOW: Duration = Duration::from_millis(150);

/// An error: the sentence, the number for the server's log, and another try.
#[component]
pub(super) fn ErrorNote(error: ApiError, #[prop(into)] retry: Callback<()>) -> impl IntoView {
    // What is wrong with a file is drawn in several lines, whose places matter.
    let is_drawn = error.sentence.contains('\n');
    view! {
        <div class="state" role="alert">
            <p class="problem" class:mono=is_drawn>{text::capitalized(&error.sentence)}</p>
            {error.request_id.map(|id| view! { <p class="faint">"Request " <span class="mono">{id}</span></p> })}
            <button class="control" on:click=move |_| retry.run(())>"Retry"</button>
        </div>
    }
}

/// How to send the first data, on a server that has none.
#[component]
pub(super) fn FirstSteps() -> impl IntoView {
    let session = use_session();
    let others = session.part(|state| {
        state.page.as_ref().and_then(|page| text::other_ways(page.carbon_port, page.syslog_port))
    });
    let origin = window().location().origin().unwrap_or_default();
    let line = r#"{"ts":'$(date +%s)',"component":"shop.orders","msg":"hello"}"#;
    let log = format!(
        "curl -H 'Content-Type: application/x-ndjson' \\\n  --data-binary '{line}' \\\n  {origin}/api/ingest/logs"
    );
    let metric =
        format!("curl --data-binary \"shop.orders.ms 42 $(date +%s)\" \\\n  {origin}/api/ingest/metrics");
    view! {
        <div class="state first-steps">
            <h2>"No data yet"</h2>
            <p>"Send a log line and a metric; both appear here by themselves."</p>
            <pre class="mono" tabindex="0">{log}</pre>
            <pre class="mono" tabindex="0">{metric}</pre>
            {move || others.get().map(|others| view! { <p class="faint">{others}</p> })}
        </div>
    }
}

/// The dashboard has no panels, and there is none to come.
#[component]
pub(super) fn NoPanels() -> impl IntoView {
    let session = use_session();
    let has_points = session.part(|state| state.last_point_ms().is_some());
    let carbon = session.part(|state| state.page.as_ref().and_then(|page| page.carbon_port));
    let how = move || match carbon.get() {
        Some(0) => "send Graphite plaintext to the carbon port, or POST it".to_owned(),
        Some(port) => format!("send Graphite plaintext to port {port}, or POST it"),
        None => "POST Graphite plaintext".to_owned(),
    };
    let what = move || {
        if has_points.get() {
            return "This dashboard has no charts yet: add one below, or drag a metric here.".to_owned();
        }
        let what = "There are no charts: this dashboard has no panels. Without one of its own the page makes charts of the metrics there are: ";
        [what, &how(), " to /api/ingest/metrics."].concat()
    };
    view! { <div class="state"><p>{move || what()}</p></div> }
}

/// Where panels will be, shown once they are slow to come.
#[component]
pub(super) fn PanelSkeletons() -> impl IntoView {
    let is_slow = RwSignal::new(false);
    // The panels may have come by then.
    set_timeout(move || _ = is_slow.try_set(true), SLOW);
    view! {
        <Show when=move || is_slow.get()>
            <div class="panel skeleton-panel" aria-hidden="true"></div>
            <div class="panel skeleton-panel" aria-hidden="true"></div>
        </Show>
    }
}
