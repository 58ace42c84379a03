//! What machines refuse with Secure Boot on: lists that the user names, or the newest that a package brought.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use images::{
    efi_program::{EfiProgram, HEADERS},
    signature::{RevocationList, Revocations, SbatLevel, SbatLevelSource, Shim, SignatureList},
};

use crate::{firmware::keys, stop::Stop};

/// Where packages put Microsoft's list: secureboot-db of Ubuntu, dbxtool of Fedora. Debian has no package with one.
const LISTS: [&str; 2] = ["/usr/share/secureboot/updates/dbx", "/usr/share/dbxtool"];
/// Where packages put shim, whose newest level is what Microsoft and shim's authors last agreed on: Debian and Ubuntu; Fedora has it on the system's own partition.
const SHIMS: [&str; 3] = ["/usr/lib/shim", "/boot/efi/EFI/fedora", "/usr/share/shim"];
/// Bytes of a file that are read.
const FILE_BYTES: u64 = 16 << 20;

/// Reads what the user named, and finds what packages brought.
pub(crate) fn read(list: Option<&Path>, level: Option<&str>) -> Result<Revocations, Stop> {
    Ok(Revocations {
        list: match list {
            Some(path) => Some(given_list(path)?),
            None => newest(&LISTS, |path| is_list(path).then(|| found_list(path))?),
        },
        level: match level {
            Some(text) => Some(given_level(text)?),
            None => newest(&SHIMS, |path| is_shim(path).then(|| found_level(path))?),
        },
    })
}

const NO_LEVEL: &str =
    "--sbat-level and a file, or a level such as \"sbat,1,2025051000 shim,4 grub,5\"";

fn given_list(path: &Path) -> Result<RevocationList, Stop> {
    Ok(RevocationList {
        list: keys::list_of(path)?,
        source: path.display().to_string(),
        is_given: true,
    })
}

fn found_list(path: &Path) -> Option<RevocationList> {
    let list = SignatureList::decode(&bytes(path).ok()?).ok()?;
    Some(RevocationList {
        list,
        source: format!("{} of {}", path.display(), day(path)?),
        is_given: false,
    })
}

fn given_level(text: &str) -> Result<SbatLevelSource, Stop> {
    let path = Path::new(text);
    if !path.is_file() {
        let level = SbatLevel::parse(text).ok_or_else(|| {
            let what = format!("{text:?} is neither a file nor an SBAT level");
            Stop::usage(what, NO_LEVEL)
        })?;
        return Ok(SbatLevelSource {
            source: named("--sbat-level", &level),
            level,
            is_given: true,
        });
    }
    let bytes = bytes(path).map_err(|error| Stop::usage(error, NO_LEVEL))?;
    let level = SbatLevel::decode(&bytes).or_else(|| newest_level(&bytes));
    let level = level.ok_or_else(|| {
        let what = format!("{} contains no SBAT level", path.display());
        Stop::usage(what, NO_LEVEL)
    })?;
    Ok(SbatLevelSource {
        source: named(text, &level),
        level,
        is_given: true,
    })
}

fn found_level(path: &Path) -> Option<SbatLevelSource> {
    let level = newest_level(&bytes(path).ok()?)?;
    Some(SbatLevelSource {
        source: named(&path.display().to_string(), &level),
        level,
        is_given: false,
    })
}

fn named(source: &str, level: &SbatLevel) -> String {
    match &level.date {
        Some(date) => format!("the SBAT level {date} of {source}"),
        None => format!("the SBAT level of {source}"),
    }
}

/// The newest level in a shim.
fn newest_level(program: &[u8]) -> Option<SbatLevel> {
    let head = program.get(..program.len().min(HEADERS))?;
    let headers = EfiProgram::decode(head)?;
    let section = headers.section_of(program, ".sbatlevel")?;
    Some(Shim::levels(section)?.1)
}

/// The newest of what is found in folders, by the files' dates, which packages keep.
fn newest<T>(folders: &[&str], read: impl Fn(&Path) -> Option<T>) -> Option<T> {
    let files = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok());
    let files = files.flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<(SystemTime, PathBuf)> = files
        .filter_map(|path| Some((modified(&path)?, path)))
        .collect();
    files.sort_unstable_by(|one, other| other.cmp(one));
    files.iter().find_map(|(_, path)| read(path))
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().to_ascii_lowercase()
}

/// Lists are for one architecture each; nearly all that boots from a disc is for x86-64.
fn is_list(path: &Path) -> bool {
    let name = name(path);
    name.starts_with("dbxupdate") && name.contains("x64") && name.ends_with(".bin")
}

fn is_shim(path: &Path) -> bool {
    let name = name(path);
    name.starts_with("shim") && (name.ends_with(".efi") || name.ends_with(".signed"))
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

fn day(path: &Path) -> Option<String> {
    let seconds = modified(path)?
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()?
        .as_secs();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let text = humantime::format_rfc3339_seconds(time).to_string();
    text.split('T').next().map(str::to_owned)
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    use std::io::Read;
    let read = || {
        let mut bytes = Vec::new();
        fs::File::open(path)?
            .take(FILE_BYTES)
            .read_to_end(&mut bytes)?;
        std::io::Result::Ok(bytes)
    };
    read().map_err(|error| format!("cannot read {}: {error}", path.display()))
}
