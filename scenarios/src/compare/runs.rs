//! Two runs, or the discs of two tools, cell by cell.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use harness::guest::Starts;
use serde::{Deserialize, Serialize};

use super::{Strictness, between_tools, by_edit, compare, with_baseline};
use crate::{
    baseline::Baseline,
    difference::Differences,
    id::{CellId, DiscId, base_and_edit},
    record::CellResult,
};

/// Two runs, or two tools, cell by cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// What kind of thing that is; of earlier versions this is not known.
    #[serde(default)]
    pub with: With,
    /// What it was compared with: a master, or the results of an earlier run.
    pub against: String,
    /// How many cells are how.
    pub totals: ComparisonTotals,
    /// The cells that are not the same.
    pub cells: Vec<ComparedCell>,
    /// The cells without a counterpart in which something was seen.
    pub only_here: Vec<String>,
    /// Their cells without a counterpart here.
    pub only_there: Vec<String>,
}

/// With what cells are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum With {
    /// The same discs of another tool: what differs is no change.
    #[default]
    Tool,
    /// Themselves in an earlier run.
    Run,
    /// The discs before an edit.
    Edit,
}

/// How many cells are how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparisonTotals {
    /// They boot the same, and the discs have the same structure.
    pub same: usize,
    /// They boot the same, from discs of another structure.
    pub structure_only: usize,
    /// They boot differently.
    pub differ: usize,
    /// They did not start before an edit, which can take nothing away there.
    #[serde(default)]
    pub not_started: usize,
    /// Seen only here.
    pub only_here: usize,
    /// Seen only there.
    pub only_there: usize,
    /// Of those with a counterpart: compared by outcome and findings alone, for want of evidence.
    pub without_evidence: usize,
}

impl ComparisonTotals {
    /// What the comparison amounts to: 1 where a cell boots differently, 3 where nothing could be compared or not all that was seen, which is
    /// no pass, else 0.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        if self.differ > 0 {
            1
        } else if self.without_evidence > 0 || self.same + self.structure_only == 0 {
            3
        } else {
            0
        }
    }
}

/// A cell that is not as its counterpart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedCell {
    /// The cell.
    pub id: String,
    /// Its counterpart.
    pub other: String,
    /// Whether that counts as booting differently: of one tool, also what differs on the disc and booting depends on.
    #[serde(default)]
    pub counts: bool,
    /// In what they are not the same: `is` here, `was` there.
    #[serde(flatten)]
    pub differences: Differences,
}

impl ComparedCell {
    /// Whether it counts as booting differently. Earlier versions did not say so by itself.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.counts || !self.differences.boot.is_empty()
    }
}

impl Comparison {
    fn empty(against: &str, with: With) -> Self {
        Self {
            with,
            against: against.to_owned(),
            totals: ComparisonTotals::default(),
            cells: Vec::new(),
            only_here: Vec::new(),
            only_there: Vec::new(),
        }
    }

    /// The cells that boot differently from what they were.
    pub fn changed(&self) -> impl Iterator<Item = &ComparedCell> {
        let is_change = self.with != With::Tool;
        let cells = self.cells.iter();
        cells.filter(move |it| is_change && it.counts())
    }
}

/// One side of a comparison: what was seen, by cell.
#[derive(Clone, Debug, Default)]
pub struct Side(BTreeMap<String, (CellResult, Option<Baseline>)>);

impl Side {
    /// What a run saw, with the evidence in its folder.
    pub fn of<'a>(cells: impl IntoIterator<Item = &'a CellResult>, out: &Path) -> Self {
        let seen = cells.into_iter().filter(|cell| cell.outcome.is_some());
        let side = seen.map(|cell| {
            let left = Baseline::of_run(out, cell);
            (cell.id.clone(), (cell.clone(), left))
        });
        Self(side.collect())
    }

    /// The master of all its cells, if it is one.
    fn only_master(&self) -> Option<&str> {
        let mut masters = self.0.values().map(|(result, _)| result.master.as_str());
        let first = masters.next()?;
        masters.all(|other| other == first).then_some(first)
    }
}

/// Compares the cells of a run with those that another run saw: by their ids, or where the other run was of one other master and
/// has no id in common with this one, with the same cell of that.
#[must_use]
pub fn with_run(
    here: &[CellResult],
    out: &Path,
    there: &Side,
    name: &str,
    strictness: Strictness,
) -> Comparison {
    let here = Side::of(here, out);
    let in_common = here.0.keys().any(|id| there.0.contains_key(id));
    if let Some(master) = there.only_master().filter(|_| !in_common) {
        return compare_sides(
            &here,
            there,
            name,
            |id| of_master(id, master),
            &|is, was| (between_tools(is, was), false),
        );
    }
    // Of one tool a change to what booting depends on is a change of booting.
    let differences = |is: &Baseline, was: &Baseline| {
        let differences = with_baseline(is, was, strictness);
        let counts = !differences.is_empty();
        (differences, counts)
    };
    Comparison {
        with: With::Run,
        ..compare_sides(&here, there, name, |id| Some(id.to_owned()), &differences)
    }
}

