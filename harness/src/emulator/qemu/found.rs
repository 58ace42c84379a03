//! Which QEMU runs the machines.

use std::{
    env, io,
    path::{MAIN_SEPARATOR, Path, PathBuf},
    time::Duration,
};

use serde_json::json;

use super::{arguments::SANDBOX, guest::guest, reads};
use crate::{
    arch::Architecture,
    ask::{Answer, AskError, ask},
    attachment::Attachment,
    emulator::{
        installed::{EmulatorError, EmulatorId, Installed, Version},
        seam::Wanted,
    },
    hash::{sha256, sha256_of},
};

const REMEDY: &str =
    "install the package qemu-system-x86 (Debian, Ubuntu), or name another QEMU with --qemu PATH";
/// A QEMU that takes longer to say its version will not boot anything in time either.
const DEADLINE: Duration = Duration::from_secs(20);

/// The oldest QEMU that understands what the machines are given: `-action`, which keeps a machine
/// inspectable after a reset, came with 6.0 (QEMU 6.0 changelog; `qapi/run-state.json`, `set-action`).
/// Everything else is older: pflash by `-machine pflash0=` 4.0, `-chardev socket,fd=` 2.12.
const MINIMUM: Version = Version {
    major: 6,
    minor: 0,
    micro: 0,
};

/// Reads what `qemu-system-x86_64 --version` prints; `None` when that is no QEMU.
///
/// The first line is `QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)`, the
/// bracket being what the packager configured (`version.c`, `softmmu/vl.c: version`).
fn version_in(banner: &str) -> Option<Version> {
    let numbers = banner
        .lines()
        .next()?
        .strip_prefix("QEMU emulator version ")?;
    let end = numbers.find(|c: char| c != '.' && !c.is_ascii_digit());
    numbers[..end.unwrap_or(numbers.len())].parse().ok()
}

/// Finds QEMU, and asks it who it is.
pub(super) fn locate(wanted: Wanted<'_>) -> Result<Installed, EmulatorError> {
    match wanted {
        Wanted::Named(explicit) => {
            let x86 = Path::new(guest(Architecture::X86).program);
            let program = explicit.unwrap_or(x86);
            at(program).map_err(|kind| error(Architecture::X86, program, &kind))
        }
        Wanted::Beside(other, architecture) => {
            let program = Path::new(guest(architecture).program);
            let beside = other.with_file_name(program);
            let program = if beside.is_file() { &beside } else { program };
            at(program).map_err(|kind| error(architecture, program, &kind))
        }
    }
}

/// A name without a `/` is looked up in `$PATH`, as a shell does.
fn at(wanted: &Path) -> Result<Installed, Kind> {
    let path = find(wanted).ok_or(Kind::Missing)?;
    let banner = question(&path, &["--version"], b"").map_err(|source| match source {
        AskError::Start(e) if e.kind() == io::ErrorKind::PermissionDenied => Kind::NotExecutable,
        source => Kind::Silent(source.to_string()),
    })?;
    let version = version_of(&banner)?;
    // A program that only says its version is no emulator: its firmware would seem to be missing.
    let folders =
        question(&path, &["-L", "help"], b"").map_err(|source| Kind::Silent(source.to_string()))?;
    if !folders.status.success() {
        return Err(Kind::Failed {
            status: folders.status.to_string(),
            complaint: appended(&folders.complaint()),
        });
    }
    let data_directories = data_directories(&folders);
    let log_trace = writes_trace(&path, &READ_BY.map(reads::event));
    Ok(Installed {
        id: EmulatorId::Qemu,
        roms_sha256: sha256_of_roms(&data_directories),
        sha256: sha256_of(&path).map_err(Kind::Unreadable)?,
        io_uring: kernel_has_io_uring() && reads_by_ring(&path),
        log_trace,
        version,
        path,
        data_directories,
    })
}

