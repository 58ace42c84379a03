//! A disc that does not boot: what is on it, what each firmware does with it, and why.

mod boots;
mod bundle;
mod causes;
mod disc;
mod distil;
mod fix;
mod markdown;
mod promote;
mod report;
mod screen;
mod summary;
mod text;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use anyhow::Context;
use harness::{
    diagnosis::{Boot, Diagnosis, Experiment, addresses, diagnose},
    emulator::EmulatorId,
    firmware::{FirmwareId, discover},
};
use images::{
    inspect::{Inspection, TrustedBy, Window},
    overview::Overview,
};
use scenarios::{
    files,
    record::{self, DIAGNOSIS, DISC, INSPECTION},
    results::Totals,
};

use self::{
    boots::{Booted, Setting},
    disc::Disc,
    fix::Fix,
    report::{Compared, Effort, MARKDOWN, Report},
};
use crate::{
    boot_matrix,
    iso::{self, Existing},
    options::{FirmwareWord, Format, Repro},
    place::{absolute, cache},
    report as page,
    signals::Signals,
    stop::Stop,
    terminal,
};

/// The first part of the ids.
const SCENARIO: &str = "repro";
/// The report for programs.
const JSON: &str = "report.json";

/// Whether somebody made the disc for Secure Boot.
fn has_signed_loader(disc: &Disc) -> bool {
    let mut programs = disc.read.inspection.secure_boot.programs.iter();
    programs.any(|program| !matches!(program.trusted_by, TrustedBy::Neither | TrustedBy::Unknown))
}

/// Whether this host has firmware with it. Where it has none, a disc is booted without.
fn has_secure_boot(options: &Repro) -> bool {
    let qemu = EmulatorId::Qemu.locate(options.tooling.qemu.as_deref());
    qemu.is_ok_and(|qemu| {
        let mut found = discover(&qemu).into_iter();
        found.any(|firmware| firmware.id == FirmwareId::OvmfSecureBoot)
    })
}

