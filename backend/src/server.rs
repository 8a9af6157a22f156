//! Starts everything and stops it in order.
