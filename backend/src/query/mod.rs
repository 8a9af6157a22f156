//! Answers over the store: which days, which blocks, in which order.
