//! A cell against the bare start of an emulator, from a checkpoint against from power-on, two machines against one,
//! and how much memory one takes.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, ensure};
use clap::ValueEnum;
use harness::{
    attachment::Attachment,
    case::{Case, Success},
    checkpoint::NoCheckpoint,
    firmware::FirmwareId,
    observation::Start,
    outcome::OutcomeKind,
    platform::Platform,
    run,
};
use images::{manifest::Manifest, reference};
use nix::sys::resource::{UsageWho, getrusage};

use super::{
    bed::Bed,
    report::{Aim, Key, Kind, Report, Row, Side, Time},
    timing::{Action, alternate, in_turn, ratio, show},
};
use cli::{place, remark, stop::Stop};

/// With these OVMF is measured besides [`OVMF_BY`].
const OVMF_ALSO_BY: [Attachment; 4] = [
    Attachment::Scsi,
    Attachment::UsbCd,
    Attachment::UsbDisk,
    Attachment::VirtioBlk,
];
/// Measured where they are installed.
pub(super) const OTHERS: [(FirmwareId, Side, Attachment); 2] = [
    (FirmwareId::Aavmf, Side::Aavmf, Attachment::Scsi),
    (FirmwareId::OvmfIa32, Side::OvmfIa32, Attachment::Ahci),
];
const SEABIOS_BY: Attachment = Attachment::Ide;
const OVMF_BY: Attachment = Attachment::Ahci;

/// Many times what any of these machines takes.
const DEADLINE: Duration = Duration::from_secs(60);

/// A machine to measure the memory of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OneMachine {
    SeabiosWarm,
    SeabiosCold,
    OvmfWarm,
    OvmfCold,
}

