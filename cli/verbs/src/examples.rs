//! What the help of each verb ends with: what can be typed, and what it is for. A test parses all of it.

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
    ("cargo xtask doctor", "what is missing on this machine"),
    (
        "cargo xtask boot-matrix",
        "all discs, against the snapshots",
    ),
    ("cargo xtask inspect disc.iso", "what is wrong with a disc"),
    ("cargo xtask repro disc.iso", "and why it does not boot"),
]);

pub const BOOT_MATRIX: Examples = Examples(&[
    (
        "cargo xtask boot-matrix",
        "all discs, against the snapshots",
    ),
    (
        "cargo xtask boot-matrix quarter --firmware seabios",
        "some of them",
    ),
    (
        "cargo xtask boot-matrix --rerun failed",
        "what failed, again",
    ),
    (
        "cargo xtask boot-matrix --rerun failed --verbose",
        "with whole reasons",
    ),
    (
        "cargo xtask boot-matrix --resume",
        "what was stopped, from there on",
    ),
    (
        "cargo xtask boot-matrix --partition slice:1/4 --out slice-1",
        "a quarter, on one of four machines",
    ),
    (
        "cargo xtask boot-matrix --rerun failed --review",
        "and look at what differs, to accept it or not",
    ),
    (
        "cargo xtask boot-matrix --master tool.toml --baseline DIR --accept",
        "what a tool's discs do, written down",
    ),
    (
        "cargo xtask boot-matrix --master tool.toml --baseline DIR",
        "and whether they still do it",
    ),
    (
        "cargo xtask boot-matrix --master tool.toml --twice",
        "whether the tool makes the same bytes a second time",
    ),
    (
        "cargo xtask boot-matrix --master genisoimage --against xorriso",
        "two tools, cell by cell",
    ),
    (
        "cargo xtask boot-matrix --against before/results.json",
        "two runs, cell by cell",
    ),
    (
        "cargo xtask boot-matrix --iso debian.iso --expect 'Installer menu'",
        "an ISO that exists",
    ),
    (
        "cargo xtask boot-matrix --iso debian.iso --editor editor.toml",
        "the same before and after an edit",
    ),
]);

pub const REPRO: Examples = Examples(&[
    (
        "cargo xtask repro customer.iso",
        "what each firmware does with it, and why",
    ),
    (
        "cargo xtask repro customer.iso --firmware ovmf --attach usb-disk",
        "as a USB stick in a UEFI machine",
    ),
    (
        "cargo xtask repro customer.iso --attach usb-cd-ehci --medium-profile slow",
        "as a management controller presents it: on slow USB",
    ),
    (
        "cargo xtask repro customer.iso --firmware ovmf-secure-boot",
        "with Secure Boot on",
    ),
    (
        "cargo xtask repro customer.iso --expect 'login:' --timeout 120",
        "whether it comes to a login",
    ),
    (
        "cargo xtask repro customer.iso --fix starts.iso",
        "a copy that starts, with the proof",
    ),
    (
        "cargo xtask repro customer.iso --distil small.iso",
        "the few sectors that fail in the same way",
    ),
    (
        "cargo xtask repro customer.iso --promote ticket-4711",
        "and from then on a regression test",
    ),
]);

pub const INSPECT: Examples = Examples(&[
    (
        "cargo xtask inspect disc.iso",
        "its contents and its defects",
    ),
    ("cargo xtask inspect /dev/sr0", "the disc in a drive"),
    (
        "cargo xtask inspect disc.iso --medium cd-80",
        "and what passes a quarter of a CD",
    ),
    (
        "cargo xtask inspect disc.iso --boot-image disk.img",
        "whether the image arrived as it was",
    ),
    (
        "cargo xtask inspect disc.iso --compare edited.iso",
        "what an edit did to booting",
    ),
    (
        "cargo xtask inspect disc.iso --format sarif",
        "for tools that show findings",
    ),
]);

