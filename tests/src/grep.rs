//! `grep` and a stable `sort` by time over the same input: the tools that Sonde replaces, as a second oracle.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Lines of a component and all below it whose stamp starts with `minutes` (an extended regular expression), by time; for
/// lines in [`crate::corpus::Style::Plain`].
///
/// # Panics
/// When there is no shell with grep and sort.
pub fn grep_and_sort(input: &[u8], component: &str, minutes: &str) -> Vec<u8> {
    let component = component.replace('.', "\\.");
    let script = format!(
        r#"grep -E '^\{{"ts":"{minutes}' | grep -E '^[^,]*,"component":"{component}(\.[^"]*)?"' | sort -s -k1.8,1.37 -t "$(printf '\001')""#
    );
    let mut shell = Command::new("sh")
        .args(["-c", &script])
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell can be started");
    let mut stdin = shell.stdin.take().expect("standard input is piped");
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).expect("grep reads its input"));
        shell.wait_with_output().expect("the shell ends").stdout
    })
}

/// How many lines of a day's open files hold a text.
///
/// # Panics
/// When there is no shell with grep, or no such file.
pub fn count_in_files(day: &Path, text: &str) -> u64 {
    let counted = Command::new("sh")
        .args(["-c", r#"cat "$0"/logs-*.ndjson | grep -c -F -- "$1""#])
        .arg(day)
        .arg(text)
        .env("LC_ALL", "C")
        .output()
        .expect("a shell can be started");
    String::from_utf8_lossy(&counted.stdout).trim().parse().expect("grep counts")
}
