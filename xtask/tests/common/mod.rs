//! The program as a user runs it.

use std::process::{Command, Stdio};

use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

pub(crate) fn xtask(arguments: &[&str]) -> Said {
    xtask_with(arguments, &[])
}

pub(crate) fn xtask_with(arguments: &[&str], environment: &[(&str, &str)]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments);
    said(command, environment)
}

/// Runs a command as a user would who is no test.
pub(crate) fn said(mut command: Command, environment: &[(&str, &str)]) -> Said {
    command.stdin(Stdio::null());
    // What a runner tells its tests is not meant for the run that this test starts.
    for (name, _) in std::env::vars() {
        if name.starts_with("NEXTEST")
            || name.starts_with("BOOT_MATRIX")
            || name.starts_with("GITHUB")
            || ["CI", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"].contains(&&*name)
        {
            command.env_remove(name);
        }
    }
    command.envs(environment.iter().copied());
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said {
        code: output.status.code().unwrap(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}
