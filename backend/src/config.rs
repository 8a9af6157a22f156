//! Flags, environment and `sonde.toml`, in that order of weight.
//!
//! Every flag is an environment variable too (`--allow-host` is `SONDE_ALLOW_HOST`) and a key of the file (`allow-host`).

mod listen;
mod origin;
mod retention;

pub use listen::{Listen, listen_problem};
pub use origin::{SettingError, place_of, refused_value, unknown_variables};
pub use retention::{Age, AgeFor, DiskReserve, Room, with_retention};

use crate::ingest::component_rule::ComponentRule;
use crate::ingest::zone::Zone;
use crate::nearest::nearest;
use crate::store::file_view::Reading;
use clap::{Args, FromArgMatches};
use std::any::TypeId;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The settings of a server.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// The folder of the daily files.
    #[arg(long, env = "SONDE_DATA", default_value = "data", value_name = "DIR")]
    pub data: PathBuf,
    /// Where the page and the HTTP interface are served.
    #[arg(long, env = "SONDE_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub listen: Listen,
    /// Where Graphite plaintext is taken, TCP and UDP; `off` for nowhere.
    #[arg(long, env = "SONDE_CARBON", default_value = "127.0.0.1:2003", value_name = "ADDRESS")]
    pub carbon: Listen,
    /// Where points in Python pickles are taken, TCP, as carbon does at port 2004; `off` for nowhere.
    #[arg(long, env = "SONDE_CARBON_PICKLE", default_value = "off", value_name = "ADDRESS")]
    pub carbon_pickle: Listen,
    /// Where syslog is taken, TCP and UDP; `off` for nowhere.
    #[arg(long, env = "SONDE_SYSLOG", default_value = "127.0.0.1:5514", value_name = "ADDRESS")]
    pub syslog: Listen,
    /// The zone of syslog stamps that name none: `UTC`, `+01:00` or `Europe/Berlin`.
    #[arg(long, env = "SONDE_SYSLOG_ZONE", default_value = "UTC", value_name = "ZONE", value_parser = zone_name)]
    pub syslog_zone: String,
    /// The component of a syslog line; {app}, {host} and {facility} are replaced.
    #[arg(long, env = "SONDE_SYSLOG_COMPONENT", default_value = "syslog.{app}", value_name = "RULE", value_parser = component_rule)]
    pub syslog_component: String,
    /// The same for lines whose app name has a dot.
    #[arg(long, env = "SONDE_SYSLOG_COMPONENT_DOTTED", default_value = "{app}", value_name = "RULE", value_parser = component_rule)]
    pub syslog_component_dotted: String,
    /// Whether finished files of lines and points are compressed in the background.
    #[arg(long, env = "SONDE_SEAL", default_value = "on", value_name = "on|off", value_parser = on_or_off, action = clap::ArgAction::Set)]
    pub seal: bool,
    /// Whether files of the data folder are read with `pread` instead of being mapped into memory: slower, and a disk that fails
    /// ends an answer and not the program.
    #[arg(long, env = "SONDE_NO_MMAP", default_value = "off", default_missing_value = "on", num_args = 0..=1, require_equals = true, value_name = "on|off", value_parser = on_or_off, action = clap::ArgAction::Set)]
    pub no_mmap: bool,
    /// A folder of NDJSON files that another program writes, served in place and followed while they grow; may be repeated.
    #[arg(long, env = "SONDE_FOREIGN", value_name = "DIR", value_delimiter = ',')]
    pub foreign: Vec<PathBuf>,
    /// How long days are kept, such as 90d: those that ended longer ago are deleted; `off` keeps all.
    #[arg(long, env = "SONDE_RETENTION", default_value = "off", value_name = "AGE")]
    pub retention: Age,
    /// How long the lines of a component and of those below it are kept instead, such as shop.audit=2y; may be repeated.
    #[arg(long, env = "SONDE_RETENTION_FOR", value_name = "COMPONENT=AGE", value_delimiter = ',')]
    pub retention_for: Vec<AgeFor>,
    /// How much of the disk all days may take, such as 500GB: the oldest ones are deleted, today never; `off` for no limit.
    #[arg(long, env = "SONDE_RETENTION_BYTES", default_value = "off", value_name = "BYTES")]
    pub retention_bytes: Room,
    /// How much of the disk is kept free for compressing and deleting what is stored, such as 2GB: while less is free, lines and
    /// points are refused. `auto` is a hundredth of the disk, at most 1 GiB; `off` is nothing.
    #[arg(long, env = "SONDE_DISK_RESERVE", default_value = "auto", value_name = "BYTES")]
    pub disk_reserve: DiskReserve,
    /// Whether Sonde stores figures of itself every ten seconds, as series below `sonde.`.
    #[arg(long, env = "SONDE_OWN_METRICS", default_value = "on", value_name = "on|off", value_parser = on_or_off, action = clap::ArgAction::Set)]
    pub own_metrics: bool,
    /// Carbon's storage-schemas.conf: the precisions in which `/render` answers which series, and how far back.
    #[arg(long, env = "SONDE_STORAGE_SCHEMAS", value_name = "FILE")]
    pub storage_schemas: Option<PathBuf>,
    /// Carbon's storage-aggregation.conf: how `/render` makes coarser points of finer ones, of which series.
    #[arg(long, env = "SONDE_STORAGE_AGGREGATION", value_name = "FILE")]
    pub storage_aggregation: Option<PathBuf>,
    /// A folder of dashboards, one TOML file each, instead of `dashboards` in the data folder.
    #[arg(long, env = "SONDE_DASHBOARDS", value_name = "DIR")]
    pub dashboards: Option<PathBuf>,
    /// Rules that say whose lines belong to which metrics, instead of `links.toml` in the data folder.
    #[arg(long, env = "SONDE_LINKS", value_name = "FILE")]
    pub links: Option<PathBuf>,
    /// A name under which browsers may ask for the page, besides localhost and plain addresses; may be repeated.
    #[arg(long, env = "SONDE_ALLOW_HOST", value_name = "NAME", value_delimiter = ',', value_parser = host_name)]
    pub allow_host: Vec<String>,
}

