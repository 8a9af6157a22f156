//! What tests that kill the server have in common: how often, at which moments, and what commands say of the folder that is
//! left.

use crate::server::binary;
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// `KILL_SEED`, from which all moments are drawn. It is said when the test fails.
#[derive(Debug)]
pub struct Seed(u64);

impl Seed {
    /// As the environment has it, else 1.
    pub fn from_env() -> Self {
        Self(number_from("KILL_SEED", 1))
    }

    /// The seed.
    pub fn number(&self) -> u64 {
        self.0
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Nothing can be done about a closed stderr while a test is failing.
            drop(writeln!(std::io::stderr().lock(), "KILL_SEED={}", self.0));
        }
    }
}

/// `KILLS`: how often the server is killed.
pub fn kills() -> usize {
    number_from("KILLS", 200) as usize
}

fn number_from(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |value| value.parse().expect("the variable holds a number"))
}

/// What a command says of a folder.
///
/// # Panics
/// When it fails.
#[track_caller]
pub fn run(command: &str, data: &Path) -> String {
    let output = Command::new(binary()).arg(command).arg("--data").arg(data).output();
    let output = output.expect("the program starts");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "sonde {command}: {said}");
    said
}
