//! The `sonde` program. All it does is in the library.

fn main() -> anyhow::Result<()> {
    sonde::cli::run()
}
