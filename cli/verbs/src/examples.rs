//! The examples at the end of each verb's help. A test parses all of them.

use clap::builder::StyledStr;

use scenarios::program::typed;

use crate::terminal::{FAINT, HEAD, TYPED, WIDTH};

/// Commands, and what each is for.
pub struct Examples(pub &'static [(&'static str, &'static str)]);

/// How far the commands stand to the right.
const INDENT: usize = 2;

impl Examples {
    /// The end of a verb's help: what a command is for stands beside it, or below it where there is no room.
    pub fn help(&self) -> StyledStr {
        let Self(examples) = self;
        let examples: Vec<(String, &str)> = examples
            .iter()
            .map(|(command, purpose)| (typed(command), *purpose))
            .collect();
        let longest = examples.iter().map(|(_, purpose)| purpose.len()).max();
        let room = WIDTH.saturating_sub(2 * INDENT + longest.unwrap_or(0));
        let short = examples.iter().filter(|(command, _)| command.len() <= room);
        let width = short.map(|(command, _)| command.len()).max().unwrap_or(0);
        let mut text = format!("{HEAD}Examples:{HEAD:#}");
        for (command, purpose) in &examples {
            text += &format!("\n{:INDENT$}{TYPED}{command}{TYPED:#}", "");
            let gap = if command.len() <= width {
                " ".repeat(width - command.len() + INDENT)
            } else {
                format!("\n{:1$}", "", 3 * INDENT)
            };
            text += &format!("{gap}{FAINT}{purpose}{FAINT:#}");
        }
        text.into()
    }
}

pub const ALL: Examples = Examples(&[
    ("cargo xtask doctor", "list what is missing on this machine"),
    (
        "cargo xtask boot-matrix",
        "boot all discs, and compare with the snapshots",
    ),
    (
        "cargo xtask inspect disc.iso",
        "report the defects of a disc",
    ),
    (
        "cargo xtask repro disc.iso",
        "explain why a disc does not boot",
    ),
]);

pub const BOOT_MATRIX: Examples = Examples(&[
    (
        "cargo xtask boot-matrix",
        "boot all discs, and compare with the snapshots",
    ),
    (
        "cargo xtask boot-matrix quarter --firmware seabios",
        "boot some of them",
    ),
    (
        "cargo xtask boot-matrix --rerun failed",
        "run the failed cells again",
    ),
    (
        "cargo xtask boot-matrix --rerun failed --verbose",
        "the same, with complete reasons",
    ),
    ("cargo xtask boot-matrix --resume", "continue a stopped run"),
    (
        "cargo xtask boot-matrix --partition slice:1/4 --out slice-1",
        "run a quarter, on one of four machines",
    ),
    (
        "cargo xtask boot-matrix --rerun failed --review",
        "review the differences, and accept or reject each",
    ),
    (
        "cargo xtask boot-matrix --master tool.toml --baseline DIR --accept",
        "record the behavior of a tool's discs",
    ),
    (
        "cargo xtask boot-matrix --master tool.toml --baseline DIR",
        "fail if the behavior has changed",
    ),
    (
        "cargo xtask boot-matrix --master tool.toml --twice",
        "check whether the tool makes the same bytes again",
    ),
    (
        "cargo xtask boot-matrix --master genisoimage --against xorriso",
        "compare two tools, cell by cell",
    ),
    (
        "cargo xtask boot-matrix --against before/results.json",
        "compare with an earlier run, cell by cell",
    ),
    (
        "cargo xtask boot-matrix --iso debian.iso --expect 'Installer menu'",
        "boot an existing ISO",
    ),
    (
        "cargo xtask boot-matrix --iso debian.iso --editor editor.toml",
        "boot it before and after an edit",
    ),
]);

pub const REPRO: Examples = Examples(&[
    (
        "cargo xtask repro customer.iso",
        "explain what each firmware does with it",
    ),
    (
        "cargo xtask repro customer.iso --firmware ovmf --attach usb-disk",
        "boot it as a USB stick in a UEFI machine",
    ),
    (
        "cargo xtask repro customer.iso --attach usb-cd-ehci --medium-profile slow",
        "boot it on slow USB, as a management controller presents it",
    ),
    (
        "cargo xtask repro customer.iso --firmware ovmf-secure-boot",
        "boot it with Secure Boot on",
    ),
    (
        "cargo xtask repro customer.iso --expect 'login:' --timeout 120",
        "check whether it reaches a login",
    ),
    (
        "cargo xtask repro customer.iso --fix starts.iso",
        "write a copy that starts, with the proof",
    ),
    (
        "cargo xtask repro customer.iso --distil small.iso",
        "minimize it to the sectors that cause the same failure",
    ),
    (
        "cargo xtask repro customer.iso --promote ticket-4711",
        "make it a regression test",
    ),
]);

pub const INSPECT: Examples = Examples(&[
    (
        "cargo xtask inspect disc.iso",
        "report its contents and its defects",
    ),
    ("cargo xtask inspect /dev/sr0", "read the disc in a drive"),
    (
        "cargo xtask inspect disc.iso --medium cd-80",
        "also report images above a quarter of a CD",
    ),
    (
        "cargo xtask inspect disc.iso --boot-image disk.img",
        "check whether the image is on the disc unchanged",
    ),
    (
        "cargo xtask inspect disc.iso --compare edited.iso",
        "report how an edit affects booting",
    ),
    (
        "cargo xtask inspect disc.iso --format sarif",
        "write SARIF, for tools that show findings",
    ),
]);

pub const IMAGE: Examples = Examples(&[
    (
        "cargo xtask image mine/cd-80/hard-disk/quarter-1s/reference --out disc.iso",
        "a hard-disk image one sector short of a quarter of a CD",
    ),
    (
        "cargo xtask image mine/-/efi/-/reference --defect count-unit --out disc.iso",
        "a disc with one defect",
    ),
]);

pub const CONFORMANCE: Examples = Examples(&[
    (
        "cargo xtask conformance tool.toml --bytes-only",
        "check the bytes only: seconds, without QEMU",
    ),
    (
        "cargo xtask conformance genisoimage --badge genisoimage.svg",
        "also boot the discs, and write the score as a picture",
    ),
]);

pub const MERGE: Examples = Examples(&[
    (
        "cargo xtask merge slice-1 slice-2 --out whole",
        "join two slices into one run",
    ),
    (
        "cargo xtask merge slice-1 slice-2 slice-2-again --out whole",
        "the same, if slice 2 died and was run again",
    ),
]);

pub const REPORT: Examples = Examples(&[
    (
        "cargo xtask report --open",
        "open the page of the last run in the browser",
    ),
    (
        "cargo xtask report artifact",
        "make the page of a run from another machine",
    ),
]);

pub const LISTEN: Examples = Examples(&[
    (
        "cargo xtask listen --port /dev/ttyUSB0",
        "show the report of a real machine's probe",
    ),
    (
        "cargo xtask listen --port /dev/ttyUSB0 --manifest disc.iso.json",
        "compare it with the disc's contents",
    ),
    (
        "cargo xtask listen --port /dev/ttyUSB0 --cell mine/-/none/-/reference/seabios/ide",
        "compare it with the scenario's declaration",
    ),
]);

pub const FIRMWARE: Examples = Examples(&[
    ("cargo xtask firmware list", "list the builds"),
    (
        "cargo xtask firmware fetch",
        "fetch the builds of other releases",
    ),
]);

pub const FIRMWARE_LIST: Examples = Examples(&[
    ("cargo xtask firmware list", "for people"),
    ("cargo xtask firmware list --format json", "for programs"),
]);

pub const FIRMWARE_FETCH: Examples = Examples(&[
    (
        "cargo xtask firmware fetch",
        "fetch all builds that the package manager finds",
    ),
    (
        "cargo xtask firmware fetch --qemu",
        "also fetch a newer QEMU",
    ),
]);

pub const FIRMWARE_ADD: Examples = Examples(&[
    (
        "cargo xtask firmware add bios.bin",
        "a SeaBIOS ROM, which contains its version",
    ),
    (
        "cargo xtask firmware add OVMF_CODE.fd --variables OVMF_VARS.fd --as ovmf@mine",
        "OVMF, which does not contain its version",
    ),
    (
        "cargo xtask firmware add --db own.pem --dbx dbxupdate_x64.bin --as ovmf-secure-boot@own",
        "the host's OVMF with these keys, for --firmware ovmf-secure-boot@own",
    ),
]);

pub const FIRMWARE_REMOVE: Examples =
    Examples(&[("cargo xtask firmware remove ovmf@mine", "remove this build")]);

pub const CHECKPOINTS: Examples = Examples(&[
    ("cargo xtask checkpoints list", "list the checkpoints"),
    ("cargo xtask checkpoints clear", "remove all checkpoints"),
]);

pub const DOCTOR: Examples = Examples(&[
    (
        "cargo xtask doctor",
        "list what is missing, and how to install it",
    ),
    (
        "cargo xtask doctor --qemu /opt/qemu/bin/qemu-system-x86_64",
        "check with another QEMU",
    ),
]);

pub const COMPLETIONS: Examples = Examples(&[
    (
        "cargo xtask completions bash > ~/.cargo-xtask.bash",
        "then source it in ~/.bashrc, after cargo's own completion",
    ),
    (
        "cargo xtask completions zsh > ~/.zfunc/_cargo-xtask",
        "use a folder in $fpath; cargo's own completion calls it",
    ),
    (
        "cargo xtask completions fish > ~/.config/fish/conf.d/cargo-xtask.fish",
        "fish reads it at its next start",
    ),
]);
