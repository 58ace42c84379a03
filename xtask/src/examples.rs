//! The examples at the end of the help of verbs that only this repository has. A test parses all of them.

use cli::examples::Examples;

pub(crate) const TEST: Examples = Examples(&[
    ("cargo xtask test", "run everything, as in CI"),
    ("cargo xtask test --install", "also install missing tools"),
]);

pub(crate) const CHECK: Examples = Examples(&[
    ("cargo xtask check", "check everything except booting"),
    (
        "cargo xtask check --update-docs",
        "regenerate tables, after accepting snapshots",
    ),
]);

pub(crate) const BENCH: Examples = Examples(&[
    ("cargo xtask bench", "measure for four minutes"),
    (
        "cargo xtask bench --whole",
        "also measure the default matrix",
    ),
]);

pub(crate) const DIST: Examples = Examples(&[
    ("cargo xtask dist", "both programs, into target/dist"),
    (
        "cargo xtask dist --target x86_64-unknown-linux-musl --out .",
        "one, into this folder",
    ),
]);

pub(crate) const TRUST: Examples = Examples(&[(
    "cargo xtask trust flakes --cells 10000 --keep",
    "boot ten thousand cells on a busy machine, for docs/trust.md",
)]);

pub(crate) const TRUST_HOSTILE: Examples = Examples(&[(
    "cargo xtask trust hostile",
    "the result of each disc, in two minutes",
)]);

pub(crate) const TRUST_FAULTS: Examples = Examples(&[(
    "cargo xtask trust faults",
    "the result of each fault, in ten minutes",
)]);

pub(crate) const TRUST_KILLS: Examples = Examples(&[
    ("cargo xtask trust kills", "kill the runner a hundred times"),
    (
        "cargo xtask trust kills --times 3 --seed 7",
        "three times, at the moments that this seed gives",
    ),
]);

pub(crate) const TRUST_SHARDS: Examples = Examples(&[
    ("cargo xtask trust shards", "in 1, 2 and 4 slices"),
    (
        "cargo xtask trust shards --slurm",
        "also as a Slurm job array",
    ),
]);

pub(crate) const TRUST_GROWTH: Examples = Examples(&[
    ("cargo xtask trust growth", "up to 100,000 cells"),
    ("cargo xtask trust growth --cells 100,1000", "up to 1,000"),
]);

pub(crate) const TRUST_SUITE: Examples = Examples(&[(
    "cargo xtask trust suite",
    "what cargo xtask test leaves out, in some ten minutes",
)]);

pub(crate) const TRUST_SHIMS: Examples = Examples(&[(
    "cargo xtask trust shims --keep",
    "the table in docs/secure-boot.md, with check --update-docs",
)]);

pub(crate) const TRUST_FLAKES: Examples = Examples(&[
    ("cargo xtask trust flakes", "a thousand cells"),
    (
        "cargo xtask trust flakes --cells 10000 --keep",
        "ten thousand, and the figures in docs/trust.md",
    ),
    (
        "cargo xtask trust flakes --cells 10000 --keep --resume",
        "continue where it was stopped",
    ),
]);

pub(crate) const TRUST_DISCS: Examples = Examples(&[
    (
        "cargo xtask trust discs --causes --only catalog-key",
        "the causes reported for a disc's failures",
    ),
    (
        "cargo xtask trust discs --only live-damaged/ --only live-press-any-key/",
        "some of the damaged discs",
    ),
    (
        "cargo xtask trust discs --keep",
        "all discs, and the figures in docs/trust.md",
    ),
    (
        "cargo xtask trust discs --keep --resume",
        "continue where it was stopped",
    ),
]);

pub(crate) const TRUST_FUZZ: Examples = Examples(&[
    (
        "cargo xtask trust fuzz --target qmp --executions 100000",
        "one reader; seconds, once it is built",
    ),
    (
        "cargo xtask trust fuzz --grow --keep",
        "ten million inputs for each; hours",
    ),
]);

pub(crate) const TRUST_MUTANTS: Examples = Examples(&[
    (
        "cargo xtask trust mutants --only verdicts",
        "the code that judges; half an hour",
    ),
    (
        "cargo xtask trust mutants --only verdicts --again",
        "after adding tests for missed mistakes",
    ),
    (
        "cargo xtask trust mutants --keep",
        "also the code for results and for discs; hours",
    ),
]);

pub(crate) const TRUST_HOSTS: Examples = Examples(&[
    (
        "cargo xtask trust hosts --release trixie",
        "the instructions of README.md on Debian 13",
    ),
    (
        "cargo xtask trust hosts --tests --keep",
        "with all tests, on Debian 12 and 13, and the figures in docs/trust.md",
    ),
]);

pub(crate) const TRUST_SUPPLY: Examples = Examples(&[
    ("cargo xtask trust supply", "licences, sources, unsafe code"),
    (
        "cargo xtask trust supply --sbom sbom.cdx.json",
        "also write a software bill of materials",
    ),
    (
        "cargo xtask trust supply --advisories advisory-db",
        "known vulnerabilities, from a clone of RustSec's database",
    ),
]);

pub(crate) const TRUST_DIFFERENTIAL: Examples = Examples(&[
    (
        "cargo xtask trust differential --catalogs 5000",
        "compare for some seconds",
    ),
    (
        "cargo xtask trust differential --keep",
        "two million catalogs, and the figures in docs/trust.md",
    ),
]);

#[cfg(test)]
mod tests {
    use clap::Command;

    use cli::program;

    use crate::{Here, NAME};

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
        for (verb, help) in helps(&mut program::command::<Here>(NAME)) {
            let examples = help.split_once("Examples:\n").map(|(_, examples)| examples);
            let examples = examples.unwrap_or_else(|| {
                panic!(
                    "the help of {verb} has no examples: cli/verbs/src/examples.rs, xtask/src/examples.rs"
                )
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
                let parsed = program::command::<Here>(NAME).try_get_matches_from(&words[1..]);
                assert!(parsed.is_ok(), "{command}: {}", parsed.unwrap_err());
            }
        }
    }
}
