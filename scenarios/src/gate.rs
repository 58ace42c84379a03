//! The result of a run with a baseline, by cause: each difference from the accepted behavior, its effect, and its cells.

use std::collections::{BTreeMap, BTreeSet};

use harness::{
    diagnosis::firmware_name, firmware::FirmwareId, guest::Starts, outcome::OutcomeKind,
};
use images::finding::{FindingId, Severity};
use serde::Serialize;

use crate::{
    compare::{ADDRESS, CATALOG_ADDRESS, Comparison, ELSEWHERE, IMAGE, STARTS, With},
    difference::{Difference, Differences},
    id::{ABSENT, base_and_edit},
    record::{CellResult, Verdict},
};

/// The most fields that a line names.
const FIELDS: usize = 2;

/// One difference from the accepted behavior, with all its cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// Its key, the same in every run: `sector count`, or the id of a finding.
    pub key: String,
    /// The id of the new finding, if that is the difference.
    pub finding: Option<String>,
    /// Its severity: an error if a disc no longer boots, a warning if it behaves differently, or the finding's severity.
    pub severity: Severity,
    /// The change: the field with its two values, or the message of a tool that made no disc.
    pub sentence: String,
    /// Its effect.
    pub consequence: String,
    /// What to do; empty if nothing is known.
    pub remedy: String,
    /// The cells.
    pub cells: Vec<String>,
}

/// A changed cell, and its differences.
#[derive(Clone, Copy)]
struct Changed<'a> {
    cell: &'a CellResult,
    differences: &'a Differences,
}

/// How a cell boots now, from the worst on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// It booted, but no longer does.
    Broken,
    /// It has another result.
    Other,
    /// It boots as before.
    Same,
}

/// The cells that differ from a baseline, by cause, the worst first.
#[must_use]
pub fn causes(cells: &[CellResult]) -> Vec<Cause> {
    by_cause(accepted(cells).collect(), &tried(cells, None))
}

/// The cells that differ from an earlier run, by cause, the worst first. Those of another tool have no cause: nothing changed.
#[must_use]
pub fn causes_against(cells: &[CellResult], comparison: &Comparison) -> Vec<Cause> {
    let comparison = Some(comparison);
    by_cause(
        earlier(cells, comparison).collect(),
        &tried(cells, comparison),
    )
}

/// The same for both, each cell once.
#[must_use]
pub fn all_causes(cells: &[CellResult], comparison: Option<&Comparison>) -> Vec<Cause> {
    let known: BTreeSet<&str> = accepted(cells).map(|it| &*it.cell.id).collect();
    let others = earlier(cells, comparison).filter(|it| !known.contains(&*it.cell.id));
    by_cause(
        accepted(cells).chain(others).collect(),
        &tried(cells, comparison),
    )
}

/// The cells that are compared: of edited discs, not those before the edit.
fn tried<'a>(cells: &'a [CellResult], comparison: Option<&Comparison>) -> Vec<&'a CellResult> {
    let is_edit = comparison.is_some_and(|it| it.with == With::Edit);
    let is_edited = |cell: &CellResult| base_and_edit(&cell.master).1.is_some();
    let cells = cells.iter();
    cells.filter(|cell| !is_edit || is_edited(cell)).collect()
}

/// The cells with a reported cause.
#[must_use]
pub fn with_cause<'a>(
    cells: &'a [CellResult],
    comparison: Option<&'a Comparison>,
) -> BTreeSet<&'a str> {
    let all = accepted(cells).chain(earlier(cells, comparison));
    all.map(|it| &*it.cell.id).collect()
}

fn accepted(cells: &[CellResult]) -> impl Iterator<Item = Changed<'_>> {
    let red = cells
        .iter()
        .filter(|cell| cell.verdict == Verdict::Mismatch);
    red.filter_map(|cell| {
        let differences = cell.differences.as_ref()?;
        Some(Changed { cell, differences })
    })
}

