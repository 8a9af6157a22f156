//! The whole system, as its users meet it: the real binary fed by real senders, asked over HTTP and looked at in a real
//! browser. Every subject has its file. The machinery is in the package's library.

/// The tools these tests stand on: does a drag reach a page, is an error on a page noticed?
mod harness;
/// What is sent in is found again, however it was sent; what is bad hurts nothing else.
mod ingest;
/// What queries answer, compared with a plain scan of the same lines.
mod queries;
