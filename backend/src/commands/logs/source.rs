//! Where lines are read: a folder or a server.

use super::ServerUrl;
use crate::commands::Folder;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

/// Of a folder and a server what is named more nearly: on the command line, else in the environment, else in the file; where
/// both are named in the same place, the server.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Folder(Folder),
    Server(ServerUrl),
}

#[derive(Args, Clone, Debug)]
struct Named {
    #[command(flatten)]
    folder: Folder,
    /// The server to ask instead of reading a folder, such as `http://127.0.0.1:8080`.
    #[arg(long, env = "SONDE_SERVER", value_name = "URL")]
    server: Option<ServerUrl>,
}

impl Args for Source {
    fn augment_args(command: Command) -> Command {
        Named::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Named::augment_args_for_update(command)
    }
}

impl FromArgMatches for Source {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let (data, server) = (matches.value_source("data"), matches.value_source("server"));
        if data == Some(ValueSource::CommandLine) && data == server {
            let why = "name a folder with --data or a server with --server, not both\n";
            return Err(Error::raw(ErrorKind::ArgumentConflict, why));
        }
        let Named { folder, server: named } = Named::from_arg_matches(matches)?;
        Ok(match named {
            Some(url) if data <= server => Self::Server(url),
            _ => Self::Folder(folder),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_more_nearly_is_read() {
        let check = |file: &[(&'static str, &'static str)], args: &[&str], expected: &str| {
            let mut command = Source::augment_args(Command::new("logs"));
            // Nothing of the machine's own environment.
            command = command.mut_args(|arg| arg.env(None::<&str>));
            for (key, value) in file {
                command = command.mut_arg(key, |arg| arg.default_values([*value]));
            }
            let matches = command.get_matches_from([&["logs"], args].concat());
            let found = Source::from_arg_matches(&matches).map_or_else(
                |error| error.to_string(),
                |source| match source {
                    Source::Folder(folder) => folder.data.display().to_string(),
                    Source::Server(url) => url.to_string(),
                },
            );
            assert!(found.contains(expected), "{found}");
        };
        check(&[], &[], "data");
        check(&[], &["--data", "here"], "here");
        check(&[("data", "there")], &["--server", "http://a:1"], "http://a:1");
        check(&[("server", "http://b:1")], &["--data", "here"], "here");
        check(&[("server", "http://b:1"), ("data", "there")], &[], "http://b:1");
        check(&[], &["--data", "here", "--server", "a:1"], "not both");
    }
}
