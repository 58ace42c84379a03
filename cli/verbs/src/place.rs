//! Where we are: what the program has of the repository, its cache, and whether somebody watches.

use std::{
    env, fs,
    io::{self, Read},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use flate2::read::GzDecoder;
use scenarios::program;

use crate::stop::Stop;

/// Where the running program has its things.
#[derive(Debug)]
pub enum Home {
    /// A checkout of the repository: `cargo xtask`.
    Checkout(PathBuf),
    /// Nowhere: it is installed, and carries them.
    Installed(Carried),
}

/// What an installed program has of the repository.
#[derive(Clone, Copy, Debug)]
pub struct Carried {
    /// The files below `scenarios` and `tests/snapshots` that are read when cells are run, as `.tar.gz`.
    pub files: &'static [u8],
    /// What no other files have.
    pub digest: &'static str,
}

static HOME: OnceLock<Home> = OnceLock::new();

/// Says where this program is, once, before anything else.
pub fn set(home: Home) {
    if let Home::Installed(_) = home {
        program::is_the_installed_one();
    }
    drop(HOME.set(home));
}

/// Tests of this crate run in a checkout.
fn home() -> &'static Home {
    HOME.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        Home::Checkout(here.ancestors().nth(2).unwrap_or(here).to_owned())
    })
}

/// Whether this is the installed program, and not `cargo xtask`.
pub fn is_installed() -> bool {
    matches!(home(), Home::Installed(_))
}

/// The folder of the repository, for what is only done there.
///
/// # Errors
/// The program is installed.
pub fn workspace_for(what: &str) -> Result<&'static Path, Stop> {
    match home() {
        Home::Checkout(workspace) => Ok(workspace),
        Home::Installed(_) => Err(Stop::usage(
            format!(
                "{what} belong to the repository of boot-matrix, but this program is installed"
            ),
            "--scenarios with a folder of your own",
        )),
    }
}

/// The folder with scenarios, tools and snapshots as they are shipped, laid out as in the repository.
///
/// # Errors
/// The program carries them, and they cannot be unpacked.
pub fn shipped() -> Result<&'static Path, Stop> {
    static UNPACKED: OnceLock<PathBuf> = OnceLock::new();
    let carried = match home() {
        Home::Checkout(workspace) => return Ok(workspace),
        Home::Installed(carried) => carried,
    };
    if let Some(folder) = UNPACKED.get() {
        return Ok(folder);
    }
    let folder = cache()?.join("shipped").join(carried.digest);
    let unpacked = is_whole(carried, &folder).then_some(Ok(()));
    unpacked
        .unwrap_or_else(|| unpack(carried, &folder))
        .map_err(|error| {
            let what = format!(
                "cannot unpack the program's files to {}: {error}",
                folder.display()
            );
            Stop::host(what, OTHER_CACHE)
        })?;
    Ok(UNPACKED.get_or_init(|| folder))
}

/// Whether every file is there, and is what it was: a cache is anybody's.
fn is_whole(carried: &Carried, folder: &Path) -> bool {
    let compare = || -> io::Result<bool> {
        let mut archive = tar::Archive::new(GzDecoder::new(carried.files));
        let mut right = Vec::new();
        for entry in archive.entries()? {
            let mut entry = entry?;
            right.clear();
            entry.read_to_end(&mut right)?;
            if fs::read(folder.join(entry.path()?))? != right {
                return Ok(false);
            }
        }
        Ok(true)
    };
    compare().unwrap_or(false)
}

/// Unpacks beside the folder, and puts it in its place: somebody else may do the same.
fn unpack(carried: &Carried, folder: &Path) -> io::Result<()> {
    let above = folder.parent().unwrap_or(folder);
    fs::create_dir_all(above)?;
    let beside = tempfile::Builder::new()
        .prefix(".unpacked-")
        .tempdir_in(above)?;
    let (new, old) = (beside.path().join("new"), beside.path().join("old"));
    tar::Archive::new(GzDecoder::new(carried.files)).unpack(&new)?;
    // One that is not whole makes room.
    drop(fs::rename(folder, old));
    match fs::rename(&new, folder) {
        Err(_) if is_whole(carried, folder) => Ok(()),
        done => done,
    }
}

/// This program, even when another was built in its place since it was started (proc(5)).
pub const THIS_PROGRAM: &str = "/proc/self/exe";

const OTHER_CACHE: &str =
    "free some space there, or XDG_CACHE_HOME=/another/folder before the command";

/// The folder of what is made once and used again, and of results for which no other place is named: the target folder that
/// `cargo xtask` lies in, as in `target/debug/xtask`, or the user's cache (XDG Base Directory Specification).
///
/// # Errors
/// The program is installed, and there is no such place.
pub fn cache() -> Result<PathBuf, Stop> {
    match home() {
        Home::Checkout(workspace) => {
            let program = env::current_exe().unwrap_or_default();
            let target = program.ancestors().nth(2).map(Path::to_owned);
            Ok(target.unwrap_or_else(|| workspace.join("target")))
        }
        Home::Installed(_) => {
            // The specification says to ignore relative paths.
            let folder = |name: &str| {
                env::var_os(name)
                    .map(PathBuf::from)
                    .filter(|path| path.is_absolute())
            };
            let caches = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
            let caches = caches.ok_or_else(|| {
                Stop::host(
                    "there is no folder for the cache: neither XDG_CACHE_HOME nor HOME is set to one",
                    "XDG_CACHE_HOME=/some/folder before the command",
                )
            })?;
            Ok(caches.join("boot-matrix"))
        }
    }
}

/// Whether there is a place for temporary files, which a machine needs.
///
/// # Errors
/// TMPDIR names none.
pub fn temporary() -> Result<(), Stop> {
    let folder = env::temp_dir();
    if folder.is_dir() {
        return Ok(());
    }
    let what = format!(
        "the path for temporary files, {}, is not a folder",
        folder.display()
    );
    Err(Stop::host(
        what,
        "TMPDIR=/tmp before the command, or a folder of your own",
    ))
}

/// A path that means the same in every folder: what is started runs in another.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// A path as it is shown to people: from the folder that they are in, if it is below that.
pub fn shown(path: &Path) -> PathBuf {
    let here = env::current_dir().unwrap_or_default();
    match path.strip_prefix(here) {
        Ok(below) if below != Path::new("") => below.to_owned(),
        _ => path.to_owned(),
    }
}

/// The folder of the checkpoints, which all runs share.
///
/// # Errors
/// As of [`cache`].
pub fn checkpoints() -> Result<PathBuf, Stop> {
    Ok(cache()?.join("checkpoints"))
}

/// The folder of the builds of firmware that were fetched or added, which all runs share.
///
/// # Errors
/// As of [`cache`].
pub fn firmware() -> Result<PathBuf, Stop> {
    Ok(cache()?.join("firmware"))
}

/// The folder of the packages that live discs are made from, which all runs share.
///
/// # Errors
/// As of [`cache`].
pub fn live() -> Result<PathBuf, Stop> {
    Ok(cache()?.join("live"))
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