pub(super) fn measure(bed: &Bed, whole: bool, report: &mut Report) -> anyhow::Result<()> {
    let seabios = Boot::seabios(bed)?;
    let ovmf = Boot::ovmf(bed, OVMF_BY)?;
    remark!("bench: cells against a bare start of QEMU, warm and cold");
    let bare = || start_and_quit(bed, &bed.toolbox.qemu.path, "pc");
    let bare_key = Key {
        side: Side::Seabios,
        group: String::new(),
        kind: Kind::Bare,
    };
    let mut list: Vec<(String, Key, Action<'_>)> =
        vec![("QEMU, bare start and quit".to_owned(), bare_key, &bare)];
    let seabios_starts = seabios.starts("one");
    let ovmf_starts = ovmf.starts("one");
    for (boot, starts) in [(&seabios, &seabios_starts), (&ovmf, &ovmf_starts)] {
        list.extend(boot.entries(starts));
    }
    let first = report.times.len();
    time_all(bed, bed.runs, list, report)?;
    compare_with_bare(&report.times[first..], &mut report.rows);
    report.rows.extend(ovmf.warm_against_cold(&report.times));
    for (firmware, side, attachment) in OTHERS {
        let platform = match bed.platform(firmware, attachment) {
            Ok(platform) => platform,
            Err(error) => {
                remark!("note: {firmware} is not measured: {error}");
                continue;
            }
        };
        remark!("bench: {firmware} by {attachment}, warm and cold");
        let boot = Boot::new(bed, firmware.name(), side, platform)?;
        let starts = boot.starts("one");
        time_all(bed, bed.runs.div_ceil(2), boot.entries(&starts), report)?;
        report.rows.extend(boot.warm_against_cold(&report.times));
    }
    if whole {
        for attachment in OVMF_ALSO_BY {
            remark!("bench: OVMF by {attachment}, warm and cold");
            let ovmf = Boot::ovmf(bed, attachment)?;
            let starts = ovmf.starts("one");
            time_all(bed, bed.runs.div_ceil(3), ovmf.entries(&starts), report)?;
            report.rows.extend(ovmf.warm_against_cold(&report.times));
        }
    }
    remark!("bench: two machines at once against one");
    for (boot, start, batch) in [
        (&seabios, Start::Warm, 8),
        (&ovmf, Start::Warm, 3),
        (&seabios, Start::Cold, 8),
        (&ovmf, Start::Cold, 1),
    ] {
        if start == Start::Cold || boot.has_checkpoint {
            report.rows.push(scaling(bed, boot, start, batch)?);
        }
    }
    remark!("bench: memory of one machine");
    for (boot, start, machine) in [
        (&seabios, Start::Warm, OneMachine::SeabiosWarm),
        (&seabios, Start::Cold, OneMachine::SeabiosCold),
        (&ovmf, Start::Warm, OneMachine::OvmfWarm),
        (&ovmf, Start::Cold, OneMachine::OvmfCold),
    ] {
        if start == Start::Cold || boot.has_checkpoint {
            let what = format!("{} {}: QEMU's peak memory", boot.name, word(start));
            let bytes = peak_in_a_process(bed, machine)?;
            report
                .rows
                .push(Row::new(what, bytes as f64 / 1e6, " MB").aim(Aim::AtMost(160.0)));
        }
    }
    Ok(())
}

/// Times everything in the list in turn.
pub(super) fn time_all(
    bed: &Bed,
    runs: u32,
    list: Vec<(String, Key, Action<'_>)>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let actions: Vec<Action<'_>> = list.iter().map(|(_, _, action)| *action).collect();
    let spreads = in_turn(bed, runs, &actions)?;
    let times = list
        .into_iter()
        .zip(spreads)
        .map(|((what, key, _), spread)| Time {
            what,
            spread,
            key: Some(key),
        });
    report.times.extend(times);
    Ok(())
}

fn median(times: &[Time], side: Side, kind: Kind, group: &str) -> Option<Duration> {
    let is_it = |key: &Key| key.side == side && key.kind == kind && key.group == group;
    let time = times
        .iter()
        .find(|time| time.key.as_ref().is_some_and(is_it))?;
    Some(time.spread.median)
}

fn compare_with_bare(times: &[Time], rows: &mut Vec<Row>) {
    let seabios = |kind| median(times, Side::Seabios, kind, "");
    let Some(bare) = seabios(Kind::Bare) else {
        return;
    };
    for (kind, name) in [(Kind::Warm, "warm"), (Kind::Cold, "cold")] {
        let Some(cell) = seabios(kind) else { continue };
        let what = format!(
            "SeaBIOS cell, {name} ({}), against QEMU's bare start and quit ({})",
            show(cell),
            show(bare)
        );
        let row = Row::new(what, ratio(cell, bare), "×");
        rows.push(match kind {
            Kind::Warm => row.aim(Aim::AtMost(2.5)),
            _ => row,
        });
    }
}

/// The throughput of two machines at once, against one.
fn scaling(bed: &Bed, boot: &Boot<'_>, start: Start, batch: u32) -> anyhow::Result<Row> {
    let run = |lane: &str, cells: u32| -> anyhow::Result<()> {
        (0..cells).try_for_each(|_| boot.boot(start, lane))
    };
    let (one, two) = alternate(
        bed,
        bed.runs.div_ceil(2),
        &|| run("one", 2 * batch),
        &|| at_once(|| run("one", batch), || run("two", batch)),
    )?;
    let (one, two) = (one.median, two.median);
    let what = format!(
        "{} {}: {} cells on two machines at once ({}) against one ({})",
        boot.name,
        word(start),
        2 * batch,
        show(two),
        show(one)
    );
    Ok(Row::new(what, ratio(one, two), "× the throughput").aim(Aim::AtLeast(1.7)))
}

fn at_once(
    one: impl FnOnce() -> anyhow::Result<()> + Send,
    other: impl FnOnce() -> anyhow::Result<()> + Send,
) -> anyhow::Result<()> {
    thread::scope(|scope| {
        let beside = scope.spawn(other);
        let here = one();
        let there = beside
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        here.and(there)
    })
}

/// QEMU with the same machine, which runs nothing and is told to quit.
pub(super) fn start_and_quit(bed: &Bed, qemu: &Path, machine: &str) -> anyhow::Result<()> {
    let mut child = Command::new(qemu)
        .args(["-nodefaults", "-display", "none", "-machine", machine, "-S"])
        .args(["-accel", bed.accelerator().as_str(), "-monitor", "stdio"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("start {}", qemu.display()))?;
    if let Some(mut monitor) = child.stdin.take() {
        monitor.write_all(b"quit\n").context("tell QEMU to quit")?;
    }
    let status = child.wait().context("wait for QEMU")?;
    ensure!(status.success(), "{} ended with {status}", qemu.display());
    Ok(())
}

/// A mastered disc that boots, and the machine that it boots on.
pub(super) struct Boot<'a> {
    bed: &'a Bed,
    name: &'static str,
    side: Side,
    group: String,
    id: &'static str,
    folder: std::path::PathBuf,
    manifest: Manifest,
    platform: Platform,
    has_checkpoint: bool,
}

type Timed<'a> = Box<dyn Fn() -> anyhow::Result<()> + 'a>;

impl<'a> Boot<'a> {
    fn seabios(bed: &'a Bed) -> anyhow::Result<Self> {
        let platform = bed.platform(FirmwareId::Seabios, SEABIOS_BY)?;
        let boot = Self::new(bed, "SeaBIOS", Side::Seabios, platform)?;
        Ok(Self {
            group: String::new(),
            ..boot
        })
    }

    fn ovmf(bed: &'a Bed, attachment: Attachment) -> anyhow::Result<Self> {
        let platform = bed.platform(FirmwareId::Ovmf, attachment)?;
        Self::new(bed, "OVMF", Side::Ovmf, platform)
    }

    pub(super) fn new(
        bed: &'a Bed,
        name: &'static str,
        side: Side,
        platform: Platform,
    ) -> anyhow::Result<Self> {
        let (id, boot) = match side {
            Side::Seabios | Side::Other(FirmwareId::Rombios) => {
                ("bench/-/none/-/reference", "none")
            }
            Side::OvmfIa32 => ("bench/-/efi,loaders=ia32/-/reference", "efi,loaders=ia32"),
            Side::Aavmf | Side::Other(FirmwareId::UBootArm64) => {
                ("bench/-/efi,loaders=aa64/-/reference", "efi,loaders=aa64")
            }
            Side::Ovmf | Side::Other(_) => ("bench/-/efi/-/reference", "efi"),
        };
        let disc = reference::master(id, None, &boot.parse()?, None)?;
        let attachment = platform.attachment.to_string();
        let folder = format!("{boot}-{}-{attachment}", platform.firmware);
        let folder = bed.folder.path().join(folder);
        disc.write_to(&folder)
            .with_context(|| format!("master a disc in {}", folder.display()))?;
        let has_checkpoint = match bed.checkpoints.prepare(&platform) {
            Ok(_) => true,
            Err(NoCheckpoint::Never(_)) if matches!(side, Side::Other(_)) => false,
            Err(NoCheckpoint::Never(why)) => {
                remark!("note: {name} by {attachment} starts only cold: {why}");
                false
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            bed,
            name,
            side,
            group: attachment,
            id,
            folder,
            manifest: disc.manifest,
            platform,
            has_checkpoint,
        })
    }

    fn warm_against_cold(&self, times: &[Time]) -> Option<Row> {
        let of = |kind| median(times, self.side, kind, &self.group);
        let (warm, cold) = (of(Kind::Warm)?, of(Kind::Cold)?);
        let what = format!(
            "{} cell by {}, warm ({}) against cold ({})",
            self.name,
            self.platform.attachment,
            show(warm),
            show(cold)
        );
        let row = Row::new(what, ratio(cold, warm), "× faster");
        Some(match self.side {
            // It writes its variables to flash, from a checkpoint too.
            Side::OvmfIa32 => row,
            _ => row.aim(Aim::AtLeast(6.0)),
        })
    }

    /// Boots from each start that there is.
    pub(super) fn starts<'b>(&'b self, lane: &'b str) -> Vec<(Start, Timed<'b>)> {
        [Start::Warm, Start::Cold]
            .into_iter()
            .filter(|&start| start == Start::Cold || self.has_checkpoint)
            .map(|start| {
                let boot: Timed<'b> = Box::new(move || self.boot(start, lane));
                (start, boot)
            })
            .collect()
    }

    /// These boots, with their names and their places in the plot.
    pub(super) fn entries<'b>(
        &self,
        starts: &'b [(Start, Timed<'b>)],
    ) -> Vec<(String, Key, Action<'b>)> {
        let entry = |(start, boot): &'b (Start, Timed<'b>)| {
            let what = format!(
                "{} cell by {}, {}",
                self.name,
                self.platform.attachment,
                word(*start)
            );
            let key = Key {
                side: self.side,
                group: self.group.clone(),
                kind: match start {
                    Start::Warm => Kind::Warm,
                    Start::Cold => Kind::Cold,
                },
            };
            (what, key, &**boot as Action<'b>)
        };
        starts.iter().map(entry).collect()
    }

    pub(super) fn boot(&self, start: Start, lane: &str) -> anyhow::Result<()> {
        let observation = run::run(&Case {
            id: self.id.to_owned(),
            disc: self.folder.join("disc.iso"),
            edits: Default::default(),
            manifest: Some(self.manifest.clone()),
            map: None,
            configurations: Default::default(),
            platform: self.platform.clone(),
            checkpoints: (start == Start::Warm).then(|| self.bed.checkpoints.clone()),
            success: Success::Probe,
            dialogue: None,
            words: None,
            patience: None,
            deadline: Some(DEADLINE),
            enough: None,
            evidence: self.folder.join(lane),
        })?;
        let outcome = observation.outcome;
        ensure!(
            outcome.kind == OutcomeKind::Booted,
            "{} did not boot: {}",
            self.id,
            outcome.detail
        );
        ensure!(
            observation.start == start,
            "{} by {} has a checkpoint, and a machine started without it",
            self.name,
            self.platform.attachment
        );
        Ok(())
    }
}

