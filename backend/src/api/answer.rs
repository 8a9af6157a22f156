//! What Graphite's addresses share: parameters of the address and of a form, JSON answers, plain or indented.

use super::ApiError;
use super::params::Params;
use axum::extract::RawQuery;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::Serialize;

/// The parameters of the address, then those of a form body, which count. A callback around the answer is refused.
pub(super) fn params(query: &RawQuery, form: &str) -> Result<Params, ApiError> {
    let mut params = Params::parse(query.0.as_deref().unwrap_or_default());
    params.extend(Params::parse(form));
    refuse_callback(&params)?;
    Ok(params)
}

/// An answer that is a script could be read by any page that is open in a browser here.
pub(super) fn refuse_callback(params: &Params) -> Result<(), ApiError> {
    match params.get("jsonp") {
        Some(_) => {
            Err(ApiError::parameter("jsonp", "answers are never wrapped into a script", "format=json"))
        }
        None => Ok(()),
    }
}

/// An answer as JSON that no cache keeps; with `pretty` indented.
pub(super) fn json(params: &Params, answer: &impl Serialize) -> Result<Response, ApiError> {
    let text = match params.get("pretty") {
        None => serde_json::to_vec(answer),
        Some(_) => serde_json::to_vec_pretty(answer),
    };
    let mut response = Response::new(text.map_err(|error| ApiError::Internal(error.to_string()))?.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    no_cache(&mut response);
    Ok(response)
}

/// Says that no cache may keep it, as Graphite does.
pub(super) fn no_cache(response: &mut Response) {
    for name in [header::CACHE_CONTROL, header::PRAGMA] {
        response.headers_mut().insert(name, HeaderValue::from_static("no-cache"));
    }
}
