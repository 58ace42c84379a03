//! Everything that a machine without the source and without a compiler needs to run cells: nextest's own archive, with this program,
//! nextest itself, and the scenarios with their snapshots in it.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
};

use anyhow::Context;
use scenarios::files;

use super::nextest::tool_config;
use crate::{
    place::{self, absolute, nextest, nextest_profile, workspace},
    signals::Signals,
    stop::Stop,
    terminal,
};

/// What of the workspace is read when cells are run. The package of the tests is where they are started.
const READ: [&str; 8] = [
    ".config",
    "Cargo.toml",
    "scenarios/data",
    "scenarios/dialogs",
    "scenarios/live",
    "scenarios/masters",
    "tests/Cargo.toml",
    "tests/snapshots",
];

/// Writes the archive.
pub(crate) fn make(file: &Path) -> anyhow::Result<ExitCode> {
    let file = absolute(file);
    if !file.to_string_lossy().ends_with(".tar.zst") {
        let what = format!(
            "{} must end in .tar.zst, for that is what it is",
            file.display()
        );
        return Err(Stop::usage(what, "--archive boot-matrix.tar.zst").into());
    }
    if place::archive().is_some() {
        let what = "this program is in an archive already";
        return Err(Stop::usage(what, "--archive in the workspace, with cargo xtask").into());
    }
    let signals = Signals::catch()?;
    let staged = place::target().join(place::ARCHIVE);
    let stage = || -> io::Result<()> {
        match fs::remove_dir_all(&staged) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&staged)?,
        }
        place::copy(&env::current_exe()?, &staged.join("xtask"))?;
        place::copy(&nextest_program()?, &staged.join(place::NEXTEST))?;
        READ.iter().try_for_each(|part| {
            copy(
                &workspace().join(part),
                &staged.join("workspace").join(part),
            )
        })
    };
    stage().with_context(|| format!("cannot gather into {}", staged.display()))?;
    let config = place::target().join("archive.toml");
    let include = format!(
        "[[profile.{}.archive.include]]\npath = \"{}\"\nrelative-to = \"target\"\non-missing = \"error\"\n",
        nextest_profile(),
        place::ARCHIVE
    );
    files::write(&config, include.as_bytes())?;
    let mut command = nextest();
    command
        .current_dir(workspace())
        .args(["archive", "--workspace", "--test", "matrix"])
        .args(["--profile", nextest_profile(), "--archive-file"])
        .arg(&file)
        .arg("--tool-config-file")
        .arg(tool_config(&config))
        .stdin(Stdio::null())
        .stdout(io::stderr());
    let status = signals
        .run(&mut command)
        .context("cannot run cargo nextest")?;
    if !status.success() {
        let what = format!("cargo nextest archive ended with {status}");
        return Err(Stop::host(what, "what it says above").into());
    }
    let size = fs::metadata(&file).map_or(0, |file| file.len());
    writeln!(
        terminal::stdout(),
        "{}: {} MB\nthere: tar -xf {} && target/{}/xtask boot-matrix --partition slice:1/4 --out slice-1",
        file.display(),
        size / 1_000_000,
        file.file_name().unwrap_or_default().to_string_lossy(),
        place::ARCHIVE
    )
    .context("cannot write the answer")?;
    Ok(ExitCode::SUCCESS)
}

/// The program behind `cargo nextest`.
fn nextest_program() -> io::Result<PathBuf> {
    // As cargo looks for it: in its own folder, then in $PATH.
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let own = home.into_iter().map(|home| home.join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    own.chain(env::split_paths(&path))
        .map(|folder| folder.join(place::NEXTEST))
        .find(|program| program.is_file())
        .ok_or_else(|| io::Error::other("cargo-nextest is neither in cargo's folder nor in $PATH"))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        return fs::read_dir(from)?.try_for_each(|entry| {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))
        });
    }
    if let Some(above) = to.parent() {
        fs::create_dir_all(above)?;
    }
    place::copy(from, to)
}
