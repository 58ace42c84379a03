//! Mistakes put into the code itself, one at a time: the tests beside it must notice each.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::Context;
use clap::Args;
use scenarios::files;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    kept::{self, Figures, Table},
    part,
};
use crate::repository::workspace;
use cli::{place::cargo, signals::Signals, stop::Stop};

/// Which code, and how much of it.
#[derive(Debug, Args)]
#[command(after_help = crate::examples::TRUST_MUTANTS.help())]
pub(crate) struct Mutants {
    /// Test only this part of the code: verdicts, results, formats or discs. Repeat the option for more.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// In the part discs, which has thousands of mistakes, try only one in this many.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    sample: u16,
    /// Try only mistakes that no test has noticed yet: those that were missed, after tests were added, and those that an interrupted run did not try.
    #[arg(long)]
    again: bool,
}

/// A part of the code, and the tests beside it.
struct Code {
    name: &'static str,
    package: &'static str,
    files: &'static [&'static str],
    /// Not these of them: another part has them.
    without: &'static [&'static str],
    /// nextest's filter.
    tests: &'static str,
    /// Whether only a sample is tried: there are thousands.
    sampled: bool,
}

/// Where 512 and 2048 could be taken for each other: units and sizes, and what the specifications lay down.
const FORMATS: [&str; 9] = [
    "images/src/bytes.rs",
    "images/src/eltorito/*.rs",
    "images/src/fat/*.rs",
    "images/src/inspect/oversized.rs",
    "images/src/iso9660/*.rs",
    "images/src/medium.rs",
    "images/src/partition_table/*.rs",
    "images/src/size.rs",
    "images/src/units.rs",
];

const CODE: [Code; 4] = [
    Code {
        name: "verdicts",
        package: "boot-matrix-harness",
        files: &[
            "harness/src/verdict.rs",
            "harness/src/rules.rs",
            "harness/src/observation.rs",
            "harness/src/observation/*.rs",
        ],
        without: &[],
        tests: "test(/^(verdict|rules|observation|watch)::/)",
        sampled: false,
    },
    Code {
        name: "results",
        package: "boot-matrix-scenarios",
        files: &[
            "scenarios/src/rule.rs",
            "scenarios/src/results.rs",
            "scenarios/src/merge.rs",
            "scenarios/src/compare.rs",
            "scenarios/src/compare/runs.rs",
            "scenarios/src/gate.rs",
            "scenarios/src/accepted.rs",
        ],
        without: &[],
        tests: "all()",
        sampled: false,
    },
    Code {
        name: "formats",
        package: "boot-matrix-images",
        files: &FORMATS,
        without: &[],
        tests: "all()",
        sampled: false,
    },
    Code {
        name: "discs",
        package: "boot-matrix-images",
        files: &["images/src/**/*.rs"],
        without: &FORMATS,
        tests: "all()",
        sampled: true,
    },
];

pub(super) fn measure(options: &Mutants, signals: &'static Signals) -> anyhow::Result<Figures> {
    let names = CODE.map(|code| code.name);
    if let Some(unknown) = options
        .only
        .iter()
        .find(|only| !names.contains(&only.as_str()))
    {
        let what = format!("there is no part {unknown:?}");
        return Err(Stop::usage(what, names.join(", ")).into());
    }
    let mut figures = Figures {
        chosen_by: Some("--only"),
        programs: version()?,
        ..Figures::default()
    };
    let mut rows = kept::rows(workspace(), part::MUTANTS, &HEAD);
    for code in &CODE {
        if !options.only.is_empty() && !options.only.iter().any(|only| only == code.name) {
            continue;
        }
        let Outcomes { outcomes, seconds } = run(code, options, signals)?;
        if signals.caught() {
            return Err(Stop::host("interrupted", "the same with --again goes on").into());
        }
        rows.retain(|row| row.first().is_none_or(|name| name != code.name));
        rows.push(code.row(&outcomes, seconds, options.sample, &mut figures.failures));
    }
    rows.sort();
    let column = |index: usize| -> u64 {
        let figures = rows.iter().filter_map(|row: &Vec<String>| row.get(index));
        figures
            .filter_map(|figure| figure.parse::<u64>().ok())
            .sum()
    };
    figures.add("mutants", column(3));
    figures.add("detected", column(4));
    figures.add("rejected by the compiler", column(5));
    figures.seconds = column(SECONDS);
    figures.tables.push(Table {
        head: HEAD.map(str::to_owned).to_vec(),
        rows,
    });
    Ok(figures)
}