fn earlier<'a>(
    cells: &'a [CellResult],
    comparison: Option<&'a Comparison>,
) -> impl Iterator<Item = Changed<'a>> {
    let by_id: BTreeMap<&str, &CellResult> = cells.iter().map(|it| (&*it.id, it)).collect();
    let compared = comparison.into_iter().flat_map(Comparison::changed);
    compared.filter_map(move |it| {
        Some(Changed {
            cell: by_id.get(&*it.id)?,
            differences: &it.differences,
        })
    })
}

fn by_cause(changed: Vec<Changed<'_>>, cells: &[&CellResult]) -> Vec<Cause> {
    let mut groups: BTreeMap<String, Vec<Changed<'_>>> = BTreeMap::new();
    for changed in changed {
        if let Some(key) = key(changed) {
            groups.entry(key).or_default().push(changed);
        }
    }
    let mut causes: Vec<(Fate, Cause)> = groups
        .into_iter()
        .filter_map(|(key, group)| {
            let worst = group.iter().map(|it| fate(it.differences)).min()?;
            Some((worst, cause(key, &group, cells)?))
        })
        .collect();
    causes.sort_by(|(one, a), (other, b)| {
        let order = one.cmp(other);
        order.then_with(|| b.cells.len().cmp(&a.cells.len()))
    });
    causes.into_iter().map(|(_, cause)| cause).collect()
}

/// The notes of a run, which are not failures: each once, with its number of discs.
#[must_use]
pub fn notes(cells: &[CellResult]) -> Vec<(String, usize)> {
    let noted = cells.iter().filter_map(|cell| {
        let noted = &cell.differences.as_ref()?.noted;
        Some((cell.id.as_str(), noted))
    });
    count_notes(noted)
}

/// The same for a comparison.
#[must_use]
pub fn notes_against(comparison: &Comparison) -> Vec<(String, usize)> {
    let cells = comparison.cells.iter();
    count_notes(cells.map(|cell| (cell.id.as_str(), &cell.differences.noted)))
}

fn count_notes<'a>(
    cells: impl Iterator<Item = (&'a str, &'a Vec<Difference>)>,
) -> Vec<(String, usize)> {
    let mut discs: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (id, noted) in cells {
        for difference in noted {
            let what = match difference.finding() {
                Some(_) => difference.to_string(),
                None => without_slot(&difference.what).to_owned(),
            };
            // Without firmware and attachment.
            let disc = id.rsplitn(3, '/').nth(2).unwrap_or(id);
            discs.entry(what).or_default().insert(disc);
        }
    }
    let notes = discs.into_iter();
    notes.map(|(what, discs)| (what, discs.len())).collect()
}

/// The key of cells with one cause: the field that changed, in any slot; or else the finding; or else another observation.
fn key(Changed { cell, differences }: Changed<'_>) -> Option<String> {
    if is_not_mastered(cell) {
        return Some("not mastered".to_owned());
    }
    let field = fields(differences).next();
    let finding = findings(differences).next();
    let seen = differences.boot.iter().max_by_key(|it| tells(it));
    let first = field.or(finding).or(seen)?;
    let key = first.finding().unwrap_or_else(|| without_slot(&first.what));
    Some(key.to_owned())
}

/// The fields that changed, causes first. If an image differs from its first byte on, the entry points elsewhere: the address shows that. If a finding explains
/// why an image is not where it should be, the changed image adds nothing. If no field changed but the disc boots differently, the address may be the cause. In
/// an invalid catalog, no field means anything.
fn fields(differences: &Differences) -> impl Iterator<Item = &Difference> {
    let is_told = findings(differences).next().is_some();
    let is_image = |it: &Difference| without_slot(&it.what) == IMAGE;
    let is_address = |it: &Difference| without_slot(&it.what) == ADDRESS;
    let slot = |it: &Difference| it.what.rsplit(' ').next().map(ToOwned::to_owned);
    let no_catalog = FindingId::CatalogHeaderId.as_str();
    let is_no_catalog = findings(differences).any(|it| it.finding() == Some(no_catalog));
    let structure = differences.structure.iter();
    let structure: Vec<&Difference> = structure.filter(|it| it.finding().is_none()).collect();
    let elsewhere: Vec<_> = structure
        .iter()
        .filter(|it| is_image(it) && it.is == ELSEWHERE)
        .map(|it| slot(it))
        .collect();
    let is_lost = !is_told && structure.is_empty() && !differences.boot.is_empty();
    let noted = differences.noted.iter();
    let places = noted.filter(move |it| match is_no_catalog {
        true => it.what == CATALOG_ADDRESS,
        false => is_address(it) && (is_lost || elsewhere.contains(&slot(it))),
    });
    let fields = structure
        .into_iter()
        .filter(move |it| !(is_no_catalog || is_told && is_image(it)));
    places.chain(fields)
}

