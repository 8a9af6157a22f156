//! The one table of routes.

use crate::api::assets::serve_page;
use crate::api::dashboards::{
    delete_dashboard, get_dashboard, list_dashboards, put_dashboard, restore_dashboard,
};
use crate::api::error::explain_method;
use crate::api::events::{list_events, post_event};
use crate::api::facets::list_facets;
use crate::api::find::{expand_metrics, find_metrics, list_metrics};
use crate::api::functions::{get_function, list_functions, version};
use crate::api::guard::{AllowedHosts, guard};
use crate::api::health::{health, metrics, ready};
use crate::api::ingest::{post_logs, post_metrics};
use crate::api::links::{list_links, post_link};
use crate::api::live::stream_live;
use crate::api::logs::{count_logs, list_components, stream_logs};
use crate::api::page::page_info;
use crate::api::patterns::{list_field_values, list_patterns, list_values};
use crate::api::render::render;
use crate::api::tags::{
    delete_series, find_series, get_tag, list_tags, suggest_tags, suggest_values, tag_series, tag_several,
};
use crate::api::targets::check_targets;
use crate::api::why::explain;
use crate::state::AppState;
use axum::Router;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{MethodRouter, get, post};

/// All routes over a state.
pub fn router(state: AppState) -> Router {
    let allowed_hosts = AllowedHosts::new(&state.config.allow_host);
    // Which methods an address takes is only said outside of its table.
    Router::new()
        .fallback_service(table().with_state(state))
        .layer(map_response(explain_method))
        .layer(from_fn_with_state(allowed_hosts, guard))
}

/// What lies where; an address that is not in it may be the page's.
fn table() -> Router<AppState> {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/api/logs", get(stream_logs))
        .route("/api/logs/histogram", get(count_logs))
        .route("/api/logs/facets", get(list_facets))
        .route("/api/logs/patterns", get(list_patterns))
        .route("/api/logs/patterns/{id}/values", get(list_values))
        .route("/api/logs/fields/{name}/values", get(list_field_values))
        .route("/api/components", get(list_components))
        .route("/api/live", get(stream_live))
        .route("/api/why", get(explain))
        .route("/api/ingest/logs", post(post_logs))
        .route("/api/ingest/metrics", post(post_metrics))
        .merge(graphite())
        .merge(graphite_tags())
        .route("/api/page", get(page_info))
        .route("/api/dashboards", get(list_dashboards))
        .route("/api/dashboards/{name}", get(get_dashboard).put(put_dashboard).delete(delete_dashboard))
        .route("/api/dashboards/{name}/restore", post(restore_dashboard))
        .route("/api/targets/check", get(check_targets))
        .route("/api/links", get(list_links).post(post_link))
        .fallback(serve_page)
}

/// What Graphite's clients ask for.
fn graphite() -> Router<AppState> {
    both_ways([
        ("/render", get(render).post(render)),
        ("/metrics/find", get(find_metrics).post(find_metrics)),
        ("/metrics/expand", get(expand_metrics).post(expand_metrics)),
        ("/metrics/index.json", get(list_metrics).post(list_metrics)),
        ("/version", get(version)),
        ("/functions", get(list_functions)),
        ("/functions/{name}", get(get_function)),
        ("/events", get(list_events).post(post_event)),
        ("/events/get_data", get(list_events)),
    ])
}

/// Graphite's tags.
fn graphite_tags() -> Router<AppState> {
    both_ways([
        ("/tags", get(list_tags)),
        ("/tags/{tag}", get(get_tag)),
        ("/tags/findSeries", get(find_series).post(find_series)),
        ("/tags/autoComplete/tags", get(suggest_tags).post(suggest_tags)),
        ("/tags/autoComplete/values", get(suggest_values).post(suggest_values)),
        ("/tags/tagSeries", post(tag_series)),
        ("/tags/tagMultiSeries", post(tag_several)),
        ("/tags/delSeries", post(delete_series)),
    ])
}

/// Each path with and without a slash at its end, as Graphite takes it.
fn both_ways<const N: usize>(routes: [(&str, MethodRouter<AppState>); N]) -> Router<AppState> {
    let add = |table: Router<AppState>, (path, methods): (&str, MethodRouter<AppState>)| {
        table.route(path, methods.clone()).route(&format!("{path}/"), methods)
    };
    routes.into_iter().fold(Router::new(), add)
}
