//! A cell against the bare start of an emulator, and two machines against one.

use std::{
    io::Write,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, ensure};
use harness::{
    accelerator::Accelerator,
    attachment::Attachment,
    case::{Case, Success},
    firmware::Firmware,
    outcome::OutcomeKind,
    platform::Platform,
    run,
};
use images::{manifest::Manifest, reference};

use super::{
    Bed, Row,
    timing::{alternate, ratio, show, time},
};

pub(super) fn measure(bed: &Bed) -> anyhow::Result<Vec<Row>> {
    let bios = Disc::new(bed, "bench/-/none/-/reference", "none")?;
    let efi = Disc::new(bed, "bench/-/efi/-/reference", "efi")?;
    let cell = || time(|| bios.boot(bed, &bed.seabios, Attachment::Ide, "one"));
    let bare = || time(|| start_and_quit(bed));
    let (cell_time, bare_time) = alternate(bed.runs, cell, bare)?;
    let mut rows = vec![Row::new(
        format!(
            "SeaBIOS cell ({}) against bare QEMU start and quit ({})",
            show(cell_time),
            show(bare_time)
        ),
        format!("{:.2}×", ratio(cell_time, bare_time)),
        "≤ 3×",
    )];
    for (name, disc, firmware, attachment, batch) in [
        ("SeaBIOS", &bios, &bed.seabios, Attachment::Ide, 8),
        ("OVMF", &efi, &bed.ovmf, Attachment::Ahci, 1),
    ] {
        let run = |lane: &str, cells: u32| -> anyhow::Result<()> {
            (0..cells).try_for_each(|_| disc.boot(bed, firmware, attachment, lane))
        };
        let one_after_the_other = || time(|| run("one", 2 * batch));
        let two_at_once = || time(|| at_once(|| run("one", batch), || run("two", batch)));
        let (one, two) = alternate(bed.runs.div_ceil(2), one_after_the_other, two_at_once)?;
        rows.push(Row::new(
            format!(
                "{name}: {} cells on two machines at once ({}) against one ({})",
                2 * batch,
                show(two),
                show(one)
            ),
            format!("{:.2}× the throughput", ratio(one, two)),
            "≥ 1.7×",
        ));
    }
    Ok(rows)
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
fn start_and_quit(bed: &Bed) -> anyhow::Result<()> {
    let mut child = Command::new(&bed.qemu.path)
        .args([
            "-nodefaults",
            "-display",
            "none",
            "-machine",
            "pc",
            "-S",
            "-monitor",
            "stdio",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("start {}", bed.qemu.path.display()))?;
    if let Some(mut monitor) = child.stdin.take() {
        monitor.write_all(b"quit\n").context("tell QEMU to quit")?;
    }
    let status = child.wait().context("wait for QEMU")?;
    ensure!(
        status.success(),
        "{} ended with {status}",
        bed.qemu.path.display()
    );
    Ok(())
}

/// A mastered disc that boots.
struct Disc {
    id: &'static str,
    folder: std::path::PathBuf,
    manifest: Manifest,
}

impl Disc {
    fn new(bed: &Bed, id: &'static str, boot: &str) -> anyhow::Result<Self> {
        let disc = reference::master(id, None, &boot.parse()?, None)?;
        let folder = bed.folder.path().join(boot);
        disc.write_to(&folder)
            .with_context(|| format!("master a disc in {}", folder.display()))?;
        Ok(Self {
            id,
            folder,
            manifest: disc.manifest,
        })
    }

    fn boot(
        &self,
        bed: &Bed,
        firmware: &Firmware,
        attachment: Attachment,
        lane: &str,
    ) -> anyhow::Result<()> {
        let observation = run::run(&Case {
            id: self.id.to_owned(),
            disc: self.folder.join("disc.iso"),
            manifest: Some(self.manifest.clone()),
            platform: Platform {
                qemu: bed.qemu.clone(),
                firmware: firmware.clone(),
                accelerator: Accelerator::Tcg,
                attachment,
                memory_mib: None,
            },
            checkpoints: None,
            success: Success::Probe,
            deadline: Some(Duration::from_secs(60)),
            evidence: self.folder.join(lane),
        })?;
        let outcome = observation.outcome;
        ensure!(
            outcome.kind == OutcomeKind::Booted,
            "{} did not boot: {}",
            self.id,
            outcome.detail
        );
        Ok(())
    }
}
