//! How requests are sent and answers taken: the same whatever is asked for.

use super::ApiError;
use crate::json;
use gloo_net::http::{Request, RequestBuilder, Response};
use js_sys::{Reflect, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::pin::Pin;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, ReadableStreamDefaultReader};

/// The next piece of a body; none at its end.
pub(super) async fn next_chunk(
    reader: &ReadableStreamDefaultReader,
    signal: &AbortSignal,
) -> Result<Option<Vec<u8>>, ApiError> {
    let broken = |_: JsValue| if signal.aborted() { ApiError::aborted() } else { ApiError::cut_off() };
    let result = JsFuture::from(reader.read()).await.map_err(broken)?;
    let field = |name: &str| Reflect::get(&result, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED);
    if field("done").is_truthy() {
        return Ok(None);
    }
    Ok(Some(field("value").unchecked_into::<Uint8Array>().to_vec()))
}

/// The value that an address answers with.
pub(super) fn get_json<T: DeserializeOwned + 'static>(url: &str, signal: &AbortSignal) -> Awaited<T> {
    let text = text_of(send(url, signal), signal.clone());
    Box::pin(async move { read(&text.await?) })
}

/// The value that an answer holds.
pub(super) async fn read_json<T: DeserializeOwned>(
    response: Response,
    signal: &AbortSignal,
) -> Result<T, ApiError> {
    let answer = Box::pin(std::future::ready(Ok(response)));
    read(&text_of(answer, signal.clone()).await?)
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    json::read(text).map_err(|_not_ours| ApiError::unreadable())
}

/// What is waited for, whoever asks: boxed, or each that waits would hold a copy of how it is done.
pub type Awaited<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

fn text_of(answer: Awaited<Response>, signal: AbortSignal) -> Awaited<String> {
    Box::pin(async move { answer.await?.text().await.map_err(|error| failure(&error, &signal)) })
}

/// Sends a request with a value as its body.
pub(super) fn send_json(
    request: RequestBuilder,
    body: &impl Serialize,
    signal: &AbortSignal,
) -> Awaited<Response> {
    let body = serde_json::to_string(body).map_err(|_never| ApiError::unreadable());
    send_body(request, body, signal.clone())
}

fn send_body(
    request: RequestBuilder,
    body: Result<String, ApiError>,
    signal: AbortSignal,
) -> Awaited<Response> {
    Box::pin(async move {
        let request =
            request.abort_signal(Some(&signal)).body(body?).map_err(|error| failure(&error, &signal))?;
        answered(request.send().await.map_err(|error| failure(&error, &signal))?).await
    })
}

/// Asks an address.
pub(super) fn send(url: &str, signal: &AbortSignal) -> Awaited<Response> {
    send_alone(Request::get(url), signal)
}

/// Sends a request without a body.
pub(super) fn send_alone(request: RequestBuilder, signal: &AbortSignal) -> Awaited<Response> {
    let signal = signal.clone();
    Box::pin(async move {
        let answer = request.abort_signal(Some(&signal)).send().await;
        answered(answer.map_err(|error| failure(&error, &signal))?).await
    })
}

/// The answer, if it is one, else what is told in it.
async fn answered(response: Response) -> Result<Response, ApiError> {
    if response.ok() {
        return Ok(response);
    }
    let body = response.text().await.unwrap_or_default();
    Err(ApiError::from_answer(response.status(), &body))
}

/// What a request that the browser did not bring to an end has come to.
pub(super) fn failure(_: &gloo_net::Error, signal: &AbortSignal) -> ApiError {
    if signal.aborted() { ApiError::aborted() } else { ApiError::network() }
}
