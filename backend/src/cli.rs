//! The command line.

use crate::config::{self, Config, SettingError, with_file};
use crate::{commands, demo, server};
use anyhow::Context;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
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
    Serve(Box<Config>),
    /// Serves a made-up cluster with an incident, from a temporary folder, and prints the link to open.
    Demo(demo::Options),
    /// Writes lines of a range to standard output as `/api/logs` answers them, from a folder or from a server.
    Logs(Box<commands::LogsOptions>),
    /// Stores files of NDJSON lines, of whatever days, or a Graphite's points in a folder that no server has.
    Import(Box<commands::ImportOptions>),
    /// Writes lines of a folder to standard output, oldest first, as they came.
    Export(commands::ExportOptions),
    /// Gives every finished segment of a folder that no server has its compressed form.
    Seal(commands::SealOptions),
    /// Reads every line of a folder and says whether all of it holds.
    Check(commands::CheckOptions),
    /// Copies a folder by hard links, also while a server writes to it.
    Snapshot(commands::SnapshotOptions),
}

/// Runs the program.
pub fn run() -> anyhow::Result<()> {
    start_logging();
    for warning in config::unknown_variables(&Cli::command(), std::env::vars_os().map(|(name, _)| name)) {
        tracing::warn!("{warning}");
    }
    let given = Given::read()?;
    let Cli { command, .. } = given.parse()?;
    match command {
        Command::Serve(config) => {
            if given.file.exists() {
                tracing::info!(file = %given.file.display(), "settings are read from a file");
            }
            runtime()?.block_on(server::serve(*config)).map_err(|error| given.place(error))
        }
        Command::Demo(options) => runtime()?.block_on(demo::serve(options)),
        Command::Logs(options) => commands::logs(&options),
        Command::Import(options) => commands::import(&options),
        Command::Export(options) => commands::export(&options),
        Command::Seal(options) => commands::seal(&options),
        Command::Check(options) => commands::check(&options),
        Command::Snapshot(options) => commands::snapshot(&options),
    }
}

/// What the program was started with.
struct Given {
    args: Vec<OsString>,
    /// The file of settings, if there is one.
    file: PathBuf,
    /// With that file's defaults.
    command: clap::Command,
}

impl Given {
    fn read() -> anyhow::Result<Self> {
        let args: Vec<OsString> = std::env::args_os().collect();
        let file = config_path(args.iter().cloned());
        let command = with_file(Cli::command(), file.as_deref())?;
        Ok(Self { args, file: file.unwrap_or_else(|| config::DEFAULT_FILE.into()), command })
    }

    fn parse(&self) -> anyhow::Result<Cli> {
        let Self { args, file, command } = self;
        let matches = command
            .clone()
            .try_get_matches_from(args)
            .map_err(|error| refusal(&error, command, args, is_set, file).unwrap_or_else(|| error.exit()))?;
        Cli::from_arg_matches(&matches).map_err(|error| error.exit())
    }

    /// Of an error in what a setting names: where that setting stands.
    fn place(&self, error: anyhow::Error) -> anyhow::Error {
        let placed = error.downcast_ref().and_then(|SettingError { key, value, why }| {
            let arg = find_arg(&self.command, &self.args, key)?;
            let place = config::place_of(arg, &self.args, arg.get_env().is_some_and(is_set), &self.file);
            Some(anyhow::anyhow!("{place}: {value}: {why}"))
        });
        placed.unwrap_or(error)
    }
}

fn is_set(variable: &OsStr) -> bool {
    std::env::var_os(variable).is_some()
}

/// A flag of the subcommand that was given, or of all.
fn find_arg<'a>(command: &'a clap::Command, given: &'a [OsString], long: &str) -> Option<&'a clap::Arg> {
    let of_subcommands =
        command.get_subcommands().filter(|one| given.iter().any(|word| word == one.get_name()));
    let mut args = of_subcommands.flat_map(clap::Command::get_arguments).chain(command.get_arguments());
    args.find(|arg| arg.get_long() == Some(long))
}

/// For a value that was refused: which, where it stands, and why. Nothing for any other error.
fn refusal(
    error: &clap::Error,
    command: &clap::Command,
    given: &[OsString],
    is_set: impl Fn(&OsStr) -> bool,
    file: &Path,
) -> Option<anyhow::Error> {
    if error.kind() != ErrorKind::ValueValidation {
        return None;
    }
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let (shown, value) = (context(ContextKind::InvalidArg)?, context(ContextKind::InvalidValue)?);
    let long = shown.split([' ', '=']).next()?.strip_prefix("--")?;
    let arg = find_arg(command, given, long)?;
    let why = std::error::Error::source(error)?.to_string();
    let variable_is_set = arg.get_env().is_some_and(is_set);
    Some(anyhow::anyhow!(config::refused_value(arg, value, &why, given, variable_is_set, file)))
}

/// The settings' file must be known before the flags are read, because it gives their defaults.
fn config_path(args: impl Iterator<Item = OsString>) -> Option<PathBuf> {
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
    let no_color = std::env::var_os("NO_COLOR");
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(wants_colours(std::io::stderr().is_terminal(), no_color.as_deref()))
        .with_target(false)
        .init();
}

