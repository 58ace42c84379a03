//! Every scenario can turn red: one mistake in a disc of each, and what is seen must contradict what is declared.
//!
//! A disc that must boot gets one wrong sector; one that must not boot is replaced by one that does, and what must be refused by a machine's keys is booted without them.

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, bail};
use boot_matrix_tests::cells::Cells;
use harness::{
    case::{Case, Success},
    checkpoint::Checkpoints,
    firmware::FirmwareKind,
    outcome::OutcomeKind,
    run,
    verdict::{Expectation, contradictions},
};
use images::{
    boot::Boot,
    manifest::Manifest,
    probe::sector::SectorId,
    reference::{self, MasteredDisc},
    signature::MachineKeys,
};
use libtest_mimic::{Arguments, Failed, Trial};
use regex::bytes::Regex;
use scenarios::{
    cell::{Cell, DiscSource, Recipe},
    matrix::Matrix,
    runner::environment::Environment,
};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    match trials() {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn trials() -> anyhow::Result<Vec<Trial>> {
    let environment = Arc::new(Cells::find()?.environment);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("no workspace")?;
    let matrix = Matrix::shipped(workspace)?;
    let mut families: Vec<Cell> = Vec::new();
    for cell in matrix.cells() {
        match families
            .iter_mut()
            .find(|chosen| chosen.id.scenario() == cell.id.scenario())
        {
            // The cell that boots is the one whose probe can see most; SeaBIOS is over sooner.
            Some(chosen) if worth(&cell) > worth(chosen) => *chosen = cell,
            Some(_) => {}
            None => families.push(cell),
        }
    }
    let trial = |cell: Cell| {
        let environment = Arc::clone(&environment);
        Trial::test(cell.id.scenario().to_owned(), move || {
            turns_red(&environment, &cell)
                .map_err(|error| Failed::from(format!("{}: {error:#}", cell.id)))
        })
    };
    Ok(families.into_iter().map(trial).collect())
}

fn worth(cell: &Cell) -> (bool, bool) {
    let expected = cell.expectation(None);
    let boots = expected.is_some_and(|expected| {
        expected.outcome == OutcomeKind::Booted && expected.damage == Default::default()
    });
    (boots, cell.firmware.kind() == FirmwareKind::Bios)
}

fn turns_red(environment: &Environment, cell: &Cell) -> anyhow::Result<()> {
    let expected = cell.expectation(None).context("nothing is expected")?;
    let folder = tempfile::tempdir().context("make a folder")?;
    let mistaken = Mistaken::new(cell, expected, folder.path())?;
    let toolbox = environment.toolbox().map_err(anyhow::Error::msg)?;
    let mut platform = toolbox.platform(cell)?;
    // What a medium keeps from booting boots from a sound one.
    if expected.outcome != OutcomeKind::Booted {
        platform.medium_profile = None;
    }
    // What keys refuse is not refused where a machine has none.
    if cell.keys().is_some() && expected.outcome != OutcomeKind::Booted {
        let store = folder.path().join("keys.fd");
        let firmware = &platform.firmware;
        platform.firmware = firmware.with_keys(&MachineKeys::default(), "none", &store)?;
    }
    let success = match &cell.text {
        Some(text) => Success::Text(Regex::new(text)?),
        None => Success::Probe,
    };
    let observation = run::run(&Case {
        id: cell.id.to_string(),
        disc: mistaken.iso,
        edits: Default::default(),
        manifest: mistaken.manifest.clone(),
        map: None,
        configurations: Default::default(),
        platform,
        checkpoints: match cell.cold {
            None => Some(Checkpoints::in_folder(&environment.run.checkpoints)),
            Some(_) => None,
        },
        success,
        dialogue: cell.dialogue.clone(),
        words: None,
        patience: None,
        deadline: None,
        enough: None,
        evidence: folder.path().join("evidence"),
    })?;
    if contradictions(&observation, mistaken.manifest.as_ref(), expected).is_empty() {
        bail!(
            "{} is not noticed: {:?}",
            mistaken.what,
            observation.outcome
        );
    }
    Ok(())
}

/// A disc with one mistake, of which its manifest knows nothing.
struct Mistaken {
    what: &'static str,
    iso: PathBuf,
    manifest: Option<Manifest>,
}

impl Mistaken {
    fn new(cell: &Cell, expected: &Expectation, folder: &Path) -> anyhow::Result<Self> {
        let iso = folder.join("disc.iso");
        match (&cell.disc, expected.outcome) {
            (DiscSource::Mastered(recipe), OutcomeKind::Booted) => {
                let disc = master(recipe, &recipe.boot)?;
                disc.write_to(folder)?;
                wrong_sector(&iso, &disc.manifest, expected.slot, cell)?;
                Ok(Self {
                    what: "one wrong sector",
                    iso,
                    manifest: Some(disc.manifest),
                })
            }
            (DiscSource::Iso { path, .. }, OutcomeKind::Booted) => {
                let mut head = Vec::new();
                let name = path.display();
                let file = File::open(path)
                    .with_context(|| format!("read {name}; `cargo xtask test` installs it"))?;
                file.take(70_000).read_to_end(&mut head)?;
                File::create(&iso)?.write_all(&head)?;
                Ok(Self {
                    what: "a truncated disc",
                    iso,
                    manifest: None,
                })
            }
            (DiscSource::Mastered(recipe), _) => {
                let healthy = Recipe {
                    medium: None,
                    size: None,
                    ..recipe.clone()
                };
                let disc = master(&healthy, &"bios+efi".parse::<Boot>()?)?;
                disc.write_to(folder)?;
                Ok(Self {
                    what: "a disc that boots",
                    iso,
                    manifest: Some(disc.manifest),
                })
            }
            (DiscSource::Live(_) | DiscSource::Edited { .. }, _) => {
                let disc =
                    reference::master(cell.id.disc().as_str(), None, &"bios+efi".parse()?, None)?;
                disc.write_to(folder)?;
                Ok(Self {
                    what: "a disc with another program",
                    iso,
                    manifest: None,
                })
            }
            (DiscSource::Iso { path, .. }, _) => {
                let disc =
                    reference::master(cell.id.disc().as_str(), None, &"bios+efi".parse()?, None)?;
                disc.write_to(folder)?;
                fs::metadata(path).with_context(|| format!("read {}", path.display()))?;
                Ok(Self {
                    what: "a disc that boots",
                    iso,
                    manifest: Some(disc.manifest),
                })
            }
        }
    }
}

fn master(recipe: &Recipe, boot: &Boot) -> anyhow::Result<MasteredDisc> {
    Ok(reference::master(
        recipe.id.as_str(),
        recipe.medium,
        boot,
        recipe.size,
    )?)
}

/// Puts the sector after it in the place of the last one that the probe looks at.
fn wrong_sector(
    iso: &Path,
    manifest: &Manifest,
    slot: Option<u16>,
    cell: &Cell,
) -> anyhow::Result<()> {
    let image = match (slot, cell.firmware.kind()) {
        (Some(slot), _) => manifest.image(slot),
        (None, FirmwareKind::Bios) => manifest.images.first(),
        (None, FirmwareKind::Uefi) => manifest.images.last(),
    };
    let plan = image.and_then(|image| Some((image.load_rba, image.plan.as_ref()?)));
    let (load_rba, plan) = plan.context("no image with a probe")?;
    let check = plan.checks.last().context("no checks")?;
    let number = u32::try_from(check.sector.get() + 1)?;
    let id = SectorId {
        disc: plan.disc,
        slot: plan.slot,
        number,
    };
    let file = File::options().write(true).open(iso)?;
    file.write_all_at(
        &id.encode(),
        load_rba.byte_offset() + check.sector.byte_offset(),
    )?;
    Ok(())
}
