//! Where a setting came from, for telling what is wrong with it, and which variables mean no setting at all.

use crate::nearest::nearest;
use std::ffi::OsString;
use std::path::Path;

/// A setting whose value could be read, and what it names could not be taken.
#[derive(Debug, thiserror::Error)]
#[error("--{key} {value}: {why}")]
pub struct SettingError {
    /// The flag without its dashes, and the key of the file.
    pub key: &'static str,
    /// What it was set to.
    pub value: String,
    /// What is wrong.
    pub why: String,
}

/// Variables of the environment that are no settings of the server: its log's, and those of the scripts that start it.
const OTHER_VARIABLES: [&str; 5] =
    ["SONDE_LOG", "SONDE_BIN", "SONDE_CACHE", "SONDE_WASM_TOOLCHAIN", "SONDE_UPDATE_GOLDEN"];

/// What to say of a value that was refused: the value as it was given, with where, and why. `arg` is the flag.
pub fn refused_value(
    arg: &clap::Arg,
    value: &str,
    why: &str,
    given: &[OsString],
    variable_is_set: bool,
    file: &Path,
) -> String {
    format!("`{value}` of {}: {why}", place_of(arg, given, variable_is_set, file))
}

/// Where a setting stands that is set.
pub fn place_of(arg: &clap::Arg, given: &[OsString], variable_is_set: bool, file: &Path) -> String {
    let long = arg.get_long().unwrap_or_default();
    let flag = format!("--{long}");
    let is_flag =
        |one: &OsString| one.to_str().is_some_and(|one| one == flag || one.starts_with(&format!("{flag}=")));
    if given.iter().any(is_flag) {
        return format!("the flag {flag}");
    }
    match arg.get_env().filter(|_| variable_is_set) {
        Some(name) => format!("the environment variable {}", name.display()),
        None => format!("the key `{long}` in {}", file.display()),
    }
}

/// A warning for each variable that looks like a setting and is none, with the name that was probably meant.
pub fn unknown_variables(command: &clap::Command, variables: impl Iterator<Item = OsString>) -> Vec<String> {
    let known = known_variables(command);
    let mut names: Vec<String> = variables.filter_map(|name| name.into_string().ok()).collect();
    names.sort();
    let is_unknown = |name: &&String| name.starts_with("SONDE_") && !known.contains(name);
    let warning = |name: &String| {
        let nearest = nearest(&known, name).unwrap_or("none");
        format!("the environment variable {name} means nothing here; the nearest that does is {nearest}")
    };
    names.iter().filter(is_unknown).map(warning).collect()
}

fn known_variables(command: &clap::Command) -> Vec<String> {
    let of_args = |command: &clap::Command| {
        let names = command.get_arguments().filter_map(|arg| arg.get_env()?.to_str().map(str::to_owned));
        names.collect::<Vec<_>>()
    };
    let mut known = of_args(command);
    known.extend(command.get_subcommands().flat_map(of_args));
    known.extend(OTHER_VARIABLES.map(str::to_owned));
    known
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, Command};

    #[test]
    fn a_refused_value_names_where_it_stands() {
        let arg = Arg::new("listen").long("listen").env("SONDE_LISTEN");
        let check = |given: &[&str], variable_is_set: bool, expected: &str| {
            let given: Vec<OsString> = given.iter().map(OsString::from).collect();
            let said = refused_value(&arg, "x", "no", &given, variable_is_set, Path::new("sonde.toml"));
            assert_eq!(said, format!("`x` of the {expected}: no"));
        };
        check(&["serve", "--listen", "x"], true, "flag --listen");
        check(&["serve", "--listen=x"], false, "flag --listen");
        check(&["serve", "--listener"], true, "environment variable SONDE_LISTEN");
        check(&["serve"], false, "key `listen` in sonde.toml");
    }

    #[test]
    fn a_misspelt_variable_is_told_with_the_nearest_name() {
        let serve = Command::new("serve").arg(Arg::new("carbon").env("SONDE_CARBON"));
        let command = Command::new("sonde").arg(Arg::new("config").env("SONDE_CONFIG")).subcommand(serve);
        let check = |names: &[&str], expected: &[(&str, &str)]| {
            let said = unknown_variables(&command, names.iter().map(OsString::from));
            let named = |(name, nearest): &(&str, &str)| {
                format!(
                    "the environment variable {name} means nothing here; the nearest that does is {nearest}"
                )
            };
            assert_eq!(said, expected.iter().map(named).collect::<Vec<_>>());
        };
        check(&["SONDE_CABRON", "SONDE_CARBON", "PATH"], &[("SONDE_CABRON", "SONDE_CARBON")]);
        check(&["SONDE_CONFG", "SONDE_CACHE", "SONDE_LOG"], &[("SONDE_CONFG", "SONDE_CONFIG")]);
    }
}
