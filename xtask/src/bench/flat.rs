//! Whether a cell of a large matrix takes longer than one of a small matrix, and what the evidence takes on disk.

use std::{collections::BTreeSet, fs, io, os::unix::fs::MetadataExt, path::Path};

use anyhow::Context;
use scenarios::files;

use super::{
    Bed,
    report::{Aim, Report, Row},
    timing::{number, show},
    whole::{boot_matrix, cells},
};
use crate::place;

/// How many cells.
const COUNTS: [u64; 3] = [100, 300, 1000];

pub(super) fn measure(bed: &Bed, report: &mut Report) -> anyhow::Result<()> {
    let mut each = Vec::new();
    for count in COUNTS {
        remark!("bench: a matrix of {count} cells");
        let folder = bed.folder.path().join(format!("flat-{count}"));
        let own = folder.join("scenarios");
        files::write(&own.join("flat.toml"), scenarios_of(count).as_bytes())?;
        let own = own.to_string_lossy();
        let out = folder.join("out");
        let arguments = ["--scenarios", &*own, "--accept"];
        let (took, results) = boot_matrix(bed, place::workspace(), &out, &arguments)?;
        let per_cell = took.as_secs_f64() * 1e3 / results.totals.cells.max(1) as f64;
        let what = format!(
            "a matrix of {} ({}), for each cell",
            cells(&results),
            show(took)
        );
        report.rows.push(Row::new(what, per_cell, " ms"));
        each.push(per_cell);
        if count == COUNTS[COUNTS.len() - 1] {
            let bytes = allocated(&out, &mut BTreeSet::new())
                .with_context(|| format!("look at {}", out.display()))?;
            report.rows.push(Row::new(
                format!("discs and evidence of {count} cells on disk"),
                bytes as f64 / f64::from(1 << 20),
                " MiB",
            ));
        }
    }
    if let (Some(few), Some(many)) = (each.first(), each.last()) {
        let what = format!(
            "a cell among {} ({} ms) against one among {} ({} ms)",
            COUNTS[COUNTS.len() - 1],
            number(*many),
            COUNTS[0],
            number(*few)
        );
        report
            .rows
            .push(Row::new(what, many / few, "×").aim(Aim::AtMost(1.1)));
    }
    Ok(())
}

/// Scenarios of the default matrix's kinds in about its proportions: of ten cells, six on SeaBIOS and four on OVMF.
fn scenarios_of(cells: u64) -> String {
    let kinds = [
        ("flat-none", "none", cells * 3 / 10, 64, 1, "seabios", "ide"),
        (
            "flat-hard-disk",
            "hard-disk",
            cells * 3 / 10,
            40_000,
            1,
            "seabios",
            "ide",
        ),
        ("flat-efi", "efi", cells * 4 / 10, 5_760, 4, "ovmf", "ahci"),
    ];
    kinds
        .map(|(name, boot, count, first, step, firmware, attachment)| {
            let size = |n| format!("\"{}s\"", first + n * step);
            let sizes: Vec<String> = (0..count).map(size).collect();
            format!(
                r#"[[scenario]]
name = "{name}"
summary = "cells that differ in nothing but the size of the image"
boot = ["{boot}"]
size = [{}]
firmware = ["{firmware}"]
attach = ["{attachment}"]

[[scenario.expect]]
outcome = "booted"
slot = 1
because = "nothing is special about these sizes"

"#,
                sizes.join(", ")
            )
        })
        .concat()
}

/// The bytes that a folder takes on disk. A file that has several names is there once.
fn allocated(path: &Path, seen: &mut BTreeSet<(u64, u64)>) -> io::Result<u64> {
    let metadata = fs::symlink_metadata(path)?;
    let mut bytes = 0;
    if seen.insert((metadata.dev(), metadata.ino())) {
        bytes += metadata.blocks() * 512;
    }
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            bytes += allocated(&entry?.path(), seen)?;
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use scenarios::matrix::{Folder, Matrix};

    use super::*;

    #[test]
    fn there_are_as_many_cells_as_asked_for() {
        for count in COUNTS {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("flat.toml");
            fs::write(&file, scenarios_of(count)).unwrap();
            let matrix = Matrix::read(&[Folder::own(folder.path())], &Default::default()).unwrap();
            assert_eq!(matrix.cells().count() as u64, count);
        }
    }

    #[test]
    fn holes_and_second_names_take_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let of = || allocated(folder.path(), &mut BTreeSet::new()).unwrap();
        let before = of();
        let file = fs::File::create(folder.path().join("sparse")).unwrap();
        file.set_len(1 << 30).unwrap();
        assert!(of() < before + (1 << 20));
        fs::write(folder.path().join("full"), vec![1; 1 << 20]).unwrap();
        let full = of();
        assert!(full >= before + (1 << 20));
        let [from, to] = ["full", "again"].map(|name| folder.path().join(name));
        fs::hard_link(from, to).unwrap();
        assert_eq!(of(), full);
    }
}
