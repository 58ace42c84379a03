//! From a case to an observation.

use std::{
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use images::{
    change::Changed,
    inspect::{DiscFile, Source, Window},
    probe::report::ProbeReport,
    units::ByteCount,
};

use crate::{
    case::Case,
    checkpoint::Checkpoint,
    child::die_with_parent,
    evidence::{
        EvidenceError, EvidenceFolder, OBSERVATION, OVERLAY, REPLAY, SCREEN_TEXT, SCREENSHOT,
        SERIAL_RAW, SERIAL_SCREEN, SERIAL_TEXT, SERIAL_TIMES,
    },
    guest::{Need, Starts},
    layout::BootLayout,
    machine::{
        CommandError, Machine,
        spec::{Channels, HostDisc, MachineSpec, Origin},
    },
    observation::{DiscRead, Observation, Start},
    outcome::OutcomeKind,
    platform::{PROCESSOR_TIME, Platform},
    screen,
    trace::TraceLog,
    watch::{Trouble, Watch},
};

/// The file for QEMU's own messages.
const STDERR: &str = "qemu-stderr.txt";
/// The part of QEMU's output that a message shows.
const STDERR_TAIL: usize = 2000;

/// A case could not be run: QEMU could not start, died or was killed, or the host failed. This proves nothing
/// about the disc.
#[derive(Debug, thiserror::Error)]
#[error("{what}{}{}", after("; QEMU said: ", .stderr), after("; the command: ", .command))]
pub struct Infra {
    /// The failure, with the remedy if there is one.
    pub what: String,
    /// The end of what QEMU wrote to standard error.
    pub stderr: String,
    /// The command that ran, quoted for a shell; empty if none did.
    pub command: String,
}

fn after(label: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{label}{text}")
    }
}

impl Infra {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            stderr: String::new(),
            command: String::new(),
        }
    }
}

impl From<EvidenceError> for Infra {
    fn from(error: EvidenceError) -> Self {
        Self::new(error.to_string())
    }
}

/// Boots a case's disc, watches until something decides, and writes the evidence to the case's folder.
///
/// # Errors
/// [`Infra`] if the host or QEMU failed; the folder then has the available evidence, and no
/// observation.
pub fn run(case: &Case) -> Result<Observation, Infra> {
    let folder = EvidenceFolder::create(&case.evidence)?;
    let began = Instant::now();
    let result = with_enough_memory(case, &folder, began).and_then(|observation| {
        folder.end_machine()?;
        keep(&observation, &folder)?;
        Ok(observation)
    });
    if let Err(infra) = &result {
        // The first failure is the one to report.
        let _ = folder.end_machine();
        let _ = folder.write("infra.txt", format!("{infra}\n").as_bytes());
    }
    result
}

/// Boots it, and again from power-on with more memory while its guest reports that memory is short.
fn with_enough_memory(
    case: &Case,
    folder: &EvidenceFolder,
    began: Instant,
) -> Result<Observation, Infra> {
    let mut seen = boot(case, folder)?;
    let mut memory = case.platform.memory();
    loop {
        let short = seen.guest.as_ref().and_then(|guest| guest.needs) == Some(Need::Memory);
        let more = MORE_MEMORY_MIB.into_iter().find(|more| *more > memory);
        let left = case
            .deadline
            .map(|deadline| deadline.saturating_sub(began.elapsed()));
        let enough =
            |more: &u32| host_memory_mib().is_some_and(|free| u64::from(*more) <= free / 2);
        let (true, Some(more), false) = (short, more.filter(enough), left == Some(Duration::ZERO))
        else {
            return Ok(seen);
        };
        let had = memory;
        memory = more;
        let again = Case {
            platform: Platform {
                memory_mib: Some(memory),
                ..case.platform.clone()
            },
            checkpoints: None,
            deadline: left,
            ..case.clone()
        };
        folder.end_machine()?;
        seen = boot(&again, folder)?;
        let told = format!("started again with {memory} MiB, for it is short of memory with {had}");
        seen.outcome.detail = match seen.outcome.detail.as_str() {
            "" => told,
            detail => format!("{detail}; {told}"),
        };
    }
}

/// The amounts of memory for a guest that is short of it, one after the other.
const MORE_MEMORY_MIB: [u32; 3] = [1024, 2048, 4096];

