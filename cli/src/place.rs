//! Where we are: the workspace, its target folder, and whether somebody watches.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The folder of the workspace, in which everything that is shipped lies.
pub fn workspace() -> &'static Path {
    static UNPACKED: OnceLock<Option<PathBuf>> = OnceLock::new();
    let unpacked = UNPACKED.get_or_init(|| Some(archive()?.join("workspace")));
    unpacked.as_deref().unwrap_or_else(|| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .unwrap_or(Path::new("."))
    })
}

/// The folder in the target folder that an archive is unpacked into.
pub const ARCHIVE: &str = "archive";

/// Where an archive was unpacked that this program came in (`boot-matrix --archive`); nothing in a workspace.
pub fn archive() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let program = env::current_exe().ok()?;
        let folder = program.parent()?;
        let is_archive = folder.ends_with(ARCHIVE) && folder.join("workspace").is_dir();
        is_archive.then(|| folder.to_owned())
    };
    FOLDER.get_or_init(find).as_deref()
}

/// This program, even when another was built in its place since it was started (proc(5)).
pub const THIS_PROGRAM: &str = "/proc/self/exe";

/// The target folder that this program lies in, as in `target/debug/xtask`.
pub fn target() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    program
        .ancestors()
        .nth(2)
        .map_or_else(|| workspace().join("target"), Path::to_owned)
}

/// A path that means the same in every folder: what is started runs in another.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Where the user is, where a script has gone elsewhere to start this.
const FROM: &str = "BOOT_MATRIX_FROM";

/// A path as it is shown to people: from the folder that they are in, if it is below that.
pub fn shown(path: &Path) -> PathBuf {
    let from = env::var_os(FROM).map(PathBuf::from);
    let here = from.unwrap_or_else(|| env::current_dir().unwrap_or_default());
    match path.strip_prefix(here) {
        Ok(below) if below != Path::new("") => below.to_owned(),
        _ => path.to_owned(),
    }
}

/// The folder of the checkpoints, which all runs share.
pub fn checkpoints() -> PathBuf {
    target().join("checkpoints")
}

/// The folder of the builds of firmware that were fetched or added, which all runs share.
pub fn firmware() -> PathBuf {
    target().join("firmware")
}

/// The folder of the packages that live discs are made from, which all runs share.
pub fn live() -> PathBuf {
    target().join("live")
}

/// Whether this is a run that nobody watches, as CI services say it.
pub fn is_ci() -> bool {
    env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

/// The profile of nextest for where we are.
pub fn nextest_profile() -> &'static str {
    if is_ci() { "ci" } else { "default" }
}

/// cargo, as it runs us.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Copies a program, or a file of text: nothing that is a disc.
#[expect(
    clippy::disallowed_methods,
    reason = "only the copy of a disc would lose its holes"
)]
pub fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::copy(from, to).map(drop)
}
