//! Every reader of bytes that others wrote, under libFuzzer.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use clap::Args;
use scenarios::files;
use serde::Deserialize;

use super::{
    kept::{self, Figures, Table},
    part,
};
use crate::repository::workspace;
use cli::{
    place::{self, cargo},
    remark,
    signals::Signals,
    stop::Stop,
};

/// Seconds after which an input counts as one that does not end.
const PATIENCE: &str = "20";
/// How much later than everything else the kernel lets it have a processor.
const NICE: &str = "19";
/// Characters of a target's corpus in the repository, the smallest inputs first.
const CORPUS_BYTES: usize = 96 << 10;

/// Which readers, and for how long.
#[derive(Debug, Args)]
#[command(after_help = crate::examples::TRUST_FUZZ.help())]
pub(crate) struct Fuzz {
    /// How many inputs each target reads.
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    executions: u64,
    /// Run only this target. Repeat the option for more. The kept figures of other targets stay.
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Add the inputs that reached new code to the corpus, fuzz/corpus, which tests replay.
    #[arg(long)]
    grow: bool,
    /// Count on from the kept figures of the target: a sitting that was interrupted continues with the same inputs.
    #[arg(long)]
    resume: bool,
}

/// A target, as the fuzzer lists it.
#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    what: String,
    longest: usize,
    dictionary: Vec<String>,
}

/// Where everything stands.
struct Places {
    program: PathBuf,
    /// Below the target folder: inputs, logs and findings.
    work: PathBuf,
}

impl Places {
    fn inputs(&self, target: &Target) -> PathBuf {
        self.work.join("inputs").join(&target.name)
    }

    fn log(&self, target: &Target) -> PathBuf {
        self.work.join(format!("{}.log", target.name))
    }
}

fn corpus_file(target: &Target) -> PathBuf {
    let name = format!("fuzz/corpus/{}.txt", target.name);
    workspace().join(name)
}

pub(super) fn measure(options: &Fuzz, signals: &'static Signals) -> anyhow::Result<Figures> {
    let places = build(signals)?;
    let targets = chosen(list(&places)?, &options.target)?;
    let mut figures = Figures {
        chosen_by: Some("--target"),
        programs: "libFuzzer, edges and comparisons, debug assertions and overflow checks on"
            .to_owned(),
        ..Figures::default()
    };
    let kept_inputs: BTreeMap<String, u64> = kept::rows(workspace(), part::FUZZ, &HEAD)
        .iter()
        .filter_map(|row| Some((row.first()?.clone(), count(row, INPUTS))))
        .collect();
    let mut new = Vec::new();
    for target in &targets {
        if signals.caught() {
            return Err(Stop::host("interrupted", "the same again").into());
        }
        remark!("{}: {}", target.name, target.what);
        prepare(&places, target)?;
        let status = signals.run(&mut fuzzer(&places, target, options.executions)?)?;
        if !status.success() && !signals.caught() {
            let log = place::shown(&places.log(target)).display().to_string();
            let what = format!("{}: {status}; {log} names the input", target.name);
            figures.failures.push(what);
            continue;
        }
        if options.grow {
            grow(&places, target, signals)?;
        }
        let before = kept_inputs.get(&target.name).filter(|_| options.resume);
        new.push(row(&places, target, before.copied().unwrap_or(0))?);
    }
    // Not before: another target's figures may have been kept meanwhile.
    let mut rows = kept::rows(workspace(), part::FUZZ, &HEAD);
    rows.retain(|row| new.iter().all(|new| new.first() != row.first()));
    rows.extend(new);
    rows.sort();
    let inputs = rows.iter().map(|row| count(row, INPUTS)).sum();
    // Of all rows, whenever they were made.
    let seconds = rows
        .iter()
        .map(|row| count(row, INPUTS) / count(row, SPEED).max(1));
    figures.seconds = seconds.sum();
    figures.add("targets", rows.len());
    figures.add("inputs read", grouped(inputs));
    figures.tables.push(Table {
        head: HEAD.map(str::to_owned).to_vec(),
        rows,
    });
    Ok(figures)
}

const INPUTS: usize = 2;
const SPEED: usize = 3;
const HEAD: [&str; 6] = [
    "target",
    "input, and the property that must hold",
    "inputs",
    "a second",
    "edges",
    "in the corpus",
];

/// Builds the fuzzer, in its own workspace: there its flags are set, and nowhere else.
fn build(signals: &Signals) -> anyhow::Result<Places> {
    let work = crate::repository::target().join("fuzz");
    let mut build = cargo();
    build
        .current_dir(workspace().join("fuzz"))
        .args(["build", "--release", "--target-dir"])
        .arg(&work)
        .env_remove("RUSTFLAGS")
        .stdout(Stdio::null());
    let status = signals.run(&mut build).context("cannot start cargo")?;
    ensure!(status.success(), "the fuzzer was not built: {status}");
    Ok(Places {
        program: work.join("x86_64-unknown-linux-gnu/release/boot-matrix-fuzz"),
        work,
    })
}