/// The new findings. A checksum is wrong as soon as anything that it covers is wrong.
fn findings(differences: &Differences) -> impl Iterator<Item = &Difference> {
    let structure = differences.structure.iter();
    let mut findings: Vec<&Difference> = structure.filter(|it| it.finding().is_some()).collect();
    findings.sort_by_key(|it| it.finding() == Some(FindingId::CatalogChecksum.as_str()));
    findings.into_iter()
}

/// How much a difference in booting explains: a probe's findings explain more than the fact that it did not finish.
fn tells(difference: &Difference) -> u8 {
    match difference.what.as_str() {
        "outcome" | "packet" => 1,
        // The count is wrong most often.
        "loaded" => 3,
        "stage" | "words" | "entry that ran" | STARTS => 0,
        _ => 2,
    }
}

fn without_slot(what: &str) -> &str {
    what.split_once(" of slot ")
        .map_or(what, |(field, _)| field)
}

fn is_not_mastered(cell: &CellResult) -> bool {
    let outcome = cell.outcome.as_ref();
    outcome.is_some_and(|outcome| outcome.kind == OutcomeKind::NotMastered)
}

fn fate(differences: &Differences) -> Fate {
    let was_booted =
        |it: &Difference| it.what == "outcome" && it.was == OutcomeKind::Booted.as_str();
    let mut boot = differences.boot.iter();
    match boot.find(|it| was_booted(it) || it.what == STARTS) {
        Some(_) => Fate::Broken,
        _ if differences.boot.is_empty() => Fate::Same,
        _ => Fate::Other,
    }
}

