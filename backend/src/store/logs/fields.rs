//! What a stored line says of itself: time, component, host and level.

use sonde_shared::log::Level;
use sonde_shared::time::Timestamp;
use std::borrow::Cow;

/// The component of a line that names none.
pub const UNKNOWN_COMPONENT: &str = "unknown";

/// The columns of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields<'a> {
    /// When it was logged.
    pub ts: Timestamp,
    /// How bad it is.
    pub level: Level,
    component: Option<Cow<'a, str>>,
    host: Option<Cow<'a, str>>,
}

impl Fields<'_> {
    /// The component.
    pub fn component(&self) -> &str {
        self.component.as_deref().unwrap_or(UNKNOWN_COMPONENT)
    }

    /// The host; empty when there is none.
    pub fn host(&self) -> &str {
        self.host.as_deref().unwrap_or("")
    }
}

/// Reads a line.
pub fn read(line: &[u8]) -> Result<Fields<'_>, String> {
    let value: serde_json::Value = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    let ts = match value.get("ts") {
        Some(serde_json::Value::String(s)) => sonde_shared::time::parse_rfc3339(s.as_bytes()),
        Some(other) => sonde_shared::time::parse_unix_number(&other.to_string()),
        None => None,
    };
    let text = |key: &str| value.get(key).and_then(|v| v.as_str()).map(|s| Cow::Owned(s.to_owned()));
    Ok(Fields {
        ts: ts.ok_or("no ts")?,
        level: text("level").and_then(|l| Level::parse(&l)).unwrap_or_default(),
        component: text("component"),
        host: text("host"),
    })
}