/// The kind of window that this QEMU can open, if it was built and installed with any.
pub(super) fn window(qemu: &Installed) -> Result<&'static str, String> {
    let answer = question(&qemu.path, &["-display", "help"], b"").ok();
    let kinds = answer.map(|answer| String::from_utf8_lossy(&answer.stdout).into_owned());
    let kinds = kinds.unwrap_or_default();
    let has = |kind: &&&str| kinds.lines().any(|line| line.trim() == **kind);
    WINDOWS.iter().find(has).copied().ok_or_else(|| {
        format!(
            "QEMU {} can open no window: install its part for that, which Debian calls qemu-system-gui",
            qemu.version
        )
    })
}

fn data_directories(answer: &Answer) -> Vec<PathBuf> {
    String::from_utf8_lossy(&answer.stdout)
        .lines()
        .map(PathBuf::from)
        .collect()
}

const VGA_ROM: &str = "vgabios-stdvga.bin";
/// What QEMU puts into our machines besides the firmware: the VGA BIOS, the APIC's, and the one that starts a kernel.
const ROMS: [&str; 3] = [VGA_ROM, "kvmvapic.bin", "linuxboot_dma.bin"];

/// Where the VGA BIOS may be: beside a QEMU in `$PATH`, by the rule that QEMU finds it (`../share` of its own folder), or in `/usr/share`.
pub(super) fn vga_roms() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let shares = env::split_paths(&path)
        .filter_map(|directory| Some(directory.parent()?.join("share")))
        .chain([PathBuf::from("/usr/share")]);
    let folders =
        shares.flat_map(|share| ["qemu", "seabios", "vgabios"].map(|name| share.join(name)));
    folders.map(|folder| folder.join(VGA_ROM)).collect()
}

/// A ROM that is not there is not in the machine either.
fn sha256_of_roms(directories: &[PathBuf]) -> String {
    let digests = ROMS.map(|name| {
        let rom = directories
            .iter()
            .map(|directory| directory.join(name))
            .find(|path| path.is_file());
        rom.and_then(|path| sha256_of(&path).ok())
            .unwrap_or_default()
    });
    sha256(digests.join(" ").as_bytes())
}

fn find(wanted: &Path) -> Option<PathBuf> {
    if wanted.to_string_lossy().contains(MAIN_SEPARATOR) {
        return std::path::absolute(wanted)
            .ok()
            .filter(|path| path.is_file());
    }
    env::split_paths(&env::var_os("PATH")?)
        .filter_map(|directory| std::path::absolute(directory.join(wanted)).ok())
        .find(|path| path.is_file())
}

/// A trace backend other than `log` writes a file into the working directory, so that is a
/// temporary one.
fn question(path: &Path, args: &[&str], input: &'static [u8]) -> Result<Answer, AskError> {
    let directory = tempfile::tempdir().map_err(AskError::Start)?;
    ask(path, args, directory.path(), input, DEADLINE)
}

fn version_of(banner: &Answer) -> Result<Version, Kind> {
    let text = String::from_utf8_lossy(&banner.stdout);
    match version_in(&text) {
        Some(version) if version < MINIMUM => Err(Kind::TooOld(version)),
        Some(version) => Ok(version),
        None if !banner.status.success() => Err(Kind::Failed {
            status: banner.status.to_string(),
            complaint: appended(&banner.complaint()),
        }),
        None => Err(Kind::NotQemu(shortened(text.trim()))),
    }
}

