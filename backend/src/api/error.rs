//! The one place where an error becomes a status and problem+json (RFC 9457).

use crate::query::threads::Unfinished;
use crate::store::StoreError;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sonde_shared::api::Problem;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a request is not answered.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// A parameter or body is wrong: 400, naming the parameter, with a right example.
    #[error("{detail}")]
    Parameter {
        /// The parameter, or `body`.
        parameter: String,
        /// What was wrong, a sentence for people.
        detail: String,
        /// A value that would be right.
        example: String,
    },
    /// Another refusal, told to the client as it is.
    #[error("{detail}")]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// What was wrong, a sentence for people.
        detail: String,
    },
    /// Not now, but soon: 503, with the time to wait.
    #[error("{detail}")]
    Later {
        /// What is in the way, a sentence for people.
        detail: String,
        /// When to come again, in seconds.
        after_secs: u64,
    },
    /// What is there cannot be asked so: 405, with the methods that can.
    #[error("this is answered to {allowed} only")]
    Method {
        /// The methods, as the `Allow` header has them.
        allowed: String,
    },
    /// The store failed: 503 when it takes no writes, or when a foreign file has just changed, else 500. Details go to the log, not to the client.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A query was given up: 503 when the server stops, else 500.
    #[error(transparent)]
    Query(#[from] Unfinished),
    /// Something else broke: 500. Details go to the log, not to the client.
    #[error("{0}")]
    Internal(String),
}

impl ApiError {
    /// A wrong parameter.
    pub fn parameter(parameter: &str, detail: impl Into<String>, example: &str) -> Self {
        Self::Parameter {
            parameter: parameter.to_owned(),
            detail: detail.into(),
            example: example.to_owned(),
        }
    }

    /// A refusal with a status.
    pub fn refused(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::Refused { status, detail: detail.into() }
    }

    /// When to come again, where that helps.
    fn after_secs(&self) -> Option<u64> {
        match self {
            Self::Later { after_secs, .. } => Some(*after_secs),
            Self::Store(StoreError::Changed { .. }) => Some(1),
            _ => None,
        }
    }

    fn problem(&self) -> (StatusCode, Problem) {
        let (status, detail, parameter, example) = match self {
            Self::Parameter { parameter, detail, example } => {
                (StatusCode::BAD_REQUEST, detail.clone(), Some(parameter.clone()), Some(example.clone()))
            }
            Self::Refused { status, detail } => (*status, detail.clone(), None, None),
            Self::Later { detail, .. } => (StatusCode::SERVICE_UNAVAILABLE, detail.clone(), None, None),
            Self::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, self.to_string(), None, None),
            Self::Store(StoreError::ReadOnly { why }) => {
                (StatusCode::SERVICE_UNAVAILABLE, format!("nothing can be stored now: {why}"), None, None)
            }
            Self::Store(StoreError::Changed { .. }) => {
                let detail = "a file that another program writes was cut short, written anew or removed while it was read; ask again";
                (StatusCode::SERVICE_UNAVAILABLE, detail.to_owned(), None, None)
            }
            Self::Query(Unfinished::Stopping) => {
                (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping".to_owned(), None, None)
            }
            Self::Store(_) | Self::Query(_) | Self::Internal(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "the server failed to answer".to_owned(), None, None)
            }
        };
        let title = status.canonical_reason().unwrap_or("Error").to_owned();
        let kind = "about:blank".to_owned();
        (
            status,
            Problem { kind, title, status: status.as_u16(), detail, parameter, example, request_id: None },
        )
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let (status, mut problem) = self.problem();
        let after_secs = self.after_secs();
        if status.is_server_error() && after_secs.is_none() {
            let id = NEXT_ID.fetch_add(1, Ordering::Relaxed).to_string();
            tracing::error!(request_id = %id, error = &self as &dyn std::error::Error, "request failed");
            problem.request_id = Some(id);
        }
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Self::Method { allowed } = &self {
            headers.extend(HeaderValue::try_from(allowed).ok().map(|allowed| (header::ALLOW, allowed)));
        }
        if let Some(after_secs) = after_secs {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(after_secs));
        }
        response
    }
}

/// Gives the table's refusal of a method, which is empty, the body of a problem.
pub async fn explain_method(response: Response) -> Response {
    if response.status() != StatusCode::METHOD_NOT_ALLOWED
        || response.headers().contains_key(header::CONTENT_TYPE)
    {
        return response;
    }
    let methods = response.headers().get(header::ALLOW).and_then(|allowed| allowed.to_str().ok());
    let allowed = methods.unwrap_or_default().replace(',', ", ");
    ApiError::Method { allowed }.into_response()
}

#[cfg(test)]
mod tests {
    use crate::api::testing::World;
    use axum::http::Method;

    #[tokio::test]
    async fn a_method_that_is_not_taken_is_told_those_that_are() {
        let world = World::new();
        let check = async |method: Method, path: &str, allowed: &str| {
            let response = world.send(method, path, "").await;
            assert_eq!(response.status(), 405, "{path}");
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            assert_eq!(response.headers()["allow"], allowed);
            let body = axum::body::to_bytes(response.into_body(), 4_096).await.unwrap();
            let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(problem["status"], 405);
            assert_eq!(problem["detail"], format!("this is answered to {allowed} only"));
        };
        check(Method::GET, "/api/ingest/logs", "POST").await;
        check(Method::POST, "/api/logs", "GET, HEAD").await;
        check(Method::DELETE, "/render", "GET, HEAD, POST").await;
    }
}
