//! Cuts the disc down to the sectors that were read, and proves that it still does the same.

use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::{
    diagnosis::{Boot, Diagnosis, diagnose},
    distil::{AGAIN, DistilError, Distillation, Whole, distil, may_be_chance},
    observation::Observation,
};
use images::distilled::Distilled;
use scenarios::{cell::Cell, files};

use super::{
    boots::{self, Booted, Failure, Setting},
    disc::Disc,
};
use crate::{options::Repro, signals::Signals, stop::Stop};

/// A distilled disc, and where it is.
pub(super) struct Reproducer {
    pub(super) distillation: Distillation,
    /// Why the boots that it reproduces went as they did.
    pub(super) diagnosis: Vec<Diagnosis>,
    /// The cells in which chance decides between a reset and a hang.
    pub(super) either: Vec<Cell>,
    pub(super) iso: PathBuf,
    pub(super) text: PathBuf,
}

/// Refuses to write over the disc, before minutes of work.
pub(super) fn check(options: &Repro) -> Result<(), Stop> {
    match &options.distil {
        Some(iso) if same_file(iso, &options.iso) => {
            let what = format!("--distil {} is the disc itself", iso.display());
            Err(Stop::usage(what, "another file with --distil"))
        }
        _ => Ok(()),
    }
}

/// Writes `iso`, and the same as text beside it.
///
/// # Errors
/// The cut disc does something else than the whole one, cannot be booted or cannot be written.
pub(super) fn write(
    iso: &Path,
    setting: &Setting,
    disc: &Disc,
    booted: &[Booted],
    signals: &Signals,
) -> anyhow::Result<Reproducer> {
    let wanted: Vec<&Booted> = wanted(booted, setting);
    let whole = whole(&wanted, setting, disc, signals)?;
    let cells: Vec<Cell> = wanted.iter().map(|one| one.cell.clone()).collect();
    let pairs = cells.iter().zip(&whole);
    let either = pairs.filter(|(_, whole)| whole.either);
    let either = either.map(|(cell, _)| cell.clone()).collect();
    let below = setting.below(&setting.out.join("distilled"), hurried(cells, &wanted));
    let again = |distilled: &Distilled| {
        let kept: u64 = distilled
            .ranges()
            .iter()
            .map(|range| range.blocks.get())
            .sum();
        remark!(
            "booting it again with {kept} of its {}",
            disc.read.inspection.size.blocks_rounded_up()
        );
        let cut = disc.cut_down_to(iso);
        let boots = boots::all(&below, &cut, signals)?;
        let seen = boots.into_iter().filter_map(|one| match one.seen {
            Ok(observation) => Some(Ok(observation)),
            Err(Failure::Skipped(_)) => None,
            Err(Failure::Infra(infra)) => Some(Err(infra.into())),
        });
        seen.collect()
    };
    let distillation = distil(&*disc.file, &disc.read.map, &whole, iso, again).map_err(told)?;
    let text = iso.with_extension("disc");
    files::write(&text, distillation.distilled.to_toml().as_bytes())?;
    let boots: Vec<Boot<'_>> = wanted.iter().filter_map(|one| one.boot()).collect();
    Ok(Reproducer {
        diagnosis: diagnose(&disc.read.inspection, &disc.read.map, &boots, &[]),
        distillation,
        either,
        iso: iso.to_owned(),
        text,
    })
}

/// What the whole disc did. Where chance may have decided, it is booted again.
fn whole(
    wanted: &[&Booted],
    setting: &Setting,
    disc: &Disc,
    signals: &Signals,
) -> anyhow::Result<Vec<Whole>> {
    let seen = wanted
        .iter()
        .filter_map(|one| Some((&one.cell, one.seen.as_ref().ok()?)));
    let seen: Vec<(&Cell, &Observation)> = seen.collect();
    let unsure = seen
        .iter()
        .filter(|(_, observation)| may_be_chance(&observation.outcome));
    let cells: Vec<Cell> = unsure.map(|(cell, _)| (*cell).clone()).collect();
    let mut again: Vec<Booted> = Vec::new();
    for number in 1..=AGAIN {
        if cells.is_empty() {
            break;
        }
        remark!(
            "booting the whole disc again ({number} of {AGAIN}), to see whether the result varies"
        );
        let below = setting.below(&setting.out.join("again"), cells.clone());
        again.extend(boots::all(&below, disc, signals)?);
    }
    let of_cell = |(cell, seen): (&Cell, &Observation)| {
        let same = again.iter().filter(|one| one.cell.id == cell.id);
        let others = same.filter_map(|one| one.seen.as_ref().ok().cloned());
        Whole::new(seen.clone(), &others.collect::<Vec<_>>())
    };
    Ok(seen.into_iter().map(of_cell).collect())
}

/// The same cells, each with as much time as shows that the cut disc does the same: it may do nothing any more.
fn hurried(cells: Vec<Cell>, wanted: &[&Booted]) -> Vec<Cell> {
    let took = |(mut cell, one): (Cell, &&Booted)| {
        let took = one.seen.as_ref().map_or(0, |seen| seen.duration_ms);
        cell.deadline = Some(Duration::from_millis(took) * 2 + SLACK);
        cell
    };
    cells.into_iter().zip(wanted).map(took).collect()
}

/// So much more than twice what a boot took, another one may take.
const SLACK: Duration = Duration::from_secs(15);

/// The boots that failed, or all where none did: what a boot that succeeds reads is no part of a failure.
fn wanted<'b>(booted: &'b [Booted], setting: &Setting) -> Vec<&'b Booted> {
    let failed: Vec<&Booted> = booted.iter().filter(|one| setting.failed(one)).collect();
    if failed.is_empty() {
        return booted.iter().filter(|one| one.seen.is_ok()).collect();
    }
    failed
}

/// Says what stays of the disc, so that a person sees what would be shared.
pub(super) fn tell(reproducer: &Reproducer) {
    let distilled = &reproducer.distillation.distilled;
    let size = reproducer.text.metadata().map_or(0, |text| text.len());
    remark!(
        "{} behaves like the whole disc; {} is the same disc in {size} bytes of text. It contains:",
        reproducer.iso.display(),
        reproducer.text.display()
    );
    for kept in distilled.listing() {
        remark!("  {}: {}", kept.what, kept.bytes);
    }
    let listed = |names: &[String], none: &str| match names {
        [] => none.to_owned(),
        names => names.join(", "),
    };
    remark!(
        "contents of programs and files in it: {}\nnames of files in it: {}",
        listed(&reproducer.distillation.contents, "none"),
        listed(&reproducer.distillation.names, "none")
    );
    remark!("the volume's label and dates, and the name of the tool, stay in the descriptors");
    if !reproducer.either.is_empty() {
        let cells = reproducer
            .either
            .iter()
            .map(|cell| format!("{} by {}", cell.id.firmware(), cell.attachment));
        remark!(
            "by chance, the whole disc resets the machine or hangs it, so the two count as equivalent: {}",
            cells.collect::<Vec<_>>().join(", ")
        );
    }
}

fn told(error: DistilError<anyhow::Error>) -> anyhow::Error {
    match error {
        DistilError::Boot(error) => error,
        DistilError::Different { .. } => Stop::host(
            format!("the disc cannot be minimized: {error}"),
            "fewer cells, with --firmware and --attach",
        )
        .into(),
        error => Stop::host(error, "cargo xtask doctor").into(),
    }
}

/// Whether two paths lead to one file.
pub(super) fn same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    real(one).is_some() && real(one) == real(other)
}