/// Compares the cells of a run's other masters with those of one of them.
#[must_use]
pub fn with_master(cells: &[CellResult], out: &Path, master: &str) -> Comparison {
    let (there, here): (Vec<&CellResult>, Vec<&CellResult>) =
        cells.iter().partition(|cell| cell.master == master);
    let counterpart = |id: &str| of_master(id, master);
    compare_sides(
        &Side::of(here, out),
        &Side::of(there, out),
        master,
        counterpart,
        &|is, was| (between_tools(is, was), false),
    )
}

/// Compares the cells of discs that were edited with those of the same discs before the edit. What did not start before has nothing to lose.
#[must_use]
pub fn with_edit(cells: &[CellResult], out: &Path) -> Comparison {
    let is_edited = |cell: &&CellResult| base_and_edit(&cell.master).1.is_some();
    let (here, there): (Vec<&CellResult>, Vec<&CellResult>) = cells.iter().partition(is_edited);
    let (here, there) = (Side::of(here, out), Side::of(there, out));
    let mut comparison = Comparison::empty("the disc before the edit", With::Edit);
    for (id, (result, left)) in &here.0 {
        let (base, _) = base_and_edit(&result.master);
        let other = of_master(id, base).and_then(|id| there.0.get_key_value(&id));
        let Some((other_id, (before, was))) = other else {
            comparison.only_here.push(id.clone());
            continue;
        };
        let totals = &mut comparison.totals;
        let (Some(is), Some(was)) = (left, was) else {
            totals.without_evidence += 1;
            continue;
        };
        let differences = by_edit(is, was, result.starts, before.starts);
        let counts = !differences.is_empty();
        *match before.starts {
            _ if counts => &mut totals.differ,
            Some(Starts::No) | None => &mut totals.not_started,
            Some(Starts::Yes | Starts::Unknown) => &mut totals.same,
        } += 1;
        comparison.cells.push(ComparedCell {
            id: id.clone(),
            other: other_id.clone(),
            counts,
            differences,
        });
    }
    comparison.totals.only_here = comparison.only_here.len();
    comparison
}

/// The same cell of another master.
fn of_master(id: &str, master: &str) -> Option<String> {
    let id: CellId = id.parse().ok()?;
    let disc = id.disc();
    let parts = [
        disc.scenario(),
        disc.medium(),
        disc.boot(),
        disc.size(),
        master,
    ];
    let other = DiscId::new(parts).ok()?;
    let id = CellId::new(&other, id.firmware(), id.attachment()).ok()?;
    Some(id.to_string())
}

fn compare_sides(
    here: &Side,
    there: &Side,
    against: &str,
    counterpart: impl Fn(&str) -> Option<String>,
    differences: &dyn Fn(&Baseline, &Baseline) -> (Differences, bool),
) -> Comparison {
    let mut comparison = Comparison::empty(against, With::Tool);
    let totals = &mut comparison.totals;
    let mut met = BTreeSet::new();
    for (id, (result, left)) in &here.0 {
        let other = counterpart(id).and_then(|id| there.0.get_key_value(&id));
        let Some((other_id, (other_result, other_left))) = other else {
            comparison.only_here.push(id.clone());
            continue;
        };
        met.insert(other_id);
        let (differences, structure_counts) = match (left, other_left) {
            (Some(left), Some(other)) => differences(left, other),
            _ => {
                totals.without_evidence += 1;
                (without_evidence(result, other_result), false)
            }
        };
        if differences.is_empty() {
            totals.same += 1;
            continue;
        }
        let counts = structure_counts || !differences.boot.is_empty();
        *if counts {
            &mut totals.differ
        } else {
            &mut totals.structure_only
        } += 1;
        comparison.cells.push(ComparedCell {
            id: id.clone(),
            other: other_id.clone(),
            counts,
            differences,
        });
    }
    let unmet = there.0.keys().filter(|id| !met.contains(id));
    comparison.only_there = unmet.cloned().collect();
    totals.only_here = comparison.only_here.len();
    totals.only_there = comparison.only_there.len();
    comparison
}

/// What can be said by the results alone.
pub(super) fn without_evidence(is: &CellResult, was: &CellResult) -> Differences {
    let outcome = |cell: &CellResult| {
        let Some(outcome) = &cell.outcome else {
            return Vec::new();
        };
        let expected = cell.expected.as_ref();
        if expected.is_some_and(|expected| expected.leaves_open(outcome.kind)) {
            return vec![("outcome".to_owned(), "one of those declared".to_owned())];
        }
        let code = outcome
            .code
            .as_ref()
            .map_or(String::new(), |code| format!(" {code}"));
        vec![
            ("outcome".to_owned(), format!("{}{code}", outcome.kind)),
            ("stage".to_owned(), outcome.stage.to_string()),
        ]
    };
    let findings = |cell: &CellResult| {
        let ids = cell.findings.iter();
        ids.map(|id| (format!("finding {id}"), "there".to_owned()))
            .collect()
    };
    let mut differences = Differences::default();
    compare(&mut differences.boot, outcome(is), outcome(was));
    compare(&mut differences.structure, findings(is), findings(was));
    differences
}
