//! What is needed, and whether it is there.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    process::Stdio,
};

use harness::{
    arch::Architecture,
    emulator::EmulatorId,
    firmware::{self, FirmwareId},
    master::Tool,
};
use rustix::process::geteuid;
use scenarios::{
    cell::{Cell, DiscSource},
    disc::tool_names,
    id::EDITED,
    master::Masters,
    toolbox::Toolbox,
};

use crate::{place::cargo, setup::package::on_path, stop::Stop};

/// Something that is needed.
#[derive(Clone, Debug)]
pub(crate) struct Need {
    /// What a person would call it.
    pub(crate) name: String,
    /// What was found.
    pub(crate) found: Result<String, String>,
    /// How it comes here.
    pub(crate) source: Source,
}

impl Need {
    /// What can be done where its package cannot be had, or does not have it; nothing when no way is known.
    pub(crate) fn other_way(&self) -> Option<String> {
        let firmware = self.name.strip_prefix(FIRMWARE)?;
        Some(format!(
            "cargo xtask firmware add CODE.fd --variables VARS.fd --as {firmware}@VERSION, and then --firmware {firmware}@VERSION"
        ))
    }
}

/// How something comes onto this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// With a package, by Debian's name of it.
    Package(String),
    /// With a package if there is one; what needs it can be skipped.
    OptionalPackage(String),
    /// From crates.io.
    Crate(&'static str),
    /// By the command that a mastering tool's own file has, into a folder of its own; what needs it can be skipped.
    Command(Box<Tool>),
    /// Only its owner can bring it.
    Nowhere(String),
}

/// What the name of a firmware that is needed begins with.
const FIRMWARE: &str = "firmware ";

/// What is said of something that has no version.
pub(crate) const FOUND: &str = "found";

/// What the tests need beyond the matrix: independent readers of what we write, a browser among them.
const ORACLES: [(&str, &str); 14] = [
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("jsonschema", "python3-jsonschema"),
    ("xorriso", "xorriso"),
    ("isoinfo", "genisoimage"),
    ("mdir", "mtools"),
    ("mcopy", "mtools"),
    ("fsck.fat", "dosfstools"),
    ("sgdisk", "gdisk"),
    ("qemu-img", "qemu-utils"),
    ("sfdisk", "fdisk"),
    // What tar unpacks an archive with.
    ("zstd", "zstd"),
    // Lets system calls fail.
    ("strace", "strace"),
    // Lets the clock jump.
    ("faketime", "faketime"),
];

/// Those that not every distribution has, and without which a test compares with the others alone. Of pycdlib the
/// library is needed, with which the program comes.
const OPTIONAL_ORACLES: [(&str, &str); 3] = [
    ("pycdlib-genisoimage", "python3-pycdlib"),
    ("bsdtar", "libarchive-tools"),
    // For the reproducers of docs/found.md.
    ("makefs", "makefs"),
];

/// What the recipes and the discs of real loaders are made with: tools, and loaders by their files. On other machines than a PC some have no package. shim is unpacked for the tests, and never
/// installed: its package may change how this machine starts.
const OF_RECIPES: [(&str, &str); 8] = [
    ("isohybrid", "syslinux-utils"),
    ("grub-mkrescue", "grub-common"),
    ("implantisomd5", "isomd5sum"),
    ("/usr/lib/ISOLINUX/isolinux.bin", "isolinux"),
    (
        "/usr/lib/syslinux/modules/bios/ldlinux.c32",
        "syslinux-common",
    ),
    ("/usr/lib/SYSLINUX.EFI/efi64/syslinux.efi", "syslinux-efi"),
    ("/usr/lib/grub/i386-pc/cdboot.img", "grub-pc-bin"),
    ("/usr/lib/grub/x86_64-efi/moddep.lst", "grub-efi-amd64-bin"),
];

/// A cluster of Slurm's on this machine, which only root can have: others are spared its daemons.
pub const CLUSTER: [(&str, &str); 4] = [
    ("sbatch", "slurm-client"),
    ("slurmctld", "slurmctld"),
    ("slurmd", "slurmd"),
    ("munged", "munge"),
];

/// What these cells need: the emulator, their firmware, and the real media among them.
pub(crate) fn for_cells(cells: &[Cell], toolbox: &Result<Toolbox, QemuProblem>) -> Vec<Need> {
    // Builds that were chosen are there: they were chosen among those.
    let of_host = cells
        .iter()
        .filter(|cell| cell.id.firmware_build().is_none());
    let firmware: BTreeSet<FirmwareId> = of_host.map(|cell| cell.firmware).collect();
    let mut needs = vec![qemu(toolbox)];
    needs.extend(emulators(&firmware, toolbox));
    needs.extend(firmware.into_iter().map(|id| firmware_need(id, toolbox)));
    needs.extend(media(cells));
    needs.extend(live_tools(cells));
    needs
}

