//! The parameters that say which lines are meant: the same for every question about lines.

use super::{ApiError, params::Params};
use crate::query::logs::{LineFilter, TextFilter};

const FILTER_PARAMS: [&str; 6] = ["component", "host", "level", "contains", "from", "until"];

/// Refuses parameters that are neither a filter nor among `others`.
pub(super) fn check_known(params: &Params, others: &[&str]) -> Result<(), ApiError> {
    params.only(&[&FILTER_PARAMS[..], others].concat())
}

/// Which lines are asked for.
pub(super) fn read_filter(params: &Params) -> Result<LineFilter, ApiError> {
    Ok(LineFilter {
        range: params.range()?,
        components: params.components()?,
        hosts: params.all("host").map(str::to_owned).collect(),
        level: params.level()?,
        text: params.get("contains").map(TextFilter::containing).unwrap_or_default(),
    })
}
