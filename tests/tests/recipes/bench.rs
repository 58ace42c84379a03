//! What the recipes are tried with: the tools and packages of this host, and a machine that boots what comes out.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

use harness::{
    accelerator::Accelerator,
    attachment::Attachment,
    case::{Case, Success},
    checkpoint::Checkpoints,
    emulator::{EmulatorId, Installed},
    firmware::{Firmware, FirmwareId, discover, select},
    guest::Starts,
    live::Stock,
    platform::Platform,
    run::run,
};
use images::{
    inspect::{DiscFile, Inspection, Options, Window, inspect},
    tool::Tool,
};
use regex::bytes::Regex;

/// What the programs on the discs say when they have started. The probe says that it has come to its end.
const STARTED: &str = r"RECIPE-(BIOS|EFI)|BM1 [0-9]+ end=";

/// The target folder, whose checkpoints and packages all tests share.
fn target() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    folder.parent().unwrap_or(folder).to_owned()
}

/// Whether this is a run that nobody watches, on a host that has all packages: then nothing may be left out.
fn must_have_all() -> bool {
    let is_ci = env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
    is_ci && cfg!(target_arch = "x86_64")
}

/// Says that something is not tried on this host. In CI that is a failure.
pub(crate) fn leave_out(what: &str) {
    assert!(!must_have_all(), "not tried: {what}");
    println!("not tried: {what}");
}

/// Packages with loaders, and their folders.
const FOLDERS: [(&str, &str); 5] = [
    ("isolinux", "/usr/lib/ISOLINUX"),
    ("syslinux-common", "/usr/lib/syslinux/modules/bios"),
    ("grub-pc-bin", "/usr/lib/grub/i386-pc"),
    ("grub-efi-amd64-bin", "/usr/lib/grub/x86_64-efi"),
    (SHIM, "/usr/lib/shim"),
];

/// The package of shim, which one finding needs.
pub(crate) const SHIM: &str = "shim-signed";

/// Where these folders are on this host: where they are installed, or unpacked; or why a package is not here.
static PLACES: LazyLock<BTreeMap<&'static str, Result<String, String>>> = LazyLock::new(|| {
    let stock = Stock::in_folder(target().join("live"));
    let is_installed = |folder: &str| Path::new(folder).is_dir();
    let missing = FOLDERS.iter().filter(|(_, folder)| !is_installed(folder));
    // Why it cannot be fetched is kept with each package.
    drop(stock.fetch(missing.map(|(package, _)| *package), |line| {
        println!("{line}")
    }));
    let place = |(package, folder): (&'static str, &str)| {
        let unpacked = || {
            let root = stock.package(package)?;
            Ok(root
                .join(folder.trim_start_matches('/'))
                .display()
                .to_string())
        };
        let place = match is_installed(folder) {
            true => Ok(folder.to_owned()),
            false => unpacked(),
        };
        (package, place)
    };
    FOLDERS.into_iter().map(place).collect()
});

/// Why a package with a loader cannot be had; `None` where it is here.
pub(crate) fn no_package(name: &str) -> Option<String> {
    PLACES.get(name)?.as_ref().err().cloned()
}

/// The same of isolinux and GRUB.
pub(crate) fn no_loaders() -> Option<String> {
    let needed = FOLDERS.iter().filter(|(package, _)| *package != SHIM);
    needed
        .into_iter()
        .find_map(|(package, _)| no_package(package))
}

/// A script with the folders of packages where they are on this host.
fn here(script: &str) -> String {
    let mut script = script.to_owned();
    for (package, folder) in FOLDERS {
        if let Some(Ok(here)) = PLACES.get(package)
            && here != folder
        {
            script = script.replace(folder, here);
        }
    }
    script
}

