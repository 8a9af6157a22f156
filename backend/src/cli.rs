//! The command line.

use crate::config::{Config, with_file};
use crate::{demo, server};
use anyhow::Context;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::path::{Path, PathBuf};
use tracing_subscriber::EnvFilter;

/// From the spike on a metric chart to the log lines behind it.
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// A file of settings; without it `sonde.toml` is read where there is one.
    #[arg(long, global = true, env = "SONDE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Takes metrics and logs, keeps them in daily files and serves the page.
    Serve(Config),
    /// Serves a made-up cluster with an incident, from a temporary folder, and prints the link to open.
    Demo(demo::Options),
}

/// Runs the program.
pub fn run() -> anyhow::Result<()> {
    start_logging();
    let Cli { command, .. } = parse()?;
    match command {
        Command::Serve(config) => runtime()?.block_on(server::serve(config)),
        Command::Demo(options) => runtime()?.block_on(demo::serve(options)),
    }
}

fn parse() -> anyhow::Result<Cli> {
    let file = config_path(std::env::args_os());
    let matches = with_settings(Cli::command(), file.as_deref())?.get_matches();
    Cli::from_arg_matches(&matches).map_err(|error| error.exit())
}

/// The file's settings are those of `serve`; the demo keeps to its own.
fn with_settings(command: clap::Command, file: Option<&Path>) -> anyhow::Result<clap::Command> {
    let mut failed = None;
    let command = command.mut_subcommand("serve", |serve| {
        with_file(serve.clone(), file).unwrap_or_else(|error| {
            failed = Some(error);
            serve
        })
    });
    failed.map_or(Ok(command), Err)
}

/// The settings' file must be known before the flags are read, because it gives their defaults.
fn config_path(args: impl Iterator<Item = std::ffi::OsString>) -> Option<PathBuf> {
    let mut args = args.skip(1);
    while let Some(arg) = args.next() {
        if arg == "--config" {
            return args.next().map(PathBuf::from);
        }
        if let Some(path) = arg.to_str().and_then(|arg| arg.strip_prefix("--config=")) {
            return Some(Path::new(path).to_owned());
        }
    }
    std::env::var_os("SONDE_CONFIG").map(PathBuf::from)
}

fn start_logging() {
    let filter = EnvFilter::try_from_env("SONDE_LOG").unwrap_or_else(|_unset| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    // Queries wait for pages of mapped files on the blocking threads; a stalled client holds none of them.
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(64)
        .build()
        .context("could not start the runtime")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(file: &str) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("sonde.toml");
        std::fs::write(&path, file)?;
        let command = with_settings(Cli::command(), Some(&path))?;
        match Cli::from_arg_matches(&command.try_get_matches_from(["sonde", "serve"])?)?.command {
            Command::Serve(config) => Ok(config),
            Command::Demo(_) => anyhow::bail!("serve was asked for"),
        }
    }

    #[test]
    fn every_setting_of_serve_can_stand_in_the_file() {
        let file = "data = 'd'\nlisten = '127.0.0.1:1'\ncarbon = 'off'\nsyslog = 'off'\nsyslog-zone = '+01:00'\n\
            syslog-component = 'a.{app}'\nsyslog-component-dotted = 'b.{app}'\ndashboards = 'boards'\nallow-host = ['c.example']";
        let config = settings(file).unwrap();
        assert_eq!(config.allow_host, ["c.example"]);
        assert_eq!(config.dashboards, Some("boards".into()));
        assert_eq!(
            (config.syslog_zone.as_str(), config.syslog_component_dotted.as_str()),
            ("+01:00", "b.{app}")
        );
        assert!(settings("colour = 'red'").is_err());
    }
}