/// The host's free memory, in MiB; `None` if the kernel does not report it.
#[must_use]
pub fn host_memory_mib() -> Option<u64> {
    let told = fs::read_to_string("/proc/meminfo").ok()?;
    let line = told
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

/// Boots a case's disc in QEMU's own window, from power-on, with the serial line at this terminal, until a user closes it.
///
/// # Errors
/// [`Infra`] if QEMU has no window or cannot open one.
pub fn show(case: &Case) -> Result<ExitStatus, Infra> {
    let platform = &case.platform;
    let window = platform.emulator.window().map_err(Infra::new)?;
    let folder = EvidenceFolder::create(&case.evidence.join("show"))?;
    let file = DiscFile::open(&case.disc).map_err(|error| Infra::new(error.to_string()))?;
    let layout = BootLayout::of(&mut Window::new(&file));
    let disc = HostDisc::at(
        disc_name(&absolute(&case.disc)?, &folder)?,
        file.length().get(),
    );
    let spec = platform
        .machine(disc, &layout, Origin::PowerOn, PROCESSOR_TIME)
        .map_err(|error| Infra::new(error.to_string()))?;
    let failed = |error: &dyn std::fmt::Display| Infra {
        command: spec.command(),
        ..Infra::new(format!("QEMU's window: {error}"))
    };
    let emulator = platform.emulator.id.emulator();
    emulator
        .prepare(&spec, folder.path())
        .map_err(|error| failed(&error))?;
    let mut command = Command::new(&spec.program);
    command
        .args(spec.argv(Channels::Window(window)))
        .current_dir(folder.path());
    die_with_parent(&mut command);
    let status = command.status().map_err(|error| failed(&error))?;
    if status.success() {
        Ok(status)
    } else {
        Err(failed(&status))
    }
}

fn boot(case: &Case, folder: &EvidenceFolder) -> Result<Observation, Infra> {
    let file = DiscFile::open(&case.disc).map_err(|error| Infra::new(error.to_string()))?;
    let changed = Changed::new(&file, &case.edits);
    let layout = BootLayout::of(&mut Window::new(&changed));
    let platform = &case.platform;
    if let Some(profile) = platform.medium_profile {
        profile.check_disc(&changed).map_err(Infra::new)?;
    }
    let name = disc_name(&absolute(&case.disc)?, folder)?;
    let mut disc = HostDisc::at(name, file.length().get());
    if !case.edits.is_empty() {
        disc.overlay = Some(overlay_over(&file, case, folder)?);
    }
    let machine = |origin| {
        platform
            .machine(disc.clone(), &layout, origin, case.processor_time())
            .map_err(|error| Infra::new(error.to_string()))
    };
    let cold = machine(Origin::PowerOn)?;
    folder.write_script(REPLAY, &cold.replay_script())?;
    // A checkpoint only saves time, so a missing one is not an error.
    if let Some(checkpoints) = &case.checkpoints
        && let Ok(checkpoint) = checkpoints.get(platform)
    {
        let spec = machine(checkpoint.origin())?;
        match resume(&spec, &checkpoint, folder) {
            Ok((machine, before)) => {
                return observe(case, &spec, machine, folder, layout, Some(before));
            }
            // The disc was not read yet.
            Err(_) => checkpoints.discard(&checkpoint),
        }
    }
    let machine = start(&cold, folder)?;
    observe(case, &cold, machine, folder, layout, None)
}

/// A machine's output before its checkpoint was taken, on COM1 and on the debug port.
type Before = (Vec<u8>, Vec<u8>);

fn start(spec: &MachineSpec, folder: &EvidenceFolder) -> Result<Machine, Infra> {
    let machines = folder.machine()?;
    let emulator = spec.emulator.emulator();
    emulator
        .prepare(spec, &machines)
        .map_err(|error| Infra::new(error.to_string()))?;
    Machine::start(spec, &machines, folder.file(STDERR)?).map_err(|error| Infra {
        command: spec.command(),
        ..Infra::new(format!(
            "QEMU {} could not be started: {error}",
            spec.program.display()
        ))
    })
}

fn resume(
    spec: &MachineSpec,
    checkpoint: &Checkpoint,
    folder: &EvidenceFolder,
) -> Result<(Machine, Before), Infra> {
    let failed = |error: &dyn std::fmt::Display| Infra::new(error.to_string());
    let machines = folder.machine()?;
    let emulator = spec.emulator.emulator();
    emulator
        .prepare(spec, &machines)
        .map_err(|error| failed(&error))?;
    let before = checkpoint.said().map_err(|error| failed(&error))?;
    let state = checkpoint.state().map_err(|error| failed(&error))?;
    let machine = Machine::resume(spec, &machines, folder.file(STDERR)?, &state)
        .map_err(|error| failed(&error))?;
    Ok((machine, before))
}

/// Watches a machine until something decides, and writes the evidence.
fn observe(
    case: &Case,
    spec: &MachineSpec,
    mut machine: Machine,
    folder: &EvidenceFolder,
    layout: BootLayout,
    before: Option<Before>,
) -> Result<Observation, Infra> {
    let start = match before {
        Some(_) => Start::Warm,
        None => Start::Cold,
    };
    let in_context = |trouble: Trouble| Infra {
        stderr: tail(&folder.path().join(STDERR)),
        command: spec.command(),
        ..Infra::new(describe(&trouble))
    };
    let mut watch = Watch::new(case, layout, machine.folder(), machine.started());
    let watched = before
        .map_or(Ok(()), |(serial, debug)| watch.heard_before(serial, debug))
        .and_then(|()| watch.watch(&mut machine));
    let duration = watch.elapsed();

    folder.write(SERIAL_RAW, watch.serial.bytes())?;
    folder.write(SERIAL_TIMES, watch.serial.times().as_bytes())?;
    folder.write(SERIAL_TEXT, watch.serial_text().as_bytes())?;
    let kind = case.platform.firmware.id.kind();
    let terminal = screen::text_from_terminal(watch.serial.bytes(), kind);
    folder.write(SERIAL_SCREEN, terminal.as_bytes())?;
    folder.write("debug.txt", watch.debug.bytes())?;
    folder.write("reads.txt", reads_table(&watch.trace, case).as_bytes())?;
    let outcome = match watched {
        Err(Trouble::Wire(damage)) => watch.damaged(&damage),
        watched => watched.map_err(in_context)?,
    };
    // Our own probe reports everything on the serial line.
    let is_looked_at = outcome.kind != OutcomeKind::Booted || case.manifest.is_none();
    let screen = match is_looked_at {
        true => Some(inspect(&mut machine, folder)?),
        false => None,
    };
    let serial = watch.serial_text().to_owned();
    drop(machine);

    let is_booted = outcome.kind == OutcomeKind::Booted;
    let words = watch.words();
    let guest = watch.guest(&outcome);
    let starts = Starts::of(&outcome, guest.as_ref(), case.asks());
    let reads = watch.trace.reads().to_vec();
    let reads_known = watch.trace.works();
    let reads_before_entry = watch.reads_before_entry();
    Ok(Observation {
        outcome,
        guest,
        starts,
        probe: probe_report(watch, is_booted)?,
        words,
        reads,
        reads_before_entry,
        reads_known,
        start,
        duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        serial,
        screen,
    })
}

/// Writes the observation. It is the last file: if it exists, all others do.
fn keep(observation: &Observation, folder: &EvidenceFolder) -> Result<(), Infra> {
    let json = serde_json::to_vec_pretty(observation).map_err(|error| {
        Infra::new(format!(
            "the observation cannot be written as JSON: {error}"
        ))
    })?;
    Ok(folder.write(OBSERVATION, &json)?)
}

fn absolute(disc: &Path) -> Result<PathBuf, Infra> {
    std::path::absolute(disc).map_err(|error| {
        Infra::new(format!(
            "path {} has no absolute form: {error}",
            disc.display()
        ))
    })
}

/// The disc's path in UTF-8. A path that is not UTF-8 gets a symbolic link in the evidence folder.
fn disc_name(disc: &Path, folder: &EvidenceFolder) -> Result<String, Infra> {
    if let Some(name) = disc.to_str() {
        return Ok(name.to_owned());
    }
    let link = folder.path().join("disc.iso");
    folder.remove("disc.iso")?;
    std::os::unix::fs::symlink(disc, &link).map_err(|error| {
        Infra::new(format!(
            "no link to {} can be made: {error}",
            disc.display()
        ))
    })?;
    utf8(&link, folder)
}

/// A path in the evidence folder, in UTF-8.
fn utf8(path: &Path, folder: &EvidenceFolder) -> Result<String, Infra> {
    let name = path.to_str().map(str::to_owned);
    name.ok_or_else(|| {
        Infra::new(format!(
            "evidence folder {} is not named in UTF-8: choose another",
            folder.path().display()
        ))
    })
}

/// Writes the changes to a disc into the evidence, and returns the file.
fn overlay_over(disc: &dyn Source, case: &Case, folder: &EvidenceFolder) -> Result<String, Infra> {
    let file = folder.file(OVERLAY)?;
    let emulator = case.platform.emulator.id.emulator();
    emulator
        .overlay(&file, disc, &case.edits)
        .map_err(|error| Infra::new(format!("the disc's changes cannot be written: {error}")))?;
    utf8(&absolute(&folder.path().join(OVERLAY))?, folder)
}

fn describe(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Exited(status) => format!("QEMU ended by itself ({})", ended(*status)),
        Trouble::Stopped(reason) => format!("QEMU was told to stop from outside ({reason})"),
        Trouble::Host(error) => format!("the host failed: {error}"),
        Trouble::Silent(error) => error.to_string(),
        Trouble::Wire(damage) => format!("damage on the wire: {damage}"),
        Trouble::Starved { had, waited } => format!(
            "this host is too busy: in {:.0} s the machine had {:.0} s of a processor, and that says nothing about the disc; \
             run it again when less else runs here",
            waited.as_secs_f32(),
            had.as_secs_f32()
        ),
    }
}