const SECONDS: usize = 6;
const HEAD: [&str; 7] = [
    "part",
    "files",
    "share of the possible mutants",
    "tried",
    "detected",
    "rejected by the compiler",
    "seconds",
];

fn version() -> anyhow::Result<String> {
    let asked = cargo()
        .args(["mutants", "--version"])
        .stderr(Stdio::null())
        .output();
    let answer = asked.context("cannot start cargo")?;
    if !answer.status.success() {
        let remedy = "cargo install cargo-mutants --locked";
        return Err(Stop::host("cargo-mutants is not installed", remedy).into());
    }
    Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
}

/// What cargo-mutants says of a mistake.
#[derive(Debug, Deserialize, Serialize)]
struct Outcome {
    scenario: Scenario,
    summary: Summary,
}

#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
enum Scenario {
    /// The code as it is.
    Baseline,
    Mutant {
        name: String,
    },
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
enum Summary {
    Success,
    CaughtMutant,
    MissedMutant,
    Unviable,
    Failure,
    Timeout,
}

impl Outcome {
    /// The mistake, where no test noticed it.
    fn missed(&self) -> Option<&str> {
        match (&self.scenario, self.summary) {
            (
                Scenario::Mutant { name },
                Summary::MissedMutant | Summary::Success | Summary::Failure,
            ) => Some(name),
            _ => None,
        }
    }
}

#[derive(Default, Deserialize, Serialize)]
struct Outcomes {
    outcomes: Vec<Outcome>,
    /// All together, of those that were tried again too.
    #[serde(default)]
    seconds: u64,
}

/// Runs cargo-mutants on a copy of the workspace: all mistakes, or those that no test has noticed so far.
fn run(code: &Code, options: &Mutants, signals: &Signals) -> anyhow::Result<Outcomes> {
    let began = Instant::now();
    let work = crate::repository::target().join("mutants");
    let out = work.join(code.name);
    let all = out.join("outcomes.json");
    fs::create_dir_all(&out)?;
    let listed = code.listed(options.sample)?;
    let mut outcomes = Outcomes::default();
    if options.again {
        outcomes = files::read_json(&all).with_context(|| {
            let name = code.name;
            format!("{name} was not tried before: cargo xtask trust mutants --only {name}")
        })?;
        // Where the code was changed since, the place of a mistake is another one.
        outcomes.outcomes.retain(|outcome| {
            let name = outcome.scenario.name();
            outcome.missed().is_none() && name.is_some_and(|name| listed.contains(name))
        });
    }
    let mut left = listed;
    for outcome in &outcomes.outcomes {
        left.remove(outcome.scenario.name().unwrap_or_default());
    }
    if left.is_empty() {
        return Ok(outcomes);
    }
    let tried = out.join("mutants.out/outcomes.json");
    files::remove(&tried)?;
    let mut command = code.command();
    command
        .arg("--no-shuffle")
        .args([
            "--cargo-test-arg=-E",
            &format!("--cargo-test-arg={}", code.tests),
        ])
        .arg("--output")
        .arg(&out)
        .env_remove("CARGO_INCREMENTAL")
        .env("CARGO_TARGET_DIR", work.join("build"))
        // Of its 256: what a test draws at random takes most of the time, and a mistake is to be noticed without luck.
        .env("PROPTEST_CASES", "32")
        .stdout(Stdio::null());
    for name in &left {
        command.args(["--re", &format!("^{}$", regex::escape(name))]);
    }
    // It fails where it missed one, too.
    let status = signals.run(&mut command).context("cannot start cargo")?;
    let new: Outcomes =
        files::read_json(&tried).with_context(|| format!("cargo mutants ended with {status}"))?;
    // It does not ask the name of a mistake in a structure's field: those are tried each time, all of them.
    let new = new.outcomes.into_iter();
    let asked = new.filter(|outcome| {
        let name = outcome.scenario.name();
        name.is_some_and(|name| left.contains(name))
    });
    outcomes.outcomes.extend(asked);
    outcomes.seconds += began.elapsed().as_secs();
    // Also of a run that was interrupted: the next one goes on.
    files::write_json(&all, &outcomes)?;
    Ok(outcomes)
}

/// Whether a mistake is one of those that are tried where only one in `sample` is. It is by what it does and in which file, so
/// that the sample stays the same when the code around it changes.
fn is_in_sample(name: &str, sample: u16) -> bool {
    let (place, what) = name.split_once(": ").unwrap_or(("", name));
    let file = place.split(':').next().unwrap_or_default();
    let digest: [u8; 32] = Sha256::digest(format!("{file}: {what}")).into();
    let [first, second, ..] = digest;
    u16::from_be_bytes([first, second]).is_multiple_of(sample)
}

impl Scenario {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Baseline => None,
            Self::Mutant { name } => Some(name),
        }
    }
}