/// The mastering tools of these cells. Only those that are required must be there.
pub(crate) fn for_masters(
    cells: &[Cell],
    masters: &Masters,
    require: &[String],
    toolbox: &Result<Toolbox, QemuProblem>,
) -> Vec<Need> {
    let names: BTreeSet<String> = cells
        .iter()
        .flat_map(|cell| tool_names(cell.id.disc().master()))
        .chain(require.iter().cloned())
        .collect();
    let tool = |name: String| {
        let tool = match name.strip_prefix(EDITED) {
            Some(editor) => &masters.editor(editor)?.tool,
            None => masters.tool(&name)?,
        };
        let known = toolbox.as_ref().ok().and_then(|it| it.masters.get(&name));
        let found = known.cloned().unwrap_or_else(|| tool.find());
        let required = require.contains(&name);
        Some(Need {
            found: found.map(|found| {
                let program = found.program.display().to_string();
                match found.version {
                    Some(version) => format!("{version} ({program})"),
                    None => program,
                }
            }),
            source: match &tool.package {
                _ if tool.install.is_some() => Source::Command(Box::new(tool.clone())),
                Some(package) if required => Source::Package(package.clone()),
                Some(package) => Source::OptionalPackage(package.clone()),
                None => Source::Nowhere(format!("install it, or omit --master {name}")),
            },
            name,
        })
    };
    names.into_iter().filter_map(tool).collect()
}

/// What is required and no package brings must be there.
pub(crate) fn none_from_nowhere(needs: &[Need], require: &[String]) -> Result<(), Stop> {
    let lacking = needs
        .iter()
        .find_map(|need| match (&need.found, &need.source) {
            (Err(why), Source::Nowhere(remedy)) if require.contains(&need.name) => {
                Some(Stop::host(format!("{}: {why}", need.name), remedy))
            }
            _ => None,
        });
    lacking.map_or(Ok(()), Err)
}

/// What the tests of the workspace need besides.
pub(crate) fn for_tests(toolbox: &Result<Toolbox, QemuProblem>) -> Vec<Need> {
    let oracle = |program: &str, source| Need {
        name: program.to_owned(),
        found: if on_path(program)
            || Path::new(program).is_absolute() && Path::new(program).exists()
        {
            Ok(FOUND.to_owned())
        } else {
            Err(format!("there is no {program}"))
        },
        source,
    };
    let all = FirmwareId::ALL.iter().copied();
    let emulators = emulators(&all.clone().collect(), toolbox);
    let firmware = all.map(|id| firmware_need(id, toolbox));
    let needed = ORACLES
        .into_iter()
        .map(|(program, package)| oracle(program, Source::Package(package.to_owned())));
    let cluster = CLUSTER.into_iter().filter(|_| geteuid().is_root());
    let of_recipes = OF_RECIPES
        .into_iter()
        .filter(|_| cfg!(target_arch = "x86_64"));
    let optional = OPTIONAL_ORACLES
        .into_iter()
        .chain(of_recipes)
        .chain(cluster)
        .map(|(program, package)| oracle(program, Source::OptionalPackage(package.to_owned())));
    emulators
        .into_iter()
        .chain(firmware)
        .chain(needed)
        .chain(optional)
        .chain([nextest()])
        .collect()
}

/// Why there is no usable emulator.
#[derive(Clone, Debug)]
pub(crate) struct QemuProblem {
    /// What is wrong.
    pub(crate) what: String,
    /// What can be done about it, when installing it would not help.
    pub(crate) remedy: Option<String>,
}

fn qemu(toolbox: &Result<Toolbox, QemuProblem>) -> Need {
    let package = || Source::Package("qemu-system-x86".to_owned());
    let (found, source) = match toolbox {
        Ok(toolbox) => (
            Ok(format!(
                "{} ({})",
                toolbox.qemu.version,
                toolbox.qemu.path.display()
            )),
            package(),
        ),
        Err(QemuProblem { what, remedy: None }) => (Err(what.clone()), package()),
        Err(QemuProblem {
            what,
            remedy: Some(remedy),
        }) => (Err(what.clone()), Source::Nowhere(remedy.clone())),
    };
    Need {
        name: "QEMU for x86".to_owned(),
        found,
        source,
    }
}