fn ended(status: ExitStatus) -> String {
    status.to_string()
}

/// The screen of a machine that did not boot. Returns its text.
fn inspect(machine: &mut Machine, folder: &EvidenceFolder) -> Result<String, Infra> {
    let or_words = |result: Result<String, CommandError>| match result {
        Ok(text) => text,
        Err(error) => format!("not known: {error}\n"),
    };
    let registers = or_words(machine.registers());
    folder.write("registers.txt", registers.as_bytes())?;
    let text = or_words(screen::read(machine).map(|screen| screen.text));
    folder.write(SCREEN_TEXT, text.as_bytes())?;
    // This is evidence, not the verdict: keep the rest if the screen cannot be read.
    if let Ok(ppm) = machine.screen()
        && let Ok(png) = screen::png_from_ppm(&ppm)
    {
        folder.write(SCREENSHOT, &png)?;
    }
    Ok(text)
}

/// The probe's report. A damaged report from a probe that did not finish does not count.
fn probe_report(watch: Watch<'_>, is_booted: bool) -> Result<Option<ProbeReport>, Infra> {
    match watch.probe.finish() {
        Err(damage) if is_booted => Err(Infra::new(format!("damage on the wire: {damage}"))),
        report => Ok(report.ok().flatten()),
    }
}