/// Colours are for people at a terminal who have not said no, as <https://no-color.org> has it.
fn wants_colours(is_terminal: bool, no_color: Option<&OsStr>) -> bool {
    is_terminal && no_color.is_none_or(OsStr::is_empty)
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

    /// The settings that a file in a folder of its own gives, told from that folder.
    fn settings(file: &str) -> anyhow::Result<(Config, tempfile::TempDir)> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("sonde.toml");
        std::fs::write(&path, file)?;
        let command = with_file(Cli::command(), Some(&path))?;
        match Cli::from_arg_matches(&command.try_get_matches_from(["sonde", "serve"])?)?.command {
            Command::Serve(config) => Ok((*config, folder)),
            _ => anyhow::bail!("serve was asked for"),
        }
    }

    #[test]
    fn colours_are_for_terminals_without_an_objection() {
        let check = |is_terminal: bool, no_color: Option<&str>, expected: bool| {
            assert_eq!(wants_colours(is_terminal, no_color.map(OsStr::new)), expected);
        };
        check(true, None, true);
        check(true, Some(""), true);
        check(true, Some("1"), false);
        check(false, None, false);
    }

    #[test]
    fn a_refused_value_says_where_it_stands() {
        let check = |file: &str, args: &[&str], expected: &str| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("sonde.toml");
            std::fs::write(&path, file).unwrap();
            let command = with_file(Cli::command(), Some(&path)).unwrap();
            let given: Vec<OsString> = ["sonde", "serve"].iter().chain(args).map(OsString::from).collect();
            let error = command.clone().try_get_matches_from(&given).unwrap_err();
            let said =
                refusal(&error, &command, &given, |_| false, Path::new("sonde.toml")).unwrap().to_string();
            assert!(said.starts_with(expected), "{said}");
        };
        check("", &["--listen", "nowhere"], "`nowhere` of the flag --listen: write HOST:PORT");
        check("carbon = 'x'", &[], "`x` of the key `carbon` in sonde.toml: write HOST:PORT");
        check("syslog-zone = 'Mars/North'", &[], "`Mars/North` of the key `syslog-zone` in sonde.toml: ");
        check("", &["--syslog-component={oops}"], "`{oops}` of the flag --syslog-component: ");
        check("", &["--allow-host", "a,http://b"], "`http://b` of the flag --allow-host: no browser");
    }

    #[test]
    fn every_setting_of_serve_can_stand_in_the_file() {
        let file = "data = 'd'\nlisten = '127.0.0.1:1'\ncarbon = 'off'\ncarbon-pickle = '127.0.0.1:2'\nsyslog = 'off'\nseal = 'off'\nno-mmap = true\nsyslog-zone = '+01:00'\n\
            syslog-component = 'a.{app}'\nsyslog-component-dotted = 'b.{app}'\ndashboards = 'boards'\nstorage-schemas = 's.conf'\nstorage-aggregation = 'a.conf'\nforeign = ['/a', 'b']\nallow-host = ['c.example']";
        let (config, folder) = settings(file).unwrap();
        let beside = |name: &str| folder.path().join(name);
        assert_eq!(config.allow_host, ["c.example"]);
        assert_eq!(config.carbon_pickle, "127.0.0.1:2".parse().unwrap());
        assert!(!config.seal && config.no_mmap);
        assert_eq!(config.foreign, [Path::new("/a").to_owned(), beside("b")]);
        assert_eq!(config.dashboards, Some(beside("boards")));
        let rules = (config.storage_schemas.unwrap(), config.storage_aggregation.unwrap());
        assert_eq!(rules, (beside("s.conf"), beside("a.conf")));
        assert_eq!(
            (config.syslog_zone.as_str(), config.syslog_component_dotted.as_str()),
            ("+01:00", "b.{app}")
        );
        assert!(settings("colour = 'red'").is_err());
    }

    #[test]
    fn every_subcommand_takes_from_the_file_what_concerns_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sonde.toml");
        let wells = format!("{:?}", folder.path().join("wells"));
        let check = |file: &str, args: &[&str], expected: &[&str]| {
            std::fs::write(&path, file).unwrap();
            let said = with_file(Cli::command(), Some(&path)).and_then(|command| {
                // Nothing of the machine's own environment.
                let command = command.mut_subcommands(|one| one.mut_args(|arg| arg.env(None::<&str>)));
                let matches = command.try_get_matches_from([&["sonde"], args].concat())?;
                Ok(format!("{:?}", Cli::from_arg_matches(&matches)?.command))
            });
            let said = said.unwrap_or_else(|error| error.to_string());
            assert!(expected.iter().all(|word| said.contains(word)), "{args:?}: {said}");
        };
        let file = "data = 'wells'\nlisten = '127.0.0.1:1'\nseal = 'off'\nretention = '2w'\nretention-for = ['a=2y', 'b=off']";
        for args in [&["seal"][..], &["check"], &["export"], &["snapshot", "to"], &["import", "x"], &["logs"]]
        {
            check(file, args, &[&wells]);
        }
        check(file, &["check", "--data", "here"], &["\"here\""]);
        // A form of a command has the command's settings, on whichever side of its name they are given.
        check(file, &["import", "whisper", "x"], &[&wells, "dir: \"x\""]);
        check(file, &["import", "--data", "here", "whisper", "x"], &["\"here\"", "dir: \"x\""]);
        check(file, &["import", "whisper", "x", "--data", "here"], &["\"here\"", "dir: \"x\""]);
        check(file, &["import", "x", "whisper"], &["[\"x\", \"whisper\"]"]);
        check(file, &["import", "x"], &["1209600000000000", "component: \"a\"", "component: \"b\""]);
        check(&format!("server = 'http://a:1'\n{file}"), &["logs"], &["\"a:1\""]);
        check(&format!("server = 'http://a:1'\n{file}"), &["serve"], &[&wells]);
        // What a question asks is none of the file's business, nor is what nobody knows.
        check("level = 'warn'", &["logs"], &["there is no setting `level`"]);
        check("dada = 'wells'", &["check"], &["there is no setting `dada`", "`data`"]);
    }
}
