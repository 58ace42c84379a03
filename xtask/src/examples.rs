//! What the help of each verb ends with: what can be typed, and what it is for. A test parses all of it.

use clap::builder::StyledStr;

use crate::terminal::{FAINT, HEAD, TYPED, WIDTH};

/// Commands, and what each is for.
pub(crate) struct Examples(&'static [(&'static str, &'static str)]);

/// How far the commands stand to the right.
const INDENT: usize = 2;

impl Examples {
    /// The end of a verb's help: what a command is for stands beside it, or below it where there is no room.
    pub(crate) fn help(&self) -> StyledStr {
        let Self(examples) = self;
        let longest = examples.iter().map(|(_, purpose)| purpose.len()).max();
        let room = WIDTH.saturating_sub(2 * INDENT + longest.unwrap_or(0));
        let short = examples.iter().filter(|(command, _)| command.len() <= room);
        let width = short.map(|(command, _)| command.len()).max().unwrap_or(0);
        let mut text = format!("{HEAD}Examples:{HEAD:#}");
        for (command, purpose) in *examples {
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

pub(crate) const ALL: Examples = Examples(&[
    ("cargo xtask doctor", "what is missing on this machine"),
    (
        "cargo xtask boot-matrix",
        "all discs, against the snapshots",
    ),
    ("cargo xtask inspect disc.iso", "what is wrong with a disc"),
    ("cargo xtask repro disc.iso", "and why it does not boot"),
]);

pub(crate) const BOOT_MATRIX: Examples = Examples(&[
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
        "cargo xtask boot-matrix --archive boot-matrix.tar.zst",
        "for machines without the source and without a compiler",
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

pub(crate) const REPRO: Examples = Examples(&[
    (
        "cargo xtask repro customer.iso",
        "what each firmware does with it, and why",
    ),
    (
        "cargo xtask repro customer.iso --firmware ovmf --attach usb-disk",
        "as a USB stick in a UEFI machine",
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

pub(crate) const INSPECT: Examples = Examples(&[
    (
        "cargo xtask inspect disc.iso",
        "what is on it and what is wrong",
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

pub(crate) const IMAGE: Examples = Examples(&[
    (
        "cargo xtask image mine/cd-80/hard-disk/quarter-1s/reference --out disc.iso",
        "a hard disk one sector short of a quarter of a CD",
    ),
    (
        "cargo xtask image mine/-/efi/-/reference --defect count-unit --out disc.iso",
        "a disc with one thing wrong",
    ),
]);

pub(crate) const CONFORMANCE: Examples = Examples(&[
    (
        "cargo xtask conformance tool.toml --bytes-only",
        "in seconds, without QEMU",
    ),
    (
        "cargo xtask conformance genisoimage --badge genisoimage.svg",
        "and booted, with a picture of the score",
    ),
]);

pub(crate) const MERGE: Examples = Examples(&[
    (
        "cargo xtask merge slice-1 slice-2 --out whole",
        "two slices, as one run",
    ),
    (
        "cargo xtask merge slice-1 slice-2 slice-2-again --out whole",
        "one of which died and was run again",
    ),
]);

pub(crate) const REPORT: Examples = Examples(&[
    (
        "cargo xtask report --open",
        "the last run's page, in the browser",
    ),
    (
        "cargo xtask report artifact",
        "that of a run that was brought here",
    ),
]);

pub(crate) const LISTEN: Examples = Examples(&[
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

pub(crate) const FIRMWARE: Examples = Examples(&[
    ("cargo xtask firmware list", "which builds there are"),
    ("cargo xtask firmware fetch", "those of other releases"),
]);

pub(crate) const FIRMWARE_LIST: Examples = Examples(&[
    ("cargo xtask firmware list", "for people"),
    ("cargo xtask firmware list --format json", "for programs"),
]);

pub(crate) const FIRMWARE_FETCH: Examples = Examples(&[
    (
        "cargo xtask firmware fetch",
        "what this system's package manager knows",
    ),
    ("cargo xtask firmware fetch --qemu", "and a newer QEMU"),
]);

pub(crate) const FIRMWARE_ADD: Examples = Examples(&[
    (
        "cargo xtask firmware add bios.bin",
        "a SeaBIOS, which says its version",
    ),
    (
        "cargo xtask firmware add OVMF_CODE.fd --variables OVMF_VARS.fd --as ovmf@mine",
        "an OVMF, which does not",
    ),
]);

pub(crate) const FIRMWARE_REMOVE: Examples = Examples(&[(
    "cargo xtask firmware remove ovmf@mine",
    "the build of that name",
)]);

pub(crate) const CHECKPOINTS: Examples = Examples(&[
    ("cargo xtask checkpoints list", "what is saved, and of what"),
    ("cargo xtask checkpoints clear", "start afresh"),
]);

pub(crate) const DOCTOR: Examples = Examples(&[
    (
        "cargo xtask doctor",
        "what is missing, and how it comes here",
    ),
    (
        "cargo xtask doctor --qemu /opt/qemu/bin/qemu-system-x86_64",
        "with another QEMU",
    ),
]);

pub(crate) const COMPLETIONS: Examples = Examples(&[
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

pub(crate) const TEST: Examples = Examples(&[
    ("cargo xtask test", "everything, as in CI"),
    ("cargo xtask test --yes", "and what is missing is installed"),
]);

pub(crate) const CHECK: Examples = Examples(&[
    ("cargo xtask check", "everything but booting"),
    (
        "cargo xtask check --update-docs",
        "after accepting a snapshot of masters or defects",
    ),
]);

pub(crate) const BENCH: Examples = Examples(&[
    ("cargo xtask bench", "how long things take"),
    ("cargo xtask bench --whole", "the default matrix too"),
]);

pub(crate) const TRUST: Examples = Examples(&[(
    "cargo xtask trust flakes --cells 10000 --keep",
    "boot ten thousand cells on a busy machine, for docs/trust.md",
)]);

pub(crate) const TRUST_HOSTILE: Examples = Examples(&[(
    "cargo xtask trust hostile",
    "what came of each, in two minutes",
)]);

pub(crate) const TRUST_FAULTS: Examples = Examples(&[(
    "cargo xtask trust faults",
    "what came of each, in ten minutes",
)]);

pub(crate) const TRUST_KILLS: Examples = Examples(&[
    ("cargo xtask trust kills", "a hundred times"),
    (
        "cargo xtask trust kills --times 3 --seed 7",
        "three times, at the same moments as with that seed before",
    ),
]);

pub(crate) const TRUST_SHARDS: Examples = Examples(&[
    ("cargo xtask trust shards", "in 1, 2 and 4 slices"),
    (
        "cargo xtask trust shards --slurm",
        "and as a job array of Slurm",
    ),
]);

pub(crate) const TRUST_GROWTH: Examples = Examples(&[
    ("cargo xtask trust growth", "up to 100,000 cells"),
    ("cargo xtask trust growth --cells 100,1000", "up to 1,000"),
]);

pub(crate) const TRUST_FLAKES: Examples = Examples(&[
    ("cargo xtask trust flakes", "a thousand cells"),
    (
        "cargo xtask trust flakes --cells 10000 --keep",
        "ten thousand, and the figures in docs/trust.md",
    ),
    (
        "cargo xtask trust flakes --cells 10000 --keep --resume",
        "go on where that was stopped",
    ),
]);

pub(crate) const TRUST_DISCS: Examples = Examples(&[
    (
        "cargo xtask trust discs --causes --only catalog-key",
        "what is called the cause of a disc's failures",
    ),
    (
        "cargo xtask trust discs --only live-damaged/ --only live-press-any-key/",
        "some of the damaged ones",
    ),
    (
        "cargo xtask trust discs --keep",
        "all of them, and the figures in docs/trust.md",
    ),
    (
        "cargo xtask trust discs --keep --resume",
        "continue where that was stopped",
    ),
]);

pub(crate) const TRUST_FUZZ: Examples = Examples(&[
    (
        "cargo xtask trust fuzz --target qmp --executions 100000",
        "one reader, for some seconds once it is built",
    ),
    (
        "cargo xtask trust fuzz --grow --keep",
        "ten million inputs for each; hours",
    ),
]);

pub(crate) const TRUST_MUTANTS: Examples = Examples(&[
    (
        "cargo xtask trust mutants --only verdicts",
        "what judges; half an hour",
    ),
    (
        "cargo xtask trust mutants --only verdicts --again",
        "once tests were added for what none noticed",
    ),
    (
        "cargo xtask trust mutants --keep",
        "what counts results and what masters and reads discs, too; hours",
    ),
]);

pub(crate) const TRUST_SUPPLY: Examples = Examples(&[
    ("cargo xtask trust supply", "licences, sources, unsafe code"),
    (
        "cargo xtask trust supply --sbom sbom.cdx.json",
        "a software bill of materials, too",
    ),
    (
        "cargo xtask trust supply --advisories advisory-db",
        "what RustSec knows of the crates, from a clone of its database",
    ),
]);

pub(crate) const TRUST_DIFFERENTIAL: Examples = Examples(&[
    (
        "cargo xtask trust differential --catalogs 5000",
        "some seconds",
    ),
    (
        "cargo xtask trust differential --keep",
        "two million catalogs, and the figures in docs/trust.md",
    ),
]);

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory, Parser};

    use crate::cli::Cli;

    /// The help of a verb and of the verbs below it, by name.
    fn helps(command: &mut Command) -> Vec<(String, String)> {
        let help = (
            command.get_name().to_owned(),
            command.render_long_help().to_string(),
        );
        // clap's own help of the helps has none.
        let below = command
            .get_subcommands_mut()
            .filter(|verb| verb.get_name() != "help" && !verb.is_hide_set());
        let below = below.flat_map(helps);
        std::iter::once(help).chain(below).collect()
    }

    #[test]
    fn each_help_has_examples_and_each_of_them_parses() {
        for (verb, help) in helps(&mut Cli::command()) {
            let examples = help.split_once("Examples:\n").map(|(_, examples)| examples);
            let examples = examples.unwrap_or_else(|| {
                panic!("the help of {verb} has no examples: xtask/src/examples.rs")
            });
            let commands = examples.lines().map(str::trim_start);
            let commands: Vec<&str> = commands
                .filter(|line| line.starts_with("cargo xtask"))
                // What it is for stands behind two spaces.
                .map(|line| line.split_once("  ").map_or(line, |(command, _)| command))
                .collect();
            assert!(!commands.is_empty(), "{verb}: {examples}");
            for command in commands {
                let command = command
                    .split_once(" > ")
                    .map_or(command, |(command, _)| command);
                let words = shell_words::split(command).unwrap();
                let parsed = Cli::try_parse_from(&words[1..]);
                assert!(parsed.is_ok(), "{command}: {}", parsed.unwrap_err());
            }
        }
    }
}
