//! The whole matrix, and the time that a newcomer waits.

use cli::remark;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use harness::{
    attachment::Attachment,
    checkpoint::{Kept, NoCheckpoint},
    firmware::FirmwareId,
    observation::Start,
    platform::Platform,
};
use scenarios::results::Results;

use super::{
    bed::Bed,
    machines::OTHERS,
    report::{Aim, Report, Row},
    timing::{ratio, show, time},
};
use cli::place::{self, cargo};

/// One cell, that is quick.
const ONE_CELL: &str = "emulation-modes/*/none/*/seabios/ide";

/// Sees to it that what is timed next builds nothing and makes no checkpoint.
pub(super) fn warm_up(bed: &Bed) -> anyhow::Result<()> {
    remark!("bench: the tests are built, and the checkpoints made");
    for platform in platforms(bed)? {
        bed.unless_interrupted()?;
        match bed.checkpoints.prepare(&platform) {
            Ok(_) | Err(NoCheckpoint::Never(_)) => {}
            Err(error) => remark!(
                "note: {} by {} starts cold: {error}",
                platform.firmware.id,
                platform.attachment
            ),
        }
    }
    let out = bed.folder.path().join("warm-up");
    boot_matrix(bed, crate::repository::workspace(), &out, &[ONE_CELL]).map(drop)
}

fn platforms(bed: &Bed) -> anyhow::Result<Vec<Platform>> {
    let mut platforms = Vec::new();
    for firmware in [FirmwareId::Seabios, FirmwareId::Ovmf] {
        for &attachment in Attachment::ALL {
            platforms.push(bed.platform(firmware, attachment)?);
        }
    }
    let others = OTHERS
        .iter()
        .map(|&(firmware, _, attachment)| bed.platform(firmware, attachment));
    platforms.extend(others.flatten());
    Ok(platforms)
}

/// The default matrix, as a user runs it; perhaps also as a script that knows no better would.
pub(super) fn matrix(bed: &Bed, also_cold: bool, report: &mut Report) -> anyhow::Result<()> {
    remark!("bench: the whole default matrix");
    let (out, root) = (
        bed.folder.path().join("matrix"),
        crate::repository::workspace(),
    );
    let (warm, results) = boot_matrix(bed, root, &out, &[])?;
    let from_checkpoints = results
        .cells
        .iter()
        .filter(|cell| cell.start == Some(Start::Warm))
        .count();
    let what = format!(
        "the whole default matrix, {}, {from_checkpoints} of them from checkpoints",
        cells(&results)
    );
    report
        .rows
        .push(Row::new(what, warm.as_secs_f64(), " s").aim(Aim::AtMost(60.0)));
    report.rows.push(Row::new(
        "of it the runner, a cell: what a cell takes beside its machine",
        beside_the_machines(warm, &results).as_secs_f64() * 1e3,
        " ms",
    ));
    let kept = checkpoints(bed)?;
    let made: u64 = kept.iter().map(|kept| kept.record.made_in_ms).sum();
    let bytes: u64 = kept.iter().map(|kept| kept.allocated).sum();
    let what = format!(
        "making its {} checkpoints, once, {} MiB on disk",
        kept.len(),
        bytes >> 20
    );
    report.rows.push(Row::new(
        what,
        Duration::from_millis(made).as_secs_f64(),
        " s",
    ));
    if also_cold {
        remark!("bench: the same cells from power-on, one after another");
        let out = bed.folder.path().join("cold");
        let (cold, results) = boot_matrix(bed, root, &out, &["--cold", "--jobs", "1"])?;
        let what = format!(
            "the whole default matrix ({}) against the same {} cold and one after another ({})",
            show(warm),
            cells(&results),
            show(cold)
        );
        report
            .rows
            .push(Row::new(what, ratio(cold, warm), "× faster").aim(Aim::AtLeast(8.0)));
    }
    Ok(())
}

/// A disc that both firmwares refuse, from the command to the report: twelve boots, and those that show the cause.
pub(super) fn refused(bed: &Bed, report: &mut Report) -> anyhow::Result<()> {
    remark!("bench: a refused disc by all attachments");
    let folder = bed.folder.path();
    let (iso, out) = (folder.join("refused.iso"), folder.join("refused"));
    let mut image = Command::new(place::THIS_PROGRAM);
    image.args([
        "image",
        "bench/-/bios+efi/-/reference",
        "--defect",
        "catalog-key",
        "--out",
    ]);
    run_quietly(bed, image.arg(&iso))?;
    let mut repro = Command::new(place::THIS_PROGRAM);
    repro
        .arg("repro")
        .arg(&iso)
        .arg("--out")
        .arg(&out)
        .args(bed.tooling());
    // It makes what checkpoints are missing.
    run_quietly(bed, &mut repro)?;
    let took = time(|| run_quietly(bed, &mut repro))?;
    let left = fs::read(out.join("report.json")).context("read what repro left")?;
    let left: serde_json::Value = serde_json::from_slice(&left)?;
    let experiments = left["experiments"]["ms"].as_f64().unwrap_or_default() / 1e3;
    let boots = left["experiments"]["boots"].as_u64().unwrap_or_default();
    let what = "repro of a disc that both firmwares refuse, by all attachments";
    report
        .rows
        .push(Row::new(what, took.as_secs_f64(), " s").aim(Aim::AtMost(30.0)));
    let what = format!("of it the experiments that show the cause, {boots} boots");
    report.rows.push(Row::new(
        what,
        experiments / took.as_secs_f64() * 100.0,
        " %",
    ));
    Ok(())
}