impl Config {
    /// How the files of the data folder are read.
    pub fn reading(&self) -> Reading {
        reading(self.no_mmap)
    }
}

/// How files are read where they may not be mapped, or may.
pub fn reading(no_mmap: bool) -> Reading {
    if no_mmap { Reading::Pread } else { Reading::Mapped }
}

impl Default for Config {
    /// What holds without any flag, but for what the environment says.
    fn default() -> Self {
        let matches = Self::augment_args(clap::Command::new("sonde")).get_matches_from(["sonde"]);
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// A name under which browsers may ask, as it stands in their address bar. What never stands there is refused, for it would
/// only seem to be allowed.
fn host_name(text: &str) -> Result<String, String> {
    let (host, port) = text.rsplit_once(':').filter(|_| !text.contains(']')).unwrap_or((text, "80"));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if !host.is_empty() && text.chars().all(is_plain) && (host.contains(':') || port.parse::<u16>().is_ok()) {
        return Ok(text.to_owned());
    }
    Err("no browser asks for this; write the name alone, with a port if it has one: sonde.example or \
        sonde.example:8443"
        .to_owned())
}

/// Reads `on` or `off`.
pub fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err("write on or off".to_owned()),
    }
}

fn zone_name(text: &str) -> Result<String, String> {
    Zone::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn component_rule(text: &str) -> Result<String, String> {
    ComponentRule::parse(text, text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// The file that is read when none is named.
pub const DEFAULT_FILE: &str = "sonde.toml";

/// Subcommands that read no file.
const WITHOUT_FILE: [&str; 1] = ["demo"];

/// Reads the settings' file, named or the usual one, and makes its values the defaults of the subcommands' flags: of each
/// flag that is a variable of the environment too. One file serves all of them, so each passes over the others' keys.
pub fn with_file(command: clap::Command, named: Option<&Path>) -> anyhow::Result<clap::Command> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    if named.is_none() && !path.exists() {
        return Ok(command);
    }
    let text =
        std::fs::read_to_string(path).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    apply(command, &text, folder).map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))
}

/// What is relative in the file counts from the folder that it lies in.
fn apply(mut command: clap::Command, text: &str, folder: &Path) -> Result<clap::Command, String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let takes_file = |one: &clap::Command| !WITHOUT_FILE.contains(&one.get_name());
    let known: BTreeSet<String> =
        command.get_subcommands().filter(|one| takes_file(one)).flat_map(settings_of).collect();
    let mut defaults = Vec::new();
    for (key, value) in table {
        if !known.contains(&key) {
            let nearest = nearest(&known, &key).unwrap_or("none");
            return Err(format!("there is no setting `{key}`; the nearest that there is is `{nearest}`"));
        }
        let values =
            texts(&value).ok_or_else(|| format!("`{key}` is neither a text, a number nor a list of them"))?;
        let takes_list = |one: &clap::Command| args_of(one, &key).any(takes_several);
        if value.is_array() && !command.get_subcommands().any(takes_list) {
            let first = values.first().map_or("…", String::as_str);
            return Err(format!("`{key}` takes one value and no list; write {key} = \"{first}\""));
        }
        defaults.push((key, values));
    }
    let give = |arg: clap::Arg| {
        let of_arg = defaults.iter().find(|(key, _)| is_setting(&arg) && arg.get_long() == Some(key));
        let Some((_, values)) = of_arg else { return arg };
        let in_folder = |value: &String| folder.join(value).into_os_string();
        let is_path = is_path(&arg);
        let value = |value| if is_path { in_folder(value) } else { OsString::from(value) };
        arg.default_values(values.iter().map(value).collect::<Vec<_>>()).required(false)
    };
    for subcommand in command.get_subcommands_mut().filter(|one| takes_file(one)) {
        *subcommand = std::mem::take(subcommand).mut_args(give);
    }
    Ok(command)
}

/// What a question asks has no variable and no key; what is so for all of them has both.
fn is_setting(arg: &clap::Arg) -> bool {
    arg.get_env().is_some()
}

