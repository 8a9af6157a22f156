//! The `sonde` program. All it does is in the library.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Err(error) = sonde::cli::run() else { return ExitCode::SUCCESS };
    // Where nobody reads it, the code tells.
    if !is_unread(&error) {
        drop(writeln!(std::io::stderr(), "Error: {error:#}"));
    }
    ExitCode::FAILURE
}

/// Whether whoever reads the output has had enough of it, as `head` has: that is no error to tell.
fn is_unread(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
