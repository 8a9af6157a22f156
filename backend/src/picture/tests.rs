//! Pictures, structurally.
