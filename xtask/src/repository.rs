//! Where the repository is, and what is built of it.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use cli::{place::cargo, signals::Signals};

/// The folder of the repository.
pub(crate) fn workspace() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The target folder that this program lies in, as in `target/debug/xtask`.
pub(crate) fn target() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let target = program.ancestors().nth(2).map(Path::to_owned);
    target.unwrap_or_else(|| workspace().join("target"))
}

/// Builds the program as it is installed, beside this one.
pub(crate) fn build_program(signals: &Signals) -> std::io::Result<(PathBuf, ExitStatus)> {
    let mut build: Command = cargo();
    build
        .current_dir(workspace())
        .args(["build", "--package", "boot-matrix"]);
    let status = signals.run(&mut build)?;
    Ok((target().join("debug/boot-matrix"), status))
}
