//! Flags, environment and `sonde.toml`, in that order of weight.

use std::path::PathBuf;

/// The settings in force.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The data folder.
    pub data: PathBuf,
    /// Names under which the server may be asked, beside addresses and `localhost`.
    pub allowed_hosts: Vec<String>,
}
