//! Boots the disc on each firmware by each attachment.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use harness::{
    case::{Case, Success},
    checkpoint::Checkpoints,
    diagnosis,
    firmware::{Firmware, FirmwareId, keys_in},
    guest::{Starts, Vocabulary},
    machine::spec::Network,
    observation::Observation,
    outcome::OutcomeKind,
    platform::Platform,
    run::Infra,
};
use images::{
    change::Edits,
    inspect::{Options, Window, inspect},
};
use regex::bytes::Regex;
use scenarios::{
    baseline::finding_ids,
    cell::Cell,
    master::Masters,
    matrix::Matrix,
    record::{self, CellResult, Verdict},
    results::Results,
    runner::{
        attempt::by_keys,
        boot::{Boot, How},
        judge,
    },
    selection::Selection,
    toolbox::Toolbox,
};

use super::disc::Disc;
use crate::{
    boot_matrix,
    iso::Existing,
    options::{BootMatrix, FirmwareWord, Repro},
    parallel, place, setup,
    signals::Signals,
    stop::Stop,
    terminal,
};

/// What the disc is booted on, and how.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) cells: Vec<Cell>,
    pub(super) out: PathBuf,
    toolbox: Toolbox,
    success: Success,
    deadline: Option<Duration>,
    memory_mib: Option<u32>,
    cpu: Option<String>,
    network: Network,
    words: Arc<Vocabulary>,
    cold: bool,
    boot_code: Option<Arc<[u8]>>,
}

/// One boot, or why there was none.
#[derive(Debug)]
pub(super) struct Booted {
    pub(super) cell: Cell,
    pub(super) case: Option<Case>,
    pub(super) seen: Result<Observation, Failure>,
    pub(super) result: CellResult,
    /// Why the machine's keys do not let the disc's loader run.
    by_keys: Option<String>,
    /// What is seen of it on a sound medium, where it did not start on another.
    sound: Option<Observation>,
}

/// Why there was no boot.
#[derive(Debug)]
pub(super) enum Failure {
    /// Something that it needs is not here.
    Skipped(String),
    /// The host or QEMU failed.
    Infra(Infra),
}

impl Booted {
    /// What was seen, to be explained.
    pub(super) fn boot(&self) -> Option<diagnosis::Boot<'_>> {
        Some(diagnosis::Boot {
            build: self.cell.id.firmware().to_owned(),
            firmware: self.cell.firmware,
            attachment: self.cell.attachment,
            observation: self.seen.as_ref().ok()?,
            by_keys: self.by_keys.as_deref(),
            medium: self.cell.medium_profile.zip(self.sound.as_ref()),
        })
    }
}

impl Setting {
    /// Finds the tools, declares the disc as a scenario, and makes what its machines start from.
    pub(super) fn prepare(
        options: &Repro,
        existing: Existing<'_>,
        out: &Path,
    ) -> anyhow::Result<Self> {
        let folder = existing.declare(out)?;
        let unreadable = |error| Stop::scenarios(&error);
        let masters = Arc::new(Masters::read(&[]).map_err(unreadable)?);
        let matrix = Matrix::read(std::slice::from_ref(&folder), &masters).map_err(unreadable)?;
        let builds_of = BootMatrix {
            firmware: FirmwareWord::names(&options.firmware),
            firmware_grid: options.firmware_grid,
            ..BootMatrix::whole(options.tooling.clone())
        };
        let builds = boot_matrix::builds::chosen(&builds_of, false)?;
        let selection = Selection {
            firmware: FirmwareWord::names(&options.firmware)
                .iter()
                .map(|name| name.id)
                .collect(),
            attach: options.attach.clone(),
            ..Selection::default()
        };
        let cells = selection
            .apply(&matrix)
            .map_err(|error| Stop::usage(error, "cargo xtask repro --help"))?;
        let cells = boot_matrix::builds::on_chosen(&builds_of, cells, &builds)?;
        let mut toolbox = setup::provide_for_cells(&cells, &masters, &[], &options.tooling)?;
        toolbox.firmware.extend(builds);
        setup::some_have_a_machine(&cells, &toolbox)?;
        // What is distilled must do the same from power-on, which is how everybody else boots it.
        let distils = options.distil.is_some() || options.promote.is_some();
        let network = Network::from(options.network);
        let other = options.memory.is_some() || options.cpu.is_some() || network != Network::None;
        let cold = options.cold || distils || other;
        if !cold {
            let (folder, signals) = (place::checkpoints()?, Signals::catch()?);
            let machines = boot_matrix::checkpoints::machines_of(&cells, &toolbox);
            let machines = machines.map(Platform::for_strangers);
            boot_matrix::checkpoints::prepare(machines, &folder, false, signals)?;
        }
        let pattern = options.expect.as_deref().map(Regex::new).transpose()?;
        Ok(Self {
            cells,
            out: out.to_owned(),
            toolbox,
            success: pattern.map_or(Success::Probe, Success::Text),
            deadline: options.timeout.map(Duration::from_secs),
            memory_mib: options.memory,
            cpu: options.cpu.clone(),
            network,
            words: vocabulary(&options.words)?,
            cold,
            boot_code: options.boot_code.as_deref().map(boot_code).transpose()?,
        })
    }

