//! Follows a probe on a real machine, over a serial port.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use harness::{
    listen::{self, Listening},
    master::Changed,
    observation::{Observation, damage},
    serial::port::{self, PortError},
    verdict::{Expectation, Verdict, contradictions},
};
use images::{manifest::Manifest, probe::protocol::Event};
use scenarios::{
    cell::{Cell, DiscSource},
    disc::{self, Disc, Workshop},
    files,
    id::{CellId, DiscId},
    matrix::Matrix,
};
use serde::Serialize;

use crate::{
    image::find_master,
    options::{Format, Listen},
    place::{cache, shipped},
    signals::Signals,
    stop::Stop,
    terminal,
};

/// The document in the folder of the evidence, and what is printed with `--format json`.
const RESULT: &str = "result.json";

/// What came of it.
#[derive(Serialize)]
struct Heard {
    schema: &'static str,
    port: String,
    /// The cell that was asked for.
    cell: Option<CellId>,
    /// The disc that the probe says it is of, where the matrix or the manifest knows its name.
    disc: Option<DiscId>,
    expected: Option<Expectation>,
    verdict: Verdict,
    /// In what it is not as it should be.
    reason: Vec<String>,
    observation: Observation,
    evidence: String,
}

/// What is known of the disc before it is booted.
#[derive(Default)]
struct Known {
    cell: Option<Cell>,
    manifest: Option<Manifest>,
}

/// Runs the verb.
pub fn run(options: &Listen) -> anyhow::Result<ExitCode> {
    let signals = Signals::catch()?;
    let matrix = Matrix::shipped(shipped()?).map_err(|error| Stop::scenarios(&error))?;
    let known = known(options, &matrix)?;
    let out = match &options.out {
        Some(out) => out.clone(),
        None => cache()?.join("listen"),
    };
    let port = port::open(&options.port, options.speed).map_err(|error| unusable(&error))?;
    files::remove(&out.join(RESULT))?;
    say(&format!(
        "listening on {} at {} baud for {} s: boot the machine now",
        options.port.display(),
        options.speed,
        options.timeout
    ));
    let listening = Listening {
        manifest: known.manifest.clone(),
        timeout: Duration::from_secs(options.timeout),
        evidence: out.clone(),
    };
    let mut tell = |event| say_event(event, &matrix);
    let observation =
        listen::listen(&port, &listening, Some(signals.bell()), &mut tell).map_err(|infra| {
            let remedy = format!("the received data is in {}; listen again", out.display());
            Stop::host(format!("{}: {infra}", options.port.display()), remedy)
        })?;
    let heard = judge(options, known, observation, &matrix, &out);
    files::write_json(&out.join(RESULT), &heard)?;
    print(options.format, &heard).context("cannot write")?;
    Ok(ExitCode::from(u8::from(heard.verdict == Verdict::Mismatch)))
}

fn known(options: &Listen, matrix: &Matrix) -> anyhow::Result<Known> {
    if let Some(file) = &options.manifest {
        let remedy = "--manifest and the file FILE.json that cargo xtask image writes";
        let manifest = files::read_json(file).map_err(|error| Stop::usage(error, remedy))?;
        return Ok(Known {
            cell: None,
            manifest: Some(manifest),
        });
    }
    let Some(id) = &options.cell else {
        return Ok(Known::default());
    };
    let ids = "cargo xtask boot-matrix --set all --list, which shows the ids of cells";
    let id: CellId = id.parse().map_err(|error| Stop::usage(error, ids))?;
    let cell = matrix
        .cell(&id)
        .ok_or_else(|| Stop::usage(format!("no scenario has the cell {id}"), ids))?;
    let manifest = manifest_of(&cell, matrix)?;
    Ok(Known {
        cell: Some(cell),
        manifest: Some(manifest),
    })
}

/// What the disc of a cell holds. It is mastered for that: the same words give the same disc.
fn manifest_of(cell: &Cell, matrix: &Matrix) -> anyhow::Result<Manifest> {
    let DiscSource::Mastered(recipe) = &cell.disc else {
        let what = format!(
            "the disc of {} has no probe, so there is nothing to listen to",
            cell.id
        );
        return Err(Stop::usage(what, "a cell with a mastered disc").into());
    };
    let found = find_master(recipe, &matrix.masters)?;
    let workshop = Workshop {
        masters: &matrix.masters,
        found: &found,
        changed: Changed::default(),
    };
    let folder = tempfile::tempdir().context("cannot make a folder")?;
    match disc::master(recipe, folder.path(), workshop)? {
        Disc::Made { manifest, .. } => Ok(files::read_json(&manifest)?),
        Disc::Refused(words) => {
            let what = format!("{} has no disc to boot: {}", cell.id, words.join(": "));
            Err(Stop::usage(what, "a cell whose disc can be mastered").into())
        }
    }
}

