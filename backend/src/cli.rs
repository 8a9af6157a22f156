//! The command line.

/// Runs the program.
pub fn run() -> anyhow::Result<()> {
    Ok(())
}