fn run_quietly(bed: &Bed, command: &mut Command) -> anyhow::Result<()> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let status = bed
        .signals
        .run(command)
        .context("cannot start this program again")?;
    // A disc that does not start is 1.
    if status.code().is_some_and(|code| code <= 1) {
        Ok(())
    } else {
        bail!("{command:?} ended with {status}")
    }
}

/// What a run took beside its machines, by cell: its time on every processor, less that from each machine's start to the decision.
fn beside_the_machines(took: Duration, results: &Results) -> Duration {
    let machines: u64 = results.cells.iter().map(|cell| cell.duration_ms).sum();
    let at_once = u32::try_from(results.host.cpus).unwrap_or(1);
    let beside = (took * at_once).saturating_sub(Duration::from_millis(machines));
    let cells = u32::try_from(results.cells.len()).unwrap_or(1);
    beside / cells.max(1)
}

/// The checkpoints that the default matrix starts from.
fn checkpoints(bed: &Bed) -> anyhow::Result<Vec<Kept>> {
    let platforms = platforms(bed)?;
    let mut kept = bed
        .checkpoints
        .list()
        .context("list the checkpoints")?
        .into_iter()
        .filter(|kept| kept.record.refusal.is_none())
        .collect::<Vec<_>>();
    // Older ones of the same machine come after the one that was used last.
    let of_platform = |platform: Platform| {
        let is_it = |kept: &Kept| {
            kept.record.firmware == platform.firmware.id.as_str()
                && kept.record.attachment == platform.attachment.as_str()
        };
        let at = kept.iter().position(is_it)?;
        platform.why_cold().is_none().then(|| kept.swap_remove(at))
    };
    Ok(platforms.into_iter().filter_map(of_platform).collect())
}

/// A clone with an empty target folder, to the result of one cell.
pub(super) fn clone(bed: &Bed, report: &mut Report) -> anyhow::Result<()> {
    remark!("bench: clone, build, first result");
    let (root, folder) = (crate::repository::workspace(), bed.folder.path());
    let clone = folder.join("clone");
    let took = time(|| {
        let mut git = Command::new("git");
        git.args(["clone", "--quiet"]).arg(root).arg(&clone);
        let status = bed.signals.run(&mut git).context("run git")?;
        bed.unless_interrupted()?;
        if !status.success() {
            bail!("git clone ended with {status}");
        }
        boot_matrix(bed, &clone, &folder.join("first"), &[ONE_CELL]).map(drop)
    })?;
    report.rows.push(Row::new(
        "clone, build from an empty target folder, first result",
        took.as_secs_f64(),
        " s",
    ));
    Ok(())
}

/// How many cells there were. A mismatch does not make the time wrong, but it has to be told.
pub(super) fn cells(results: &Results) -> String {
    let totals = &results.totals;
    match totals.cells - totals.as_expected {
        0 => format!("{} cells", totals.cells),
        others => format!("{} cells ({others} not as expected)", totals.cells),
    }
}

/// Runs `cargo xtask boot-matrix` as somebody would type it, and says how long it took.
pub(super) fn boot_matrix(
    bed: &Bed,
    root: &Path,
    out: &Path,
    arguments: &[&str],
) -> anyhow::Result<(Duration, Results)> {
    let log = bed.folder.path().join("boot-matrix.log");
    let said = fs::File::create(&log).with_context(|| format!("write {}", log.display()))?;
    let mut command = cargo();
    command
        .args(["xtask", "boot-matrix", "--out"])
        .arg(out)
        .args(bed.tooling())
        .args(arguments)
        .current_dir(root)
        .env_remove("CARGO_TARGET_DIR")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(said);
    let took = time(|| {
        let status = bed.signals.run(&mut command);
        let status = status.context("run cargo xtask boot-matrix")?;
        bed.unless_interrupted()?;
        // With 1 there are results, and some are not as expected.
        if !matches!(status.code(), Some(0 | 1)) {
            let said = fs::read(&log).unwrap_or_default();
            let said = String::from_utf8_lossy(&said);
            let lines: Vec<&str> = said.trim().lines().collect();
            let end = &lines[lines.len().saturating_sub(12)..];
            bail!("boot-matrix ended with {status}:\n{}", end.join("\n"));
        }
        Ok(())
    })?;
    Ok((took, Results::read(out)?))
}