pub const IMAGE: Examples = Examples(&[
    (
        "cargo xtask image mine/cd-80/hard-disk/quarter-1s/reference --out disc.iso",
        "a hard disk one sector short of a quarter of a CD",
    ),
    (
        "cargo xtask image mine/-/efi/-/reference --defect count-unit --out disc.iso",
        "a disc with one thing wrong",
    ),
]);

pub const CONFORMANCE: Examples = Examples(&[
    (
        "cargo xtask conformance tool.toml --bytes-only",
        "in seconds, without QEMU",
    ),
    (
        "cargo xtask conformance genisoimage --badge genisoimage.svg",
        "and booted, with a picture of the score",
    ),
]);

pub const MERGE: Examples = Examples(&[
    (
        "cargo xtask merge slice-1 slice-2 --out whole",
        "two slices, as one run",
    ),
    (
        "cargo xtask merge slice-1 slice-2 slice-2-again --out whole",
        "one of which died and was run again",
    ),
]);

pub const REPORT: Examples = Examples(&[
    (
        "cargo xtask report --open",
        "the last run's page, in the browser",
    ),
    (
        "cargo xtask report artifact",
        "that of a run that was brought here",
    ),
]);

pub const LISTEN: Examples = Examples(&[
    (
        "cargo xtask listen --port /dev/ttyUSB0",
        "what a real machine's probe says",
    ),
    (
        "cargo xtask listen --port /dev/ttyUSB0 --manifest disc.iso.json",
        "held against what the disc holds",
    ),
    (
        "cargo xtask listen --port /dev/ttyUSB0 --cell mine/-/none/-/reference/seabios/ide",
        "held against what the scenario declares",
    ),
]);

pub const FIRMWARE: Examples = Examples(&[
    ("cargo xtask firmware list", "which builds there are"),
    ("cargo xtask firmware fetch", "those of other releases"),
]);

pub const FIRMWARE_LIST: Examples = Examples(&[
    ("cargo xtask firmware list", "for people"),
    ("cargo xtask firmware list --format json", "for programs"),
]);

pub const FIRMWARE_FETCH: Examples = Examples(&[
    (
        "cargo xtask firmware fetch",
        "what this system's package manager knows",
    ),
    ("cargo xtask firmware fetch --qemu", "and a newer QEMU"),
]);

pub const FIRMWARE_ADD: Examples = Examples(&[
    (
        "cargo xtask firmware add bios.bin",
        "a SeaBIOS, which says its version",
    ),
    (
        "cargo xtask firmware add OVMF_CODE.fd --variables OVMF_VARS.fd --as ovmf@mine",
        "an OVMF, which does not",
    ),
    (
        "cargo xtask firmware add --db own.pem --dbx dbxupdate_x64.bin --as ovmf-secure-boot@own",
        "the host's OVMF with these keys; then --firmware ovmf-secure-boot@own",
    ),
]);

pub const FIRMWARE_REMOVE: Examples = Examples(&[(
    "cargo xtask firmware remove ovmf@mine",
    "the build of that name",
)]);

pub const CHECKPOINTS: Examples = Examples(&[
    ("cargo xtask checkpoints list", "what is saved, and of what"),
    ("cargo xtask checkpoints clear", "start afresh"),
]);

pub const DOCTOR: Examples = Examples(&[
    (
        "cargo xtask doctor",
        "what is missing, and how it comes here",
    ),
    (
        "cargo xtask doctor --qemu /opt/qemu/bin/qemu-system-x86_64",
        "with another QEMU",
    ),
]);

pub const COMPLETIONS: Examples = Examples(&[
    (
        "cargo xtask completions bash > ~/.cargo-xtask.bash",
        "then source it in ~/.bashrc, behind cargo's own completion",
    ),
    (
        "cargo xtask completions zsh > ~/.zfunc/_cargo-xtask",
        "a folder of $fpath; cargo's own completion calls it",
    ),
    (
        "cargo xtask completions fish > ~/.config/fish/conf.d/cargo-xtask.fish",
        "read at the next start",
    ),
]);