/// Runs the verb.
pub(crate) fn run(options: &Repro) -> anyhow::Result<ExitCode> {
    let disc = Disc::open(
        &options.iso,
        "cargo xtask repro disc.iso, or a drive such as /dev/sr0",
    )?;
    let good = options.good.as_deref();
    let good = good
        .map(|good| Disc::open(good, "--good and a disc that boots, or omit the option"))
        .transpose()?;
    distil::check(options)?;
    fix::check(options)?;
    promote::check(options)?;
    let (out, _lock) = boot_matrix::folder::hold(&out_folder(options)?)?;
    if let Some(profile) = options.medium_profile {
        profile
            .check_disc(&*disc.file)
            .map_err(|what| Stop::usage(what, "another --medium-profile"))?;
    }
    let existing = Existing {
        iso: &options.iso,
        scenario: SCENARIO,
        firmware: &FirmwareWord::names(&options.firmware),
        attach: &options.attach,
        medium_profile: options.medium_profile,
        expect: options.expect.as_deref(),
        editors: &[],
        dialog: options.dialog.as_deref(),
        secure_boot: has_signed_loader(&disc) && has_secure_boot(options),
    };
    let setting = Setting::prepare(options, existing, &out)?;
    let signals = Signals::catch()?;
    signals.end_children();
    let booted = boots::all(&setting, &disc, signals)?;
    let began = Instant::now();
    let experiments = causes::find(&setting, &disc, &booted, signals)?;
    let effort = Effort {
        boots: experiments.iter().map(|experiment| experiment.boots).sum(),
        ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    disc.is_unchanged()?;
    let mut report = report(
        &setting,
        &disc,
        good.as_ref(),
        &booted,
        &experiments,
        effort,
    );
    if let Some(fixed) = options.fix.as_deref().map(absolute) {
        let fix = fix::write(&fixed, &setting, &disc, &booted, &experiments, signals)?;
        files::write_json(&out.join(fix::JSON), &fix)?;
        report.fix = Some(fix);
    }
    leave(&report, &disc, &booted, &out)?;
    say(options, &report, &booted, &out).context("cannot write")?;
    if let Some(iso) = reproducer(options, &out) {
        let reproducer = distil::write(&iso, &setting, &disc, &booted, signals)?;
        distil::tell(&reproducer);
        if let Some(name) = &options.promote {
            let promoted = promote::promote(options, name, &reproducer, &out)?;
            remark!("scenario: {}", promoted.scenario.display());
        }
    }
    if options.bundle {
        remark!("bundle: {}", bundle::pack(&out)?.display());
    }
    if options.show {
        show(&setting, &booted)?;
    }
    let asked = !options.firmware.is_empty();
    let fixed = report.fix.as_ref().and_then(Fix::booted);
    let booted = fixed.unwrap_or(&booted);
    Ok(exit_code(&setting, asked, &disc.read.inspection, booted))
}

/// Where the distilled disc goes; nothing when none is asked for.
fn reproducer(options: &Repro, out: &Path) -> Option<PathBuf> {
    let given = options.distil.as_deref().map(absolute);
    given.or_else(|| options.promote.as_ref().map(|_| out.join("distilled.iso")))
}

/// Opens a window on the first boot that failed, or on the first one where none did.
fn show(setting: &Setting, booted: &[Booted]) -> anyhow::Result<()> {
    let failed = booted.iter().find(|one| setting.failed(one));
    let one = failed.or_else(|| booted.first());
    if let Some(case) = one.and_then(|one| one.case.as_ref()) {
        remark!("{}: close QEMU's window to continue", case.id);
        harness::run::show(case).map_err(|infra| {
            let remedy = "the screenshots in the report, or a terminal with a display";
            Stop::host(infra, remedy)
        })?;
    }
    Ok(())
}

fn report(
    setting: &Setting,
    disc: &Disc,
    good: Option<&Disc>,
    booted: &[Booted],
    experiments: &[Experiment],
    effort: Effort,
) -> Report {
    let boots: Vec<Boot<'_>> = booted.iter().filter_map(Booted::boot).collect();
    let diagnosis = diagnose(&disc.read.inspection, &disc.read.map, &boots, experiments);
    let mut results = setting.results(booted);
    for (cell, one) in results.cells.iter_mut().zip(booted) {
        let mut of_cell = diagnosis
            .iter()
            .filter(|diagnosis| explains(diagnosis, one));
        cell.causes = of_cell.next().map_or_else(Vec::new, |it| it.causes.clone());
    }
    Report {
        diagnosis,
        experiments: effort,
        fix: None,
        compared: good.map(|good| Compared::new(good, disc)),
        results,
        disc: disc.path.clone(),
        inspection: disc.read.inspection.clone(),
    }
}

/// Whether a diagnosis is one of this boot.
fn explains(diagnosis: &Diagnosis, one: &Booted) -> bool {
    diagnosis.firmware == one.cell.id.firmware()
        && diagnosis.attachments.contains(&one.cell.attachment)
}

/// What stays behind, whatever is printed.
fn leave(report: &Report, disc: &Disc, booted: &[Booted], out: &Path) -> anyhow::Result<()> {
    report.results.write(out)?;
    files::write_json(&out.join(JSON), report)?;
    files::write_json(&out.join(INSPECTION), &report.inspection)?;
    let overview = Overview::read(
        &mut Window::new(&*disc.file),
        &disc.read.inspection,
        &disc.read.map,
    );
    for one in booted.iter().filter(|one| one.seen.is_ok()) {
        let folder = out.join(record::evidence_folder(&one.cell.id));
        let diagnosis: Vec<&Diagnosis> = report
            .diagnosis
            .iter()
            .filter(|it| explains(it, one))
            .collect();
        files::write_evidence(&folder.join(INSPECTION), &report.inspection)?;
        files::write_evidence(&folder.join(DISC), &overview)?;
        files::write_evidence(&folder.join(DIAGNOSIS), &diagnosis)?;
    }
    page::make(out)?;
    let text = markdown::report(report, booted, out);
    Ok(files::write(&out.join(MARKDOWN), text.as_bytes())?)
}

fn say(options: &Repro, report: &Report, booted: &[Booted], out: &Path) -> io::Result<()> {
    match options.format {
        Format::Text => text::write(&mut terminal::stdout(), report, booted, out),
        Format::Json => {
            let mut stdout = io::BufWriter::new(terminal::answer());
            serde_json::to_writer_pretty(&mut stdout, report)?;
            writeln!(stdout)?;
            stdout.flush()
        }
    }
}

/// 3 if anything could not be run; else 1 if the disc is by no attachment seen to start on a firmware that was asked for, or without
/// that, on one that it addresses; else 0.
fn exit_code(
    setting: &Setting,
    asked: bool,
    inspection: &Inspection,
    booted: &[Booted],
) -> ExitCode {
    let verdicts = || booted.iter().map(|one| one.result.verdict);
    if Totals::count(verdicts()).exit_code() == 3 {
        return ExitCode::from(3);
    }
    let starts = |firmware: &str| {
        let mut same = booted
            .iter()
            .filter(|one| one.cell.id.firmware() == firmware);
        same.any(|one| one.seen.is_ok() && !setting.failed(one))
    };
    let seen = || booted.iter().filter(|one| one.seen.is_ok());
    let concerned = |one: &&Booted| asked || addresses(inspection, one.cell.firmware);
    let fails = if seen().any(|one| concerned(&one)) {
        let mut concerned = seen().filter(concerned);
        concerned.any(|one| !starts(one.cell.id.firmware()))
    } else {
        !seen().any(|one| starts(one.cell.id.firmware()))
    };
    ExitCode::from(u8::from(fails))
}

/// The folder for the report and the evidence.
fn out_folder(options: &Repro) -> Result<PathBuf, Stop> {
    Ok(match &options.out {
        Some(out) => absolute(out),
        None => cache()?.join("repro").join(iso::name(&options.iso)),
    })
}