    /// The same for some of its cells, with the evidence elsewhere.
    pub(super) fn below(&self, out: &Path, cells: Vec<Cell>) -> Self {
        Self {
            cells,
            out: out.to_owned(),
            ..self.clone()
        }
    }

    /// Boot code for a first sector that has none, where some was named.
    pub(super) fn boot_code(&self) -> Option<&[u8]> {
        self.boot_code.as_deref()
    }

    /// Whether a boot was not seen to start.
    pub(super) fn failed(&self, booted: &Booted) -> bool {
        booted
            .seen
            .as_ref()
            .is_ok_and(|seen| seen.starts != Starts::Yes)
    }

    /// The results, as those of a matrix.
    pub(super) fn results(&self, booted: &[Booted]) -> Results {
        Results::new(
            self.toolbox.accelerator.accelerator.to_string(),
            boot_matrix::tools::used(&self.toolbox, &self.cells),
            booted.iter().map(|booted| booted.result.clone()).collect(),
        )
    }

    /// With what a cell is booted, and where its evidence goes.
    pub(super) fn how(&self, cell: &Cell) -> Result<How, String> {
        let platform = self
            .toolbox
            .platform(cell)
            .map_err(|error| error.to_string())?;
        Ok(How {
            enough: None,
            edits: Edits::default(),
            platform: Platform {
                memory_mib: self.memory_mib,
                cpu: self.cpu.clone(),
                network: self.network,
                ..platform
            }
            .for_strangers(),
            checkpoints: match self.cold {
                true => None,
                false => Some(Checkpoints::in_folder(
                    place::checkpoints().map_err(|stop| stop.message().to_owned())?,
                )),
            },
            success: self.success.clone(),
            words: Some(Arc::clone(&self.words)),
            deadline: self.deadline,
            evidence: self.out.join(record::evidence_folder(&cell.id)),
        })
    }
}

/// Boots the disc in every cell, as many at once as there are processors.
pub(super) fn all(
    setting: &Setting,
    disc: &Disc,
    signals: &Signals,
) -> anyhow::Result<Vec<Booted>> {
    let ended = AtomicUsize::new(0);
    let booted = Mutex::new(Vec::new());
    let numbered: Vec<(usize, &Cell)> = setting.cells.iter().enumerate().collect();
    let total = numbered.len();
    parallel::each(&numbered, signals, |&(number, cell)| {
        let one = boot(setting, cell, disc);
        let ended = ended.fetch_add(1, Ordering::Relaxed) + 1;
        // Nobody has to read it.
        drop(writeln!(
            terminal::stderr(),
            "[{ended}/{total}] {}",
            progress(&one)
        ));
        // A poisoned lock holds what it held.
        let mut booted = booted.lock().unwrap_or_else(PoisonError::into_inner);
        booted.push((number, one));
        Ok::<(), Stop>(())
    })?;
    if signals.caught() {
        return Err(Stop::host("interrupted", "").into());
    }
    let mut booted = booted.into_inner().unwrap_or_else(PoisonError::into_inner);
    booted.sort_by_key(|(number, _)| *number);
    Ok(booted.into_iter().map(|(_, one)| one).collect())
}