/// What a program complained of, to stand behind how it ended; nothing when it did not.
fn appended(complaint: &str) -> String {
    match complaint.trim() {
        "" => String::new(),
        complaint => format!(": {}", shortened(complaint)),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(160).collect()
}

/// The kinds of windows, the most usual first.
const WINDOWS: [&str; 3] = ["gtk", "sdl", "cocoa"];

/// Attachments whose reads are reported by different events, which every QEMU has that reports any.
const READ_BY: [Attachment; 3] = [Attachment::Ahci, Attachment::Scsi, Attachment::VirtioBlk];

/// Which backends were built in is said nowhere, so an event that must fire is asked for: the one of
/// `quit` (`softmmu/runstate.c: qemu_system_shutdown_request`). Of an event that it has not QEMU says so (`trace/control.c`).
fn writes_trace(path: &Path, events: &[&str]) -> bool {
    const FIRES: &str = "qemu_system_shutdown_request";
    let events = events.iter().copied().chain([FIRES]);
    let enable: Vec<String> = events.map(|event| format!("enable={event}")).collect();
    let mut args = vec!["-machine", "none", "-nodefaults", "-no-user-config"];
    args.extend(["-display", "none", "-monitor", "stdio"]);
    args.extend(enable.iter().flat_map(|event| ["-trace", event.as_str()]));
    question(path, &args, b"quit\n").is_ok_and(|answer| {
        let said = String::from_utf8_lossy(&answer.stderr);
        said.contains(FIRES) && !said.contains("does not exist")
    })
}

/// The first kernel whose rings count as memory of the control group, and not against the little that a user may lock (`io_uring_setup(2)`: 5.12), in a release
/// that was kept for long.
const RINGS_SINCE: (u32, u32) = (5, 15);

/// Whether the kernel lets every user have a ring (`Documentation/admin-guide/sysctl/kernel.rst`: `io_uring_disabled`).
fn kernel_has_io_uring() -> bool {
    let setting = std::fs::read_to_string("/proc/sys/kernel/io_uring_disabled");
    let is_allowed = setting.map_or(true, |setting| setting.trim() == "0");
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy();
    let mut numbers = release.split(['.', '-']).map_while(|it| it.parse().ok());
    let version = numbers.next().zip(numbers.next());
    is_allowed && version.is_some_and(|version| version >= RINGS_SINCE)
}

/// A QEMU that was built without, and a container that forbids the system call, refuse the file.
fn reads_by_ring(path: &Path) -> bool {
    let file = json!({
        "node-name": "disc", "driver": "file", "read-only": true, "aio": "io_uring", "filename": path.to_string_lossy(),
    });
    let file = file.to_string();
    let mut args = vec!["-machine", "none", "-nodefaults", "-no-user-config"];
    args.extend(["-display", "none", "-monitor", "stdio"]);
    args.extend(["-sandbox", SANDBOX, "-blockdev", &file]);
    question(path, &args, b"quit\n").is_ok_and(|answer| answer.status.success())
}

/// What is wrong with a program, and what to do about it.
fn error(architecture: Architecture, program: &Path, kind: &Kind) -> EmulatorError {
    let remedy = match kind {
        Kind::Missing if architecture != Architecture::X86 => format!(
            "install the package {} (Debian, Ubuntu)",
            guest(architecture).package
        ),
        Kind::Missing => REMEDY.to_owned(),
        Kind::TooOld(_) => format!("QEMU {MINIMUM} or newer is needed: {REMEDY}"),
        Kind::NotExecutable => format!("make it executable (chmod +x), or {REMEDY}"),
        Kind::Unreadable(_) => "make it readable (chmod +r)".to_owned(),
        Kind::Silent(_) | Kind::Failed { .. } | Kind::NotQemu(_) => {
            format!("run it with --version by hand, or {REMEDY}")
        }
    };
    EmulatorError {
        what: format!("{}: {kind}", program.display()),
        remedy,
    }
}

#[derive(Debug, thiserror::Error)]
enum Kind {
    #[error("there is no such program")]
    Missing,
    #[error("is not executable")]
    NotExecutable,
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    #[error("asked for its version, it {0}")]
    Silent(String),
    #[error("asked who it is (--version, -L help), it ended with {status}{complaint}")]
    Failed { status: String, complaint: String },
    #[error("is not QEMU: asked for its version, it said {0:?}")]
    NotQemu(String),
    #[error("QEMU {0} is too old")]
    TooOld(Version),
}

#[cfg(test)]
mod tests {
    use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_banner_gives_the_version() {
        fn check(banner: &str, expect: Option<&str>) {
            let version = version_in(banner).map(|version| version.to_string());
            assert_eq!(version.as_deref(), expect, "{banner:?}");
        }
        // What Debian 12, Fedora 41, Ubuntu 22.04, a build from git and a release candidate print.
        check(
            "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)\nCopyright (c) 2003-2022 …\n",
            Some("7.2.22"),
        );
        check(
            "QEMU emulator version 9.1.2 (qemu-9.1.2-1.fc41)\n",
            Some("9.1.2"),
        );
        check(
            "QEMU emulator version 6.2.0 (Debian 1:6.2+dfsg-2ubuntu6.26)\n",
            Some("6.2.0"),
        );
        check(
            "QEMU emulator version 10.0.50 (v10.0.0-1-g0123456-dirty)\n",
            Some("10.0.50"),
        );
        check("QEMU emulator version 8.2.90\n", Some("8.2.90"));
        check("QEMU emulator version 8.2", None);
        check("QEMU emulator version 1.2.3.4", None);
        check("QEMU emulator version 7.2.99999999999", None);
        check("qemu-img version 7.2.22 (Debian 1:7.2+dfsg-7)", None);
        check("", None);
    }

    #[test]
    fn versions_are_ordered_by_number() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("10.0.0") > version("9.2.4"));
        assert!(version("6.0.0") >= MINIMUM);
        assert!(version("5.2.0") < MINIMUM);
    }

    #[test]
    fn what_is_wrong_with_a_qemu_is_said_with_the_remedy() {
        fn check(explicit: &str, what: &str, remedy: &str) {
            let message = locate(Wanted::Named(Some(Path::new(explicit))))
                .unwrap_err()
                .to_string();
            assert!(message.contains(what), "{message}");
            assert!(message.contains(remedy), "{message}");
        }
        check("/nonexistent/qemu", "no such program", "qemu-system-x86 ");
        check("no-program-of-this-name", "no such program", "--qemu PATH");
        check("/usr", "no such program", "qemu-system-x86 ");
        check("/etc/passwd", "is not executable", "chmod +x");
        check("/bin/false", "ended with exit status: 1", "--version");
        check("/bin/echo", "is not QEMU", "--version");
    }

    #[test]
    fn a_qemu_too_old_is_refused_with_both_versions() {
        let banner = Answer {
            status: ExitStatus::from_raw(0),
            stdout: b"QEMU emulator version 5.2.0 (Debian 1:5.2+dfsg-11+deb11u3)\n".to_vec(),
            stderr: Vec::new(),
            elapsed: Duration::ZERO,
        };
        let program = Path::new("/usr/bin/qemu-system-x86_64");
        let kind = version_of(&banner).unwrap_err();
        let message = error(Architecture::X86, program, &kind).to_string();
        assert!(
            message.contains("QEMU 5.2.0 is too old; QEMU 6.0.0 or newer"),
            "{message}"
        );
    }

    #[test]
    fn the_installed_qemu_is_found_hashed_and_survives_json() {
        let qemu = locate(Wanted::Named(None)).unwrap();
        assert!(qemu.path.is_absolute() && qemu.version >= MINIMUM);
        // sha256sum(1) is the independent opinion.
        let by_coreutils = std::process::Command::new("sha256sum")
            .arg(&qemu.path)
            .output()
            .unwrap();
        assert_eq!(by_coreutils.stdout.get(..64), Some(qemu.sha256.as_bytes()));
        let has = |name: &str| {
            qemu.data_directories
                .iter()
                .any(|folder| folder.join(name).is_file())
        };
        assert!(has("bios-256k.bin") && !has("no-such-rom.bin"));
        assert!(!reads_by_ring(Path::new("/bin/false")));
        assert!(qemu.log_trace && !writes_trace(&qemu.path, &["no_such_event"]));
        let json = serde_json::to_string(&qemu).unwrap();
        assert_eq!(serde_json::from_str::<Installed>(&json).unwrap(), qemu);
    }

    proptest! {
        #[test]
        fn no_banner_panics(banner in "(QEMU emulator version )?[0-9.a-zé \\n]{0,40}|.*") {
            let _ = version_in(&banner);
            let _ = banner.parse::<Version>();
        }
    }
}
