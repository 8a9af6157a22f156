//! Commands of chromedriver's that are no part of its standard.

use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::Value;

/// A command that is chromedriver's own.
#[derive(Debug)]
pub(super) struct Vendor {
    pub(super) path: &'static str,
    pub(super) body: Value,
}

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _url: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