fn unusable(error: &PortError) -> Stop {
    match error {
        PortError::Missing { .. } => Stop::usage(
            error,
            "--port and a port that there is; a USB adapter's appears as /dev/ttyUSB0 or /dev/ttyACM0 when it is plugged in and the kernel has its driver \
             (sudo dmesg), and opening it takes the group dialout (sudo usermod -aG dialout $USER, then log in again)",
        ),
        PortError::NoPort(_) => {
            Stop::usage(error, "--port and a serial port, such as /dev/ttyUSB0")
        }
        PortError::Speed { .. } => Stop::usage(error, "--speed 115200"),
        PortError::Busy { .. } => Stop::host(error, "end that program, and listen again"),
        PortError::Denied { group, .. } => {
            let remedy = format!("add yourself to that group, which `getent group {group}` names");
            Stop::host(error, remedy)
        }
        PortError::Failed { .. } => Stop::host(error, "another port"),
    }
}

fn judge(
    options: &Listen,
    known: Known,
    observation: Observation,
    matrix: &Matrix,
    out: &Path,
) -> Heard {
    let manifest = known.manifest.as_ref();
    let expected = known.cell.as_ref().and_then(|cell| cell.expectation(None));
    let report = observation.probe.as_ref();
    let disc = report.and_then(|report| matrix.disc(report.disc));
    let disc = disc.or_else(|| {
        manifest
            .filter(|manifest| Some(manifest.disc) == report.map(|r| r.disc))?
            .id
            .parse()
            .ok()
    });
    let mut reason = match (expected, manifest, report) {
        (Some(expected), ..) => contradictions(&observation, manifest, expected),
        (None, Some(manifest), Some(report)) => {
            let damage = damage(report, manifest);
            damage.iter().map(ToString::to_string).collect()
        }
        _ => Vec::new(),
    };
    if let (Some(disc), Some(manifest), Some(report)) = (&disc, manifest, report)
        && report.disc != manifest.disc
    {
        reason.push(format!(
            "the disc that was booted is {disc}, not {}",
            manifest.id
        ));
    }
    Heard {
        schema: "listen/1",
        port: options.port.display().to_string(),
        verdict: match (expected, reason.is_empty()) {
            (None, _) => Verdict::Observed,
            (Some(_), true) => Verdict::AsExpected,
            (Some(_), false) => Verdict::Mismatch,
        },
        expected: expected.cloned(),
        cell: known.cell.map(|cell| cell.id),
        disc,
        reason,
        observation,
        evidence: out.display().to_string(),
    }
}

fn say_event(event: Event, matrix: &Matrix) {
    match event {
        Event::Begin { disc, slot, .. } => {
            let name = matrix.disc(disc).map(|disc| disc.to_string());
            let name = name
                .unwrap_or_else(|| format!("a disc with the hash {disc}, which no scenario has"));
            say(&format!("the probe began: {name}, catalog slot {slot}"));
        }
        Event::End => say("the probe ended"),
        Event::Stage1Failed(code) => say(&format!(
            "the probe's first stage could not load the second: error {code:02X}"
        )),
        // It is the end, and told there.
        Event::Damage => {}
    }
}

/// Progress goes where it never mixes with the result. Nobody has to read it.
fn say(line: &str) {
    drop(writeln!(terminal::stderr(), "{line}"));
}

fn print(format: Format, heard: &Heard) -> io::Result<()> {
    if format == Format::Json {
        return writeln!(terminal::answer(), "{}", serde_json::to_string(heard)?);
    }
    let mut to = terminal::stdout();
    let outcome = &heard.observation.outcome;
    let name = match (&heard.cell, &heard.disc) {
        (Some(cell), _) => cell.to_string(),
        (None, Some(disc)) => disc.to_string(),
        (None, None) => heard.port.clone(),
    };
    writeln!(to, "{name}: {}", heard.verdict)?;
    let code = outcome.code.iter().map(|code| format!(" {code}"));
    writeln!(
        to,
        "  {}{} at {}",
        outcome.kind,
        code.collect::<String>(),
        outcome.stage
    )?;
    if !outcome.detail.is_empty() {
        writeln!(to, "  {}", outcome.detail)?;
    }
    for reason in &heard.reason {
        writeln!(to, "  {reason}")?;
    }
    if let Some(expected) = heard
        .expected
        .as_ref()
        .filter(|_| heard.verdict == Verdict::Mismatch)
    {
        writeln!(to, "  expected because: {}", expected.because)?;
    }
    writeln!(to, "  evidence: {}", heard.evidence)
}