/// The flags of a command that a key of the file is for.
fn args_of<'a>(command: &'a clap::Command, key: &'a str) -> impl Iterator<Item = &'a clap::Arg> {
    command.get_arguments().filter(move |arg| is_setting(arg) && arg.get_long() == Some(key))
}

fn takes_several(arg: &clap::Arg) -> bool {
    matches!(arg.get_action(), clap::ArgAction::Append)
}

fn is_path(arg: &clap::Arg) -> bool {
    arg.get_value_parser().type_id() == TypeId::of::<PathBuf>()
}

fn settings_of(command: &clap::Command) -> impl Iterator<Item = String> {
    command.get_arguments().filter(|arg| is_setting(arg)).filter_map(|arg| arg.get_long().map(str::to_owned))
}

fn texts(value: &toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::String(text) => Some(vec![text.clone()]),
        toml::Value::Integer(number) => Some(vec![number.to_string()]),
        toml::Value::Boolean(flag) => Some(vec![flag.to_string()]),
        toml::Value::Array(list) => {
            list.iter().map(|one| texts(one).and_then(|mut texts| texts.pop())).collect()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str, args: &[&str]) -> Result<Config, String> {
        let serve = Config::augment_args(clap::Command::new("serve"));
        let command = apply(clap::Command::new("sonde").subcommand(serve), file, Path::new("/etc/sonde"))?;
        let matches = command.try_get_matches_from([&["sonde", "serve"], args].concat());
        let (_, matches) =
            matches.map_err(|error| error.to_string())?.remove_subcommand().expect("serve was named");
        Config::from_arg_matches(&matches).map_err(|error| error.to_string())
    }

    #[test]
    fn the_file_gives_defaults_and_flags_outweigh_it() {
        let file = "data = '/var/lib/sonde'\ncarbon = 'off'\nallow-host = ['a.example', 'b.example']";
        let config = read(file, &["--data", "here"]).unwrap();
        assert_eq!(config.data, PathBuf::from("here"));
        assert_eq!(config.carbon, Listen(None));
        assert_eq!(config.allow_host, ["a.example", "b.example"]);
        assert_eq!(config.syslog, "127.0.0.1:5514".parse().unwrap());
    }

    #[test]
    fn relative_paths_of_the_file_count_from_its_folder() {
        let file = "data = 'wells'\nforeign = ['a', '/b']\nstorage-schemas = '../s.conf'\nsyslog-component = 'x.{app}'";
        let config = read(file, &[]).unwrap();
        assert_eq!(config.data, Path::new("/etc/sonde/wells"));
        assert_eq!(config.foreign, [Path::new("/etc/sonde/a"), Path::new("/b")]);
        assert_eq!(config.storage_schemas.as_deref(), Some(Path::new("/etc/sonde/../s.conf")));
        assert_eq!(config.syslog_component, "x.{app}");
        // What is given elsewhere counts from where one stands, and so does what nobody has set.
        assert_eq!(read(file, &["--data", "here"]).unwrap().data, Path::new("here"));
        assert_eq!(read("", &[]).unwrap().data, Path::new("data"));
    }

    #[test]
    fn maps_are_switched_off_by_the_flag_alone_or_with_a_value() {
        let check = |file: &str, args: &[&str], no_mmap: bool| {
            assert_eq!(read(file, args).unwrap().no_mmap, no_mmap, "{file} {args:?}");
        };
        check("", &[], false);
        check("", &["--no-mmap"], true);
        check("", &["--no-mmap", "--seal", "off"], true);
        check("no-mmap = true", &[], true);
        check("no-mmap = 'on'", &["--no-mmap=off"], false);
        assert!(read("", &["--no-mmap=sometimes"]).is_err());
    }

    #[test]
    fn a_list_where_one_value_is_taken_is_refused() {
        let said = read("data = ['x', 'y']", &[]).unwrap_err();
        assert_eq!(said, "`data` takes one value and no list; write data = \"x\"");
        assert!(read("retention-for = 'shop=2y'", &[]).is_ok());
        assert!(read("seal = []", &[]).unwrap_err().contains("`seal` takes one value"));
    }

    #[test]
    fn a_host_that_no_browser_asks_for_is_refused_with_an_example() {
        let check = |name: &str, is_right: bool| assert_eq!(host_name(name).is_ok(), is_right, "{name}");
        for name in ["sonde.example", "sonde.example:8443", "localhost", "10.0.0.1", "[::1]:80", "::1", "a_b"]
        {
            check(name, true);
        }
        for name in [
            "",
            " ",
            "https://sonde.example",
            "sonde.example/",
            "a b",
            "*.example",
            ":80",
            "a:port",
            "söhne.example",
        ] {
            check(name, false);
        }
        let said = read("allow-host = ['https://sonde.example']", &[]).unwrap_err();
        assert!(said.contains("sonde.example:8443"), "{said}");
    }

    #[test]
    fn a_misspelt_setting_is_named() {
        let error = read("cabron = 'off'", &[]).unwrap_err();
        assert!(error.contains("`cabron`") && error.contains("carbon"), "{error}");
        assert!(read("", &["--listen", "nowhere"]).is_err());
    }
}