fn list(places: &Places) -> anyhow::Result<Vec<Target>> {
    let answer = Command::new(&places.program)
        .env("BOOT_MATRIX_FUZZ_LIST", "1")
        .output()
        .context("cannot start the fuzzer")?;
    serde_json::from_slice(&answer.stdout).context("the fuzzer lists no targets")
}

fn chosen(targets: Vec<Target>, names: &[String]) -> anyhow::Result<Vec<Target>> {
    let known: BTreeSet<&str> = targets.iter().map(|target| target.name.as_str()).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(name.as_str())) {
        let known: Vec<&str> = known.into_iter().collect();
        let what = format!("there is no target {unknown:?}");
        return Err(Stop::usage(what, known.join(", ")).into());
    }
    let is_meant = |target: &Target| names.is_empty() || names.contains(&target.name);
    Ok(targets.into_iter().filter(is_meant).collect())
}

/// Puts the corpus and the words where libFuzzer finds them. What an earlier time left there is of use, too.
fn prepare(places: &Places, target: &Target) -> anyhow::Result<()> {
    let inputs = places.inputs(target);
    fs::create_dir_all(&inputs)?;
    let corpus = fs::read_to_string(corpus_file(target)).unwrap_or_default();
    for (number, line) in corpus.lines().enumerate() {
        let input = BASE64_STANDARD.decode(line);
        let input = input.with_context(|| format!("{}", corpus_file(target).display()))?;
        fs::write(inputs.join(format!("corpus-{number}")), input)?;
    }
    let words = target.dictionary.join("\n") + "\n";
    fs::write(places.work.join(format!("{}.dict", target.name)), words)?;
    Ok(())
}

/// libFuzzer for a target: one process, which any other comes before.
fn fuzzer(places: &Places, target: &Target, executions: u64) -> anyhow::Result<Command> {
    let log = fs::File::create(places.log(target))?;
    let mut command = Command::new("nice");
    command
        .args(["-n", NICE])
        .arg(&places.program)
        .arg(places.inputs(target))
        .arg(format!("-runs={executions}"))
        .arg(format!("-max_len={}", target.longest))
        .arg(format!("-timeout={PATIENCE}"))
        .arg(option(
            "-dict=",
            &places.work,
            &format!("{}.dict", target.name),
        ))
        .arg(option(
            "-artifact_prefix=",
            &places.work,
            &format!("{}-", target.name),
        ))
        .arg("-print_final_stats=1")
        .env("BOOT_MATRIX_FUZZ_TARGET", &target.name)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    Ok(command)
}

fn option(name: &str, folder: &Path, file: &str) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from(name);
    option.push(folder.join(file));
    option
}

/// Writes the smallest inputs that reach everything that was reached.
fn grow(places: &Places, target: &Target, signals: &Signals) -> anyhow::Result<()> {
    let least = places.work.join("least").join(&target.name);
    // libFuzzer adds to a folder.
    let _ = fs::remove_dir_all(&least);
    fs::create_dir_all(&least)?;
    let mut merge = Command::new("nice");
    merge
        .args(["-n", NICE])
        .arg(&places.program)
        .arg("-merge=1")
        .arg(format!("-max_len={}", target.longest))
        .arg(&least)
        .arg(places.inputs(target))
        .env("BOOT_MATRIX_FUZZ_TARGET", &target.name)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let status = signals.run(&mut merge)?;
    ensure!(status.success(), "{}: not minimised: {status}", target.name);
    let mut lines = BTreeSet::new();
    for entry in fs::read_dir(&least)? {
        let line = BASE64_STANDARD.encode(fs::read(entry?.path())?);
        lines.insert((line.len(), line));
    }
    let mut text = String::new();
    for (_, line) in lines {
        if text.len() + line.len() < CORPUS_BYTES {
            text += &line;
            text.push('\n');
        }
    }
    files::write(&corpus_file(target), text.as_bytes())?;
    Ok(())
}

/// A figure of a row.
fn count(row: &[String], column: usize) -> u64 {
    let digits = row.get(column).map(|figure| figure.replace(',', ""));
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// What libFuzzer counted, from its log; with the inputs that were read before.
fn row(places: &Places, target: &Target, before: u64) -> anyhow::Result<Vec<String>> {
    let log = fs::read_to_string(places.log(target))?;
    let figure = |mark: &str| -> Option<u64> {
        let (_, rest) = log.rsplit_once(mark)?;
        rest.split_whitespace().next()?.parse().ok()
    };
    let counted = (
        figure("stat::number_of_executed_units:"),
        figure("stat::average_exec_per_sec:"),
        figure(" cov:"),
    );
    let (Some(inputs), Some(speed), Some(edges)) = counted else {
        anyhow::bail!("{} has no figures", places.log(target).display());
    };
    let corpus = fs::read_to_string(corpus_file(target)).unwrap_or_default();
    Ok(vec![
        target.name.clone(),
        target.what.clone(),
        grouped(before + inputs),
        grouped(speed),
        grouped(edges),
        grouped(corpus.lines().count() as u64),
    ])
}

/// `10,000,000`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<_> = groups.map(String::from_utf8_lossy).collect();
    groups.join(",")
}