/// The emulators that firmware for other architectures than x86 needs.
fn emulators(firmware: &BTreeSet<FirmwareId>, toolbox: &Result<Toolbox, QemuProblem>) -> Vec<Need> {
    let architectures: BTreeSet<Architecture> = firmware
        .iter()
        .map(|id| id.architecture())
        .filter(|&architecture| architecture != Architecture::X86)
        .collect();
    let need = |architecture: Architecture| {
        let qemu = toolbox.as_ref().ok();
        let qemu = qemu.and_then(|toolbox| toolbox.emulator(architecture));
        Need {
            name: format!("QEMU for {architecture}"),
            found: match qemu {
                Some(qemu) => Ok(format!("{} ({})", qemu.version, qemu.path.display())),
                None if on_path(EmulatorId::Qemu.program(architecture)) => Ok(FOUND.to_owned()),
                None => Err(format!(
                    "there is no {}",
                    EmulatorId::Qemu.program(architecture)
                )),
            },
            source: Source::Package(EmulatorId::Qemu.package(architecture).to_owned()),
        }
    };
    architectures.into_iter().map(need).collect()
}

fn firmware_need(id: FirmwareId, toolbox: &Result<Toolbox, QemuProblem>) -> Need {
    let found = match toolbox {
        // Which directories to look in only the emulator knows.
        Err(_) => Err("cannot be checked without QEMU".to_owned()),
        Ok(toolbox) => firmware::select(&toolbox.firmware, id)
            .map(|firmware| format!("{} ({})", firmware.version, firmware.image.code().display()))
            .map_err(|error| error.what()),
    };
    Need {
        name: format!("{FIRMWARE}{id}"),
        found,
        source: Source::Package(id.package().to_owned()),
    }
}

fn nextest() -> Need {
    cargo_command("nextest", "cargo-nextest", "")
}

/// What nothing fails without: to review snapshots.
pub(crate) fn besides() -> Vec<Need> {
    vec![cargo_command(
        "insta",
        "cargo-insta",
        ", which boot-matrix --review needs",
    )]
}

/// A command of cargo's that is a crate of its own, and what it is for.
fn cargo_command(command: &str, name: &'static str, what_for: &str) -> Need {
    let asked = cargo()
        .arg(command)
        .arg("--version")
        .stderr(Stdio::null())
        .output();
    let found = match asked {
        Ok(answer) if answer.status.success() => {
            let said = String::from_utf8_lossy(&answer.stdout);
            let line = said.lines().next().unwrap_or_default();
            Ok(line.trim_start_matches(name).trim().to_owned())
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Need {
                name: name.to_owned(),
                found: Err(format!("cannot be asked for its version: {error}")),
                source: Source::Nowhere("free some space, memory or processes".to_owned()),
            };
        }
        _ => Err(format!("cargo has no command {command}{what_for}")),
    };
    Need {
        name: name.to_owned(),
        found,
        source: Source::Crate(name),
    }
}

fn media(cells: &[Cell]) -> impl Iterator<Item = Need> {
    let isos: BTreeSet<(&PathBuf, &Option<String>)> = cells
        .iter()
        .filter_map(|cell| match cell.disc.before() {
            DiscSource::Iso { path, package } => Some((path, package)),
            _ => None,
        })
        .collect();
    isos.into_iter().map(|(path, package)| Need {
        name: path.display().to_string(),
        found: if path.exists() {
            Ok(FOUND.to_owned())
        } else {
            Err("there is no such file".to_owned())
        },
        source: match package {
            Some(package) => Source::OptionalPackage(package.clone()),
            None => Source::Nowhere("put the file there, or do not select its cells".to_owned()),
        },
    })
}

/// The programs that put the live discs of these cells together; without one its cells are skipped.
fn live_tools(cells: &[Cell]) -> impl Iterator<Item = Need> {
    let missing: BTreeSet<(&str, &str)> = cells
        .iter()
        .filter_map(|cell| match cell.disc.before() {
            DiscSource::Live(live) => Some(live.layout.missing_tools()),
            _ => None,
        })
        .flatten()
        .collect();
    missing.into_iter().map(|(tool, package)| Need {
        name: tool.to_owned(),
        found: Err(format!("there is no {tool}")),
        source: Source::OptionalPackage(package.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_asks_for_arm_gets_its_emulator() {
        let none = Err(QemuProblem {
            what: "not looked for".to_owned(),
            remedy: None,
        });
        let names = |ids: &[FirmwareId]| {
            let needs = emulators(&ids.iter().copied().collect(), &none);
            let packages = needs.into_iter().map(|need| need.source);
            packages.collect::<Vec<_>>()
        };
        assert_eq!(
            names(&[
                FirmwareId::Seabios,
                FirmwareId::Rombios,
                FirmwareId::UBootX8664
            ]),
            []
        );
        let arm = [Source::Package("qemu-system-arm".to_owned())];
        assert_eq!(names(&[FirmwareId::Aavmf, FirmwareId::UBootArm64]), arm);
    }
}
