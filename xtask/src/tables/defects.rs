//! The findings: how bad each is, whether the reader finds it, what each firmware does with it, and how to fix it.

use std::path::Path;

use harness::firmware::FirmwareKind;
use images::{
    defect::Defect,
    finding::{Finding, FindingId, Severity},
    inspect::{Options, Window, inspect},
    reference::{MasteredDisc, master},
};
use scenarios::{
    cell::{Cell, DiscSource, Recipe},
    id::DiscId,
    matrix::Matrix,
    words::Set,
};

use super::{
    accepted,
    markdown::{firmware_name, markdown_table},
    recipes,
};

/// One row for each id.
pub(super) fn table(_: &Path, matrix: &Matrix) -> Result<String, String> {
    let cells = cells(matrix);
    let firmware = ["seabios", "ovmf"];
    let mut head = vec!["finding", "severity", "found by `inspect`"];
    head.extend(firmware.map(firmware_name));
    let head: Vec<String> = head.into_iter().map(ToOwned::to_owned).collect();
    let mut rows = Vec::new();
    for &id in FindingId::ALL {
        if Defect::of(id).is_none() {
            let real = "yes, on discs made by real tools";
            let mut row = vec![format!("[`{id}`](#{id})"), severity(id), real.to_owned()];
            row.extend(firmware.map(|_| "–".to_owned()));
            rows.push(row);
            continue;
        }
        let cells: Vec<&Cell> = cells.iter().filter(|cell| has(cell, id)).collect();
        let mut row = vec![format!("[`{id}`](#{id})"), severity(id), found(id, &cells)?];
        for family in firmware {
            row.push(outcomes(id, family, &cells)?);
        }
        rows.push(row);
    }
    Ok(markdown_table(&head, &rows))
}

fn cells(matrix: &Matrix) -> Vec<Cell> {
    let cells = matrix.cells();
    cells.filter(|cell| cell.set == Set::Defects).collect()
}

fn recipe(cell: &Cell) -> Option<&Recipe> {
    match &cell.disc {
        DiscSource::Mastered(recipe) => Some(recipe),
        DiscSource::Iso { .. } | DiscSource::Live(_) | DiscSource::Edited { .. } => None,
    }
}

fn has(cell: &Cell, id: FindingId) -> bool {
    let defect = recipe(cell).and_then(|recipe| recipe.boot.defect);
    defect.is_some_and(|defect| defect.as_str() == id.as_str())
}

fn severity(id: FindingId) -> String {
    match id.milder() {
        Some(milder) => format!("{} or {milder}", id.severity()),
        None => id.severity().to_string(),
    }
}

/// Masters every disc that has the defect, in memory, and reads it.
fn found(id: FindingId, cells: &[&Cell]) -> Result<String, String> {
    let mut discs: Vec<&Recipe> = cells.iter().filter_map(|cell| recipe(cell)).collect();
    discs.dedup_by_key(|recipe| &recipe.id);
    if discs.is_empty() {
        return Err(format!("no disc of the set defects has {id}"));
    }
    let mut worst = None;
    for recipe in discs {
        match severity_on(id, recipe)? {
            None => return Ok(format!("**no**: not on `{}`", recipe.boot)),
            severity => worst = worst.max(severity),
        }
    }
    Ok(match worst.filter(|worst| *worst != id.severity()) {
        Some(severity) => format!("yes: {severity}"),
        None => "yes".to_owned(),
    })
}

/// How bad the reader says the defect is on a disc; nothing where it does not find it.
fn severity_on(id: FindingId, recipe: &Recipe) -> Result<Option<Severity>, String> {
    let found = findings_on(id, recipe, &mastered(recipe)?)?;
    Ok(found.iter().map(|finding| finding.severity).max())
}

fn mastered(recipe: &Recipe) -> Result<MasteredDisc, String> {
    master(recipe.id.as_str(), recipe.medium, &recipe.boot, recipe.size)
        .map_err(|error| format!("{}: {error}", recipe.id))
}

/// Every place of a disc in which the reader finds the defect.
fn findings_on(
    id: FindingId,
    recipe: &Recipe,
    disc: &MasteredDisc,
) -> Result<Vec<Finding>, String> {
    let options = Options {
        medium: disc.manifest.capacity,
        boot_image: None,
        verify: true,
        ..Options::default()
    };
    let inspection = inspect(&mut Window::new(&disc.bytes), &options)
        .map_err(|error| format!("{}: {error}", recipe.id))?;
    let mut findings = inspection.findings;
    findings.retain(|finding| finding.id == id);
    Ok(findings)
}

/// So many bytes of a disc are shown: as many as an entry of a catalog has.
const SHOWN: u64 = 32;

