//! The same cells on several builds of their firmware, and the differences.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    cell::Cell,
    id::CellId,
    record::{CellResult, Verdict},
    results::{FirmwareTool, Results},
    words::FirmwareName,
};

/// The name and version of the document.
pub const SCHEMA: &str = "firmware-grid/1";

/// The cells repeated for each build of their firmware, in the order of the builds; cells with other firmware are left out.
#[must_use]
pub fn on_builds(cells: &[Cell], builds: &[FirmwareName]) -> Vec<Cell> {
    let on_build = |cell: &Cell, build: &FirmwareName| {
        // A build's name was checked when it was read, by a stricter rule than that of ids.
        let id = cell.id.on_build(build.build.as_deref()).ok()?;
        Some(Cell { id, ..cell.clone() })
    };
    let mut all = Vec::new();
    for cell in cells {
        // Its scenario gives its keys, for any builds.
        if cell.keys().is_some() {
            all.push(cell.clone());
            continue;
        }
        let own = builds.iter().filter(|build| build.id == cell.firmware);
        all.extend(own.filter_map(|build| on_build(cell, build)));
    }
    all
}

/// The stored observations on several builds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// [`SCHEMA`].
    pub schema: String,
    /// One run for each QEMU, in the order of their versions.
    pub runs: Vec<GridRun>,
}

/// The observations on several builds with one QEMU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridRun {
    /// The version of QEMU.
    pub qemu: String,
    /// The builds.
    pub firmware: Vec<FirmwareTool>,
    /// By firmware: the number of cells on which its builds were compared.
    pub cells: BTreeMap<String, usize>,
    /// Those on which its builds differ.
    pub differing: Vec<Flip>,
}

/// A cell that behaves differently on some builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flip {
    /// Its id, without a build.
    pub cell: CellId,
    /// Its behavior, by build.
    pub seen: BTreeMap<String, Seen>,
}

/// A cell's behavior on a build.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// `booted`, `refused 0009`, `reset or hung`.
    pub outcome: String,
    /// Whether that is the expected result there.
    pub as_expected: bool,
    /// Why it is expected, if something is declared.
    pub because: Option<String>,
}

impl Seen {
    /// Nothing for a cell that was not run.
    fn of(result: &CellResult) -> Option<Self> {
        if matches!(result.verdict, Verdict::Skipped | Verdict::Infra) {
            return None;
        }
        let outcome = result.outcome.as_ref()?;
        let one_of = result.expected.as_ref().and_then(|expected| {
            // Timing decides which of the two it is, so it does not distinguish builds.
            let or = expected.or?;
            let either = [expected.outcome, or].contains(&outcome.kind);
            either.then(|| format!("{} or {or}", expected.outcome))
        });
        let code = outcome.code.iter().map(|code| format!(" {code}"));
        let code: String = code.collect();
        Some(Self {
            outcome: one_of.unwrap_or_else(|| format!("{}{code}", outcome.kind)),
            as_expected: result.verdict != Verdict::Mismatch,
            because: result
                .expected
                .as_ref()
                .map(|expected| expected.because.clone()),
        })
    }
}

impl GridRun {
    /// The differences between builds in the results of a run. Every build is compared with one snapshot of a cell, unless the scenario
    /// declares something else for its version: so two that are as expected by the same rule behave identically.
    #[must_use]
    pub fn of(results: &Results) -> Self {
        let mut by_cell: BTreeMap<CellId, BTreeMap<String, Seen>> = BTreeMap::new();
        for result in &results.cells {
            let id = result.id.parse::<CellId>().ok();
            let id = id.filter(|id| id.firmware_build().is_some());
            let id = id.and_then(|id| id.on_build(None).ok());
            if let (Some(id), Some(seen)) = (id, Seen::of(result)) {
                by_cell
                    .entry(id)
                    .or_default()
                    .insert(result.firmware.clone(), seen);
            }
        }
        let mut cells: BTreeMap<String, usize> = BTreeMap::new();
        let mut differing = Vec::new();
        for (cell, seen) in by_cell.into_iter().filter(|(_, seen)| seen.len() > 1) {
            *cells.entry(cell.firmware_family().to_owned()).or_default() += 1;
            if seen.values().collect::<BTreeSet<_>>().len() > 1 {
                differing.push(Flip { cell, seen });
            }
        }
        let of_grid = |tool: &&FirmwareTool| tool.id.contains('@');
        Self {
            qemu: results
                .tools
                .qemu
                .as_ref()
                .map(|qemu| qemu.version.clone())
                .unwrap_or_default(),
            firmware: {
                let mut firmware: Vec<FirmwareTool> = results
                    .tools
                    .firmware
                    .iter()
                    .filter(of_grid)
                    .cloned()
                    .collect();
                firmware.sort_by_key(|tool| {
                    tool.id
                        .parse::<FirmwareName>()
                        .ok()
                        .map(|name| name.order())
                });
                firmware
            },
            cells,
            differing,
        }
    }

