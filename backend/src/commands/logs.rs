//! `sonde logs`: the lines of a range on standard output, byte for byte what `GET /api/logs` answers.
//!
//! The flags become that address' parameters. A server is asked for them; for a folder the same code reads them, and the
//! same query finds the lines.

mod client;
mod source;

use super::folder_lines::{self, is_broken_pipe, say_none, unknown_among, unknown_components};
use super::{Folder, say};
use crate::api::ApiError;
use crate::api::logs::LogsRequest;
use crate::api::params::Params;
use anyhow::{anyhow, ensure};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use client::ServerUrl;
use sonde_shared::query_string::encode;
use source::Source;
use std::io::{self, Write};

/// What `sonde logs` is told.
#[derive(Args, Clone, Debug)]
pub struct LogsOptions {
    #[command(flatten)]
    source: Source,
    /// Components, each with all below it; globs a node: `shop.*.cart`, `node{1,2}`. All when none is named.
    #[arg(value_name = "COMPONENT", value_parser = NonEmptyStringValueParser::new())]
    components: Vec<String>,
    /// The first instant, in UTC: RFC 3339, unix seconds, `14:05`, `14:05_20261120`, `-2h`.
    #[arg(long, alias = "since", value_name = "TIME", value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true)]
    from: Option<String>,
    /// The instant before which they end.
    #[arg(long, alias = "to", value_name = "TIME", value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true)]
    until: Option<String>,
    /// A host's exact name; may be repeated.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    host: Vec<String>,
    /// This level and worse.
    #[arg(long, value_name = "LEVEL", value_parser = NonEmptyStringValueParser::new())]
    level: Option<String>,
    /// Text that the stored line contains, byte for byte.
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true)]
    contains: Option<String>,
    /// An expression that some part of the stored line matches.
    #[arg(long, value_name = "REGEX", value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true)]
    regex: Option<String>,
    /// The id of a message's pattern; may be repeated.
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pattern: Vec<String>,
    /// A field of the line and what it is, as text: `status=500`; may be repeated, one value of a name must be met.
    #[arg(long, value_name = "NAME=VALUE", value_parser = field)]
    field: Vec<(String, String)>,
    /// A field and what it is not: `status=200`; may be repeated. `component`, `host`, `level` (exactly that one) and `pattern` leave
    /// out what these flags ask for.
    #[arg(long, value_name = "NAME=VALUE", value_parser = field)]
    not: Vec<(String, String)>,
    /// `asc`, oldest first, or `desc`.
    #[arg(long, value_name = "ORDER", value_parser = NonEmptyStringValueParser::new())]
    order: Option<String>,
    /// The most lines to write.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Go on with lines as they are stored; from a server only.
    #[arg(short, long)]
    follow: bool,
}