/// The reads as a table for people.
fn reads_table(trace: &TraceLog, case: &Case) -> String {
    if !trace.works() {
        return format!(
            "not known: QEMU {} writes no trace events to its log\n",
            case.platform.emulator.version
        );
    }
    let mut table =
        String::from("# block, bytes from the disc's start, bytes, what stands there\n");
    for read in trace.reads() {
        let what = what_is_at(case, *read);
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "{} {} {} {what}",
            read.lba().get(),
            read.offset,
            read.bytes
        );
    }
    table
}

/// The content at a read's place: from the map of the disc, or else from its manifest.
fn what_is_at(case: &Case, read: DiscRead) -> String {
    if let Some(map) = &case.map {
        let owned = map.whose(read.offset, ByteCount::new(read.bytes));
        let names: Vec<String> = owned.iter().map(ToString::to_string).collect();
        return names.join("; ");
    }
    let manifest = case.manifest.as_ref();
    manifest
        .and_then(|manifest| manifest.what_is_at(read.lba()))
        .unwrap_or("-")
        .to_owned()
}

/// The end of a file of QEMU's messages; empty if there is none.
fn tail(path: &Path) -> String {
    let bytes = read_or_empty(path);
    let text =
        String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(STDERR_TAIL)..]).into_owned();
    text.trim().to_owned()
}

fn read_or_empty(path: &Path) -> Vec<u8> {
    match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => error.to_string().into_bytes(),
    }
}
