//! Flags, environment and `sonde.toml`, in that order of weight.
//!
//! Every flag is an environment variable too (`--allow-host` is `SONDE_ALLOW_HOST`) and a key of the file (`allow-host`).

use clap::{Args, FromArgMatches};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::str::FromStr;

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
    /// Where syslog is taken, TCP and UDP; `off` for nowhere.
    #[arg(long, env = "SONDE_SYSLOG", default_value = "127.0.0.1:5514", value_name = "ADDRESS")]
    pub syslog: Listen,
    /// The zone of syslog stamps that name none: `UTC`, `+01:00` or `Europe/Berlin`.
    #[arg(long, env = "SONDE_SYSLOG_ZONE", default_value = "UTC", value_name = "ZONE")]
    pub syslog_zone: String,
    /// The component of a syslog line; {app}, {host} and {facility} are replaced.
    #[arg(long, env = "SONDE_SYSLOG_COMPONENT", default_value = "syslog.{app}", value_name = "RULE")]
    pub syslog_component: String,
    /// The same for lines whose app name has a dot.
    #[arg(long, env = "SONDE_SYSLOG_COMPONENT_DOTTED", default_value = "{app}", value_name = "RULE")]
    pub syslog_component_dotted: String,
    /// A folder of dashboards, one TOML file each.
    #[arg(long, env = "SONDE_DASHBOARDS", value_name = "DIR")]
    pub dashboards: Option<PathBuf>,
    /// A name under which browsers may ask for the page, besides localhost and plain addresses; may be repeated.
    #[arg(long, env = "SONDE_ALLOW_HOST", value_name = "NAME", value_delimiter = ',')]
    pub allow_host: Vec<String>,
}

impl Default for Config {
    /// What holds without any flag, but for what the environment says.
    fn default() -> Self {
        let matches = Self::augment_args(clap::Command::new("sonde")).get_matches_from(["sonde"]);
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// An address to listen on, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub Option<SocketAddr>);

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let addresses = text.to_socket_addrs().map(Iterator::collect::<Vec<_>>).unwrap_or_default();
        // Of a name's addresses the IPv4 one is what most senders try first.
        let address = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
        address
            .map(|address| Self(Some(*address)))
            .ok_or_else(|| "write HOST:PORT, such as 127.0.0.1:8080, or off".to_owned())
    }
}

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "sonde.toml";

/// Reads the settings' file, named or the usual one, and makes its values the defaults of `command`'s flags.
pub fn with_file(command: clap::Command, named: Option<&Path>) -> anyhow::Result<clap::Command> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    if named.is_none() && !path.exists() {
        return Ok(command);
    }
    let text =
        std::fs::read_to_string(path).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
    apply(command, &text).map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))
}

fn apply(mut command: clap::Command, text: &str) -> Result<clap::Command, String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
    for (key, value) in table {
        let known: Vec<String> =
            command.get_arguments().filter_map(|arg| arg.get_long().map(str::to_owned)).collect();
        let id = command
            .get_arguments()
            .find(|arg| arg.get_long() == Some(key.as_str()))
            .map(|arg| arg.get_id().clone());
        let Some(id) = id else {
            return Err(format!("there is no setting `{key}`; there are {}", known.join(", ")));
        };
        let values =
            texts(&value).ok_or_else(|| format!("`{key}` is neither a text, a number nor a list of them"))?;
        command = command.mut_arg(id, |arg| arg.default_values(values).required(false));
    }
    Ok(command)
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
        let command = apply(Config::augment_args(clap::Command::new("serve")), file)?;
        let matches =
            command.try_get_matches_from([&["serve"], args].concat()).map_err(|error| error.to_string())?;
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
    fn a_misspelt_setting_is_named() {
        let error = read("cabron = 'off'", &[]).unwrap_err();
        assert!(error.contains("`cabron`") && error.contains("carbon"), "{error}");
        assert!(read("", &["--listen", "nowhere"]).is_err());
    }
}
