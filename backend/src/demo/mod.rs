//! A made-up cluster with an incident, for `sonde demo`, tests and benchmarks.
