//! Why a request brought nothing, in a sentence for the operator.

use crate::json;
use sonde_shared::api::Problem;

/// A request that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct ApiError {
    /// What went wrong, and what would be right where the server says so.
    pub sentence: String,
    /// The number under which the server's own log has more.
    pub request_id: Option<String>,
    /// The parameter that is wrong, where one is.
    pub parameter: Option<String>,
    /// The status, where there was an answer.
    pub status: Option<u16>,
    /// Whether the page itself gave the request up: nothing to show.
    pub aborted: bool,
}

impl ApiError {
    /// The server could not be reached, or the connection broke.
    pub fn network() -> Self {
        Self::said("The server cannot be reached.")
    }

    /// The answer broke off before its end.
    pub fn cut_off() -> Self {
        Self::said("The answer broke off before its end.")
    }

    /// The answer is not what was asked for.
    pub fn unreadable() -> Self {
        Self::said("The server's answer could not be read; is it the same version as this page?")
    }

    /// The page gave the request up.
    pub fn aborted() -> Self {
        Self { aborted: true, ..Self::said("") }
    }

    /// From the status and body of a failed answer.
    pub fn from_answer(status: u16, body: &str) -> Self {
        let Ok(problem) = json::read::<Problem>(body) else {
            return Self {
                status: Some(status),
                ..Self::said(&format!("The server answered with status {status}."))
            };
        };
        let example = problem.example.map(|example| format!(" For example: {example}")).unwrap_or_default();
        let end = if problem.detail.ends_with(['.', '!', '?']) { "" } else { "." };
        let sentence = format!("{}{end}{example}", problem.detail);
        let Problem { request_id, parameter, .. } = problem;
        Self { sentence, request_id, parameter, status: Some(status), aborted: false }
    }

    fn said(sentence: &str) -> Self {
        Self {
            sentence: sentence.to_owned(),
            request_id: None,
            parameter: None,
            status: None,
            aborted: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_becomes_a_sentence() {
        let body = r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"`x` is no level","example":"warn","request_id":"7"}"#;
        let error = ApiError::from_answer(400, body);
        assert_eq!(
            (error.to_string().as_str(), error.request_id.as_deref()),
            ("`x` is no level. For example: warn", Some("7"))
        );
        assert_eq!(ApiError::from_answer(502, "<html>").sentence, "The server answered with status 502.");
    }
}