    /// The builds of one firmware, oldest first.
    pub fn builds<'a>(&'a self, family: &'a str) -> impl Iterator<Item = &'a FirmwareTool> {
        let is_of = move |tool: &&FirmwareTool| {
            tool.id
                .split_once('@')
                .is_some_and(|(found, _)| found == family)
        };
        self.firmware.iter().filter(is_of)
    }
}

impl Grid {
    /// The same with one QEMU's results in place of its earlier ones.
    #[must_use]
    pub fn with(mut self, run: GridRun) -> Self {
        self.schema = SCHEMA.to_owned();
        self.runs.retain(|other| other.qemu != run.qemu);
        self.runs.push(run);
        let order = |run: &GridRun| run.qemu.parse::<harness::emulator::Version>().ok();
        self.runs.sort_by_key(order);
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::results::{QemuTool, Tools};

    fn result(
        firmware: &str,
        outcome: &str,
        verdict: Verdict,
        expected: serde_json::Value,
    ) -> CellResult {
        serde_json::from_value(json!({
            "id": format!("a/-/b/-/r/{firmware}/ide"), "scenario": "a", "medium": "-", "boot": "b", "size": "-",
            "master": "r", "firmware": firmware, "attachment": "ide",
            "outcome": { "kind": outcome, "stage": "ended" }, "expected": expected,
            "verdict": verdict, "differs": [], "findings": [], "duration_ms": 0, "start": null, "evidence": "cells"
        }))
        .unwrap()
    }

    fn flips(cells: Vec<CellResult>) -> Vec<Flip> {
        let tools = Tools {
            qemu: Some(QemuTool {
                version: "7.2.22".into(),
                path: "q".into(),
            }),
            ..Tools::default()
        };
        GridRun::of(&Results::new("tcg".into(), tools, cells)).differing
    }

    #[test]
    fn builds_differ_in_what_they_do_and_in_what_is_declared_of_them() {
        let boots = || json!({ "outcome": "booted", "because": "§2" });
        let good = Verdict::AsExpected;
        let two = |one, other| flips(vec![one, other]).len();
        let old = || result("seabios@1.16.2", "booted", good, boots());
        assert_eq!(
            two(old(), result("seabios@1.17.0", "booted", good, boots())),
            0
        );
        assert_eq!(
            two(
                old(),
                result("seabios@1.17.0", "hung", Verdict::Mismatch, boots())
            ),
            1
        );
        // As accepted there, but not here.
        assert_eq!(
            two(
                old(),
                result("seabios@1.17.0", "booted", Verdict::Mismatch, boots())
            ),
            1
        );
        let since = json!({ "outcome": "booted", "because": "since 1.17" });
        assert_eq!(
            two(old(), result("seabios@1.17.0", "booted", good, since)),
            1
        );
        // A cell that was not run shows nothing, and the default is not a build of the grid.
        assert_eq!(
            two(
                old(),
                result("seabios@1.17.0", "hung", Verdict::Infra, boots())
            ),
            0
        );
        assert_eq!(
            two(old(), result("seabios", "hung", Verdict::Mismatch, boots())),
            0
        );
        // A result that depends on timing does not depend on the build.
        let either = || json!({ "outcome": "reset", "or": "hung", "because": "§3" });
        let (one, other) = ("seabios@1.16.2", "seabios@1.17.0");
        assert_eq!(
            two(
                result(one, "hung", good, either()),
                result(other, "reset", good, either())
            ),
            0
        );
        let booted = result(other, "booted", Verdict::Mismatch, either());
        let flip = flips(vec![result(one, "hung", good, either()), booted]).remove(0);
        assert_eq!(flip.cell.as_str(), "a/-/b/-/r/seabios/ide");
        assert_eq!(flip.seen[one].outcome, "reset or hung");
        assert_eq!(flip.seen[other].outcome, "booted");
    }

    #[test]
    fn a_run_takes_the_place_of_the_one_with_the_same_qemu() {
        let run = |qemu: &str| {
            let tools = Tools {
                qemu: Some(QemuTool {
                    version: qemu.into(),
                    path: "q".into(),
                }),
                ..Tools::default()
            };
            GridRun::of(&Results::new("tcg".into(), tools, Vec::new()))
        };
        let grid = ["10.0.2", "7.2.22", "10.0.2"]
            .into_iter()
            .map(run)
            .fold(Grid::default(), Grid::with);
        let versions: Vec<&str> = grid.runs.iter().map(|run| &*run.qemu).collect();
        assert_eq!(versions, ["7.2.22", "10.0.2"]);
        let json = serde_json::to_string(&grid).unwrap();
        assert_eq!(serde_json::from_str::<Grid>(&json).unwrap(), grid);
    }
}