fn cause(key: String, group: &[Changed<'_>], all: &[&CellResult]) -> Option<Cause> {
    // Among equally bad ones, prefer a cell with a finding.
    let worst = *group.iter().min_by_key(|it| {
        let differences = it.differences;
        (fate(differences), findings(differences).next().is_none())
    })?;
    let is_made = !is_not_mastered(worst.cell);
    let finding = findings(worst.differences).next().filter(|_| is_made);
    let known = |it: &Difference| it.finding()?.parse::<FindingId>().ok();
    let of_finding = finding.and_then(|it| it.severity.or(known(it).map(FindingId::severity)));
    let remedies = findings(worst.differences).map(|it| it.remedy.as_str());
    let remedy = remedies.filter(|it| is_made && !it.is_empty()).take(1);
    Some(Cause {
        key,
        finding: finding.and_then(|it| Some(it.finding()?.to_owned())),
        severity: of_finding
            .unwrap_or(Severity::Info)
            .max(match fate(worst.differences) {
                Fate::Broken => Severity::Error,
                Fate::Other => Severity::Warning,
                Fate::Same => Severity::Info,
            }),
        sentence: sentence(worst),
        consequence: consequence(group, all),
        remedy: remedy.collect(),
        cells: group.iter().map(|it| it.cell.id.clone()).collect(),
    })
}

/// The change on a disc.
fn sentence(changed: Changed<'_>) -> String {
    let Changed { cell, differences } = changed;
    if is_not_mastered(cell) {
        let words = cell.outcome.as_ref().map_or("", |it| it.detail.as_str());
        // The editor, if the disc is not mastered here.
        let maker = match base_and_edit(&cell.master) {
            (ABSENT, Some(edit)) => edit,
            _ => &cell.master,
        };
        return format!("{maker} makes no disc: {words}");
    }
    let mut parts: Vec<String> = Vec::new();
    let named: Vec<String> = fields(differences).map(ToString::to_string).collect();
    if !named.is_empty() {
        let more = named.len().saturating_sub(FIELDS);
        let mut text = named.into_iter().take(FIELDS).collect::<Vec<_>>();
        if more > 0 {
            text.push(format!("and {more} fields more"));
        }
        parts.push(text.join(", "));
    }
    parts.extend(findings(differences).take(1).map(ToString::to_string));
    if parts.is_empty() {
        let mut seen: Vec<&Difference> = differences.boot.iter().collect();
        seen.sort_by_key(|it| std::cmp::Reverse(tells(it)));
        let seen = seen.into_iter().take(FIELDS).map(ToString::to_string);
        parts.push(seen.collect::<Vec<_>>().join(", "));
    }
    parts.join("; ")
}

/// `no longer boots on OVMF by ahci, usb-cd: 3 of 12 cells; still boots on SeaBIOS`.
fn consequence(group: &[Changed<'_>], all: &[&CellResult]) -> String {
    let booted = |cell: &CellResult| {
        let outcome = cell.outcome.as_ref();
        cell.starts == Some(Starts::Yes)
            || outcome.is_some_and(|outcome| outcome.kind == OutcomeKind::Booted)
    };
    let of = |fate_is: Fate| -> Vec<Changed<'_>> {
        let cells = group.iter().copied();
        cells.filter(|it| fate(it.differences) == fate_is).collect()
    };
    let number = |cells: usize| {
        format!(
            "{cells} of {} cell{}",
            all.len(),
            if all.len() == 1 { "" } else { "s" }
        )
    };
    let mut parts = Vec::new();
    let broken = of(Fate::Broken);
    if !broken.is_empty() {
        let where_ = places(&broken);
        parts.push(format!(
            "no longer boots on {where_}: {}",
            number(broken.len())
        ));
    }
    let other = of(Fate::Other);
    if !other.is_empty() {
        let where_ = places(&other);
        let seen = other
            .iter()
            .flat_map(|it| &it.differences.boot)
            .min_by_key(|it| std::cmp::Reverse(tells(it)));
        let seen = seen.map_or(String::new(), |it| format!("; {it}"));
        parts.push(format!(
            "differs on {where_}: {}{seen}",
            number(other.len())
        ));
    }
    let same = of(Fate::Same);
    if broken.is_empty() && other.is_empty() {
        let where_ = places(&same);
        let does = if same.iter().all(|it| booted(it.cell)) {
            "boots"
        } else {
            "behaves"
        };
        parts.push(format!(
            "{does} as before on {where_}: {}",
            number(same.len())
        ));
        return parts.join("; ");
    }
    let fails: BTreeSet<&str> = broken
        .iter()
        .chain(&other)
        .map(|it| &*it.cell.firmware)
        .collect();
    let others = all.iter().filter(|cell| booted(cell));
    let others = others.map(|cell| &*cell.firmware);
    let others: BTreeSet<&str> = others.filter(|it| !fails.contains(it)).collect();
    if !others.is_empty() {
        let names: Vec<String> = others.into_iter().map(firmware).collect();
        parts.push(format!("still boots on {}", names.join(" and ")));
    }
    parts.join("; ")
}

/// `SeaBIOS by ide, ahci and OVMF by ahci`.
fn places(cells: &[Changed<'_>]) -> String {
    let mut by_firmware: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for Changed { cell, .. } in cells {
        let attachments = by_firmware.entry(&cell.firmware).or_default();
        // With the medium profile.
        let name = cell.id.rsplit('/').next().unwrap_or_default().to_owned();
        if !attachments.contains(&name) {
            attachments.push(name);
        }
    }
    let place = |(name, attachments): (&str, Vec<String>)| {
        format!("{} by {}", firmware(name), attachments.join(", "))
    };
    let places: Vec<String> = by_firmware.into_iter().map(place).collect();
    places.join(" and ")
}

/// A firmware's name as people write it, with its build.
fn firmware(name: &str) -> String {
    let family = name.split('@').next().unwrap_or(name);
    match family.parse::<FirmwareId>() {
        Ok(id) => firmware_name(name, id),
        Err(_) => name.to_owned(),
    }
}
