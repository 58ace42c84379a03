//! The reference master against xorriso, with the same disc to make.

use cli::remark;
use std::{fs, os::unix::fs::MetadataExt, path::Path, process::Command};

use anyhow::{Context, ensure};
use images::reference;

use super::{
    bed::Bed,
    report::{Aim, Report, Row, Time},
    timing::{alternate, ratio, show},
};

const DISC: &str = "bench/cd-80/hard-disk/quarter/reference";

pub(super) fn measure(bed: &Bed, report: &mut Report) -> anyhow::Result<()> {
    remark!("bench: mastering against xorriso");
    let folder = bed.folder.path().join("quarter");
    let make = || -> anyhow::Result<()> {
        let disc = reference::master(
            DISC,
            Some("cd-80".parse()?),
            &"hard-disk".parse()?,
            Some("quarter".parse()?),
        )?;
        disc.write_to(&folder)
            .with_context(|| format!("master a disc in {}", folder.display()))
    };
    make()?;
    let iso = folder.join("disc.iso");
    let allocated = fs::metadata(&iso)
        .with_context(|| format!("read {}", iso.display()))?
        .blocks()
        * 512;
    let tree = bed.folder.path().join("tree");
    let boot_image = image_for_xorriso(&folder, &tree)?;
    let theirs = || xorriso(&tree, boot_image, &bed.folder.path().join("xorriso.iso"));
    let (our_time, their_time) = alternate(bed, bed.runs.min(5), &make, &theirs)?;
    for (by, spread) in [("the reference master", our_time), ("xorriso", their_time)] {
        report.times.push(Time {
            what: format!("mastering a CD-80 with a quarter-sized hard disk, {by}"),
            spread,
            key: None,
        });
    }
    let (our_time, their_time) = (our_time.median, their_time.median);
    let what = format!(
        "mastering a CD-80 with a quarter-sized hard disk ({}) against xorriso ({})",
        show(our_time),
        show(their_time)
    );
    report
        .rows
        .push(Row::new(what, ratio(their_time, our_time), "× faster").aim(Aim::AtLeast(50.0)));
    let kib = allocated as f64 / 1024.0;
    report
        .rows
        .push(Row::new("that disc on disk", kib, " KiB").aim(Aim::AtMost(256.0)));
    Ok(())
}

/// The same boot image as a sparse file in a tree of its own, as a user of xorriso has it.
fn image_for_xorriso(disc: &Path, tree: &Path) -> anyhow::Result<&'static str> {
    const NAME: &str = "hd.img";
    let mastered = reference::master(
        DISC,
        Some("cd-80".parse()?),
        &"hard-disk".parse()?,
        Some("quarter".parse()?),
    )?;
    let image = mastered
        .manifest
        .images
        .first()
        .with_context(|| format!("no image in {}", disc.display()))?;
    let mut bytes = images::sparse::SparseBytes::zeroed(image.length.bytes().get());
    let part = mastered
        .bytes
        .slice(image.load_rba.byte_offset(), image.length.bytes().get());
    bytes.embed(0, &part);
    fs::create_dir_all(tree)?;
    bytes.write_to(&fs::File::create(tree.join(NAME))?)?;
    Ok(NAME)
}

fn xorriso(tree: &Path, boot_image: &str, iso: &Path) -> anyhow::Result<()> {
    let output = Command::new("xorriso")
        .args([
            "-as",
            "mkisofs",
            "-quiet",
            "-hard-disk-boot",
            "-b",
            boot_image,
            "-o",
        ])
        .arg(iso)
        .arg(tree)
        .output()
        .context("run xorriso (package xorriso)")?;
    ensure!(
        output.status.success(),
        "xorriso: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