fn field(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    let (name, value) = parts.ok_or("write a field and what it is, such as status=500")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Writes matching lines to standard output. Changes nothing; a folder may be one that a server writes to.
pub fn logs(options: &LogsOptions) -> anyhow::Result<()> {
    let query = options.query();
    let request = LogsRequest::read(&Params::parse(&query)).map_err(flag_problem)?;
    let mut out = Counted { out: io::stdout().lock(), bytes: 0 };
    let written = match &options.source {
        Source::Folder(folder) => write_folder(folder, &request, &mut out),
        Source::Server(server) => client::write_answer(server, &query, options.follow, &mut out),
    };
    match written {
        // Whoever reads has enough, as `head` does.
        Err(error) if is_broken_pipe(&error) => return Ok(()),
        written => written?,
    }
    if options.follow && options.limit.is_none() {
        say(format_args!("the server has ended the stream\n"));
    } else if out.bytes == 0 {
        let unknown = match &options.source {
            Source::Folder(folder) => unknown_components(folder, &request.filter)?,
            Source::Server(_) if request.filter.components.is_empty() => Vec::new(),
            Source::Server(server) => {
                // A hint: that there is none is no failure.
                let known = client::components(server, &options.range_query());
                known.map(|known| unknown_among(&request.filter.components, &known)).unwrap_or_default()
            }
        };
        say_none(options.from.is_some() || options.until.is_some(), &unknown);
    }
    Ok(())
}

fn write_folder(folder: &Folder, request: &LogsRequest, out: &mut impl Write) -> anyhow::Result<()> {
    let (data, shown) = (&folder.data, folder.data.display());
    ensure!(
        !request.follow,
        "--follow: the folder {shown} is read as it is now; ask the server that writes there: --server http://127.0.0.1:8080"
    );
    let LogsRequest { filter, order, options, .. } = request;
    let written =
        folder_lines::write(folder, filter, *order, *options, out).and_then(|written| written.all());
    if data.is_dir() {
        return written;
    }
    let way_out = "name another folder, or a server: --server http://127.0.0.1:8080";
    written.map_err(|error| anyhow!("{error:#}; {way_out}"))
}

/// What is wrong with a parameter, by the flag that it came from.
fn flag_problem(error: ApiError) -> anyhow::Error {
    let ApiError::Parameter { parameter, detail, example } = error else { return error.into() };
    anyhow!(parameter_problem(&parameter, &detail, Some(&example)))
}

fn parameter_problem(parameter: &str, detail: &str, example: Option<&str>) -> String {
    let flag = match parameter {
        "component" => "COMPONENT".to_owned(),
        field if field.starts_with("field.") => "--field".to_owned(),
        field if field.starts_with("not.") => "--not".to_owned(),
        flag => format!("--{flag}"),
    };
    let example = example.map(|example| format!("; right would be: {example}"));
    format!("{flag}: {detail}{}", example.unwrap_or_default())
}

impl LogsOptions {
    /// The same as parameters of `/api/logs`.
    fn query(&self) -> String {
        let mut pairs: Vec<(String, &str)> = Vec::new();
        let (limit, follow) = (self.limit.map(|limit| limit.to_string()), self.follow.then_some("true"));
        pairs.extend(self.components.iter().map(|one| ("component".to_owned(), one.as_str())));
        pairs.extend(self.host.iter().map(|one| ("host".to_owned(), one.as_str())));
        pairs.extend(self.pattern.iter().map(|one| ("pattern".to_owned(), one.as_str())));
        pairs.extend(self.field.iter().map(|(name, value)| (format!("field.{name}"), value.as_str())));
        pairs.extend(self.not.iter().map(|(name, value)| (format!("not.{name}"), value.as_str())));
        let [from, until] = self.range();
        let single = [
            from,
            until,
            ("level", self.level.as_deref()),
            ("contains", self.contains.as_deref()),
            ("regex", self.regex.as_deref()),
            ("order", self.order.as_deref()),
            ("limit", limit.as_deref()),
            ("follow", follow),
        ];
        pairs.extend(single.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        written(pairs.iter().map(|(name, value)| (name.as_str(), *value)))
    }

    /// When, as parameters of the address.
    fn range_query(&self) -> String {
        written(self.range().into_iter().filter_map(|(name, value)| Some((name, value?))))
    }

    fn range(&self) -> [(&'static str, Option<&str>); 2] {
        [("from", self.from.as_deref()), ("until", self.until.as_deref())]
    }
}

fn written<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    pairs.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}

/// Standard output, and how much was written.
struct Counted<W> {
    out: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        options: LogsOptions,
    }

    fn query(args: &[&str]) -> Result<String, String> {
        let command = Command::try_parse_from([&["logs"], args].concat());
        command.map(|command| command.options.query()).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_become_parameters_of_the_address() {
        let check = |args: &[&str], expected: &str| assert_eq!(query(args).unwrap(), expected);
        check(&[], "");
        check(
            &["shop.cart", "node{1,2}", "--from", "-2h"],
            "component=shop.cart&component=node%7B1,2%7D&from=-2h",
        );
        check(
            &["--field", "a b=c=d", "--field=k=é", "--contains", "-x&y"],
            "field.a%20b=c%3Dd&field.k=%C3%A9&contains=-x%26y",
        );
        check(&["--not", "level=debug", "--not=k=a b"], "not.level=debug&not.k=a%20b");
        check(
            &["--host=a", "--host", "b", "--level", "warn", "--order=desc", "--limit", "5", "-f"],
            "host=a&host=b&level=warn&order=desc&limit=5&follow=true",
        );
        for wrong in
            [&["--field", "status"][..], &["--field", "=5"], &["--limit", "-1"], &["--host", ""], &[""]]
        {
            assert!(query(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_its_flag() {
        let check = |query: &str, expected: &str| {
            let said = flag_problem(LogsRequest::read(&Params::parse(query)).unwrap_err()).to_string();
            assert!(said.starts_with(expected) && said.contains("right would be: "), "{said}");
        };
        check("from=yesterdayish", "--from: ");
        check("component=a..b", "COMPONENT: ");
        check("not.level=loud", "--not: `loud` is not a level");
        check("order=up", "--order: `up` is no order");
        check("follow=true&order=desc", "--follow: ");
    }
}