/// What the reader says of the first disc that has the defect, and the bytes to which it points.
fn bytes(id: FindingId, cells: &[Cell]) -> Result<String, String> {
    let cell = cells.iter().find(|cell| has(cell, id));
    let Some(recipe) = cell.and_then(recipe) else {
        return Err(format!("no disc of the set defects has {id}"));
    };
    let disc = mastered(recipe)?;
    let findings = findings_on(id, recipe, &disc)?;
    let Some(finding) = findings.first() else {
        return Err(format!("{id} is not found on {}", recipe.id));
    };
    let end = disc.bytes.len().min(finding.offset.saturating_add(SHOWN));
    let shown = end.saturating_sub(finding.offset);
    let bytes = disc.bytes.slice(finding.offset, shown);
    let mut rows = String::new();
    for row in (0..shown).step_by(16) {
        let mut line = vec![0; usize::try_from((shown - row).min(16)).unwrap_or(0)];
        bytes.read_at(row, &mut line);
        let line: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        rows += &format!("{:08x}  {}\n", finding.offset + row, line.join(" "));
    }
    let beyond = if rows.is_empty() {
        "there are no bytes: the disc ends before\n"
    } else {
        ""
    };
    Ok(format!(
        "On `{}`: LBA {}, byte {}: {}\n\n```\n{rows}{beyond}```\n",
        recipe.boot,
        finding.lba.get(),
        finding.offset,
        finding.message
    ))
}

/// Whether the disc has an entry for the cell's firmware: a disc for one firmware is rightly refused by another.
fn is_addressed(cell: &Cell) -> bool {
    recipe(cell).is_some_and(|recipe| match cell.firmware.kind() {
        FirmwareKind::Bios => recipe.boot.mode.bios().is_some(),
        FirmwareKind::Uefi => recipe.boot.mode.efi(),
    })
}

/// What happened to some discs: each disc's words, and what happened.
type Happened = Vec<(DiscId, String)>;

/// What a firmware does with every disc that has the defect: in a CD drive first, then as a disk.
fn outcomes(id: FindingId, family: &str, cells: &[&Cell]) -> Result<String, String> {
    let cells: Vec<&Cell> = cells
        .iter()
        .copied()
        .filter(|cell| cell.id.firmware_family() == family)
        .collect();
    let addressed: Vec<&Cell> = cells
        .iter()
        .copied()
        .filter(|cell| is_addressed(cell))
        .collect();
    let cells = if addressed.is_empty() {
        cells
    } else {
        addressed
    };
    let happened = |as_disk: bool| -> Result<Happened, String> {
        let mut happened = Vec::new();
        for cell in cells
            .iter()
            .filter(|cell| cell.attachment.is_disk() == as_disk)
        {
            let one = (cell.id.disc(), accepted::outcome(cell)?);
            if !happened.contains(&one) {
                happened.push(one);
            }
        }
        Ok(happened)
    };
    let (cd, disk) = (happened(false)?, happened(true)?);
    let cd_words = by_disc(&cd);
    let disk_words = by_disc(&disk);
    Ok(match (cd.is_empty(), disk.is_empty()) {
        (true, true) => return Err(format!("no cell of the set defects shows {id} on {family}")),
        (false, true) => cd_words,
        (true, false) => format!("as a disk {disk_words}"),
        (false, false) if cd_words == disk_words => format!("{cd_words}, as a disk too"),
        (false, false) => format!("{cd_words}; as a disk {disk_words}"),
    })
}

/// `boots`, or where discs differ `boots (hard-disk+efi), Not Found (efi)`.
fn by_disc(happened: &Happened) -> String {
    let mut outcomes: Vec<(&str, Vec<String>)> = Vec::new();
    for (disc, outcome) in happened {
        let boot = disc.boot();
        let words = boot.split(",defect=").next().unwrap_or(boot);
        let words = match disc.size() {
            "-" => format!("`{words}`"),
            size => format!("`{words}` of {size}"),
        };
        match outcomes.iter_mut().find(|(known, _)| known == outcome) {
            Some((_, discs)) => discs.push(words),
            None => outcomes.push((outcome, vec![words])),
        }
    }
    if let [(outcome, _)] = outcomes[..] {
        return outcome.to_owned();
    }
    let outcomes: Vec<String> = outcomes
        .into_iter()
        .map(|(outcome, discs)| format!("{outcome} ({})", discs.join(", ")))
        .collect();
    outcomes.join(", ")
}

/// A section for each id, from the catalogue, with the bytes of a disc that has it.
pub(super) fn pages(_: &Path, matrix: &Matrix) -> Result<String, String> {
    let cells = cells(matrix);
    let page = |&id: &FindingId| {
        let trips: Vec<String> = id.trips().iter().map(|who| format!("`{who}`")).collect();
        let recipes = recipes::list(id.recipes());
        let trips = trips.join(", ");
        let bytes = match Defect::of(id) {
            Some(_) => bytes(id, &cells)?,
            None => String::new(),
        };
        let trips = if trips.is_empty() {
            String::new()
        } else {
            format!("Affects: {trips}. ")
        };
        Ok(format!(
            "### {id}\n\n{} Severity: {}.\n\n{trips}{}\n\n{bytes}\nTo fix it: {}\n\n{recipes}\n",
            id.explanation(),
            severity(id),
            id.consequence(),
            id.remedy()
        ))
    };
    let pages: Result<String, String> = FindingId::ALL.iter().map(page).collect();
    Ok(pages?.replace("\n\n\n", "\n\n"))
}