const fn word(start: Start) -> &'static str {
    match start {
        Start::Warm => "warm",
        Start::Cold => "cold",
    }
}

/// The peak memory of one machine, in bytes. The kernel tells a process of the largest of all the children that it ever
/// had, so that a process of its own has to ask.
fn peak_in_a_process(bed: &Bed, machine: OneMachine) -> anyhow::Result<u64> {
    bed.unless_interrupted()?;
    let name = machine.to_possible_value().unwrap_or_else(|| "".into());
    let output = Command::new(place::THIS_PROGRAM)
        .args(["bench", "--peak-memory", name.get_name()])
        .args(bed.tooling())
        .stderr(Stdio::inherit())
        .output()
        .context("start this program again")?;
    ensure!(
        output.status.success(),
        "measuring memory ended with {}",
        output.status
    );
    let said = String::from_utf8_lossy(&output.stdout);
    said.trim()
        .parse()
        .with_context(|| format!("read a number of bytes from {said:?}"))
}

/// Runs one machine, and says the peak memory of QEMU in bytes: its resident set, with what it shares with other
/// machines.
pub(super) fn peak(bed: &Bed, machine: OneMachine) -> anyhow::Result<u64> {
    let (boot, start) = match machine {
        OneMachine::SeabiosWarm => (Boot::seabios(bed)?, Start::Warm),
        OneMachine::SeabiosCold => (Boot::seabios(bed)?, Start::Cold),
        OneMachine::OvmfWarm => (Boot::ovmf(bed, OVMF_BY)?, Start::Warm),
        OneMachine::OvmfCold => (Boot::ovmf(bed, OVMF_BY)?, Start::Cold),
    };
    boot.boot(start, "one")?;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)
        .map_err(|error| Stop::host(format!("the kernel tells no peak memory: {error}"), ""))?;
    // In units of 1024 bytes (getrusage(2)).
    Ok(u64::try_from(usage.max_rss()).unwrap_or_default() * 1024)
}