impl Code {
    /// cargo-mutants on this part.
    fn command(&self) -> Command {
        let mut command = cargo();
        command
            .current_dir(workspace())
            .args(["mutants", "--package", self.package])
            .args(self.files.iter().flat_map(|file| ["--file", file]))
            .args(self.without.iter().flat_map(|file| ["--exclude", file]));
        command
    }

    /// The mistakes that are to be tried, by their names, which begin with the path, the line and the column.
    fn listed(&self, sample: u16) -> anyhow::Result<BTreeSet<String>> {
        let asked = self
            .command()
            .arg("--list")
            .output()
            .context("cannot start cargo")?;
        anyhow::ensure!(
            asked.status.success(),
            "cargo mutants --list ended with {}: {}",
            asked.status,
            String::from_utf8_lossy(&asked.stderr).trim()
        );
        let listed = String::from_utf8_lossy(&asked.stdout);
        let chosen = |name: &&str| !self.sampled || is_in_sample(name, sample);
        let chosen = listed.lines().filter(chosen);
        Ok(chosen.map(str::to_owned).collect())
    }

    /// What came of it; what was missed is a failure.
    fn row(
        &self,
        outcomes: &[Outcome],
        seconds: u64,
        sample: u16,
        failures: &mut Vec<String>,
    ) -> Vec<String> {
        let (mut all, mut noticed, mut refused) = (0_u64, 0_u64, 0_u64);
        for outcome in outcomes {
            let Scenario::Mutant { name } = &outcome.scenario else {
                continue;
            };
            all += 1;
            match outcome.summary {
                Summary::Unviable => refused += 1,
                _ if outcome.missed().is_some() => {
                    failures.push(format!("no test notices: {name}"));
                }
                _ => noticed += 1,
            }
        }
        let files: Vec<String> = self.files.iter().map(|file| format!("`{file}`")).collect();
        let mut files = files.join(", ");
        if !self.without.is_empty() {
            files.push_str(", the rest");
        }
        let share = if self.sampled {
            format!("one in {sample}")
        } else {
            "all".to_owned()
        };
        let mut row = vec![self.name.to_owned(), files, share];
        row.extend([all, noticed, refused, seconds].map(|count| count.to_string()));
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_does_not_change_with_the_code_around_it() {
        let name = |line: u32, what: u32| format!("a.rs:{line}:5: replace f with {what}");
        let sample: Vec<u32> = (0..2_000)
            .filter(|what| is_in_sample(&name(1, *what), 20))
            .collect();
        assert!((60..140).contains(&sample.len()), "{}", sample.len());
        assert!(sample.iter().all(|what| is_in_sample(&name(77, *what), 20)));
        assert!(is_in_sample(&name(1, 0), 1));
    }
}
