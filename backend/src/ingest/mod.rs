//! From bytes of a protocol to checked lines and points.
