//! The `sonde` program. All it does is in the library.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Err(error) = sonde::cli::run() else { return ExitCode::SUCCESS };
    // Where nobody reads it, the code tells.
    drop(writeln!(std::io::stderr(), "Error: {error:#}"));
    ExitCode::FAILURE
}
