//! Everything that a machine without the source and without a compiler needs to run cells: this program, and the scenarios with their snapshots.

use std::{
    env, fs,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::Context;

use crate::{
    pack::pack,
    place::{self, absolute, workspace},
    stop::Stop,
    terminal,
};

/// What of the workspace is read when cells are run.
const READ: [&str; 6] = [
    "scenarios/data",
    "scenarios/dialogs",
    "scenarios/editors",
    "scenarios/live",
    "scenarios/masters",
    "tests/snapshots",
];

/// Writes the archive.
pub fn make(file: &Path) -> anyhow::Result<ExitCode> {
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
    let staged = place::target().join(place::ARCHIVE);
    gather(&staged).with_context(|| format!("cannot gather into {}", staged.display()))?;
    let inside = Path::new("target").join(place::ARCHIVE);
    pack(&staged, &inside, &file).map_err(|error| {
        let what = format!("cannot write {}: {error}", file.display());
        Stop::host(what, "free some space there, or choose another folder")
    })?;
    let size = fs::metadata(&file).map_or(0, |file| file.len());
    writeln!(
        terminal::stdout(),
        "{}: {} MB\nthere: tar -xf {} && {}/xtask boot-matrix --partition slice:1/4 --out slice-1",
        file.display(),
        size / 1_000_000,
        file.file_name().unwrap_or_default().to_string_lossy(),
        inside.display()
    )
    .context("cannot write the answer")?;
    Ok(ExitCode::SUCCESS)
}

/// Puts together what goes into the archive.
fn gather(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir_all(folder)?,
    }
    place::copy(&env::current_exe()?, &folder.join("xtask"))?;
    let unpacked = folder.join("workspace");
    READ.iter()
        .try_for_each(|part| copy(&workspace().join(part), &unpacked.join(part)))
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
