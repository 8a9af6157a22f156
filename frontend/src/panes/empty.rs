//! States in which there is nothing to show, each saying what to do next.

use crate::api::ApiError;
use crate::text;
use leptos::prelude::*;

/// An error: the sentence, the number for the server's log, and another try.
#[component]
pub(super) fn ErrorNote(error: ApiError, #[prop(into)] retry: Callback<()>) -> impl IntoView {
    view! {
        <div class="state" role="alert">
            <p class="problem">{text::capitalized(&error.sentence)}</p>
            {error.request_id.map(|id| view! { <p class="faint">"Request " <span class="mono">{id}</span></p> })}
            <button class="control" on:click=move |_| retry.run(())>"Retry"</button>
        </div>
    }
}

/// How to send the first data, on a server that has none.
#[component]
pub(super) fn FirstSteps() -> impl IntoView {
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
            <pre class="mono">{log}</pre>
            <pre class="mono">{metric}</pre>
            <p class="faint">"Graphite plaintext and syslog are listened to as well: see the server's start message for their ports."</p>
        </div>
    }
}