fn boot(setting: &Setting, cell: &Cell, disc: &Disc) -> Booted {
    let (case, seen) = match setting.how(cell) {
        Err(why) => (None, Err(Failure::Skipped(why))),
        Ok(how) => {
            let boot = Boot::of(cell, &disc.path, None, &disc.read, how);
            (Some(boot.case), boot.seen.map_err(Failure::Infra))
        }
    };
    let sound = match &seen {
        Ok(seen) if cell.medium_profile.is_some() && seen.starts != Starts::Yes => {
            on_sound_medium(setting, cell, disc)
        }
        _ => None,
    };
    let refused = case.as_ref().filter(|_| {
        seen.as_ref()
            .is_ok_and(|seen: &Observation| seen.outcome.kind == OutcomeKind::Refused)
    });
    let by_keys = refused.and_then(|case| refused_by_keys(&case.platform.firmware, disc));
    let result = match &seen {
        Err(Failure::Skipped(why)) => record::unseen(cell, Verdict::Skipped, why),
        Err(Failure::Infra(infra)) => record::unseen(cell, Verdict::Infra, infra.to_string()),
        Ok(observation) => judge::observed(cell, observation, finding_ids(&disc.read.inspection)),
    };
    Booted {
        cell: cell.clone(),
        case,
        seen,
        result,
        by_keys,
        sound,
    }
}

/// The folder of the boot from a sound medium, in the evidence of the one that it is compared with.
const SOUND: &str = "sound-medium";

/// Boots the disc once more, with nothing the matter with its medium.
fn on_sound_medium(setting: &Setting, cell: &Cell, disc: &Disc) -> Option<Observation> {
    let mut how = setting.how(cell).ok()?;
    how.platform.medium_profile = None;
    // As the other one: nothing but the medium may differ.
    how.checkpoints = None;
    how.evidence = how.evidence.join(SOUND);
    Boot::of(cell, &disc.path, None, &disc.read, how).seen.ok()
}

/// Why the keys in a firmware's variable store let none of the disc's loaders run.
fn refused_by_keys(firmware: &Firmware, disc: &Disc) -> Option<String> {
    if firmware.id != FirmwareId::OvmfSecureBoot {
        return None;
    }
    let keys = keys_in(&std::fs::read(firmware.image.variables()?).ok()?)?;
    let options = Options {
        machine: Some(&keys),
        ..Options::default()
    };
    let read = inspect(&mut Window::new(&*disc.file), &options).ok()?;
    by_keys(&read).map(ToOwned::to_owned)
}

fn progress(booted: &Booted) -> String {
    let (firmware, attachment) = (booted.cell.id.firmware(), booted.cell.attachment);
    match &booted.seen {
        Ok(observation) => format!(
            "{firmware} by {attachment}: {} in {:.1} s",
            short(observation),
            Duration::from_millis(observation.duration_ms).as_secs_f64()
        ),
        Err(Failure::Skipped(why)) => format!("{firmware} by {attachment}: skipped, {why}"),
        Err(Failure::Infra(infra)) => {
            format!("{firmware} by {attachment}: {ERROR}: {}", infra.what)
        }
    }
}

/// What people read where results have the word `infra`.
pub(super) const ERROR: &str = "error, the run failed and not the disc";

/// An outcome in a few words: what a guest came to says more than that it was handed over to.
pub(super) fn short(observation: &Observation) -> String {
    let outcome = &observation.outcome;
    let what = match (&observation.guest, outcome.kind) {
        (Some(guest), OutcomeKind::HandedOver) => guest.state.to_string(),
        _ => outcome.kind.to_string(),
    };
    match (&outcome.code, outcome.kind) {
        (Some(code), OutcomeKind::Refused) => format!("{what} {code}"),
        _ => what,
    }
}

/// More than a sector of boot code has.
const LONGEST_CODE: u64 = 512;

/// Boot code from a file.
fn boot_code(file: &Path) -> Result<Arc<[u8]>, Stop> {
    let remedy = "--boot-code and a file of at most 512 bytes, such as isohdpfx.bin of isolinux or boot_hybrid.img of GRUB";
    let unreadable =
        |error| Stop::usage(format!("cannot read {}: {error}", file.display()), remedy);
    let length = file.metadata().map_err(unreadable)?.len();
    if length == 0 || length > LONGEST_CODE {
        let what = format!(
            "{} has {length} bytes, so it is not boot code",
            file.display()
        );
        return Err(Stop::usage(what, remedy));
    }
    Ok(std::fs::read(file).map_err(unreadable)?.into())
}

/// The words that programs are known by, and those of the files that were named.
fn vocabulary(files: &[PathBuf]) -> Result<Arc<Vocabulary>, Stop> {
    let mut vocabulary = Vocabulary::builtin();
    for file in files {
        let remedy = "--words and a file as docs/guests.md describes it";
        let text = std::fs::read_to_string(file).map_err(|error| {
            Stop::usage(format!("cannot read {}: {error}", file.display()), remedy)
        })?;
        let with = vocabulary.with_file(file, &text);
        vocabulary = Arc::new(with.map_err(|error| Stop::usage(error, remedy))?);
    }
    Ok(vocabulary)
}