/// Runs a script in a folder; what it says where it fails.
pub(crate) fn shell(folder: &Path, script: &str) -> Result<(), String> {
    // Debian keeps file-system tools where not every user looks.
    let path = format!("{}:/usr/sbin:/sbin", env::var("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-euc", &here(script)])
        .current_dir(folder)
        .env("LC_ALL", "C")
        .env("PATH", path)
        .output()
        .map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{script}\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// Whether a program is here.
pub(crate) fn here_is(program: &str) -> bool {
    shell(Path::new("/"), &format!("command -v {program}")).is_ok()
}

/// Why a tool cannot be run here; `None` where it can.
pub(crate) fn lacks(tool: Tool) -> Option<String> {
    static KNOWN: Mutex<BTreeMap<Tool, Option<String>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known
        .entry(tool)
        .or_insert_with(|| {
            let wanted = match tool {
                Tool::Pycdlib => "/usr/bin/python3 -c 'import pycdlib'",
                Tool::GrubMkrescue => {
                    "command -v grub-mkrescue && test -d /usr/lib/grub/i386-pc && test -d /usr/lib/grub/x86_64-efi"
                }
                tool => &format!("command -v {tool}"),
            };
            let missing = shell(Path::new("/"), wanted).err()?;
            Some(format!("{tool} is not here: {}", missing.trim()))
        })
        .clone()
}

/// The files of a tree come onto the disc first; then the lines of the recipe.
const PYCDLIB: &str = r"
import os, sys, pycdlib
label, catalog, lines = sys.argv[1], sys.argv[2], sys.argv[3:]
iso = pycdlib.PyCdlib()
iso.new(interchange_level=4, rock_ridge='1.09', vol_ident=label)
for folder, folders, files in os.walk('tree'):
    at = folder[len('tree'):]
    for name in folders:
        iso.add_directory(at + '/' + name, rr_name=name)
    for name in files:
        if at + '/' + name != catalog:
            iso.add_file(os.path.join(folder, name), at + '/' + name + ';1', rr_name=name)
class Disc:
    def add_eltorito(self, *words, **options):
        iso.add_eltorito(*words, rr_bootcatname=os.path.basename(catalog), **options)
for line in lines:
    exec(line, {'iso': Disc()})
iso.write('new.iso')
iso.close()
";

/// Runs the commands of a recipe in a folder.
pub(crate) fn follow(folder: &Path, tool: Tool, commands: &[String]) -> Result<(), String> {
    if tool != Tool::Pycdlib {
        return shell(folder, &commands.join("\n"));
    }
    let catalog = commands
        .iter()
        .find_map(|line| line.split_once("bootcatfile='")?.1.split_once(";1'"));
    let output = Command::new("/usr/bin/python3")
        .args([
            "-c",
            PYCDLIB,
            "RECIPE",
            catalog.map_or("", |(path, _)| path),
        ])
        .args(commands)
        .current_dir(folder)
        .output()
        .map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// What is on a disc.
pub(crate) fn read(iso: &Path, verify: bool) -> Result<Inspection, String> {
    let disc = DiscFile::open(iso).map_err(|error| error.to_string())?;
    let options = Options {
        verify,
        ..Options::default()
    };
    inspect(&mut Window::new(&disc), &options).map_err(|error| error.to_string())
}

/// The machines of this host.
struct Machines {
    qemu: Installed,
    firmware: Vec<Firmware>,
}

static MACHINES: LazyLock<Result<Machines, String>> = LazyLock::new(|| {
    let qemu = EmulatorId::Qemu
        .locate(None)
        .map_err(|error| error.to_string())?;
    Ok(Machines {
        firmware: discover(&qemu),
        qemu,
    })
});

/// Boots a disc; what happened where its program did not start.
pub(crate) fn boots(iso: &Path, id: FirmwareId, attachment: Attachment) -> Result<(), String> {
    let machines = MACHINES.as_ref().map_err(Clone::clone)?;
    let firmware = select(&machines.firmware, id).map_err(|error| error.what())?;
    let platform = Platform::new(
        machines.qemu.clone(),
        firmware.clone(),
        Accelerator::Tcg,
        attachment,
    );
    let evidence = iso.with_extension(format!("{id}-{attachment}"));
    let mut case = Case::new(iso, platform, evidence);
    case.checkpoints = Some(Checkpoints::in_folder(target().join("checkpoints")));
    case.success = Success::Text(Regex::new(STARTED).map_err(|error| error.to_string())?);
    // Each of these programs says it within a second or two of the machine's own time.
    case.patience = Some(Duration::from_secs(30));
    let seen = run(&case).map_err(|error| error.to_string())?;
    match seen.starts {
        Starts::Yes => Ok(()),
        _ => Err(format!(
            "{id} by {attachment}: {:?} {:?}",
            seen.outcome, seen.guest
        )),
    }
}

/// The digest of a folder's files, by which two are known to be the same; with the disc in it, or without. The catalog does not count:
/// it is written again.
pub(crate) fn digest(folder: &Path, with_disc: bool) -> String {
    let others = match with_disc {
        true => "",
        false => "! -name disc.iso",
    };
    let written = "! -iname boot.cat ! -name boot.catalog";
    let script = format!(
        "find . -type f {written} {others} | LC_ALL=C sort | xargs -d '\\n' sha256sum | sha256sum"
    );
    let output = Command::new("sh")
        .args(["-euc", &script])
        .current_dir(folder)
        .output();
    output.map_or_else(
        |error| error.to_string(),
        |output| String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

/// A copy of a folder; of its disc only where it is wanted.
pub(crate) fn copy(from: &Path, to: &Path, with_disc: bool) -> Result<(), String> {
    fs::create_dir_all(to).map_err(|error| error.to_string())?;
    let others = match with_disc {
        true => "",
        false => "! -name disc.iso",
    };
    let from = from.display();
    let script = format!(
        "find '{from}' -mindepth 1 -maxdepth 1 {others} -exec cp -r --sparse=always -t . {{}} +; chmod -R u+w ."
    );
    shell(to, &script)
}
